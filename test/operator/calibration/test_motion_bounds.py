# SPDX-License-Identifier: Apache-2.0
"""Motions stay within what they say, and the room that they ask for holds them."""

import math

from ami_ros.operator.calibration import motions
from ami_ros.operator.calibration.motions import Base, Motion, MotionSegment, room
import pytest

ROVER = Base(0.6, 1.5, 0.08, 1.5, 0.2)
ALL = {'dashes': [m for share in (0.4, 0.7, 1.0) for m in motions.dashes(ROVER, share)],
       'steps': motions.steps(ROVER),
       'there_and_back': motions.there_and_back(ROVER, 1.0), 'turns': motions.turns(ROVER, 2),
       'glances': motions.glances(ROVER),
       'quarter': [motions.quarter(ROVER)]}


def driven(motion, lag_s=0.08):
    """Highest and lowest way and turn of a base that obeys with a dead time, cut where due."""
    at, told, dt, seen = {'v': 0.0, 'w': 0.0}, [(0.0, 0.0)] * round(lag_s / 0.01), 0.01, []
    for leg in motion.legs:
        for _ in range(round(leg.seconds / dt)):
            sign = math.copysign(1.0, leg.v_mps or leg.w_radps)
            if leg.until is not None and sign * (at[leg.axis] - leg.until) >= 0:
                break
            told.append((leg.v_mps, leg.w_radps))
            v, w = told.pop(0)
            at = {'v': at['v'] + v * dt, 'w': at['w'] + w * dt}
            seen.append((at['v'], at['w']))
    ways, turned = zip(*seen)
    return max(ways), -min(ways), max(turned), -min(turned)


@pytest.mark.parametrize('motion', [m for each in ALL.values() for m in each],
                         ids=lambda m: m.says)
def test_a_base_that_obeys_stays_within_bounds_and_ends_at_rest(motion):
    assert motion.legs[-1].v_mps == motion.legs[-1].w_radps == 0.0
    for leg in motion.legs:
        assert abs(leg.v_mps) <= ROVER.speed_mps and abs(leg.w_radps) <= ROVER.turn_radps
        assert not (leg.v_mps and leg.w_radps)
    for reached, allowed in zip(driven(motion), motion.bounds(ROVER)):
        assert reached <= allowed


def test_slow_ones_come_first():
    for each in ALL.values():
        fastest = [max(abs(leg.v_mps) + abs(leg.w_radps) for leg in m.legs) for m in each]
        for axis in ('v', 'w'):
            of_axis = [f for f, m in zip(fastest, each) if m.legs[0].axis == axis]
            assert of_axis[::2] == sorted(of_axis[::2])


def test_the_room_is_what_the_fastest_takes_and_the_stop_after_it():
    ahead, behind = room(ALL['dashes'], ROVER)
    v, hold = 0.6, ROVER.settle_s + 0.4
    assert ahead == pytest.approx(1.25 * v * hold + v * 0.28 + v**2 / 3 + 0.3)
    assert behind == pytest.approx(v * 0.28 + v**2 / 3 + 0.3)
    assert room(ALL['turns'], ROVER) == (0.3, 0.3)
    slower = Base(0.6, 1.5, 0.3, 0.5, 0.2)
    assert room(list(motions.dashes(slower, 1.0)), slower)[0] > ahead + 0.5


def test_the_way_back_needs_no_room_of_its_own():
    there, back = ALL['there_and_back']
    ahead, behind = room([there, back], ROVER)
    assert ahead == room([there], ROVER)[0]
    assert behind < 0.8 < room([back], ROVER)[1]


def test_a_leg_says_its_axis_and_where_it_leads():
    assert (MotionSegment(0.0, 1.0, 2.0).axis, MotionSegment(0.3, 0.0, 2.0).axis) == ('w', 'v')
    there_and_further_back = Motion('',
                                    (MotionSegment(0.2, 0.0, 1.0), MotionSegment(-0.2, 0.0, 3.0)))
    ahead, behind, left, right = there_and_further_back.bounds(ROVER)
    assert behind > ahead and left == right == pytest.approx(0.5)
