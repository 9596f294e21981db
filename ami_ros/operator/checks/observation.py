# SPDX-License-Identifier: Apache-2.0
"""What was seen and heard of a running robot, before anybody judges it; plain data, no ROS."""

from dataclasses import dataclass, field
import math
from typing import Any

import numpy as np

from ami_ros.critic.safety_policy.policy_loader import Policy
from ami_ros.perception.images.lens import Lens
from ami_ros.robots.robot import Robot

TYPES = {       # kind of a sensor in the robot file: the type of its messages
    'Image': 'sensor_msgs/msg/Image', 'CompressedImage': 'sensor_msgs/msg/CompressedImage',
    'CameraInfo': 'sensor_msgs/msg/CameraInfo', 'LaserScan': 'sensor_msgs/msg/LaserScan',
    'PointCloud2': 'sensor_msgs/msg/PointCloud2', 'Range': 'sensor_msgs/msg/Range',
    'Odometry': 'nav_msgs/msg/Odometry', 'Imu': 'sensor_msgs/msg/Imu',
    'JointState': 'sensor_msgs/msg/JointState',
    **dict.fromkeys(('bumper', 'cliff', 'e_stop'), 'std_msgs/msg/Bool')}
STAMPED = set(TYPES) - {'bumper', 'cliff', 'e_stop'}
HAS_FRAME = STAMPED - {'JointState'}


@dataclass(frozen=True)
class Qos:
    """What a publisher offers, or a subscription asks for."""

    reliable: bool = True
    latched: bool = False           # transient local
    deadline_s: float = math.inf
    lease_s: float = math.inf       # of liveliness
    manual: bool = False            # liveliness is told by hand, by topic


@dataclass(frozen=True)
class Endpoint:
    """A publisher or a subscription, as discovery tells."""

    node: str                       # fully qualified; '' where it is not known
    type: str                       # 'sensor_msgs/msg/Image'
    qos: Qos = Qos()


@dataclass(frozen=True)
class Reading:
    """One message: when, in which frame, and of its content what is judged."""

    stamp_ns: int                   # as its header says; 0 where it has none
    arrived_ns: int                 # wall time here
    steady_ns: int                  # steady time here
    frame: str = ''
    said: Any = None                # Look, Info, Beams, Moved or Felt, by its kind


@dataclass(frozen=True, eq=False)
class TopicSample:
    """A picture."""

    size: tuple[int, int]           # width, height, pixels
    encoding: str
    pixels: np.ndarray | None       # (h, w, 3) uint8, thinned out; None where it is not read
    wrong: str = ''                 # why it is not read
    digest: int = 0                 # of all bytes: the same picture has the same


@dataclass(frozen=True)
class Info:
    """What a camera_info says."""

    size: tuple[int, int]
    focal_px: tuple[float, float]   # fx, fy
    model: str                      # of distortion
    lens: Lens | None = None        # all that it says; None where it cannot be used


@dataclass(frozen=True, eq=False)
class Beams:
    """A scan."""

    ranges: np.ndarray              # (R,) m, as they came
    angle_min: float                # rad
    angle_step: float               # rad
    limits: tuple[float, float]     # m, range_min and range_max


@dataclass(frozen=True)
class Moved:
    """Odometry."""

    pose: tuple[float, float, float]    # m, m, rad
    twist: tuple[float, float]          # m/s, rad/s
    child: str                          # frame that moves
    turn: float = 1.0                   # length of the quaternion; 1 is right


@dataclass(frozen=True, eq=False)
class Felt:
    """An IMU."""

    spin: np.ndarray                # (3,) rad/s, in the sensor's own axes
    accel: np.ndarray               # (3,) m/s^2, in the sensor's own axes


@dataclass
class Channel:
    """A topic: who is there, and what came."""

    name: str                       # relative, as the robot file has it
    full: str                       # as it is on the network
    type: str                       # what we want
    publishers: tuple[Endpoint, ...] = ()
    subscribers: tuple[Endpoint, ...] = ()      # without the doctor's own
    asked: Qos | None = Qos(reliable=False)     # what our nodes ask for; None: they publish it
    readings: list[Reading] = field(default_factory=list)

    @property
    def talkers(self) -> tuple[Endpoint, ...]:
        """Publishers of the type that we want."""
        return tuple(p for p in self.publishers if p.type == self.type)


@dataclass(frozen=True)
class HealthReport:
    """What a node says of itself, last."""

    name: str
    level: int                      # 0 well, 1 warning, 2 error
    message: str
    values: dict[str, str]
    count: int = 1                  # how often it said anything
    gap_s: float = 0.0              # its longest silence


@dataclass(frozen=True)
class Surroundings:
    """What decides who finds whom."""

    rmw: str = ''                   # RMW_IMPLEMENTATION in use
    domain: str = '0'
    discovery: str = ''             # ROS_AUTOMATIC_DISCOVERY_RANGE; '' where nobody set it
    localhost_only: str = ''        # ROS_LOCALHOST_ONLY, of Humble
    peers: str = ''                 # ROS_STATIC_PEERS
    profile: str = ''               # configuration file of the middleware


@dataclass
class Observation:
    """Everything that was seen in a few seconds."""

    robot: Robot
    namespace: str = ''             # '/robot1', or '' for none
    seconds: float = 5.0
    around: Surroundings = Surroundings()
    channels: dict[str, Channel] = field(default_factory=dict)      # by name in the robot file
    others: dict[str, Channel] = field(default_factory=dict)        # our own topics, by name
    elsewhere: dict[str, str] = field(default_factory=dict)         # relative name: where it is
    nodes: tuple[str, ...] = ()     # fully qualified, without the doctor, each as often as seen
    services: tuple[str, ...] = ()  # fully qualified
    # by last part of its name
    health: dict[str, HealthReport] = field(default_factory=dict)
    verdict: HealthReport | None = None
    status: HealthReport | None = None      # of the configurator
    sim_time: dict[str, bool] = field(default_factory=dict)         # node: its use_sim_time
    clock_talkers: tuple[str, ...] = ()     # nodes that publish /clock
    clock_ns: int | None = None     # last /clock
    mounts: dict[str, tuple[str, tuple[float, ...]]] | None = None
    # link: parent and place (x y z m, roll pitch yaw rad) of tf_static; None: tf2_msgs missing
    policy: Policy | None = None
    policy_path: str = ''           # of the policy, or why there is none
    module: str = ''                # name of the module, or why it cannot be used
    module_wrong: str = ''          # why it does not fit the robot
    eye_compared: bool = False      # a picture was compared with what the module learned from
    eye_wrong: str = ''             # why the mind would not look at the pictures that came
    eye_notes: tuple[str, ...] = ()     # what it takes on trust
    running: dict[str, dict[str, str]] = field(default_factory=dict)    # node: its parameters
