# SPDX-License-Identifier: Apache-2.0
"""What is near forbids the motions that make it worse, and only those."""

import math

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.stop_zone import StopZone
import numpy as np
import pytest
from rule_contract import (
    around,
    BOX,
    BROKEN,
    command,
    memory,
    NOW,
    ns,
    odometry,
    points,
    RuleContract,
    scan,
    SIGHT,
    situation,
)

FRONT, SIDE = BOX.half_length_m, BOX.half_width_m
STOP, BESIDE = 0.05, 0.02
ALL = {'ahead': (0.3, 0), 'back': (-0.3, 0), 'left': (0, 1), 'right': (0, -1),
       'ahead left': (0.3, 1), 'ahead right': (0.3, -1), 'back left': (-0.3, 1),
       'back right': (-0.3, -1)}


def wall_ahead(gap: float):
    return points(*((FRONT + gap, y) for y in np.linspace(-1, 1, 101)))


def wall_on_the_left(gap: float):
    return points(*((x, SIDE + gap) for x in np.linspace(-1, 1, 101)))


class TestStopZone(RuleContract):

    rule = StopZone(BOX, STOP, BESIDE, 0.03, SIGHT)

    def allowed(self, **changes) -> set[str]:
        free = set()
        for name, (v, w) in ALL.items():
            try:
                self.rule.limit(command(v, w), situation(**changes))
                free.add(name)
            except Stop:
                pass
        return free

    @pytest.mark.parametrize('sign', [1, -1])
    @pytest.mark.parametrize('gap', [g for g in around(STOP) if g > 0 and g != STOP])
    def test_boundary(self, gap, sign):
        seen = situation(scan=points((sign * (FRONT + gap), 0.03)))
        if abs(gap - STOP) <= 2e-6:
            return      # closer to the limit than the sweep is exact
        if gap > STOP:
            assert self.rule.limit(command(sign * 0.01), seen).reason == ''
        else:
            with pytest.raises(Stop, match='limit 0.050 m'):
                self.rule.limit(command(sign * 0.01), seen)

    @pytest.mark.parametrize('gap', around(BESIDE))
    def test_driving_past(self, gap):
        seen = situation(scan=points((FRONT + 0.01, SIDE + gap)))
        if gap >= BESIDE:
            self.rule.limit(command(0.6), seen)
        elif gap < BESIDE - 2e-6:
            with pytest.raises(Stop):
                self.rule.limit(command(0.6), seen)

    def test_nothing_near_allows_everything(self):
        assert self.allowed() == set(ALL)

    @pytest.mark.parametrize('gap', [-0.01, 0.0, 0.01, 0.03])
    def test_against_a_wall_it_may_back_off(self, gap):
        assert self.allowed(scan=wall_ahead(gap)) >= {'back'}
        assert not self.allowed(scan=wall_ahead(gap)) & {'ahead', 'ahead left', 'ahead right'}

    def test_between_stop_and_touch_it_may_back_off_on_a_curve(self):
        assert self.allowed(scan=wall_ahead(0.03)) >= {'back', 'back left', 'back right'}

    @pytest.mark.parametrize('gap', [0.015, 0.03])
    def test_beside_a_wall_it_may_drive_along(self, gap):
        assert self.allowed(scan=wall_on_the_left(gap)) >= {'ahead', 'back'}

    def test_turning_sweeps_the_corners(self):
        seen = {'scan': wall_on_the_left(0.025)}
        assert not self.allowed(**seen) & {'left', 'right'}

    @pytest.mark.parametrize('bearing', np.linspace(0, 2 * math.pi, 24, endpoint=False))
    def test_a_point_out_of_the_corners_reach_is_no_reason_not_to_turn(self, bearing):
        r = BOX.radius_m + BESIDE + 1e-4
        seen = points((r * math.cos(bearing), r * math.sin(bearing)))
        assert self.allowed(scan=seen) >= {'left', 'right'}

    def test_a_corner_that_turns_away_may(self):
        # just ahead of the right front corner, which turning left pushes forward
        seen = points((FRONT + 0.025, -SIDE + 0.01))
        assert 'left' not in self.allowed(scan=seen)
        assert 'right' in self.allowed(scan=seen)

    def test_a_dead_end_has_a_way_out(self):
        left, ahead = wall_on_the_left(0.03), wall_ahead(0.03)
        z = [r * np.exp(1j * a) for s in (left, ahead) for r, a in zip(s.ranges, s.angles,
                                                                         strict=True) if r < 9]
        z = [p for p in z if p.real <= FRONT + 0.031 and abs(p.imag) <= SIDE + 0.031]
        z += [p.conjugate() for p in z]
        seen = scan(np.abs(z), angles=np.angle(z))
        assert self.allowed(scan=seen) == {'back'}

    def test_the_reason_has_value_and_limit(self):
        with pytest.raises(Stop, match='is 0.040 m ahead of this motion, limit 0.050 m'):
            self.rule.limit(command(0.1), situation(scan=wall_ahead(0.04)))

    @pytest.mark.parametrize('gap', around(STOP + 0.03))
    def test_once_it_stopped_more_must_be_free(self, gap):
        """Towards the same side alone; whoever backs off and turns is as free as before."""
        free = self.allowed(scan=points((FRONT + gap, 0.0)), memory=memory(
            standing=(('stop_zone', (0.2, 0.0)),)))
        assert abs(gap - STOP - 0.03) < 1e-5 or ('ahead' in free) == (gap > STOP + 0.03)
        assert {'back', 'back left', 'back right'} <= free
        for other in (('stop_zone', (-0.2, 0.0)), ('time_to_collision', (0.2, 0.0))):
            assert gap < STOP + 1e-5 or 'ahead' in self.allowed(
                scan=points((FRONT + gap, 0.0)), memory=memory(standing=(other,)))

    def test_moving_towards_it_counts_what_the_scan_did_not_see_yet(self):
        seen = points((FRONT + 0.10, 0))
        assert 'ahead' in self.allowed(scan=seen)
        # 0.6 m/s goes on for the lag of 0.08 s: 0.048 m, then the gap is 0.052 m
        assert 'ahead' in self.allowed(scan=seen, odometry=odometry(0.6),
                                       last=command(0.6))
        assert 'ahead' not in self.allowed(scan=seen, odometry=odometry(0.65),
                                           last=command(0.65))
        old = points((FRONT + 0.10, 0))
        old = scan(old.ranges, angles=old.angles, stamp_ns=NOW - ns(0.1))
        assert 'ahead' not in self.allowed(scan=old, odometry=odometry(0.3), last=command(0.3))

    def test_a_lidar_that_sits_elsewhere(self):
        seen = points((0.05, 0.0))
        seen = scan(seen.ranges, angles=seen.angles, mount=(0.0, FRONT, math.pi / 2))
        free = self.allowed(scan=seen)      # 0.05 ahead of a lidar that looks left: to the left
        assert 'ahead' in free and 'left' in free
        seen = scan(seen.ranges, angles=seen.angles, mount=(FRONT, 0.0, 0.0))
        near = scan(seen.ranges - 0.01, angles=seen.angles, mount=(FRONT, 0.0, 0.0))
        assert 'ahead' not in self.allowed(scan=near)

    @pytest.mark.parametrize('missing', ['scan', 'odometry'])
    def test_alone_without_an_input_it_stops(self, missing):
        with pytest.raises(Stop, match=f'no {missing}'):
            self.rule.limit(command(0.1), situation(**{missing: None}))

    @pytest.mark.parametrize('number', BROKEN)
    def test_alone_on_broken_inputs_it_stops(self, number):
        for changes in ({'odometry': odometry(number)}, {'last': command(number)},
                        {'scan': scan(mount=(number, 0.0, 0.0))},
                        {'scan': scan(np.full(180, math.nan))}):
            with pytest.raises(Stop):
                self.rule.limit(command(0.1), situation(**changes))
