# SPDX-License-Identifier: Apache-2.0
"""Plans that contradict one another again and again stop the robot."""

import math

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.plan_consistency import PlanConsistency
import pytest
from rule_contract import around, command, memory, RuleContract, situation


class TestContradiction(RuleContract):

    rule = PlanConsistency(0.4, 1.5, 4)

    def at(self, *disputes):
        return self.rule.limit(command(0.1), situation(memory=memory(disputes=disputes)))

    def stops(self, *disputes):
        with pytest.raises(Stop, match='4 plans in a row contradict the one before, the last by'):
            self.at(*disputes)

    @pytest.mark.parametrize('change', around(0.4))
    def test_of_speed(self, change):
        each = ((change, 0.0),) * 4
        if change <= 0.4:
            assert self.at(*each).reason == ''
        else:
            self.stops(*each)

    @pytest.mark.parametrize('change', around(1.5))
    def test_of_turning(self, change):
        each = ((0.0, change),) * 4
        if change <= 1.5:
            assert self.at(*each).reason == ''
        else:
            self.stops(*each)

    @pytest.mark.parametrize('count', range(8))
    def test_so_many_in_a_row(self, count):
        bad = ((9.0, 9.0),) * count
        assert self.at((0.1, 0.1), *bad).reason == ''       # the newest agrees
        if count < 4:
            assert self.at(*bad, (0.1, 0.1), *bad).reason == ''
        else:
            self.stops(*bad, (0.1, 0.1))

    def test_what_is_no_number_is_a_contradiction(self):
        self.stops(*((math.nan, 0.0), (0.0, math.nan)) * 2)
