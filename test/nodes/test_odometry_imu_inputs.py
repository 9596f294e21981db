# SPDX-License-Identifier: Apache-2.0
"""What the mind takes of odometry and IMU: in base_link, finite, or refused by name."""

from dataclasses import replace
import math

from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes.sensor_inputs import SensorInputs, Troubles
from ami_ros.nodes.time_buffers import BodyBuffer
from ami_ros.robots.find_robot import find
import numpy as np
import pytest

ROVER = find('rover')
NS = 10**9
UP = np.array([0.0, 0.0, 9.81])


class Queue:
    """Counts how often the worker is told to look again."""

    woken = 0

    def look_again(self):
        self.woken += 1


class Ears(SensorInputs):
    """The inputs of a rover, without a node; what they log is in `errors`."""

    def __init__(self, robot):
        self.errors = []
        super().__init__(None, None, robot, Queue(), Troubles(self.errors.append))
        self.body = BodyBuffer(0.1, False)


def ears(mount=(0.0, 0.0, 0.0)) -> Ears:
    """Listen for a rover whose IMU is mounted so: roll, pitch, yaw."""
    robot = replace(ROVER)
    mounts = {**ROVER.body.mounts, 'imu_link': (0.0, 0.0, 0.0, *mount)}
    object.__setattr__(robot, 'body', replace(ROVER.body, mounts=mounts))
    return Ears(robot)


def odometry(pose=(0.0, 0.0, 0.0), twist=(0.3, 0.6), ns=NS):
    return convert.odometry_message(ns, np.array(pose), np.array(twist))


@pytest.mark.parametrize(('mount', 'spin'), [
    ((0.0, 0.0, 0.0), (0.0, 0.0, 0.6)), ((math.pi, 0.0, 0.0), (0.0, 0.0, -0.6)),
    ((0.0, math.pi, 0.0), (0.0, 0.0, -0.6)), ((0.0, 0.0, 2.0), (0.0, 0.0, 0.6)),
    ((-math.pi / 2, 0.0, -math.pi / 2), (0.0, -0.6, 0.0))])         # an optical frame
def test_a_gyro_is_turned_by_its_mount(mount, spin):
    heard = ears(mount)
    heard.on_odometry(odometry())
    heard.on_imu(convert.imu_message(NS, np.array(spin), UP))
    body, _ = heard.body.at(NS)
    assert body == pytest.approx((0.3, 0.6, 0.6)) and heard.queue.woken == 2
    assert not heard.troubles.now


@pytest.mark.parametrize('frame', ['', 'laser', 'nowhere'])
def test_a_gyro_whose_mount_is_not_known_is_refused(frame):
    heard = ears()
    msg = convert.imu_message(NS, np.array([0.0, 0.0, 0.6]), UP)
    msg.header.frame_id = frame
    heard.on_imu(msg)
    assert 'says link: imu_link; one of the two is wrong' in heard.troubles.now['imu']
    assert heard.errors == [heard.troubles.now['imu']] and not heard.body.gyro.kept
    msg.header.frame_id = 'robot_1/imu_link'
    heard.on_imu(msg)
    assert not heard.troubles.now and heard.body.gyro.kept


@pytest.mark.parametrize('number', [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize('at', range(5))
def test_odometry_that_is_not_finite_is_refused(at, number):
    heard, numbers = ears(), [0.0, 0.0, 0.0, 0.3, 0.6]
    numbers[at] = number
    with np.errstate(invalid='ignore'):
        if at == 2 and math.isinf(number):
            return              # no quaternion says that
        heard.on_odometry(odometry(numbers[:3], numbers[3:]))
    assert heard.troubles.now['odom'].startswith('the odometry cannot be used: it is not finite')
    assert not heard.body.odometry.kept and heard.queue.woken == 0
    heard.on_odometry(odometry(ns=NS + 1))
    assert not heard.troubles.now and len(heard.body.odometry.kept) == 1


def test_odometry_without_an_orientation_is_refused():
    heard, msg = ears(), odometry()
    msg.pose.pose.orientation.w = 0.0
    heard.on_odometry(msg)
    assert 'length 0 instead of 1' in heard.troubles.now['odom'] and not heard.body.odometry.kept


@pytest.mark.parametrize('number', [math.nan, math.inf])
def test_a_gyro_that_is_not_finite_is_refused(number):
    heard = ears()
    heard.on_imu(convert.imu_message(NS, np.array([0.0, 0.0, number]), UP))
    assert 'turning rate of the imu cannot be used: it is not finite' in heard.troubles.now['imu']
    assert not heard.body.gyro.kept
