# SPDX-License-Identifier: Apache-2.0
"""
What a message type looks like: its text for the bag, and its hash.

The standard types come with the rosbags library. A type of one's own is read from the workspaces
that are sourced, which is where `ros2 bag` finds it, too.
"""

import os
from pathlib import Path
import re

from rosbags.typesys import get_types_from_msg, get_typestore, Stores

from ami_ros.core.errors import AmiError

STORE = get_typestore(Stores.ROS2_JAZZY)
NAME = re.compile(r'\w+/msg/\w+')


def definition(kind: str) -> tuple[str, str]:
    """Return text (ros2msg, with all it is made of) and RIHS01 hash of 'package/msg/Type'.

    Raises ValueError where nobody knows the type.
    """
    if kind not in STORE.types:
        STORE.register(learned(kind))
    text, _ = STORE.generate_msgdef(kind, ros_version=2)
    return text, STORE.hash_rihs01(kind)


def learned(kind: str) -> dict:
    """Read a type, and those that it is made of, from the sourced workspaces."""
    found, wanted = {}, [kind]
    while wanted:
        name = wanted.pop()
        if name in found or name in STORE.types:
            continue
        parsed = get_types_from_msg(file_of(name).read_text(), name)
        found.update(parsed)
        wanted += [part for _, fields in parsed.values() for part in parts_of(fields)]
    return found


def parts_of(fields) -> list[str]:
    """Return the types of messages that parsed fields are made of."""
    return NAME.findall(repr(fields))


def file_of(kind: str) -> Path:
    """Return where a sourced workspace keeps a type; ValueError where none does."""
    package, _, name = kind.partition('/msg/')
    folders = [f for f in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if f]
    for folder in folders:
        path = Path(folder, 'share', package, 'msg', f'{name}.msg')
        if path.is_file():
            return path
    raise AmiError(f'the message type {kind} is unknown: it is no standard type, and no '
                   f'workspace in AMENT_PREFIX_PATH has share/{package}/msg/{name}.msg; source '
                   'the one that has it')
