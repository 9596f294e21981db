# SPDX-License-Identifier: Apache-2.0
"""Stops a motion that soon meets something; other motions go on, so a wedged robot can leave."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.footprint_sweep import Box, first_contact
from ami_ros.critic.obstacle_points import ObstacleExtractor, sight
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.critic.zone_hysteresis import more
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class StopZoneParams(Settings):
    """Distances and ages are shared: the rules of the way go by the same."""

    release_s: float = setting(
        None, 's', 0.0, 5.0,
        'Time for which the stop persists after its cause is gone', strict='higher')


@dataclass(frozen=True)
class StopZone:
    """No motion begins that meets something within the stop distance.

    The footprint, wider by side_distance_m, is swept along the arc of the command; straight
    towards a wall this leaves stop_distance_m. Once it stopped, release_distance_m more must be
    free. Backing off, turning away and driving past meet
    nothing and are no business of this rule.
    """

    box: Box
    stop_distance_m: float
    side_distance_m: float
    release_distance_m: float
    sight: ObstacleExtractor
    name: str = 'stop_zone'
    release_s: float = 0.0      # it stands on after the cause is gone
    release: ClassVar[str] = 'another direction, or what stands ahead goes away'

    def limit(self, command: Command, situation: Situation) -> Answer:
        v, w = twist(command)
        points = self.sight.obstacles(situation)
        ahead = self.stop_distance_m - self.side_distance_m + more(
            self.name, (v, w), situation, self.release_distance_m)
        contact = first_contact(points, self.box, v, w, ahead, self.side_distance_m)
        if contact < ahead:
            raise Stop(f'something is {contact + self.side_distance_m:.3f} m ahead of this '
                       f'motion, limit {ahead + self.side_distance_m:.3f} m')
        return Answer(command)


def make(own: StopZoneParams, shared: Shared, robot: Robot) -> StopZone:
    """Make the rule of a policy."""
    return StopZone(Box.around(robot.body.footprint), shared.stop_distance_m,
                    shared.side_distance_m, shared.release_distance_m, sight(shared, robot),
                    release_s=own.release_s)
