# SPDX-License-Identifier: Apache-2.0
"""The robots: one robot, one file, one line in this table."""

import importlib

ROBOTS = {'rover': 'ami_ros.agent.robots.rover'}


def find(name: str):
    """Open a robot by name; ValueError lists those there are."""
    if name not in ROBOTS:
        raise ValueError(f'no robot {name!r}; there are: {", ".join(ROBOTS)}')
    return importlib.import_module(ROBOTS[name]).ROBOT
