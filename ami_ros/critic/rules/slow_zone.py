# SPDX-License-Identifier: Apache-2.0
"""Goes slowly towards what is near; away from it, and past it, as fast as ever."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.footprint_sweep import Box, first_contact
from ami_ros.critic.obstacle_points import ObstacleExtractor, sight
from ami_ros.critic.rule_interface import Answer, twist
from ami_ros.critic.rules.speed import slowed
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.critic.zone_hysteresis import more
from ami_ros.robots.robot import Robot

# coarser than where braking must end: this zone is about being slow in time
STEP_M = 0.02


@dataclass(frozen=True)
class SlowZoneParams(Settings):
    """How near, and how slow."""

    slow_distance_m: float = setting(
        None, 'm', 0.0, 5.0,
        'Limit speed if an obstacle ahead is nearer than this', strict='higher')
    slow_speed: float = setting(
        None, '1', 0.05, 1.0,
        'Share of the speed limits that remains inside the slow zone', strict='lower')


@dataclass(frozen=True)
class SlowZone:
    """A motion that meets something within slow_distance_m keeps a share of the speed limits.

    Along the arc of the motion, with the footprint wider by side_distance_m. Keeps the curvature.
    """

    box: Box
    slow_distance_m: float
    side_distance_m: float
    share: float                # of the limits, above 0
    max_speed_mps: float
    max_turn_radps: float
    release_distance_m: float
    sight: ObstacleExtractor
    name: str = 'slow_zone'
    release: ClassVar[str] = 'nothing is near ahead'

    def limit(self, command: Command, situation: Situation) -> Answer:
        v, w = twist(command)
        points = self.sight.obstacles(situation)
        near = self.slow_distance_m + more(self.name, (v, w), situation, self.release_distance_m)
        contact = first_contact(points, self.box, v, w, near, self.side_distance_m, STEP_M)
        if contact >= near:
            return Answer(command)
        return slowed(command, self.share, self.max_speed_mps, self.max_turn_radps,
                      f'something is {contact:.3f} m ahead of this motion, slower within '
                      f'{near:.3f} m')


def make(own: SlowZoneParams, shared: Shared, robot: Robot) -> SlowZone:
    """Make the rule of a policy."""
    return SlowZone(Box.around(robot.body.footprint), own.slow_distance_m,
                    shared.side_distance_m, own.slow_speed, shared.max_speed_mps,
                    shared.max_turn_radps, shared.release_distance_m, sight(shared, robot))
