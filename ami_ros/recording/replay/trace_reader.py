# SPDX-License-Identifier: Apache-2.0
"""Reads what a recording says of itself: what each node worked with, and what it put on record."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
import json
from pathlib import Path
import struct

from ami_ros.core.errors import AmiError
from ami_ros.recording import message_reader
from ami_ros.recording.attached_robot_file import (
    robot_of as robot_of,  # its callers know it from here
)
from ami_ros.recording.attached_robot_file import TRACE_METADATA
from ami_ros.recording.lossless_json import thawed
from ami_ros.recording.message_definitions import STORE
from ami_ros.robots.robot import Robot

TRACE_RECORDS = 'trace/records'
BROKEN = (ValueError, KeyError, TypeError, struct.error)     # what damaged text leads to
LATE_NS = 500_000_000       # what belongs together was recorded within so long
INFO = 'sensor_msgs/msg/CameraInfo'


@dataclass(frozen=True, slots=True, eq=False)
class TraceLine:
    """One thing that a node put on record."""

    node: str               # '/robot1/mind'
    process: str            # another one after a restart
    number: int             # they have no holes where nothing was lost
    log_ns: int
    said: dict              # as json read it: `what` makes the noun

    @property
    def kind(self) -> str:
        """Name the noun."""
        return self.said['!']

    @property
    def what(self):
        """Make the noun; ValueError where the recording is damaged there."""
        try:
            return thawed(self.said)
        except BROKEN as why:
            raise AmiError(f'line {self.number} of {self.node}, recorded at '
                           f'{self.log_ns / 1e9:.3f} s, is damaged: {why}') from None


def lines_of(data: bytes, log_ns: int) -> Iterator[TraceLine]:
    """Read a message of `trace/records`; a line that is damaged is left out.

    Lines are numbered: whoever follows them sees that one is lost.
    """
    try:
        head, *rest = message_reader.text_of(data).split('\n')
        who = json.loads(head)
        node, process = who['node'], who['process']
    except BROKEN:
        return
    for line in rest:
        try:
            number, said = json.loads(line)
            said['!']
        except BROKEN:
            continue
        yield TraceLine(node, process, number, log_ns, said)


def abouts(bag: Path) -> dict[str, dict]:
    """Return what each node said of itself, the last of it; ValueError where nobody did."""
    said = {}
    damage: list = []
    for heard in message_reader.messages(bag, (TRACE_METADATA,), damage=damage):
        try:
            one = json.loads(message_reader.text_of(heard.data))
            said[one['node']] = one
        except BROKEN as why:
            damage.append(f'a message on {heard.topic} is no text of ours ({why})')
    if not said:
        refuse_damage(bag, TRACE_METADATA, damage)
        raise AmiError(f'{bag} has no {TRACE_METADATA}: it was recorded without a trace and '
                       f'cannot be '
                       'replayed; ami-ros record, without --no-trace, records one')
    return said


def about_of(said: dict[str, dict], node: str) -> dict:
    """Return what a node said of itself; ValueError where that is not in the recording."""
    if node not in said:
        raise AmiError(f'{node} says nothing of itself on {TRACE_METADATA} in this recording, '
                       f'or what it '
                       f'says is damaged; there are: {", ".join(said)}')
    return said[node]


def refuse_damage(bag: Path, topic: str, damage: list[str]) -> None:
    """Say that nothing of a topic was found because the recording is damaged, where it is."""
    if damage:
        raise AmiError(f'{bag} is damaged, and nothing of {topic} can be read: {damage[0]}; '
                       'copy it again from where it was recorded')


def kinds(said: dict[str, dict], *kind: str) -> dict[str, dict]:
    """Return what nodes of some kinds said, by node: 'mind', 'critic', ..."""
    return {node: one for node, one in said.items() if one.get('kind') in kind}


def heard_as(bag: Path, node: str, *names: str) -> tuple[str, ...]:
    """Return the full names under which a node heard topics of its robot file.

    The recording may hold others that end alike: /rear/camera/image_raw beside
    /camera/image_raw. A name that the recording has not in the node's namespace stays relative:
    then it was heard by another name.
    """
    there, space = message_reader.topics(bag), node.rpartition('/')[0]
    return tuple(f'{space}/{name}' if f'{space}/{name}' in there else name for name in names)


def stream(bag: Path, *beside: str) -> Iterator[TraceLine | message_reader.RecordedMessage]:
    """Yield what was put on record, and before it the messages of topics that it is about.

    Messages of different topics are recorded in any order within a moment.
    """
    waiting: deque[message_reader.RecordedMessage] = deque()
    for heard in message_reader.messages(bag, (TRACE_RECORDS, *beside)):
        if not message_reader.is_of(heard.topic, TRACE_RECORDS):
            yield heard
        else:
            waiting.append(heard)
        while waiting and waiting[0].log_ns < heard.log_ns - LATE_NS:
            one = waiting.popleft()
            yield from lines_of(one.data, one.log_ns)
    for one in waiting:
        yield from lines_of(one.data, one.log_ns)


def info_names(robot: Robot) -> tuple[str, ...]:
    """Return the topics on which the camera tells of itself: as the robot file says.

    Where it says nothing: beside the picture, where image_transport has it.
    """
    if said := tuple(sensor.topic for sensor in robot.sensors_of('CameraInfo')):
        return said
    folder = robot.camera.topic.removesuffix('/compressed').rpartition('/')[0]
    return (f'{folder}/camera_info' if folder else 'camera_info',)


def message(data: bytes, kind: str):
    """Read a message of a standard type."""
    return STORE.deserialize_cdr(data, kind)


def stamp_ns(msg) -> int:
    """Return the stamp of a message with a header."""
    return msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec
