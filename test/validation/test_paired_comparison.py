# SPDX-License-Identifier: Apache-2.0
"""Two reports seed by seed: what was gained, what was lost, and how sure that is."""

from ami_ros.validation.paired_comparison import compare, interval
import pytest

PROTOCOL = {'planner': 'world_model', 'goal_steps': 20, 'seed': 1000, 'world_seed': 7,
            'furniture_moved': False, 'frame_s': 0.1}


def report(success, **other):
    return {'protocol': PROTOCOL | other,
            'episodes': [{'seed': 1000 + i, 'success': s} for i, s in enumerate(success)]}


def test_what_was_gained_and_lost_is_counted_by_seed():
    old, new = [True] * 8 + [False, True], [True] * 7 + [False, True, True]
    said = compare(report(old), report(new))
    assert (said.gained, said.lost, said.episodes, said.difference) == (1, 1, 10, 0.0)
    shuffled = report(new)
    shuffled['episodes'].reverse()
    assert compare(report(old), shuffled) == said


@pytest.mark.parametrize('gained, lost, n, low, high', [
    # by hand: b = gained + 0.5, c = lost + 0.5, m = n + 2; the middle is (b - c) / m, the half
    # width 1.96 sqrt(b + c - (b - c)^2 / m) / m: for 0 of 400 1.96 / 402, and so on
    (0, 0, 400, -0.004876, 0.004876), (8, 8, 400, -0.020103, 0.020103),
    (0, 20, 400, -0.071558, -0.027944)])
def test_the_interval(gained, lost, n, low, high):
    said = interval(gained, lost, n)
    assert (said.low, said.high) == pytest.approx((low, high), abs=2e-5)


@pytest.mark.parametrize('gained, lost, n, holds', [
    (0, 0, 400, True), (7, 7, 400, True), (0, 8, 400, False), (0, 0, 50, False),
    (0, 0, 100, True)])
def test_it_holds_only_where_that_is_shown(gained, lost, n, holds):
    assert interval(gained, lost, n).holds is holds


@pytest.mark.parametrize('other', [{'goal_steps': 10}, {'seed': 500}, {'world_seed': 11}])
def test_reports_of_other_episodes_are_not_paired(other):
    with pytest.raises(ValueError, match=f'{next(iter(other))} is '):
        compare(report([True]), report([True], **other))


def test_reports_without_a_common_seed_are_not_paired():
    new = report([True])
    new['episodes'][0]['seed'] = 5
    with pytest.raises(ValueError, match='no seed in common'):
        compare(report([True]), new)


@pytest.mark.parametrize('key, value', [('camera', 'evening'), ('world_changes', 'moved:1')])
def test_reports_under_another_camera_or_other_changes_are_not_paired(key, value):
    old, new = report([True]), report([True])
    new['protocol'][key] = value
    with pytest.raises(ValueError, match=f'{key} is .* in one and {value} in the other'):
        compare(old, new)
