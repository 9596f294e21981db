# SPDX-License-Identifier: Apache-2.0
"""Starts the simulated rover: the nodes of robot.launch.py, and sim in place of the drivers."""

from ami_ros.launching import describe, FOR_ROBOT, node, robot_nodes
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Describe the simulator and the nodes of the robot."""
    return describe(lambda given: [*robot_nodes(given), node(given, 'sim')],
                    (*FOR_ROBOT, 'lock_step'))
