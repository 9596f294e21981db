# SPDX-License-Identifier: Apache-2.0
"""A switch that is active stops the robot, however old its word."""

from ami_ros.agent.rules.rule import Stop
from ami_ros.agent.rules.touched import Touched
import pytest
from rule_contract import command, NOW, ns, RuleContract, situation, STEADY, switch

KINDS = ('bumper', 'cliff', 'e_stop')


class TestTouched(RuleContract):

    rule = Touched()

    def stops(self, *switches, match=' is active$'):
        with pytest.raises(Stop, match=match):
            self.rule.limit(command(0.1), situation(switches=switches))

    @pytest.mark.parametrize('kind', KINDS)
    def test_each_kind(self, kind):
        self.stops(switch(True, kind=kind, name='left'), match=f'^{kind} left is active$')
        asked = command(-0.1, 0.2)
        assert self.rule.limit(asked, situation(switches=(switch(kind=kind),))) == (asked, '')

    @pytest.mark.parametrize('index', range(3))
    def test_one_of_many(self, index):
        self.stops(*(switch(i == index, name=f's{i}', kind=k) for i, k in enumerate(KINDS)),
                   match=f'^{KINDS[index]} s{index}')

    @pytest.mark.parametrize('age', [0, ns(0.5), ns(1e6), -ns(1e6)])
    def test_what_said_stop_and_fell_silent_has_not_taken_it_back(self, age):
        self.stops(switch(True, stamp_ns=NOW - age, received_steady_ns=STEADY - age))

    @pytest.mark.parametrize('motion', [(-0.1, 0.0), (0.0, 1.0), (0.1, -1.0)])
    def test_whatever_the_motion(self, motion):
        with pytest.raises(Stop, match='active'):
            self.rule.limit(command(*motion), situation(switches=(switch(True),)))

    @pytest.mark.parametrize('answer', [None, 0, '', 'no'])
    def test_what_is_neither_yes_nor_no_stops(self, answer):
        self.stops(switch(answer))
