# SPDX-License-Identifier: Apache-2.0
"""What the critic remembers of the last seconds, and that it forgets the rest."""

from dataclasses import replace
import math

from ami_ros.core.types import Command, Verdict
from ami_ros.critic.critic import Critic
from ami_ros.critic.history import History, LONGEST_S, MOST, TRACK_S
from ami_ros.critic.safety_policy.policy_loader import chosen
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from rule_contract import (
    BROKEN,
    imu,
    NOW,
    ns,
    odometry,
    permit,
    plan,
    ROBOT,
    scan,
    STEADY,
    STRICT,
    view,
)

WALL = np.full(180, 1.0)
LOOSE = chosen({'shared': vars(STRICT.shared), 'rules': {    # all but what latches, and an area
    name: vars(own) for name,
    own in STRICT.rules.items() if name not in ('tilt', 'stop_rate_lockout', 'fence')
}}, 'loose')


def at(x=0.0, y=0.0, yaw=0.0, **changes):
    return odometry(pose=np.array([x, y, yaw]), **changes)


def keeper(filter_s=0.1):
    made = History(ROBOT, filter_s)
    made.on_odometry(at())
    return made


def look(made, late=0.0, steady=None, last=None, sent=0.0):
    last = Command(np.zeros(2), 0) if last is None else last
    return made.look(NOW + ns(late), STEADY + ns(late if steady is None else steady), last,
                     STEADY + ns(sent))


def same(made, name='scan'):
    return next((one for one in look(made).sameness if one.name == name), None)


def test_at_first_there_is_nothing():
    memory = look(History(ROBOT, 0.0))
    assert memory.sameness == memory.leans == memory.jumps == memory.tracks == ()
    assert memory.before is not None and not memory.before.values.any()


def test_the_same_view_while_it_moves():
    made = keeper()
    for x in (0.0, 0.01, 0.03, 0.02):
        made.on_odometry(at(x, yaw=-x))
        made.on_scan(scan(WALL, stamp_ns=NOW + ns(x)))
    assert (same(made).moved_m, same(made).turned_rad) == pytest.approx((0.03, 0.03))
    made.on_scan(scan(WALL + 1e-9, stamp_ns=NOW + 1))
    assert same(made).moved_m == 0.0


def test_ticks_do_not_count_and_messages_do():
    """The robot may move any way between two messages; the second must look different."""
    made = keeper()
    made.on_scan(scan(WALL))
    made.on_odometry(at(5.0))
    for tick in range(50):
        look(made, 0.02 * tick)
    assert same(made).moved_m == 0.0
    made.on_scan(scan(WALL, stamp_ns=NOW + 1))
    assert same(made).moved_m == 5.0


def test_a_view_of_nothing_is_not_known_to_be_frozen():
    made = keeper()
    for ranges in (np.full(180, math.inf), np.full(180, math.nan)):
        for x in (0.0, 3.0):
            made.on_odometry(at(x))
            made.on_scan(scan(ranges, stamp_ns=NOW + ns(x)))
        assert same(made).moved_m == 0.0


def test_before_odometry_nothing_moved():
    made = History(ROBOT, 0.0)
    made.on_scan(scan(WALL))
    made.on_scan(scan(WALL, stamp_ns=NOW + 1))
    assert same(made).moved_m == 0.0
    made.on_odometry(at(7.0))
    made.on_scan(scan(WALL, stamp_ns=NOW + 2))      # from here on the way is known
    made.on_odometry(at(8.0))
    made.on_scan(scan(WALL, stamp_ns=NOW + 3))
    assert same(made).moved_m == 1.0


def test_repeated_stamps_are_counted():
    made = keeper()
    for repeat in range(4):
        made.on_scan(scan(WALL + repeat))
        made.on_odometry(at())
        made.on_imu(imu())
        assert [same(made, name).repeats for name in ('scan', 'odom', 'imu')] == [
            repeat, repeat + 1, repeat]
    made.on_scan(scan(WALL, stamp_ns=NOW - 1))
    assert same(made).repeats == 0


@pytest.mark.parametrize('number', BROKEN)
def test_a_broken_place_is_no_way(number):
    made = keeper()
    made.on_odometry(at(number))
    made.on_odometry(at(0.5))
    made.went_out(Command(np.zeros(2), NOW), STEADY, STEADY)
    assert made.tracks[-1].moved_m == 0.5


def upright(made, *readings, name='imu', every=0.01):
    for tick, up in enumerate(readings):
        made.on_imu(imu(acceleration=np.array(up, float), name=name,
                        stamp_ns=NOW + tick, received_steady_ns=STEADY + ns(every * tick)))
    return next(iter(made.look(NOW, STEADY + ns(every * (len(readings) - 1)),
                               Command(np.zeros(2), 0), STEADY).leans), None)


def test_up_is_smoothed():
    lean = upright(keeper(), *[(0, 0, 0)] + [(0, 0, 10)] * 10)
    assert lean.up == pytest.approx((0, 0, 10 * (1 - math.exp(-1))))
    assert lean.for_s == pytest.approx(0.1)
    assert upright(keeper(0.0), (0, 0, 5), (0, 0, 9)).up == (0, 0, 9)


def test_up_is_told_in_base_link():
    turned = replace(ROBOT)
    mounts = {**ROBOT.body.mounts, 'imu_link': (0, 0, 0, math.pi, 0, 0)}
    object.__setattr__(turned, 'body', replace(ROBOT.body, mounts=mounts))
    assert upright(History(turned, 0.1), (0, 1, -9)).up == pytest.approx((0, -1, 9))


def test_after_a_gap_it_listens_anew():
    lean = upright(keeper(), (0, 0, 1), (0, 0, 9), every=0.51)
    assert (lean.up, lean.for_s) == ((0, 0, 9), 0.0)
    assert upright(keeper(), (0, 0, 1), (0, 0, 9), every=-0.1).up == (0, 0, 9)
    assert upright(keeper(), (0, 0, 9), (0, 0, math.nan)) is None
    assert upright(keeper(), (0, 0, 9), (0, 0, -30.0)) is None
    assert upright(keeper(), (0, 0, 9), (0, 131, 0), (0, 0, 9.5)).up == (0, 0, 9.5)
    assert upright(keeper(), (0, 29.9, 0)).up == (0, 29.9, 0)
    assert upright(keeper(), (0, 0, 9), name='other') is None


@pytest.mark.parametrize(('later', 'steady', 'jump'), [
    (0.02, 0.02, None), (0.039, 0.02, None), (0.05, 0.02, 0.03), (-3.0, 0.02, -3.02),
    (100.0, 0.02, 99.98), (0.0, 0.5, -0.5)])
def test_a_jump_of_the_clock(later, steady, jump):
    made = keeper()
    assert look(made).jumps == ()
    jumps = look(made, later, steady).jumps
    assert [j for _, j in jumps] == pytest.approx([] if jump is None else [jump])


def test_plans_that_differ():
    made = keeper()
    for tick, v in enumerate((0.1, 0.3, 0.2)):
        made.on_plan(plan(v, start_ns=NOW + ns(0.1 * tick)), STEADY)
    assert np.array(look(made).disputes) == pytest.approx(np.array([(0.1, 0.0), (0.2, 0.0)]))
    made.on_plan(plan(0.2, 1.0, start_ns=NOW + ns(0.2)), STEADY)
    assert look(made).disputes[0] == (0.0, 1.0) and len(look(made).arrivals) == 4
    for change in ({'goal': 4}, {'run': 'b'}, {'source': 'twist'}):
        made.on_plan(plan(0.9, **change), STEADY)
        assert look(made).disputes == ()
    made.on_plan(plan(source='twist'), STEADY)
    made.on_plan(plan(source='twist', knots=None), STEADY)
    assert look(made).disputes == ()


def went(made, *commands, every=0.1):
    memory = None
    for tick in range(len(commands) + 1):
        sent = every * (tick - 1)
        last = Command(np.array(commands[tick - 1] if tick else (0, 0), float), NOW + tick)
        memory = look(made, every * tick, last=last, sent=sent)
    return memory


def test_the_way_that_was_told_and_moved():
    made = keeper()
    for tick in range(11):
        made.on_odometry(at(0.01 * tick, yaw=-0.02 * tick))
        memory = look(made, 0.1 * tick, last=Command(np.array([0.3, -1.0]), NOW + tick),
                      sent=0.1 * (tick - 1))
    first, newest = memory.tracks[0], memory.tracks[-1]
    assert newest.told_m - first.told_m == pytest.approx(0.3)
    assert newest.told_rad - first.told_rad == pytest.approx(-1.0)
    assert newest.moved_m - first.moved_m == pytest.approx(0.1)
    assert newest.moved_rad - first.moved_rad == pytest.approx(0.2)
    assert memory.before.stamp_ns == NOW + 9


def test_tracks_are_not_denser_than_needed_and_end():
    made = keeper()
    for tick in range(2000):
        memory = look(made, 0.01 * tick, last=Command(np.zeros(2), NOW + tick))
    assert len(memory.tracks) <= TRACK_S / 0.05 + 1
    assert memory.tracks[0].steady_ns >= STEADY + ns(19.99 - TRACK_S)


def test_changes_of_direction():
    memory = went(keeper(), (0.3, 0), (0.01, 0), (-0.3, 0), (-0.3, 0), (0, 0), (0.3, 0),
                  (0.019, 0), (-0.019, 0))
    assert len(memory.reversals) == 2
    memory = went(keeper(), (0.3, 0.2), (0.3, -0.2), (0.3, 0.09), (-0.3, 0.2))
    assert len(memory.reversals) == 3


def judged(made, action, rule, v, speed=0.3, late=0.0):
    made.judged(Verdict(Command(np.array([v, 0.0]), NOW), action, rule), STEADY + ns(late), speed)


def test_stops_of_what_moved():
    made = keeper()
    judged(made, 'stop', 'input_timeout', 0.0)          # it stood
    judged(made, 'go', '', 0.3)
    judged(made, 'slow', 'stop_zone', 0.1)
    judged(made, 'stop', 'stop_zone', 0.0, -0.2)
    judged(made, 'stop', 'stop_zone', 0.0)      # it stands
    judged(made, 'go', '', 0.0)                 # asked to stand
    judged(made, 'go', '', 0.3)
    judged(made, 'stop', 'motion_enable', 0.0)
    judged(made, 'go', '', 0.3)
    judged(made, 'stop', 'input_timeout', 0.0)
    memory = look(made)
    assert len(memory.stops) == 2 and memory.misses == ((STEADY, 0.2),)


def zones(made, action, rule, asks, touched=()):
    verdict = Verdict(Command(np.zeros(2), NOW), action, rule, touched=touched)
    made.judged(verdict, STEADY, 0.0, asks)
    return dict(look(made).standing)


@pytest.mark.parametrize('zone', ['stop_zone', 'time_to_collision'])
def test_a_zone_that_stopped_stands_until_the_like_is_let_through(zone):
    made = keeper()
    assert zones(made, 'stop', 'input_timeout', (0.3, 0.0)) == {}
    assert zones(made, 'slow', zone, (0.3, 0.0), (zone,)) == {}
    assert zones(made, 'stop', zone, (0.3, 0.1)) == {zone: (0.3, 0.1)}
    assert zones(made, 'stop', zone, (0.2, 0.0)) == {zone: (0.3, 0.1)}
    for action, rule, asks in (('stop', 'input_timeout', (0.3, 0.0)), ('go', '', (0.0, 0.0)),
                               ('go', '', (-0.3, 0.0)), ('go', '', None)):
        assert zones(made, action, rule, asks) == {zone: (0.3, 0.1)}
    assert zones(made, 'stop', zone, (-0.3, 0.0)) == {zone: (-0.3, 0.0)}
    assert zones(made, 'slow', 'acceleration', (-0.1, 0.0), ('acceleration',)) == {}


def test_a_zone_that_slows_stands_while_it_does():
    made = keeper()
    assert zones(made, 'slow', 'slow_zone', (0.6, 0.0), ('slow_zone',)) == {
        'slow_zone': (0.6, 0.0)}
    assert zones(made, 'slow', 'jerk', (0.6, 0.0), ('slow_zone', 'jerk')) != {}
    assert zones(made, 'go', '', (0.6, 0.0)) == {}


def test_it_forgets():
    made = keeper()
    look(made)
    look(made, 9.0, 0.0)
    made.on_plan(plan(), STEADY)
    for action, v in (('go', 0.3), ('stop', 0.0)):
        judged(made, action, 'stop_zone', v)
    made.reversals.append(STEADY)
    kinds = ('jumps', 'arrivals', 'reversals', 'misses', 'stops')
    assert all(len(getattr(look(made, 9.0 + LONGEST_S, LONGEST_S), kind)) == 1 for kind in kinds)
    late = look(made, 9.0 + LONGEST_S + 0.001, LONGEST_S + 0.001)
    assert not any(getattr(late, kind) for kind in kinds)


def test_a_flood_does_not_fill_the_memory():
    made = keeper()
    for _ in range(3 * MOST):
        made.on_plan(plan(), STEADY)
    assert len(look(made).arrivals) == MOST and len(look(made).disputes) == 32


def test_odometry_that_stays_where_it_is_and_says_that_it_drives():
    made = keeper()
    for tick in range(1, 5):
        made.on_odometry(at(v=0.3, w=-0.5, stamp_ns=NOW + ns(0.1 * tick)))
    assert (same(made, 'odom').moved_m, same(made, 'odom').turned_rad) == pytest.approx(
        (0.12, 0.2))
    made.on_odometry(at(1e-9, v=0.3, stamp_ns=NOW + ns(0.5)))
    assert same(made, 'odom').moved_m == 0.0
    made.on_odometry(at(1e-9, v=0.3, stamp_ns=NOW - ns(0.5)))       # its stamp went back
    assert same(made, 'odom').moved_m == 0.0
    made.on_odometry(at(1e-9, v=0.3, stamp_ns=NOW))


def test_odometry_that_leaps():
    made = keeper()
    made.on_odometry(at(0.001, stamp_ns=NOW + ns(0.1)))
    assert look(made).leaps == ()
    made.on_odometry(at(1.501, 0.0, 3.0, stamp_ns=NOW + ns(0.2), received_steady_ns=STEADY + 7))
    (leap,) = look(made).leaps
    assert (leap.name, leap.steady_ns) == ('odom', STEADY + 7)
    assert (leap.moved_m, leap.turned_rad, leap.passed_s) == pytest.approx((1.5, 3.0, 0.1))
    made.on_odometry(at(math.nan))
    made.on_odometry(at(1.501, 0.1, 3.0, stamp_ns=NOW))
    assert look(made).leaps[1].moved_m == pytest.approx(0.1)
    assert look(made, TRACK_S + 0.001).leaps == ()


ANY = st.floats(width=64)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.lists(ANY, min_size=7, max_size=7), st.integers(0, 2**62)),
                min_size=1, max_size=6))
@pytest.mark.slow
def test_whatever_comes_it_answers_and_recovers(readings):
    """Any numbers, any stamps: no exception, and a finite command; afterwards it moves again."""
    critic, steady = Critic(LOOSE, ROBOT), STEADY
    with np.errstate(all='ignore'):
        for numbers, stamp in readings:
            when = {'stamp_ns': stamp, 'received_steady_ns': steady}
            critic.on_odometry(odometry(*numbers[:2], pose=np.array(numbers[2:5]), **when))
            critic.on_scan(scan(np.array(numbers), angles=np.array(numbers), **when))
            critic.on_imu(imu(acceleration=np.array(numbers[:3]), **when))
            critic.on_view(view(shape=tuple(numbers[:2]), spread=numbers[2], **when))
            critic.on_plan(plan(*numbers[5:], start_ns=stamp, run=str(stamp % 3)), steady)
            critic.on_permit(permit(**when))
            assert np.isfinite(critic.judge(stamp, steady).command.values).all()
            steady += ns(0.02)
    assert np.isfinite(critic.keeper.sums).all()
    now, verdict = NOW + 2**62, None
    for tick in range(80):
        late = {'stamp_ns': now + ns(0.05 * tick), 'received_steady_ns': steady + ns(0.05 * tick)}
        critic.on_odometry(odometry(0.1, pose=np.array([0.005 * tick, 0.0, 0.0]), **late))
        critic.on_scan(scan(np.full(180, 3.0 + 0.01 * tick), **late))
        critic.on_imu(imu(**late))
        critic.on_view(view(shape=critic.keeper.shapes['camera'],
                            fingerprint=str(tick), **late))
        critic.on_permit(permit(run='new', **late))
        critic.on_plan(plan(0.1, start_ns=late['stamp_ns'], run='new'),
                       late['received_steady_ns'])
        verdict = critic.judge(*late.values())
    assert verdict.command.values[0] > 0, verdict.reason


def test_the_first_scan_says_how_the_beams_look():
    made = keeper()
    made.on_scan(scan(np.zeros(0), angles=np.zeros(0)))
    made.on_scan(scan(WALL, angles=np.linspace(-1.0, 2.0, 180)))
    made.on_scan(scan(np.full(9, 1.0), angles=np.linspace(0.0, 1.0, 9)))
    made.on_scan(scan(np.full(9, 1.0), angles=np.linspace(0.0, 1.0, 9), name='rear'))
    assert [(one.name, one.beams, one.first_rad, one.last_rad)
            for one in look(made).first_scans] == [('scan', 180, -1.0, 2.0), ('rear', 9, 0.0, 1.0)]


@pytest.mark.parametrize(('hits', 'met'), [(0, False), (2, False), (3, True), (180, True)])
def test_when_a_lidar_met_something(hits, met):
    ranges = np.full(180, np.inf)
    ranges[:hits] = 2.0
    ranges[hits:hits + 2] = np.array([0.0, np.nan])[:180 - hits]
    made = keeper()
    made.on_scan(scan(ranges, received_steady_ns=STEADY - 7))
    made.on_scan(scan(np.full(180, np.inf)))
    assert look(made).met == ((('scan', STEADY - 7),) if met else ())


def test_scans_are_compared_with_odometry():
    made = keeper()
    for step in range(12):
        stamp = {'stamp_ns': NOW + ns(0.05 * step), 'received_steady_ns': STEADY}
        made.on_odometry(at(0.01 * step, **stamp))
        made.on_scan(scan(np.abs((2.0 - 0.01 * step) / np.cos(np.linspace(-0.9, 0.9, 180))),
                          angles=np.linspace(-0.9, 0.9, 180), **stamp))
    assert [(one.name, one.agreed, one.contradictions) for one in look(made).scan_motions] == [
        ('scan', True, 0)]
