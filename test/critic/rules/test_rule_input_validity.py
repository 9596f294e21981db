# SPDX-License-Identifier: Apache-2.0
"""Anything that should be a number and is not stops the robot."""

from dataclasses import replace
import math

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules import input_validity
from ami_ros.critic.rules.input_validity import InputValidity
import numpy as np
import pytest
from rule_contract import (
    ANGLES,
    BROKEN,
    command,
    imu,
    odometry,
    plan,
    RuleContract,
    scan,
    situation,
)


class TestFinite(RuleContract):

    rule = InputValidity(0.7, 9)

    def stops(self, match, **changes):
        with pytest.raises(Stop, match=match):
            self.rule.limit(command(0.1), situation(**changes))

    def passes(self, **changes):
        assert self.rule.limit(command(0.1), situation(**changes)).reason == ''

    @pytest.mark.parametrize('number', BROKEN)
    @pytest.mark.parametrize('where', [(0, 0), (3, 1)])
    def test_plan(self, where, number):
        knots = np.zeros((4, 2))
        knots[where] = number
        self.stops('^1 of 8 numbers in the plan', plan=plan(knots=knots))

    @pytest.mark.parametrize('source', ['teleop', 'twist'])
    def test_whose_it_is(self, source):
        whose = plan(math.nan, source=source)
        self.stops(f'^4 of 8 numbers in the {source} are not finite', plan=whose)
        with pytest.raises(Stop, match=f'in the {source}'):     # and not what it asks for now
            self.rule.limit(command(math.nan), situation(plan=whose))

    @pytest.mark.parametrize('count', [1, 9, 10, 10_000])
    def test_plan_that_is_too_long(self, count):
        if count <= 9:
            self.passes(plan=plan(knots=np.zeros((count, 2))))
        else:
            self.stops(f'the plan has {count} knots, limit 9',
                       plan=plan(knots=np.zeros((count, 2))))

    @pytest.mark.parametrize('shape', [(0, 2), (4,), (4, 3), (4, 2, 1)])
    def test_plan_of_another_shape(self, shape):
        self.stops('knots of shape', plan=plan(knots=np.zeros(shape)))

    @pytest.mark.parametrize('knot_s', [0.0, -0.25, *BROKEN])
    def test_knot_without_a_length(self, knot_s):
        self.stops('lasts', plan=plan(knot_s=knot_s))

    def test_a_short_knot_is_one(self):
        self.passes(plan=plan(knot_s=math.nextafter(0, 1)))

    @pytest.mark.parametrize('number', BROKEN)
    def test_surprise(self, number):
        self.stops('surprise', plan=plan(surprise=number))

    @pytest.mark.parametrize('number', BROKEN)
    def test_odometry(self, number):
        self.stops('odom is', odometry=odometry(number))
        self.stops('odom is', odometry=odometry(0.0, number))
        self.stops('odom is', odometry=odometry(pose=np.array([0, 0, number])))

    @pytest.mark.parametrize('number', BROKEN)
    def test_lidar_mount(self, number):
        self.stops('mount', scan=scan(mount=(0.0, number, 0.0)))

    @pytest.mark.parametrize('number', BROKEN)
    def test_imu(self, number):
        for axis in range(3):
            broken = np.zeros(3)
            broken[axis] = number
            self.stops('imu is not finite', imus=(imu(spin=broken),))
            self.stops('imu is not finite', imus=(imu(), imu(acceleration=broken)))
        self.passes(imus=(imu(),))

    def test_the_second_scan_too(self):
        blind = scan(np.full(180, math.nan), name='back')
        self.stops('^0 of 180 beams of the back', scans=(scan(), blind))
        self.stops('mount of the back', scans=(scan(), scan(name='back', mount=(0, 0, math.inf))))
        self.passes(scans=(scan(), replace(blind, required=False)))

    def test_what_has_not_come_is_left_to_another_rule(self):
        self.passes(plan=None, scan=None, odometry=None)

    @pytest.mark.parametrize(('blind', 'fine'), [(0, True), (53, True), (54, True), (55, False),
                                                 (179, False), (180, False)])
    @pytest.mark.parametrize('invalid', [math.nan, -math.inf, 0.0, -1.0])
    def test_invalid_beams(self, blind, fine, invalid):
        ranges = np.full(180, math.inf)     # no return is a valid answer
        ranges[:blind] = invalid
        if fine:
            self.passes(scan=scan(ranges))
        else:
            self.stops(f'^{180 - blind} of 180 beams of the scan are valid, 70% are needed',
                       scan=scan(ranges))

    @pytest.mark.parametrize('blind', [89, 90, 91])
    def test_just_enough_is_enough(self, blind):
        seen = situation(scan=scan(np.where(np.arange(180) < blind, math.nan, math.inf)))
        if blind <= 90:
            InputValidity(0.5, 9).limit(command(0.1), seen)
        else:
            with pytest.raises(Stop, match='^89 of 180'):
                InputValidity(0.5, 9).limit(command(0.1), seen)

    def test_a_beam_without_direction_is_invalid(self):
        self.stops('0 of 180', scan=scan(angles=np.full(180, math.nan)))

    def test_scan_of_two_lengths(self):
        self.stops('ranges', scan=scan(angles=ANGLES[1:]))

    @pytest.mark.parametrize('least', [0.0, 0.7])
    def test_nothing_seen_is_never_enough(self, least):
        rule = replace(self.rule, min_valid_beams=least)
        for blind in (scan([], angles=np.zeros(0)), scan(np.full(180, math.nan))):
            with pytest.raises(Stop, match='^0 of'):
                rule.limit(command(0.1), situation(scan=blind))


def test_of_a_scan_it_asks_once_and_that_is_no_part_of_it(monkeypatch):
    asked, rule = [], InputValidity(0.7, 100)
    monkeypatch.setattr(input_validity, 'valid_beams', lambda scan, least: asked.append(scan))
    one, other = scan(), scan()
    for seen in (one, one, other, other, one):
        rule.limit(command(0.1), situation(scan=seen))
    assert asked == [one, other, one]
    assert rule == InputValidity(0.7, 100) and 'found' not in repr(rule)
    with pytest.raises(TypeError):
        InputValidity(0.7, 100, found={})
