# SPDX-License-Identifier: Apache-2.0
"""Forbidden areas stay empty, and a robot in one may leave."""

from dataclasses import replace
import math

from ami_ros.core.settings import build
from ami_ros.critic.footprint_sweep import seen_after
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules import fence
from ami_ros.critic.rules.fence import corners, Fence, FenceParams, inside, outline
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from rule_contract import (
    BOX,
    BROKEN,
    command,
    NOW,
    ns,
    NUMBERS,
    odometry,
    ROBOT,
    RuleContract,
    situation,
    STEADY,
    STRICT,
)

FRONT = BOX.centre.real + BOX.half_length_m
FLOOR = ((-3.0, -3.0), (3.0, -3.0), (3.0, 3.0), (-3.0, 3.0))
STAIRS = ((1.0, -1.0), (2.0, -1.0), (2.0, 1.0), (1.0, 1.0))
WAY_M = 0.3 * 0.18 + 0.3**2 / 3.0       # reaction, lag and braking from 0.3 m/s


class TestFence(RuleContract):

    rule = Fence(BOX, 'odom', (STAIRS,), FLOOR, 0.05, 0.18, 1.5, 0.25, 0.05)

    def at(self, x, v, w=0.0, y=0.0, yaw=0.0, **changes):
        seen = situation(odometry=odometry(pose=np.array([x, y, yaw]), **changes))
        return self.rule.limit(command(v, w), seen)

    @pytest.mark.parametrize('short', [-0.2, -0.01, -1e-4, 1e-4, 0.01, 0.03])
    def test_it_ends_braking_at_the_margin(self, short):
        """From 0.3 m/s; nearer it is slower, and stops at last."""
        left, reason = self.at(1.0 - FRONT - 0.05 - WAY_M + short, 0.3)
        assert left.values[0] == (0.3 if short < 0 else 0.15) and bool(reason) == (short > 0)

    @pytest.mark.parametrize(('x', 'y', 'yaw', 'good', 'bad'), [
        (1.0 - FRONT - 0.05, 0.0, 0.0, -0.1, 0.1), (3.0 - FRONT - 0.04, 2.0, 0.0, -0.1, 0.1),
        (0.0, -3.0 + FRONT + 0.03, -math.pi / 2, -0.1, 0.1), (1.2, 0.0, 0.0, -0.1, 0.1),
        (1.2, 0.0, math.pi, 0.1, -0.1), (3.2, 2.0, 0.0, -0.1, 0.1)])
    def test_it_may_leave_and_not_go_on(self, x, y, yaw, good, bad):
        assert self.at(x, good, y=y, yaw=yaw).reason == ''
        with pytest.raises(Stop, match='brings it nearer'):
            self.at(x, bad, y=y, yaw=yaw)

    def test_turning_swings_a_corner_in(self):
        with pytest.raises(Stop, match='nearer'):
            self.at(1.0 - FRONT - 0.05, 0.0, 0.5)
        assert self.at(0.6, 0.0, 0.5).reason == ''

    @pytest.mark.parametrize('changes', [{'frame': 'map'}, {'frame': ''}])
    def test_without_that_frame_nobody_knows(self, changes):
        with pytest.raises(Stop, match="frame 'odom', and nobody says where .*: odom is in"):
            self.at(0.0, 0.1, **changes)
        with pytest.raises(Stop, match='nobody says .*: no odometry has come'):
            self.rule.limit(command(0.1), situation(odometry=None))

    @pytest.mark.parametrize('number', BROKEN)
    def test_a_broken_place_stops(self, number):
        with pytest.raises(Stop, match='not finite'):
            self.at(number, 0.1)

    @pytest.mark.parametrize('changes', [{'stamp_ns': NOW - ns(0.26)},
                                         {'received_steady_ns': STEADY + ns(0.06)}])
    def test_an_old_place_stops(self, changes):
        with pytest.raises(Stop, match='odom is'):
            self.at(0.0, 0.1, **changes)

    def test_without_areas_all_is_free(self):
        assert replace(self.rule, keep_out=(), stay_in=()).limit(
            command(0.6), situation()).reason == ''

    @settings(max_examples=200, deadline=None)
    @given(st.floats(-2.7, 2.7), st.floats(-2.7, 2.7), st.floats(-3.2, 3.2), st.floats(-0.6, 0.6),
           st.floats(-1.5, 1.5))
    def test_what_it_lets_through_ends_outside(self, x, y, yaw, v, w):
        """Where braking has ended it is no nearer than the margin, or than now."""
        try:
            v, w = self.at(x, v, w, y=y, yaw=yaw).command.values
        except Stop:
            return
        lasts = 0.18 + max(abs(v), abs(w) * BOX.radius_m) / 3.0
        here = complex(x, y) + outline(BOX) * np.exp(1j * yaw)
        for part in np.linspace(0, 1, 30):
            moved = -seen_after(np.zeros(1), v * lasts * part, w * lasts * part)
            turn = np.exp(1j * w * lasts * part)
            there = complex(x, y) + (moved * turn + outline(BOX) * turn) * np.exp(1j * yaw)
            assert self.rule.depth(there) <= max(-0.05, self.rule.depth(here)) + 0.003


@pytest.mark.parametrize(('x', 'y', 'away'), [
    (1.5, 0.0, 0.5), (1.0, 0.0, 0.0), (0.5, 0.0, -0.5), (3.0, 2.0, -math.sqrt(2)),
    (1.9, 0.9, 0.1), (1.5, 1.5, -0.5), (1.5, -1.0, 0.0)])
def test_inside_and_outside(x, y, away):
    assert abs(inside(np.array([complex(x, y)]), STAIRS)[0]) == pytest.approx(abs(away), abs=1e-9)
    if away:
        assert np.sign(inside(np.array([complex(x, y)]), STAIRS[::-1])[0]) == np.sign(away)


@pytest.mark.parametrize('polygon', [7, (), ((0.0, 0.0), (1.0, 1.0)), ((0, 0, 0),) * 3, 'abc',
                                     ((0.0, 0.0), (1.0, 1.0), (math.nan, 0.0)), ((1,), (1, 2), 3)])
def test_what_is_no_polygon(polygon):
    with pytest.raises(ValueError, match='is no polygon; it needs three or more corners'):
        corners(polygon)
    with pytest.raises(ValueError, match='no polygon'):
        FenceParams(frame='odom', keep_out=(polygon,), stay_in=(), fence_margin_m=0.1)


def test_its_numbers():
    with pytest.raises(ValueError, match='frame is empty'):
        FenceParams(frame='', keep_out=(), stay_in=(), fence_margin_m=0.1)
    with pytest.raises(ValueError, match='no polygon'):
        FenceParams(frame='odom', keep_out=(), stay_in=((0.0, 1.0),), fence_margin_m=0.1)
    made = fence.make(STRICT.rules['fence'], NUMBERS, ROBOT)
    assert made.stay_in == ((-20.0, -20.0), (20.0, -20.0), (20.0, 20.0), (-20.0, 20.0))
    assert made.ahead_s == NUMBERS.reaction_s + ROBOT.actuation_lag_s


def test_the_outline_is_dense():
    points = outline(BOX)
    assert np.abs(points - np.roll(points, -1)).max() <= 0.0200001
    assert np.abs(BOX.gap(points)).max() < 1e-9


def test_more_corners_than_can_be_judged_in_time_are_refused():
    square = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    numbers = {'frame': 'odom', 'fence_margin_m': 0.1}
    FenceParams(keep_out=(square,) * 25, stay_in=(), **numbers)
    for keep_out, stay_in in (((square,) * 25, square), ((square,) * 26, ())):
        with pytest.raises(ValueError, match='have 104 corners together; at most 100 can be'):
            FenceParams(keep_out=keep_out, stay_in=stay_in, **numbers)


def test_a_list_that_holds_itself_or_is_nested_without_end_is_one_sentence():
    endless, deep = [], []
    endless.append(endless)
    for _ in range(5000):
        deep = [deep]
    for keep_out in (endless, deep):
        with pytest.raises(ValueError, match='^here: a list in it is nested too deeply, or holds '
                                             'itself$'):
            build(FenceParams, {'frame': 'odom', 'keep_out': keep_out, 'stay_in': [],
                                'fence_margin_m': 0.1}, 'here')
