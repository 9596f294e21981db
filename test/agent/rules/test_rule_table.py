# SPDX-License-Identifier: Apache-2.0
"""The policy becomes rules, in their order, and contradictions are refused."""

from dataclasses import fields, replace

from ami_ros.agent import settings
from ami_ros.agent.rules import build
from ami_ros.agent.rules.needs import needs
from ami_ros.agent.settings import CriticSettings
import pytest
from rule_contract import NUMBERS as SETTINGS
from rule_contract import POLICY, ROBOT, sensor
import yaml

VALUES = yaml.safe_load(POLICY.read_text())


def test_order():
    assert [rule.name for rule in build(SETTINGS, ROBOT)] == [
        'finite', 'fresh', 'permitted', 'touched', 'speed', 'acceleration', 'surprise',
        'stop_zone', 'time_to_collision']


@pytest.mark.parametrize('field', fields(CriticSettings), ids=lambda f: f.name)
def test_every_number_is_in_the_file_and_guards(field):
    """No default; and another value makes other rules, so none is forgotten on the way."""
    assert field.name in VALUES
    left = {k: v for k, v in VALUES.items() if k != field.name}
    with pytest.raises(ValueError, match=f'{field.name} must be given'):
        settings.build(CriticSettings, left)
    other = replace(SETTINGS, **{field.name: max(field.metadata['low'], VALUES[field.name] * 0.9)})
    robot = replace(ROBOT, sensors=(*ROBOT.sensors, sensor('bumper', 'front')))
    assert build(other, robot) != build(SETTINGS, robot)


def test_a_policy_brakes_no_harder_than_the_robot_was_measured_to():
    build(SETTINGS, replace(ROBOT, braking_mps2=SETTINGS.braking_mps2))
    with pytest.raises(ValueError, match='braking_mps2 = 1.5 is beyond what rover can do, 1.4'):
        build(SETTINGS, replace(ROBOT, braking_mps2=1.4))


@pytest.mark.parametrize(('field', 'value', 'fine'), [
    ('max_speed_mps', ROBOT.max_speed_mps, True),
    ('max_speed_mps', ROBOT.max_speed_mps + 1e-9, False),
    ('max_turn_radps', ROBOT.max_turn_radps, True),
    ('max_turn_radps', ROBOT.max_turn_radps + 1e-9, False),
    ('side_distance_m', SETTINGS.stop_distance_m, True),
    ('side_distance_m', SETTINGS.stop_distance_m + 1e-9, False)])
def test_contradictions(field, value, fine):
    policy = replace(SETTINGS, **{field: value})
    if fine:
        build(policy, ROBOT)
    else:
        with pytest.raises(ValueError, match=f'{field} = .* is beyond'):
            build(policy, ROBOT)


def test_numbers_reach_their_rules():
    s = SETTINGS
    table = build(s, ROBOT)
    finite, fresh, permitted, _, speed, acceleration, surprise, zone, collision = table
    assert (speed.max_speed_mps, speed.max_turn_radps) == (s.max_speed_mps, s.max_turn_radps)
    assert (permitted.max_permit_age_s, permitted.max_future_s) == (s.max_permit_age_s,
                                                                    s.max_future_s)
    assert fresh.hand_deadman_s == s.hand_deadman_s
    assert fresh.max_plan_age_s == s.max_plan_age_s and fresh.needs == needs(s, ROBOT)
    assert (fresh.max_future_s, fresh.max_plan_lead_s) == (s.max_future_s, s.max_plan_lead_s)
    assert (acceleration.max_acceleration_mps2, acceleration.max_turn_acceleration_radps2) == (
        s.max_acceleration_mps2, s.max_turn_acceleration_radps2)
    assert (surprise.max_surprise, surprise.share) == (s.max_surprise, s.surprised_speed)
    assert (collision.reaction_s, collision.braking_mps2) == (s.reaction_s, s.braking_mps2)
    for rule in (zone, collision):
        assert (rule.stop_distance_m, rule.side_distance_m) == (s.stop_distance_m,
                                                                s.side_distance_m)
        sight = rule.sight
        assert sight.min_valid_beams == finite.min_valid_beams == s.min_valid_beams
        assert (sight.max_scan_age_s, sight.max_odometry_age_s) == (s.max_scan_age_s,
                                                                    s.max_odometry_age_s)
        assert (sight.max_future_s, sight.lag_s) == (s.max_future_s, ROBOT.actuation_lag_s)
        assert (2 * rule.box.half_length_m, 2 * rule.box.half_width_m) == pytest.approx(
            (0.32, 0.29))       # of the URDF: body and wheels
