# SPDX-License-Identifier: Apache-2.0
"""A robot that leans or is in the air stands until somebody looks."""

from dataclasses import replace
import math

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules import tilt
from ami_ros.critic.rules.tilt import GRAVITY_MPS2, Tilt
import pytest
from rule_contract import (
    around,
    BROKEN,
    command,
    level,
    memory,
    NUMBERS,
    ROBOT,
    RuleContract,
    sensor,
    situation,
    STRICT,
)


def leaning(degrees, bearing=0.0, size=GRAVITY_MPS2):
    lean, way = math.radians(degrees), math.radians(bearing)
    return (size * math.sin(lean) * math.cos(way), size * math.sin(lean) * math.sin(way),
            size * math.cos(lean))


class TestTilt(RuleContract):

    rule = Tilt(12.0, 2.0, 0.1, ('imu',))

    def at(self, *leans):
        return self.rule.limit(command(0.1, -0.2), situation(memory=memory(leans=leans)))

    def stops(self, match, *leans, latch=True):
        with pytest.raises(Stop, match=match) as stop:
            self.at(*leans)
        assert stop.value.latch == latch

    @pytest.mark.parametrize('bearing', [0, 90, 135, 180, 300])
    @pytest.mark.parametrize('degrees', [0.0, 11.9, 11.99999, 12.00001, 12.1, 90.0, 180.0])
    def test_how_far_it_leans(self, degrees, bearing):
        if degrees <= 12.0:
            assert self.at(level(*leaning(degrees, bearing))).reason == ''
        else:
            self.stops('it leans by .* degrees, limit 12.0', level(*leaning(degrees, bearing)))

    @pytest.mark.parametrize('off', around(2.0))
    @pytest.mark.parametrize('sign', [1, -1])
    def test_lifted_or_falling(self, off, sign):
        felt = level(0.0, 0.0, GRAVITY_MPS2 + sign * off)
        if abs(abs(felt.up[2]) - GRAVITY_MPS2) <= 2.0:
            assert self.at(felt).reason == ''
        else:
            self.stops('more than 2.00 off gravity; was it picked up', felt)

    @pytest.mark.parametrize('for_s', [0.0, 0.29, 0.2999, 3 * 0.1, 0.31, 5.0])
    def test_at_first_it_listens(self, for_s):
        if for_s >= 3 * 0.1:
            assert self.at(level(for_s=for_s)).reason == ''
        else:
            self.stops('was listened to for 0.* s, 0.300 s are needed', level(for_s=for_s),
                       latch=False)

    def test_just_level_is_no_lean(self):
        rule = replace(self.rule, max_tilt_deg=0.0)
        seen = situation(memory=memory(leans=(level(),)))
        assert rule.limit(command(0.1), seen).reason == ''

    def test_without_one_nobody_knows(self):
        self.stops('imu was listened to for 0.000 s', latch=False)
        self.stops('imu was listened to', level(name='other'), latch=False)

    @pytest.mark.parametrize('names', [('imu', 'other'), ('other', 'imu')])
    def test_every_required_imu_is_asked(self, names):
        rule = replace(self.rule, names=names)
        for lean, said in ((level(*leaning(30.0)), 'it leans by 30.0 degrees'),
                           (level(0.0, 0.0, 15.0), 'the imu feels 15.00'),
                           (level(for_s=0.1), 'the imu was listened to for 0.100 s')):
            leans = lean, level(name='other')
            with pytest.raises(Stop, match=said):
                rule.limit(command(0.1), situation(memory=memory(leans=leans)))
        leans = level(), level(name='other')
        assert rule.limit(command(0.1), situation(memory=memory(leans=leans))).reason == ''

    @pytest.mark.parametrize('axis', range(3))
    @pytest.mark.parametrize('number', BROKEN)
    def test_what_is_no_number_stops(self, axis, number):
        up = [0.0, 0.0, GRAVITY_MPS2]
        up[axis] = number
        self.stops('feels (nan|inf) m', level(*up))

    def test_it_needs_an_imu_that_is_required(self):
        own = STRICT.rules['tilt']
        with pytest.raises(ValueError, match='tilt needs a sensor of kind Imu that rover requir'):
            tilt.make(own, NUMBERS, ROBOT)
        robot = replace(ROBOT, sensors=(*ROBOT.sensors, sensor('Imu', 'gyro')))
        assert tilt.make(own, NUMBERS, robot) == Tilt(*vars(own).values(), ('gyro',))
