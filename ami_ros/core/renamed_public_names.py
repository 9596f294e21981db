# SPDX-License-Identifier: Apache-2.0
"""
The public names that were renamed before the first release: old name -> new name.

An old name is refused with the new one. `ami-ros migrate` rewrites robot files, parameter files
and safety policies. A test holds that no old name is used anywhere else in the package.
"""

from collections.abc import Iterable

# keys of a safety policy below `rules`, and the rule that a verdict names
RULES = {
    'finite': 'input_validity',
    'fresh': 'input_timeout',
    'view': 'camera_image',
    'rate': 'camera_rate',
    'leap': 'odometry_jump',
    'permitted': 'motion_enable',
    'touched': 'bumper_cliff_estop',
    'knocked': 'lidar_displaced',
    'stops': 'stop_rate_lockout',
    'cadence': 'plan_rate',
    'contradiction': 'plan_consistency',
    'approach': 'moving_obstacle',
}
# keys of a safety policy below `shared`
SHARED = {'hand_deadman_s': 'teleop_timeout_s'}
# parameters of the nodes, by their full names; a key alone is looked up by its last part
PARAMETERS = {
    'policy': 'safety_policy',
    'state': 'state_dir',
    'real_time': 'use_realtime_priority',
    'input': 'command_source',
    'health.least_hz': 'health.min_rate_hz',
    'health.most_jitter_ms': 'health.max_jitter_ms',
    'health.most_age_ms': 'health.max_age_ms',
    'health.most_load': 'health.max_load',
    'composed': 'use_composition',
    'lost_s': 'heartbeat_timeout_s',
    'stuck_s': 'processing_timeout_s',
    'stopped_s': 'blocked_goal_timeout_s',
    'trouble_s': 'planner_error_timeout_s',
    'goal_s': 'goal_timeout_s',
    'resume': 'resume_after_sensor_timeout',
    'adapt': 'adaptive_compute',
    'store': 'module_store_dir',
    'engines': 'engine_cache_dir',
    'world_model.sight_gain': 'world_model.latent_gain',
    'world_model.place_gain': 'world_model.pose_gain',
    'world_model.place_gate_m': 'world_model.innovation_gate_m',
    'world_model.lost_frames': 'world_model.relocalize_frames',
    'actor.keep': 'actor.elites_kept',
    'actor.knot_s': 'actor.control_step_s',
    'actor.spread_floor': 'actor.min_std',
    'energy.way': 'energy.time_to_goal',
    'energy.ground': 'energy.map',
    'energy.refused': 'energy.vetoed',
    'energy.refused_s': 'energy.vetoed_s',
    'explained': 'record_trace',
}
# nodes of a parameter file
NODES = {'drive': 'teleop'}
# verbs of `ami-ros`
VERBS = {'policy': 'safety', 'hostile': 'adversarial', 'machine': 'host', 'drive': 'teleop'}
# options, with the verbs that had them
OPTIONS = {
    '--goal-blocks': ('--goal-steps', ('sim', 'evaluate', 'quantize')),
    '--real-time': ('--wall-clock', ('sim',)),
    '--separate': ('--no-composition', ('sim',)),
    '--need': ('--min-successes', ('sim',)),
    '--dry': ('--dry-run', ('calibrate',)),
    '--plain': ('--no-trace', ('record',)),
    '--policy': ('--safety-policy', ('adversarial', 'replay', 'robot')),
    '--store': ('--module-store-dir', ('modules',)),
    '--state': ('--state-dir', ('audit',)),
}
# arguments of the launch files
ARGUMENTS = {'policy_file': 'safety_policy_file'}
# topics and services, for who records them or calls them
TOPICS = {
    'trace/exact': 'trace/records',
    'trace/about': 'trace/metadata',
    'configurator/begin': 'configurator/new_episode',
    'sim/hold': 'sim/pause',
}
# files of the package and of a robot's folder
FILES = {'config/policy/': 'config/safety_policy/', 'policy.yaml': 'safety_policy.yaml'}


def renamed(key: object, names: Iterable[str]) -> str:
    """Return which of the names an old key has now; '' where it is no old key of these."""
    known, key = set(names), str(key)
    for table in (RULES, SHARED, PARAMETERS):
        if table.get(key, '') in known:
            return table[key]
    for old, new in PARAMETERS.items():     # a key of one group: `sight_gain` of `world_model`
        if old.rpartition('.')[2] == key and new.rpartition('.')[2] in known:
            return new.rpartition('.')[2]
    return ''


def refused(words: list[str]) -> str:
    """Say what a command line calls by an old name; '' where there is none."""
    if not words:
        return ''
    verb = words[0]
    if verb in VERBS:
        return f'{verb} was renamed to {VERBS[verb]}: ami-ros {VERBS[verb]}'
    for word in words[1:]:
        option = word.partition('=')[0]
        new, verbs = OPTIONS.get(option, ('', ()))
        if verb in verbs:
            return f'{option} was renamed to {new}'
    return ''
