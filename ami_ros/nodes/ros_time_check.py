# SPDX-License-Identifier: Apache-2.0
"""Reports errors of ROS time: no /clock although use_sim_time is set, or an invalid time."""

from rclpy.node import Node

from ami_ros.critic.rule_interface import NO_CLOCK

CLOCK = '/clock'


def guard(node: Node) -> None:
    """Have a node outlive a /clock that rclpy cannot read; it then keeps the time of before.

    rclpy raises from its own callback where the seconds are negative, which ends the process.
    """
    node.clock_wrong = ''
    for subscription in node.subscriptions:
        if subscription.topic_name == CLOCK:
            subscription.callback = guarded(node, subscription.callback)


def guarded(node: Node, take):
    """Make a callback of /clock that tells what it cannot read."""
    def taken(msg) -> None:
        try:
            take(msg)
            node.clock_wrong = ''
        except (ValueError, OverflowError) as why:
            node.clock_wrong = (f'/clock has the invalid time {msg.clock.sec} s and '
                                f'{msg.clock.nanosec} ns ({why}); ROS time does not advance')
            node.get_logger().error(node.clock_wrong, throttle_duration_sec=5.0)
    return taken


def trouble(node: Node) -> str:
    """Say why ROS time does not run; '' where it does."""
    wrong = getattr(node, 'clock_wrong', '')
    return wrong or ('' if node.get_clock().now().nanoseconds else NO_CLOCK)
