# SPDX-License-Identifier: Apache-2.0
"""Asks the nodes that run which robot file they were given, for a verb that was told none."""

import time

from rcl_interfaces.srv import GetParameters
import rclpy
from rclpy.executors import SingleThreadedExecutor

from ami_ros.core.errors import AmiError

ASKED = ('critic', 'configurator', 'mind', 'perception', 'sim')
FOUND_S, ANSWER_S = 6.0, 2.0    # for the first of them to be found, and for its answer


def running_robot(namespace: str) -> str | None:
    """Return the robot of the nodes in a namespace; None where none of them answers.

    ValueError where they disagree.
    """
    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        node = rclpy.create_node('whose', namespace=namespace, context=context,
                                 enable_rosout=False, start_parameter_services=False)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        clients = {name: node.create_client(GetParameters, f'{name}/get_parameters')
                   for name in ASKED}

        def wait(happened, patience_s: float) -> None:
            end = time.monotonic() + patience_s
            while time.monotonic() < end and not happened():
                executor.spin_once(timeout_sec=0.05)

        wait(lambda: any(client.service_is_ready() for client in clients.values()), FOUND_S)
        wait(lambda: clients['critic'].service_is_ready(), 0.5)
        asked = {name: client.call_async(GetParameters.Request(names=['robot']))
                 for name, client in clients.items() if client.service_is_ready()}
        wait(lambda: all(one.done() for one in asked.values()), ANSWER_S)
        said = {name: one.result().values[0].string_value for name, one in asked.items()
                if one.done() and one.result() and one.result().values}
        executor.shutdown()
        node.destroy_node()
    finally:
        rclpy.shutdown(context=context)
    robots = {name: robot for name, robot in said.items() if robot}
    if len(set(robots.values())) > 1:
        raise AmiError('the nodes that run were given different robot files: '
                       + ', '.join(f'{name} has {robot}' for name, robot in robots.items())
                       + '; start all from one parameter file, or write --robot FILE')
    return next(iter(robots.values()), None)
