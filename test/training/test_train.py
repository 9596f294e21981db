# SPDX-License-Identifier: Apache-2.0
"""Training: a kill and another run give the same bits; what is broken stops it."""

from dataclasses import replace
import math

from ami_ros.training import train
from ami_ros.training.networks import Shape
from ami_ros.training.quality_gates import measure
import numpy as np
import pytest
from synthetic_bags import drives, shifted
import torch

LIMITS = (0.6, 1.5)
SHAPE = Shape(latent=8, hidden=16, width=16, head_width=8, heads=2, channels=(4, 8, 8))
RECIPE = train.Recipe(steps=8, windows=8, frames=3, far=10, seed=4, held_out=0.2, shape=SHAPE)
IMAGES, DRIVES = drives(5, 12)


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Save and look every few steps, so that a few steps are enough."""
    monkeypatch.setattr(train, 'SAVE', 3)
    monkeypatch.setattr(train, 'LOOK', 4)
    torch.set_num_threads(1)


def run(folder, recipe=RECIPE, resume=False, made=DRIVES, look=lambda step, model: None,
        say=lambda line: None):
    return train.train(IMAGES, made, recipe, LIMITS, folder / 'm.checkpoint', resume, say, look)


def same(one, other) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def kill(step: int, model) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp('whole')
    return train.train(IMAGES, DRIVES, RECIPE, LIMITS, folder / 'm.checkpoint', False,
                       lambda line: None)


def test_the_same_seed_trains_the_same_and_another_another(whole, tmp_path):
    assert same(run(tmp_path), whole)
    assert not same(run(tmp_path, replace(RECIPE, seed=5)), whole)


def test_training_changes_every_part(whole, tmp_path):
    fresh = run(tmp_path, replace(RECIPE, steps=0)).state_dict()
    for name, weight in whole.state_dict().items():
        assert name.endswith('_scale') == torch.equal(weight, fresh[name]), name


@pytest.mark.parametrize('bf16', [False, True])
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, bf16):
    recipe = replace(RECIPE, bf16=bf16)
    expected = run(tmp_path, recipe)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, recipe, look=kill)
    assert torch.load(tmp_path / 'm.checkpoint', weights_only=True)['step'] == 3
    told = []
    assert same(run(tmp_path, recipe, resume=True, say=told.append), expected)
    assert told[0] == 'going on at step 3'
    assert same(run(tmp_path, recipe, resume=True), expected)       # nothing left to do


def test_without_resume_it_begins_anew(whole, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, look=kill)
    told = []
    assert same(run(tmp_path, say=told.append), whole)
    assert not any('going on' in line for line in told)


def test_looking_at_the_gates_changes_nothing(whole, tmp_path):
    seen = []
    sampler = train.Sampler(IMAGES, DRIVES, train.split(DRIVES, RECIPE)[1], RECIPE)

    def look(step, model):
        seen.append((step, measure(model, sampler, windows=4)['effective_rank']))

    assert same(run(tmp_path, look=look), whole)
    assert [step for step, _ in seen] == [4] and seen[0][1] >= 1.0


@pytest.mark.parametrize('name, term', [('pose', 'place'), ('action', 'one_step'),
                                        ('body', 'body')])
def test_broken_readings_stop_it_and_keep_the_last_checkpoint(tmp_path, name, term):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, look=kill)
    before = (tmp_path / 'm.checkpoint').read_bytes()
    broken = getattr(DRIVES, name).copy()
    broken[:] = math.nan
    with pytest.raises(RuntimeError, match=f'not finite at step 0 .*{term}.*broken readings'):
        run(tmp_path, made=shifted(DRIVES, **{name: broken}))
    assert (tmp_path / 'm.checkpoint').read_bytes() == before


@pytest.mark.parametrize('damage, sentence', [
    (lambda data: data[:1000], 'm.checkpoint is damaged'),
    (lambda data: b'', 'm.checkpoint is damaged'),
    (lambda data: b'no checkpoint', 'm.checkpoint is damaged')])
def test_a_damaged_checkpoint_says_so(tmp_path, damage, sentence):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, look=kill)
    path = tmp_path / 'm.checkpoint'
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=f'{sentence} .*train without --resume'):
        run(tmp_path, resume=True)


def test_a_checkpoint_of_another_recipe_or_bag_is_not_gone_on_from(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, look=kill)
    with pytest.raises(ValueError, match='another recipe .*steps=8.*train without --resume'):
        run(tmp_path, replace(RECIPE, steps=9), resume=True)
    other = shifted(DRIVES, action=DRIVES.action + np.float32(0.01))
    with pytest.raises(ValueError, match='another bag; train without --resume'):
        run(tmp_path, made=other, resume=True)


def test_losses_and_the_time_that_is_left_are_told(tmp_path):
    told = []
    run(tmp_path, say=told.append)
    assert 'step     8/8' in told[-1] and 'left' in told[-1]
    assert all(name in told[-1] for name in ('sigreg', 'open_loop', 'place'))


# how batches are drawn

def test_held_out_drives_are_never_trained_on():
    train_rows, held = train.split(DRIVES, RECIPE)
    names = [set(DRIVES.drive[rows]) for rows in (train_rows, held)]
    assert len(names[1]) == 1 and not names[0] & names[1] and len(names[0]) == 4
    assert train.split(DRIVES, RECIPE)[1].tolist() == held.tolist()
    lots = [train.split(DRIVES, replace(RECIPE, seed=s))[1].tolist() for s in range(6)]
    assert len({tuple(rows) for rows in lots}) > 1


def test_windows_come_in_pairs_of_one_drive_and_are_whole():
    rows, _ = train.split(DRIVES, RECIPE)
    sampler = train.Sampler(IMAGES, DRIVES, rows, RECIPE)
    numbered = shifted(DRIVES, clearance=np.arange(len(DRIVES.drive), dtype=np.float32))
    sampler.drives = numbered
    got = sampler.batch(np.random.default_rng(0))
    begin = got.clearance[:, 0].numpy().astype(int)
    assert torch.equal(got.clearance, torch.from_numpy(begin[:, None] + np.arange(3)).float())
    first, second = np.split(DRIVES.drive[begin], 2)
    assert np.array_equal(first, second) and set(begin) <= set(rows)
    assert np.any(begin[:4] != begin[4:]) and np.abs(begin[:4] - begin[4:]).max() <= RECIPE.far
    again = sampler.batch(np.random.default_rng(0))
    assert torch.equal(again.pictures, got.pictures) and again.pictures.shape == (8, 3, 3, 64, 64)


def test_the_rate_warms_up_and_falls():
    rates = [train.schedule(step, 3000) for step in range(3000)]
    assert rates[0] == pytest.approx(0.01) and max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates[-1] == pytest.approx(0.02, abs=1e-3)
    assert all(b <= a for a, b in zip(rates[100:], rates[101:]))
