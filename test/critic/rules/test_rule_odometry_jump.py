# SPDX-License-Identifier: Apache-2.0
"""Odometry that leaps is none for a while."""

from dataclasses import replace
import math

from ami_ros.core.types import OdometryStep
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.odometry_jump import OdometryJump
import pytest
from rule_contract import around, command, memory, ns, RuleContract, situation, STEADY


class TestLeap(RuleContract):

    rule = OdometryJump(0.2, 20.0, 0.5, 0.6, 1.5)

    def after(self, moved_m=0.0, degrees=0.0, passed_s=0.025, ago=0.0):
        steps = (OdometryStep('odom', STEADY, 0.025, 0.0, 0.0),
                 OdometryStep('odom', STEADY - ns(ago), passed_s, moved_m, math.radians(degrees)))
        return self.rule.limit(command(0.1), situation(memory=memory(leaps=steps)))

    def stops(self, match='the odom leapt by', **leap):
        with pytest.raises(Stop, match=match):
            self.after(**leap)

    @pytest.mark.parametrize('passed', [0.0, 0.025, 0.5])
    @pytest.mark.parametrize('over', around(0.0))
    def test_how_far(self, over, passed):
        most = 2 * 0.6 * passed + 0.2
        if over <= 0 or most + over == most:
            assert self.after(moved_m=most + over, passed_s=passed).reason == ''
        else:
            self.stops(moved_m=most + over, passed_s=passed)

    @pytest.mark.parametrize('over', [-5.0, -1e-6, 1e-6, 5.0])
    def test_how_far_round(self, over):
        most = math.degrees(2 * 1.5 * 0.025) + 20
        if over <= 0:
            assert self.after(degrees=most + over).reason == ''
        else:
            self.stops(degrees=most + over)

    def test_just_so_far_round(self):
        assert math.degrees(math.radians(20.0)) == 20.0
        assert self.after(degrees=20.0, passed_s=0.0).reason == ''

    @pytest.mark.parametrize('ago', [0.0, 0.5, 0.500000001, 3.0])
    def test_how_long(self, ago):
        if ago > 0.5:
            assert self.after(1.5, ago=ago).reason == ''
        else:
            self.stops('limits 0.230 m, 24.3 degrees', moved_m=1.5, ago=ago)

    def test_one_leap_among_several_steps_stops_wherever_it_is(self):
        leap, fine = OdometryStep('odom', STEADY, 0.025, 1.5, 0.0), OdometryStep('odom', STEADY,
                                                                                 0.025, 0.1, 0.0)
        for steps in ((leap, fine, fine), (fine, leap, fine), (fine, fine, leap)):
            with pytest.raises(Stop, match='leapt by 1.500 m'):
                self.rule.limit(command(0.1), situation(memory=memory(leaps=steps)))

    @pytest.mark.parametrize(('count', 'step', 'said'), [
        (2, (0.13, 0.0), ''), (3, (0.13, 0.0), 'odometry leapt by 0.300 m, 0.0 degrees'),
        (40, (0.03, 4.0), ''), (2, (0.0, 14.29), ''),
        (3, (0.0, 14.29), 'odometry leapt by 0.000 m, 30.0 degrees')])
    @pytest.mark.parametrize('latches', [False, True])
    def test_small_leaps_add_up(self, count, step, said, latches):
        """Each of them ends the comparisons of odometry over time."""
        steps = (OdometryStep('odom', STEADY, 0.025, step[0], math.radians(step[1])),) * count
        rule = replace(self.rule, latches=latches)
        old = tuple(replace(one, steady_ns=STEADY - ns(0.6)) for one in steps) * 9
        seen = situation(memory=memory(leaps=steps + old))
        if not said:
            assert rule.limit(command(0.1), seen).reason == ''
            return
        with pytest.raises(Stop, match=f'^{said} in small leaps within 0.500 s; limits 0.200 m, '
                                       '20.0 degrees$') as why:
            rule.limit(command(0.1), seen)
        assert why.value.latch == latches

    @pytest.mark.parametrize('latches', [False, True])
    def test_beside_a_fence_it_latches(self, latches):
        step = OdometryStep('odom', STEADY, 0.025, 1.5, 0.0)
        with pytest.raises(Stop) as why:
            replace(self.rule, latches=latches).limit(
                command(0.1), situation(memory=memory(leaps=(step,))))
        assert why.value.latch == latches

    def test_what_is_no_number_is_a_leap(self):
        self.stops('nan', moved_m=math.nan)
        self.stops('nan', degrees=math.nan)
