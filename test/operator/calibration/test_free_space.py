# SPDX-License-Identifier: Apache-2.0
"""What a lidar sees free ahead, behind and around."""

import math

from ami_ros.operator.calibration.free_space import around, lane
import numpy as np
import pytest

BOX = np.array([[0.2, 0.15], [-0.3, 0.15], [-0.3, -0.15], [0.2, -0.15]])


def test_only_what_stands_in_the_lane_counts():
    points = [(1.0, 0.0), (0.8, 0.19), (0.5, 0.25), (-1.0, -0.1), (-0.5, -0.3), (0.1, 0.0)]
    assert lane(points, BOX) == pytest.approx((0.6, 0.7))
    assert lane([(1.0, 2.0), (math.nan, 0.0)], BOX) == (math.inf, math.inf)


def test_what_is_nearest_all_around_but_itself():
    points = [(1.0, 0.0), (0.0, -0.6), (math.nan, 0.0), (-0.25, 0.1)]
    assert around(points, BOX) == pytest.approx(0.6 - math.hypot(0.3, 0.15))
    assert around([(0.0, 0.2)], BOX) < 0
    assert around(np.zeros((0, 2)), BOX) == math.inf
