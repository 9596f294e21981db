# SPDX-License-Identifier: Apache-2.0
"""
Starts a mind that plans beside nav2 and never moves the robot (docs/nav2.md).

There is no critic, so nobody here publishes cmd_vel; the mind listens to the one of nav2.
"""

from ami_ros.core.stack import planners
from ami_ros.launching import describe, FOR_ALL, FOR_MIND, node
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Describe the onlooker."""
    def onlooker(given: dict) -> list:
        remaps = (('cmd_vel', given['cmd_vel_out_topic']),)
        names = ('configurator', *planners(given['use_composition']))
        return [node(given, name, remaps) for name in names]
    return describe(onlooker, (*FOR_ALL, *FOR_MIND, 'cmd_vel_out_topic'))
