# SPDX-License-Identifier: Apache-2.0
"""Inputs of a calibration: what was told to the wheels and what was sensed, oldest first."""

from collections import deque
from dataclasses import dataclass, field, replace
import time

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage

from ami_ros.core.types import Verdict
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.operator.calibration.camera_delay import columns
from ami_ros.robots.find_robot import Robot
from ami_ros.robots.imu_mount import in_base

KEPT = 20000            # readings of each kind
EVERY = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)    # each one counts


@dataclass
class MotionReadings:
    """What came, oldest first; stamps in ns of ROS time."""

    odometry: deque = field(default_factory=lambda: deque(maxlen=KEPT))     # ns, x, y, yaw
    commands: deque = field(default_factory=lambda: deque(maxlen=KEPT))     # ns, v, w
    gyro: deque = field(default_factory=lambda: deque(maxlen=KEPT))         # ns, rad/s
    scans: deque = field(default_factory=lambda: deque(maxlen=200))         # ns, (R,), (R,) angles
    pictures: deque = field(default_factory=lambda: deque(maxlen=KEPT))     # ns, (W,) columns
    answers: deque = field(default_factory=lambda: deque(maxlen=KEPT))      # ns picture, command


class MotionInputs:
    """The subscriptions of a node that calibrates, and what they brought."""

    def __init__(self, node: Node, robot: Robot, command: topics.Topic):
        self.node, self.robot = node, robot
        self.readings = MotionReadings()
        self.came_s: dict[str, float] = {}
        self.verdict: Verdict | None = None
        self.mode = ''
        self.camera, self.picture = None, None
        rows = [(replace(command, qos=topics.RELIABLE_100), self.on_command),
                (replace(topics.VERDICT, qos=topics.RELIABLE_100), self.on_verdict),
                (topics.STATUS, self.on_status),
                (replace(topics.ODOMETRY, name=robot.odometry.topic, qos=EVERY),
                 self.on_odometry)]
        rows += [(replace(topics.IMU, name=sensor.topic, qos=EVERY), self.on_imu)
                 for sensor in robot.sensors_of('Imu')[:1]]
        rows += [(replace(topics.SCAN, name=sensor.topic, qos=EVERY), self.on_scan)
                 for sensor in robot.sensors_of('LaserScan')[:1]]
        for row, heard in rows:
            self.node.create_subscription(*row.subscriber(heard))

    def look(self, on: bool) -> None:
        """Hear pictures, or no more: they are dear to take in."""
        if on and self.camera is None:
            sensor = self.robot.camera
            kind = CompressedImage if sensor.kind == 'CompressedImage' else topics.CAMERA.type
            row = replace(topics.CAMERA, type=kind, name=sensor.topic, qos=EVERY)
            self.camera = self.node.create_subscription(*row.subscriber(self.on_picture))
        elif not on and self.camera is not None:
            self.node.destroy_subscription(self.camera)
            self.camera = None

    def note(self, what: str) -> None:
        """Remember when something came."""
        self.came_s[what] = time.monotonic()

    def on_odometry(self, msg) -> None:
        """Take a pose."""
        self.note('odometry')
        where = msg.pose.pose
        self.readings.odometry.append((convert.nanoseconds(msg.header.stamp), where.position.x,
                                       where.position.y, convert.yaw(where.orientation)))

    def on_command(self, msg) -> None:
        """Take what really went to the wheels."""
        self.note('command')
        command = convert.command_from(msg, self.node.get_clock().now().nanoseconds)
        self.readings.commands.append((command.stamp_ns, *command.values.tolist()))

    def on_imu(self, msg) -> None:
        """Take a rate of turn about the vertical, from however the IMU is mounted."""
        try:
            spin, = in_base(self.robot, msg.header.frame_id, convert.imu_from(msg)[0])
        except ValueError as wrong:     # without its mount it measures no turn of the robot
            self.node.get_logger().error(str(wrong), throttle_duration_sec=5.0)
            return
        self.readings.gyro.append((convert.nanoseconds(msg.header.stamp), float(spin[2])))

    def on_scan(self, msg) -> None:
        """Take ranges as the driver says them."""
        self.note('scan')
        ranges = np.array(msg.ranges, np.float32)
        self.readings.scans.append((convert.nanoseconds(msg.header.stamp), ranges,
                                    msg.angle_min + msg.angle_increment * np.arange(len(ranges))))

    def on_picture(self, msg) -> None:
        """Keep the columns of a picture."""
        self.picture = msg
        self.readings.pictures.append((convert.nanoseconds(msg.header.stamp),
                                       columns(convert.picture_from(msg))))

    def on_verdict(self, msg) -> None:
        """Take the critic's word, and which picture it answers, where there was a goal.

        A mind without a goal has nothing to think about, and is quick.
        """
        self.note('verdict')
        self.verdict = convert.verdict_from(msg)
        if self.verdict.source == 'mind' and self.verdict.number > 0 and self.verdict.goal > 0:
            self.readings.answers.append((self.verdict.number, self.verdict.command.stamp_ns))

    def on_status(self, msg) -> None:
        """Take the mode."""
        for health in convert.health_from(msg):
            self.mode = health.values.get('mode', self.mode)
