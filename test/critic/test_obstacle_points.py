# SPDX-License-Identifier: Apache-2.0
"""Obstacles are seen from where the robot will be when a command begins to act."""

from dataclasses import replace
import math

from ami_ros.core.types import Command, Reckoned, Sent
from ami_ros.critic.obstacle_points import drift, points
from ami_ros.critic.rule_interface import Stop
import numpy as np
import pytest
from rule_contract import (
    ANGLES,
    command,
    memory,
    NOW,
    ns,
    odometry,
    scan,
    SIGHT,
    situation,
    STEADY,
)
from rule_contract import points as seen

LAG_S = 0.08


def told(v: float, w: float, seconds_ago: float) -> Command:
    return Command(np.array([v, w]), NOW - ns(seconds_ago))


def went(here, lag_s: float = LAG_S) -> tuple[float, float]:
    return drift(here, here.scans[0].stamp_ns, lag_s, (0.6, 1.5))


def test_points_are_where_the_mount_says():
    one = scan([2.0], angles=np.array([0.5]), mount=(0.1, -0.2, math.pi / 2 - 0.5))
    assert points(one, 0.7) == pytest.approx([0.1 + 1.8j])


def test_what_returns_nothing_or_is_invalid_is_no_obstacle():
    angles = np.zeros(4)
    assert points(scan([1.0, math.inf, math.nan, 2.0], angles=angles), 0.7).tolist() == [1, 2]


@pytest.mark.parametrize(('v', 'w'), [(0.6, 0.0), (-0.3, 0.0), (0.0, 1.5), (0.4, -1.0)])
@pytest.mark.parametrize('scan_age', [0.0, 0.1])
@pytest.mark.parametrize('odometry_age', [0.0, 0.05])
def test_a_steady_motion_goes_on_for_the_age_of_the_scan_and_the_lag(v, w, scan_age,
                                                                     odometry_age):
    here = situation(scan=scan(stamp_ns=NOW - ns(scan_age)), last=told(v, w, 0.5),
                     odometry=odometry(v, w, stamp_ns=NOW - ns(odometry_age)))
    assert went(here) == pytest.approx((v * (scan_age + LAG_S), w * (scan_age + LAG_S)))


@pytest.mark.parametrize(('read', 'wanted'), [(0.0, 0.6), (0.6, 0.0), (0.3, -0.3)])
@pytest.mark.parametrize(('odometry_age', 'told_ago', 'acted'), [
    (0.1, 0.3, 0.1), (0.1, 0.04, 0.04), (0.0, 0.3, 0.0), (-0.01, 0.3, 0.0)])
def test_what_was_read_fades_into_what_was_told(read, wanted, odometry_age, told_ago, acted):
    """With scan and odometry of the same instant; the last command acted for a while since."""
    here = situation(scan=scan(stamp_ns=NOW), last=told(wanted, 0.0, told_ago),
                     odometry=odometry(read, stamp_ns=NOW - ns(odometry_age)))
    speed = wanted + (read - wanted) * math.exp(-acted / LAG_S)
    assert went(here) == pytest.approx((speed * LAG_S, 0.0))
    assert went(here, 0.0) == pytest.approx((0.0, 0.0))


def test_an_old_scan_counts_the_mean_of_what_was_read_and_what_is():
    here = situation(scan=scan(stamp_ns=NOW - ns(0.1)), last=told(0.0, 0.0, 0.3),
                     odometry=odometry(0.6, stamp_ns=NOW - ns(0.05)))
    speed = 0.6 * math.exp(-0.05 / LAG_S)
    assert went(here) == pytest.approx(((0.6 + speed) / 2 * 0.1 + speed * LAG_S, 0.0))


def test_a_scan_from_the_future_has_no_age():
    here = situation(scan=scan(stamp_ns=NOW + ns(0.04)), odometry=odometry(0.5),
                     last=command(0.5))
    assert went(here) == pytest.approx((0.5 * LAG_S, 0.0))


def test_obstacles_come_nearer_by_the_drift():
    here = situation(scan=seen((1.0, 0.2)), odometry=odometry(0.5), last=command(0.5))
    assert SIGHT.obstacles(here) == pytest.approx([1.0 - 0.5 * LAG_S + 0.2j])
    here = situation(scan=seen((1.0, 0.0)), odometry=odometry(0.0, 1.0), last=command(0.0, 1.0))
    assert SIGHT.obstacles(here) == pytest.approx([np.exp(-1j * LAG_S)])


def test_all_that_is_seen_counts_each_by_its_own_age():
    far, near = seen((1.0, 0.0)), seen((0.5, 0.1), name='near', required=False)
    old = replace(near, stamp_ns=NOW - ns(0.1))
    here = situation(scans=(far, old), odometry=odometry(0.5), last=told(0.5, 0, 0.5))
    assert SIGHT.obstacles(here) == pytest.approx([1.0 - 0.04, 0.5 - 0.04 - 0.05 + 0.1j])


@pytest.mark.parametrize('more', [-1, 0, 1, ns(1)])
def test_what_is_not_required_and_not_young_shows_nothing(more):
    for ages in ({'stamp_ns': NOW - ns(0.25) - more}, {'stamp_ns': NOW + ns(0.05) + more},
                 {'received_steady_ns': STEADY - ns(0.25) - more},
                 {'received_steady_ns': STEADY + ns(0.05) + more}):
        here = situation(scans=(seen((1.0, 0.0)), seen((0.5, 0.0), required=False, **ages)))
        assert len(SIGHT.obstacles(here)) == (2 if more <= 0 else 1)


@pytest.mark.parametrize('more', [-1, 0, 1, ns(1)])
def test_what_is_required_and_not_young_stops(more):
    for ages in ({'stamp_ns': NOW - ns(0.25) - more}, {'stamp_ns': NOW + ns(0.05) + more},
                 {'received_steady_ns': STEADY - ns(0.25) - more},
                 {'received_steady_ns': STEADY + ns(0.05) + more}):
        for changes in ({'scans': (scan(), scan(name='back', **ages))},
                        {'odometry': odometry(**ages)}):
            here = situation(**changes)
            if more <= 0:
                SIGHT.obstacles(here)
            else:
                with pytest.raises(Stop, match='the (back|odom) is .* (old|from the future)'):
                    SIGHT.obstacles(here)


@pytest.mark.parametrize('scans', [(), (scan(required=False, stamp_ns=0),)])
def test_nobody_sees_anything(scans):
    with pytest.raises(Stop, match='no scan has come'):
        SIGHT.obstacles(situation(scans=scans))


def test_a_blind_sensor_that_is_not_required_hides_nothing():
    for blind in (np.full(180, math.nan), np.where(ANGLES > 0, math.nan, 2.0)):
        extra = scan(blind, required=False)
        got = SIGHT.obstacles(situation(scans=(seen((1.0, 0.0)), extra)))
        assert len(got) == 1 + np.count_nonzero(blind == 2.0)
        with pytest.raises(Stop, match='beams of the scan are valid'):
            SIGHT.obstacles(situation(scans=(replace(extra, required=True),)))


def test_what_was_found_is_of_this_very_situation():
    sight, here = replace(SIGHT), situation(scan=seen((1.0, 0.0)))
    first = sight.obstacles(here)
    assert sight.obstacles(here) is first and first == pytest.approx([1.0])
    assert sight.obstacles(situation(scan=seen((0.5, 0.0)))) == pytest.approx([0.5])
    for _ in range(2):      # what stops once stops again
        with pytest.raises(Stop, match='no scan'):
            sight.obstacles(situation(scan=None))
    assert sight.obstacles(here) == pytest.approx([1.0])
    assert sight == replace(sight) and 'found' not in repr(sight)
    moving = situation(scan=seen((1.0, 0.0)), odometry=odometry(0.5), last=command(0.5))
    slow, quick = replace(sight, lag_s=0.08), replace(sight, lag_s=0.0)
    assert slow.obstacles(moving) == pytest.approx([0.96])
    assert quick.obstacles(moving) == pytest.approx([1.0])      # nobody else's


# ---- what twist, commands and pose say, and the worst of it
def sent(v=0.0, w=0.0, ago=5.0):
    """Say that the wheels have long been doing what was commanded."""
    return Sent(STEADY - ns(ago), v, w, v, w, 0.0, 0.0)


def moved(pose_m=0.0, pose_rad=0.0, command_m=0.0, command_rad=0.0, ago=0.0) -> Reckoned:
    return Reckoned(STEADY - ns(ago), NOW - ns(ago), 0.0, 0.0, pose_m, 0.0, pose_rad, 0.0, 0.0,
                    command_m, command_rad, 0.0, 0.0)


@pytest.mark.parametrize(('read', 'limit'), [(-0.6, -0.6), (-5.0, -0.9), (1e300, 0.9), (0.9, 0.9)])
def test_no_twist_is_believed_beyond_what_wheels_can_do(read, limit):
    here = situation(scan=seen((1.0, 0.0)), odometry=odometry(read), last=told(0.0, 0.0, 0.0))
    assert went(here) == pytest.approx((limit * LAG_S, 0.0))
    here = situation(scan=seen((1.0, 0.0)), odometry=odometry(0.0, 3.0 * read),
                     last=told(0.0, 0.0, 0.0))
    assert abs(went(here)[1]) <= 1.5 * 1.5 * LAG_S + 1e-12


@pytest.mark.parametrize('lie', [-0.6, 0.0, -5.0, -1e300, 0.1])
def test_where_the_twist_lies_the_commands_count(lie):
    """The scan is 0.1 s old, the robot drives at 0.6 m/s, and its twist says anything."""
    here = situation(scan=seen((1.0, 0.0), stamp_ns=NOW - ns(0.1)), odometry=odometry(lie),
                     last=command(0.6), memory=memory(sent=(sent(0.6),)))
    nearest = SIGHT.obstacles(here).real.min()
    assert nearest == pytest.approx(1.0 - 0.6 * (0.1 + LAG_S))
    assert len(SIGHT.obstacles(here)) == 2


def test_where_commands_do_not_say_it_the_pose_counts():
    """It is pushed at 0.5 m/s against a command of rest, and the twist says that it stands."""
    past = moved(ago=0.1), moved(0.05)
    here = situation(scan=seen((1.0, 0.0)), memory=memory(sent=(sent(),), reckoned=past))
    assert SIGHT.obstacles(here) == pytest.approx([1.0, 1.0 - 0.5 * LAG_S])
    turns = moved(ago=0.1), moved(pose_rad=0.15)
    here = situation(scan=seen((1.0, 0.0)), memory=memory(sent=(sent(),), reckoned=turns))
    assert SIGHT.obstacles(here) == pytest.approx([1.0, np.exp(-1j * 1.5 * LAG_S)])
    both = moved(ago=0.1), moved(0.05, 0.15, 0.05, 0.15)        # as it was commanded
    here = situation(scan=seen((1.0, 0.0)), memory=memory(sent=(sent(),), reckoned=both))
    assert SIGHT.obstacles(here) == pytest.approx([1.0])


def test_the_pose_counts_over_the_newest_90_ms_or_more():
    past = (moved(-9.0, ago=0.2), moved(ago=0.1), moved(0.05, ago=0.05), moved(0.05))
    here = situation(scan=seen((1.0, 0.0)), memory=memory(sent=(sent(),), reckoned=past))
    assert SIGHT.obstacles(here) == pytest.approx([1.0, 1.0 - 0.5 * LAG_S])
    short = (moved(ago=0.05), moved(0.025))
    here = situation(scan=seen((1.0, 0.0)), memory=memory(sent=(sent(),), reckoned=short))
    assert SIGHT.obstacles(here) == pytest.approx([1.0, 1.0 - 0.5 * LAG_S])
    just = (moved(-9.0, ago=0.1), moved(ago=0.09), moved(0.045))
    here = situation(scan=seen((1.0, 0.0)), memory=memory(sent=(sent(),), reckoned=just))
    assert SIGHT.obstacles(here) == pytest.approx([1.0, 1.0 - 0.5 * LAG_S])
    here = situation(scan=seen((1.0, 0.0)), memory=memory(sent=(sent(),), reckoned=(moved(),)))
    assert SIGHT.obstacles(here) == pytest.approx([1.0])
    here = situation(scan=seen((1.0, 0.0)), memory=memory(reckoned=past))
    assert SIGHT.obstacles(here) == pytest.approx([1.0])        # nothing was commanded yet


@pytest.mark.parametrize(('off_m', 'off_rad', 'places'), [
    (0.0, 0.0, 1), (0.0099, 0.0, 1), (-0.0099, 0.0, 1), (0.0101, 0.0, 2), (-0.0101, 0.0, 2),
    (0.0, 0.0495, 1), (0.0, -0.0495, 1), (0.0, 0.0505, 2), (0.006, 0.0195, 1),
    (0.006, 0.0205, 2)])
def test_places_within_a_centimetre_are_one(off_m, off_rad, places):
    """A turn counts with the radius of the footprint, here 0.2 m."""
    here = situation(scan=seen((1.0, 0.0)), memory=memory(
        sent=(sent(off_m / LAG_S, off_rad / LAG_S),)))
    assert len(SIGHT.obstacles(here)) == places


def test_the_way_since_an_old_scan_is_that_of_all_commands_since():
    """It drove at 0.6 m/s when the scan was taken, and was told to stop 0.05 s ago."""
    stopped = Sent(STEADY - ns(0.05), 0.0, 0.0, 0.6, 0.0, 0.6 * 4.95, 0.0)
    here = situation(scan=seen((1.0, 0.0), stamp_ns=NOW - ns(0.1)), odometry=odometry(0.0),
                     last=told(0.0, 0.0, 0.05), memory=memory(sent=(sent(0.6), stopped)))
    fade = math.exp(-0.05 / LAG_S)
    way = 0.6 * 0.05 + 0.6 * LAG_S * (1 - fade) + 0.6 * fade * LAG_S
    assert SIGHT.obstacles(here).real.min() == pytest.approx(1.0 - way)


def test_a_robot_without_lag_has_places_as_well():
    here = situation(scan=seen((1.0, 0.0), stamp_ns=NOW - ns(0.1)), last=command(0.6),
                     memory=memory(sent=(sent(0.6),)))
    assert replace(SIGHT, lag_s=0.0).obstacles(here) == pytest.approx([1.0, 0.94])
