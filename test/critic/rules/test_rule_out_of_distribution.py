# SPDX-License-Identifier: Apache-2.0
"""A robot whose images are unlike the training data goes slowly."""

from dataclasses import replace
import math

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.out_of_distribution import OutOfDistribution
import pytest
from rule_contract import around, command, plan, RuleContract, situation


class TestOutOfDistribution(RuleContract):

    rule = OutOfDistribution(3.0, 0.5, 0.6, 1.5)

    def at(self, figure, v=0.6, w=0.0):
        return self.rule.limit(command(v, w), situation(plan=plan(out_of_distribution=figure)))

    @pytest.mark.parametrize('figure', around(3.0))
    def test_boundary(self, figure):
        left, reason = self.at(figure)
        assert left.values.tolist() == pytest.approx([0.6 if figure <= 3.0 else 0.3, 0])
        assert bool(reason) == (figure > 3.0)

    @pytest.mark.parametrize(('v', 'w', 'share'), [(0.6, 1.5, 0.5), (-0.3, 1.5, 0.5),
                                                   (0.3, -0.75, 1.0)])
    def test_keeps_the_curve(self, v, w, share):
        assert self.at(9.0, v, w).command.values == pytest.approx([v * share, w * share])

    def test_no_share_is_a_stop(self):
        with pytest.raises(Stop, match='out_of_distribution is 4.00, limit 3.00'):
            replace(self.rule, share=0.0).limit(
                command(0.1), situation(plan=plan(out_of_distribution=4.0)))

    @pytest.mark.parametrize('number', [math.inf, -math.inf])
    def test_a_broken_one_stops(self, number):
        with pytest.raises(Stop, match='out_of_distribution'):
            self.at(number)

    def test_a_module_without_the_figure_is_not_limited(self):
        left, reason = self.at(math.nan)
        assert left.values.tolist() == [0.6, 0.0] and not reason
        with pytest.raises(Stop):
            self.at(math.nan, v=math.nan)

    def test_without_a_plan_nobody_knows(self):
        with pytest.raises(Stop, match='no plan'):
            self.rule.limit(command(0.1), situation(plan=None))
