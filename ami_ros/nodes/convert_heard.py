# SPDX-License-Identifier: Apache-2.0
"""
Turns what only the critic hears into nouns: the configurator's permit, a person's hand.

As `convert`: what is built wrongly raises ValueError, and numbers that are not finite pass.
"""

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist, TwistStamped

from ami_ros.agent.types import Command, MODES, Permit
from ami_ros.nodes import convert


def permit_from(msg: DiagnosticArray, received_steady_ns: int) -> Permit:
    """Status of the configurator to Permit."""
    said = next((health.values for health in convert.health_from(msg)
                 if health.name.rpartition('/')[2] == 'configurator'), None)
    if said is None:
        raise ValueError(f'status holds {[s.name for s in msg.status]}; it needs configurator')
    if said.get('mode') not in MODES or 'run' not in said:
        raise ValueError(f'status of the configurator says mode {said.get("mode")!r}, run '
                         f'{said.get("run")!r}; it needs a run and a mode of: {", ".join(MODES)}')
    return Permit(said['mode'], said['run'], convert.nanoseconds(msg.header.stamp),
                  received_steady_ns)


def wish_from(msg: TwistStamped | Twist, received_ns: int) -> Command:
    """TwistStamped or Twist to Command; what bears no stamp, or zero, is as old as its arrival."""
    wish = convert.command_from(msg, received_ns)
    return wish if wish.stamp_ns else Command(wish.values, received_ns)
