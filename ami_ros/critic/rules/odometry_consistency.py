# SPDX-License-Identifier: Apache-2.0
"""Stops when odometry contradicts itself, the commands, a gyro or the limits of the robot."""

from bisect import bisect_left
from dataclasses import dataclass
import math
from operator import attrgetter
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Reckoned, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot

ARRIVED = attrgetter('steady_ns')


@dataclass(frozen=True)
class OdometryConsistencyParams(Settings):
    """Tolerances; each is a fixed part plus a share of the way within the window."""

    window_s: float = setting(
        None, 's', 0.2, 1.5, 'Time window over which travelled distances are compared')
    max_way_error_m: float = setting(
        None, 'm', 0.01, 1.0,
        'Maximum difference between the distances given by twist and pose', strict='lower')
    max_turn_error_deg: float = setting(
        None, 'deg', 1.0, 90.0,
        'Maximum difference between the turns given by twist, pose and gyro', strict='lower')
    max_scale_error: float = setting(
        None, '1', 0.01, 0.9,
        'Additional tolerance as a share of the distance or turn', strict='lower')
    max_command_error_m: float = setting(
        None, 'm', 0.02, 2.0,
        'Maximum distance that the pose may move beyond the commanded distance, or against the '
        'commanded direction', strict='lower')
    max_command_error_deg: float = setting(
        None, 'deg', 2.0, 180.0,
        'Maximum angle that the pose may turn beyond the commanded turn, or against its '
        'direction', strict='lower')
    max_command_scale_error: float = setting(
        None, '1', 0.02, 2.0,
        'Additional tolerance as a share of the commanded distance or turn', strict='lower')
    max_overspeed: float = setting(
        None, '1', 1.0, 5.0,
        'Maximum ratio of the odometry twist to the limits of the robot file', strict='lower')
    release_s: float = setting(
        None, 's', 0.0, 5.0,
        'Time for which the stop persists after its cause is gone', strict='higher')


@dataclass(frozen=True)
class OdometryConsistency:
    """Within window_s, twist, pose and gyros tell the same motion, and commands explain it.

    |twist - pose| <= max_way_error_m + max_scale_error * way of the pose; the same for the turn,
    for each gyro, and for the way sideways. The pose may lag behind the commands, since wheels are
    blocked or slip (rule `stuck`), but it must not go beyond them or against them. While no motion
    is wanted the rule does not ask: a robot at rest may be carried.
    """

    window_s: float
    max_way_error_m: float
    max_turn_error_deg: float
    max_scale_error: float
    max_command_error_m: float
    max_command_error_deg: float
    max_command_scale_error: float
    max_overspeed: float
    limits: tuple[float, float]     # of the robot: m/s, rad/s
    name: str = 'odometry_consistency'
    release_s: float = 0.0
    release: ClassVar[str] = 'odometry agrees with itself, the commands and the gyros again'

    def limit(self, command: Command, situation: Situation) -> Answer:
        if not any(twist(command)):
            return Answer(command)
        told = situation.odometry
        if told is not None:
            for said, most, unit in zip(told.twist.tolist(), self.limits, ('m/s', 'rad/s'),
                                        strict=True):
                if not abs(said) <= self.max_overspeed * most:
                    raise Stop(f'the {told.name} says {said:.4g} {unit}, limit '
                               f'{self.max_overspeed * most:.3f} {unit}')
        reckoned = situation.memory.reckoned
        if reckoned:
            since = reckoned[-1].steady_ns - self.window_s * 1e9
            first = reckoned[bisect_left(reckoned, since, key=ARRIVED)]
            self.compare(first, reckoned[-1])
        return Answer(command)

    def compare(self, first: Reckoned, last: Reckoned) -> None:
        """Stop where two of the ways between two readings contradict one another."""
        within = f'within {(last.steady_ns - first.steady_ns) / 1e9:.3f} s'
        pose, turn = last.pose_m - first.pose_m, last.pose_rad - first.pose_rad
        said, side = last.twist_m - first.twist_m, last.side_m - first.side_m
        most = self.max_way_error_m + self.max_scale_error * (last.path_m - first.path_m)
        if not abs(said - pose) <= most:
            raise Stop(f'{within} the twist of the odometry adds up to {said:.3f} m, its pose '
                       f'moved {pose:.3f} m; limit {most:.3f} m apart')
        if not abs(side) <= most:
            raise Stop(f'{within} the pose of the odometry moved {side:.3f} m sideways, limit '
                       f'{most:.3f} m')
        said = last.twist_rad - first.twist_rad
        most = math.radians(self.max_turn_error_deg) + self.max_scale_error * (
            last.path_rad - first.path_rad)
        if not abs(said - turn) <= most:
            raise Stop(f'{within} the twist of the odometry adds up to {said:.3f} rad, its '
                       f'pose turned {turn:.3f} rad; limit {most:.3f} rad apart')
        before = dict(first.gyros)
        for name, total in last.gyros:
            felt = total - before.get(name, math.nan)       # it was not heard: nothing to compare
            if abs(felt - turn) > most:
                raise Stop(f'{within} the {name} turned {felt:.3f} rad, the pose of the odometry '
                           f'{turn:.3f} rad; limit {most:.3f} rad apart')
        share = self.max_command_scale_error
        self.explained(within, 'm', pose, last.command_m - first.command_m,
                       self.max_command_error_m + share * (
                           last.command_path_m - first.command_path_m))
        self.explained(within, 'rad', turn, last.command_rad - first.command_rad,
                       math.radians(self.max_command_error_deg) + share * (
                           last.command_path_rad - first.command_path_rad))

    def explained(self, within: str, unit: str, moved: float, meant: float, most: float) -> None:
        """Stop where the pose moved beyond what was commanded, or against it, by more."""
        if not min(meant, 0.0) - most <= moved <= max(meant, 0.0) + most:
            raise Stop(f'{within} the pose of the odometry moved {moved:.3f} {unit}, {meant:.3f} '
                       f'{unit} were commanded; limit {most:.3f} {unit} beyond or against it')


def make(own: OdometryConsistencyParams, shared: Shared, robot: Robot) -> OdometryConsistency:
    """Make the rule of a policy."""
    return OdometryConsistency(
        own.window_s, own.max_way_error_m, own.max_turn_error_deg, own.max_scale_error,
        own.max_command_error_m, own.max_command_error_deg, own.max_command_scale_error,
        own.max_overspeed, robot.limits, release_s=own.release_s)
