# SPDX-License-Identifier: Apache-2.0
"""What a lidar says where nothing is, decided or refused."""

import math

from ami_ros.operator.calibration.lidar_no_return import no_return, shares
from ami_ros.operator.calibration.measurement import Unclear
import numpy as np
import pytest

REACH = (0.08, 8.0)


def scans(nothing, empty=40, beside=5.0, flicker=0.0, count=20, beams=180):
    rng = np.random.default_rng(0)
    out = rng.normal(beside, 0.01, (count, beams)).astype(np.float32)
    which = np.zeros((count, beams), bool)
    which[:, 20:20 + empty] = rng.random((count, empty)) >= flicker
    out[which] = nothing
    return out


@pytest.mark.parametrize('nothing', [math.inf, 0.0, 65.533, 9.0])
@pytest.mark.parametrize('flicker', [0.0, 0.05])
def test_what_lasts_of_one_kind_is_it(nothing, flicker):
    found = no_return(scans(nothing, flicker=flicker), REACH)
    assert found.values == {'lidar_no_return': pytest.approx(nothing)} and found.good
    assert '40 of 180 beams' in found.note


def test_an_empty_hall_is_enough():
    assert no_return(np.full((12, 180), np.inf), REACH).values == {'lidar_no_return': math.inf}


@pytest.mark.parametrize('ranges, word', [
    (scans(math.inf, empty=0), 'every beam meets something'),
    (scans(math.inf, empty=2), 'every beam meets something'),
    (scans(0.0, flicker=0.5), 'every beam meets something'),
    (scans(math.nan), 'cannot be told apart'),
    (scans(0.05), 'cannot be told apart'),
    (scans(0.0, beside=0.4), 'beside the beams that say 0.0 something is 0.'),
    (np.concatenate([scans(math.inf)[:, :90], scans(0.0)[:, :90]], 1), 'different things'),
    (scans(math.inf, count=5), '5 scans came'),
])
def test_refuses_to_decide_and_says_what_to_do(ranges, word):
    with pytest.raises(Unclear, match=word):
        no_return(ranges, REACH)


def test_numbers_beyond_the_range_that_differ_are_refused():
    ranges = scans(9.0)
    ranges[:, 25] = 9.5
    with pytest.raises(Unclear, match='numbers from 9.000 to 9.500 m'):
        no_return(ranges, REACH)


def test_shares_of_all_readings():
    told = shares(np.array([[0.0, np.inf, np.nan, 9.0, 1.0, 0.05, 2.0, 3.0]]), REACH)
    assert told == {'0.0': 0.125, '+inf': 0.125, 'NaN': 0.125, 'above range_max': 0.125,
                    'below range_min': 0.125}
