# SPDX-License-Identifier: Apache-2.0
"""The robots: one robot, one YAML file; a new one is a new file, here or at its owner's."""

from pathlib import Path

from ami_ros.core.errors import AmiError
from ami_ros.core.share_directory import share
from ami_ros.robots.robot import read, Robot
from ami_ros.robots.sensor import Sensor
from ami_ros.robots.yaml_edit import rewrite

__all__ = ['find', 'names', 'rewrite', 'Robot', 'Sensor']
FOLDER = 'config/robots'


def names() -> list[str]:
    """List the robots that come with the package."""
    return sorted(path.stem for path in share(FOLDER).glob('*.yaml'))


def find(name: str) -> Robot:
    """Read a robot by name, or by the path of its file; ValueError lists those there are.

    The file is read anew each time: its owner may have edited it.
    """
    if '/' in name or name.endswith('.yaml'):
        path = Path(name).expanduser()
        if not path.is_file():
            raise AmiError(f'there is no robot file {name}; make one with ami-ros robot new, '
                           f'or take a name: {", ".join(names())}')
        return read(path.absolute())
    if name not in names():
        raise AmiError(f'no robot {name!r}; there are: {", ".join(names())}, or the path of '
                       'a robot file')
    return read(share(f'{FOLDER}/{name}.yaml'))
