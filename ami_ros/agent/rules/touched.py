# SPDX-License-Identifier: Apache-2.0
"""Stops while a bumper is pressed, a wheel is at an edge, or an emergency stop is pulled."""

from dataclasses import dataclass

from ami_ros.agent.robots.robot import Robot
from ami_ros.agent.rules.rule import Answer, Stop, twist
from ami_ros.agent.rules.shared import Shared
from ami_ros.agent.settings import Settings
from ami_ros.agent.types import Command, Situation


@dataclass(frozen=True)
class Numbers(Settings):
    """None: it knows no more or less."""


@dataclass(frozen=True)
class Touched:
    """No switch is active, required or not.

    However old its word: what said stop and fell silent has not taken it back. That a required
    switch is silent is the business of `fresh`.
    """

    name: str = 'touched'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        for switch in situation.switches:
            if switch.active is not False:      # no answer is a stop
                raise Stop(f'{switch.kind} {switch.name} is active')
        return Answer(command)


def make(own: Numbers, shared: Shared, robot: Robot) -> Touched:
    """Make the rule of a policy."""
    return Touched()
