# SPDX-License-Identifier: Apache-2.0
"""A lidar that is turned otherwise than the URDF says is found while the robot drives."""

from dataclasses import replace
import math

from ami_ros.core.findings import OK, UNCHECKED, WRONG
from ami_ros.operator.checks.diagnose import diagnose
from ami_ros.operator.checks.observation import Beams, Moved
from healthy_observation import altered, healthy
import numpy as np
import pytest

WALLS = np.array([[-2.0 - 1.5j, 3.0 - 1.5j], [3.0 - 1.5j, 3.0 + 2.2j], [3.0 + 2.2j, -2.0 + 2.2j],
                  [-2.0 + 2.2j, -2.0 - 1.5j], [1.0 + 0.8j, 1.4 + 1.4j]])
COUNT = 180


def scan(place, yaw, turned, mirrored, noise, rng):
    """What a lidar sees that is turned by so many degrees from where the URDF has it."""
    angles = -math.pi + 2 * math.pi / COUNT * np.arange(COUNT)
    beams = np.exp(1j * ((-angles if mirrored else angles) + math.radians(turned) + yaw))[:, None]
    a, d = WALLS[:, 0] - place, WALLS[:, 1] - WALLS[:, 0]
    cross = (beams.conj() * d).imag
    with np.errstate(divide='ignore', invalid='ignore'):
        along, part = (a.conj() * d).imag / cross, (a.conj() * beams).imag / cross
    along[~((part >= 0) & (part <= 1) & (along > 0))] = np.inf
    ranges = along.min(axis=1) + noise * rng.normal(size=COUNT)
    return Beams(ranges.astype(np.float32), -math.pi, 2 * math.pi / COUNT, (0.08, 8.0))


def driven(turned=0.0, mirrored=False, speed=0.2, spin=0.0, noise=0.01, says=1.0):
    """A rover that drives for three seconds; `says`: odometry's way over the true one."""
    seen, rng = healthy(), np.random.default_rng(2)

    def where(ns):
        t = (ns - seen.channels['odom'].readings[0].stamp_ns) / 1e9
        yaw = spin * t
        along = speed * t if not spin else speed / spin * (np.exp(1j * yaw) - 1) / 1j
        return complex(along), yaw

    def moves(n, r):
        place, yaw = where(r.stamp_ns)
        return replace(r, said=Moved((says * place.real, says * place.imag, yaw),
                                     (says * speed, spin), 'base_link'))

    altered(seen, 'odom', moves)
    return altered(seen, 'scan', lambda n, r: replace(r, said=scan(
        *where(r.stamp_ns), turned, mirrored, noise, rng)))


def direction(seen, what='direction'):
    finding, = (f for f in diagnose(seen) if f.what == f'scan: {what}')
    return finding


@pytest.mark.parametrize('spin', [0.0, 0.3])
def test_a_lidar_as_the_urdf_has_it_is_ok(spin):
    assert direction(driven(spin=spin)).level == OK
    assert direction(driven(spin=spin, speed=-0.2)).level == OK


@pytest.mark.parametrize('spin', [0.0, 0.25])
@pytest.mark.parametrize('turned', [180, 90, -90, 45, -30])
def test_a_turned_lidar_is_named_with_its_angle(turned, spin):
    found = direction(driven(turned, spin=spin))
    assert found.level == WRONG and found.fix
    told = int(found.fix.split('add ')[1].split(' degrees')[0])
    assert abs((told - turned + 180) % 360 - 180) <= 10, found


@pytest.mark.parametrize('speed, spin', [(0.2, 0.2), (0.0, 0.3), (0.1, -0.25)])
def test_one_that_hangs_upside_down_is_found_by_a_turn(speed, spin):
    found = direction(driven(mirrored=True, speed=speed, spin=spin), 'left and right')
    assert found.level == WRONG and 'exchanged' in found.measured and 'roll pi' in found.fix
    assert direction(driven(speed=speed, spin=spin), 'left and right').level == OK


@pytest.mark.parametrize('what, seen', [
    ('direction', lambda: healthy()), ('direction', lambda: driven(speed=0.0)),
    ('direction', lambda: driven(speed=0.02)),
    ('direction', lambda: driven(180, speed=0.0, spin=0.5)),
    ('left and right', lambda: healthy()), ('left and right', lambda: driven(spin=0.05)),
    ('left and right', lambda: driven(mirrored=True))])
def test_a_robot_that_does_not_drive_has_nothing_to_compare(what, seen):
    found = direction(seen(), what)
    assert found.level == UNCHECKED and 'not compared' in found.measured
    assert 'ami-ros teleop' in found.fix
