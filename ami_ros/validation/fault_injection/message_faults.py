# SPDX-License-Identifier: Apache-2.0
"""
What may become of a message on its way: a table of faults per topic.

A fault is a factory: given a random generator it returns a function that takes a message and the
steady seconds, and returns the messages that go out in its place: none, it changed, or others.
None says that this one goes out as it came, and that nothing is wrong with it.
"""

from collections.abc import Callable
from copy import deepcopy
import functools
import math
from typing import Any

from geometry_msgs.msg import Twist
import numpy as np
from trajectory_msgs.msg import MultiDOFJointTrajectoryPoint

from ami_ros.core.errors import AmiError
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics

OFF_S = 1.0             # how stale a stale plan is, and how far ahead one from the future
JUMP_S = 5.0            # of /clock
JUMP_M = 1.0            # of odometry, in both axes
HUGE_MPS = 1e6
ENDLESS_KNOTS = 2000    # eight minutes, twice what is read
ENDLESS_KNOT_S = 0.25
FULL_MPS = 0.6          # of an endless plan; the critic limits it
SLOW_S = 1.0            # between the pictures of a camera that has become slow
Distort = Callable[[Any, float], list | None]
Fault = Callable[[np.random.Generator], Distort]


def each(change: Callable[[Any], None]) -> Fault:
    """Change every message in place."""
    def fault(_):
        def distort(msg, _):
            change(msg)
            return [msg]
        return distort
    return fault


def silent(_) -> Distort:
    """Let nothing through."""
    return lambda msg, now_s: []


def frozen(*fields: str) -> Fault:
    """Repeat these fields of the first message; stamps and the rest are the newest."""
    def fault(_):
        first: list = []

        def distort(msg, _):
            if not first:
                first.append(deepcopy(msg))
                return None
            for field in fields:
                setattr(msg, field, getattr(first[0], field))
            return [msg]
        return distort
    return fault


def shift(stamp, seconds: float) -> None:
    """Move a stamp."""
    moved = convert.time(max(0, convert.nanoseconds(stamp) + round(seconds * 1e9)))
    stamp.sec, stamp.nanosec = moved.sec, moved.nanosec


def spoiled(number: float) -> Fault:
    """Put a number in the place of one speed of a plan, any one."""
    def fault(rng):
        def distort(msg, _):
            knot = msg.points[rng.integers(max(1, len(msg.points) - 1))].velocities[0]
            if rng.random() < 0.5:
                knot.linear.x = number
            else:
                knot.angular.z = number
            return [msg]
        return distort
    return fault


def huge(msg) -> None:
    """Ask for more speed than anything has."""
    for point in msg.points[:-1]:
        point.velocities[0].linear.x = HUGE_MPS


def repeated(_) -> Distort:
    """Say the first plan again and again."""
    first: list = []

    def distort(msg, _):
        if first:
            return first
        first.append(msg)
        return None
    return distort


def reordered(_) -> Distort:
    """Let every second message overtake the one before."""
    held: list = []

    def distort(msg, _):
        if not held:
            held.append(msg)
            return []
        return [msg, held.pop()]
    return distort


@functools.cache
def endless_points(knot_s: float) -> tuple:
    """Make the points of an endless plan; that takes longer than a plan may be old."""
    out = []
    for index in range(ENDLESS_KNOTS + 1):
        point = MultiDOFJointTrajectoryPoint(velocities=[Twist()])
        point.velocities[0].linear.x = FULL_MPS if index < ENDLESS_KNOTS else 0.0
        after = point.time_from_start
        after.sec, after.nanosec = divmod(round(index * knot_s * 1e9), convert.NS)
        out.append(point)
    return tuple(out)


def endless(_) -> Distort:
    """Say one plan that goes on for eight minutes, and nothing more."""
    said: list = []
    points = endless_points(ENDLESS_KNOT_S)

    def distort(msg, _):
        if said:
            return []
        said.append(True)
        msg.points = list(points)
        return [msg]
    return distort


def black(msg) -> None:
    """Take all light away."""
    msg.data = convert.packed(np.zeros(len(msg.data), np.uint8), 'B')


def slow(_) -> Distort:
    """Let one message through each second."""
    last_s = [-math.inf]

    def distort(msg, now_s):
        if now_s - last_s[0] < SLOW_S:
            return []
        last_s[0] = now_s
        return None
    return distort


def cut(msg) -> None:
    """Cut the lower quarter of a picture off."""
    msg.height -= msg.height // 4
    msg.data = msg.data[:msg.height * msg.step]


def ranges(change: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Fault:
    """Change the ranges of a scan, (R,) float32; the same way each time."""
    def fault(rng):
        seed = int(rng.integers(2**31))

        def distort(msg, _):
            now = np.frombuffer(msg.ranges, np.float32).copy()
            msg.ranges = convert.packed(
                change(now, np.random.default_rng(seed)).astype(np.float32), 'f')
            return [msg]
        return distort
    return fault


def half_blind(now: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Say nothing in one half of the circle."""
    blind = np.roll(np.arange(len(now)) < len(now) / 2, rng.integers(len(now)))
    return np.where(blind, np.nan, now)


def odometry_jump(msg) -> None:
    """Be elsewhere, as fast as before."""
    msg.pose.pose.position.x += JUMP_M
    msg.pose.pose.position.y += JUMP_M


# by the word of the table of faults: the topic, and what may become of its messages
FAULTS: dict[str, tuple[topics.Topic, dict[str, Fault]]] = {
    'plan': (topics.PLAN, {
        'nan': spoiled(math.nan), 'infinite': spoiled(math.inf), 'huge': each(huge),
        'stale': each(lambda msg: shift(msg.header.stamp, -OFF_S)),
        'future': each(lambda msg: shift(msg.header.stamp, OFF_S)),
        'repeated': repeated, 'reordered': reordered, 'endless': endless, 'silent': silent}),
    'camera': (topics.CAMERA, {
        'silent': silent, 'frozen': frozen('data'), 'black': each(black), 'slow': slow,
        'wrong_size': each(cut)}),
    'scan': (topics.SCAN, {
        'silent': silent, 'frozen': frozen('ranges'),
        'nan': ranges(lambda now, _: np.full_like(now, np.nan)),
        'zero': ranges(lambda now, _: np.zeros_like(now)),
        'half_blind': ranges(half_blind),
        'rotated': ranges(lambda now, _: np.roll(now, len(now) // 4))}),
    'odometry': (topics.ODOMETRY, {
        'silent': silent, 'frozen': frozen('pose', 'twist'), 'jumped': each(odometry_jump)}),
    'clock': (topics.CLOCK, {
        'silent': silent, 'forward': each(lambda msg: shift(msg.clock, JUMP_S)),
        'back': each(lambda msg: shift(msg.clock, -JUMP_S))}),
}


def known(at: str, how: str) -> None:
    """See that this may become of a message; ValueError says what may."""
    if how not in FAULTS[at][1]:
        raise AmiError(f'how is {how!r}; at {at} it is one of: {", ".join(FAULTS[at][1])}')
