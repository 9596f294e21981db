# SPDX-License-Identifier: Apache-2.0
"""Runs a node that has one thing to do, until its `done`."""

from collections.abc import Callable
import time

from rclpy.node import Node

from ami_ros.nodes.run import run

PATIENCE_S = 10.0       # with a robot that is to be found
POLL_S = 0.05           # between two looks
NOBODY = 'is the robot running, in this namespace and ROS domain?'


class Once(Node):
    """A node with one thing to do; it gives up `patience_s` after it began."""

    def __init__(self, name: str, patience_s: float = PATIENCE_S):
        super().__init__(name)
        self.begun_s, self.patience_s = time.monotonic(), patience_s

    @property
    def waited(self) -> bool:
        """Tell whether there is no more hope."""
        return time.monotonic() - self.begun_s > self.patience_s

    def turn(self) -> float:
        """Look again soon."""
        return POLL_S


def until_done(make: Callable[[], Once], ros: list[str]) -> Once:
    """Return the node when it is done; KeyboardInterrupt where a person had enough of waiting."""
    made: list[Once] = []

    def keep() -> Once:
        made.append(make())
        return made[0]

    status = run(keep, ros)
    if not made or status:
        raise SystemExit(1)     # why is said already
    if not made[0].done:
        raise KeyboardInterrupt
    return made[0]
