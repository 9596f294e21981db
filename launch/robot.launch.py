# SPDX-License-Identifier: Apache-2.0
"""
Starts critic, configurator and planner beside the drivers of a robot.

Each is a process of its own. The drivers, which publish the sensors and subscribe to cmd_vel, are
started elsewhere. The robot does not move until a person arms it (service configurator/arm).
"""

from ami_ros.launching import describe, FOR_ROBOT, robot_nodes
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Describe the nodes that run beside the drivers."""
    return describe(robot_nodes, FOR_ROBOT)
