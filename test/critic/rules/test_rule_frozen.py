# SPDX-License-Identifier: Apache-2.0
"""A sensor that says the same while the robot moves is none."""

import math

from ami_ros.core.types import RepeatCount
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.frozen import Frozen
import pytest
from rule_contract import around, BROKEN, command, memory, RuleContract, situation


class TestFrozen(RuleContract):

    rule = Frozen(0.02, 2.0, 3, ('scan', 'odom'))

    def at(self, repeats=0, moved_m=0.0, turned_rad=0.0, name='scan'):
        past = memory(sameness=(RepeatCount('odom', 0, 0.0, 0.0),
                                RepeatCount(name, repeats, moved_m, turned_rad)))
        return self.rule.limit(command(0.1, 0.2), situation(memory=past))

    def stops(self, match, *more, **same):
        with pytest.raises(Stop, match=match):
            self.at(*more, **same)

    @pytest.mark.parametrize('moved', around(0.02))
    def test_after_so_many_metres(self, moved):
        if moved < 0.02:
            assert self.at(moved_m=moved).reason == ''
        else:
            self.stops(r'scan says the same after 0\.\d+ m, limit 0.020 m', moved_m=moved)

    @pytest.mark.parametrize('turned', [1.9, 1.999999, 2.0, 2.000001, 2.1, 170.0])
    def test_after_such_a_turn(self, turned):
        assert math.degrees(math.radians(2.0)) == 2.0
        if turned < 2.0:
            assert self.at(turned_rad=math.radians(turned)).reason == ''
        else:
            self.stops('the same after a turn of .* degrees, limit 2.0',
                       turned_rad=math.radians(turned))

    @pytest.mark.parametrize('repeats', [0, 3, 4, 100])
    def test_after_so_many_messages_with_one_stamp(self, repeats):
        if repeats <= 3:
            assert self.at(repeats).reason == ''
        else:
            self.stops(f'{repeats} messages of the scan repeat a stamp, limit 3', repeats)

    @pytest.mark.parametrize('number', BROKEN[:2])
    def test_what_is_not_a_distance_stops(self, number):
        self.stops('the same', moved_m=number)
        self.stops('the same', turned_rad=number)

    def test_of_the_required_ones(self):
        assert self.at(100, 9.0, 9.0, name='sonar').reason == ''
        self.stops('odom', 100, name='odom')
