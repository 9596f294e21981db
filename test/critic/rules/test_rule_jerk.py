# SPDX-License-Identifier: Apache-2.0
"""Speed is gained without a jolt, and lost freely."""

from ami_ros.core.types import Command
from ami_ros.critic.rules.jerk import Jerk
import numpy as np
import pytest
from rule_contract import around, command, memory, NOW, ns, RuleContract, situation


def at(values, ago):
    return Command(np.array(values, float), NOW - ns(ago))


class TestJerk(RuleContract):

    rule = Jerk(10.0, 40.0)

    def left(self, v, w=0.0, last=(0.0, 0.0), before=None, passed=0.1, took=0.1):
        older = None if before is None else at(before, passed + took)
        seen = situation(last=at(last, passed), memory=memory(before=older))
        return self.rule.limit(command(v, w), seen)

    @pytest.mark.parametrize('v', around(0.1))
    def test_from_rest(self, v):
        for sign in (1, -1):
            answer = self.left(sign * v)
            assert answer.command.values[0] == pytest.approx(sign * min(v, 0.1))
            assert ('jolt' in answer.reason) == (abs(answer.command.values[0]) < v)
        assert self.left(0.0, 4 * v).command.values[1] == pytest.approx(min(4 * v, 0.4))

    @pytest.mark.parametrize(('last', 'before', 'most'), [
        (0.2, 0.1, 0.4), (0.2, 0.2, 0.3), (0.2, 0.3, 0.3), (0.2, None, 0.3), (0.2, 0.0, 0.5),
        (0.2, -0.4, 0.5), (-0.2, -0.1, 0.1)])
    def test_what_was_gained_may_go_on(self, last, before, most):
        got = self.left(9.0, last=(last, 0.0), before=None if before is None else (before, 0.0))
        assert got.command.values[0] == pytest.approx(most)

    @pytest.mark.parametrize(('passed', 'most'), [(0.0, 0.2), (-1.0, 0.2), (0.05, 0.225),
                                                  (0.1, 0.3), (5.0, 0.3)])
    def test_time_is_ros_time_and_bounded(self, passed, most):
        got = self.left(9.0, last=(0.2, 0.0), before=(0.2, 0.0), passed=passed)
        assert got.command.values[0] == pytest.approx(most)

    def test_no_time_before_is_no_slope(self):
        got = self.left(9.0, last=(0.2, 0.0), before=(0.0, 0.0), took=0.0)
        assert got.command.values[0] == pytest.approx(0.3)

    @pytest.mark.parametrize('v', [0.2, 0.1, 0.0])
    def test_losing_is_free(self, v):
        left, reason = self.left(v, last=(0.2, 0.0))
        assert left.values.tolist() == [v, 0.0] and reason == ''
