# SPDX-License-Identifier: Apache-2.0
"""
Judges each reading of a recording: a bad one costs one reading, and is counted and named.

Training and the check before it both come here, so that what the check promises training does.
"""

from collections import Counter
import math

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.odometry_validity import not_finite, orientation_fault
from ami_ros.robots.imu_mount import in_base
from ami_ros.robots.robot import Robot
from ami_ros.training.topic_choice import BagError, NONE, WANTED

MOST_BAD = 0.1              # of the readings of a topic; more, and something is broken
FARTHEST_M = 1e5            # from the origin of odometry: float32 resolves 8 mm there
FASTEST = 100.0             # m/s and rad/s: no robot, and no gyro of one


class Tally:
    """How many readings of each need came, and what was wrong with some."""

    def __init__(self, topics: dict[str, str]):
        self.topics = topics
        self.came: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()
        self.first: dict[str, tuple[int, str]] = {}     # time of reception, reason
        self.begin_ns: int | None = None

    def see(self, need: str, received_ns: int) -> None:
        """Count a reading."""
        self.came[need] += 1
        self.begin_ns = received_ns if self.begin_ns is None else min(self.begin_ns, received_ns)

    def leave_out(self, need: str, received_ns: int, reason: str) -> None:
        """Count a reading as bad."""
        self.bad[need] += 1
        self.first.setdefault(need, (received_ns, reason))

    def lines(self, promised: dict[str, int], damage: list[str]) -> list[str]:
        """Say what was left out and what is lacking; BagError where it is too much.

        `promised` has how many readings of each need there should be, `damage` what could not be
        read.
        """
        out = []
        for need, topic in self.topics.items():
            should = max(promised.get(need, 0), self.came[need])
            lost, bad = should - self.came[need], self.bad[need]
            if not lost + bad:
                continue
            line = f'topic {topic} ({need}): '
            if lost:
                line += (f'{lost} of {should} promised readings are not in the files or cannot '
                         f'be read' + (f' ({damage[0]})' if damage else '') + '; ' * bool(bad))
            if bad:
                at_ns, reason = self.first[need]
                begin_ns = at_ns if self.begin_ns is None else self.begin_ns
                line += (f'{bad} of {should} readings cannot be used; the first, '
                         f'{(at_ns - begin_ns) / 1e9:.1f} s after the beginning: {reason}')
            if lost + bad > MOST_BAD * should:
                raise BagError(f'{line}; at most {MOST_BAD:.0%} may be left out'
                               + way_out(need, lost, damage))
            out.append(f'{line}; left out')
        return out


def way_out(need: str, lost: int, damage: list[str]) -> str:
    """Say what can be done about too many bad readings."""
    out = ''
    if lost and any('cut short' in line for line in damage):
        out = ('. Copy the file again from where it was recorded; if that one is cut as well, '
               '`ami-ros record --repair BAG` makes a bag of what is left')
    elif lost:
        out = '. Copy the bag again from where it was recorded'
    elif not WANTED[need][1]:
        out = f'. Say another topic, or go without: --topic {need}={NONE}'
    return out


def stamp(message, received: int) -> int:
    """Return the header's stamp where there is one that is set, else the time of reception."""
    head = getattr(message, 'header', None)
    value = head.stamp.sec * 10**9 + head.stamp.nanosec if head is not None else 0
    if value < 0:
        raise AmiError(f'its stamp is {value / 1e9:.3f} s, before 1970')
    if head is not None and head.stamp.nanosec >= 10**9:
        raise AmiError(f'its stamp has {head.stamp.nanosec} ns, a second or more')
    return value or received


def row_of(need: str, received: int, message, robot: Robot | None = None) -> tuple:
    """Return what a message says besides pictures: its stamp, and the numbers of its need.

    A turning rate is about the z axis of base_link, by the mount in the robot file, as in the mind
    of that robot; without a robot nobody knows the mount, and it is that of the sensor's own axis.
    ValueError where it says nothing that can be used.
    """
    when = stamp(message, received)
    if need == 'odom':
        p, t = message.pose.pose.position, message.twist.twist
        yaw = yaw_of(message.pose.pose.orientation)
        within('position', FARTHEST_M, 'm', p.x, p.y)
        within('speed', FASTEST, 'm/s or rad/s', t.linear.x, t.angular.z)
        return when, p.x, p.y, yaw, t.linear.x, t.angular.z
    if need == 'command':
        t = getattr(message, 'twist', message)
        within('command', FASTEST, 'm/s or rad/s', t.linear.x, t.angular.z)
        return when, t.linear.x, t.angular.z
    if need == 'imu':
        if message.angular_velocity_covariance[0] == -1.0:
            raise AmiError('it says that it measures no angular velocity (covariance -1): an '
                           'accelerometer alone')
        spin = message.angular_velocity
        within('turning rate', FASTEST, 'rad/s', spin.x, spin.y, spin.z)
        if robot is None:
            return when, spin.z
        turned, = in_base(robot, message.header.frame_id, (spin.x, spin.y, spin.z))
        return when, float(turned[2])
    return (when, clearance(message)) if need == 'scan' else (when,)


def within(what: str, most: float, unit: str, *values: float) -> None:
    """Refuse numbers that are none, and those that nothing measures."""
    for value in values:
        if not abs(value) <= most:      # NaN fails, too
            raise AmiError(f'{what} is {value:g}; it must be a number of at most {most:g} '
                           f'{unit}')


def yaw_of(q) -> float:
    """Return the yaw, rad, of a quaternion; ValueError where it is no rotation."""
    fault = not_finite((q.x, q.y, q.z, q.w)) or orientation_fault(q.x, q.y, q.z, q.w)
    if fault:
        raise AmiError(f'of its orientation: {fault}')
    return float(np.arctan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y * q.y + q.z * q.z)))


def clearance(message) -> float:
    """Nearest valid return of a LaserScan, in m; its upper range where nothing returned."""
    ranges = np.asarray(message.ranges, float)
    if not ranges.size or not message.range_min < message.range_max:
        raise AmiError(f'it has {ranges.size} beams, range_min {message.range_min:g} and '
                       f'range_max {message.range_max:g}')
    valid = ranges[(ranges >= message.range_min) & (ranges <= message.range_max)]
    nearest = float(valid.min()) if valid.size else float(message.range_max)
    if not math.isfinite(nearest) or nearest < 0.0:
        raise AmiError(f'range_min is {message.range_min:g} and range_max '
                       f'{message.range_max:g}, and its nearest return would be {nearest:g} m')
    return nearest
