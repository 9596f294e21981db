# SPDX-License-Identifier: Apache-2.0
"""What no valid beam sees, where the robot would be, is not free."""

from bisect import bisect
from dataclasses import replace
import math

from ami_ros.critic.footprint_sweep import Box, seen_after
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules import unseen_path
from ami_ros.critic.rules.unseen_path import make, outline, UnseenPath
import numpy as np
import pytest
from rule_contract import (
    ANGLES,
    answer,
    BOX,
    CHOSEN,
    command,
    ROBOT,
    RuleContract,
    scan,
    sensor,
    SIGHT,
    situation,
)

REACT, BRAKE, AHEAD, WIDE = 0.1, 1.5, 0.05, 0.06
LIMITS = (0.6, 1.5)
STEP = math.radians(2)


def blind(towards: float, beams: int, **more):
    """Return a scan in which so many neighbouring beams say nothing, around a direction."""
    ranges = np.full(180, 5.0)
    middle = round((towards + math.pi) / STEP)
    ranges[np.arange(middle - beams // 2, middle - beams // 2 + beams) % 180] = np.nan
    return scan(ranges, **more)


def needed(speed):
    return speed * REACT + speed**2 / (2 * BRAKE)


class TestUnseenPath(RuleContract):

    rule = UnseenPath(BOX, REACT, BRAKE, AHEAD, *LIMITS, WIDE, 0.0, ('scan',), SIGHT)

    def at(self, v, w, *scans, **changes):
        return replace(self.rule, **changes).limit(command(v, w), situation(scans=scans))

    @pytest.mark.parametrize(('v', 'w', 'towards'), [
        (0.6, 0.0, 0.0), (0.1, 0.0, 0.0), (-0.6, 0.0, math.pi), (-0.1, 0.0, -3.1),
        (0.3, 1.5, 0.6), (0.3, -1.5, -0.6)])
    def test_a_motion_into_what_no_beam_sees(self, v, w, towards):
        with pytest.raises(Stop, match='no valid beam sees what is 0.05 m ahead on this arc: a '
                                       'gap there is wider than 0.060 m'):
            self.at(v, w, blind(towards, 49))
        assert self.at(-v, 0.0, blind(towards, 49)).reason == ''     # away from it

    @pytest.mark.parametrize('w', [1.5, -1.5])
    def test_a_turn_on_the_spot_sweeps_with_all_corners(self, w):
        corner = math.atan2(BOX.half_width_m, BOX.half_length_m)
        for towards in (corner, -corner, math.pi - corner, corner - math.pi):
            with pytest.raises(Stop):
                self.at(0.0, w, blind(towards, 49))

    @pytest.mark.parametrize('beams', [0, 1, 2])
    def test_a_few_invalid_beams_hide_nothing(self, beams):
        assert self.at(0.6, 0.0, blind(0.0, beams)).reason == ''

    def test_nothing_is_counted_where_nobody_goes(self):
        """Half of the view, all behind: the mean share is the business of `input_validity`."""
        assert self.at(0.6, 0.0, blind(math.pi, 50)).reason == ''

    @pytest.mark.parametrize('beams', [4, 5])
    def test_a_gap_that_grows_wide_farther_off_slows(self, beams):
        """It stands before it is where the gap is wider than the limit."""
        left, reason = self.at(0.6, 0.0, blind(0.0, beams))
        speed = left.values[0]
        farthest = WIDE / ((beams + 1) * STEP) - BOX.half_length_m
        assert 0.0 < speed < 0.6 and reason
        assert needed(speed) + AHEAD <= farthest
        assert self.at(speed * 0.999, 0.0, blind(0.0, beams)).reason == ''

    def test_what_is_outside_the_field_of_view_is_not_seen(self):
        angles = np.linspace(-2.0, 2.0, 180)
        seen = scan(np.full(180, 5.0), angles=angles)
        assert self.at(0.6, 0.0, seen).reason == ''
        with pytest.raises(Stop):
            self.at(-0.1, 0.0, seen)
        for angles in (np.linspace(1.5, 1.6, 180), np.full(180, np.nan)):
            with pytest.raises(Stop):
                self.at(0.1, 0.0, scan(np.full(180, 5.0), angles=angles, required=False))

    def test_one_of_two_lidars_is_enough(self):
        rear = replace(blind(math.pi, 49), name='rear')
        two = ('scan', 'rear')
        assert self.at(0.6, 0.0, blind(0.0, 49), rear, names=two).reason == ''
        assert self.at(-0.6, 0.0, blind(0.0, 49), rear, names=two).reason == ''
        with pytest.raises(Stop):
            self.at(0.6, 0.0, blind(0.0, 49), rear)         # the other one is not required
        both = blind(0.0, 49), replace(blind(0.0, 49), name='rear')
        with pytest.raises(Stop):
            self.at(0.6, 0.0, *both, names=two)

    @pytest.mark.parametrize('mount', [(0.1, 0.0, math.pi), (-0.1, 0.05, math.pi / 2)])
    def test_wherever_the_lidar_is_mounted(self, mount):
        with pytest.raises(Stop):
            self.at(0.3, 0.0, blind(-mount[2], 49, mount=mount))
        assert self.at(0.3, 0.0, blind(math.pi - mount[2], 49, mount=mount)).reason == ''

    @pytest.mark.parametrize(('v', 'w'), [(0.6, 0.0), (-0.6, 0.0), (0.1, 1.5), (0.6, 0.2)])
    def test_a_share_may_be_left(self, v, w):
        ranges = np.full(180, np.nan)
        ranges[[0, 1, 60, 61, 120, 121]] = 5.0
        left, reason = self.at(v, w, scan(ranges, required=False), unseen_speed=0.25)
        share = min(1.0, 0.25 * min(LIMITS[0] / max(abs(v), 1e-9), LIMITS[1] / max(abs(w), 1e-9)))
        assert left.values == pytest.approx([v * share, w * share]) and bool(reason) == (share < 1)
        assert self.at(0.14, 0.1, scan(ranges, required=False), unseen_speed=0.25).reason == ''

    def test_where_there_is_no_planar_lidar_it_says_nothing(self):
        assert self.at(0.6, 0.0, blind(0.0, 49), names=()).reason == ''

    def test_without_a_scan_it_stops(self):
        with pytest.raises(Stop, match='no scan has come'):
            self.at(0.1, 0.0)

    def test_it_computes_once_and_each_scan_anew(self):
        rule, one, other = replace(self.rule), blind(math.pi, 49), blind(0.0, 49)
        assert rule.limit(command(0.3), situation(scans=(one,))).reason == ''
        assert rule.found['scan'][0] is one
        assert answer(rule, command(0.3), situation(scans=(other,))).reason
        assert rule == replace(self.rule) and not replace(self.rule).found
        assert 'found' not in repr(rule)

    def test_all_that_it_stops_for_is_where_the_robot_would_be(self):
        """Against a fine sweep of the whole area, over random arcs and gaps."""
        rng = np.random.default_rng(5)
        for _ in range(200):
            v, w = rng.uniform(-0.6, 0.6), rng.uniform(-1.5, 1.5)
            beams, towards = int(rng.integers(3, 60)), rng.uniform(-math.pi, math.pi)
            speed = max(abs(v), abs(w) * BOX.radius_m)
            off = rng.uniform(-0.5, 0.5, (4000, 2)) @ (1, 1j)
            off = off[BOX.gap(off) > 0]
            looks = np.abs(np.mod(np.angle(off) - towards + math.pi, 2 * math.pi) - math.pi)
            wide = (looks < (beams - 1) / 2 * STEP) & ((beams + 1) * STEP * np.abs(off) > WIDE)
            swept = np.zeros(off.size, bool)
            for travel in np.arange(0.0, needed(speed) + AHEAD, 0.01):
                swept |= BOX.gap(seen_after(off, v / speed * travel, w / speed * travel)) < 0
            stopped = bool(answer(self.rule, command(v, w), situation(
                scans=(blind(towards, beams),))).reason)
            if np.count_nonzero(wide & swept) > 60:         # 1.5 % of a square metre
                assert stopped, (v, w, beams, towards)


OFF = Box(0.05 + 0.03j, 0.16, 0.14, 0.3)       # its middle is not base_link


def first_unseen(v, w, seen, box, widest, most):
    """Return after how many steps a point of the outline is where no beam sees, one by one."""
    speed = max(abs(v), abs(w) * box.radius_m)
    x, y, yaw = seen.mount
    looks = sorted(angle % (2 * math.pi) for angle, away in zip(seen.angles, seen.ranges)
                   if away > 0)
    for step in range(1, most + 1):
        seconds = 0.05 * step / speed
        turn = w * seconds
        if abs(w) > 1e-12:
            moved = complex(math.sin(turn), 1 - math.cos(turn)) * v / w
        else:
            moved = complex(v * seconds, 0.0)
        for dot in outline(box, max(widest, 0.03)).ravel():
            place = moved + dot * complex(math.cos(turn), math.sin(turn))
            out = place - box.centre
            if abs(out.real) <= box.half_length_m and abs(out.imag) <= box.half_width_m:
                continue                        # the robot is there already
            there = (place - complex(x, y)) * complex(math.cos(yaw), -math.sin(yaw))
            bearing = math.atan2(there.imag, there.real) % (2 * math.pi)
            after = bisect(looks, bearing)
            low = looks[after - 1] - 2 * math.pi * (after == 0)
            high = looks[after % len(looks)] + 2 * math.pi * (after == len(looks))
            if (high - low) * abs(there) > widest:
                return step
    return None


def case(seed):
    """Draw an arc, gaps, a mount, limits and a box; return the rule, (v, w) and the scan."""
    rng = np.random.default_rng(seed)
    v, w = rng.uniform(-0.6, 0.6), rng.uniform(-4.0, 4.0)
    v, w = [(v, w), (v, 0.0), (0.0, w), (v, w / 10)][seed % 4]
    box, widest = (BOX, OFF)[seed // 4 % 2], rng.choice([0.02, 0.05, 0.09, 0.2])
    react, brake, ahead = rng.uniform(0.0, 0.3), rng.uniform(0.3, 2.0), rng.choice([0.0, 0.05])
    left_share = rng.choice([0.0, 0.1, 0.4])
    ranges = np.full(180, 5.0)
    for _ in range(rng.integers(1, 5)):
        ranges[(rng.integers(180) + np.arange(rng.integers(1, 14))) % 180] = rng.choice(
            [np.nan, 0.0, -1.0])
    seen = scan(ranges, required=False, mount=(rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1),
                                               rng.uniform(-3.0, 3.0)))
    return UnseenPath(box, react, brake, ahead, *LIMITS, widest, left_share, ('scan',),
                      SIGHT), v, w, seen


@pytest.mark.parametrize('seed', range(300))
def test_against_one_point_after_the_other(seed):
    """As fast as is right, to a millionth."""
    rule, v, w, seen = case(seed)
    box, widest, left_share = rule.box, rule.max_unseen_m, rule.unseen_speed
    react, brake, ahead = rule.reaction_s, rule.braking_mps2, rule.stop_distance_m
    speed = max(abs(v), abs(w) * box.radius_m)
    way = speed * react + speed**2 / (2 * brake) + ahead
    step = first_unseen(v, w, seen, box, widest, math.ceil(way / 0.05))
    share = 1.0
    if step is not None:
        free = 0.05 * (step - 1) - ahead
        slow = brake * (math.sqrt(react**2 + 2 * free / brake) - react) if free > 0 else 0.0
        floor = min(limit / abs(asked) for limit, asked in zip(LIMITS, (v, w)) if asked)
        share = min(1.0, max(slow / speed, left_share * floor))
    left, reason = answer(rule, command(v, w), situation(scans=(seen,)))
    assert left.values == pytest.approx([v * share, w * share], rel=1e-6)
    assert bool(reason) == (share < 1.0)


def test_the_cases_above_stop_slow_and_pass():
    kinds = {'stop': 0, 'slow': 0, 'go': 0}
    for rule, v, w, seen in map(case, range(300)):
        left, reason = answer(rule, command(v, w), situation(scans=(seen,)))
        kinds['go' if not reason else 'slow' if left.values.any() else 'stop'] += 1
    assert min(kinds.values()) >= 20, kinds


@pytest.mark.parametrize(('angles', 'widest'), [
    ([0.1, 0.5, 2.0, 3.0], 0.1 + 2 * math.pi - 3.0), ([0.1, 4.5, 5.0, 6.0], 4.4),
    ([6.0, 0.1, 2.2, 4.2], 2.1), ([1.0], 2 * math.pi), ([], 2 * math.pi)])
def test_the_widest_gap(angles, widest):
    """Between neighbours, or from the last beam round to the first."""
    angles = np.array([*angles, 1.0, math.nan, 2.5])
    ranges = np.array([1.0] * (angles.size - 3) + [math.nan, 1.0, 0.0])
    looks, found = replace(TestUnseenPath.rule).gaps(scan(ranges, angles=angles))
    assert found == pytest.approx(widest)
    assert looks == pytest.approx(np.sort(angles[:-3]))


@pytest.mark.parametrize(('beyond', 'looked'), [(1.001, True), (0.999, False)])
@pytest.mark.parametrize('mount', [(0.0, 0.0, 0.0), (0.3, -0.4, 1.0)])
@pytest.mark.parametrize(('v', 'w'), [(0.5, 0.0), (0.0, -1.5), (0.1, 0.2)])
def test_no_further_than_the_farthest_point_of_the_way(monkeypatch, beyond, looked, mount, v, w):
    """A gap that is nowhere wide enough ends it there; one that may be is looked at."""
    speed = max(abs(v), abs(w) * BOX.radius_m)
    farthest = BOX.radius_m + needed(speed) + AHEAD + 0.05 + math.hypot(*mount[:2])
    seen, asked = scan(np.full(180, 5.0), mount=mount), []
    monkeypatch.setattr(unseen_path, 'outline', lambda *a: asked.append(a) or outline(*a))
    rule = replace(TestUnseenPath.rule, max_unseen_m=STEP * farthest / beyond)
    rule.limit(command(v, w), situation(scans=(seen,)))
    assert bool(asked) is looked
    two = situation(scans=(blind(0.0, 49), replace(seen, name='rear')))
    assert answer(replace(rule, names=('scan', 'rear')), command(v, w), two).reason == ''


def test_points_of_the_outline():
    dots = outline(BOX, 0.06)
    assert np.abs(BOX.gap(dots)).max() < 1e-12 and dots.shape[1] == 1
    corners = BOX.centre + np.array([1, 1, -1, -1]) * BOX.half_length_m + (
        1j * np.array([1, -1, 1, -1]) * BOX.half_width_m)
    assert np.abs(dots - corners).min(axis=0).max() < 1e-12
    assert outline(OFF, 0.06).mean() == pytest.approx(OFF.centre)
    assert [outline(BOX, apart).size for apart in (0.06, 0.15, 1.0)] == [
        2 * (8 + 7), 2 * (5 + 4), 2 * (3 + 3)]
    ring = dots.ravel()[np.argsort(np.angle(dots.ravel() - BOX.centre))]
    assert np.abs(np.diff(ring, append=ring[0])).max() <= 0.06 + 1e-9
    assert ANGLES.size == 180


def test_what_it_is_made_of():
    own, more = CHOSEN.rules['unseen_path'], CHOSEN.shared
    robot = replace(ROBOT, sensors=(*ROBOT.sensors, sensor('PointCloud2', 'cloud'),
                                    sensor('LaserScan', 'rear', required=False)))
    made = make(own, more, robot)
    assert (made.max_unseen_m, made.unseen_speed, made.names) == (
        own.max_unseen_m, own.unseen_speed, ('scan',))
    assert (made.reaction_s, made.braking_mps2, made.stop_distance_m, made.max_speed_mps,
            made.max_turn_radps) == (more.reaction_s, more.braking_mps2, more.stop_distance_m,
                                     more.max_speed_mps, more.max_turn_radps)
