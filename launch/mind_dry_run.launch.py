# SPDX-License-Identifier: Apache-2.0
"""
Starts the planner beside nav2 in dry run; its plans never move the robot (docs/nav2.md).

The critic is not started, so no node here publishes cmd_vel; the planner subscribes to the cmd_vel
of nav2.
"""

from ami_ros.core.robot_processes import planners
from ami_ros.launching import describe, FOR_ALL, FOR_MIND, node
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Describe the configurator and the planner."""
    def onlooker(given: dict) -> list:
        remaps = (('cmd_vel', given['cmd_vel_out_topic']),)
        names = ('configurator', *planners(given['use_composition']))
        return [node(given, name, remaps) for name in names]
    return describe(onlooker, (*FOR_ALL, *FOR_MIND, 'cmd_vel_out_topic'))
