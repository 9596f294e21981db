# SPDX-License-Identifier: Apache-2.0
"""The sweep is compared with one that moves the robot in tiny steps."""

import math

from ami_ros.critic import footprint_sweep
from ami_ros.critic.footprint_sweep import Box, first_contact, pace, seen_after, STEP_M
import numpy as np
import pytest

BOX = Box.around(np.array([[0.2, 0.1], [-0.1, 0.1], [-0.1, -0.1], [0.2, -0.1]]))


def test_box_around_any_footprint():
    assert (BOX.centre, BOX.half_length_m, BOX.half_width_m) == pytest.approx((0.05, 0.15, 0.1))
    assert BOX.radius_m == pytest.approx(math.hypot(0.2, 0.1))
    skewed = Box.around(np.array([[0.1, 0.3], [0.0, -0.1], [-0.2, 0.1]]))
    assert (skewed.centre, skewed.radius_m) == pytest.approx((-0.05 + 0.1j, math.hypot(0.2, 0.3)))


@pytest.mark.parametrize(('point', 'gap'), [
    (0.3 + 0j, 0.1), (-0.3 + 0j, 0.2), (0.3j, 0.2), (-0.1j, 0.0), (0.05 + 0j, -0.1),
    (0.19 + 0.05j, -0.01), (0.23 + 0.14j, 0.05)])
def test_gap(point, gap):
    assert BOX.gap(np.array([point]))[0] == pytest.approx(gap)


@pytest.mark.parametrize('w', [0.0, 1e-12, 1e-7, 0.3, -1.5, 7.0])
def test_seen_after_is_many_small_steps(w):
    point = there = 0.4 + 0.3j
    n, v = 20000, 0.5
    for _ in range(n):
        there = (there - v / n) * np.exp(-1j * w / n)
    assert seen_after(np.array([point]), v, w)[0] == pytest.approx(there, abs=1e-4)
    back = seen_after(seen_after(np.array([point]), v, w), -v, -w)      # the same arc backwards
    assert back[0] == pytest.approx(point, abs=1e-12)


def test_pace():
    assert pace(-0.5, 0.1, BOX) == 0.5
    assert pace(0.1, -2.0, BOX) == pytest.approx(2 * BOX.radius_m)
    assert pace(0.0, 0.0, BOX) == 0.0


@pytest.mark.parametrize('seed', range(30))
def test_first_contact_is_that_of_tiny_steps(seed):
    """Also point by point: what is skipped as too far off must really be."""
    rng = np.random.default_rng(seed)
    v, w = rng.uniform(-0.6, 0.6), rng.uniform(-2, 2) * rng.integers(0, 2)
    speed, side = pace(v, w, BOX), 0.02
    points = rng.uniform(-0.8, 0.8, 30) + 1j * rng.uniform(-0.8, 0.8, 30)
    points = points[BOX.gap(points) > 0.021]
    travel = np.arange(0, 0.7, 1e-4)
    gaps = BOX.gap(seen_after(points[:, None], travel * v / speed, travel * w / speed))
    for some in [slice(i, i + 1) for i in range(len(points))] + [slice(None)]:
        least = gaps[some].min(axis=0)
        first = travel[(least < side).argmax()] if (least < side).any() else math.inf
        found = first_contact(points[some], BOX, v, w, 0.6, side)
        if min(found, first) <= 0.6:
            # a corner only scratched between two samples may be found late, or not at all
            deep = least[travel <= min(first + 2 * STEP_M, 0.6)].min() < side - STEP_M / 2
            assert found == pytest.approx(first, abs=STEP_M) or not deep
        reach = first + 1e-4    # a reach that just includes it must not skip it
        if first < math.inf and least[travel <= first + 2 * STEP_M].min() < side - STEP_M / 2:
            assert first_contact(points[some], BOX, v, w, reach, side) < math.inf


def test_nothing_to_meet():
    assert first_contact(np.zeros(0, complex), BOX, 0.5, 0, 9.0, 0.02) == math.inf
    assert first_contact(np.array([0.3 + 0j]), BOX, 0.0, 0.0, 9.0, 0.02) == math.inf
    assert first_contact(np.array([5.0 + 0j]), BOX, 0.5, 0, 1.0, 0.02) == math.inf
    assert first_contact(np.array([0.3 + 0.13j]), BOX, 0.5, 0, 1.0, 0.02) == math.inf


@pytest.mark.parametrize(('x', 'reach', 'meets'), [
    (0.32, 0.1001, 0.1), (0.32, 0.0999, math.inf), (0.32, 0.2, 0.1), (0.2201, 0.1, 0.0001)])
def test_straight_ahead(x, reach, meets):
    found = first_contact(np.array([x + 0j]), BOX, 0.5, 0, reach, 0.02)
    assert found == pytest.approx(meets, abs=1e-5)


@pytest.mark.parametrize('gap', [-0.05, -0.001, 0.0, 0.005, 0.01, 0.0199])
def test_what_is_too_close_may_not_come_closer_but_go(gap):
    near = np.array([0.2 + gap + 0j])
    assert first_contact(near, BOX, 0.1, 0, 0.05, 0.02) < 1e-4
    assert first_contact(near, BOX, -0.1, 0, 0.05, 0.02) == math.inf


@pytest.mark.parametrize(('gap', 'free'), [(0.021, True), (0.015, True), (0.0101, True),
                                           (0.0099, False), (-0.01, False)])
def test_along_a_wall_it_goes_on_as_close_as_it_is_down_to_half(gap, free):
    wall = np.linspace(-0.5, 0.5, 101) + 1j * (0.1 + gap)
    for v in (0.3, -0.3):
        assert (first_contact(wall, BOX, v, 0, 0.1, 0.02) == math.inf) == free
    assert first_contact(wall, BOX, 0.3, 0.3, 0.1, 0.02) < 0.05     # into the wall, never


@pytest.mark.parametrize('seed', range(4))
def test_trying_a_few_steps_first_changes_nothing(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    for _ in range(150):
        count = rng.integers(1, 200)
        points = (rng.uniform(0.05, rng.choice([0.3, 0.6, 2.0]), count)
                  * np.exp(1j * rng.uniform(-np.pi, np.pi, count)))
        v = rng.uniform(-0.6, 0.6) * rng.choice([0, 1, 1, 1])
        w = rng.uniform(-1.5, 1.5) * rng.choice([0, 1, 1])
        asked = (points, BOX, v, w, rng.uniform(0, 0.6), rng.choice([0.0, 0.02, 0.2]),
                 rng.choice([0.004, 0.02]))
        monkeypatch.setattr(footprint_sweep, 'COARSE', 8)
        found = footprint_sweep.first_contact(*asked)
        monkeypatch.setattr(footprint_sweep, 'COARSE', 10**9)
        assert footprint_sweep.first_contact(*asked) == found


def swept(points, box, v, w, reach_m, side_m):
    """Move in steps of a fifth of a millimetre; no point is left out, nothing is interpolated."""
    speed = pace(v, w, box)
    start = box.gap(points)
    closest = np.minimum(start, np.clip(start.min(), side_m / 2, side_m)) - 1e-6
    travel = np.arange(0.0, reach_m + 2e-4, 2e-4)
    gaps = box.gap(seen_after(points[:, None], travel * (v / speed), travel * (w / speed)))
    met = (gaps < closest[:, None]).any(axis=0)
    return travel[met.argmax()] if met.any() else np.inf


def test_no_point_is_overlooked_wherever_it_is():
    """Also a far corner that swings in fast, on either side."""
    rng, met = np.random.default_rng(6), 0
    for _ in range(400):
        points = rng.uniform(0.12, 0.6, 9) * np.exp(1j * rng.uniform(-np.pi, np.pi, 9))
        points = points[BOX.gap(points) > 0.06][:3]     # what it touches is another matter
        v = rng.uniform(-0.6, 0.6) * rng.choice([0.0, 0.2, 1.0])
        w = rng.uniform(-3.0, 3.0)
        reach, side = rng.uniform(0.02, 0.8), rng.choice([0.02, 0.05])
        found, plain = first_contact(points, BOX, v, w, reach, side), swept(points, BOX, v, w,
                                                                            reach, side)
        if np.isinf(plain) or plain > reach - 0.005:
            assert found > reach - 0.01
        else:
            assert found == pytest.approx(plain, abs=0.0021), (points, v, w, reach, side)
            met += 1
    assert met > 60


def test_of_two_points_met_in_one_step_the_nearer_counts():
    near, far = 0.2 + 0.02 + 0.0402 + 0j, 0.2 + 0.02 + 0.0418 + 0.05j
    for points in ([near, far], [far, near]):
        found = first_contact(np.array(points), BOX, 0.5, 0.0, 0.2, 0.02)
        assert found == pytest.approx(0.0402, abs=2e-6)


def test_who_stands_meets_nothing():
    with np.errstate(all='raise'):
        assert first_contact(np.array([0.25 + 0j]), BOX, 0.0, 0.0, 0.2, 0.02) == np.inf
    assert first_contact(np.array([0.25 + 0j]), BOX, 1.0, 0.0, 0.2, 0.02) < 0.2


def test_the_circle_holds_a_box_that_lies_to_the_right():
    low = Box.around(np.array([[0.1, -0.3], [0.0, -0.3], [0.0, -0.1], [0.1, -0.1]]))
    assert low.radius_m == pytest.approx(math.hypot(0.1, 0.3))


def test_a_point_beside_that_only_turning_brings_near():
    """Found by a search for where the wrong sign of the turn would overlook it."""
    point = np.array([-0.00108314 + 0.17942831j])
    found = first_contact(point, BOX, -0.07846139, 0.42583121, 0.1433, 0.02)
    assert found == pytest.approx(0.13034, abs=1e-4)


def test_far_points_on_long_ways():
    rng, met = np.random.default_rng(8), 0
    for _ in range(60):
        points = rng.uniform(1.0, 2.5, 4) * np.exp(1j * rng.uniform(-np.pi, np.pi, 4))
        v, w = rng.uniform(0.2, 0.6), rng.uniform(-0.6, 0.6)
        found, plain = (way(points, BOX, v, w, 4.0, 0.05) for way in (first_contact, swept))
        if plain < 3.9:
            assert found == pytest.approx(plain, abs=0.0021)
            met += 1
    assert met > 4


@pytest.mark.parametrize(('point', 'v', 'w', 'reach'), [
    (0.029 + 0.138j, 0.31, -2.34, 0.33), (0.007 + 0.181j, -0.31, 1.85, 0.46),
    (0.019 - 0.161j, -0.55, -2.54, 0.14), (0.066 + 0.162j, -0.14, 0.79, 0.12)])
def test_what_a_corner_swings_against_is_near_enough(point, v, w, reach):
    """Points beside it that move faster than base_link does, seen from the robot."""
    travel, speed = np.arange(0, reach, 1e-4), pace(v, w, BOX)
    gaps = BOX.gap(seen_after(np.array([point])[:, None], travel * v / speed, travel * w / speed))
    first = travel[(gaps[0] < 0.02).argmax()]
    assert first > 0.05
    assert first_contact(np.array([point]), BOX, v, w, reach, 0.02) == pytest.approx(first,
                                                                                   abs=1e-3)


@pytest.mark.parametrize('away', [0.5, 1.5, 2.9])
def test_it_may_look_far_ahead(away):
    wall = 0.2 + 0.02 + away + 1j * np.linspace(-0.05, 0.05, 5)
    assert first_contact(wall, BOX, 0.6, 0.0, 3.0, 0.02) == pytest.approx(away, abs=1e-3)


@pytest.mark.parametrize('seed', range(20))
def test_points_that_are_left_out_are_met_by_no_motion(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    cases = [(rng.normal(0, 10 ** rng.uniform(-1, 1), (40, 2)) @ (1, 1j),
              *rng.choice([-0.5, -0.02, 0.0, 0.02, 0.5], 2), rng.uniform(0.01, 2.0),
              rng.uniform(0.0, 0.1)) for _ in range(20)]
    found = [first_contact(points, BOX, *numbers) for points, *numbers in cases]
    monkeypatch.setattr(footprint_sweep, 'gap_at_least',      # leaves none out
                        lambda points, box: np.zeros(points.size))
    assert found == [first_contact(points, BOX, *numbers) for points, *numbers in cases]
    assert any(map(math.isfinite, found))


def test_the_same_points_may_be_asked_of_another_box():
    points, wide = np.array([0.5 + 0.3j]), Box.around(np.array([[-0.2, -0.4], [0.2, 0.4]]))
    for _ in range(2):
        assert first_contact(points, BOX, 0.5, 0.0, 1.0, 0.02) == math.inf
        assert first_contact(points, wide, 0.5, 0.0, 1.0, 0.02) < 0.5
