# SPDX-License-Identifier: Apache-2.0
"""Before something that moves arrives, the robot stands; what stands is none of its business."""

from dataclasses import replace

from ami_ros.core.types import Sent
from ami_ros.critic.obstacle_tracking import Coming
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules import moving_obstacle
from ami_ros.critic.rules.moving_obstacle import MovingObstacle
from closed_loop import square
from moving_obstacle_scans import sightings
import numpy as np
import pytest
from rule_contract import (
    BOX,
    CHOSEN,
    command,
    memory,
    ns,
    odometry,
    ROBOT,
    RuleContract,
    scan,
    sensor,
    SIGHT,
    situation,
    STEADY,
)

REACT, BRAKE, BESIDE, FASTEST = 0.1, 1.5, 0.02, 0.6
FRONT, HALF = BOX.half_length_m, 0.15


class TestApproach(RuleContract):

    rule = MovingObstacle(BOX, REACT, BRAKE, BESIDE, FASTEST, 0.6, ('scan',), SIGHT)

    def ask(self, thing, v=0.0, w=0.0, **seen):
        past = sightings(thing, **seen)
        return self.rule.limit(command(v, w), situation(
            scan=past[0].scan, memory=memory(sightings=(past,))))

    @staticmethod
    def ahead(gap_m, speed_mps, beside_m=0.0):
        """A square whose face is so far ahead of the front, and comes that fast."""
        return lambda ago: square(FRONT + gap_m + HALF + speed_mps * ago, beside_m, HALF)

    def free(self, speed_mps, v):
        """How much room is needed: what both do until the robot stands, and the lag before."""
        until = REACT + v / BRAKE
        way = v * REACT + v * v / (2 * BRAKE)
        return speed_mps * (until + SIGHT.lag_s) + way + BESIDE

    @pytest.mark.parametrize('speed', [0.1, 0.3, 0.5])
    @pytest.mark.parametrize('v', [0.1, 0.3, 0.6])
    def test_head_on(self, speed, v):
        room = self.free(speed, v)
        assert self.ask(self.ahead(room + 0.04, speed), v).reason == ''
        try:
            assert 'comes within 0.020 m' in self.ask(self.ahead(room - 0.04, speed), v).reason
        except Stop:
            pass        # where half as fast is not slow enough either
        with pytest.raises(Stop, match='something that moves at 0.* m/s comes within 0.020 m'):
            self.ask(self.ahead(0.03, speed), v)

    def test_half_as_fast_where_that_is_slow_enough(self):
        left, reason = self.ask(self.ahead(self.free(0.3, 0.6) - 0.1, 0.3), 0.6, 0.2)
        assert left.values.tolist() == [0.3, 0.1] and '0.3' in reason
        left, _ = self.ask(self.ahead(self.free(0.3, 0.3) - 0.02, 0.3), 0.6, 0.2)
        assert left.values.tolist() == [0.15, 0.05]

    def test_it_need_not_stand_any_stiller(self):
        with np.errstate(all='raise'):
            assert self.ask(self.ahead(0.01, 0.4)).reason == ''

    @pytest.mark.parametrize('off_m', [-1e-3, -1e-5, 1e-5, 1e-3])
    @pytest.mark.parametrize(('v', 'speed'), [(0.3, 0.2), (0.6, 0.5), (0.05, 0.3), (-0.3, 0.5)])
    def test_just_so(self, v, speed, off_m):
        """What comes straight is nearest when the robot stands."""
        until = REACT + abs(v) / BRAKE
        way = v * REACT + v * abs(v) / (2 * BRAKE)
        one = Coming(np.array([FRONT + way + speed * until + BESIDE + off_m + 0j]),
                     np.array([-speed + 0j]))
        assert self.rule.meets(v, 0.0, one).tolist() == [off_m < 0]

    def test_what_goes_along_is_not_met(self):
        for gap in (0.01, BESIDE):
            one = Coming(np.array([FRONT + gap + 0j]), np.array([0.3 + 0j]))
            assert not self.rule.meets(0.3, 0.0, one).any()

    def test_it_is_told_on_as_the_robot_turns(self):
        """The scan is 0.2 s old; the robot turned since, and will while its wheels lag."""
        past = sightings(self.ahead(0.3, 0.4))
        old = tuple(replace(one, scan=replace(one.scan, stamp_ns=one.scan.stamp_ns - 200_000_000))
                    for one in past)
        seen = situation(scan=old[0].scan, odometry=odometry(0.0, 1.5),
                         last=command(0.0, 1.5), memory=memory(sightings=(old,)))
        (now,), turned = self.rule.now(old, seen), 1.5 * (0.2 + SIGHT.lag_s)
        assert np.median(np.angle(-now.speeds)) == pytest.approx(-turned, abs=0.05)
        assert np.median(np.abs(now.speeds)) == pytest.approx(0.4, abs=0.03)
        middle = np.median(now.points * np.exp(1j * turned))
        assert middle.real == pytest.approx(FRONT + 0.3 - 0.4 * (0.2 + SIGHT.lag_s), abs=0.02)

    def test_where_odometry_and_commands_differ_the_worse_counts(self):
        """The twist says that the robot stands, the commands that it drives on at 0.6 m/s."""
        past = sightings(self.ahead(0.22, 0.3))
        lying = Sent(STEADY - ns(1.0), 0.6, 0.0, 0.6, 0.0, 0.0, 0.0)
        for sent, stops in (((), False), ((lying,), True)):
            seen = situation(scan=past[0].scan, memory=memory(sightings=(past,), sent=sent))
            assert len(self.rule.now(past, seen)) == 1 + stops
            free = self.rule.limit(command(0.3), seen).reason == ''
            assert free is not stops

    def test_the_fastest_is_named(self):
        def two(ago):
            return np.concatenate([self.ahead(0.05, 0.1)(ago),
                                   square(-FRONT - 0.05 - HALF - 0.5 * ago, 0.0, HALF)])
        with pytest.raises(Stop, match='at 0.(49|50|51)'):
            self.ask(two, 0.0, 1.5)

    def test_of_many_the_fastest_is_named(self):
        rule, past = replace(self.rule), sightings(self.ahead(1.0, 0.1))
        rule.found['scan'] = past[0].scan, Coming(
            np.array([FRONT + 0.03 + 0j, FRONT + 0.03 + 0.05j]), np.array([-0.1 + 0j, -0.5 + 0j]))
        with pytest.raises(Stop, match='something that moves at 0.500 m/s comes within'):
            rule.limit(command(0.3), situation(scan=past[0].scan,
                                               memory=memory(sightings=(past,))))

    def test_what_is_near_may_not_come_nearer_for_a_moment_either(self):
        """It comes around the corner of the robot: nearer at once, then farther off."""
        corner = BOX.centre + complex(BOX.half_length_m, BOX.half_width_m)
        one = Coming(np.array([corner + 0.015 - 0.010j]), np.array([-0.3 + 1.0j]))
        assert self.rule.meets(0.01, 0.0, one).tolist() == [True]
        assert self.rule.meets(0.01, 0.0, replace(one, speeds=-one.speeds)).tolist() == [False]
        assert self.rule.meets(0.1, 0.0, Coming(np.zeros(0), np.zeros(0))).size == 0

    def test_what_it_found_is_no_part_of_it(self):
        rule, new = replace(self.rule), replace(self.rule)
        past = sightings(self.ahead(1.0, 0.1))
        rule.limit(command(0.1), situation(scan=past[0].scan, memory=memory(sightings=(past,))))
        assert rule.found and not new.found and not replace(rule).found
        assert rule == new and repr(rule) == repr(new)

    def test_who_sees_nothing_may_not_go(self):
        for seen, why in ((situation(scan=None), 'no scan'),
                          (situation(odometry=None), 'no odometry')):
            with pytest.raises(Stop, match=why):
                self.rule.limit(command(0.1), seen)

    def test_one_scan_tells_nothing(self):
        past = sightings(self.ahead(0.03, 0.4))[:1]
        assert self.rule.limit(command(0.3), situation(
            scan=past[0].scan, memory=memory(sightings=(past,)))).reason == ''

    def test_how_far_it_looks_and_how_often(self, monkeypatch):
        asked = []
        monkeypatch.setattr(moving_obstacle, 'coming', lambda seen, near_m, fastest: asked.append(
            (near_m, fastest)) or Coming(np.zeros(0), np.zeros(0)))
        rule, past = replace(self.rule), sightings(self.ahead(0.3, 0.4))
        for _ in range(3):
            rule.limit(command(0.3), situation(scan=past[0].scan,
                                               memory=memory(sightings=(past,))))
        assert asked == [(pytest.approx(BOX.radius_m + BESIDE + 0.5 * (FASTEST + 0.6)), FASTEST)]

    def test_it_is_made_of_the_policy(self):
        robot = replace(ROBOT, sensors=(*ROBOT.sensors, sensor('PointCloud2', 'cloud'),
                                        sensor('Range', 'sonar')))
        rule = moving_obstacle.make(CHOSEN.rules['moving_obstacle'], CHOSEN.shared, robot)
        assert rule.names == ('scan', 'cloud') and rule.max_speed_mps == 0.6
        assert (rule.max_approach_mps, rule.release_s) == (0.6, 0.2)
        assert (rule.reaction_s, rule.braking_mps2) == (0.1, 1.5)
        assert rule.side_distance_m == 0.02 and self.rule.release_s == 0

    @pytest.mark.parametrize(('gap', 'speed'), [
        (0.001, 0.0), (0.05, 0.0), (0.3, 0.0), (0.1, -0.1), (0.3, -0.3), (0.5, -0.5)])
    def test_what_stands_or_goes_is_none_of_its_business(self, gap, speed):
        for v, w in ((0.6, 0.0), (0.0, 1.5), (-0.6, 0.4)):
            assert self.ask(self.ahead(gap, speed), v, w).reason == ''

    def test_it_may_flee_what_is_slower(self):
        assert self.ask(self.ahead(0.06, 0.2), -0.6).reason == ''
        with pytest.raises(Stop):
            self.ask(self.ahead(0.06, 0.4), -0.1)

    def test_a_turn_is_a_motion(self):
        with pytest.raises(Stop):
            self.ask(self.ahead(0.05, 0.3), 0.0, 1.5)

    @pytest.mark.parametrize('side', [1, -1])
    def test_from_the_side(self, side):
        def comes(gap):
            return lambda ago: square(
                0.1, side * (BOX.half_width_m + gap + HALF + 0.4 * ago), HALF)
        with pytest.raises(Stop):
            self.ask(comes(0.1), 0.3)
        assert self.ask(comes(0.45), 0.3).reason == ''

    def test_what_passes_behind_its_way_is_no_reason(self):
        def passes(ago):
            return square(-FRONT - 0.12 - HALF, 1.0 - 0.4 * (1.0 - ago), HALF)
        assert self.ask(passes, 0.6).reason == ''

    @pytest.mark.parametrize('turn', [0.0, 1.0])
    def test_a_wall_that_comes_into_view_does_not_move(self, turn):
        """Driving past a pillar uncovers what is behind it."""
        def pillars(_):
            return np.concatenate([square(0.0, 0.45, 0.1), square(0.3, 0.8, 0.1),
                                   square(-0.2, -0.6, 0.2)])
        for v, w in ((0.6, 0.0), (-0.6, 0.0), (0.0, 1.5), (0.6, -1.5)):
            assert self.ask(pillars, v, w, pose=lambda ago: (
                -0.5 * ago, 0.0, -turn * ago)).reason == ''

    def test_noise_does_not_move_either(self):
        rng = np.random.default_rng(0)
        for _ in range(40):
            yaw = rng.uniform(-3, 3)
            at = (0.3 + BOX.radius_m) * np.exp(1j * yaw)
            pillar = square(at.real, at.imag, 0.1, yaw)
            assert self.ask(lambda _, pillar=pillar: pillar, 0.6, 0.5,
                            noise_m=0.01, rng=rng).reason == ''

    def test_noise_hides_nothing(self):
        rng = np.random.default_rng(0)
        for _ in range(40):
            with pytest.raises(Stop):
                self.ask(self.ahead(0.1, 0.3), 0.3, noise_m=0.01, rng=rng)

    def test_what_comes_from_out_of_sight_comes_straight(self):
        """From behind a pillar, as fast as anything may be: nobody saw where it was."""
        def hidden(ago):
            here = [square(0.35, 0.0, 0.06)] if ago < 0.2 else []
            return np.concatenate([square(-2.0, 0.0, 0.2), *here])
        with pytest.raises(Stop, match='0.600 m/s'):
            self.ask(hidden, 0.3)

    def test_slow_ones_are_seen_by_looking_back_further(self):
        with pytest.raises(Stop, match='0.0[4-9]. m/s'):
            self.ask(self.ahead(0.01, 0.07), 0.1)

    def test_without_a_past_nothing_is_known_to_move(self):
        assert self.ask(self.ahead(0.1, 0.4), 0.05, seconds=0.1).reason == ''
        assert self.rule.limit(command(0.3), situation(scan=scan(np.full(180, 0.5)))).reason == ''

    def test_what_is_far_is_not_looked_at(self):
        assert self.ask(self.ahead(1.5, 0.6), 0.6).reason == ''

    def test_ticks_between_two_scans_go_by_the_same(self):
        past = sightings(self.ahead(0.1, 0.4))
        for _ in range(3):
            with pytest.raises(Stop):
                self.rule.limit(command(0.1), situation(
                    scan=past[0].scan, memory=memory(sightings=(past,))))
        other = sightings(self.ahead(0.1, 0.0))
        assert self.rule.limit(command(0.1), situation(
            scan=other[0].scan, memory=memory(sightings=(other,)))).reason == ''

    def test_of_a_cone_nobody_knows_where_in_it_something_is(self):
        past = sightings(self.ahead(0.03, 0.4))
        other = replace(self.rule, names=('lidar',))
        seen = situation(scan=past[0].scan, memory=memory(sightings=(past,)))
        assert other.limit(command(0.3), seen).reason == ''

    def test_an_old_scan_is_told_on(self):
        """What comes goes on coming while its scan grows old."""
        thing = self.ahead(self.free(0.4, 0.1) + 0.03, 0.4)
        assert self.ask(thing, 0.1).reason == ''
        past = sightings(thing)
        late = [replace(one, scan=replace(one.scan, stamp_ns=one.scan.stamp_ns - 150_000_000))
                for one in past]
        assert 'comes within' in self.rule.limit(command(0.1), situation(
            scan=late[0].scan, memory=memory(sightings=(tuple(late),)))).reason

    @pytest.mark.parametrize('broken', [np.nan, 0.0, -1.0])
    def test_a_beam_that_said_nothing_saw_nothing(self, broken):
        past = sightings(self.ahead(0.05, 0.4))
        blind = [past[0], *(replace(one, scan=replace(one.scan, ranges=np.full(180, broken)))
                            for one in past[1:])]
        assert self.rule.limit(command(0.1), situation(scan=past[0].scan, memory=memory(
            sightings=(tuple(blind),)))).reason == ''

    def test_who_saw_nothing_at_all_sees_everything_come(self):
        past = sightings(self.ahead(0.1, 0.4))
        empty = [past[0], *(replace(one, scan=replace(one.scan, ranges=np.full(180, np.inf)))
                            for one in past[1:])]
        with pytest.raises(Stop):
            self.rule.limit(command(0.1), situation(scan=past[0].scan, memory=memory(
                sightings=(tuple(empty),))))
