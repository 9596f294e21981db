# SPDX-License-Identifier: Apache-2.0
"""Turns messages and discovery into what the checks judge; of content no more than they need."""

import math
import zlib

from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import (
    CameraInfo,
    CompressedImage,
    Image,
    Imu,
    JointState,
    LaserScan,
    PointCloud2,
    Range,
)
from std_msgs.msg import Bool

from ami_ros.core.errors import AmiError
from ami_ros.nodes import message_conversions as convert
from ami_ros.operator.checks.camera import thinned
from ami_ros.operator.checks.observation import (
    Beams,
    Endpoint,
    Felt,
    HealthReport,
    Info,
    Moved,
    Qos,
    TopicSample,
)
from ami_ros.perception.images import image_message_fields as fields

UNKNOWN = '_NODE_NAME_UNKNOWN_'     # what rmw calls a node whose name has not arrived yet
FOREVER_S = 9e9                     # longer is no deadline at all


def look(msg: Image | CompressedImage) -> TopicSample:
    """Image or CompressedImage to Look."""
    digest = zlib.crc32(memoryview(msg.data))
    encoding = getattr(msg, 'encoding', '') or getattr(msg, 'format', '')
    try:
        picture = fields.picture_of(msg)
    except AmiError as wrong:
        size = getattr(msg, 'width', 0), getattr(msg, 'height', 0)
        return TopicSample(size, encoding, None, str(wrong), digest)
    size = picture.shape[1], picture.shape[0]
    return TopicSample(size, encoding, thinned(picture), '', digest)


def info(msg: CameraInfo) -> Info:
    """CameraInfo to Info."""
    try:
        lens = fields.lens_of(msg)
    except AmiError:            # the mind says why
        lens = None
    return Info((msg.width, msg.height), (float(msg.k[0]), float(msg.k[4])),
                msg.distortion_model, lens)


def beams(msg: LaserScan) -> Beams:
    """LaserScan to Beams."""
    return Beams(np.array(msg.ranges, np.float32), msg.angle_min, msg.angle_increment,
                 (msg.range_min, msg.range_max))


def moved(msg: Odometry) -> Moved:
    """Odometry to Moved."""
    where, speed, q = msg.pose.pose, msg.twist.twist, msg.pose.pose.orientation
    return Moved((where.position.x, where.position.y, convert.yaw(q)),
                 (speed.linear.x, speed.angular.z), msg.child_frame_id,
                 math.sqrt(q.x**2 + q.y**2 + q.z**2 + q.w**2))


def felt(msg: Imu) -> Felt:
    """Imu to Felt, in the axes of its own link; the check turns it into base_link."""
    return Felt(*convert.imu_from(msg)[:2])


def nothing(_) -> None:
    """Judge nothing but when it came."""


KINDS = {       # kind of a sensor: its message, and what is kept of it
    'Image': (Image, look), 'CompressedImage': (CompressedImage, look),
    'CameraInfo': (CameraInfo, info), 'LaserScan': (LaserScan, beams),
    'PointCloud2': (PointCloud2, nothing), 'Range': (Range, nothing),
    'Odometry': (Odometry, moved), 'Imu': (Imu, felt), 'JointState': (JointState, nothing),
    **dict.fromkeys(('bumper', 'cliff', 'e_stop'), (Bool, nothing))}


def type_name(kind: type) -> str:
    """Message class to 'sensor_msgs/msg/Image'."""
    package, sort, *_ = kind.__module__.split('.')
    return f'{package}/{sort}/{kind.__name__}'


def qos(profile: QoSProfile) -> Qos:
    """QoSProfile to Qos."""
    return Qos(profile.reliability != ReliabilityPolicy.BEST_EFFORT,
               profile.durability == DurabilityPolicy.TRANSIENT_LOCAL,
               seconds(profile.deadline), seconds(profile.liveliness_lease_duration),
               profile.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC)


def seconds(duration: Duration) -> float:
    """Duration to seconds; infinite where it is not set."""
    said = duration.nanoseconds / 1e9
    return said if 0 < said < FOREVER_S else math.inf


def full_name(name: str, namespace: str) -> str:
    """Put a node's name together."""
    return '' if name == UNKNOWN else f'{namespace.rstrip("/")}/{name}'


def endpoint(found) -> Endpoint:
    """TopicEndpointInfo to Endpoint."""
    return Endpoint(full_name(found.node_name, found.node_namespace), found.topic_type,
                    qos(found.qos_profile))


class Ear:
    """What nodes say in DiagnosticArrays, and how long each was silent."""

    def __init__(self):
        self.said: dict[str, HealthReport] = {}
        self.times: dict[str, list[int]] = {}

    def hear(self, msg: DiagnosticArray, steady_ns: int) -> None:
        """Take what came; the newest counts."""
        for health in convert.health_from(msg):
            times = self.times.setdefault(health.name, [])
            times.append(steady_ns)
            self.said[health.name] = HealthReport(health.name, health.level, health.message,
                                          health.values)

    def of(self, namespace: str, until_ns: int) -> dict[str, HealthReport]:
        """Return what the nodes of a namespace said, by the last part of their names."""
        out = {}
        for name, said in self.said.items():
            space, _, last = name.rpartition('/')
            if space not in ('', namespace):
                continue
            times = [*self.times[name], until_ns]
            gap = max(b - a for a, b in zip(times, times[1:])) / 1e9
            out[last] = HealthReport(name, said.level, said.message, said.values, len(times) - 1,
                                     gap)
        return out


def place(transform) -> tuple[float, ...]:
    """Transform to (x, y, z m, roll, pitch, yaw rad), as a URDF has it."""
    t, q = transform.translation, transform.rotation
    roll = math.atan2(2 * (q.w * q.x + q.y * q.z), 1 - 2 * (q.x * q.x + q.y * q.y))
    pitch = math.asin(max(-1.0, min(1.0, 2 * (q.w * q.y - q.z * q.x))))
    return t.x, t.y, t.z, roll, pitch, convert.yaw(q)
