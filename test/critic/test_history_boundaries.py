# SPDX-License-Identifier: Apache-2.0
"""How long, how often and how far the critic remembers, said again in plain numbers."""

from dataclasses import replace
import math

from ami_ros.core.types import Command, Verdict
from ami_ros.critic.history import apart, GAP_S, History
import numpy as np
import pytest
from rule_contract import BROKEN, imu, NOW, ns, odometry, plan, ROBOT, scan, STEADY, view

V, W = ROBOT.limits


def at(x=0.0, y=0.0, yaw=0.0, **changes):
    return odometry(pose=np.array([x, y, yaw]), **changes)


def keeper(filter_s=0.1, robot=ROBOT):
    made = History(robot, filter_s)
    made.on_odometry(at())
    return made


def look(made, steady=0.0, now=None, last=None, sent=0.0):
    return made.look(NOW + ns(steady if now is None else now), STEADY + ns(steady),
                     Command(np.zeros(2), 0) if last is None else last, STEADY + ns(sent))


def same(made, name):
    return next(one for one in look(made).sameness if one.name == name)


def stop(made, rule, speed=0.3, seconds=0.0, asks=None):
    """Let it drive, and stop it."""
    for action, v in (('go', 0.3), ('stop', 0.0)):
        made.judged(Verdict(Command(np.array([v, 0.0]), NOW), action, rule),
                    STEADY + ns(seconds), speed, asks)


def test_a_minute():
    made = keeper()
    for seconds in (0.0, 1.0):
        made.on_plan(plan(), STEADY + ns(seconds))
        stop(made, 'stop_zone', seconds=seconds)
        made.reversals.append(STEADY + ns(seconds))
    for seconds, left in ((60.0, 2), (60.000000001, 1), (61.0, 1), (61.1, 0)):
        memory = look(made, seconds)
        newest = STEADY + ns(1)
        for times in (memory.arrivals, memory.stops, memory.reversals,
                      [when for when, _ in memory.misses]):
            assert len(times) == left and all(when == newest for when in times[1:])
        assert left != 1 or memory.arrivals == memory.stops == memory.reversals == (newest,)


def test_jumps_of_a_minute_with_their_times():
    made = keeper()
    look(made)
    look(made, 1.0, now=2.0)
    look(made, 2.0, now=4.0)
    assert look(made, 61.0, now=63.0).jumps == ((STEADY + ns(1), 1.0), (STEADY + ns(2), 1.0))
    assert look(made, 61.5, now=63.5).jumps == ((STEADY + ns(2), 1.0),)


@pytest.mark.parametrize(('left', 'told'), [(0.019999999, 0), (0.02, 1), (-0.02, 1)])
def test_a_jump_of_20_ms_is_one(left, told):
    made = keeper()
    look(made)
    assert len(look(made, 0.1, now=0.1 + left).jumps) == told


def test_the_way_of_ten_seconds_every_50_ms():
    made = keeper()
    for tick in range(2001):
        memory = look(made, 0.01 * tick, last=Command(np.zeros(2), NOW + tick))
    times = [track.steady_ns for track in memory.tracks]
    assert set(np.diff(times)) == {ns(0.05)}
    assert times[0] == STEADY + ns(10) and times[-1] == STEADY + ns(20)


def test_leaps_of_ten_seconds():
    made = keeper()
    for seconds in (0.0, 1.0):
        made.on_odometry(at(9.0 * (seconds + 1), received_steady_ns=STEADY + ns(seconds)))
    assert len(look(made, 10.0).leaps) == 2
    assert [leap.steady_ns for leap in look(made, 10.000000001).leaps] == [STEADY + ns(1)]
    assert look(made, 11.1).leaps == ()


@pytest.mark.parametrize(('moved', 'turned', 'leapt'), [
    (1.99, 0.0, False), (2.01, 0.0, True), (0.0, 1.99, False), (0.0, 2.01, True),
    (1.99, 1.99, False), (2.01, 2.01, True)])
def test_twice_the_full_speed_is_a_leap(moved, turned, leapt):
    """Of the robot: 0.1 s at so many times its limits."""
    made = keeper()
    made.on_odometry(at(moved * V * 0.1, yaw=turned * W * 0.1, stamp_ns=NOW + ns(0.1)))
    made.on_scan(scan(stamp_ns=NOW + ns(0.1)))
    made.on_odometry(at(moved * V * 0.2, yaw=turned * W * 0.2, stamp_ns=NOW + ns(0.2)))
    assert len(look(made).leaps) == 2 * leapt
    assert len(look(made).sightings) == (not leapt)


def test_the_same_place_at_the_same_time_is_no_leap():
    made = keeper()
    made.on_scan(scan())
    made.on_odometry(at())
    assert look(made).leaps == () and len(look(made).sightings) == 1


def test_a_broken_place_or_speed_is_heard_and_else_as_if_it_had_not_come():
    """Else one before each other reading would leave nothing to compare, for good."""
    made = keeper()
    made.on_scan(scan())
    for repeats, broken in enumerate((at(math.nan), at(v=math.nan), at(w=math.inf)), 1):
        made.on_odometry(broken)
        assert same(made, 'odom').repeats == repeats
    assert len(look(made).sightings[0]) == 1
    for tick in range(1, 50):
        stamp_ns = NOW + ns(0.02 * tick)
        made.on_odometry(at(math.nan, stamp_ns=stamp_ns - ns(0.001)))
        made.on_odometry(at(0.004 * tick, v=0.2, stamp_ns=stamp_ns))
    assert len(look(made).sightings[0]) == 1 and not look(made).leaps


def test_another_odometry_begins_by_itself():
    made = keeper()
    made.on_odometry(at(name='visual', v=0.3))
    assert (same(made, 'visual').moved_m, same(made, 'visual').repeats) == (0.0, 0)


@pytest.mark.parametrize('sign', [1, -1])
def test_it_should_have_moved_whichever_way(sign):
    made = keeper()
    for tick in (1, 2):
        made.on_odometry(at(v=sign * 0.3, w=sign * 0.5, stamp_ns=NOW + ns(0.1 * tick)))
    assert (same(made, 'odom').moved_m, same(made, 'odom').turned_rad) == pytest.approx(
        (0.06, 0.1))


def test_a_view_with_a_single_echo_can_be_frozen():
    made, ranges = keeper(), np.full(180, math.inf)
    ranges[7] = 1.0
    for x in (0.0, 3.0):
        made.on_odometry(at(x))
        made.on_scan(scan(ranges, stamp_ns=NOW + ns(x)))
    assert same(made, 'scan').moved_m == 3.0


def test_a_place_that_is_far_off_counts_as_ten_metres():
    made = keeper()
    made.on_odometry(at(1e6))
    look(made, last=Command(np.zeros(2), NOW))
    assert look(made, 1.0).tracks[-1].moved_m == 10.0


@pytest.mark.parametrize(('held', 'counts'), [(0.4, 0.4), (0.5, 0.5), (9.0, 0.5), (0.0, 0.0),
                                              (-1.0, 0.0)])
def test_a_command_counts_for_half_a_second_at_most(held, counts):
    made = keeper()
    look(made, held, last=Command(np.array([0.3, -1.0]), NOW))
    (track,) = look(made, held).tracks
    assert (track.told_m, track.told_rad) == pytest.approx((0.3 * counts, -counts))


@pytest.mark.parametrize(('first', 'then', 'turned'), [
    ((-0.3, -0.3), (-0.3, -0.3), 0), ((0.3, 0.3), (0.3, 0.3), 0), ((0.02, 0.0), (-0.02, 0.0), 1),
    ((0.0199, 0.0), (-0.3, 0.0), 0), ((0.3, 0.0), (-0.0199, 0.0), 0), ((0.0, 0.1), (0.0, -0.1), 1),
    ((0.0, 0.0999), (0.0, -0.3), 0), ((0.0, -0.1), (0.0, 0.0999), 0), ((-0.3, 0.3), (0.3, -0.3), 2)
])
def test_what_is_a_change_of_direction(first, then, turned):
    made = keeper()
    for tick, values in enumerate((first, then), 1):
        memory = look(made, 0.1 * tick, last=Command(np.array(values), NOW + tick))
    assert memory.reversals == (STEADY + ns(0.2),) * turned


def leans(made, *readings, every):
    for tick, up in enumerate(readings):
        made.on_imu(imu(acceleration=np.array(up, float), stamp_ns=NOW + tick,
                        received_steady_ns=STEADY + ns(every * tick)))
    (lean,) = look(made, every * (len(readings) - 1)).leans
    return lean


def test_an_imu_may_be_silent_for_half_a_second():
    lean = leans(keeper(0.5), (0, 0, 1), (0, 0, 9), every=0.5)
    assert lean.for_s == 0.5 and lean.up == pytest.approx((0, 0, 9 - 8 * math.exp(-1)))
    assert leans(keeper(0.5), (0, 0, 1), (0, 0, 9), every=0.500000001).for_s == 0.0
    assert leans(keeper(0.5), (0, 0, 1), (0, 0, 9), every=0.0).up == (0, 0, 1)


@pytest.mark.parametrize('number', [30.0, 31.0, 59.0])
def test_three_times_gravity_is_a_knock(number):
    made = keeper()
    made.on_imu(imu(acceleration=np.array([0.0, 0.0, number])))
    assert look(made).leans == ()


def test_pictures_of_six_seconds_and_the_one_before():
    made = keeper()
    for tick in range(41):
        made.on_view(view(received_steady_ns=STEADY + ns(0.5 * tick)))
    (heard,) = look(made).cameras
    assert (heard.name, heard.shape) == ('camera', (48, 64))
    assert heard.arrivals == tuple(STEADY + ns(0.5 * tick) for tick in range(27, 41))
    for _ in range(600):
        made.on_view(view(received_steady_ns=STEADY + ns(20)))
    assert len(look(made).cameras[0].arrivals) == 512


def test_a_camera_that_was_silent_begins_with_the_last_of_before():
    made = keeper()
    for seconds in (0.0, 9.0):
        made.on_view(view(received_steady_ns=STEADY + ns(seconds)))
    assert look(made).cameras[0].arrivals == (STEADY, STEADY + ns(9))
    made.on_view(view(received_steady_ns=STEADY + ns(16)))
    assert look(made).cameras[0].arrivals == (STEADY + ns(9), STEADY + ns(16))


def test_the_size_of_a_picture_is_that_of_the_robot_file_or_of_the_first():
    cameras = tuple(replace(s, size_px=(640, 480)) if s.name == 'camera' else s
                    for s in ROBOT.sensors)
    made = keeper(robot=replace(ROBOT, sensors=cameras))
    assert look(made).cameras[0].shape == (480, 640)
    made.on_view(view())
    assert look(made).cameras[0].shape == (480, 640)
    made = keeper()
    assert look(made).cameras[0].shape == ()
    for shape in ((48, 64), (4, 6)):
        made.on_view(view(shape=shape))
        assert look(made).cameras[0].shape == (48, 64)


def test_of_each_kind_512():
    made = keeper()
    for tick in range(600):
        made.on_plan(plan(), STEADY)
        stop(made, 'stop_zone')
        made.on_odometry(at(9.0 * (tick % 2)))
    memory = look(made)
    assert {len(kind) for kind in (memory.arrivals, memory.stops, memory.misses,
                                   memory.leaps)} == {512}


def test_two_plans_are_compared_where_the_later_begins():
    made = keeper()
    knots = np.array([[0.1, 0.0], [0.2, 0.9], [0.3, 0.0], [0.4, 0.0]])
    made.on_plan(plan(knots=knots), STEADY)
    made.on_plan(plan(0.2, 0.4, start_ns=NOW + ns(0.25)), STEADY)
    assert np.array(look(made).disputes) == pytest.approx(np.array([[0.0, 0.5]]))
    made.on_plan(plan(0.2, -0.4, start_ns=NOW + ns(0.25)), STEADY)
    assert look(made).disputes[0] == pytest.approx((0.0, 0.8))


@pytest.mark.parametrize(('rule', 'counts'),
                         [('guard', 0), ('motion_enable', 0), ('input_timeout', 1)])
def test_a_stop_that_no_one_has_to_wonder_about(rule, counts):
    made = keeper()
    stop(made, rule)
    assert len(look(made).stops) == counts


@pytest.mark.parametrize('zone', ['stop_zone', 'time_to_collision', 'slow_zone'])
def test_every_zone_counts_and_a_standstill_wakes_none(zone):
    made = keeper()
    stop(made, zone, -0.2, asks=(0.0, 0.0))
    memory = look(made)
    assert memory.misses == ((STEADY, 0.2),) and memory.standing == ()


def test_before_anything_went_out_it_stood():
    before = look(History(ROBOT, 0.0)).before
    assert before.values.tolist() == [0.0, 0.0] and before.stamp_ns == 0


@pytest.mark.parametrize(('one', 'other', 'm', 'rad'), [
    ((0, 0, 3.1), (0, 0, -3.1), 0.0, 2 * math.pi - 6.2), ((3, 0, 0), (0, 4, 0), 5.0, 0.0),
    ((0, 0, 7.0), (0, 0, 0.5), 0.0, 6.5 - 2 * math.pi), ((1, 2, 0.5), (1, 2, 7.0), 0.0,
                                                        6.5 - 2 * math.pi),
    ((1, 2, 0.3), (4, 6, -0.2), 5.0, 0.5), ((0, 0, 1e308), (0, 0, -1e308), 0.0, None)])
def test_how_far_two_places_are_apart(one, other, m, rad):
    moved, turned = apart(np.array(one, float), np.array(other, float))
    assert moved == pytest.approx(m)
    assert turned == pytest.approx(rad) if rad is not None else 0 <= turned <= math.pi


def test_the_same_picture_while_it_moves():
    made = keeper()
    for x, fingerprint in ((0.0, 'a'), (0.5, 'a'), (0.7, 'b'), (1.0, 'b')):
        made.on_odometry(at(x))
        made.on_view(view(fingerprint=fingerprint, stamp_ns=NOW + ns(x)))
        assert same(made, 'camera').moved_m == pytest.approx({0.5: 0.5, 1.0: 0.3}.get(x, 0.0))


def sized(*heights):
    """Hear pictures of these heights; return the one that the camera has."""
    made = keeper()
    for height in heights:
        made.on_view(view(shape=(height, 64)))
    return look(made).cameras[0].shape[0]


def test_a_first_picture_that_is_none_of_the_camera_does_not_say_its_size_for_ever():
    assert [sized(1, *[48] * count) for count in (1, 2, 3)] == [1, 1, 48]
    assert sized(1, 48, 48, 2, 48, 48) == 1 and sized(1, 48, 48, 2, 48, 48, 48) == 48
    assert sized(48, 48, 48, *[1] * 9) == 48 and sized(48, 48, *[1] * 3) == 1
    assert sized(1, 48, 48, 1, 48, 48) == 1 and sized(1, 48, 48, 48, *[1] * 9) == 48


def nowhere(*twists, passed_s=0.1):
    """Hear odometry whose place stays the same; return how far its twists say it went."""
    made = History(ROBOT, 0.1)
    for count, twist in enumerate(((0.0, 0.0), *twists)):
        made.on_odometry(odometry(*twist, stamp_ns=NOW + round(1e9 * passed_s * count)))
    same, = look(made).sameness
    return round(same.moved_m, 6), round(same.turned_rad, 6)


def test_one_reading_of_odometry_adds_no_more_than_the_robot_can_do():
    v, w = ROBOT.limits
    assert nowhere((0.3, -0.2), (-0.3, 0.2)) == (0.06, 0.04)
    assert nowhere((1e300, -1e300)) == pytest.approx((0.1 * v, 0.1 * w))
    assert nowhere((v, w), passed_s=1e9) == pytest.approx((GAP_S * v, GAP_S * w))
    for value in BROKEN:
        assert nowhere((0.1, 0.1), (value, value), (0.1, 0.1)) == (0.02, 0.02)


def test_a_place_may_stay_the_same_while_the_robot_stands():
    moved, still = (0.3, 0.0), (0.019, 0.099)
    assert nowhere(moved, *[still] * 10)[0] > 0.03 and nowhere(moved, *[still] * 11) == (0, 0)
    assert nowhere(moved, *[still] * 9, moved, *[still] * 9)[0] > 0.06
    for moves in ((0.02, 0.0), (0.0, -0.1)):
        assert any(nowhere(*[moves] * 30))
