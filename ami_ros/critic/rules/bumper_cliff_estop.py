# SPDX-License-Identifier: Apache-2.0
"""Stops what a pressed bumper or an edge is in the way of; an emergency stop stops everything."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation, Switch
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot

# of base_link: is (v, w) a motion towards that side? Beside the robot any turn is, since both of
# its ends swing out, and driving along it is not.
TOWARDS = {
    'front': lambda v, w: v > 0,
    'back': lambda v, w: v < 0,
    'left': lambda v, w: w != 0,
    'right': lambda v, w: w != 0,
}


@dataclass(frozen=True)
class BumperCliffEstopParams(Settings):
    """How long it waits."""

    release_s: float = setting(
        None, 's', 0.0, 5.0,
        'Time for which the stop persists after its cause is gone', strict='higher')


@dataclass(frozen=True)
class BumperCliffEstop:
    """No motion towards the side of an active switch; none at all where its side is not known.

    At an edge in front or behind, only driving away from it is left: turning would bring the
    wheels over. However old its word: what said stop and fell silent has not taken it back. That
    a required switch is silent is the business of `input_timeout`. An emergency stop latches.
    """

    name: str = 'bumper_cliff_estop'
    release_s: float = 0.0      # it stands on after the cause is gone
    release: ClassVar[str] = 'the switch says that it is free; of an emergency stop also a reset'

    def limit(self, command: Command, situation: Situation) -> Answer:
        v, w = twist(command)
        for switch in situation.switches:
            if switch.active is not False and in_the_way(switch, v, w):     # no answer is a stop
                of = f', {switch.side}' if switch.side else ''
                waits = f'; {switch.waits_for}' if switch.waits_for else ''
                raise Stop(f'{switch.kind} {switch.name}{of} is active{waits}',
                           latch=switch.kind == 'e_stop')
        return Answer(command)


def in_the_way(switch: Switch, v: float, w: float) -> bool:
    """Tell whether a motion is towards the side of a switch."""
    if switch.kind == 'e_stop' or switch.side not in TOWARDS:
        return True
    if v == 0 and w == 0:
        return False
    if switch.kind == 'cliff' and v == 0:
        return True
    return TOWARDS[switch.side](v, w)


def make(own: BumperCliffEstopParams, shared: Shared, robot: Robot) -> BumperCliffEstop:
    """Make the rule of a policy."""
    return BumperCliffEstop(release_s=own.release_s)
