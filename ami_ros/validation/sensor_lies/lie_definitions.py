# SPDX-License-Identifier: Apache-2.0
"""The lies that sensors are made to tell, one row each, and the control that tells none.

A row changes readings between the simulated robot and the critic. Stamps, rates and names stay
as they are: a sensor that is late or silent is the business of the fault campaign.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
import math

import numpy as np

from ami_ros.core.types import Imu, Odometry, Scan

FRONT_RAD = math.radians(45)    # to each side of straight ahead
JUMP_M, JUMP_EVERY_S = 0.5, 1.0
UPSIDE_DOWN = np.array([1.0, -1.0, -1.0])
NOISE_M = 0.01


@dataclass(frozen=True)
class Lie:
    """One way to lie; a function is called with a reading and what the teller remembers."""

    name: str
    says: str                               # one sentence for a person
    odometry: Callable[[Odometry, dict], Odometry] | None = None
    scan: Callable[[Scan, dict], Scan] | None = None
    imu: Callable[[Imu, dict], Imu] | None = None
    grip: float = 1.0                       # share of the commanded way that the wheels transmit
    cannot_show: str = ''                   # why no sensor of this robot contradicts it


class Teller:
    """Tells one lie from an instant on, and the truth before it."""

    def __init__(self, lie: Lie, begin_ns: int, rng: np.random.Generator):
        self.lie, self.begin_ns = lie, begin_ns
        self.kept = {'rng': rng, 'begin_ns': begin_ns}

    def tell(self, what: str, reading):
        """Return the reading of 'odometry', 'scan' or 'imu' as the critic gets it."""
        change = getattr(self.lie, what)
        if change is None or reading.stamp_ns < self.begin_ns:
            return reading
        return change(reading, self.kept)


def twist(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Odometry, dict], Odometry]:
    """Change the twist alone."""
    return lambda told, kept: replace(told, twist=np.asarray(change(told.twist), float))


def frozen(told: Odometry, kept: dict) -> Odometry:
    """Repeat the first pose."""
    return replace(told, pose=kept.setdefault('pose', told.pose))


def stuck(told: Odometry, kept: dict) -> Odometry:
    """Repeat the first pose, at rest."""
    return replace(frozen(told, kept), twist=np.zeros(2))


def scaled(told: Odometry, kept: dict, share: float) -> Odometry:
    """Make every step of the pose longer or shorter, and leave the twist."""
    was, out = kept.setdefault('was', told.pose), kept.setdefault('out', told.pose)
    step = told.pose - was
    step[2] = math.remainder(step[2], 2 * math.pi)
    kept['was'], kept['out'] = told.pose, out + share * step
    return replace(told, pose=kept['out'])


def both(told: Odometry, kept: dict, share: float) -> Odometry:
    """Scale pose and twist alike."""
    return replace(scaled(told, kept, share), twist=share * told.twist)


def jumps(told: Odometry, kept: dict) -> Odometry:
    """Put the pose half a metre further each second."""
    count = 1 + (told.stamp_ns - kept['begin_ns']) // round(JUMP_EVERY_S * 1e9)
    return replace(told, pose=told.pose + (JUMP_M * count, 0.0, 0.0))


def turned(scan: Scan, kept: dict) -> Scan:
    """Turn the lidar by half a turn."""
    return replace(scan, ranges=np.roll(scan.ranges, scan.ranges.size // 2))


def old(scan: Scan, kept: dict) -> Scan:
    """Repeat the first ranges under new stamps, with fresh noise."""
    ranges = kept.setdefault('ranges', scan.ranges)
    return replace(scan, ranges=np.maximum(
        ranges + kept['rng'].normal(0, NOISE_M, ranges.size), 0.08))


def squeezed(scan: Scan, kept: dict) -> Scan:
    """Say an angle between two beams that is a hundredth of the true one."""
    first = scan.angles[0]
    return replace(scan, angles=first + (scan.angles - first) / 100)


def blind_front(scan: Scan, kept: dict) -> Scan:
    """Say nothing ahead, which is less of the beams than may be invalid."""
    ahead = np.abs(np.mod(scan.angles + math.pi, 2 * math.pi) - math.pi) < FRONT_RAD
    return replace(scan, ranges=np.where(ahead, math.nan, scan.ranges))


def empty(scan: Scan, kept: dict) -> Scan:
    """Say that nothing is in range anywhere."""
    return replace(scan, ranges=np.full(scan.ranges.size, math.inf))


def upside_down(imu: Imu, kept: dict) -> Imu:
    """Mount the IMU upside down, and say nothing of it in the robot file."""
    return replace(imu, spin=imu.spin * UPSIDE_DOWN, acceleration=imu.acceleration * UPSIDE_DOWN)


def constant(imu: Imu, kept: dict) -> Imu:
    """Repeat the first rates under new stamps, with 0.5 rad/s of turn."""
    spin = kept.setdefault('spin', imu.spin + (0.0, 0.0, 0.5))
    return replace(imu, spin=spin)


HONEST = Lie('honest', 'no sensor lies; every stop here but that of a zone is a false one')
LIES: dict[str, Lie] = {lie.name: lie for lie in (
    Lie('twist_sign', 'the twist has the wrong sign, the pose is true', twist(np.negative)),
    Lie('twist_constant', 'the twist is always -0.6 m/s, the pose is true',
        twist(lambda _: np.array([-0.6, 0.0]))),
    Lie('twist_scaled', 'the twist is a fifth of the true one, the pose is true',
        twist(lambda true: 0.2 * true)),
    Lie('twist_backwards', 'the twist is always -5 m/s, the pose is true',
        twist(lambda _: np.array([-5.0, 0.0]))),
    Lie('twist_huge', 'the twist is -1e300 m/s, the pose is true',
        twist(lambda _: np.array([-1e300, 0.0]))),
    Lie('twist_nan', 'the twist is not a number, the pose is true',
        twist(lambda _: np.array([math.nan, math.nan]))),
    Lie('pose_frozen', 'the pose stands still, the twist is true', frozen),
    Lie('pose_scaled', 'the pose moves half as far as the robot, the twist is true',
        lambda told, kept: scaled(told, kept, 0.5)),
    Lie('pose_jumps', 'the pose jumps by 0.5 m each second, the twist is true', jumps),
    Lie('odometry_stuck', 'pose and twist say that the robot stands', stuck),
    Lie('odometry_reversed', 'pose and twist have the wrong sign',
        lambda told, kept: both(told, kept, -1.0)),
    Lie('odometry_halved', 'pose and twist are half of the true ones',
        lambda told, kept: both(told, kept, 0.5),
        cannot_show='wheels on a carpet move half as far as commanded, too; the stopping distance '
        'counts the commands'),
    Lie('wheel_slip', 'the wheels transmit half of what they turn', grip=0.5,
        cannot_show='odometry is made of the wheels; the robot moves less than it believes'),
    Lie('scan_turned', 'the lidar was turned by half a turn', scan=turned),
    Lie('scan_old', 'an old scan is repeated under new stamps, with noise', scan=old),
    Lie('scan_squeezed', 'the angle between two beams is a hundredth of the true one',
        scan=squeezed),
    Lie('scan_blind_front', 'the beams within 45 degrees of straight ahead are not numbers',
        scan=blind_front),
    Lie('scan_empty', 'no beam returns anything', scan=empty),
    Lie('imu_upside_down', 'the IMU hangs upside down, the robot file does not say so',
        imu=upside_down),
    Lie('imu_constant', 'the IMU repeats one reading, of a turn of 0.5 rad/s', imu=constant),
)}
