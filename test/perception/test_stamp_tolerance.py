# SPDX-License-Identifier: Apache-2.0
"""A camera's clock may be a little ahead; more, or no stamp at all, is refused by name."""

from ami_ros.perception.stamp_tolerance import Ahead
import pytest

NOW = 1_700_000_000 * 10**9
MS = 10**6


@pytest.mark.parametrize('stamp, taken', [
    (NOW, NOW), (NOW - 1, NOW - 1), (1, 1), (NOW + 1, NOW), (NOW + 50 * MS, NOW)])
def test_a_little_ahead_is_now(stamp, taken):
    assert Ahead(0.05).taken(stamp, NOW) == taken


@pytest.mark.parametrize('ahead_ns, says', [(50 * MS + 100_000, '0.0501'), (3200 * MS, '3.2'),
                                            (10**17, '1e+08')])
def test_far_ahead_says_how_far_and_why_that_may_be(ahead_ns, says):
    with pytest.raises(ValueError) as refused:
        Ahead(0.05).taken(NOW + ahead_ns, NOW)
    sentence = str(refused.value)
    assert f'stamped {says} s ahead' in sentence and 'allowed are 0.05 s' in sentence
    assert 'chrony' in sentence and 'sim time' in sentence


@pytest.mark.parametrize('stamp', [0, -1])
def test_a_stamp_that_is_not_set(stamp):
    with pytest.raises(ValueError, match='no time at all; its driver must say'):
        Ahead(0.05).taken(stamp, NOW)


def test_before_the_clock_began_nothing_can_be_said():
    with pytest.raises(ValueError, match='no /clock came yet'):
        Ahead(0.05).taken(NOW, 0)


def test_no_tolerance_and_one_that_is_none():
    assert Ahead(0.0).taken(NOW, NOW) == NOW
    for tolerance in (0.0, float('nan')):
        with pytest.raises(ValueError, match='ahead of the clock here'):
            Ahead(tolerance).taken(NOW + 1, NOW)


@pytest.mark.parametrize('stamp, now', [(0, NOW), (NOW + 10**12, NOW), (25 * MS, 0), (7, 3)])
def test_where_time_is_simulated_stamps_pass_untouched(stamp, now):
    assert Ahead(0.05, exact=True).taken(stamp, now) == stamp
