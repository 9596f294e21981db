# SPDX-License-Identifier: Apache-2.0
"""A surprised robot goes slowly."""

from dataclasses import replace

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.surprise import Surprise
import pytest
from rule_contract import around, BROKEN, command, plan, RuleContract, situation


class TestSurprise(RuleContract):

    rule = Surprise(3.0, 0.5, 0.6, 1.5)

    def at(self, surprise, v=0.6, w=0.0):
        return self.rule.limit(command(v, w), situation(plan=plan(surprise=surprise)))

    @pytest.mark.parametrize('surprise', around(3.0))
    def test_boundary(self, surprise):
        left, reason = self.at(surprise)
        assert left.values.tolist() == pytest.approx([0.6 if surprise <= 3.0 else 0.3, 0])
        assert bool(reason) == (surprise > 3.0)

    @pytest.mark.parametrize('v', around(0.3))
    def test_a_slow_command_is_left_alone(self, v):
        left, reason = self.at(4.0, v)
        assert left.values.tolist() == pytest.approx([min(v, 0.3), 0])
        assert bool(reason) == (v > 0.3)

    @pytest.mark.parametrize(('v', 'w', 'share'), [(0.6, 1.5, 0.5), (-0.3, 1.5, 0.5),
                                                   (0.3, -0.75, 1.0)])
    def test_keeps_the_curve(self, v, w, share):
        assert self.at(9.0, v, w).command.values == pytest.approx([v * share, w * share])

    def test_no_share_is_a_stop(self):
        with pytest.raises(Stop, match='surprise is 4.00, limit 3.00'):
            replace(self.rule, share=0.0).limit(command(0.1),
                                                situation(plan=plan(surprise=4.0)))

    @pytest.mark.parametrize('number', BROKEN)
    def test_a_broken_surprise_stops(self, number):
        with pytest.raises(Stop, match='surprise'):
            self.at(number)

    def test_without_a_plan_nobody_knows(self):
        with pytest.raises(Stop, match='no plan'):
            self.rule.limit(command(0.1), situation(plan=None))
