# SPDX-License-Identifier: Apache-2.0
"""After a jump of the clock nothing moves for a while."""

import math

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.clock import ClockJump
import pytest
from rule_contract import around, command, memory, ns, RuleContract, situation, STEADY


class TestClock(RuleContract):

    rule = ClockJump(0.1, 0.5)

    def at(self, *jumps):
        seen = situation(memory=memory(jumps=tuple((STEADY - ns(ago), jump)
                                                   for ago, jump in jumps)))
        return self.rule.limit(command(0.1), seen)

    @pytest.mark.parametrize('sign', [1, -1])
    @pytest.mark.parametrize('jump', around(0.1))
    def test_how_far(self, jump, sign):
        if jump <= 0.1:
            assert self.at((0.0, sign * jump)).reason == ''
        else:
            with pytest.raises(Stop, match=r'the clock jumped by [+-]0.* s 0.000 s ago, limit 0'):
                self.at((0.0, sign * jump))

    @pytest.mark.parametrize('ago', [0.0, 0.4, 0.5, 0.500000001, 1.0])
    def test_how_long(self, ago):
        if ago > 0.5:
            assert self.at((ago, 9.0)).reason == ''
        else:
            with pytest.raises(Stop, match='jumped'):
                self.at((5.0, 9.0), (ago, 9.0), (0.0, 0.05))

    def test_what_is_no_number_is_a_jump(self):
        with pytest.raises(Stop, match='nan'):
            self.at((0.1, math.nan))
