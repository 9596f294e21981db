# SPDX-License-Identifier: Apache-2.0
"""What no valid beam sees, where the robot would be, is not free."""

from dataclasses import replace
import math

from ami_ros.agent.arc import seen_after
from ami_ros.agent.rules.rule import Stop
from ami_ros.agent.rules.unseen_path import make, outline, UnseenPath
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
        """Half of the view, all behind: the mean share is the business of `finite`."""
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


def test_points_of_the_outline():
    dots = outline(BOX, 0.06)
    assert np.abs(BOX.gap(dots)).max() < 1e-12 and dots.shape[1] == 1
    corners = BOX.centre + np.array([1, 1, -1, -1]) * BOX.half_length_m + (
        1j * np.array([1, -1, 1, -1]) * BOX.half_width_m)
    assert np.abs(dots - corners).min(axis=0).max() < 1e-12
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
