# SPDX-License-Identifier: Apache-2.0
"""Numbers of robot file, policy and parameters that do not fit together are found at once."""

from dataclasses import replace

from ami_ros.core.findings import OK, UNCHECKED, WARN, WRONG
from ami_ros.core.share_directory import share
from ami_ros.critic.safety_policy.consistency import together, wrong
from ami_ros.critic.safety_policy.policy_loader import changed, read
from ami_ros.robots.find_robot import find, names
import pytest

ROVER = find('rover')
POLICY = read(share('config/safety_policy/rover.yaml'))
RUN = {node: {'enable_stamped_cmd_vel': True, 'max_reading_age_s': 0.15}
       for node in ('critic', 'mind', 'world_model', 'actor')}


def levels(robot=ROVER, policy=POLICY, run=RUN):
    return {f.what.removeprefix('together: '): f.level for f in together(robot, policy, run)}


def sensor(name, **said):
    return replace(ROVER, sensors=tuple(replace(s, **said) if s.name == name else s
                                        for s in ROVER.sensors))


def without(*kinds, **camera):
    return replace(ROVER, sensors=tuple(
        replace(s, **camera) if s.kind == 'Image' else s
        for s in ROVER.sensors if s.kind not in kinds))


def test_what_comes_with_the_package_fits():
    for name in names():
        found = together(find(name), read(share(f'config/safety_policy/{name}.yaml')), RUN)
        assert {f.level for f in found} == {OK} and len(found) > 8, found
        assert wrong(found) == ''


@pytest.mark.parametrize('what, level, made', [
    ('reaction', WRONG, lambda: (ROVER, changed(POLICY, {'shared.reaction_s': 0.0}), RUN)),
    ('reaction', WRONG, lambda: (ROVER, changed(POLICY, {'shared.reaction_s': 0.099}), RUN)),
    ('reaction', OK, lambda: (ROVER, changed(POLICY, {'shared.reaction_s': 0.1}), RUN)),
    ('reaction', WRONG, lambda: (replace(ROVER, actuation_lag_s=0.115), POLICY, RUN)),
    ('age of scan', WRONG, lambda: (sensor('scan', hz=10.0), changed(
        POLICY, {'shared.max_scan_age_s': 0.1}), RUN)),
    ('age of scan', WARN, lambda: (sensor('scan', hz=10.0), changed(
        POLICY, {'shared.max_scan_age_s': 0.16}), RUN)),
    ('age of scan', OK, lambda: (sensor('scan', hz=10.0), changed(
        POLICY, {'shared.max_scan_age_s': 0.2}), RUN)),
    ('age of odom', WRONG, lambda: (sensor('odom', hz=5.0), POLICY, RUN)),
    ('age of camera', WARN, lambda: (sensor('camera', hz=5.0), POLICY, RUN)),
    ('age of plans', WRONG, lambda: (sensor('camera', hz=4.0), POLICY, RUN)),
    ('age of teleop commands', WARN, lambda: (
        ROVER, changed(POLICY, {'shared.teleop_timeout_s': 0.06}), RUN)),
    ('plan lead', WRONG, lambda: (replace(ROVER, latency_s=0.2), POLICY, RUN)),
    ('plan lead', WRONG, lambda: (ROVER, POLICY, {
        **RUN, 'mind': {**RUN['mind'], 'world_model.latency_s': 0.3}})),
    ('range of scan', WRONG, lambda: (sensor('scan', range_m=(0.08, 0.4)), POLICY, RUN)),
    ('base timeout', WARN, lambda: (replace(ROVER, base_timeout_s=0.03), POLICY, RUN)),
    ('shape of images', UNCHECKED, lambda: (without('CameraInfo'), POLICY, RUN)),
    ('shape of images', WRONG, lambda: (without('CameraInfo', size_px=(640, 480)), POLICY,
                                          RUN)),
    ('shape of images', OK, lambda: (without('CameraInfo', size_px=(480, 480)), POLICY, RUN)),
    ('parameters', UNCHECKED, lambda: (ROVER, POLICY, None)),
    ('age of odometry', WRONG, lambda: (sensor('odom', hz=5.5), POLICY, RUN)),
    ('policy and robot', WRONG, lambda: (replace(ROVER, max_speed_mps=0.5), POLICY, RUN))])
def test_each_relation_at_its_limit(what, level, made):
    robot, policy, run = made()
    found = {f.what.removeprefix('together: '): f for f in together(robot, policy, run)}
    assert found[what].level == level, found[what]
    if level == WRONG:
        assert found[what].measured in wrong([found[what]]) and found[what].fix
    if level == WARN:
        assert found[what].fix and wrong([found[what]]) == ''


@pytest.mark.parametrize('node', ['critic', 'mind', 'world_model', 'actor'])
def test_one_node_of_four_that_contradicts_the_command_type(node):
    run = {**RUN, node: {**RUN[node], 'enable_stamped_cmd_vel': False}}
    found, = (f for f in together(ROVER, POLICY, run) if f.level != OK)
    assert found.level == WRONG and f'is false of {node}' in found.measured
    twist = replace(ROVER, command_type='Twist')
    found, = (f for f in together(twist, POLICY, {'mind': {}}) if f.level != OK)
    assert 'is true of mind' in found.measured      # its default


@pytest.mark.parametrize('key, value, level', [
    ('robot', 'rover', None), ('robot', str(ROVER.path), None),
    ('robot', '/other/rover.yaml', WARN),
    ('safety_policy', 'config/safety_policy/rover.yaml', None),
    ('safety_policy', str(POLICY.path), None),
    ('safety_policy', 'config/safety_policy/strict.yaml', WARN)])
def test_parameters_that_name_another_file(key, value, level):
    run = {**RUN, 'critic': {**RUN['critic'], key: value}}
    found = [f for f in together(ROVER, POLICY, run) if f.what == f'together: {key}']
    assert [f.level for f in found] == [level] * (level is not None)
    assert all(f.fix and value in f.measured for f in found)


def test_who_notices_a_black_picture_is_said():
    packed = replace(ROVER, sensors=tuple(replace(s, kind='CompressedImage')
                                          if s.kind == 'Image' else s for s in ROVER.sensors))
    assert 'black images' not in levels()
    assert levels(packed)['black images'] == UNCHECKED
    assert levels(packed, run={'mind': {'min_spread': 0.0}})['black images'] == WARN


def test_plans_and_permits_as_often_as_the_policy_wants():
    strict = read(share('config/safety_policy/strict.yaml'))
    careful = replace(ROVER, sensors=tuple(replace(s, required=True) for s in ROVER.sensors))
    assert levels(careful, strict)['cadence of plans'] == OK
    slow = changed(strict, {'rules.plan_rate.min_plans_hz': 9.0})
    assert levels(careful, slow)['cadence of plans'] == WARN
    late = changed(POLICY, {'rules.motion_enable.max_permit_age_s': 0.12})
    assert levels(policy=late)['age of motion enables'] == WRONG
    assert levels()['age of motion enables'] == OK and 'cadence of plans' not in levels()
