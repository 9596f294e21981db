# SPDX-License-Identifier: Apache-2.0
"""A robot whose world model is of two minds goes slowly."""

from dataclasses import replace

from ami_ros.critic.rules.disagreement import Disagreement
from ami_ros.critic.rules.rule import Stop
import pytest
from rule_contract import around, BROKEN, command, plan, RuleContract, situation


class TestDisagreement(RuleContract):

    rule = Disagreement(3.0, 0.5, 0.6, 1.5)

    def at(self, disagreement, v=0.6, w=0.0):
        return self.rule.limit(command(v, w), situation(plan=plan(disagreement=disagreement)))

    @pytest.mark.parametrize('disagreement', around(3.0))
    def test_boundary(self, disagreement):
        left, reason = self.at(disagreement)
        assert left.values.tolist() == pytest.approx([0.6 if disagreement <= 3.0 else 0.3, 0])
        assert bool(reason) == (disagreement > 3.0)

    @pytest.mark.parametrize(('v', 'w', 'share'), [(0.6, 1.5, 0.5), (-0.3, 1.5, 0.5),
                                                   (0.3, -0.75, 1.0)])
    def test_keeps_the_curve(self, v, w, share):
        assert self.at(9.0, v, w).command.values == pytest.approx([v * share, w * share])

    def test_no_share_is_a_stop(self):
        with pytest.raises(Stop, match='disagreement is 4.00, limit 3.00'):
            replace(self.rule, share=0.0).limit(
                command(0.1), situation(plan=plan(disagreement=4.0)))

    @pytest.mark.parametrize('number', BROKEN)
    def test_a_broken_one_stops(self, number):
        with pytest.raises(Stop, match='disagreement'):
            self.at(number)

    def test_without_a_plan_nobody_knows(self):
        with pytest.raises(Stop, match='no plan'):
            self.rule.limit(command(0.1), situation(plan=None))
