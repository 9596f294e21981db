# SPDX-License-Identifier: Apache-2.0
"""
The hard rules: one rule, one file, one line in this table, in the order in which they run.

A rule's file has three parts: `Numbers`, what a policy must say for it; the rule; and `make`,
which joins its numbers, the shared ones and the robot, and raises ValueError where they
contradict. A policy chooses rules by name; a rule that it does not name does not run.
"""

from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING

from ami_ros.agent.robots.robot import Robot
from ami_ros.agent.rules import (
    acceleration,
    approach,
    cadence,
    clock,
    contradiction,
    disagreement,
    empty_scan,
    fence,
    finite,
    fresh,
    frozen,
    jerk,
    knocked,
    leap,
    near_misses,
    odometry_consistency,
    oscillation,
    permitted,
    rate,
    scan_geometry,
    scan_odometry,
    slow_zone,
    speed,
    stop_zone,
    stops,
    stuck,
    surprise,
    tilt,
    time_to_collision,
    touched,
    unseen_path,
    view,
)
from ami_ros.agent.rules.rule import Rule

if TYPE_CHECKING:       # it is read by these rules
    from ami_ros.agent.policies.policy import Policy

# what judges the way comes last: it must see the twist that really goes out
RULES: dict[str, ModuleType] = {
    'finite': finite,
    'fresh': fresh,
    'scan_geometry': scan_geometry,
    'clock': clock,
    'frozen': frozen,
    'view': view,
    'rate': rate,
    'leap': leap,
    'odometry_consistency': odometry_consistency,
    'permitted': permitted,
    'touched': touched,
    'tilt': tilt,
    'empty_scan': empty_scan,
    'knocked': knocked,
    'scan_odometry': scan_odometry,
    'stops': stops,
    'cadence': cadence,
    'contradiction': contradiction,
    'oscillation': oscillation,
    'speed': speed,
    'acceleration': acceleration,
    'jerk': jerk,
    'surprise': surprise,
    'disagreement': disagreement,
    'near_misses': near_misses,
    'stuck': stuck,
    'fence': fence,
    'unseen_path': unseen_path,
    'slow_zone': slow_zone,
    'stop_zone': stop_zone,
    'time_to_collision': time_to_collision,
    'approach': approach,
}
# No policy may leave these out. stop_zone may be: time_to_collision stops at least as early.
CORE = {
    'finite': 'NaN would pass every comparison that the other rules make',
    'fresh': 'a dead sensor or planner would be obeyed for ever',
    'scan_geometry': 'a lidar that lost its beams, or looks elsewhere, would be believed',
    'permitted': 'plans would move a robot that nobody armed',
    'touched': 'a pressed bumper, an edge or an emergency stop would be ignored',
    'speed': 'the others allow for no more than its limits',
    'unseen_path': 'a lidar that is blind ahead would look like free space',
    'time_to_collision': 'nothing else brakes before an obstacle',
}
OF_THE_ROBOT = {'max_speed_mps': 'm/s', 'max_turn_radps': 'rad/s', 'braking_mps2': 'm/s^2'}


def build(policy: 'Policy', robot: Robot) -> tuple[Rule, ...]:
    """Make the rules of a policy for a robot; ValueError where the two contradict."""
    for key, unit in OF_THE_ROBOT.items():
        asked, most = getattr(policy.shared, key), getattr(robot, key)
        if not asked <= most:
            raise ValueError(f'{key} = {asked} is beyond what {robot.name} can do, {most} {unit}; '
                             'a policy may be stricter, never looser')
    made = {name: RULES[name].make(own, policy.shared, robot)
            for name, own in policy.rules.items()}
    if 'fence' in made:
        if 'leap' not in made:
            raise ValueError('fence needs leap: when odometry leapt, nobody knows where the areas '
                             'are; name both, or none')
        made['leap'] = replace(made['leap'], latches=True)
    return tuple(made.values())
