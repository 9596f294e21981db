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

from nav_msgs.msg import Odometry
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image, Imu, LaserScan, PointCloud2, Range
from std_msgs.msg import Bool

from ami_ros.agent.robots.robot import Robot
from ami_ros.agent.robots.sensor import Sensor, SWITCHES
from ami_ros.nodes import convert_heard, unopened
from ami_ros.nodes.topics import SENSOR, Topic

# A switch may be said once only, and pressed for a few milliseconds only: every message counts,
# also those that wait while the critic is suspended. A subscriber that asks for what was said
# before it came hears no volatile publisher, one that asks for reliable delivery no best-effort
# publisher; so switches are heard three times. The most reliable subscription comes first.
SWITCH_DEPTH = 1000         # messages: one second of a publisher that repeats itself at 1 kHz
SWITCH_QOS = (QoSProfile(depth=SWITCH_DEPTH),
              QoSProfile(depth=SWITCH_DEPTH, durability=DurabilityPolicy.TRANSIENT_LOCAL),
              QoSProfile(depth=SWITCH_DEPTH, reliability=ReliabilityPolicy.BEST_EFFORT))


@dataclass(frozen=True)
class Kind:
    """How one kind is heard; `read` raises ValueError on what is built wrongly."""

    message: type
    read: Callable[[object, Sensor, Robot, convert_heard.Came], object]
    into: str               # the method of the Critic that takes the noun
    stamped: bool = True    # its messages say when they were sensed
    opened: Callable[[bytes], object] = bytes       # reads the bytes that come


def small(message: type, read: Callable, into: str) -> Kind:
    """Return a kind of few numbers: a long message is one that somebody made long."""
    return Kind(message, read, into, opened=partial(unopened.short, message))


KINDS = {
    'LaserScan': Kind(LaserScan, convert_heard.laser_from, 'on_scan', opened=unopened.scan),
    'PointCloud2': Kind(PointCloud2, convert_heard.cloud_from, 'on_scan', opened=unopened.cloud),
    'Range': small(Range, convert_heard.cone_from, 'on_scan'),
    'Odometry': small(Odometry, convert_heard.odometry_from, 'on_odometry'),
    'Imu': small(Imu, convert_heard.imu_from, 'on_imu'),
    'Image': Kind(Image, convert_heard.view_from, 'on_view', opened=unopened.image),
    'CompressedImage': Kind(CompressedImage, convert_heard.view_from, 'on_view',
                            opened=unopened.compressed),
    **dict.fromkeys(SWITCHES, Kind(Bool, convert_heard.switch_from, 'on_switch', False,
                                   partial(unopened.short, Bool))),
}


def rows(sensor: Sensor) -> tuple[Topic, ...]:
    """Return what to subscribe to for a sensor."""
    row = Topic(sensor.topic, KINDS[sensor.kind].message, sensor.hz, SENSOR, 'body')
    if sensor.kind in SWITCHES:
        return tuple(replace(row, qos=qos) for qos in SWITCH_QOS)
    return (row,)
