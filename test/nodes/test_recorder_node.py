# SPDX-License-Identifier: Apache-2.0
"""What the recorder node took down of a drive is done again, bit for bit."""

import json
import os

from ami_ros.perception.camera_preprocessor import CameraPreprocessor
from ami_ros.recording.replay.replay_drive import replay, the_same
from ami_ros.recording.replay.replay_overrides import Changes
from ami_ros.robots.find_robot import find
from ami_ros.validation.evaluation_protocol import GoalDrive
from ami_ros.validation.stack import sim_session
from mcap.reader import make_reader
import numpy as np
import pytest
from rosbags.highlevel import AnyReader

START, GOAL = np.array([0.5, 0.5, 0.3]), np.array([1.2, 0.6, 0.0])
PICTURE = np.full((64, 64, 3), 90, np.uint8)


@pytest.fixture(autouse=True)
def own_environment():
    """Forget afterwards what a session sets for itself."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize('separate', [False, True])
def test_a_real_drive_is_the_same_again(tmp_path, separate):
    bag, params = tmp_path / 'bag', tmp_path / 'params.yaml'
    params.write_text('/**/recorder: {ros__parameters: {file_mb: 1.0}}\n')
    asked = sim_session.Session(logs=tmp_path / 'logs', real_time=True, separate=separate,
                                engine='loopback', world_seed=7, record=bag, params=params)
    errand = sim_session.EpisodeSpec(3, GoalDrive(START, GOAL, 6), PICTURE)
    sim_session.run(asked, [errand], lambda errand, drive: None)
    said = replay(bag, Changes(), CameraPreprocessor)
    assert the_same(said), json.dumps(said, indent=1)
    assert said['mind']['frames'] > 15 and said['verdicts']['compared'] > 100
    assert said['mind']['frames_not_replayed'] == said['verdicts']['not_replayed'] == 0
    assert said['chains']['share'] == 1.0 and said['chains']['commands'] > 100, \
        json.dumps(said['chains'])

    parts = sorted(bag.glob('*.mcap'))
    for part in parts:          # each file says for itself what the robot worked with
        with open(part, 'rb') as file:
            held = {one.name: one.data.decode() for one in make_reader(file).iter_attachments()}
        assert held['robot/rover.yaml'] == find('rover').path.read_text()
        assert held['safety_policy/rover.yaml'] and held['urdf/rover.urdf'].startswith('<?xml')
        assert 'max_plan_age_s' not in held['parameters/critic.json']
        assert '"latent_space"' in held['modules/rover-room-7/manifest.json']
    with AnyReader([bag]) as reader:
        counts = {c.topic: c.msgcount for c in reader.connections}
    assert counts['/trace'] > 100 and counts['/actor/plan'] > 15 and counts['/sim/truth/state']
    assert counts['/camera/image_raw'] >= said['mind']['frames']
