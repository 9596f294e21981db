# SPDX-License-Identifier: Apache-2.0
"""Towards what is near it goes slowly."""

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.slow_zone import SlowZone
import pytest
from rule_contract import around, BOX, command, memory, points, RuleContract, SIGHT, situation

FRONT = BOX.centre.real + BOX.half_length_m


class TestSlowZone(RuleContract):

    rule = SlowZone(BOX, 0.5, 0.02, 0.5, 0.6, 1.5, 0.05, SIGHT)

    def at(self, x, y, v, w=0.0):
        return self.rule.limit(command(v, w), situation(scan=points((x, y))))

    @pytest.mark.parametrize('away', [0.1, 0.4, 0.519, 0.521, 0.6, 3.0])
    def test_how_near(self, away):
        left, reason = self.at(FRONT + away, 0.0, 0.6)
        near = away < 0.52
        assert left.values.tolist() == pytest.approx([0.3 if near else 0.6, 0])
        assert bool(reason) == near
        if near:
            assert f'{away - 0.02:.3f} m ahead of this motion, slower within 0.500' in reason

    @pytest.mark.parametrize('away', [0.521, 0.569, 0.571])
    def test_once_it_is_slow_more_must_be_free(self, away):
        seen = {'scan': points((FRONT + away, 0.0))}
        stood = memory(standing=(('slow_zone', (0.6, 0.0)),))
        left, reason = self.rule.limit(command(0.6), situation(**seen, memory=stood))
        assert left.values[0] == (0.3 if away < 0.57 else 0.6)
        assert away > 0.57 or 'slower within 0.550' in reason
        assert self.rule.limit(command(0.6), situation(**seen)).reason == ''

    @pytest.mark.parametrize('v', around(0.3))
    def test_a_slow_command_is_left_alone(self, v):
        assert self.at(FRONT + 0.2, 0.0, v).command.values[0] == pytest.approx(min(v, 0.3))

    @pytest.mark.parametrize(('x', 'y', 'v', 'w'), [
        (FRONT + 0.2, 0.0, -0.6, 0.0), (FRONT + 0.2, 0.4, 0.6, 0.0), (0.0, 0.3, -0.6, 0.0)])
    def test_away_and_past_is_as_fast_as_ever(self, x, y, v, w):
        left, reason = self.at(x, y, v, w)
        assert left.values.tolist() == [v, w] and reason == ''

    def test_keeps_the_curve(self):
        assert self.at(FRONT + 0.1, 0.0, 0.4, 1.2).command.values == pytest.approx([0.25, 0.75])

    def test_without_a_scan_it_cannot_say(self):
        with pytest.raises(Stop, match='no scan has come'):
            self.rule.limit(command(0.1), situation(scan=None))
