# SPDX-License-Identifier: Apache-2.0
"""Detects other endpoints on a topic: a second publisher, or a different type or QoS."""

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

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
    return '; '.join(f'{who} has {row.name} as {what}, the critic as {right}: no message is '
                     'delivered (parameter enable_stamped_cmd_vel)'
                     for who, what in sorted(ends.items()))


def unheard(node: Node, row: Topic) -> str:
    """Name the publishers of a topic that the node reads and whose QoS keeps their messages away.

    '' where there is nobody.
    """
    return '; '.join(
        f'{who} offers {row.name} {qualities(qos)}, the critic asks for {qualities(row.qos)}: '
        'no message is delivered' for who, qos in ends(node.get_publishers_info_by_topic(row.name))
        if not fits(qos, row.qos))


def deaf(node: Node, row: Topic) -> str:
    """Name who asks for more than the node offers on a topic that it publishes; '' for nobody."""
    offered = row.publisher()[2]
    return '; '.join(
        f'{who} asks for {row.name} {qualities(qos)}, the critic offers it {qualities(offered)}: '
        'no message is delivered'
        for who, qos in ends(node.get_subscriptions_info_by_topic(row.name))
        if not fits(offered, qos))


def ends(infos) -> list[tuple]:
    """Return the full name and the QoS of each end."""
    return sorted(((f'{info.node_namespace.rstrip("/")}/{info.node_name}', info.qos_profile)
                   for info in infos), key=lambda end: end[0])


def fits(offered, asked) -> bool:
    """Tell whether DDS delivers."""
    return not (offered.reliability == ReliabilityPolicy.BEST_EFFORT
                and asked.reliability == ReliabilityPolicy.RELIABLE
                or offered.durability == DurabilityPolicy.VOLATILE
                and asked.durability == DurabilityPolicy.TRANSIENT_LOCAL)


def qualities(qos) -> str:
    """Say reliability and durability in a few words."""
    return ' and '.join(one.name.lower().replace('_', ' ')
                        for one in (qos.reliability, qos.durability))
