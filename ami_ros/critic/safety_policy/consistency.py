# SPDX-License-Identifier: Apache-2.0
"""
Whether the numbers of robot file, policy and parameters fit together.

The only place where numbers of different files are compared. `ami-ros robot check`, the doctor
and the critic when it starts ask here, so that all three say the same.
"""

from collections.abc import Iterator, Mapping
import math
from pathlib import Path
from typing import Any, cast

from ami_ros.core.errors import AmiError
from ami_ros.core.findings import Finding, good, UNCHECKED, WARN, WRONG
from ami_ros.critic.critic import Critic
from ami_ros.critic.safety_policy.policy_loader import Policy
from ami_ros.critic.sensor_age_limits import heard, OLDEST
from ami_ros.robots.robot import Robot
from ami_ros.robots.sensor import RANGES

TICK_S = 0.02           # between two judgements of the critic
PERIODS = 1.5           # a limit of age allows this many periods at least: one reading comes late
LOST = 2.0              # and with this many a reading may be lost
PERMIT_S = 0.1          # between two permits of the configurator for a robot that is armed
HAND_S = 0.05           # between two messages of ami-ros teleop
STAMPED = ('critic', 'mind', 'world_model', 'actor')    # who sends cmd_vel or listens to it
SHAPE = 0.02            # aspect ratios that differ less are the same, as for the mind
TWISTS = 'together: command type'      # a simulated base may take what the critic was told
ROUNDING = 1e-9

Parameters = Mapping[str, Mapping[str, Any]]     # node: its parameters, by their full names


def together(robot: Robot, policy: Policy, parameters: Parameters | None = None) -> list[Finding]:
    """Compare them; what nobody gave is not compared and says so."""
    try:
        Critic(policy, robot)
    except AmiError as wrong:
        return [Finding(WRONG, 'together: policy and robot', f'{policy.path}: {wrong}', '',
                        f'Correct {policy.path} or {robot.path}.')]
    found = [*reaction(robot, policy), *ages(robot, policy), *plans(robot, policy, parameters),
             *way(robot, policy), *base(robot), *picture(robot), *dark(robot, policy, parameters),
             *told(robot, policy, parameters)]
    return found


def wrong(found: list[Finding]) -> str:
    """Say in one sentence what must be corrected; '' where nothing must."""
    return '; '.join(f'{f.measured}; it needs {f.wanted}: {f.fix}' if f.wanted else f.measured
                     for f in found if f.level == WRONG)


def reaction(robot: Robot, policy: Policy) -> Iterator[Finding]:
    """Compare how late the base obeys with what the policy allows for it.

    Commands that the base has not obeyed yet show in no odometry. With a dead time as long as the
    lag they are a way of speed * lag, which only reaction_s allows for.
    """
    least = robot.actuation_lag_s + TICK_S
    said = f'reaction_s = {policy.shared.reaction_s:g} s of {policy.path}'
    if policy.shared.reaction_s >= least - ROUNDING:
        yield good('together: reaction', said, f'{least:.3f} s or more')
        return
    yield Finding(
        WRONG, 'together: reaction', said, f'{least:.3f} s or more (actuation_lag_s = '
        f'{robot.actuation_lag_s:g} s of {robot.path} and {TICK_S:g} s between two judgements)',
        f'Write reaction_s: {math.ceil(1e3 * least - 1e-6) / 1e3:g} in {policy.path}; with less '
        'the robot stops too late.')


def ages(robot: Robot, policy: Policy) -> Iterator[Finding]:
    """Compare how old a reading may be with how often it comes."""
    for sensor in heard(robot):
        if not sensor.hz:
            continue
        key, period_s = OLDEST[sensor.kind], 1 / sensor.hz
        yield from aged(f'together: age of {sensor.name}', key, getattr(policy.shared, key),
                        period_s, f'{sensor.name} comes at {sensor.hz:g} Hz', policy,
                        WRONG if sensor.required else WARN)
    yield from aged('together: age of plans', 'max_plan_age_s', policy.shared.max_plan_age_s,
                    1 / robot.camera.hz, f'a plan comes with each image, at {robot.camera.hz:g} '
                    'Hz', policy, WRONG)
    yield from aged('together: age of motion enables', 'max_permit_age_s',
                    policy.rules['motion_enable'].max_permit_age_s, PERMIT_S,
                    f'the configurator sends one each {PERMIT_S:g} s', policy, WRONG)
    yield from cadence(robot, policy)
    yield from aged('together: age of teleop commands', 'teleop_timeout_s',
                    policy.shared.teleop_timeout_s, HAND_S,
                    f'ami-ros teleop sends one each {HAND_S:g} s', policy, WARN)


def cadence(robot: Robot, policy: Policy) -> Iterator[Finding]:
    """Compare how many plans a second the policy wants with how many pictures come."""
    own, hz = policy.rules.get('plan_rate'), robot.camera.hz
    if own is None:
        return
    what = 'together: cadence of plans'
    said = f'min_plans_hz = {own.min_plans_hz:g}, max_plans_hz = {own.max_plans_hz:g} of ' \
           f'{policy.path}'
    low, high = hz / LOST, 2 * hz
    if own.min_plans_hz <= low + ROUNDING and own.max_plans_hz >= high - ROUNDING:
        yield good(what, said, f'{low:g} or less, {high:g} or more')
    else:
        yield Finding(WARN, what, said, f'{low:g} Hz or less and {high:g} Hz or more, a plan '
                      f'comes with each image, at {hz:g} Hz',
                      f'Write min_plans_hz and max_plans_hz so in {policy.path}; else images '
                      'that come unevenly stop the robot.')


def aged(what: str, key: str, oldest_s: float, period_s: float, why: str, policy: Policy,
         bad: str) -> Iterator[Finding]:
    """Compare one limit of age with one period."""
    said = f'{key} = {oldest_s:g} s of {policy.path}'
    if oldest_s >= LOST * period_s - ROUNDING:
        yield good(what, said, f'{LOST * period_s:.3f} s or more')
        return
    level = bad if oldest_s < PERIODS * period_s - ROUNDING else WARN
    yield Finding(level, what, said, f'{LOST * period_s:.3f} s or more ({why})',
                  f'Write {key}: {math.ceil(1e3 * LOST * period_s - 1e-6) / 1e3:g} or more in '
                  f'{policy.path}; with less one reading that is late or lost stops the robot.')


def plans(robot: Robot, policy: Policy, parameters: Parameters | None) -> Iterator[Finding]:
    """Compare how far ahead plans begin with how far ahead they may."""
    lead_s = policy.rules['input_timeout'].max_plan_lead_s
    latency_s, where = robot.latency_s, f'latency_s = {robot.latency_s:g} of {robot.path}'
    for node in ('mind', 'world_model', 'actor'):
        own = ((parameters or {}).get(node) or {}).get('world_model.latency_s', -1.0)
        if own > latency_s:
            latency_s, where = own, f'world_model.latency_s = {own:g} of {node}'
    said = f'max_plan_lead_s = {lead_s:g} s of {policy.path}'
    if lead_s >= latency_s - ROUNDING:
        yield good('together: plan lead', said, f'{latency_s:g} s or more')
        return
    yield Finding(WRONG, 'together: plan lead',
                  f'{policy.path}: max_plan_lead_s = {lead_s:g} is below {where}: every plan '
                  'would be refused', '', f'Write max_plan_lead_s: {latency_s + 0.05:.3g} in '
                  f'{policy.path}, or measure latency_s again: ami-ros calibrate --only latency.')


def way(robot: Robot, policy: Policy) -> Iterator[Finding]:
    """Compare the way to a stop with how far the robot sees, and with how near."""
    s = policy.shared
    needed = (s.max_speed_mps * (s.reaction_s + robot.actuation_lag_s)
              + s.max_speed_mps**2 / (2 * s.braking_mps2) + s.stop_distance_m)
    front = float(robot.body.footprint[:, 0].max())
    for sensor in robot.sensors_of(*RANGES):
        if not sensor.required:
            continue
        near, far = cast(tuple[float, float], sensor.range_m)
        what, sees = f'together: range of {sensor.name}', far + robot.body.mount(sensor.link)[0]
        said = f'{sees - front:.2f} m ahead of the outline'
        wants = f'{needed:.2f} m or more, the way to a stop from {s.max_speed_mps:g} m/s'
        if sees - front >= needed:
            yield good(what, said, wants)
        else:
            yield Finding(WRONG, what, said, wants,
                          f'Write a lower max_speed_mps in {policy.path}, or correct range_m of '
                          f'{sensor.name} in {robot.path}.')


def base(robot: Robot) -> Iterator[Finding]:
    """Compare when the base stops by itself with how often it gets a command."""
    what, said = 'together: base timeout', f'base_timeout_s = {robot.base_timeout_s:g} s'
    wants = f'{2 * TICK_S:g} s or more'
    if robot.base_timeout_s >= 2 * TICK_S - ROUNDING:
        yield good(what, said, wants)
    else:
        yield Finding(WARN, what, f'{said} of {robot.path}', f'{wants}, a command comes each '
                      f'{TICK_S:g} s', 'Let the base wait longer, or it stutters.')


def picture(robot: Robot) -> Iterator[Finding]:
    """Compare the shape of the camera's pictures with what the mind sees of them."""
    what, size = 'together: shape of images', robot.camera.size_px
    if robot.sensors_of('CameraInfo'):
        return      # any shape is cut then, and the doctor compares it with the camera
    if size is None:
        yield Finding(UNCHECKED, what, f'{robot.path} has no CameraInfo and no size_px of '
                      f'{robot.camera.name}', f'as wide to high as camera_size '
                      f'{list(robot.camera_size)}')
        return
    has, wants = size[0] / size[1], robot.camera_size[0] / robot.camera_size[1]
    said = f'size_px = {list(size)} of {robot.camera.name}'
    if abs(has - wants) <= SHAPE * wants:
        yield good(what, said, f'camera_size {list(robot.camera_size)}')
    else:
        yield Finding(WRONG, what, f'{said} of {robot.path}', 'the same shape as camera_size '
                      f'{list(robot.camera_size)}, where there is no CameraInfo',
                      'Add a sensor of kind CameraInfo, so that the image can be cut, or train '
                      'a module for this shape.')


def dark(robot: Robot, policy: Policy, parameters: Parameters | None) -> Iterator[Finding]:
    """Say who notices a black camera: the critic decodes no compressed picture."""
    if robot.camera.kind != 'CompressedImage' or not robot.camera.required:
        return
    what = 'together: black images'
    least = ((parameters or {}).get('mind') or {}).get('min_spread')
    said = f'{policy.path} has no rule camera_image'
    if 'camera_image' in policy.rules:
        said = (f'rule camera_image does not judge what {robot.camera.name} shows, since its '
                'images are compressed')
    if least == 0.0:
        yield Finding(WARN, what, f'{said}, and min_spread of mind is 0', 'above 0',
                      'Write min_spread: 8.0 for mind in the parameter file; else the robot '
                      'drives with a covered camera.')
    else:
        yield Finding(UNCHECKED, what, f'{said}; the planner refuses a black image and makes no '
                      'plan from it, but teleop or another planner drives on')


def told(robot: Robot, policy: Policy, parameters: Parameters | None) -> Iterator[Finding]:
    """Compare the parameters of the nodes with the robot file."""
    stamped = robot.command_type == 'TwistStamped'
    if parameters is None:
        yield Finding(UNCHECKED, 'together: parameters', 'no parameters were given',
                      f'enable_stamped_cmd_vel: {str(stamped).lower()} of every node')
        return
    others = [node for node in STAMPED if node in parameters
              and parameters[node].get('enable_stamped_cmd_vel', True) is not stamped]
    what = TWISTS
    said = f'{robot.path} says command_type: {robot.command_type}'
    if others:
        yield Finding(WRONG, what, f'{said}, but enable_stamped_cmd_vel is '
                      f'{str(not stamped).lower()} of {", ".join(others)}',
                      f'{str(stamped).lower()} of {", ".join(STAMPED)}',
                      f'Write enable_stamped_cmd_vel: {str(stamped).lower()} for '
                      f'{", ".join(others)} in the parameter file; else they and the base do not '
                      'hear each other.')
    elif any(node in parameters for node in STAMPED):
        yield good(what, said, f'enable_stamped_cmd_vel: {str(stamped).lower()}')
    yield from files(robot, policy, parameters)
    hz = robot.odometry.hz
    for node in ('mind', 'world_model'):
        oldest_s = (parameters.get(node) or {}).get('max_reading_age_s')
        if oldest_s is not None and oldest_s < 1 / hz - ROUNDING:
            yield Finding(WRONG, 'together: age of odometry',
                          f'max_reading_age_s = {oldest_s:g} s of {node}',
                          f'{1 / hz:.3f} s or more, {robot.odometry.name} comes at {hz:g} Hz',
                          f'Write max_reading_age_s: {1.5 / hz:.3g} or more for {node}; with less '
                          'most images have no odometry of their time.')


def files(robot: Robot, policy: Policy, parameters: Parameters) -> Iterator[Finding]:
    """Compare which files the parameters name with those that are compared here."""
    for key, path, named in (('robot', str(robot.path), robot.name),
                             ('safety_policy', policy.path, '')):
        others = {node: str(values[key]) for node, values in parameters.items()
                  if values.get(key) and values[key] != named
                  and not same_file(str(values[key]), path)}
        if others:
            yield Finding(WARN, f'together: {key}',
                          ', '.join(f'{key} = {file} of {node}' for node, file in others.items()),
                          path, f'Write {key}: {path} for {", ".join(others)} in the parameter '
                          'file, or name that file here.')


def same_file(named: str, path: str) -> bool:
    """Tell whether a parameter names a file, which may be relative to the shared files."""
    one, other = Path(named).expanduser(), Path(path)
    return one == other or one.exists() and other.exists() and one.samefile(other) or (
        not one.is_absolute() and other.parts[-len(one.parts):] == one.parts)
