# SPDX-License-Identifier: Apache-2.0
"""A rover drives at a wall while its lidar is wrong: it stops before the wall, or is told why not.

Each fault begins either while the rover drives well, or before anybody asks for a motion.
"""

from dataclasses import replace
import math

from ami_ros.core.types import Scan
from ami_ros.critic.critic import Critic
from ami_ros.critic.safety_policy.policy_loader import read
from closed_loop import drive, ROBOT, square, World
import numpy as np
import pytest

AHEAD_M = 2.5       # from the middle to the wall
LATE_S = 1.0        # when a fault begins that is not there from the first


def hall(**more) -> World:
    """Return a rover in a room of 6 x 5 m with some furniture, 1.9 m before a wall."""
    furniture = [square(x, y, half) for x, y, half in (
        (-1.5, 1.2, 0.2), (0.5, -1.4, 0.1), (1.5, 1.6, 0.3), (-2.0, -1.5, 0.25))]
    walls = square(0, 0, 3)
    return World(np.concatenate([walls.real + 1j * walls.imag * AHEAD_M / 3, *furniture]),
                 place=0.9 + 0.0j, noise_m=0.01, **more)


class Faulty(World):
    """A world whose lidar is wrong from some time on."""

    fault, begins_s = staticmethod(lambda world, scan: scan), 0.0

    def scan(self) -> Scan:
        seen = super().scan()
        if self.now_ns < 10**9 + self.begins_s * 1e9:
            return seen
        return type(self).fault(self, seen)


def same_beams(scan: Scan, ranges: np.ndarray) -> Scan:
    return replace(scan, ranges=ranges)


def shrinks(world, scan):
    """Has fewer beams each time, down to a single one."""
    passed = (world.now_ns - 10**9) / 1e9 - world.begins_s
    left = max(1, int(180 * (1 - passed / 0.5)))
    return replace(scan, ranges=scan.ranges[:left], angles=scan.angles[:left])


def one_beam(world, scan):
    return replace(scan, ranges=scan.ranges[:1], angles=scan.angles[:1])


def turned_by_pi(world, scan):
    return same_beams(scan, np.roll(scan.ranges, 90))


def turned_by_a_quarter(world, scan):
    return same_beams(scan, np.roll(scan.ranges, 45))


def mirrored(world, scan):
    return same_beams(scan, scan.ranges[::-1])


def narrow(world, scan):
    """All of its beams look within 10 degrees, to the left."""
    return replace(scan, angles=np.linspace(1.5, 1.5 + math.radians(10), 180))


def empty(world, scan):
    return same_beams(scan, np.full(180, np.inf))


def blind_ahead(world, scan):
    ranges = scan.ranges.copy()
    ranges[90 - 24:90 + 25] = np.nan
    return same_beams(scan, ranges)


def repeated(world, scan):
    """The scan with which it began, with 3 mm of noise and new stamps."""
    if not hasattr(world, 'kept'):
        world.kept = scan.ranges
    return same_beams(scan, world.kept + world.rng.normal(0, 0.003, 180))


FAULTS = {   # what: the rule that has to name it
    shrinks: 'scan_geometry', one_beam: 'scan_geometry', narrow: 'scan_geometry',
    empty: 'empty_scan', blind_ahead: 'unseen_path', repeated: 'scan_odometry',
    turned_by_pi: 'scan_odometry', turned_by_a_quarter: 'scan_odometry',
}


def critic() -> Critic:
    return Critic(read(ROBOT.path.parents[1] / 'safety_policy' / 'rover.yaml'), ROBOT)


def faulty(fault, begins_s: float, **more) -> World:
    world = hall(**more)
    world.__class__ = type('Now', (Faulty,), {'fault': staticmethod(fault), 'begins_s': begins_s})
    return world


@pytest.mark.parametrize('speed', [0.1, 0.6])
@pytest.mark.parametrize('fault', FAULTS, ids=lambda fault: fault.__name__)
def test_a_lidar_that_is_wrong_from_the_first(fault, speed):
    made = critic()
    least, verdicts = drive(faulty(fault, 0.0), made, lambda world: (speed, 0.0),
                            2.2 / speed + 1.0, 20)
    assert least > 0.0
    assert verdicts[-1].action == 'stop' and verdicts[-1].rule == FAULTS[fault]
    assert verdicts[-1].rule in ('scan_geometry', 'empty_scan', 'unseen_path') or made.latch.closed


@pytest.mark.parametrize('fault', FAULTS, ids=lambda fault: fault.__name__)
def test_a_lidar_that_becomes_wrong_while_it_drives(fault):
    least, verdicts = drive(faulty(fault, LATE_S), critic(), lambda world: (0.6, 0.0), 4.5, 20)
    assert least > 0.0
    assert verdicts[-1].action == 'stop'
