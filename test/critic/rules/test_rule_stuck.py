# SPDX-License-Identifier: Apache-2.0
"""Where it does not move it stops pushing, and may leave another way."""

from ami_ros.core.types import Track
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.stuck import Stuck
import pytest
from rule_contract import around, command, memory, ns, RuleContract, situation, STEADY


class TestStuck(RuleContract):

    rule = Stuck(1.5, 0.1, 0.5, 0.2)

    def after(self, v=0.3, w=0.0, told_m=0.0, told_rad=0.0, moved_m=0.0, moved_rad=0.0, ago=1.0):
        tracks = (Track(STEADY - ns(3), -9.0, -9.0, 0.0, 0.0),
                  Track(STEADY - ns(ago), 1.0, 1.0, 1.0, 1.0),
                  Track(STEADY, 1 + told_m, 1 + told_rad, 1 + moved_m, 1 + moved_rad))
        return self.rule.limit(command(v, w), situation(memory=memory(tracks=tracks)))

    def stops(self, match='of .* commanded within 1.5 s it moved', **past):
        with pytest.raises(Stop, match=match):
            self.after(**past)

    @pytest.mark.parametrize('told', [0.05, 0.09999, 0.10001, 0.3])
    def test_how_far_it_was_told(self, told):
        if told < 0.1:
            assert self.after(told_m=told).reason == ''
            assert self.after(told_rad=5 * told, w=1.0).reason == ''
        else:
            self.stops(told_m=told)
            self.stops(told_rad=5 * told, w=1.0)

    @pytest.mark.parametrize('moved', [share for share in around(0.2) if abs(share - 0.2) > 1e-9])
    def test_how_little_it_moved(self, moved):
        if moved > 0.2:
            assert self.after(told_m=0.4, moved_m=0.4 * moved).reason == ''
        else:
            self.stops('of 0.400 m .* 20% are needed', told_m=0.4, moved_m=0.4 * moved)

    @pytest.mark.parametrize(('told', 'moved', 'stuck'), [
        (0.125, 0.0, True), (0.125, 0.03125, False), (0.12499, 0.0, False)])
    def test_just_so(self, told, moved, stuck):
        """Numbers that a float says exactly."""
        tracks = (Track(STEADY - ns(1), 0.0, 0.0, 0.0, 0.0), Track(STEADY, told, 0.0, moved, 0.0))
        asked = command(0.1), situation(memory=memory(tracks=tracks))
        rule = Stuck(1.5, 0.125, 0.5, 0.25)
        if stuck:
            with pytest.raises(Stop):
                rule.limit(*asked)
        else:
            assert rule.limit(*asked).reason == ''

    @pytest.mark.parametrize('sign', [1, -1])
    def test_only_the_way_that_was_pushed_is_forbidden(self, sign):
        self.stops(told_m=sign * 0.3, v=sign * 0.1)
        for v, w in ((-0.1, 0.0), (0.0, 0.0), (0.0, 1.0)):
            assert self.after(told_m=sign * 0.3, v=sign * v, w=w).reason == ''
        self.stops(told_rad=sign * 1.0, w=sign * 0.1, v=0.0)
        assert self.after(told_rad=sign * 1.0, w=-sign * 0.1).reason == ''

    @pytest.mark.parametrize('ago', [1.49, 1.5, 1.51])
    def test_after_a_while_it_tries_again(self, ago):
        if ago > 1.5:
            assert self.after(told_m=0.3, ago=ago).reason == ''
        else:
            self.stops(told_m=0.3, ago=ago)
