# SPDX-License-Identifier: Apache-2.0
"""From bags of worlds to a general module by the command line, and the module drives."""

from functools import partial
import json

import numpy as np
import pytest
import torch

pytest.importorskip('pybullet', reason='needs pybullet')
from ami_ros.cli.main import main  # noqa: E402
from ami_ros.core.errors import AmiError  # noqa: E402
from ami_ros.inference.pair_networks import GeneralNetworks  # noqa: E402
from ami_ros.modules import golden_inputs  # noqa: E402
from ami_ros.modules.module import open_module, shipped  # noqa: E402
from ami_ros.modules.module_kinds import GENERAL  # noqa: E402
from ami_ros.training import collect_worlds as worlds  # noqa: E402
from ami_ros.training.general_model import build, train  # noqa: E402
from ami_ros.training.general_model.networks import Sizes  # noqa: E402
from ami_ros.training.general_model.pair_sampling import Sampling  # noqa: E402

SMALL = partial(train.Recipe, held_out=2, sampling=Sampling(groups=2, frames=4, pairs=4),
                sizes=Sizes(width=16, channels=(4, 8, 8), descriptor=8, layers=1,
                            dynamics_layers=1, heads=2, hidden=16))


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp('set')
    worlds.collect(out, worlds.Asked('rooms', 20_000, 5, 20), jobs=2)
    return out


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(train, 'Recipe', SMALL)


@pytest.fixture
def module(folder, small, monkeypatch, tmp_path):
    monkeypatch.setattr(build, 'GATES', {})
    out = tmp_path / 'anywhere'
    assert main(['pretrain', '--worlds', str(folder), '--out', str(out), '--steps', '3']) == 0
    return out


def test_the_module_says_what_made_it_and_runs(module):
    opened = open_module(module)
    said = opened.manifest
    assert opened.kind == GENERAL
    assert said['recipe']['steps'] == 3
    assert said['gates']['position_p50_m_0.5'] > 0
    assert len(said['lineage']['worlds']) == 64
    networks = GeneralNetworks(opened)
    held = golden_inputs.read(opened)
    image = held['encode'][0]['image'].astype(np.uint8)
    tokens, descriptors = networks.encode(image)
    assert np.allclose(tokens, held['encode'][1][0], atol=1e-4)
    assert np.allclose(np.linalg.norm(descriptors, axis=1), 1, atol=1e-4)
    readings = networks.compare(tokens, tokens[:1])
    assert readings.pose.shape == (len(image), 3)
    assert np.all((readings.same > 0) & (readings.same < 1))
    with pytest.raises(ValueError, match='this module sees'):
        networks.encode(image[:, :32])


def test_it_tours_and_drives(module, tmp_path):
    report = tmp_path / 'report.json'
    assert main(['evaluate', '--tour', '0.1', '--generator', 'rooms', '--worlds', '60000:1',
                 '--goal-steps', '10', '--episodes-per-world', '1', '--planner', 'general',
                 '--module', str(module),
                 '--report', str(report)]) == 0
    said = json.loads(report.read_text())
    assert said['protocol']['planner'] == 'general'
    assert len(said['episodes']) == 1
    assert said['episodes'][0]['collisions'] == 0


def test_a_model_that_reads_badly_is_not_written(folder, small, tmp_path, capsys):
    out = tmp_path / 'anywhere'
    assert main(['pretrain', '--worlds', str(folder), '--out', str(out), '--steps', '2']) == 1
    assert 'no module was written: position_p50_m' in capsys.readouterr().err
    assert not out.exists()
    assert out.with_name('anywhere.checkpoint').exists()


def test_an_existing_folder_and_an_incomplete_set_are_refused(folder, small, tmp_path, capsys):
    words = ['pretrain', '--worlds', str(folder), '--out', str(tmp_path)]
    assert main(words) == 1
    assert 'exists' in capsys.readouterr().err
    assert main(['pretrain', '--worlds', str(tmp_path), '--out', str(tmp_path / 'm')]) == 1
    assert 'no complete set of worlds' in capsys.readouterr().err


def test_the_planner_refuses_a_module_of_one_room(tmp_path, capsys):
    assert main(['evaluate', '--tour', '0.1', '--generator', 'rooms', '--worlds', '60000:1',
                 '--planner', 'general', '--module', str(shipped()),
                 '--report', str(tmp_path / 'r.json')]) == 1
    assert 'needs one of kind general' in capsys.readouterr().err


def test_without_a_shipped_module_it_says_how_to_make_one(monkeypatch, tmp_path):
    monkeypatch.setattr('ami_ros.modules.module.SHIPPED', tmp_path)
    with pytest.raises(AmiError, match='ami-ros collect --worlds and ami-ros pretrain'):
        shipped(GENERAL)
