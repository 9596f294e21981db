# SPDX-License-Identifier: Apache-2.0
"""Gaining speed takes its time; losing it does not."""

import math

from ami_ros.core.types import Command
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.acceleration import Acceleration, LONGEST_S
import numpy as np
import pytest
from rule_contract import around, BROKEN, command, NOW, ns, RuleContract, situation


def after(v: float, w: float = 0.0, seconds: float = 0.1):
    """See a situation so long after (v, w) went out."""
    return situation(last=Command(np.array([v, w]), NOW - ns(seconds)))


class TestAcceleration(RuleContract):

    rule = Acceleration(2.0, 5.0)       # 0.2 m/s and 0.5 rad/s in 0.1 s

    def left(self, asked, seen):
        return self.rule.limit(asked, seen).command.values.tolist()

    @pytest.mark.parametrize('sign', [1, -1])
    @pytest.mark.parametrize('speed', around(0.5))
    def test_gaining_speed(self, speed, sign):
        left, reason = self.rule.limit(command(sign * speed), after(sign * 0.3))
        assert left.values.tolist() == pytest.approx([sign * min(speed, 0.5), 0])
        assert bool(reason) == (speed > 0.5)

    @pytest.mark.parametrize('sign', [1, -1])
    @pytest.mark.parametrize('turn', around(0.7))
    def test_gaining_turn(self, turn, sign):
        left, reason = self.rule.limit(command(0, sign * turn), after(0, sign * 0.2))
        assert left.values.tolist() == pytest.approx([0, sign * min(turn, 0.7)])
        assert bool(reason) == (turn > 0.7)

    @pytest.mark.parametrize('speed', [0.0, 0.1, 0.59, 0.6])
    def test_losing_speed_is_free(self, speed):
        assert self.left(command(speed, speed), after(0.6, 1.5)) == [speed, speed]

    def test_a_change_of_direction_starts_from_zero(self):
        assert self.left(command(-0.6, 1.0), after(0.6, -1.0)) == pytest.approx([-0.2, 0.5])

    def test_an_axis_that_gains_leaves_the_other_alone(self):
        assert self.left(command(0.6, 1.5), after(0.6, 0.0)) == pytest.approx([0.6, 0.5])

    @pytest.mark.parametrize(('seconds', 'counted'), [
        (-1.0, 0.0), (-1e-9, 0.0), (0.0, 0.0), (0.05, 0.05), (LONGEST_S, LONGEST_S),
        (LONGEST_S + 1e-9, LONGEST_S), (1e6, LONGEST_S)])
    def test_time(self, seconds, counted):
        assert self.left(command(0.6), after(0.1, 0, seconds)) == pytest.approx(
            [0.1 + 2.0 * counted, 0])

    @pytest.mark.parametrize('number', BROKEN)
    def test_a_broken_memory_stops(self, number):
        with pytest.raises(Stop, match='not finite'):
            self.rule.limit(command(0.1), after(number))

    def test_the_reason_has_value_and_limit(self):
        reason = self.rule.limit(command(0.6), after(0.1)).reason
        assert 'from 0.100 m/s' in reason and 'to 0.600' in reason and '2.000 m/s^2' in reason

    def test_it_reaches_full_speed(self):
        v, steps = 0.0, 0
        while v < 0.6:
            (v, _), steps = self.left(command(0.6), after(v)), steps + 1
        assert steps == math.ceil(0.6 / 0.2)
