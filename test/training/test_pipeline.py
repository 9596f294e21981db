# SPDX-License-Identifier: Apache-2.0
"""From a bag to a module folder: whole, repeatable, or not at all."""

from functools import partial
import json

from ami_ros.inference.encoder_and_dynamics import Networks
from ami_ros.modules.module import fits, open_module
from ami_ros.modules.module_card import card
from ami_ros.robots.find_robot import find
from ami_ros.training import pipeline, quality_gates, train, vit
from ami_ros.training.bag_reader import BagError
from ami_ros.training.collect import bag_hash
from ami_ros.training.networks import Shape
from ami_ros.training.restore_from_onnx import restore
import numpy as np
import pytest
from synthetic_bags import picture, SECOND, topics, write

SMALL = partial(train.Recipe, windows=16, frames=4, far=10, held_out=0.3, shape=Shape(
    latent=8, hidden=64, width=16, head_width=8, heads=2, channels=(4, 8, 8)))


def many(drives: int, frames: int) -> dict:
    """Messages of several drives, a minute apart."""
    out = {}
    for index in range(drives):
        for topic, (kind, rows) in topics(frames).items():
            later = []
            for t, message in rows:
                message.header.stamp.sec += 60 * index
                later.append((t + 60 * index * SECOND, message))
            out.setdefault(topic, (kind, []))[1].extend(later)
    return out


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return write(tmp_path_factory.mktemp('bags') / 'bag', many(6, 14))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(train, 'Recipe', SMALL)


def passing() -> dict:
    return {name: (-np.inf if side == 'above' else np.inf, side, meaning)
            for name, (_, side, meaning) in quality_gates.GATES.items()}


@pytest.fixture(scope='module')
def made(bag, tmp_path_factory):
    """Build a module with gates that let everything pass; its path and what was said."""
    said, out = [], tmp_path_factory.mktemp('modules') / 'toy-1.2'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, 'Recipe', SMALL)
        patch.setattr(quality_gates, 'GATES', passing())
        assert pipeline.run(pipeline.Job((bag,), out, steps=2, seed=3), said.append) == out
    return out, said


def test_a_model_that_learned_nothing_is_stopped_and_no_module_written(bag, tmp_path):
    said = []
    with pytest.raises(pipeline.GateError) as stopped:
        pipeline.run(pipeline.Job((bag,), tmp_path / 'm', steps=1), said.append)
    sentence = str(stopped.value)
    assert sentence.startswith('no module was written. ')
    assert 'rollout_vs_wrong_action is ' in sentence and 'place_error_m is ' in sentence
    assert [p.name for p in tmp_path.iterdir()] == ['m.checkpoint']     # to go on from
    assert sum(line.startswith('gate ') for line in said) == len(quality_gates.GATES)


def test_a_module_from_before_survives_a_training_that_fails(bag, made, tmp_path):
    kept = tmp_path / 'm'
    kept.mkdir()
    for file in made[0].iterdir():
        (kept / file.name).write_bytes(file.read_bytes())
    with pytest.raises(pipeline.GateError):
        pipeline.run(pipeline.Job((bag,), kept, steps=1), lambda line: None)
    assert open_module(kept).manifest == open_module(made[0]).manifest


def test_a_folder_that_is_no_module_is_never_replaced(bag, tmp_path):
    (tmp_path / 'thesis.txt').write_text('years')
    for out in (tmp_path, tmp_path / 'thesis.txt'):
        with pytest.raises(ValueError, match='exists and is no module'):
            pipeline.run(pipeline.Job((bag,), out, steps=1), lambda line: None)
    assert (tmp_path / 'thesis.txt').read_text() == 'years'


def test_too_little_to_learn_from_says_how_much_is_needed(tmp_path):
    bag = write(tmp_path / 'bag', many(2, 9))
    with pytest.raises(BagError, match=f'{bag} has 6 windows to learn from and 6 to check with; '
                                       'at least 16 and 16 are needed: record longer'):
        pipeline.run(pipeline.Job((bag,), tmp_path / 'm', steps=1), lambda line: None)
    assert not (tmp_path / 'm').exists()


def test_no_such_robot(bag, tmp_path):
    with pytest.raises(ValueError, match="no robot 'barge'; there are: rover"):
        pipeline.run(pipeline.Job((bag,), tmp_path / 'm', 'barge'), lambda line: None)


def test_a_module_is_written_that_opens_and_runs(made):
    out, said = made
    module = open_module(out)
    fits(module, find('rover'))
    networks = Networks(module)
    z = networks.encode(picture(3))
    imagined = networks.imagine(z, np.zeros(3), np.zeros((4, 8, 2)), z)
    assert imagined.place.shape == (4, 8, 3) and np.isfinite(imagined.place).all()
    assert sorted(p.name for p in out.parent.iterdir()) == ['toy-1.2']  # no checkpoint is left
    assert said[-1].startswith(f'wrote {out}: ')
    assert any('84 frames in 6 drives' in line and 'camera /camera/image_raw' in line
               for line in said)


def test_the_manifest_says_where_it_comes_from(made, bag):
    manifest = json.loads((made[0] / 'manifest.json').read_text())
    assert (manifest['name'], manifest['robot'], manifest['horizon']) == ('toy-1.2', 'rover', 8)
    assert manifest['lineage']['bag_sha256'] == bag_hash(bag)
    assert manifest['lineage']['frames'] == 84
    assert manifest['lineage']['collected'] == 'by its owner'
    assert manifest['lineage']['topics']['odom'] == '/odom'
    assert manifest['recipe']['steps'] == 2 and manifest['recipe']['seed'] == 3
    assert set(quality_gates.GATES) <= set(manifest['gates'])
    assert manifest['surprise_scale'] > 0 and manifest['camera']['size'] == [64, 64]
    assert manifest['camera']['hfov_rad'] == pytest.approx(1.9)
    assert set(manifest['networks']) == {'see', 'step', 'imagine', 'imagine_4'}


def test_the_manifest_says_what_surprise_is_ordinary(made):
    out, said = made
    module = open_module(out)
    own = module.manifest['surprise']
    assert 0 < own['p50'] <= own['p95'] <= own['p99']
    assert own['frames'] >= 20 and own['period_s'] == pytest.approx(0.25)
    words = f'half below {own["p50"]:.2f}, 95 % below {own["p95"]:.2f}'
    assert f'surprise on held-out drives: {words}' in ' '.join(said)
    assert words in card(module)


def test_what_a_module_remembers_belongs_together(made):
    module = open_module(made[0])
    drive, action = module.array('memory_drive'), module.array('memory_action')
    latents = module.array('memory_latents') * module.array('memory_scale')
    assert len(drive) == len(action) == len(latents) == 84
    networks = Networks(module)
    seen = np.stack([networks.encode(picture(i % 14)) for i in range(84)])
    assert latents == pytest.approx(seen, abs=float(np.abs(seen).max()) / 100)
    assert action[:13] == pytest.approx(np.tile([0.4, 0.5], (13, 1)), abs=1e-2)
    ends = module.array('picture_ends')
    assert ends[-1] == len(module.array('picture_bytes')) and np.all(np.diff(ends) > 0)
    cost = module.array('map_cost')
    assert cost.dtype == np.float32 and cost.min() >= 1.0 and module.array('map_origin').shape == (
        2,)


def test_the_same_seed_makes_the_same_module(made, bag, tmp_path, monkeypatch):
    monkeypatch.setattr(quality_gates, 'GATES', passing())
    again = pipeline.run(pipeline.Job((bag,), tmp_path / 'toy-1.2', steps=2, seed=3),
                         lambda line: None)
    one, two = open_module(made[0]), open_module(again)
    assert one.files == two.files
    varies = {'made', 'training'}
    assert {k: v for k, v in one.manifest.items() if k not in varies} == {
        k: v for k, v in two.manifest.items() if k not in varies}


def test_several_bags_make_one_module_that_says_each(bag, tmp_path, monkeypatch):
    monkeypatch.setattr(quality_gates, 'GATES', passing())
    other = write(tmp_path / 'other', many(4, 14))
    out = pipeline.run(pipeline.Job((bag, other), tmp_path / 'm', steps=1), lambda line: None)
    told = open_module(out).manifest['lineage']
    assert told['frames'] == 84 + 56
    assert [each['sha256'] for each in told['bags']] == [bag_hash(bag), bag_hash(other)]
    assert [each['frames'] for each in told['bags']] == [84, 56]
    assert told['bag_sha256'] not in (bag_hash(bag), bag_hash(other))
    drive = open_module(out).array('memory_drive')
    assert len(np.unique(drive)) == 10          # no drive of one is taken for one of the other


def test_bags_of_two_cameras_are_refused(bag, tmp_path):
    blind = {topic: told for topic, told in many(4, 14).items() if 'camera_info' not in topic}
    other = write(tmp_path / 'other', blind)
    with pytest.raises(BagError, match='different cameras: they see 1.900 rad and an unknown'):
        pipeline.run(pipeline.Job((bag, other), tmp_path / 'm', steps=1), lambda line: None)


def test_a_larger_encoder_is_made_by_the_same_command(bag, tmp_path, monkeypatch):
    monkeypatch.setitem(vit.VITS, 'vit_tiny', vit.VitSize(16, 1, 2))
    monkeypatch.setattr(quality_gates, 'GATES', passing())
    out = pipeline.run(pipeline.Job((bag,), tmp_path / 'vit', steps=2, encoder='vit_tiny'),
                       lambda line: None)
    module = open_module(out)
    assert module.manifest['recipe']['shape']['encoder'] == 'vit_tiny'
    networks = Networks(module)
    assert networks.encode(picture(1)).shape == (8,)
    with pytest.raises(ValueError, match='lacks the weights encoder.blocks'):   # renamed
        restore(module)
    with pytest.raises(ValueError, match="no encoder 'resnet'; there are: convolutions, vit_tiny"):
        pipeline.run(pipeline.Job((bag,), tmp_path / 'other', steps=2, encoder='resnet'),
                     lambda line: None)


def test_a_training_may_begin_with_the_weights_of_another_module(made, bag, tmp_path, monkeypatch):
    monkeypatch.setattr(quality_gates, 'GATES', passing())
    monkeypatch.setattr(pipeline, 'BASE_RATE',
                        1e-9)       # so that the weights stay what they were
    out = pipeline.run(pipeline.Job((bag,), tmp_path / 'm', steps=1, base=str(made[0])),
                       lambda line: None)
    base, module = open_module(made[0]), open_module(out)
    assert module.manifest['recipe']['base'] == base.id
    assert module.manifest['recipe']['shape'] == base.manifest['recipe']['shape']
    one, other = (Networks(m).encode(picture(1)) for m in (base, module))
    assert np.abs(one - other).max() < 0.02
    with pytest.raises(ValueError, match='has the encoder convolutions, not vit_tiny'):
        pipeline.run(pipeline.Job((bag,), tmp_path / 'n', steps=1, encoder='vit_tiny',
                                  base=str(made[0])), lambda line: None)
