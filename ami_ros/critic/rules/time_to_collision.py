# SPDX-License-Identifier: Apache-2.0
"""Slows a motion so far that braking still ends before the stop distance."""

from dataclasses import dataclass
import math
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.footprint_sweep import Box, first_contact, pace
from ami_ros.critic.obstacle_points import ObstacleExtractor, sight
from ami_ros.critic.rule_interface import Answer, scaled, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.critic.zone_hysteresis import more
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class TimeToCollisionParams(Settings):
    """Distances, braking and ages are shared: the rules of the way go by the same."""

    release_s: float = setting(
        None, 's', 0.0, 5.0,
        'Time for which a stop persists after its cause is gone', strict='higher')


@dataclass(frozen=True)
class TimeToCollision:
    """s * reaction + s^2 / (2 braking) <= way to the first contact - stop distance.

    s is the pace in m/s along the arc of the command. Keeps the curvature, gives up speed.
    """

    box: Box
    reaction_s: float           # until the next command, if it stops, begins to brake
    braking_mps2: float
    stop_distance_m: float
    side_distance_m: float
    release_distance_m: float
    sight: ObstacleExtractor
    name: str = 'time_to_collision'
    release_s: float = 0.0      # it stands on after the cause is gone
    release: ClassVar[str] = 'another direction, or what stands ahead goes away'

    def limit(self, command: Command, situation: Situation) -> Answer:
        v, w = twist(command)
        points = self.sight.obstacles(situation)
        speed = pace(v, w, self.box)
        needed = speed * self.reaction_s + speed**2 / (2 * self.braking_mps2)
        ahead = self.stop_distance_m - self.side_distance_m + more(
            self.name, (v, w), situation, self.release_distance_m)
        contact = first_contact(points, self.box, v, w, needed + ahead, self.side_distance_m)
        free = contact - ahead
        if free >= needed:
            return Answer(command)
        reason = (f'{max(free, 0.0):.3f} m are free on this arc, '
                  f'stopping from {speed:.3f} m/s takes {needed:.3f} m')
        if free <= 0:
            raise Stop(reason)
        brake, react = self.braking_mps2, self.reaction_s
        allowed = brake * (math.sqrt(react**2 + 2 * free / brake) - react)
        return Answer(scaled(command, min(1.0, allowed / speed)), reason)


def make(own: TimeToCollisionParams, shared: Shared, robot: Robot) -> TimeToCollision:
    """Make the rule of a policy."""
    return TimeToCollision(Box.around(robot.body.footprint), shared.reaction_s,
                           shared.braking_mps2, shared.stop_distance_m, shared.side_distance_m,
                           shared.release_distance_m, sight(shared, robot),
                           release_s=own.release_s)
