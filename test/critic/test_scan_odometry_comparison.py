# SPDX-License-Identifier: Apache-2.0
"""Beams vote for the motion that they fit: that of odometry, or that of a lidar that is wrong."""

from dataclasses import replace
import math

from ami_ros.core.types import ScanMotion, Sighting
from ami_ros.critic import scan_odometry_comparison
from ami_ros.critic.scan_odometry_comparison import (
    compared,
    INSTEAD,
    LEAST_BEAMS,
    misfits,
    ScanMotions,
)
from closed_loop import room, square, World
import numpy as np
import pytest
from rule_contract import ANGLES, NOW, ns, odometry, scan

STILL, BEHIND, LEFT, RIGHT, MIRROR = range(5)


def pair(move=0.0, turn=0.0, wrong=lambda ranges: ranges, noise=0.01, seed=0, sides=None,
         told=1.0):
    """Two sightings of a room, a motion apart; `told` is the share that odometry tells of it."""
    rng = np.random.default_rng(seed)
    sides = room(rng) if sides is None else sides
    world = World(sides, noise_m=noise, rng=rng, place=0.2 + 0.1j, yaw=0.7)
    key = world.scan()
    world.place += move * np.exp(1j * (world.yaw + turn / 2))
    world.yaw += turn
    after = replace(world.scan(), stamp_ns=key.stamp_ns + ns(0.3))
    way = told * move * np.exp(1j * (0.7 + told * turn / 2))
    key, after = (replace(one, ranges=wrong(one.ranges)) for one in (key, after))
    return (Sighting(key, (5.0, -2.0, 0.7)),
            Sighting(after, (5.0 + way.real, -2.0 + way.imag, 0.7 + told * turn)))


def shares(key, newest):
    return [ours / count if count >= LEAST_BEAMS else None
            for count, ours in compared(key, newest)]


MOTIONS = [(0.1, 0.0), (-0.1, 0.0), (0.05, 0.1), (0.0, 0.12), (0.1, -0.2), (0.06, 0.0)]


@pytest.mark.parametrize(('move', 'turn'), MOTIONS)
@pytest.mark.parametrize('seed', range(6))
def test_a_lidar_that_is_right_fits_odometry(move, turn, seed):
    told = shares(*pair(move, turn, seed=seed))
    assert told[STILL] > 0.7
    assert all(one is None or one > 0.5 for one in told)


@pytest.mark.parametrize(('move', 'turn'), MOTIONS)
@pytest.mark.parametrize('seed', range(6))
def test_an_old_scan_fits_no_motion(move, turn, seed):
    key, newest = pair(move, turn, seed=seed)
    noise = np.random.default_rng(seed).normal(0, 0.003, 180)
    again = replace(newest, scan=replace(newest.scan, ranges=key.scan.ranges + noise))
    assert shares(key, again)[STILL] < 0.05


@pytest.mark.parametrize(('beams', 'instead', 'motion'), [
    (90, BEHIND, (0.1, 0.0)), (45, LEFT, (0.1, 0.0)), (-45, RIGHT, (0.1, 0.0)),
    (45, LEFT, (-0.1, 0.05))])
@pytest.mark.parametrize('seed', range(6))
def test_a_lidar_that_is_turned_fits_the_motion_of_one(beams, instead, motion, seed):
    told = shares(*pair(*motion, wrong=lambda ranges: np.roll(ranges, beams), seed=seed))
    assert told[instead] < 0.2
    assert INSTEAD[instead].startswith('of a lidar that is turned by')


@pytest.mark.parametrize('motion', [(0.0, 0.12), (0.05, -0.2)])
@pytest.mark.parametrize('seed', range(6))
def test_a_lidar_that_is_mirrored(motion, seed):
    told = shares(*pair(*motion, wrong=lambda ranges: np.roll(ranges[::-1], 1), seed=seed))
    assert told[MIRROR] < 0.3


@pytest.mark.parametrize('told', [0.85, 1.0, 1.15])
@pytest.mark.parametrize('seed', range(6))
def test_odometry_that_is_wrong_by_a_seventh_is_no_contradiction(told, seed):
    for move, turn in MOTIONS:
        assert all(one is None or one > 0.3 for one in shares(*pair(move, turn, seed=seed,
                                                                    told=told)))


@pytest.mark.parametrize('off_rad', [-0.04, -0.03, -0.01, 0.02, 0.04])
@pytest.mark.parametrize('seed', range(4))
def test_a_turn_that_is_told_a_little_wrongly_is_no_contradiction(off_rad, seed):
    """A rover in the simulator told 0.03 rad too much: a mirrored lidar fitted better."""
    for move, turn in (*MOTIONS, (0.12, 0.02), (0.12, -0.02), (0.01, -0.2)):
        key, newest = pair(move, turn, seed=seed)
        x, y, yaw = newest.pose
        told = shares(key, replace(newest, pose=(x, y, yaw + off_rad)))
        assert all(one is None or one > 0.45 for one in told), (move, turn)


@pytest.mark.parametrize(('move', 'turn', 'silent'), [
    (0.029, 0.3, (BEHIND, LEFT, RIGHT)), (0.031, 0.3, ()), (0.2, 0.059, (MIRROR,)),
    (0.2, -0.059, (MIRROR,)), (0.2, 0.061, ()), (0.2, -0.061, ())])
def test_what_a_short_way_says_nothing_of(move, turn, silent):
    told = [count for count, _ in compared(*pair(move, turn, noise=0.03))]
    assert [which for which, count in enumerate(told) if not count] == list(silent)


def test_two_even_walls_and_an_empty_view_tell_nothing():
    walls = 0.1j + np.array([[-50 + 1j, 50 + 1j], [50 - 1j, -50 - 1j]]) * np.exp(0.7j)
    told = compared(*pair(0.1, sides=walls, noise=0.002))
    assert all(count < LEAST_BEAMS for count, _ in (told[STILL], told[BEHIND], told[MIRROR]))
    nothing = scan(np.full(180, np.inf))
    assert compared(Sighting(nothing, (0.0, 0.0, 0.0)), Sighting(nothing, (0.1, 0.0, 0.0))) == [
        (0, 0)] * 5


def test_no_more_than_60_beams_are_looked_up(monkeypatch):
    sizes, angles = [], np.linspace(-math.pi, math.pi, 1440, endpoint=False)
    monkeypatch.setattr(scan_odometry_comparison, 'misfits', lambda key, points: sizes.append(
        points.shape) or misfits(key, points))
    fine = scan(np.full(1440, 2.0), angles=angles)
    compared(Sighting(fine, (0.0, 0.0, 0.0)), Sighting(fine, (0.1, 0.0, 0.0)))
    assert sizes == [(6, 5, 30), (6, 60)]


def test_how_far_a_point_lies_behind_what_was_seen():
    """Between two beams their line counts; an edge, a gap and what says nothing tell nothing."""
    ranges = np.full(180, 2.0)
    ranges[91], ranges[100], ranges[120], ranges[121] = 2.2, 2.26, np.nan, np.inf
    key = Sighting(scan(ranges, mount=(0.1, -0.2, 0.5)), (0.0, 0.0, 0.0))

    def off(beam, away):
        bearing = ANGLES[0] + beam * math.radians(2)
        return misfits(key, np.array([0.1 - 0.2j + away * np.exp(1j * (bearing + 0.5))]))[0]
    assert off(50.5, 2.3) == pytest.approx(0.3)
    assert off(50.5, 1.9) == pytest.approx(-0.1)
    assert off(90.25, 2.0) == pytest.approx(-0.05)
    assert off(179.5, 2.0) == pytest.approx(0.0)        # all around
    for beam in (99.5, 100.5, 119.5, 120.5, 121.5):
        assert math.isnan(off(beam, 2.0))
    narrow = Sighting(scan(np.full(180, 2.0), angles=np.linspace(-1.0, 1.0, 180)), (0, 0, 0))
    assert misfits(narrow, np.array([2.0 + 0j]))[0] == pytest.approx(0.0)
    assert math.isnan(misfits(narrow, np.array([-2.0 + 0j]))[0])


class Drive:
    """Scans of one room along a way, and what is found of them."""

    def __init__(self, wrong=lambda ranges, first: ranges, noise=0.01):
        self.wrong, self.made = wrong, ScanMotions(('scan',))
        self.world = World(np.concatenate([square(0.5, 0.2, 3), square(-1.2, 1.0, 0.3)]),
                           noise_m=noise)
        self.told, self.stamp, self.first = 0j, NOW, None

    def go(self, move=0.02, told=1.0, passed_s=0.05, times=1, known=True):
        for _ in range(times):
            self.world.place += move
            self.told += told * move
            self.stamp += ns(passed_s)
            seen = self.world.scan()
            self.first = seen.ranges if self.first is None else self.first
            seen = replace(seen, stamp_ns=self.stamp, ranges=self.wrong(seen.ranges, self.first))
            self.made.on_odometry(odometry(pose=np.array([self.told.real, self.told.imag, 0.0]),
                                           stamp_ns=self.stamp), known)
            self.made.on_scan(seen)
        return self.made.found.get('scan')


def repeated(ranges, first):
    return first + np.random.default_rng(0).normal(0, 0.003, first.size)


def test_the_first_agreement_comes_after_five_centimetres():
    drive = Drive()
    drive.go()
    assert drive.go(0.024, times=2) is None
    found = drive.go(0.004)
    assert found.agreed and found.contradictions == 0 and drive.made.look() == (found,)
    kept = drive.made.keys['scan']
    drive.go(0.03, times=3)
    assert drive.made.keys['scan'] is kept          # from then on twice as far
    drive.go(0.03)
    assert drive.made.keys['scan'] is not kept


def test_contradictions_are_counted_in_a_row_and_an_agreement_ends_them():
    drive = Drive(repeated)
    drive.go()
    assert drive.go(times=3) == drive.made.found['scan']
    found = drive.made.found['scan']
    assert (found.agreed, found.contradictions, found.instead) == (False, 1, INSTEAD[0])
    assert found.beams >= found.votes >= 0.7 * found.beams
    assert drive.go(times=8).contradictions >= 2
    drive.wrong = lambda ranges, first: ranges
    drive.go(0.2)                                   # too far from the key: another one
    assert drive.go(times=8).contradictions == 0


def test_what_agreed_once_goes_on_to_be_known_as_such():
    drive = Drive()
    assert drive.go(times=10).agreed
    drive.wrong, drive.first = repeated, None
    found = drive.go(times=12)
    assert found.agreed and found.contradictions >= 1


def test_somebody_looked_at_it():
    drive = Drive(repeated)
    drive.go(times=10)
    drive.made.forget()
    assert drive.made.look() == () and not drive.made.keys
    assert drive.go(times=2) is None


def test_where_it_is_not_known_where_a_scan_was_taken_it_begins_anew():
    drive = Drive(repeated)
    drive.go(times=2)
    drive.go(known=False)
    assert not drive.made.keys
    assert drive.go(times=2) is None and drive.made.keys


@pytest.mark.parametrize(('passed_s', 'told'), [(6.0, False), (-0.1, False), (0.0, False),
                                                (1.0, True)])
def test_a_key_of_long_ago_or_of_another_clock_tells_nothing(passed_s, told):
    drive = Drive()
    drive.go()
    assert (drive.go(0.1, passed_s=passed_s) is not None) is told


def test_where_few_beams_tell_it_is_tried_again_farther_on():
    drive = Drive(lambda ranges, first: np.full(180, np.inf))
    drive.go()
    kept = drive.made.keys['scan']
    drive.go(0.03, times=6)
    assert drive.made.keys['scan'] is kept and drive.made.steps['scan'] == 4
    drive.go(0.03)
    assert drive.made.keys['scan'] is not kept and not drive.made.found


def test_a_turn_alone_counts_as_well():
    made = ScanMotions(('scan',))
    for sighting in pair(0.0, 0.12):
        made.take(sighting)
    assert made.look()[0].agreed
    assert ScanMotion('x').contradictions == 0


def told(made, at_s, x=0.0, yaw=0.0, goes_on=True):
    made.on_odometry(odometry(pose=np.array([x, 0.0, yaw]), stamp_ns=NOW + ns(at_s)), goes_on)


@pytest.mark.parametrize(('at_s', 'x', 'yaw'), [
    (0.2, 1.0, 0.1 - math.pi), (0.125, 0.25, 3.1 + (math.pi - 3.0) / 4),
    (0.175, 0.75, 3.1 + (math.pi - 3.0) * 3 / 4)])
def test_where_a_scan_was_taken_is_between_two_readings_of_odometry(at_s, x, yaw):
    made = ScanMotions(('scan',))
    told(made, 0.1, yaw=3.1)
    made.on_scan(scan(stamp_ns=NOW + ns(at_s)))
    assert not made.keys
    told(made, 0.2, x=1.0, yaw=0.1 - math.pi)           # across the seam
    assert made.keys['scan'].pose == pytest.approx((x, 0.0, yaw)) and not made.waiting


def test_a_scan_waits_for_odometry_of_its_instant_or_is_left_out():
    made = ScanMotions(('scan',))
    made.on_scan(scan(stamp_ns=NOW, name='sonar'))
    assert not made.waiting
    told(made, 0.0)
    told(made, 0.1)
    made.on_scan(scan(stamp_ns=NOW - 1))                # before both
    assert not made.keys and not made.waiting
    made.on_scan(scan(stamp_ns=NOW + ns(0.15)))
    newer = scan(stamp_ns=NOW + ns(0.25))
    made.on_scan(newer)                                 # the one before waited in vain
    told(made, 0.2)
    assert not made.keys and made.waiting == {'scan': newer}
    told(made, 0.51)                                    # too long a gap
    assert not made.keys and not made.waiting
    made.on_scan(scan(stamp_ns=NOW + ns(0.6)))
    told(made, 0.81)
    assert made.keys


@pytest.mark.parametrize('goes_on', [False, True])
def test_where_odometry_leaps_or_is_no_number_all_is_forgotten(goes_on):
    made = ScanMotions(('scan',))
    told(made, 0.0)
    told(made, 0.1)
    made.on_scan(scan(stamp_ns=NOW))
    made.on_scan(scan(stamp_ns=NOW + ns(0.2)))
    assert made.keys and made.waiting
    told(made, 0.2, x=math.nan if goes_on else 0.0, goes_on=goes_on)
    assert not made.keys and not made.waiting
    told(made, 0.3)
    made.on_scan(scan(stamp_ns=NOW + ns(0.25)))
    assert not made.keys            # one reading says no more than where it is now
    made.on_scan(scan(stamp_ns=NOW + ns(0.3)))
    assert made.keys['scan'].pose == (0.0, 0.0, 0.0)
