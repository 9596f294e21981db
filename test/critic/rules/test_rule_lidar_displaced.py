# SPDX-License-Identifier: Apache-2.0
"""A lidar that was turned sees everything elsewhere; people, doors and fast turns do not."""

from dataclasses import replace
import math
import tracemalloc

from ami_ros.core.types import Sighting
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.lidar_displaced import landed, LidarDisplaced, shifted
from closed_loop import room, square, World
import numpy as np
import pytest
from rule_contract import ANGLES, command, memory, RuleContract, scan, situation

OFF_M, OFF_RAD = 0.15, math.radians(6.0)


def pair_of(before, after, moved=0j, turned_rad=0.0):
    """Two scans, the newest first, and the way between them by odometry."""
    z = (2 - 1j) + complex(moved) * np.exp(3j)
    return (Sighting(after, (z.real, z.imag, 3.0 + turned_rad)),
            Sighting(before, (2.0, -1.0, 3.0)))


def looks(world, v=0.0, w=0.0, steps=5):
    """Return two scans of a world and the way between them, as odometry would tell it."""
    before, place, yaw = world.scan(), world.place, world.yaw
    world.v, world.w = v, w
    for _ in range(steps):
        world.step(v, w)
    moved = (world.place - place) * np.exp(-1j * yaw)
    return pair_of(before, world.scan(), moved, world.yaw - yaw)


def share(pair):
    return shifted(pair[1], pair[0], OFF_M, OFF_RAD)


def rooms(count=12, **more):
    for seed in range(count):
        rng = np.random.default_rng(seed)
        sides = room(rng)       # a square one looks the same after a quarter turn
        sides = sides.real + 0.6j * sides.imag
        yield World(sides, noise_m=0.01, rng=rng, yaw=rng.uniform(-3, 3), place=0.25 - 0.2j,
                    **more)


def turned(pair, degrees):
    after, before = pair
    ranges = np.roll(after.scan.ranges, round(degrees / 2))
    return replace(after, scan=replace(after.scan, ranges=ranges)), before


class TestLidarDisplaced(RuleContract):

    rule = LidarDisplaced(0.3, OFF_M, 6.0)

    def at(self, pair, v=0.1, w=0.0):
        return self.rule.limit(command(v, w), situation(memory=memory(sightings=(pair,))))

    @pytest.mark.parametrize('degrees', [30, 45, 90, 180, -90])
    def test_a_lidar_that_was_turned_stops_for_good(self, degrees):
        for world in rooms():
            with pytest.raises(Stop, match='hit is elsewhere in the next scan, limit 30%') as why:
                self.at(turned(looks(world), degrees))
            assert why.value.latch

    @pytest.mark.parametrize(('v', 'w'), [(0.0, 0.0), (0.6, 0.0), (0.0, 1.5), (0.6, -1.5),
                                          (-0.6, 1.5)])
    @pytest.mark.parametrize('steps', [5, 10])
    def test_driving_is_none(self, v, w, steps):
        for world in rooms():
            assert share(looks(world, v, w, steps)) < 0.1
            assert self.at(looks(world, v, w, steps)).reason == ''

    @pytest.mark.parametrize('wrong', [0.0, 2.0])
    def test_wheels_that_slip_and_wheels_that_skid_are_none(self, wrong):
        """Odometry tells no turn, or twice as much."""
        for world in rooms():
            after, before = looks(world, 0.6, 1.5)
            way = np.subtract(after.pose, before.pose)
            told = replace(after, pose=tuple(before.pose + wrong * way))
            assert share((told, before)) < 0.1

    def test_two_people_who_run_past_are_none(self):
        """0.5 m wide, one on either side, 0.6 m away, at 3 m/s."""
        for world in rooms():
            sides = world.sides
            people = [world.place + at * np.exp(1j * world.yaw) for at in (0.85j, -0.85j)]
            scans = []
            for shift in (0.0, 0.15):
                world.sides = np.concatenate([sides, *(square((p + shift).real, p.imag, 0.25)
                                                       for p in people)])
                scans.append(world.scan())
            assert share(pair_of(*scans, 0j, 0.0)) < 0.3

    def test_all_at_once(self):
        """A lidar that looks at the floor, or a box that was put over it."""
        after, before = looks(next(rooms()))
        floor = scan(np.full(180, 0.3))
        assert share((replace(after, scan=floor), before)) > 0.9
        assert share((after, replace(before, scan=floor))) > 0.9

    def test_at_rest_it_is_not_asked(self):
        pair = turned(looks(next(rooms())), 90)
        assert self.at(pair, 0.0, 0.0).reason == ''
        with pytest.raises(Stop):
            self.at(pair, 0.0, 0.1)

    def test_of_the_required_ones(self):
        after, before = turned(looks(next(rooms())), 90)
        more = replace(after, scan=replace(after.scan, required=False))
        assert self.at((more, before)).reason == ''
        assert self.at((after,)).reason == ''       # one alone says nothing

    @pytest.mark.parametrize(('share_', 'stops'),
                             [(0.3, False), (np.nextafter(0.3, 1.0), True),
                                                   (math.nan, True)])
    def test_the_limit_and_that_it_computes_once(self, share_, stops):
        rule, pair = replace(self.rule), looks(next(rooms()))
        rule.found['scan'] = pair[0].scan, share_, True
        at = situation(memory=memory(sightings=(pair,)))
        if stops:
            with pytest.raises(Stop):
                rule.limit(command(0.1), at)
        else:
            assert rule.limit(command(0.1), at).reason == ''

    @pytest.mark.parametrize('newer', range(5))
    def test_scans_that_came_between_two_questions(self, newer):
        """Each of them is asked about, unless none was for long: then the newest alone."""
        rule, quiet = replace(self.rule), [scan(np.full(180, 2.0)) for _ in range(4)]
        odd = scan(np.full(180, 3.0))
        seen = [Sighting(one, (0.0, 0.0, 0.0)) for one in (*quiet, odd, odd)]   # it came third
        seen[4] = replace(seen[4], scan=replace(odd))
        rule.found['scan'] = (seen[newer].scan, 0.0, True)
        assert rule.worst(tuple(seen)) == (1.0 if newer == 4 else 0.0, True)
        assert replace(self.rule).worst(tuple(seen)) == (0.0, True)


    @pytest.mark.parametrize('first', [False, True])
    def test_of_two_lidars_either_may_be_the_one_that_was_turned(self, first):
        whole, other = looks(next(rooms())), turned(looks(next(rooms())), 90)
        other = tuple(replace(one, scan=replace(one.scan, name='rear')) for one in other)
        pairs = (other, whole) if first else (whole, other)
        with pytest.raises(Stop, match='of what the rear hit is elsewhere'):
            self.rule.limit(command(0.1), situation(memory=memory(sightings=pairs)))

    def test_the_only_thing_of_an_empty_view_may_go_and_may_come(self):
        """A box of 0.4 m before an endless floor, there in one scan and not in the other."""
        nothing = np.full(180, np.inf)
        box = nothing.copy()
        box[70:110] = 1.0
        for before, after in ((box, nothing), (nothing, box)):
            assert self.at(pair_of(scan(before), scan(after))).reason == ''
        wall = np.full(180, 3.0)                # behind it
        wall[110:] = wall[:70] = np.inf
        assert self.at(pair_of(scan(box), scan(wall))).reason == ''

    def test_all_of_a_sparse_view_elsewhere_stops_it_and_does_not_latch(self):
        """It may have been the thing that moved; which one, the next motion tells."""
        box = np.full(180, np.inf)
        box[70:110] = 1.0
        pair = pair_of(scan(box), scan(np.roll(box, 60)))
        with pytest.raises(Stop, match='100% of what the scan hit is elsewhere') as why:
            self.at(pair)
        assert not why.value.latch
        few = np.full(180, np.inf)
        few[70:85] = 1.0                        # in the second fewer than can be compared
        assert self.at(pair_of(scan(box), scan(np.roll(few, 60)))).reason == ''

    @pytest.mark.parametrize(('hits', 'latches'), [(89, None), (90, True)])
    def test_half_of_the_beams_make_a_dense_view(self, hits, latches):
        some = np.full(180, np.inf)
        some[:hits] = 1.0
        pair = pair_of(scan(some), scan(np.full(180, np.inf)))
        if latches is None:
            assert self.at(pair).reason == ''
        else:
            with pytest.raises(Stop) as why:
                self.at(pair)
            assert why.value.latch is latches


def test_of_many_beams_near_a_hit_those_on_both_sides_are_looked_at():
    """A comb of 4 degrees before a wall, by 2880 beams: seen again where it was, and half on."""
    angles = np.linspace(-math.pi, math.pi, 2880, endpoint=False)
    comb = scan(np.where(np.arange(2880) // 32 % 2, 2.0, 5.0), angles=angles)
    assert share(pair_of(comb, comb)) == 0.0
    for off in (40, -40):
        moved = replace(comb, ranges=np.roll(comb.ranges, off))
        assert share(pair_of(comb, moved)) == 0.0
    lone = scan(np.where(np.arange(2880) < 1440, 2.0, 5.0), angles=angles)
    for off in (80, -80, 40, -40):      # 10 and 5 degrees; 6 are allowed
        moved = replace(lone, ranges=np.roll(lone.ranges, off))
        assert bool(share(pair_of(lone, moved)) > 0.0) is (abs(off) == 80)


@pytest.mark.parametrize('spacing', [2e-7, 1e-6, 1e-4])
def test_beams_that_lie_close_make_no_more_work(spacing):
    """Of 1e-6 rad the tables had 300 MB, of 2e-7 rad 1.5 GB; they are bounded."""
    lidar = 1.0 + spacing * np.arange(360)
    near = scan(np.full(360, 2.0), angles=lidar)
    far = scan(np.full(360, 5.0), angles=lidar)
    tracemalloc.start()
    try:
        assert share(pair_of(near, near)) == 0.0
        assert share(pair_of(near, far)) == 1.0
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize('odd', [False, True])
def test_a_turn_more_is_none(odd):
    """Whether bearings are counted from behind or from ahead, and yaw goes on or leaps back."""
    for world in rooms(4):
        after, before = looks(world, 0.6, 1.5)
        if odd:
            after, before = turned((after, before), 30)
        x, y, yaw = after.pose
        for turn in (2 * math.pi, -2 * math.pi):
            assert share((replace(after, pose=(x, y, yaw + turn)), before)) == share(
                (after, before))
        other = replace(after.scan, angles=np.mod(after.scan.angles, 2 * math.pi))
        assert share((replace(after, scan=other), before)) == pytest.approx(
            share((after, before)), abs=0.01)


def test_what_it_found_is_no_part_of_it():
    asked, new = (LidarDisplaced(0.3, OFF_M, 6.0) for _ in range(2))
    asked.limit(command(0.1), situation(memory=memory(sightings=(looks(next(rooms())),))))
    assert asked.found and not new.found and asked == new and repr(asked) == repr(new)


@pytest.mark.parametrize(('known', 'odd', 'share_'), [(7, 4, 1.0), (8, 4, 0.0), (8, 2, 0.0),
                                                     (8, 1, 1.0), (2, 2, 1.0), (2, 3, 0.0)])
def test_no_more_than_eight_scans_between_two_questions(known, odd, share_):
    rule = LidarDisplaced(0.3, OFF_M, 6.0)
    seen = tuple(Sighting(scan(np.full(180, 2.0 + (i == odd))), (0.0, 0.0, 0.0))
                 for i in range(10))
    rule.found['scan'] = (seen[known].scan, 0.0, True)
    assert rule.worst(seen) == (share_, True)


@pytest.mark.parametrize('count', [0, 19, 20])
def test_too_few_beams_say_nothing(count):
    ranges = np.full(180, np.inf)
    ranges[:count] = 1.0
    other = np.full(180, 3.0)
    pair = pair_of(scan(ranges), scan(other), 0j, 0.0)
    assert share(pair) == (1.0 if count == 20 else 0.0)
    blind = np.full(180, np.nan)
    blind[:count] = 3.0
    assert share(pair_of(scan(np.full(180, 1.0)), scan(blind), 0j, 0.0)) == (
        0.0 if count == 0 else 1.0)         # a beam has neighbours that see for it
    assert share(pair_of(scan(np.full(180, 1.0)), scan(np.full(180, np.nan)), 0j, 0.0)) == 0.0


@pytest.mark.parametrize(('gone', 'off'), [(0.1499, 0.0), (0.1501, 1.0), (-0.1501, 1.0)])
def test_how_far_is_elsewhere(gone, off):
    pair = pair_of(scan(np.full(180, 2.0)), scan(np.full(180, 2.0 + gone)), 0j, 0.0)
    assert share(pair) == off


@pytest.mark.parametrize('moved', [0.1, 0.1j, -0.1])
def test_the_way_is_allowed_for_once_more(moved):
    pair = pair_of(scan(np.full(180, 2.0)), scan(np.full(180, 2.0)), complex(moved), 0.0)
    assert share(pair) == 0.0       # it was carried, and saw the same


def test_a_lidar_that_looks_ahead_alone():
    angles = np.linspace(-1.0, 1.0, 101)
    one, other = (scan(np.full(101, r), angles=angles) for r in (2.0, 3.0))
    assert share(pair_of(one, one, 0j, 0.5)) == 0.0
    assert share(pair_of(one, other, 0j, 0.5)) == 1.0
    assert share(pair_of(one, other, 0j, 2.1)) == 0.0      # nothing is seen twice
    same = scan(np.full(101, 2.0), angles=np.full(101, 0.3))
    assert share(pair_of(one, same, 0j, 0.0)) == 0.0       # all beams one way: no lidar


@pytest.mark.parametrize('mount', [(0.2, -0.1, math.pi), (0.0, 0.3, -2.0)])
def test_wherever_it_is_mounted(mount):
    """The same hits in base_link, by a lidar that sits elsewhere."""
    world = World(square(0.3, 0.2, 2.0))
    there = World(world.sides, place=complex(*mount[:2]), yaw=mount[2])
    def looked(made, v, w):
        before = replace(made.scan(), mount=mount)
        return before
    before = looked(there, 0, 0)
    turn = 0.1
    moved = World(world.sides, place=complex(*mount[:2]) * np.exp(1j * turn),
                  yaw=mount[2] + turn)
    after = replace(moved.scan(), mount=mount)
    assert share(pair_of(before, after, 0j, turn)) < 0.02
    assert share(pair_of(before, replace(after, ranges=np.roll(after.ranges, 45)), 0j, turn)) > 0.3


def test_a_lidar_with_more_beams_than_are_compared():
    angles = np.linspace(-math.pi, math.pi, 1440, endpoint=False)
    two = [scan(np.full(1440, r), angles=angles) for r in (2.0, 3.0)]
    assert share(pair_of(two[0], two[0], 0j, 0.1)) == 0.0
    assert share(pair_of(*two, 0j, 0.1)) == 1.0
    assert ANGLES.size == 180


def test_where_a_hit_is_after_the_way():
    """Reckoned by hand, for each: out of the sensor, off the way, into the sensor."""
    before = scan([1.0, 2.0, np.nan, np.inf, 0.0, 3.0, 4.0],
                  angles=np.array([0.1, -2.0, 0.3, 0.4, 0.5, np.nan, 3.0]),
                  mount=(0.2, -0.1, 1.5))
    after = scan([1.0], angles=np.zeros(1), mount=(-0.3, 0.4, -2.0))
    expected = []
    for away, bearing in ((1.0, 0.1), (2.0, -2.0), (4.0, 3.0)):
        x = 0.2 + away * math.cos(bearing + 1.5) - 0.7
        y = -0.1 + away * math.sin(bearing + 1.5) - 0.2
        x, y = (x * math.cos(0.6) + y * math.sin(0.6) + 0.3,
                -x * math.sin(0.6) + y * math.cos(0.6) - 0.4)
        expected.append(complex(x * math.cos(-2.0) + y * math.sin(-2.0),
                                -x * math.sin(-2.0) + y * math.cos(-2.0)))
    assert landed(before, after, 0.7 + 0.2j, 0.6) == pytest.approx(np.array(expected))


@pytest.mark.parametrize(('beams', 'compared'), [(180, 180), (181, 91), (360, 180), (361, 121)])
def test_no_more_than_180_hits_are_compared(beams, compared):
    many = scan(np.full(beams, 2.0), angles=np.linspace(-3.0, 3.0, beams))
    assert landed(many, many, 0j, 0.0).size == compared


@pytest.mark.parametrize('yaw', [0.0, math.pi / 2, -2.0, 3.0])
@pytest.mark.parametrize('ahead', [1.0, -1.0])
def test_a_long_way_is_taken_off_whichever_way_it_looked(yaw, ahead):
    """A metre towards a wall, or away from it; a metre more is allowed for, but not two."""
    angles = np.linspace(-0.3, 0.3, 61)
    walls = [scan(away / np.cos(angles), angles=angles)
             for away in (3.0, 3.0 - ahead, 3.5 + ahead)]
    way = ahead * np.exp(1j * yaw)
    poses = (4.0, -2.0, yaw), (4.0 + way.real, -2.0 + way.imag, yaw)
    for wall, off in ((walls[1], 0.0), (walls[2], 1.0)):
        assert share((Sighting(wall, poses[1]), Sighting(walls[0], poses[0]))) == off


def seen_by(lidar, hits, beam, off_rad, near=2.0, other=5.0):
    """Return how many hits, at 2 m, are seen again where a single beam ends about there."""
    ranges = np.full(lidar.size, other)
    ranges[beam] = near
    pair = pair_of(scan(np.full(hits.size, 2.0), angles=hits), scan(ranges, angles=lidar))
    return round((1 - shifted(pair[1], pair[0], OFF_M, off_rad)) * hits.size, 6)


@pytest.mark.parametrize(('off_rad', 'reach'), [(0.05, 1), (0.095, 1), (0.105, 2), (0.25, 3),
                                                (0.295, 3), (0.305, 4)])
def test_how_far_round_it_is_looked_for(off_rad, reach):
    """Of beams 0.1 rad apart, hits between them: so many beams on each side."""
    lidar = np.linspace(-2.0, 2.0, 41)
    hits = np.linspace(-1.95, 1.95, 40)
    assert seen_by(lidar, hits, 20, off_rad) == 2 * reach
    assert seen_by(lidar, hits, 0, off_rad) == seen_by(lidar, hits, 40, off_rad) == reach
    for beam in (0, 20, 40):
        assert seen_by(lidar, hits, beam, off_rad, near=2.14) > 0
        assert seen_by(lidar, hits, beam, off_rad, near=2.16) == 0


@pytest.mark.parametrize(('missing', 'seen'), [(1.5, 5), (2.5, 3)])
def test_a_lidar_looks_all_around_up_to_a_gap_of_two_beams(missing, seen):
    half = math.pi / (1 + missing / 99)
    lidar = np.linspace(-half, half, 100)
    hits = (lidar[1:] + lidar[:-1]) / 2
    assert seen_by(lidar, hits, 0, 2.5 * (lidar[1] - lidar[0])) == seen


def test_a_beam_that_says_nothing_hides_nothing():
    ranges = np.full(180, 5.0)
    ranges[::2] = 0.0
    assert share(pair_of(scan(np.full(180, 2.0)), scan(ranges))) == 1.0
    assert share(pair_of(scan(np.full(180, 7.0)), scan(ranges))) == 1.0
