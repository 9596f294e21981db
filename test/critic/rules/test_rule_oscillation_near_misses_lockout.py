# SPDX-License-Identifier: Apache-2.0
"""Too much to and fro, too many near misses, too many stops."""

from dataclasses import replace

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.near_misses import NearMisses
from ami_ros.critic.rules.oscillation import Oscillation
from ami_ros.critic.rules.stop_rate_lockout import StopRateLockout
import pytest
from rule_contract import around, command, memory, ns, RuleContract, situation, STEADY


def ago(*seconds):
    return tuple(STEADY - ns(s) for s in seconds)


class TestOscillation(RuleContract):

    rule = Oscillation(5, 10.0)

    @pytest.mark.parametrize('count', [0, 4, 5, 6, 50])
    def test_how_often(self, count):
        seen = situation(memory=memory(reversals=ago(*(10 * i / 50 for i in range(count)), 10.1)))
        if count <= 5:
            assert self.rule.limit(command(0.1), seen).reason == ''
        else:
            with pytest.raises(Stop, match=f'its direction {count} times within 10.0 s, limit 5'):
                self.rule.limit(command(0.1), seen)


class TestStops(RuleContract):

    rule = StopRateLockout(3)

    @pytest.mark.parametrize('late', [59.9, 60.0, 60.001])
    def test_within_a_minute(self, late):
        seen = situation(memory=memory(stops=ago(late, 3, 2, 1)))
        if late > 60:
            assert self.rule.limit(command(0.1), seen).reason == ''
        else:
            with pytest.raises(Stop, match='stopped it 4 times within a minute, limit 3') as stop:
                self.rule.limit(command(0.1), seen)
            assert stop.value.latch


class TestNearMisses(RuleContract):

    rule = NearMisses(0.1, 2, 30.0, 0.5, 0.6, 1.5)

    def after(self, *misses, v=0.6):
        past = memory(misses=tuple((STEADY - ns(when), speed) for when, speed in misses))
        return self.rule.limit(command(v), situation(memory=past))

    @pytest.mark.parametrize('speed', around(0.1))
    def test_how_fast(self, speed):
        left, reason = self.after((1, 0.3), (2, 0.3), (3, speed))
        assert left.values[0] == pytest.approx(0.3 if speed >= 0.1 else 0.6)
        assert ('3 near misses within 30 s, limit 2' in reason) == (speed >= 0.1)

    @pytest.mark.parametrize('late', [29.9, 30.0, 30.001])
    def test_how_lately(self, late):
        assert bool(self.after((1, 0.3), (2, 0.3), (late, 0.3)).reason) == (late <= 30)

    def test_no_share_is_a_stop(self):
        with pytest.raises(Stop, match='near misses'):
            replace(self.rule, share=0.0).limit(
                command(0.1), situation(memory=memory(misses=((STEADY, 1.0),) * 3)))
