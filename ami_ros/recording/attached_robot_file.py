# SPDX-License-Identifier: Apache-2.0
"""
The robot file that a recording was made with: in the recording itself.

Our recorder attaches it to each file, and each node publishes it on `trace/metadata`. It says
which topic is which sensor.
"""

from collections.abc import Iterator
import json
from pathlib import Path
import re
import tempfile

from ami_ros.core.errors import AmiError
from ami_ros.recording import mcap_reader, message_reader
from ami_ros.recording.recording_files import kind_of, MCAP
from ami_ros.robots.robot import read, Robot

TRACE_METADATA = 'trace/metadata'


def robot_of(said: dict) -> Robot:
    """Make the robot that a node worked with, from the texts that it gave."""
    about = said['robot']
    with tempfile.TemporaryDirectory() as folder:
        urdf = Path(folder, Path(about['urdf_file']).name)
        urdf.write_text(about['urdf'])
        text, found = re.subn(r'^urdf:.*$', f'urdf: {urdf.name}', about['text'], flags=re.M)
        if not found:
            raise AmiError(f'the robot file of the recording, {about["file"]}, names no urdf')
        path = Path(folder, Path(about['file']).name)
        path.write_text(text)
        robot = read(path)
        len(robot.body.mounts)      # the URDF is read when it is first asked for: now
        return robot


def recorded_robot(bag: Path) -> Robot | None:
    """Return the robot of a recording; None where the recording says of none.

    ValueError where it holds a robot file that this version does not understand, or several that
    name different topics.
    """
    found = {said['robot']['text']: said for said in (*in_files(bag), *in_messages(bag))}
    robots = [made(bag, said) for said in found.values()]
    topics = {tuple((one.kind, one.topic) for one in robot.sensors) for robot in robots}
    if len(topics) > 1:
        raise AmiError(f'{bag} was recorded with robot files that name different topics: '
                       f'{", ".join(robot.name for robot in robots)}; say which with --robot')
    return robots[-1] if robots else None


def in_messages(bag: Path) -> Iterator[dict]:
    """Yield what nodes said of themselves and their robot."""
    for heard in message_reader.messages(bag, (TRACE_METADATA,)):
        try:
            said = json.loads(message_reader.text_of(heard.data))
            if {'text', 'file', 'urdf', 'urdf_file'} <= set(said['robot']):
                yield said
        except (ValueError, KeyError, TypeError):
            continue        # who says nothing of a robot, or nothing that can be read


def in_files(bag: Path) -> Iterator[dict]:
    """Yield the same of the files that our recorder attaches."""
    for path in message_reader.files(bag):
        held = mcap_reader.attachments(path) if kind_of(path) == MCAP else {}
        for name, text in held.items():
            urdf = re.search(r'^urdf: *([^ #\n]+)', text, flags=re.M)
            if not name.startswith('robot/') or urdf is None:
                continue
            file = Path(urdf[1].strip('\'"')).name
            if f'urdf/{file}' in held:
                yield {'robot': {'file': Path(name).name, 'text': text, 'urdf_file': file,
                                 'urdf': held[f'urdf/{file}']}}


def made(bag: Path, said: dict) -> Robot:
    """Make the robot that a recording tells of; ValueError says what to give instead."""
    try:
        return robot_of(said)
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise AmiError(f'the robot file that {bag} was recorded with is none of this version '
                       f'({wrong}); give your own with --robot') from None
