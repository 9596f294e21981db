# SPDX-License-Identifier: Apache-2.0
"""What came to where an earlier scan saw through has moved, by so much."""

from dataclasses import replace
import math
import tracemalloc

from ami_ros.core.types import Sighting
from ami_ros.critic import obstacle_tracking
from ami_ros.critic.obstacle_tracking import (
    at,
    between,
    came,
    coming,
    outline,
    seen_through,
    smoothed,
)
import numpy as np
import pytest
from rule_contract import ANGLES, NOW, ns, scan

STEP = 2 * math.pi / 180


def sighting(ranges, ago_s, pose=(0.0, 0.0, 0.0)):
    return Sighting(scan(ranges, stamp_ns=NOW - ns(ago_s)), pose)


def facing(now_m, then_m, beams=9, ago_s=0.25, other_m=2.0):
    """A thing ahead that is so many beams wide: now there, `ago_s` ago elsewhere."""
    def ranges(ahead_m):
        out = np.full(180, other_m)
        out[90 - beams // 2:90 + beams // 2 + 1] = ahead_m
        return out
    return sighting(ranges(now_m), 0.0), sighting(ranges(then_m), ago_s)


@pytest.mark.parametrize(('came_m', 'ago_s', 'told'), [
    (0.031, 0.25, True), (0.029, 0.25, False), (0.044, 0.75, False), (0.046, 0.75, True)])
def test_how_much_counts(came_m, ago_s, told):
    now, then = facing(0.5, 0.5 + came_m, ago_s=ago_s)
    newer = () if ago_s < 0.5 else facing(0.5, 0.5)[1:]      # there already
    found = coming((now, *newer, then), 1.0, 0.6)
    assert found.points.size == (9 if told else 0)
    if told:
        ahead = found.speeds[np.abs(found.points.imag) < 0.01]
        assert ahead == pytest.approx(-came_m / ago_s, abs=1e-6)


def test_both_looks_are_taken_and_the_newer_says_how_fast():
    now, then = facing(0.5, 0.54)
    _, old = facing(0.5, 0.7, ago_s=0.75)
    speeds = coming((now, then, old), 1.0, 0.6).speeds
    assert np.abs(speeds).min() == pytest.approx(0.16, abs=0.01)
    still, old = facing(0.5, 0.5)[1], facing(0.5, 0.6, ago_s=0.75)[1]
    speeds = coming((now, still, old), 1.0, 0.6).speeds
    assert np.median(np.abs(speeds)) == pytest.approx(0.1 / 0.75, abs=0.01)


@pytest.mark.parametrize(('beams', 'told'), [(1, 0), (2, 0), (3, 3), (5, 5)])
def test_neighbours_must_agree(beams, told):
    ranges = np.full(180, 2.0)
    ranges[90:90 + beams] = 0.5
    found = coming((sighting(ranges, 0.0), sighting(np.full(180, 2.0), 0.25)), 1.0, 0.6)
    assert found.points.size == told


def test_only_what_is_near_is_looked_at():
    for near_m, told in ((0.51, 9), (0.49, 0)):
        assert coming(facing(0.5, 0.6), near_m, 0.6).points.size == told
    assert coming(facing(3.0, 3.0, other_m=3.0), 1.0, 0.6).points.size == 0


@pytest.mark.parametrize('turned', [0.0, math.pi])
def test_near_is_near_base_link_and_not_near_the_lidar(turned):
    """A lidar 0.4 m ahead of base_link: what it sees 0.5 m ahead of itself is 0.9 m away."""
    mount = (0.4, 0.0, turned)
    now, then = (replace(one, scan=replace(one.scan, mount=mount)) for one in facing(0.5, 0.6))
    ahead = 0.9 if turned == 0.0 else 0.1
    assert coming((now, then), ahead + 0.05, 1.0).points.size == 9
    assert coming((now, then), ahead - 0.05, 1.0).points.size == 0


@pytest.mark.parametrize(('points', 'dots'), [(360, 1440), (1440, 5760), (90, 360)])
def test_how_many_pairs_are_compared(points, dots, monkeypatch):
    """Of 1440 points and their outline it were eight million, 130 MB."""
    here, there = np.linspace(1, 2, points) + 0j, np.linspace(1, 2, dots) + 0.1j
    tracemalloc.start()
    try:
        speeds = came(here, there, 0.25, 3.0, 0j)
        assert tracemalloc.get_traced_memory()[1] < 50 * obstacle_tracking.MOST_PAIRS
    finally:
        tracemalloc.stop()
    every = math.ceil(points * dots / obstacle_tracking.MOST_PAIRS)
    assert (every == 1) == (points == 90)
    near = np.abs(here[:, None] - there[::every]).argmin(1)
    assert speeds == pytest.approx((here - there[::every][near]) / 0.25)


def test_what_is_a_metre_farther_off_may_be_where_it_came_from(monkeypatch):
    asked = []
    monkeypatch.setattr(obstacle_tracking, 'outline', lambda scan,
                        near_m: asked.append(near_m) or outline(
        scan, near_m))
    assert coming(facing(0.5, 0.6), 1.2, 0.6).points.size and asked == [2.2]


def test_the_way_of_the_robot_is_taken_off():
    """It drove 0.1 m ahead and turned: a wall that stands is nearer, and elsewhere."""
    def wall(x, yaw):
        bearing = ANGLES + yaw
        with np.errstate(divide='ignore'):
            away = (1.0 - x) / np.cos(bearing)
        return np.where((np.cos(bearing) > 0.1), away, 3.0)
    now, then = sighting(wall(0.1, 0.3), 0.0, (0.1, 0.0, 0.3)), sighting(wall(0.0, 0.0), 0.25)
    assert coming((now, then), 1.2, 0.6).points.size == 0
    blind = replace(now, pose=(0.0, 0.0, 0.0))
    assert coming((blind, then), 1.2, 0.6).points.size > 5
    turned = coming((replace(facing(0.5, 0.6)[0], pose=(0.0, 0.0, 0.2)),
                     replace(facing(0.5, 0.6)[1], pose=(0.0, 0.0, 0.2))), 1.0, 0.6)
    assert np.median(turned.speeds.real) == pytest.approx(-0.4, abs=0.01)


def test_speeds_are_in_the_axes_of_now():
    """Then it looked along y; the thing comes along its own x now."""
    now = sighting(np.roll(facing(0.5, 0.5)[0].scan.ranges, 0), 0.0, (0.0, 0.0, math.pi / 2))
    then = sighting(np.roll(facing(0.6, 0.6)[0].scan.ranges, 45), 0.25)
    found = coming((now, then), 1.0, 0.6)
    ahead = found.speeds[np.abs(found.points.imag) < 0.01]
    assert ahead == pytest.approx(-0.4, abs=0.02)


def test_at_is_the_newest_that_is_as_old():
    seen = tuple(sighting(np.full(180, 1.0), ago) for ago in (0.0, 0.1, 0.2, 0.3))
    assert at(seen, NOW - ns(0.2)) is seen[2] and at(seen, NOW - ns(0.15)) is seen[2]
    assert at(seen, NOW - ns(0.31)) is None


def test_between_two_poses():
    place, turn = between((1.0, 2.0, math.pi / 2), (1.0, 3.0, math.pi))
    assert place == pytest.approx(1.0) and turn == pytest.approx(1j)


@pytest.mark.parametrize('mount', [(0.0, 0.0, 0.0), (0.1, -0.2, 0.7)])
def test_seen_through_is_the_less_of_two_beams(mount):
    ranges = np.linspace(1.0, 2.0, 180)
    seen, places = scan(ranges, mount=mount), []
    for index in (0, 20, 90, 178):
        bearing = ANGLES[index] + STEP / 3 + mount[2]
        places.append(complex(*mount[:2]) + 0.4 * np.exp(1j * bearing))
    assert seen_through(seen, np.array(places)) == pytest.approx(ranges[[0, 20, 90, 178]] - 0.4)
    last = complex(*mount[:2]) + 0.4 * np.exp(1j * (ANGLES[179] + STEP / 3 + mount[2]))
    assert seen_through(seen, np.array([last])) == pytest.approx([0.6])     # round the corner


@pytest.mark.parametrize('broken', [np.nan, 0.0, -2.0])
def test_a_broken_beam_saw_nothing(broken):
    ranges = np.full(180, 2.0)
    ranges[90] = broken
    for off in (-0.5, 0.5):
        there = 0.5 * np.exp(1j * (ANGLES[90] + off * STEP))
        assert seen_through(scan(ranges), np.array([there]))[0] == pytest.approx(-0.5)
    there = 0.5 * np.exp(1j * (ANGLES[90] + 1.5 * STEP))
    assert seen_through(scan(ranges), np.array([there]))[0] == pytest.approx(1.5)


def test_the_median_of_five_beams():
    values, beams = np.array([1.0, 9.0, 2.0, 3.0, 4.0]), np.array([178, 179, 0, 1, 2])
    assert smoothed(values, beams, 180).tolist() == [1.0, 2.0, 3.0, 3.0, 2.0]


def test_an_outline_joins_what_lies_close():
    ranges = np.full(180, np.inf)
    ranges[[90, 91]] = 0.5                      # 17 mm apart
    ranges[[120, 121]] = 0.5, 0.7               # more than joins
    ranges[[10, 12]] = 0.5                      # no neighbours
    dots = outline(scan(ranges), 1.0)
    assert dots.size == 6 + 3
    a, b = 0.5 * np.exp(1j * ANGLES[[90, 91]])
    for part in (0.25, 0.5, 0.75):
        assert np.abs(dots - (a + part * (b - a))).min() < 1e-9
    assert outline(scan(ranges), 0.6).size == dots.size - 1
    ranges[:] = np.inf
    ranges[5] = 0.5
    assert outline(scan(ranges), 1.0).size == 1


@pytest.mark.parametrize(('gap_m', 'joined'), [(0.149, True), (0.151, False)])
def test_how_close_is_close(gap_m, joined):
    ranges = np.full(180, np.inf)
    ranges[90], ranges[91] = 0.5, 0.5 + gap_m   # nearly along the beam
    away = abs(0.5 - (0.5 + gap_m) * np.exp(1j * STEP))
    ranges[91] -= away - gap_m
    assert (outline(scan(ranges), 2.0).size > 2) is joined


def test_all_around_the_last_beam_is_beside_the_first():
    assert outline(scan(np.full(180, 0.5)), 1.0).size == 180 * 4


def test_it_came_from_the_nearest():
    dots = np.array([1.0 + 0j, 1.0 + 1j])
    speeds = came(np.array([0.9 + 0j, 1.0 + 0.95j]), dots, 0.25, 0.6, 0j)
    assert speeds == pytest.approx(np.array([-0.4, -0.2j]))


def test_from_nowhere_or_too_fast_it_comes_straight():
    for dots in (np.zeros(0, complex), np.array([3.0 + 0j])):
        speeds = came(np.array([1.0 + 1.0j]), dots, 0.25, 0.6, 1.0 + 0j)
        assert speeds == pytest.approx([-0.6j])
    assert np.abs(came(np.array([0.85 + 0j]), np.array([1.0 + 0j]), 0.25, 0.6, 0j)) == \
        pytest.approx([0.6])
    assert came(np.array([1.0 + 0j]), np.zeros(0, complex), 0.25, 0.6, 1.0 + 0j) == [0]
