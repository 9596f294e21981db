# SPDX-License-Identifier: Apache-2.0
"""What follows from the directions of beams is worked out once for each array of them."""

from dataclasses import replace
import math

from ami_ros.core.types import Scan
from ami_ros.critic import beam_geometry
from ami_ros.critic.beam_geometry import Directions, directions, hits
import numpy as np
import pytest

ANGLES = np.array([3.0, -1.0, 7.0, 0.5])


def test_the_same_array_is_the_same_and_an_equal_one_is_another():
    one = directions(ANGLES)
    assert directions(ANGLES) is one and directions(ANGLES.copy()) is not one
    for count in range(1, beam_geometry.KEPT + 3):
        directions(np.arange(float(count)))
    assert len(beam_geometry.known) == beam_geometry.KEPT and directions(ANGLES) is not one


def test_hits_are_what_the_beams_say():
    ranges = np.array([1.0, np.nan, 0.0, 2.0, np.inf])
    angles = np.array([np.nan, 1.0, 2.0, 3.0, 4.0])
    one = Scan(ranges, angles, (0.1, 0.2, 0.7), 1, 1)
    found = hits(one)
    assert found.valid.tolist() == [False, False, False, True, True] and found.count == 2
    assert found.beams.tolist() == [3]
    assert found.points == pytest.approx([0.1 + 0.2j + 2 * np.exp(3.7j)])
    assert hits(one) is found and hits(replace(one)) is not found


def test_few_scans_are_kept():
    one = Scan(ANGLES, ANGLES, (0.0, 0.0, 0.0), 1, 1)
    found = hits(one)
    for _ in range(beam_geometry.KEPT):
        hits(replace(one))
    assert len(beam_geometry.known_hits) == beam_geometry.KEPT and hits(one) is not found


def test_units_are_turned_by_the_mount():
    for yaw in (0.0, 0.7, -2.0):
        assert directions(ANGLES).unit(yaw) == pytest.approx(np.exp(1j * (ANGLES + yaw)))
    assert directions(ANGLES).unit(-2.0) is directions(ANGLES).unit(-2.0)


def test_in_order_from_zero_and_from_behind():
    order, sorted_angles = Directions(ANGLES).around
    assert order.tolist() == [3, 2, 0, 1]
    assert sorted_angles == pytest.approx([0.5, 7.0 - 2 * math.pi, 3.0, 2 * math.pi - 1.0])
    order, sorted_angles = Directions(ANGLES).centred
    assert order.tolist() == [1, 3, 2, 0]
    assert sorted_angles == pytest.approx([-1.0, 0.5, 7.0 - 2 * math.pi, 3.0])


def test_what_is_no_direction_comes_last():
    odd = np.array([math.nan, 1.0, 0.0])
    for order, angles in (Directions(odd).around, Directions(odd).centred):
        assert order.tolist() == [2, 1, 0] and math.isnan(angles[-1])
