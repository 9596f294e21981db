# SPDX-License-Identifier: Apache-2.0
"""Stops pushing on where the robot does not move; other motions go on, so that it can leave."""

from bisect import bisect_left
from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot

AT = attrgetter('steady_ns')


@dataclass(frozen=True)
class StuckParams(Settings):
    """How much pushing without moving is too much."""

    stuck_s: float = setting(
        None, 's', 0.5, 8.0,
        'Time window for comparing commanded and actual motion; must exceed the actuation lag')
    stuck_m: float = setting(
        None, 'm', 0.02, 2.0,
        'Commanded distance within the time window from which the check applies', strict='lower')
    stuck_rad: float = setting(
        None, 'rad', 0.05, 6.0,
        'Commanded turn within the time window from which the check applies', strict='lower')
    stuck_share: float = setting(
        None, '1', 0.0, 0.9,
        'Minimum share of the commanded motion that the robot must complete', strict='higher')


@dataclass(frozen=True)
class Stuck:
    """Not: commanded stuck_m one way within stuck_s, and less than stuck_share of it moved.

    Likewise for turning. Only the direction that was pushed is forbidden, and after stuck_s it may
    try again. Wheels that slip look as if they moved: odometry is all that it knows.
    """

    stuck_s: float
    stuck_m: float
    stuck_rad: float
    stuck_share: float
    name: str = 'stuck'
    release: ClassVar[str] = 'another direction, or a while'

    def limit(self, command: Command, situation: Situation) -> Answer:
        wanted = twist(command)
        since = situation.now_steady_ns - self.stuck_s * 1e9
        tracks = situation.memory.tracks
        begin = bisect_left(tracks, since, key=AT)
        if len(tracks) - begin < 2:
            return Answer(command)
        first, newest = tracks[begin], tracks[-1]
        for want, told, moved, least, unit in (
                (wanted[0], newest.told_m - first.told_m, newest.moved_m - first.moved_m,
                 self.stuck_m, 'm'),
                (wanted[1], newest.told_rad - first.told_rad, newest.moved_rad - first.moved_rad,
                 self.stuck_rad, 'rad')):
            little = not moved >= self.stuck_share * abs(told)
            if want * told > 0 and abs(told) >= least and little:
                raise Stop(f'of {told:.3f} {unit} that were commanded within {self.stuck_s:.1f} s '
                           f'it moved {moved:.3f} {unit}, {self.stuck_share:.0%} are needed')
        return Answer(command)


def make(own: StuckParams, shared: Shared, robot: Robot) -> Stuck:
    """Make the rule of a policy."""
    return Stuck(own.stuck_s, own.stuck_m, own.stuck_rad, own.stuck_share)
