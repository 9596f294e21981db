# SPDX-License-Identifier: Apache-2.0
"""Starts the critic alone, as a filter of the velocity commands of nav2 (docs/nav2.md)."""

from ami_ros.launching import describe, FOR_ALL, node
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Describe the critic."""
    def critic(given: dict) -> list:
        remaps = (('cmd_vel_smoothed', given['cmd_vel_in_topic']),
                  ('cmd_vel', given['cmd_vel_out_topic']))
        return [node(given, 'critic', remaps, command_source='twist')]
    return describe(critic,
                    (*FOR_ALL, 'safety_policy_file', 'cmd_vel_in_topic', 'cmd_vel_out_topic'))
