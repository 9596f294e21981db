# SPDX-License-Identifier: Apache-2.0
"""
Decides which topic of a recording is the camera, the odometry, the command, the lidar, the IMU.

In this order: what the person says (`--topic`), the robot file (`--robot`, or the one that the
recording was made with), the only topic that has the type. Where two could be meant nothing is
taken: the answer names them, and the option that decides. The package's own topics are no sensors.
"""

from dataclasses import dataclass

from ami_ros.core.errors import AmiError
from ami_ros.recording.internal_topics import COMMAND, is_own
from ami_ros.recording.mcap_reader import Channel
from ami_ros.recording.message_reader import CDR, is_of
from ami_ros.robots.robot import Robot
from ami_ros.robots.sensor import PICTURES

WANTED = {      # what it is: (types that serve, must a bag have it)
    'camera': (('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'), True),
    'odom': (('nav_msgs/msg/Odometry',), True),
    'command': (('geometry_msgs/msg/TwistStamped', 'geometry_msgs/msg/Twist'), True),
    'scan': (('sensor_msgs/msg/LaserScan',), False),
    'imu': (('sensor_msgs/msg/Imu',), False),
}
INFO = 'sensor_msgs/msg/CameraInfo'
NONE = 'none'               # --topic imu=none: go without


class BagError(AmiError):
    """A bag that cannot be learned from; says what it has and what is missing."""


@dataclass(frozen=True)
class Choice:
    """Which topic is what."""

    topics: dict[str, str]          # need: topic, as the recording has it
    infos: tuple[str, ...]          # topics that describe the camera, at most one
    notes: tuple[str, ...] = ()     # what is worth knowing of it


def choose(counts: dict[Channel, int], said: dict[str, str], robot: Robot | None,
           more: str = '') -> Choice:
    """Choose a topic for each need; BagError lists what the recording has.

    `said` is what the person says, `robot` the robot file that decides, if any does. `more` is
    added where a topic is missing.
    """
    if unknown := [need for need in said if need not in WANTED]:
        raise BagError(f'{unknown[0]!r} is nothing that a bag is asked for; there are: '
                       f'{", ".join(WANTED)}')
    have = {channel: n for channel, n in counts.items() if n}
    listing = ', '.join(f'{c.topic.lstrip("/")} ({c.kind or "no type"}'
                        f'{"" if c.encoding == CDR else ", " + c.encoding})'
                        for c in sorted(have)) or 'nothing'
    fitting = {need: sorted({c.topic for c in have if c.kind in kinds and c.encoding == CDR})
               for need, (kinds, _) in WANTED.items()}
    named = {} if robot is None else names_of(robot)
    space = namespace(named, fitting) if named else None
    topics, notes = {}, []
    for need, (kinds, required) in WANTED.items():
        asked = said.get(need)
        if asked == NONE and not required:
            continue
        if asked is not None:
            topics[need] = exactly(need, asked, fitting[need], kinds, listing, more)
            continue
        topic, note = found(need, kinds, named, space,
                            [t for t in fitting[need] if not is_own(t)], robot)
        if topic is not None:
            topics[need] = topic
        elif required:
            raise BagError(f'the bag has no {need} ({" or ".join(kinds)}); it has: {listing}'
                           f'{more}')
        notes += [note] if note else []
    return Choice(topics, infos(have, topics['camera'], robot, space), tuple(notes))


def names_of(robot: Robot) -> dict[str, str]:
    """Return the topics that a robot file names, by need: of a kind the first, as its mind."""
    out = {'camera': robot.camera.topic, 'odom': robot.odometry.topic, 'command': COMMAND}
    for need, kind in (('scan', 'LaserScan'), ('imu', 'Imu')):
        for sensor in robot.sensors_of(kind)[:1]:
            out[need] = sensor.topic
    return out


def namespace(named: dict[str, str], fitting: dict[str, list[str]]) -> str | None:
    """Return the namespace in which the topics of a robot file are; None where they are in none.

    It is the one that all needs share: of /r1/odom and /r1/wheel/odom, /r1 has the camera, too.
    BagError where several have everything: a recording of several robots.
    """
    spaces = [{t[:-len(name)] for t in fitting[need] if is_of(t, name)}
              for need, name in named.items()]
    spaces = [one for one in spaces if one]
    shared = set.intersection(*spaces) if spaces else set()
    if len(shared) > 1:
        exact = shared & {'', '/'}
        if exact:
            return exact.pop()
        raise BagError('several robots could be meant, in the namespaces '
                       f'{", ".join(sorted(shared))}; say which with --topic NEED=NAME for each '
                       f'of: {", ".join(named)}')
    return shared.pop() if shared else None


def exactly(need: str, asked: str, fitting: list[str], kinds: tuple[str, ...], listing: str,
            more: str) -> str:
    """Return the topic that a person asks for; BagError where it is not there."""
    for topic in fitting:
        if topic.lstrip('/') == asked.lstrip('/'):
            return topic
    raise BagError(f'{need} topic {asked!r} is not in the bag as {" or ".join(kinds)}; it has: '
                   f'{listing}{more}')


def found(need: str, kinds: tuple[str, ...], named: dict[str, str], space: str | None,
          fitting: list[str], robot: Robot | None) -> tuple[str | None, str]:
    """Return the topic of a need, and what is worth knowing of it; BagError for several."""
    name = named.get(need)
    whose = 'no robot file' if robot is None else f'the robot file {robot.name}'
    if name is not None:
        there = [t for t in fitting if t == f'{space}{name}'] if space is not None else []
        there = there or [t for t in fitting if is_of(t, name)]
        if len(there) == 1:
            return there[0], ''
    elif robot is not None:
        return None, (f'the robot file {robot.name} has no {need}, so {", ".join(fitting)} is '
                      f'left out; --topic {need}=NAME takes it') if fitting else ''
    if len(fitting) > 1:
        options = f'--topic {need}=NAME' + ('' if WANTED[need][1] else f' (or {need}={NONE})')
        decides = (f'{whose} names {name}, which is none of them'
                   if name is not None else '--robot FILE decides it as well')
        raise BagError(f'several topics could be the {need}: {", ".join(fitting)}; say which '
                       f'with {options}; {decides}')
    if not fitting:
        return None, ''
    return fitting[0], '' if name is None else (
        f'{fitting[0]} is taken for the {need}, the only {" or ".join(kinds)}; '
        f'{whose} names {name}')


def infos(have: dict[Channel, int], camera: str, robot: Robot | None,
          space: str | None) -> tuple[str, ...]:
    """Return the camera_info that belongs to a camera: as the robot file says, or beside it."""
    there = sorted({c.topic for c in have if c.kind == INFO and c.encoding == CDR})
    if robot is not None and is_of(camera, robot.camera.topic):
        for sensor in robot.sensors_of('CameraInfo'):
            own = [t for t in there if t == f'{space}{sensor.topic}'] or [
                t for t in there if is_of(t, sensor.topic)]
            if len(own) == 1:
                return own[0],
    folder = camera.removesuffix('/compressed').rpartition('/')[0]
    own = [topic for topic in there if topic.rpartition('/')[0] == folder]
    cameras = {c.topic for c in have if c.encoding == CDR and not is_own(c.topic)
               and c.kind.rpartition('/')[2] in PICTURES}
    return tuple(own[:1] or (there if len(there) == len(cameras) == 1 else []))
