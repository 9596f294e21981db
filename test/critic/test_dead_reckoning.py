# SPDX-License-Identifier: Apache-2.0
"""Sums of what twist, pose, commands and gyros tell, each for itself and by the same instants."""

from dataclasses import replace
import math

from ami_ros.core.types import Command, Sent
from ami_ros.critic.critic import Critic
from ami_ros.critic.dead_reckoning import (
    bounded,
    FARTHEST,
    follow,
    GAP_S,
    KEPT_S,
    MOST,
    Reckoning,
    SENT_S,
    travelled,
)
from ami_ros.robots.urdf import UrdfBody
import numpy as np
import pytest
from rule_contract import BROKEN, CHOSEN, imu, NOW, ns, odometry, permit, ROBOT, scan, STEADY, view
from rule_contract import plan as planned

LAG_S = ROBOT.actuation_lag_s
DT_S = 0.025


def at(x=0.0, y=0.0, yaw=0.0, v=0.0, w=0.0, t=0.0, late=0.0, **changes):
    """Take a reading t s after NOW that comes `late` s after its stamp."""
    return odometry(v, w, pose=np.array([x, y, yaw]), stamp_ns=NOW + ns(t),
                    received_steady_ns=STEADY + ns(t + late), **changes)


def told(made, v=0.0, w=0.0, t=0.0):
    made.went_out(Command(np.array([v, w]), NOW + ns(t)), STEADY + ns(t))


def fresh(robot=ROBOT) -> Reckoning:
    made = Reckoning(robot)
    told(made, t=-0.2)
    return made


def arc(made, v, w, steps=20, scale=(1.0, 1.0)):
    """Drive an arc from (0, 0, 0.4) whose pose and twist are exact but for a scale of the pose."""
    for step in range(steps + 1):
        t, yaw = step * DT_S, 0.4 + w * step * DT_S * scale[1]
        turn = w * t * scale[1]
        z = v * t * scale[0] * np.sinc(turn / 2 / np.pi) * np.exp(1j * (0.4 + turn / 2))
        made.on_odometry(at(z.real, z.imag, yaw, v, w, t), True)
    return made.look(NOW + ns(1.0), STEADY + ns(1.0))


@pytest.mark.parametrize(('v', 'w'), [(0.5, 0.0), (-0.5, 0.0), (0.0, 1.5), (0.4, -1.0)])
def test_an_exact_arc_is_the_same_by_twist_and_pose(v, w):
    first, *_, last = arc(fresh(), v, w)
    way, turn = v * 0.5, w * 0.5
    assert (last.twist_m - first.twist_m, last.twist_rad - first.twist_rad) == pytest.approx(
        (way, turn))
    assert last.pose_m - first.pose_m == pytest.approx(way, rel=1e-4)
    assert last.pose_rad - first.pose_rad == pytest.approx(turn)
    assert (last.path_m - first.path_m, last.path_rad - first.path_rad) == pytest.approx(
        (abs(way), abs(turn)), rel=1e-4)
    assert last.side_m - first.side_m == pytest.approx(0.0, abs=1e-9)
    assert (last.command_m, last.command_rad, last.command_path_m) == (0.0, 0.0, 0.0)


def test_sideways_and_around_half_a_turn():
    made = fresh()
    made.on_odometry(at(yaw=3.1), True)
    made.on_odometry(at(-0.1 * math.sin(3.1), 0.1 * math.cos(3.1), 3.1, t=DT_S), True)
    made.on_odometry(at(-0.1 * math.sin(3.1), 0.1 * math.cos(3.1), -3.1, t=2 * DT_S), True)
    first, second, last = made.look(NOW + ns(0.1), STEADY + ns(0.1))
    assert second.side_m - first.side_m == pytest.approx(0.1)
    assert second.pose_m - first.pose_m == pytest.approx(0.0)
    assert last.pose_rad - first.pose_rad == pytest.approx(2 * math.pi - 6.2)


def test_the_pose_is_scaled_as_the_twist_was():
    """A measured scale is of the pose, too; the critic has put it on the twist already."""
    robot = replace(ROBOT, odometry_scale=(1.25, 0.8))
    first, *_, last = arc(fresh(robot), 0.5, 0.8, scale=(0.8, 1.25))
    assert last.pose_m - first.pose_m == pytest.approx(last.twist_m - first.twist_m, rel=1e-3)
    assert last.pose_rad - first.pose_rad == pytest.approx(last.twist_rad - first.twist_rad)
    made = fresh(robot)
    made.on_odometry(at(), True)
    made.on_odometry(at(0.0, 0.1, t=DT_S), True)
    assert made.look(NOW, STEADY)[-1].side_m == pytest.approx(0.125)


def test_a_step_between_two_twists_is_their_mean():
    made = fresh()
    made.on_odometry(at(v=0.2, w=1.0), True)
    made.on_odometry(at(v=0.4, w=0.0, t=0.1), True)
    last = made.look(NOW + ns(0.1), STEADY + ns(0.1))[-1]
    assert (last.twist_m, last.twist_rad) == pytest.approx((0.03, 0.05))


@pytest.mark.parametrize('huge', [1e300, -1e300, 1.7e308])
def test_no_number_overflows_a_sum(huge):
    made = fresh()
    for t, sign in ((0.0, 1), (DT_S, 1), (2 * DT_S, -1), (3 * DT_S, -1)):
        made.on_odometry(at(sign * huge, sign * huge, 0.3, sign * huge, huge, t=t), True)
    last = made.look(NOW + ns(0.1), STEADY + ns(0.1))[-1]
    numbers = [getattr(last, key) for key in ('twist_m', 'twist_rad', 'pose_m', 'side_m')]
    assert np.isfinite(numbers).all() and np.abs(numbers).max() <= 3 * FARTHEST


@pytest.mark.parametrize('number', BROKEN)
@pytest.mark.parametrize('what', ['pose', 'twist'])
def test_what_is_not_finite_begins_anew(number, what):
    made = fresh()
    made.on_odometry(at(), True)
    broken = replace(at(t=DT_S), **{what: np.full(3 if what == 'pose' else 2, number)})
    made.on_odometry(broken, False)
    assert made.odometry is None and made.look(NOW, STEADY) == ()
    made.on_odometry(at(5.0, t=2 * DT_S), True)
    one, = made.look(NOW + ns(0.1), STEADY + ns(0.1))
    assert one.pose_m == 0.0


@pytest.mark.parametrize(('passed', 'goes_on', 'kept'), [
    (DT_S, True, 2), (DT_S, False, 1), (-DT_S, True, 1), (GAP_S, True, 2),
    (GAP_S + 1e-9, True, 1), (0.0, True, 1)])
def test_what_is_compared_across(passed, goes_on, kept):
    made = fresh()
    made.on_odometry(at(t=1.0), True)
    made.look(NOW + ns(1.0), STEADY + ns(1.0))
    came = replace(at(0.1, t=1.0 + passed), received_steady_ns=STEADY + ns(1.1))
    made.on_odometry(came, goes_on)
    assert len(made.look(NOW + ns(1.1), STEADY + ns(1.1))) == kept
    assert made.sums[2] == pytest.approx(0.1 if kept == 2 else 0.0)
    assert (made.odometry is came) == (passed != 0.0)       # of one instant the first counts


def test_quick_odometry_is_kept_every_10_ms():
    made = fresh()
    for tick in range(21):
        made.on_odometry(at(0.001 * tick, v=0.2, t=0.005 * tick), True)
        if tick == 10:
            made.look(NOW + ns(0.05), STEADY + ns(0.05))    # also across a look
    got = made.look(NOW + ns(0.1), STEADY + ns(0.1))
    assert [round((one.steady_ns - STEADY) / 1e6) for one in got] == list(range(0, 101, 10))
    assert got[-1].pose_m == pytest.approx(0.02)


def test_what_is_long_ago_is_forgotten():
    made = fresh()
    for tick in range(40):
        made.on_odometry(at(t=0.1 * tick), True)
        told(made, 0.01 * tick, t=0.1 * tick)
        got = made.look(NOW + ns(0.1 * tick), STEADY + ns(0.1 * tick))
    assert len(got) == 17 and got[0].steady_ns == STEADY + ns(3.9 - KEPT_S)
    assert len(made.sent) == 12     # and the one that held when the last second began
    assert made.sent[0].steady_ns == STEADY + ns(3.9 - SENT_S - 0.1)
    assert made.reckoned.maxlen == made.sent.maxlen == made.new.maxlen == MOST


# ---- commands
def test_wheels_follow_with_the_lag():
    sent = Sent(STEADY, 0.6, -1.0, 0.0, 0.5, 2.0, 3.0)
    for t in (0.0, 0.02, 0.08, 0.5):
        fade = math.exp(-t / LAG_S)
        steps = (np.arange(100) + 0.5) * t / 100
        v, w = 0.6 * (1 - np.exp(-steps / LAG_S)), -1.0 + 1.5 * np.exp(-steps / LAG_S)
        assert follow(sent, STEADY + ns(t), LAG_S) == pytest.approx(
            (0.6 * (1 - fade), -1.0 + 1.5 * fade, 2.0 + v.mean() * t, 3.0 + w.mean() * t),
            rel=1e-4)
    assert all(map(math.isfinite, follow(sent, STEADY - ns(1e6), 1e-6)))    # a clock that jumped


def test_commands_one_after_another():
    made = fresh()
    for tick in range(50):
        told(made, 0.5, -1.0, 0.02 * tick)
    v, w, m, rad = travelled(made.sent, STEADY + ns(0.98), LAG_S)
    assert (v, w) == pytest.approx((0.5, -1.0), rel=1e-4)
    assert (m, rad) == pytest.approx((0.5 * (0.98 - LAG_S), -(0.98 - LAG_S)), rel=1e-4)
    early = travelled(made.sent, STEADY + ns(0.11), LAG_S)
    assert early == pytest.approx((0.5 * (1 - math.exp(-0.11 / LAG_S)),
                                   -(1 - math.exp(-0.11 / LAG_S)), *early[2:]))
    first = made.sent[0]
    assert travelled(made.sent, STEADY - ns(9), LAG_S) == (
        first.wheels_mps, first.wheels_radps, first.wheels_m, first.wheels_rad)


def test_a_command_that_goes_on_is_one_and_its_wheels_go_on():
    made = fresh()
    for tick in range(100):
        told(made, 0.5, 0.1, 0.02 * tick)
    assert len(made.sent) == 1      # the rest before it is over for more than a second
    assert follow(made.sent[0], STEADY + ns(1.98), LAG_S)[0] == pytest.approx(0.5)
    told(made, 0.5, 0.2, 2.0)
    told(made, 0.4, 0.2, 2.02)
    assert [(one.v_mps, one.w_radps) for one in made.sent] == [(0.5, 0.1), (0.5, 0.2), (0.4, 0.2)]
    told(made, 0.4, 0.2, 2.02 + GAP_S + 1e-6)           # silence, and then the same: anew
    assert len(made.sent) == 1 and made.sent[0].wheels_mps == 0.0


@pytest.mark.parametrize(('later', 'kept'), [(0.0, 1), (-0.1, 1), (GAP_S, 2), (GAP_S + 1e-9, 1)])
def test_commands_that_stopped_coming_begin_anew(later, kept):
    made = Reckoning(ROBOT)
    told(made, 0.6)
    made.on_odometry(at(), True)
    told(made, 0.3, t=later)
    assert len(made.sent) == kept
    assert len(made.look(NOW + ns(1), STEADY + ns(1))) == (0 if later > GAP_S else 1)
    assert made.sent[-1].v_mps == (0.6 if later <= 0 else 0.3)


@pytest.mark.parametrize('late', [0.0, 0.1])
def test_the_commanded_way_is_that_of_the_stamp(late):
    """However late a reading comes, and whatever is between the two clocks."""
    made = fresh()
    for tick in range(100):
        told(made, 0.5, 1.0, 0.01 * tick)
    for t in (0.5, 0.7):
        made.on_odometry(at(t=t, late=late), True)
    first, last = made.look(NOW + ns(0.99), STEADY + ns(0.99))
    assert (last.command_m - first.command_m, last.command_rad - first.command_rad,
            last.command_path_m - first.command_path_m) == pytest.approx((0.1, 0.2, 0.1), rel=0.01)


def test_a_stamp_from_the_future_counts_as_its_arrival():
    made = fresh()
    for tick in range(50):
        told(made, 0.5, t=0.01 * tick)
    made.on_odometry(replace(at(t=0.2), stamp_ns=NOW + ns(9)), True)
    assert made.look(NOW + ns(0.49), STEADY + ns(0.49))[0].command_m == pytest.approx(
        travelled(made.sent, STEADY + ns(0.2), LAG_S)[2])


def test_the_commanded_path_has_no_sign():
    made, way = fresh(), []
    for tick in range(100):
        sign = 1 if tick < 50 else -1
        told(made, sign * 0.5, sign * 1.0, 0.01 * tick)
        made.on_odometry(at(t=0.01 * tick), True)
        way = made.look(NOW + ns(0.01 * tick), STEADY + ns(0.01 * tick))
    first, last = way[0], way[-1]
    assert last.command_m - first.command_m == pytest.approx(0.0, abs=0.05)
    assert last.command_path_m - first.command_path_m == pytest.approx(0.4, abs=0.02)
    assert last.command_path_rad - first.command_path_rad == pytest.approx(0.8, abs=0.04)


def test_before_any_command_nothing_can_be_compared():
    made = Reckoning(ROBOT)
    made.on_odometry(at(), True)
    assert made.look(NOW, STEADY) == () and not made.new


# ---- gyros
def turned(made, *readings, name='imu'):
    for t, rate in readings:
        made.on_imu(name, NOW + ns(t), rate)


def test_a_gyro_is_added_up_to_the_instant_of_odometry():
    made = fresh()
    turned(made, (0.0, 0.5), (0.1, 1.5), (0.2, 1.5))
    made.on_odometry(at(t=0.22), True)
    turned(made, (0.0, 2.0), (0.1, 2.0), name='other')      # this one begins: anew
    made.on_odometry(at(t=0.3), True)
    one, = made.look(NOW + ns(0.3), STEADY + ns(0.3))
    assert dict(one.gyros) == pytest.approx({'imu': 0.1 + 0.15 + 0.15, 'other': 0.2 + 0.4})
    made.on_odometry(at(t=0.4), True)
    turned(made, (9.0, 1.0))                                # silent for too long
    assert made.look(NOW + ns(0.4), STEADY + ns(0.4)) == ()
    assert made.gyros['imu'][2] == 0.0


@pytest.mark.parametrize('number', BROKEN)
def test_a_gyro_that_is_no_number_is_as_if_it_had_not_come(number):
    """Else one before each other reading would leave nothing to compare, for good."""
    made = fresh()
    turned(made, (0.0, 0.5), (0.1, number))
    assert made.gyros['imu'] == (NOW, 0.5, 0.0)
    turned(made, (0.2, 0.5))
    assert made.gyros['imu'] == pytest.approx((NOW + ns(0.2), 0.5, 0.1))
    turned(made, (0.3, number), (0.8, 0.5))         # a gap is one all the same
    assert made.gyros['imu'] == (NOW + ns(0.8), 0.5, 0.0)


def test_a_gyro_that_goes_back_in_time_begins_anew():
    made = fresh()
    turned(made, (0.1, 0.5), (0.2, 0.5), (0.1, 0.5))
    assert made.gyros['imu'][2] == 0.0
    turned(made, (0.1, 0.7))
    assert made.gyros['imu'][2] == 0.0 and made.gyros['imu'][1] == 0.7


def test_bounds():
    assert [bounded(x, 2.0) for x in (-3.0, -2.0, 1.0, 2.0, 3.0, math.inf)] == [
        -2.0, -2.0, 1.0, 2.0, 2.0, 2.0]


# ---- as the critic uses it
@pytest.mark.parametrize(('mount', 'spin'), [
    ((0.0, 0.0, 0.0), (0.0, 0.0, 0.6)), ((math.pi, 0.0, 0.0), (0.0, 0.0, -0.6)),
    ((-math.pi / 2, 0.0, -math.pi / 2), (0.0, -0.6, 0.0))])     # level, upside down, optical
def test_the_critic_turns_a_gyro_by_its_mount(mount, spin):
    robot = replace(ROBOT, sensors=tuple(replace(s, required=True) if s.kind == 'Imu' else s
                                         for s in ROBOT.sensors))
    body: UrdfBody = replace(ROBOT.body,
                             mounts={**ROBOT.body.mounts, 'imu_link': (0, 0, 0, *mount)})
    object.__setattr__(robot, 'body', body)
    critic, yaw = Critic(CHOSEN, robot), 0.0
    for tick in range(60):
        t, w = 0.02 * tick, 0.6 if tick > 20 else 0.0
        yaw += 0.02 * w
        stamps = {'stamp_ns': NOW + ns(t), 'received_steady_ns': STEADY + ns(t)}
        critic.on_odometry(odometry(0.0, w, pose=np.array([0.0, 0.0, yaw]), **stamps))
        critic.on_imu(imu(spin=np.array(spin) * (w / 0.6), **stamps))
        critic.on_scan(scan(**stamps))
        critic.on_view(view(fingerprint=str(tick), **stamps))
        critic.on_permit(permit(**stamps))
        critic.on_plan(planned(0.0, w, start_ns=NOW + ns(t), number=tick), STEADY + ns(t))
        answer = critic.judge(NOW + ns(t), STEADY + ns(t))
    assert answer.rule != 'odometry_consistency', answer.reason
    name, total = critic.situation(NOW + ns(t), STEADY + ns(t)).memory.reckoned[-1].gyros[0]
    assert name == 'imu' and total == pytest.approx(yaw, abs=0.02)
