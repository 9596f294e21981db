# SPDX-License-Identifier: Apache-2.0
"""
Starts the mind of a robot beside its drivers: critic, configurator, mind.

Three processes guard each other. Whoever publishes the robot's sensors and listens to cmd_vel is
started elsewhere. Nothing moves until a person arms it (service configurator/arm).
"""

from ami_ros.launching import describe, FOR_ROBOT, robot_nodes
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Describe the robot's mind."""
    return describe(robot_nodes, FOR_ROBOT)
