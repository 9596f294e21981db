# SPDX-License-Identifier: Apache-2.0
"""ROS arguments of a verb that runs a node: the namespace, and any argument of rclpy."""

import argparse


def add(one: argparse.ArgumentParser, example: str) -> None:
    """Declare --namespace and --ros-args; launch files give the latter, and it comes last."""
    one.add_argument(
        '--namespace', default='', metavar='NAME',
        help='Namespace of the robot, e.g. robot1')
    one.add_argument(
        '--ros-args', nargs=argparse.REMAINDER, default=[],
        help=f'Arguments after this option are passed to ROS, e.g. {example}')


def given(args: argparse.Namespace) -> list[str]:
    """Return what rclpy.init takes; a person's own ROS arguments win."""
    place = ['-r', f'__ns:=/{args.namespace.strip("/")}'] if args.namespace else []
    return ['--ros-args', *place, *args.ros_args]
