# SPDX-License-Identifier: Apache-2.0
"""A module is measured on another bag: its gates, and its places after the best rigid fit."""

from functools import partial
import json

from ami_ros.cli import main as cli
from ami_ros.training import evaluate_on_bag, pipeline, quality_gates, train
from ami_ros.training.networks import Shape
import numpy as np
import pytest
from synthetic_bags import topics, write
from test_pipeline import many, passing

SMALL = partial(train.Recipe, windows=16, frames=4, far=10, held_out=0.3, shape=Shape(
    latent=8, hidden=64, width=16, head_width=8, heads=2, channels=(4, 8, 8)))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(train, 'Recipe', lambda **given: SMALL(**given))


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """Return two bags, a module of the first, and the checkpoint of a training that failed."""
    folder = tmp_path_factory.mktemp('gates')
    bags = [write(folder / name, many(6, frames)) for name, frames in (('one', 14), ('two', 16))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, 'Recipe', SMALL)
        with pytest.raises(pipeline.GateError):
            pipeline.run(pipeline.Job((bags[0],), folder / 'failed', steps=2), lambda line: None)
        patch.setattr(quality_gates, 'GATES', passing())
        module = pipeline.run(pipeline.Job((bags[0],), folder / 'toy', steps=2), lambda line: None)
    return bags, module, folder / 'failed.checkpoint'


def test_a_module_and_the_checkpoint_of_the_same_training_say_the_same(made, tmp_path, capsys):
    (_, bag), module, checkpoint = made
    reports = []
    for number, path in enumerate((module, checkpoint)):
        report = tmp_path / f'{number}.json'
        assert cli.main(['gates', str(path), '--bag', str(bag), '--report', str(report)]) == 1
        said = capsys.readouterr().out
        assert sum(line.startswith('gate ')
                   for line in said.splitlines()) == len(quality_gates.GATES)
        assert 'FAILED' in said and 'after the best rigid fit' in said
        reports.append(json.loads(report.read_text()))
    one, two = reports
    assert one['failed'] == two['failed'] and 'place_error_m' in one['failed']
    for name, value in one['gates'].items():    # a module's weights are rounded
        assert value == pytest.approx(two['gates'][name], rel=0.05, abs=0.05), name
    assert one['spread_m'] == two['spread_m'] > 0.1


def test_with_gates_that_pass_the_status_is_0(made, monkeypatch):
    (bag, _), module, _ = made
    monkeypatch.setattr(quality_gates, 'GATES', passing())
    assert cli.main(['gates', str(module), '--bag', str(bag)]) == 0


@pytest.mark.parametrize('what, part', [
    ('no checkpoint', 'is no checkpoint of a training for images of 64x64'),
    ('short', 'at least 16 are needed')])
def test_what_cannot_be_measured(made, what, part, tmp_path, capsys):
    (bag, _), module, _ = made
    if what == 'short':
        bag = write(tmp_path / 'short', topics(12))
    else:
        module = tmp_path / 'checkpoint'
        module.write_bytes(b'nothing')
    assert cli.main(['gates', str(module), '--bag', str(bag)]) == 1
    assert part in capsys.readouterr().err


def test_a_frame_of_its_own_costs_no_place_error():
    rng = np.random.default_rng(0)
    poses = np.column_stack([rng.uniform(-4, 4, (200, 2)), rng.uniform(-3, 3, 200)])
    angle, (x, y) = 2.1, (5.0, -3.0)
    turned = (poses[:, 0] + 1j * poses[:, 1]) * np.exp(1j * angle)
    places = np.stack([turned.real + x, turned.imag + y, np.cos(poses[:, 2] + angle),
                       np.sin(poses[:, 2] + angle)], 1)
    exact = evaluate_on_bag.place_error(places, poses)
    assert exact['fitted_place_error_p95_m'] < 1e-9
    assert exact['fitted_heading_error_p95_rad'] < 1e-9
    noisy = places.copy()
    noisy[:, 0] += rng.choice([-0.3, 0.3], 200)
    told = evaluate_on_bag.place_error(noisy, poses)
    assert told['fitted_place_error_m'] == pytest.approx(0.3, abs=0.05)
    middle = np.tile([0.0, 0.0, 1.0, 0.0], (200, 1))
    told = evaluate_on_bag.place_error(middle, poses)
    assert told['fitted_place_error_m'] == pytest.approx(told['spread_m'], abs=0.3)
