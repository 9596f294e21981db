# SPDX-License-Identifier: Apache-2.0
"""Training of the general model: repeatable, resumable, the same batch in several processes."""

from dataclasses import replace
import json
import os
from pathlib import Path
import subprocess
import sys

from ami_ros.core.geometry import between
from ami_ros.training.general_model import export, train
from ami_ros.training.general_model.networks import GeneralModel, Sizes
from ami_ros.training.general_model.pair_sampling import PairSampler, Sampling
from ami_ros.training.general_model.world_frames import path_of, read_worlds, WorldFrames
from ami_ros.training.onnx_export import TOLERANCE
from ami_ros.training.topic_choice import BagError
import numpy as np
import pytest
import torch

SIZES = Sizes(width=16, channels=(4, 8, 8), descriptor=8, layers=1, dynamics_layers=1, heads=2,
              hidden=16)
SAMPLING = Sampling(groups=4, frames=6, pairs=8)
RECIPE = train.Recipe(steps=6, held_out=2, sampling=SAMPLING, sizes=SIZES)


def frames(worlds: int = 8, each: int = 40) -> WorldFrames:
    rng = np.random.default_rng(3)
    poses = []
    for _ in range(worlds):
        yaw = np.cumsum(rng.normal(0, 0.2, each))
        poses.append(np.stack([np.cumsum(0.1 * np.cos(yaw)), np.cumsum(0.1 * np.sin(yaw)), yaw],
                              1))
    return WorldFrames(rng.integers(0, 255, (worlds * each, 64, 64, 3), np.uint8),
                       np.concatenate(poses), np.concatenate([path_of(p) for p in poses]),
                       np.repeat(np.arange(worlds), each), tuple(range(worlds)))


DATA = frames()


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(train, 'SAVE', 3)
    torch.set_num_threads(1)


def run(folder: Path, recipe=RECIPE, resume=False) -> dict:
    return train.train(DATA, recipe, folder / 'm.checkpoint', resume,
                       lambda line: None).state_dict()


def same(one: dict, other: dict) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_same_seed_trains_the_same_and_another_another(tmp_path):
    one = run(tmp_path)
    assert same(one, run(tmp_path))
    assert not same(one, run(tmp_path, replace(RECIPE, seed=1)))


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    whole = run(tmp_path)
    (tmp_path / 'm.checkpoint').unlink()

    class Killed(Exception):
        pass

    saved = train.save

    def save_and_die(path, content):
        saved(path, content)
        raise Killed

    monkeypatch.setattr(train, 'save', save_and_die)
    with pytest.raises(Killed):
        run(tmp_path)
    monkeypatch.setattr(train, 'save', saved)
    assert same(run(tmp_path, resume=True), whole)


def test_a_checkpoint_of_another_recipe_and_a_damaged_one_are_refused(tmp_path):
    run(tmp_path)
    with pytest.raises(ValueError, match='another recipe'):
        run(tmp_path, replace(RECIPE, rate=1e-4), resume=True)
    other = replace(DATA, pose=DATA.pose + 1)
    with pytest.raises(ValueError, match='from other worlds'):
        train.train(other, RECIPE, tmp_path / 'm.checkpoint', True, lambda line: None)
    (tmp_path / 'm.checkpoint').write_bytes(b'broken')
    with pytest.raises(ValueError, match='damaged'):
        run(tmp_path, resume=True)


def test_pairs_are_what_odometry_says():
    batch = PairSampler(DATA, SAMPLING).batch(np.random.default_rng(0))
    rows_a, rows_b = batch.frames[batch.a], batch.frames[batch.b]
    said = between(DATA.pose[rows_a], DATA.pose[rows_b])
    near = batch.same
    assert np.allclose(batch.relative[near], said[near])
    assert np.isnan(batch.relative[~near]).all()
    assert near.sum() > 10
    assert (~near).sum() > 3
    assert (DATA.world[rows_a] == DATA.world[rows_b])[near].all()
    assert np.all(np.abs(DATA.path_m[rows_a] - DATA.path_m[rows_b])[near]
                  <= 2 * SAMPLING.path_m)
    assert not (batch.alike & batch.apart).any()


def test_too_few_worlds_are_refused(tmp_path):
    with pytest.raises(ValueError, match='too few'):
        train.train(frames(2), RECIPE, tmp_path / 'c', False, lambda line: None)
    with pytest.raises(ValueError, match='too few for batches'):
        PairSampler(frames(2), SAMPLING)


def test_a_folder_without_worlds_is_refused(tmp_path):
    with pytest.raises(BagError, match='no complete set of worlds'):
        read_worlds(tmp_path)


def test_the_exported_networks_say_what_torch_says(tmp_path):
    torch.manual_seed(0)
    report = export.export(GeneralModel(SIZES), tmp_path, DATA.images)
    assert sorted(report) == ['compare', 'encode', 'predict']
    assert all(0 <= one['largest_error'] < TOLERANCE
               for one in report.values())


WORKER = """
import json, os, sys
from pathlib import Path
import torch
sys.path.insert(0, sys.argv[2])
from test_general_training import DATA, RECIPE
from ami_ros.training.general_model import train
torch.set_num_threads(1)
lines = []
model = train.train(DATA, RECIPE, Path(sys.argv[1]) / 'm.checkpoint', False, lines.append)
weights = torch.cat([p.detach().flatten() for p in model.parameters()])
(Path(sys.argv[1]) / f"rank{os.environ['RANK']}.json").write_text(json.dumps(
    {'sum': float(weights.double().sum()), 'lines': lines}))
"""


@pytest.mark.slow
def test_two_processes_hold_the_same_weights(tmp_path):
    """Gradients are averaged, so that both hold the same model; the first one alone reports."""
    script = tmp_path / 'worker.py'
    script.write_text(WORKER)
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--nproc-per-node', '2',
         '--master-port', str(20000 + os.getpid() % 20000), str(script), str(tmp_path), here],
        capture_output=True, text=True, timeout=240,
        env={**os.environ, 'OMP_NUM_THREADS': '1'})
    assert done.returncode == 0, done.stderr[-2000:]
    one, two = (json.loads((tmp_path / f'rank{rank}.json').read_text()) for rank in (0, 1))
    assert one['sum'] == two['sum']
    assert any('step' in line for line in one['lines'])
    assert not any('step' in line for line in two['lines'])
