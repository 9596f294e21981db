# SPDX-License-Identifier: Apache-2.0
"""Publishes cmd_vel beside the critic: drives slowly forward from a signal on."""

import signal
import time
from typing import Any

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from ami_ros.core.types import Command
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.run import run

SIGN = signal.SIGUSR1
HZ = 20
CREEP_MPS = 0.1
WAIT_S = 0.02           # until it looks for the sign again


class Rogue(Node):
    """Somebody who was left running."""

    def __init__(self):
        self.signed = False
        self.out: Any = None        # the publisher, once it may creep
        signal.signal(SIGN, self.on_sign)
        super().__init__('rogue')

    def on_sign(self, *_) -> None:
        """Note it; what is to be done is done between two callbacks."""
        self.signed = True

    def turn(self) -> float:
        """Begin once the sign was given."""
        if self.signed and self.out is None:
            self.out = self.create_publisher(*topics.COMMAND.publisher())
            self.create_timer(1 / HZ, self.creep, clock=Clock(clock_type=ClockType.STEADY_TIME))
        return WAIT_S

    def creep(self) -> None:
        """Command the wheels."""
        self.out.publish(convert.command_message(
            Command(np.array([CREEP_MPS, 0.0]), time.time_ns())))


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(Rogue, args)
