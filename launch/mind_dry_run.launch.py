# SPDX-License-Identifier: Apache-2.0
"""
Starts a mind that plans beside nav2 and never moves the robot (docs/nav2.md).

There is no critic, so nobody here publishes cmd_vel; the mind listens to the one of nav2.
"""

from ami_ros.launching import describe, FOR_ALL, FOR_MIND, minds, node
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Describe the onlooker."""
    def onlooker(given: dict) -> list:
        remaps = (('cmd_vel', given['cmd_vel_out_topic']),)
        return [node(given, name, remaps) for name in ('configurator', *minds(given))]
    return describe(onlooker, (*FOR_ALL, *FOR_MIND, 'cmd_vel_out_topic'))
