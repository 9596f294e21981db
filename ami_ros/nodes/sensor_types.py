# SPDX-License-Identifier: Apache-2.0
"""
Says how each kind of sensor of a robot file is heard: its message, its topics, its noun.

| kind | message | what it becomes |
|---|---|---|
| LaserScan | sensor_msgs/LaserScan | the scan, level |
| PointCloud2 | sensor_msgs/PointCloud2 | the nearest point of each degree, between its heights |
| Range | sensor_msgs/Range | a cone that is as near everywhere |
| Odometry, Imu | nav_msgs/Odometry, sensor_msgs/Imu | themselves |
| Image, CompressedImage | themselves, unopened | a view: whether it is a picture |
| bumper, cliff, e_stop | std_msgs/Bool | a switch; its arrival is its stamp |
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image, Imu, LaserScan, PointCloud2, Range
from std_msgs.msg import Bool

from ami_ros.nodes import cdr_reader, sensor_conversions
from ami_ros.nodes.topics import SENSOR, Topic
from ami_ros.robots.robot import Robot
from ami_ros.robots.sensor import Sensor, SWITCHES

# A switch may be said once only, and pressed for a few milliseconds only: every message counts,
# also those that wait while the critic is suspended. A subscriber that asks for what was said
# before it came hears no volatile publisher, one that asks for reliable delivery no best-effort
# publisher; so switches are heard three times. The most reliable subscription comes first.
SWITCH_DEPTH = 10_000       # messages: ten seconds of a publisher that repeats itself at 1 kHz
SWITCH_QOS = (QoSProfile(depth=SWITCH_DEPTH),
              QoSProfile(depth=SWITCH_DEPTH, durability=DurabilityPolicy.TRANSIENT_LOCAL),
              QoSProfile(depth=SWITCH_DEPTH, reliability=ReliabilityPolicy.BEST_EFFORT))


@dataclass(frozen=True)
class SensorKind:
    """How one kind is heard; `read` raises ValueError on what is built wrongly."""

    message: type
    # each takes another message: what `opened` returns
    read: Callable[[Any, Sensor, Robot, sensor_conversions.Came], object]
    into: str               # the method of the Critic that takes the noun
    stamped: bool = True    # its messages say when they were sensed
    opened: Callable[[bytes], object] = bytes       # reads the bytes that come


def small(message: type, read: Callable, into: str) -> SensorKind:
    """Return a kind of few numbers: a long message is one that somebody made long."""
    return SensorKind(message, read, into, opened=partial(cdr_reader.short, message))


KINDS = {
    'LaserScan': SensorKind(LaserScan, sensor_conversions.laser_from, 'on_scan',
                            opened=cdr_reader.scan),
    'PointCloud2': SensorKind(PointCloud2, sensor_conversions.cloud_from, 'on_scan',
                        opened=cdr_reader.cloud),
    'Range': small(Range, sensor_conversions.cone_from, 'on_scan'),
    'Odometry': small(Odometry, sensor_conversions.odometry_from, 'on_odometry'),
    'Imu': small(Imu, sensor_conversions.imu_from, 'on_imu'),
    'Image': SensorKind(Image, sensor_conversions.view_from, 'on_view', opened=cdr_reader.image),
    'CompressedImage': SensorKind(CompressedImage, sensor_conversions.view_from, 'on_view',
                            opened=cdr_reader.compressed),
    **dict.fromkeys(SWITCHES, SensorKind(Bool, sensor_conversions.switch_from, 'on_switch', False,
                                   partial(cdr_reader.short, Bool))),
}


def rows(sensor: Sensor) -> tuple[Topic, ...]:
    """Return what to subscribe to for a sensor."""
    row = Topic(sensor.topic, KINDS[sensor.kind].message, sensor.hz, SENSOR, 'body')
    if sensor.kind in SWITCHES:
        return tuple(replace(row, qos=qos) for qos in SWITCH_QOS)
    return (row,)
