# SPDX-License-Identifier: Apache-2.0
"""
The hard rules: one rule, one file, one line in this table, in the order in which they run.

A rule's file has three parts: `Numbers`, what a policy must say for it; the rule; and `make`,
which joins its numbers, the shared ones and the robot, and raises ValueError where they
contradict. A policy chooses rules by name; a rule that it does not name does not run.
"""

from types import ModuleType

from ami_ros.critic.rules import (
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
