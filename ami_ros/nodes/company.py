# SPDX-License-Identifier: Apache-2.0
"""Looks who else is on a topic: a second publisher, or one whose type is another."""

from rclpy.node import Node

from ami_ros.nodes.topics import Topic


def others(node: Node, row: Topic) -> list[str]:
    """Return the full names of all publishers of a topic but the node itself."""
    names = sorted(f'{info.node_namespace.rstrip("/")}/{info.node_name}'
                   for info in node.get_publishers_info_by_topic(row.name))
    if node.get_fully_qualified_name() in names:
        names.remove(node.get_fully_qualified_name())       # once: a namesake is another
    return names


def mistyped(node: Node, row: Topic) -> str:
    """Say who speaks or listens on a topic in another type; ROS delivers nothing then, silently.

    '' where there is nobody.
    """
    right = f'{row.type.__module__.split(".")[0]}/msg/{row.type.__name__}'
    ends = {f'{info.node_namespace.rstrip("/")}/{info.node_name}': info.topic_type
            for info in (*node.get_publishers_info_by_topic(row.name),
                         *node.get_subscriptions_info_by_topic(row.name))
            if info.topic_type != right}
    return '; '.join(f'{who} has {row.name} as {what}, the critic as {right}: nothing gets across '
                     '(parameter enable_stamped_cmd_vel)' for who, what in sorted(ends.items()))
