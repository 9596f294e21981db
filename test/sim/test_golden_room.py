# SPDX-License-Identifier: Apache-2.0
"""The protocol's room stays bit-identical: published rows would mean something else otherwise."""

import hashlib
import json
import os
from pathlib import Path

from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
import numpy as np
import pytest

pytest.importorskip('pybullet', reason='needs pybullet')
from ami_ros.sim import scenes  # noqa: E402
from ami_ros.sim.simulator import Simulator  # noqa: E402

GOLDEN = Path(__file__).with_name('golden_room.json')
START = np.array([-2.65, -2.65, 0.8])      # clear in every room


def drive(place) -> dict[str, str]:
    """Hash every byte of every sensor over a short drive."""
    sums = {name: hashlib.sha256() for name in ('camera', 'scan', 'pose', 'odometry', 'imu')}
    with Simulator(place, find('rover'), 3, (64, 64)) as sim:
        sim.reset(START, 3)
        for tick in range(12):
            sim.command(0.5, 0.4 * (-1) ** (tick // 4))
            sim.step(0.1)
            for name, value in (('camera', sim.camera()), ('scan', sim.scan()),
                                ('pose', sim.truth().pose), ('odometry', sim.odometry()[0]),
                                ('imu', sim.imu()[1])):
                sums[name].update(value.tobytes())
    return {name: one.hexdigest()[:16] for name, one in sums.items()}


@pytest.mark.parametrize('seed', [7, 60_001])
def test_pictures_beams_and_poses_of_a_seed_are_what_they_were(seed):
    found = drive(worlds.draw(seed))
    if os.environ.get('UPDATE_GOLDEN'):
        golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
        GOLDEN.write_text(json.dumps({**golden, str(seed): found}, indent=1) + '\n')
    assert found == json.loads(GOLDEN.read_text())[str(seed)], (
        f'Meant to? UPDATE_GOLDEN=1 pytest {__file__} and say why in the commit: published rows '
        'were made in this room.')


def test_the_generator_room_is_the_same_room():
    assert drive(scenes.draw('room', 7)) == drive(worlds.draw(7))
