# SPDX-License-Identifier: Apache-2.0
"""The policy becomes rules, in their order, and contradictions are refused."""

from dataclasses import fields, replace
import inspect
from pathlib import Path

from ami_ros.core.settings import Settings
from ami_ros.critic.rules import CORE, params, RULES
from ami_ros.critic.safety_policy.policy_loader import build_rules, changed, chosen, Policy
from ami_ros.critic.sensor_age_limits import needs
import pytest
from rule_contract import CHOSEN, NUMBERS, ROBOT, sensor, STRICT

EQUIPPED = replace(ROBOT, sensors=(*ROBOT.sensors, sensor('bumper', 'front'),
                                   sensor('Imu', 'gyro')))


def test_order():
    assert list(CHOSEN.rules) == [rule.name for rule in build_rules(CHOSEN, ROBOT)]
    assert list(CHOSEN.rules) == [name for name in RULES if name in CHOSEN.rules]
    assert list(RULES)[:2] == ['input_validity', 'input_timeout']
    assert list(RULES)[-2:] == ['time_to_collision', 'moving_obstacle']


@pytest.mark.parametrize('name', RULES)
def test_each_file_has_its_three_parts(name):
    file = RULES[name]
    assert file.__name__ == f'ami_ros.critic.rules.{name}'
    assert issubclass(params(name), Settings) and inspect.getdoc(file)
    for field in fields(params(name)):
        meta = field.metadata
        assert meta['unit'] and meta['reason'] and not meta['live'], field.name
        assert meta['low'] is None or meta['low'] <= meta['high']
        assert meta['strict'] in ('lower', 'higher', ''), field.name


def test_the_core_is_of_the_table():
    assert set(CORE) < set(RULES) and all(CORE.values())


def another(value, meta):
    """Return another value that is right as well."""
    if isinstance(value, str):
        return f'{value}_other'
    if isinstance(value, tuple):
        return (((9.0, 9.0), (9.5, 9.0), (9.5, 9.5)),) if value == () else value[:3]
    if isinstance(value, int):
        return value - 1
    return max(meta['low'], value * 0.9 or 0.1)


@pytest.mark.parametrize(('policy', 'name'), [
    pytest.param(policy, name, id=f'{Path(policy.path).stem}-{name}')
    for policy in (CHOSEN, STRICT) for name in policy.numbers])
def test_every_number_guards(policy, name):
    """Another value makes other rules, so none is forgotten on the way."""
    group, _, key = name.rpartition('.')
    meta = next(f for f in fields(policy.groups[group]) if f.name == key).metadata
    other = changed(policy, {name: another(policy.numbers[name], meta)})
    assert build_rules(other, EQUIPPED) != build_rules(policy, EQUIPPED)
    assert other != policy and other.hash != policy.hash


def test_every_rule_is_in_a_policy_that_is_shipped():
    assert list(STRICT.rules) == list(RULES)
    assert [rule.name for rule in build_rules(STRICT, EQUIPPED)] == list(RULES)
    assert all(rule.release for rule in build_rules(STRICT, EQUIPPED))


@pytest.mark.parametrize(('key', 'most', 'unit'), [
    ('max_speed_mps', ROBOT.max_speed_mps, 'm/s'),
    ('max_turn_radps', ROBOT.max_turn_radps, 'rad/s')])
def test_a_policy_is_never_looser_than_the_robot(key, most, unit):
    build_rules(changed(CHOSEN, {f'shared.{key}': most}), ROBOT)
    with pytest.raises(ValueError, match=f'{key} = .* beyond what rover can do, {most} {unit};'):
        build_rules(changed(CHOSEN, {f'shared.{key}': most + 1e-9}), ROBOT)


def test_braking_is_no_better_than_measured():
    slow = replace(ROBOT, braking_mps2=NUMBERS.braking_mps2)
    build_rules(CHOSEN, slow)
    with pytest.raises(ValueError, match=r'braking_mps2 = 1.5 is beyond .* m/s\^2; a policy'):
        build_rules(CHOSEN, replace(slow, braking_mps2=NUMBERS.braking_mps2 - 1e-9))


def test_beside_a_fence_a_leap_of_odometry_latches():
    rules = {name: vars(own) for name, own in STRICT.rules.items()}
    assert next(r for r in build_rules(STRICT, EQUIPPED) if r.name == 'odometry_jump').latches
    assert not rules_of(CHOSEN)['odometry_jump'].latches
    del rules['odometry_jump']
    with pytest.raises(ValueError, match='fence needs odometry_jump: .* name both, or none'):
        build_rules(chosen({'shared': vars(STRICT.shared), 'rules': rules}, 'x'), EQUIPPED)
    del rules['fence']
    assert build_rules(chosen({'shared': vars(STRICT.shared), 'rules': rules}, 'x'), EQUIPPED)


def test_beside_it_is_no_more_room_than_ahead():
    edge = NUMBERS.stop_distance_m
    build_rules(changed(CHOSEN, {'shared.side_distance_m': edge}), ROBOT)
    with pytest.raises(ValueError, match='side_distance_m = .* must be at most stop_distance_m'):
        changed(CHOSEN, {'shared.side_distance_m': edge + 1e-9})


def rules_of(policy: Policy) -> dict:
    return {rule.name: rule for rule in build_rules(policy, ROBOT)}


def test_numbers_reach_their_rules():
    s, own, made = NUMBERS, CHOSEN.rules, rules_of(CHOSEN)
    speed, fresh, permitted = made['speed'], made['input_timeout'], made['motion_enable']
    assert (speed.max_speed_mps, speed.max_turn_radps) == (s.max_speed_mps, s.max_turn_radps)
    assert (permitted.max_permit_age_s, permitted.max_future_s) == (
        own['motion_enable'].max_permit_age_s, s.max_future_s)
    assert fresh.teleop_timeout_s == s.teleop_timeout_s
    assert fresh.max_plan_age_s == s.max_plan_age_s and fresh.needs == needs(s, ROBOT)
    assert (fresh.max_future_s, fresh.max_plan_lead_s) == (s.max_future_s,
                                                           own['input_timeout'].max_plan_lead_s)
    gains = made['acceleration']
    assert [gains.max_acceleration_mps2, gains.max_turn_acceleration_radps2] == list(
        vars(own['acceleration']).values())
    assert (made['surprise'].most, made['surprise'].share) == (
        own['surprise'].max_surprise, own['surprise'].surprised_speed)
    collision = made['time_to_collision']
    assert (collision.reaction_s, collision.braking_mps2) == (s.reaction_s, s.braking_mps2)
    for rule in (made['stop_zone'], collision):
        assert (rule.stop_distance_m, rule.side_distance_m) == (s.stop_distance_m,
                                                                s.side_distance_m)
        sight = rule.sight
        assert sight.min_valid_beams == made['input_validity'].min_valid_beams == s.min_valid_beams
        assert (sight.max_scan_age_s, sight.max_odometry_age_s) == (s.max_scan_age_s,
                                                                    s.max_odometry_age_s)
        assert (sight.max_future_s, sight.lag_s) == (s.max_future_s, ROBOT.actuation_lag_s)
        assert (2 * rule.box.half_length_m, 2 * rule.box.half_width_m) == pytest.approx(
            (0.32, 0.29))       # of the URDF: body and wheels
