# SPDX-License-Identifier: Apache-2.0
"""What happens exactly at a limit, and what each rule passes on; each case killed a mutant."""

import math

from ami_ros.core.types import Command, Track
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules import slow_zone, stop_zone, time_to_collision
from ami_ros.critic.rules.acceleration import Acceleration
from ami_ros.critic.rules.bumper_cliff_estop import BumperCliffEstop, in_the_way
from ami_ros.critic.rules.camera_image import CameraImage
from ami_ros.critic.rules.frozen import Frozen
from ami_ros.critic.rules.input_timeout import InputTimeout
from ami_ros.critic.rules.jerk import Jerk
from ami_ros.critic.rules.motion_enable import MotionEnable
from ami_ros.critic.rules.moving_obstacle import MovingObstacle
from ami_ros.critic.rules.oscillation import Oscillation
from ami_ros.critic.rules.plan_consistency import PlanConsistency
from ami_ros.critic.rules.plan_rate import PlanRate
from ami_ros.critic.rules.slow_zone import SlowZone
from ami_ros.critic.rules.stop_zone import StopZone
from ami_ros.critic.rules.stuck import Stuck
from ami_ros.critic.rules.time_to_collision import TimeToCollision
import numpy as np
import pytest
from rule_contract import BOX, command, memory, NOW, ns, permit, SIGHT, situation, STEADY, switch


@pytest.fixture
def meets(monkeypatch):
    """Let the next thing stand after exactly so many metres; return what was asked for."""
    asked = []

    def at(file, contact):
        monkeypatch.setattr(file, 'first_contact', lambda *a: asked.append(a) or contact)
        return asked
    return at


def test_exactly_at_the_stop_distance_it_goes(meets):
    rule = StopZone(BOX, 0.05, 0.02, 0.0, SIGHT)
    ahead = 0.05 - 0.02
    asked = meets(stop_zone, ahead)
    assert rule.limit(command(0.3), situation()).reason == ''
    assert asked[0][2:] == (0.3, 0.0, ahead, 0.02)
    meets(stop_zone, math.nextafter(ahead, 0.0))
    with pytest.raises(Stop, match='something is 0.050 m ahead of this motion, limit 0.050 m'):
        rule.limit(command(0.3), situation())


def test_exactly_at_the_slow_distance_it_is_as_fast_as_ever(meets):
    rule = SlowZone(BOX, 0.5, 0.02, 0.5, 0.6, 1.5, 0.0, SIGHT)
    asked = meets(slow_zone, 0.5)
    assert rule.limit(command(0.6), situation()).reason == ''
    assert asked[0][2:] == (0.6, 0.0, 0.5, 0.02, 0.02)
    meets(slow_zone, math.nextafter(0.5, 0.0))
    assert rule.limit(command(0.6), situation()).command.values.tolist() == [0.3, 0.0]


def test_exactly_enough_room_to_brake_is_enough(meets):
    rule = TimeToCollision(BOX, 0.25, 1.0, 0.0625, 0.0625, 0.0, SIGHT)
    needed = 0.5 * 0.25 + 0.5**2 / 2
    meets(time_to_collision, needed)
    assert rule.limit(command(0.5), situation()).reason == ''
    meets(time_to_collision, math.nextafter(needed, 0.0))
    assert rule.limit(command(0.5), situation()).reason.startswith('0.250 m are free')
    meets(time_to_collision, 0.0)
    with pytest.raises(Stop, match='0.000 m are free on this arc, stopping from 0.500 m/s takes'):
        rule.limit(command(0.5), situation())


@pytest.mark.parametrize(('passed', 'gained'), [(0.05, 0.1), (0.1, 0.2), (0.15, 0.2), (9.0, 0.2)])
def test_a_long_silence_earns_no_leap(passed, gained):
    seen = situation(last=Command(np.array([0.1, 0.0]), NOW - ns(passed)))
    left = Acceleration(2.0, 5.0).limit(command(1.0), seen).command
    assert left.values[0] == pytest.approx(0.1 + gained)


@pytest.mark.parametrize(('window', 'most'), [(0.5, 30), (2.0, 120)])
def test_plans_are_counted_by_the_second(window, most):
    def come(count):
        arrivals = tuple(STEADY - ns(window) + 1 + i * 1000 for i in range(count))
        return PlanRate(1.0, 60.0, window).limit(command(0.1), situation(
            memory=memory(arrivals=arrivals)))
    assert come(most).reason == ''
    with pytest.raises(Stop, match=f'{(most + 1) / window:.1f} plans a second come, limit 60.0'):
        come(most + 1)


def test_the_newest_contradiction_is_told():
    with pytest.raises(Stop, match='the last by 0.700 m/s, 2.000 rad/s; limits'):
        PlanConsistency(0.4, 1.5, 2).limit(command(0.1), situation(
            memory=memory(disputes=((0.7, 2.0), (0.9, 3.0), (0.1, 0.1)))))


def test_a_jolt_is_the_same_the_other_way():
    rng, rule = np.random.default_rng(3), Jerk(10.0, 40.0)
    for _ in range(200):
        wanted, last, before = rng.uniform(-0.6, 0.6, (3, 2)) * rng.choice([0, 1, 1, 1], (3, 2))

        def left(sign, wanted=wanted, last=last, before=before):
            seen = situation(last=Command(sign * last, NOW - ns(0.02)),
                             memory=memory(before=Command(sign * before, NOW - ns(0.05))))
            return rule.limit(command(*(sign * wanted)), seen).command.values
        assert (left(1) == -left(-1)).all()


def test_a_change_of_direction_counts_as_long_as_the_window():
    def turned(seconds):
        return Oscillation(2, 10.0).limit(command(0.1), situation(
            memory=memory(reversals=(STEADY - ns(seconds), STEADY - 5, STEADY))))
    with pytest.raises(Stop, match='3 times'):
        turned(10.0)
    assert turned(10.000000001).reason == ''


def test_an_old_permit_is_called_so():
    with pytest.raises(Stop, match='^the permit is 0.400 s old by its stamp, limit 0.350 s$'):
        MotionEnable(0.35, 0.05).limit(command(0.1), situation(
            permit=permit(stamp_ns=NOW - ns(0.4))))


def test_stuck_looks_at_the_newest_and_names_the_unit():
    tracks = tuple(Track(STEADY - ns(1.0 - t), t, t, moved, moved)
                   for t, moved in ((0.0, 0.0), (0.5, 0.0), (1.0, 0.9)))
    rule = Stuck(1.5, 0.1, 0.5, 0.2)
    assert rule.limit(command(0.3, 0.3), situation(memory=memory(tracks=tracks))).reason == ''
    assert rule.limit(command(0.3, 0.3), situation(memory=memory(tracks=tracks[-1:]))).reason == ''
    turned = tuple(Track(STEADY - ns(1.0 - t), 0.0, t, 0.0, 0.0) for t in (0.0, 1.0))
    with pytest.raises(Stop, match='^of 1.000 rad that were .* it moved 0.000 rad, 20% are'):
        rule.limit(command(0.3, 0.3), situation(memory=memory(tracks=turned)))


def test_without_a_number_nothing_is_held():
    assert {rule.release_s for rule in (MovingObstacle, InputTimeout, Frozen, StopZone,
                                        TimeToCollision,
                                        BumperCliffEstop, CameraImage)} == {0.0}


def test_what_a_switch_is_called():
    with pytest.raises(Stop, match='^bumper front is active$'):
        BumperCliffEstop().limit(command(0.1), situation(switches=(switch(True, side=''),)))
    with pytest.raises(Stop, match='^bumper front, left is active$'):
        BumperCliffEstop().limit(command(0.1, 0.1),
                                 situation(switches=(switch(True, side='left'),)))
    assert in_the_way(switch(True, side='front'), 0.0, 0.0) is False
