# SPDX-License-Identifier: Apache-2.0
"""The hard rules: one rule, one file, one line in this table, in the order they run."""

from ami_ros.agent.arc import Box
from ami_ros.agent.robots.robot import Robot
from ami_ros.agent.rules.acceleration import Acceleration
from ami_ros.agent.rules.finite import Finite
from ami_ros.agent.rules.fresh import Fresh
from ami_ros.agent.rules.needs import needs
from ami_ros.agent.rules.obstacles import Sight
from ami_ros.agent.rules.permitted import Permitted
from ami_ros.agent.rules.rule import Rule
from ami_ros.agent.rules.speed import Speed
from ami_ros.agent.rules.stop_zone import StopZone
from ami_ros.agent.rules.surprise import Surprise
from ami_ros.agent.rules.time_to_collision import TimeToCollision
from ami_ros.agent.rules.touched import Touched
from ami_ros.agent.settings import CriticSettings


def build(settings: CriticSettings, robot: Robot) -> tuple[Rule, ...]:
    """Make the rules of a policy for a robot; ValueError where the two contradict."""
    s = settings
    for key, most, unit in (('max_speed_mps', robot.max_speed_mps, 'm/s'),
                            ('max_turn_radps', robot.max_turn_radps, 'rad/s'),
                            ('braking_mps2', robot.braking_mps2, 'm/s^2')):
        if not getattr(s, key) <= most:
            raise ValueError(f'{key} = {getattr(s, key)} is beyond what {robot.name} can do, '
                             f'{most} {unit}; a policy may be stricter, never looser')
    if not s.side_distance_m <= s.stop_distance_m:
        raise ValueError(f'side_distance_m = {s.side_distance_m} is beyond stop_distance_m = '
                         f'{s.stop_distance_m}; beside the robot no more is kept free than ahead')
    limits = (s.max_speed_mps, s.max_turn_radps)
    box = Box.around(robot.body.footprint)
    zone = (s.stop_distance_m, s.side_distance_m,
            Sight(s.min_valid_beams, s.max_scan_age_s, s.max_odometry_age_s, s.max_future_s,
                  robot.actuation_lag_s))
    return (    # what judges the way comes last: it must see the twist that really goes out
        Finite(s.min_valid_beams),
        Fresh(s.max_plan_age_s, s.hand_deadman_s, s.max_future_s, s.max_plan_lead_s,
              needs(s, robot)),
        Permitted(s.max_permit_age_s, s.max_future_s),
        Touched(),
        Speed(*limits),
        Acceleration(s.max_acceleration_mps2, s.max_turn_acceleration_radps2),
        Surprise(s.max_surprise, s.surprised_speed, *limits),
        StopZone(box, *zone),
        TimeToCollision(box, s.reaction_s, s.braking_mps2, *zone),
    )
