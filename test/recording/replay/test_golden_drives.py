# SPDX-License-Identifier: Apache-2.0
"""
Golden drives: the mind and the critic do today what they did when the drives were recorded.

On the machine that recorded them all is the same bit for bit. Elsewhere a matrix product may be
summed in another order: latents then differ in the last digits, and a search that compares two
futures of all but the same energy may take the other one.
"""

import json
from pathlib import Path

from ami_ros.perception.camera_preprocessor import CameraPreprocessor
from ami_ros.recording.replay import replay_drive, trace_reader
from ami_ros.recording.replay.replay_drive import replay
from ami_ros.recording.replay.replay_overrides import Changes
import pytest

FOLDER = Path(__file__).with_name('golden')
TOLERANCE = 1e-5        # of latents, whose spread is about 1; float32 keeps seven digits
UPDATE = ("; meant to? python3 tools/record_golden_drives.py --reason 'WHY' records it anew, and "
          'the reason stands beside it')
NODES = {'perception': 'latents', 'world_model': 'beliefs', 'actor': 'plans'}


@pytest.mark.parametrize('name', ['mind', 'separate'])
def test_the_whole_mind_drives_as_it_did(golden, name):
    said = replay(golden[name], Changes(), CameraPreprocessor)
    first = f'{said["first_difference"]}{UPDATE}'
    assert said['verdicts']['different'] == 0 and said['verdicts']['compared'] > 15, first
    assert said['verdicts']['not_replayed'] == said['mind']['frames_not_replayed'] == 0
    assert said['latents']['max_abs_difference'] <= TOLERANCE, first
    assert said['latents']['compared'] > 20, first
    assert said['plans']['max_abs_difference'] <= TOLERANCE, first
    assert said['chains']['commands'] > 10 and said['chains']['share'] == 1.0
    assert said['mind']['pictures_other'] == 0, 'the pictures go another way to the network'


@pytest.mark.parametrize('node', NODES)
def test_each_node_keeps_its_contract(golden, node):
    """Alone, with what it was given then: what another one does otherwise is not its fault."""
    bag = golden['separate']
    said = {name: one for name, one in trace_reader.abouts(bag).items() if one['kind'] == node}
    report, first, _ = replay_drive.minds(bag, said, Changes(), CameraPreprocessor, False)
    gap = report[NODES[node]]
    assert gap['compared'] > 20 and report['frames_not_replayed'] == 0
    assert gap['max_abs_difference'] <= TOLERANCE, f'{node}: {first.said}{UPDATE}'


def test_the_critic_keeps_its_contract(golden):
    for bag in golden.values():
        report, first = replay_drive.critics(bag, trace_reader.abouts(bag), Changes())
        assert report['compared'] > 15 and report['answers_different'] == 0
        assert report['different'] == report['reasons_different'] == 0, f'{first.said}{UPDATE}'


def test_each_golden_drive_has_a_reason():
    reasons = json.loads((FOLDER / 'reasons.json').read_text())
    assert set(reasons) == {path.stem for path in FOLDER.glob('*.mcap')}
    assert all(len(reason.split()) >= 3 for reason in reasons.values())
    assert sum(path.stat().st_size for path in FOLDER.glob('*')) < 1_000_000
