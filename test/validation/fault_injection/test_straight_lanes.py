# SPDX-License-Identifier: Apache-2.0
"""Lanes are straight, clear, and the same for the same seed."""

import math

from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.validation.fault_injection import straight_lanes
import numpy as np
import pytest

ROVER = find('rover')


@pytest.mark.parametrize('room', [0, 7])
def test_a_lane_is_clear_on_both_sides_all_the_way(room):
    world, rng = worlds.draw(room), np.random.default_rng(1)
    for _ in range(5):
        way = straight_lanes.lane(world, ROVER, rng)
        along = way.goal[:2] - way.start[:2]
        assert math.hypot(*along) == pytest.approx(straight_lanes.LENGTH_M)
        assert math.atan2(along[1], along[0]) == pytest.approx(way.start[2])
        points = way.start[:2] + np.linspace(0, 1, 500)[:, None] * along
        assert world.distance(points).min() >= ROVER.radius_m + straight_lanes.BESIDE_M - 0.01


def test_the_same_seed_draws_the_same():
    one, other = (straight_lanes.lane(worlds.draw(7), ROVER, np.random.default_rng(5))
                  for _ in range(2))
    assert np.array_equal(one.start, other.start) and np.array_equal(one.goal, other.goal)


def test_a_room_that_is_too_full_is_named(monkeypatch):
    monkeypatch.setattr(straight_lanes, 'LENGTH_M', 50.0)
    monkeypatch.setattr(straight_lanes, 'TRIES', 50)
    with pytest.raises(RuntimeError, match='no straight way of 50.0 m'):
        straight_lanes.lane(worlds.draw(7), ROVER, np.random.default_rng(0))
