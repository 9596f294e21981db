# SPDX-License-Identifier: Apache-2.0
"""Makes standard messages and writes them into rosbag2 MCAP files that are whole or not there."""

from pathlib import Path

from mcap.writer import CompressionType, Writer
import numpy as np

from ami_ros.recording.bag_metadata import Part, TopicMetadata
from ami_ros.recording.message_definitions import definition, STORE

TYPES = {       # topic: type, as the border table of the package says
    'camera/image_raw': 'sensor_msgs/msg/Image',
    'camera/camera_info': 'sensor_msgs/msg/CameraInfo',
    'odom': 'nav_msgs/msg/Odometry',
    'imu': 'sensor_msgs/msg/Imu',
    'scan': 'sensor_msgs/msg/LaserScan',
    'cmd_vel': 'geometry_msgs/msg/TwistStamped',
}
CHUNK_BYTES = 256 * 1024


def make(name: str, **fields):
    """Make a message by its short name, e.g. make('geometry_msgs/Twist', linear=...)."""
    package, kind = name.split('/')
    return STORE.types[f'{package}/msg/{kind}'](**fields)


def header(stamp_ns: int, frame: str):
    """Make a std_msgs/Header."""
    stamp = make('builtin_interfaces/Time', sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return make('std_msgs/Header', stamp=stamp, frame_id=frame)


def vector(x=0.0, y=0.0, z=0.0):
    """Make a geometry_msgs/Vector3."""
    return make('geometry_msgs/Vector3', x=float(x), y=float(y), z=float(z))


def twist(v: float, w: float):
    """Make a geometry_msgs/Twist of a planar base."""
    return make('geometry_msgs/Twist', linear=vector(v), angular=vector(0, 0, w))


def image(stamp_ns: int, picture: np.ndarray):
    """Make a sensor_msgs/Image, rgb8."""
    height, width = picture.shape[:2]
    return make('sensor_msgs/Image', header=header(stamp_ns, 'camera_optical_frame'),
                height=height, width=width, encoding='rgb8', is_bigendian=0, step=3 * width,
                data=np.ascontiguousarray(picture).reshape(-1))


def compressed(stamp_ns: int, data: bytes, kind: str = 'jpeg'):
    """Make a sensor_msgs/CompressedImage of the bytes of an image file."""
    return make('sensor_msgs/CompressedImage', header=header(stamp_ns, 'camera_optical_frame'),
                format=kind, data=np.frombuffer(data, np.uint8))


def camera_info(stamp_ns: int, size: tuple[int, int], hfov_rad: float, distortion=()):
    """Make a sensor_msgs/CameraInfo with square pixels; `distortion` is D of plumb_bob."""
    width, height = size
    f = width / 2 / np.tan(hfov_rad / 2)
    k = np.array([f, 0, width / 2, 0, f, height / 2, 0, 0, 1.0])
    p = np.array([f, 0, width / 2, 0, 0, f, height / 2, 0, 0, 0, 1.0, 0])
    roi = make('sensor_msgs/RegionOfInterest', x_offset=0, y_offset=0, height=0, width=0,
               do_rectify=False)
    return make('sensor_msgs/CameraInfo', header=header(stamp_ns, 'camera_optical_frame'),
                height=height, width=width, distortion_model='plumb_bob',
                d=np.array(distortion or (0.0,) * 5), k=k,
                r=np.eye(3).reshape(-1), p=p, binning_x=0, binning_y=0, roi=roi)


def odometry(stamp_ns: int, pose: np.ndarray, speed: np.ndarray, frame: str = 'odom'):
    """Make a nav_msgs/Odometry: pose (3,) in a frame, twist (2,) in base_link."""
    quaternion = make('geometry_msgs/Quaternion', x=0.0, y=0.0, z=float(np.sin(pose[2] / 2)),
                      w=float(np.cos(pose[2] / 2)))
    point = make('geometry_msgs/Point', x=float(pose[0]), y=float(pose[1]), z=0.0)
    where = make('geometry_msgs/Pose', position=point, orientation=quaternion)
    zeros = np.zeros(36)
    return make('nav_msgs/Odometry', header=header(stamp_ns, frame), child_frame_id='base_link',
                pose=make('geometry_msgs/PoseWithCovariance', pose=where, covariance=zeros),
                twist=make('geometry_msgs/TwistWithCovariance', twist=twist(*speed),
                           covariance=zeros))


def imu(stamp_ns: int, spin: np.ndarray, accel: np.ndarray):
    """Make a sensor_msgs/Imu without orientation (its covariance says so, as the type asks)."""
    zeros, unknown = np.zeros(9), np.array([-1.0] + [0.0] * 8)
    still = make('geometry_msgs/Quaternion', x=0.0, y=0.0, z=0.0, w=1.0)
    return make('sensor_msgs/Imu', header=header(stamp_ns, 'imu_link'), orientation=still,
                orientation_covariance=unknown, angular_velocity=vector(*spin),
                angular_velocity_covariance=zeros, linear_acceleration=vector(*accel),
                linear_acceleration_covariance=zeros)


def scan(stamp_ns: int, ranges: np.ndarray, angles: np.ndarray, limits: tuple[float, float]):
    """Make a sensor_msgs/LaserScan with evenly spaced angles."""
    return make('sensor_msgs/LaserScan', header=header(stamp_ns, 'laser'),
                angle_min=float(angles[0]), angle_max=float(angles[-1]),
                angle_increment=float(angles[1] - angles[0]), time_increment=0.0, scan_time=0.0,
                range_min=float(limits[0]), range_max=float(limits[1]),
                ranges=np.asarray(ranges, np.float32), intensities=np.zeros(0, np.float32))


def command(stamp_ns: int, v: float, w: float):
    """Make a geometry_msgs/TwistStamped."""
    return make('geometry_msgs/TwistStamped', header=header(stamp_ns, 'base_link'),
                twist=twist(v, w))


def offered(types: dict[str, str] = TYPES) -> list[TopicMetadata]:
    """List the topics as metadata.yaml wants them."""
    return [TopicMetadata(name, kind, definition(kind)[1]) for name, kind in types.items()]


class PartWriter:
    """Writes one MCAP file; it exists under its name only once it is whole."""

    def __init__(self, path: Path, types: dict[str, str] = TYPES):
        self.path, self.types, self.counts = path, types, dict.fromkeys(types, 0)
        self.start_ns: int | None = None
        self.end_ns = 0
        self.file = open(path.with_suffix('.partial'), 'wb')
        self.writer = Writer(self.file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)
        self.writer.start(profile='ros2', library='ami_ros')
        self.channels = {}
        for topic, kind in types.items():
            text, _ = definition(kind)
            schema = self.writer.register_schema(kind, 'ros2msg', text.encode())
            self.channels[topic] = self.writer.register_channel(topic, 'cdr', schema)

    def write(self, topic: str, stamp_ns: int, message) -> None:
        """Append a message."""
        data = bytes(STORE.serialize_cdr(message, self.types[topic]))
        self.writer.add_message(self.channels[topic], stamp_ns, data, stamp_ns,
                                self.counts[topic])
        self.counts[topic] += 1
        self.start_ns = stamp_ns if self.start_ns is None else self.start_ns
        self.end_ns = stamp_ns

    def attach(self, name: str, text: str) -> None:
        """Attach a text file, as the recorder attaches robot file and URDF."""
        self.writer.add_attachment(0, self.start_ns or 0, name, 'text/plain', text.encode())

    def close(self) -> Part:
        """Finish the file and give it its name."""
        self.writer.finish()
        self.file.close()
        self.path.with_suffix('.partial').rename(self.path)
        return Part(self.path.name, self.start_ns or 0, self.end_ns, self.counts)

