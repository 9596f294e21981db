# SPDX-License-Identifier: Apache-2.0
"""Nouns survive the way over a message; a message that is wrong says how."""

from dataclasses import fields, replace
import math

from ami_ros.core.types import Belief, Command, Plan, Verdict
from ami_ros.nodes import message_conversions as convert
from ami_ros.robots.find_robot import find
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message

NS = 1_700_000_000_123_456_789
RNG = np.random.default_rng(0)
ROVER = find('rover')


def sent(msg):
    """Send a message over the wire, as DDS would."""
    return deserialize_message(serialize_message(msg), type(msg))


def same(a, b) -> bool:
    """Compare two values of nouns bit for bit."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, Command):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return type(a) is type(b) and (a == b or (a != a and b != b))


def assert_same(a, b, but=()):
    wrong = [f.name for f in fields(a) if f.name not in but
             and not same(getattr(a, f.name), getattr(b, f.name))]
    assert not wrong


PLAN = Plan(RNG.normal(size=(8, 2)), 0.25, NS, number=NS - 5, run='1f-3', goal=7, arrived=True,
            surprise=1 / 3, iterations=3, disagreement=2 / 3,
            out_of_distribution=5 / 7)
BELIEF = Belief(RNG.normal(size=128).astype(np.float32), RNG.normal(size=3).astype(np.float32),
                RNG.normal(size=3), RNG.normal(size=3), NS, 1 / 3, 2 / 7, NS, '1f-3', 3 / 7,
                5 / 7)


@pytest.mark.parametrize('plan', [
    PLAN,
    replace(PLAN, knots=np.full((1, 2), math.nan), surprise=math.nan, disagreement=math.inf),
    replace(PLAN, knots=np.full((2, 2), -math.inf), surprise=math.inf, run='a=b', knot_s=0.1),
    replace(PLAN, knots=np.zeros((0, 2)), arrived=False, number=0, run=''),
])
def test_plan(plan):
    assert_same(plan, convert.plan_from(sent(convert.plan_message(plan))))


def test_older_recordings_lack_the_figure_out_of_distribution():
    msg = convert.plan_message(PLAN)
    msg.joint_names = [name for name in msg.joint_names if 'out_of' not in name]
    assert math.isnan(convert.plan_from(sent(msg)).out_of_distribution)
    latent, state = convert.belief_messages(BELIEF)
    said = dict(zip(state.name, state.position))
    said.pop('out_of_distribution')
    older = convert.belief_from(latent, convert.state_message(said, NS, '1f-3'))
    assert math.isnan(older.out_of_distribution)
    assert_same(BELIEF, older, ('out_of_distribution', 'number'))


def test_plan_shows_what_was_imagined():
    imagined = RNG.normal(size=(8, 3))
    msg = sent(convert.plan_message(replace(PLAN, imagined=imagined)))
    assert [len(p.transforms) for p in msg.points] == [0] + [1] * 8
    assert convert.plan_from(msg).imagined == pytest.approx(imagined)


def test_plan_that_is_wrong():
    msg = convert.plan_message(PLAN)
    msg.joint_names = msg.joint_names[:2]
    with pytest.raises(ValueError, match="misses or misspells 'frame'"):
        convert.plan_from(msg)
    msg = convert.plan_message(PLAN)
    msg.points[3].time_from_start.nanosec += 1
    with pytest.raises(ValueError, match='in point 3; it needs one, at 750000000 ns'):
        convert.plan_from(msg)
    msg = convert.plan_message(replace(PLAN, knots=np.zeros((0, 2))))
    msg.joint_names[1] = 'knot_s=nan'
    with pytest.raises(ValueError, match='at least 0.001'):
        convert.plan_from(msg)
    assert convert.plan_from(convert.plan_message(replace(PLAN, knots=np.zeros((999, 2)))))
    with pytest.raises(ValueError, match='plan has 1001 points; it needs at most 1000'):
        convert.plan_from(convert.plan_message(replace(PLAN, knots=np.zeros((1000, 2)))))


def test_verdict():
    verdict = Verdict(Command(RNG.normal(size=2), NS), 'slow', 'stop_zone', 'near: 0.2 m of 0.3',
                      ('speed', 'stop_zone'), (('scan', 0.1 + 0.2), ('plan', math.nan)), NS - 5,
                      NS - 3, 7, '1f-3', 'teleop', 'idle', ('imu', 'front'), True, 'somebody'
                      ' resets it')
    back = convert.verdict_from(sent(convert.verdict_message(verdict, judge_ms='0.1')))
    assert_same(verdict, back, but=('ages',))
    assert repr(verdict.ages) == repr(back.ages)


@pytest.mark.parametrize('stamped', [True, False])
def test_command(stamped):
    command = Command(RNG.normal(size=2), NS)
    assert_same(command, convert.command_from(sent(convert.command_message(command, stamped)), NS))


@pytest.mark.parametrize('kind', [np.float32, np.float64])
def test_vector(kind):
    z = RNG.normal(size=131).astype(kind)
    back, ns, run = convert.vector_from(sent(convert.vector_message(z, NS, '1f-3')))
    assert same(z, back) and (ns, run) == (NS, '1f-3')


def test_belief():
    assert_same(BELIEF, convert.belief_from(*map(sent, convert.belief_messages(BELIEF))))
    latent, _ = convert.belief_messages(BELIEF)
    _, other = convert.belief_messages(replace(BELIEF, stamp_ns=NS + 1))
    with pytest.raises(ValueError, match='not of the same frame'):
        convert.belief_from(latent, other)


def test_picture():
    picture = RNG.integers(0, 256, (48, 64, 3), np.uint8)
    msg = sent(convert.image_message(picture, NS))
    assert same(picture, convert.picture_from(msg)) and msg.step == 192
    msg.encoding = '32FC1'
    with pytest.raises(ValueError, match="'32FC1' is not read; there are: rgb8"):
        convert.picture_from(msg)


def test_goal():
    picture = RNG.integers(0, 256, (64, 64, 3), np.uint8)
    back, number, run = convert.goal_from(sent(convert.goal_message(picture, 3, 'a/b', NS)))
    assert same(picture, back) and (number, run) == (3, 'a/b')
    assert convert.goal_from(sent(convert.goal_message(None, 0, 'r', NS))) == (None, 0, 'r')


def test_odometry_and_imu():
    pose, speed = np.array([1.5, -2.5, -3.0]), RNG.normal(size=2)
    back = convert.odometry_from(sent(convert.odometry_message(NS, pose, speed)), 5)
    assert back.pose == pytest.approx(pose, abs=1e-15) and same(back.twist, speed)
    spin, accel = RNG.normal(size=(2, 3))
    got = convert.imu_from(sent(convert.imu_message(NS, spin, accel)))
    assert same(got[0], spin) and same(got[1], accel) and got[2] == NS


@pytest.mark.parametrize(('xyzw', 'said'), [
    ((0.0, 0.0, 0.0, 0.0), 'length 0 instead of 1'), ((0.0, 0.0, 1.0, 1.0), 'length 1.41421'),
    ((0.0, 0.0, 0.0, 0.89), 'length 0.89'), ((0.0, 0.0, 0.0, 0.91), ''),
    ((0.0, 0.0, 1.0, 0.0), ''), ((0.0, 0.0, np.nan, 0.0), '')])
def test_odometry_whose_orientation_is_no_rotation_is_refused(xyzw, said):
    """What is not finite passes: to name that is the work of the critic's rule and the mind."""
    msg = convert.odometry_message(NS, np.zeros(3), np.zeros(2))
    q = msg.pose.pose.orientation
    q.x, q.y, q.z, q.w = xyzw
    if said:
        with pytest.raises(ValueError, match=f"odometry in frame 'odom' .* orientation .*{said}"):
            convert.odometry_from(sent(msg), 5)
    else:
        convert.odometry_from(sent(msg), 5)


@pytest.mark.parametrize(('frame', 'child', 'right'), [
    ('odom', 'base_link', True), ('r1/odom', 'r1/base_link', True), ('odom', '', True),
    ('odom', 'base_footprint', True), ('', '', True), ('base_link', 'odom', False),
    ('r1/base_link', 'odom', False), ('base_link', '', False), ('odom', 'odom', False),
    ('r1/odom', 'odom', False)])
def test_odometry_whose_frames_are_swapped_or_one_is_refused(frame, child, right):
    msg = convert.odometry_message(NS, np.zeros(3), np.zeros(2), frame)
    msg.child_frame_id = child
    if right:
        convert.odometry_from(sent(msg), 5)
    else:
        with pytest.raises(ValueError, match=f"frame_id '{frame}' and child_frame_id '{child}'"):
            convert.odometry_from(sent(msg), 5)


def test_health():
    health = convert.Health('mind', 1, 'late', {'goal': '3', 'run': 'r'})
    assert convert.health_from(sent(convert.health_message(health, NS))) == [health]


@pytest.mark.parametrize('place', [(1, 2, 3, 0, 0, 0.7), (0, 0, 0, -1.2, 0.4, -2.0)])
def test_transform(place):
    turned = sent(convert.transform_message(NS, 'base_link', 'laser', place)).transform
    q = turned.rotation
    assert convert.yaw(q) == pytest.approx(place[5])
    assert 2 * (q.w * q.y - q.z * q.x) == pytest.approx(math.sin(place[4]))
    assert math.atan2(2 * (q.w * q.x + q.y * q.z), 1 - 2 * (q.x ** 2 + q.y ** 2)
                      ) == pytest.approx(place[3])
