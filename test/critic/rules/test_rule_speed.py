# SPDX-License-Identifier: Apache-2.0
"""Too fast becomes as fast as allowed, on the same curve."""

from ami_ros.critic.rules.speed import Speed
import pytest
from rule_contract import around, command, RuleContract, situation


class TestSpeed(RuleContract):

    rule = Speed(0.5, 1.0)

    @pytest.mark.parametrize('sign', [1, -1])
    @pytest.mark.parametrize('speed', around(0.5))
    def test_forward(self, speed, sign):
        left, reason = self.rule.limit(command(sign * speed), situation())
        assert left.values.tolist() == pytest.approx([sign * min(speed, 0.5), 0])
        assert bool(reason) == (speed > 0.5)

    @pytest.mark.parametrize('sign', [1, -1])
    @pytest.mark.parametrize('turn', around(1.0))
    def test_turning(self, turn, sign):
        left, reason = self.rule.limit(command(0, sign * turn), situation())
        assert left.values.tolist() == pytest.approx([0, sign * min(turn, 1.0)])
        assert bool(reason) == (turn > 1.0)

    @pytest.mark.parametrize(('v', 'w', 'share'), [(1.0, 1.0, 0.5), (0.5, -4.0, 0.25),
                                                   (-2.0, 2.0, 0.25), (0.4, 2.0, 0.5)])
    def test_keeps_the_curve(self, v, w, share):
        left, _ = self.rule.limit(command(v, w), situation())
        assert left.values == pytest.approx([v * share, w * share])

    def test_huge_numbers(self):
        left, reason = self.rule.limit(command(1e300, -1e300), situation())
        assert left.values == pytest.approx([0.5, -0.5])
        assert 'beyond 0.500 m/s, 1.000 rad/s' in reason
