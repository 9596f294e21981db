# SPDX-License-Identifier: Apache-2.0
"""
What each node says of itself on `trace/metadata`, as files that a bag holds beside the messages.

A person who opens the bag finds the robot file, the URDF, the policy, the parameters and the
modules' manifests there; a replay reads the message.
"""

import json
from pathlib import Path, PurePath

from ami_ros.recording.recorder import Attached
from ami_ros.robots.robot import Robot

JSON, YAML, XML = 'application/json', 'application/yaml', 'application/xml'


def files_of(text: str, log_ns: int) -> tuple[str, list[Attached]]:
    """Return who says it, and the files; what cannot be read is kept as nobody's, without any."""
    try:
        said = json.loads(text)
        node = str(said['node'])
        return node, [Attached(name, kind, data.encode(), log_ns)
                      for name, kind, data in contents(said) if data]
    except (ValueError, KeyError, TypeError, AttributeError):
        return 'nobody', []


def robot_files(robot: Robot, log_ns: int) -> list[Attached]:
    """Return a robot file and its URDF: they say later which topic is which sensor."""
    urdf = Path(robot.urdf)
    return [Attached(f'robot/{robot.path.name}', YAML, robot.path.read_bytes(), log_ns),
            Attached(f'urdf/{urdf.name}', XML, urdf.read_bytes(), log_ns)]


def contents(said: dict):
    """Yield name, type and text of each file."""
    node = said['node'].strip('/').replace('/', '.')
    yield f'parameters/{node}.json', JSON, pretty(said.get('settings', {}))
    robot, policy, module = (said.get(part) or {} for part in ('robot', 'policy', 'module'))
    if robot:
        yield f'robot/{last(robot["file"])}', YAML, robot['text']
        yield f'urdf/{last(robot["urdf_file"])}', XML, robot['urdf']
    if policy:
        yield f'safety_policy/{last(policy["file"])}', YAML, policy['text']
    if module:
        yield f'modules/{last(module["name"])}/manifest.json', JSON, pretty(module['manifest'])


def last(name: str) -> str:
    """Return the last part of a name: nothing leaves its folder."""
    return PurePath(name).name or 'unnamed'


def pretty(said) -> str:
    """Write for people."""
    return json.dumps(said, indent=1, sort_keys=True)
