# SPDX-License-Identifier: Apache-2.0
"""
The hard rules: one rule, one file, one line in this table, in the order in which they run.

A rule's file has three parts: `<Rule>Params`, the parameters that a safety policy must give; the
rule; and `make`,
which joins its numbers, the shared ones and the robot, and raises ValueError where they
contradict. A policy chooses rules by name; a rule that it does not name does not run.
"""

from types import ModuleType

from ami_ros.core.settings import Settings
from ami_ros.critic.rules import (
    acceleration,
    bumper_cliff_estop,
    camera_image,
    camera_rate,
    clock,
    empty_scan,
    fence,
    frozen,
    input_timeout,
    input_validity,
    jerk,
    lidar_displaced,
    motion_enable,
    moving_obstacle,
    near_misses,
    odometry_consistency,
    odometry_jump,
    oscillation,
    out_of_distribution,
    plan_consistency,
    plan_rate,
    scan_geometry,
    scan_odometry,
    slow_zone,
    speed,
    stop_rate_lockout,
    stop_zone,
    stuck,
    surprise,
    tilt,
    time_to_collision,
    unseen_path,
)

# what judges the way comes last: it must see the twist that really goes out
RULES: dict[str, ModuleType] = {
    'input_validity': input_validity,
    'input_timeout': input_timeout,
    'scan_geometry': scan_geometry,
    'clock': clock,
    'frozen': frozen,
    'camera_image': camera_image,
    'camera_rate': camera_rate,
    'odometry_jump': odometry_jump,
    'odometry_consistency': odometry_consistency,
    'motion_enable': motion_enable,
    'bumper_cliff_estop': bumper_cliff_estop,
    'tilt': tilt,
    'empty_scan': empty_scan,
    'lidar_displaced': lidar_displaced,
    'scan_odometry': scan_odometry,
    'stop_rate_lockout': stop_rate_lockout,
    'plan_rate': plan_rate,
    'plan_consistency': plan_consistency,
    'oscillation': oscillation,
    'speed': speed,
    'acceleration': acceleration,
    'jerk': jerk,
    'surprise': surprise,
    'out_of_distribution': out_of_distribution,
    'near_misses': near_misses,
    'stuck': stuck,
    'fence': fence,
    'unseen_path': unseen_path,
    'slow_zone': slow_zone,
    'stop_zone': stop_zone,
    'time_to_collision': time_to_collision,
    'moving_obstacle': moving_obstacle,
}
# No policy may leave these out. stop_zone may be: time_to_collision stops at least as early.
CORE = {
    'input_validity': 'NaN would pass every comparison that the other rules make',
    'input_timeout': 'a dead sensor or planner would be obeyed for ever',
    'scan_geometry': 'a lidar that lost its beams, or looks elsewhere, would be believed',
    'motion_enable': 'plans would move a robot that is not armed',
    'bumper_cliff_estop': 'a pressed bumper, an edge or an emergency stop would be ignored',
    'speed': 'the others allow for no more than its limits',
    'unseen_path': 'a lidar that is blind ahead would look like free space',
    'time_to_collision': 'nothing else brakes before an obstacle',
}


def params(name: str) -> type[Settings]:
    """Return the parameters of a rule, by its name: JerkParams of `jerk`."""
    return getattr(RULES[name], ''.join(map(str.title, name.split('_'))) + 'Params')
