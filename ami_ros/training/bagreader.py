# SPDX-License-Identifier: Apache-2.0
"""Reads any rosbag2 bag of a driving robot: finds its topics by type, decodes, checks."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.typesys import get_typestore, Stores

from ami_ros.images import fields
from ami_ros.images.rectify import fitted, Pinhole, Rectifier
from ami_ros.modules.camera import HFOV_TOLERANCE_RAD

WANTED = {      # what it is: (types that serve, must a bag have it)
    'camera': (('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'), True),
    'odom': (('nav_msgs/msg/Odometry',), True),
    'command': (('geometry_msgs/msg/TwistStamped', 'geometry_msgs/msg/Twist'), True),
    'scan': (('sensor_msgs/msg/LaserScan',), False),
    'imu': (('sensor_msgs/msg/Imu',), False),
}
USUAL = {       # taken where several topics have the type
    'camera': ('camera/image_raw', 'camera/image_raw/compressed', 'image_raw'),
    'odom': ('odom',), 'command': ('cmd_vel',), 'scan': ('scan',), 'imu': ('imu', 'imu/data'),
}


class BagError(ValueError):
    """A bag that cannot be learned from; says what it has and what is missing."""


@dataclass
class Recording:
    """What a bag says, as arrays; stamps are int64 ns, in order."""

    images: np.ndarray              # (F, H, W, 3) uint8 rgb, at the network's size
    image_ns: np.ndarray            # (F,)
    odom_ns: np.ndarray             # (O,)
    odom: np.ndarray                # (O, 5): x m, y m, yaw rad (odom frame), v m/s, w rad/s
    command_ns: np.ndarray          # (C,)
    command: np.ndarray             # (C, 2): v m/s, w rad/s
    gyro_ns: np.ndarray             # (G,), empty without an IMU
    gyro: np.ndarray                # (G,) yaw rate rad/s
    clearance: np.ndarray           # (F,) m to the nearest lidar return, NaN without a lidar
    topics: dict[str, str] = field(default_factory=dict)
    hfov_rad: float | None = None   # from camera_info, where there is one
    source_size: tuple[int, int] = (0, 0)   # width, height of the camera


def choose(reader: AnyReader, overrides: dict[str, str]) -> dict[str, object]:
    """Pick a connection per need; BagError lists what the bag has."""
    have = {c.topic.lstrip('/'): c for c in reader.connections if c.msgcount}
    listing = ', '.join(f'{t} ({c.msgtype})' for t, c in sorted(have.items())) or 'nothing'
    unknown = [need for need in overrides if need not in WANTED]
    if unknown:
        raise BagError(f'{unknown[0]!r} is nothing that a bag is asked for; there are: '
                       f'{", ".join(WANTED)}')
    chosen = {}
    for need, (types, required) in WANTED.items():
        if need in overrides:
            topic = overrides[need].lstrip('/')
            if topic not in have or have[topic].msgtype not in types:
                raise BagError(f'{need} topic {overrides[need]!r} is not in the bag as '
                               f'{" or ".join(types)}; it has: {listing}')
            chosen[need] = have[topic]
            continue
        fitting = sorted(t for t, c in have.items() if c.msgtype in types)
        usual = next(filter(None, (
            [t for t in fitting if t == name] or [t for t in fitting if t.endswith('/' + name)]
            for name in USUAL[need])), fitting)
        if len(usual) > 1 and required:
            raise BagError(f'several topics could be the {need}: {", ".join(usual)}; '
                           f'say which with --topic {need}=NAME')
        if usual:
            chosen[need] = have[usual[0]]
        elif required:
            raise BagError(f'the bag has no {need} ({" or ".join(types)}); it has: {listing}')
    return chosen


def stamp(message, received: int) -> int:
    """Return the header's stamp where there is one that is set, else the time of reception."""
    head = getattr(message, 'header', None)
    value = head.stamp.sec * 10**9 + head.stamp.nanosec if head is not None else 0
    return value or received


def clearance(message) -> float:
    """Nearest valid return of a LaserScan, in m; its upper range where nothing returned."""
    ranges = np.asarray(message.ranges, float)
    valid = ranges[(ranges >= message.range_min) & (ranges <= message.range_max)]
    return float(valid.min()) if valid.size else float(message.range_max)


def line(error: Exception) -> str:
    """What an error says, on one line, with its kind where it says nothing."""
    return ' '.join(str(error).split()) or type(error).__name__


def messages(reader: AnyReader, connections: list):
    """Yield (connection, time of reception, message); BagError where the data is damaged."""
    stream, count = reader.messages(connections), 0
    while True:
        try:
            connection, received, raw = next(stream)
            message = reader.deserialize(raw, connection.msgtype)
        except StopIteration:
            return
        except Exception as why:    # the same: zstd, struct and rosbags each have their own
            raise BagError(f'the bag is damaged after {count} messages: {line(why)}; '
                           '`mcap recover` saves what is whole') from why
        yield connection, received, message
        count += 1


def picture_of(message, topic: str, size: tuple[int, int],
               rectifier: Rectifier | None) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode an Image or CompressedImage to (H, W, 3) uint8 rgb of the network's (width, height).

    The way is that of the robot. Also returns the camera's size. BagError names the topic.
    """
    try:
        picture = fields.picture_of(message)
        seen = fitted(picture, size) if rectifier is None else rectifier(picture)
    except ValueError as why:
        raise BagError(f'topic {topic}: {why}') from why
    return seen, picture.shape[1::-1]


def info_of(reader: AnyReader, camera) -> list:
    """The camera_info that belongs to a camera's connection, as a list of one or none."""
    infos = [c for c in reader.connections
             if c.msgtype == 'sensor_msgs/msg/CameraInfo' and c.msgcount]
    folder = camera.topic.removesuffix('/compressed').rpartition('/')[0]
    own = [c for c in infos if c.topic.rpartition('/')[0] == folder]
    cameras = [c for c in reader.connections if c.msgtype in WANTED['camera'][0]]
    return own[:1] or (infos if len(infos) == len(cameras) == 1 else [])


def look_through(reader: AnyReader, camera, size: tuple[int, int], wanted_rad: float | None
                 ) -> tuple[Rectifier | None, float | None]:
    """Make what pictures go through of the first camera_info, and its field of view in rad.

    None each where the bag does not say what the camera sees. BagError where that is too little.
    """
    infos = info_of(reader, camera)
    for connection, _, info in messages(reader, infos) if infos else ():   # [] would mean all
        if not info.k[0] > 0:
            break       # never calibrated
        hfov = float(2 * np.arctan(info.width / 2 / info.k[0]))
        if wanted_rad is None:
            return None, hfov
        try:
            made = Rectifier(fields.lens_of(info, fields.is_rectified(camera.topic)),
                             Pinhole(size, wanted_rad), HFOV_TOLERANCE_RAD)
        except ValueError as why:
            raise BagError(f'topic {connection.topic}: {why}') from why
        return made, hfov if made.plain else made.pinhole.hfov_rad
    return None, None


def read(path: Path, size: tuple[int, int], topics: dict[str, str] | None = None,
         progress=lambda done, total: None, hfov_rad: float | None = None) -> Recording:
    """Read a bag. Raises BagError.

    `size` is (width, height) of the network input, `hfov_rad` the field of view that it shall
    have where the bag holds a camera_info; None: as the camera has it.
    """
    with opened(Path(path)) as reader:
        return _read(reader, size, topics or {}, progress, hfov_rad)


@contextmanager
def opened(path: Path):
    """Open a bag for a while; BagError says what is there in its place."""
    if not path.exists():
        raise BagError(f'there is no bag at {path}')
    if path.is_dir() and not (path / 'metadata.yaml').exists():
        holds = ', '.join(sorted(p.name for p in path.iterdir())) or 'nothing'
        raise BagError(f'{path} is no rosbag2 bag, it has no metadata.yaml; it holds: {holds}; '
                       f'`ami-ros record --repair {path}` makes one, or `ros2 bag reindex`')
    try:
        reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY))
        reader.open()
    except Exception as why:    # rosbags and mcap let through whatever a broken file provokes
        raise BagError(f'{path} is not a readable rosbag2 bag: {line(why)}; `mcap recover` saves '
                       'what is whole of a broken file') from why
    try:
        yield reader
    finally:
        reader.close()


def _read(reader: AnyReader, size, topics, progress, hfov_rad) -> Recording:
    chosen = choose(reader, topics)
    kinds = {c.id: need for need, c in chosen.items()}
    rectifier, hfov = look_through(reader, chosen['camera'], size, hfov_rad)
    rows = {need: [] for need in WANTED}
    images, source = [], (0, 0)
    total = sum(c.msgcount for c in chosen.values())
    for done, (connection, received, message) in enumerate(
            messages(reader, list(chosen.values()))):
        if done % 5000 == 0:
            progress(done, total)
        need = kinds[connection.id]
        rows[need].append(row_of(need, received, message))
        if need == 'camera':
            picture, source = picture_of(message, connection.topic, size, rectifier)
            images.append(picture)
    return assemble(np.array(images), rows, {n: c.topic for n, c in chosen.items()}, hfov, source)


def row_of(need: str, received: int, message) -> tuple:
    """Return what a message says besides pictures: its stamp, and the numbers of its need."""
    when = stamp(message, received)
    if need == 'odom':
        q, p = message.pose.pose.orientation, message.pose.pose.position
        yaw = np.arctan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y * q.y + q.z * q.z))
        t = message.twist.twist
        return when, p.x, p.y, yaw, t.linear.x, t.angular.z
    if need == 'command':
        t = getattr(message, 'twist', message)
        return when, t.linear.x, t.angular.z
    if need == 'imu':
        return when, message.angular_velocity.z
    return (when, clearance(message)) if need == 'scan' else (when,)


def assemble(images: np.ndarray, rows: dict[str, list], topics: dict[str, str],
             hfov: float | None, source: tuple[int, int]) -> Recording:
    """Sort what was read and give every picture its clearance."""
    def table(need: str) -> tuple[np.ndarray, np.ndarray]:
        values = rows[need]
        if not values:
            return np.zeros(0, np.int64), np.zeros((0, 1))
        stamps = np.array([r[0] for r in values], np.int64)
        order = np.argsort(stamps, kind='stable')
        return stamps[order], np.array([r[1:] for r in values], float)[order]

    image_ns, _ = table('camera')
    images = images[np.argsort([r[0] for r in rows['camera']], kind='stable')]
    odom_ns, odom = table('odom')
    command_ns, command = table('command')
    gyro_ns, gyro = table('imu')
    near = np.full(len(image_ns), np.nan)
    if rows['scan']:
        scan_ns, scan = table('scan')
        at = np.clip(np.searchsorted(scan_ns, image_ns), 1, len(scan_ns) - 1) if len(
            scan_ns) > 1 else np.zeros(len(image_ns), int)
        before = np.maximum(at - 1, 0)
        at = np.where(np.abs(scan_ns[at] - image_ns) < np.abs(scan_ns[before] - image_ns),
                      at, before)
        fresh = np.abs(scan_ns[at] - image_ns) < 150_000_000
        near = np.where(fresh, scan[at, 0], np.nan)
    return Recording(images, image_ns, odom_ns, odom, command_ns, command, gyro_ns,
                     gyro[:, 0], near, topics, hfov,
                     tuple(source))
