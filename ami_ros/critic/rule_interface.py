# SPDX-License-Identifier: Apache-2.0
"""Says what a hard rule is: it lets a command pass, weakens it, or stops it; never more."""

from typing import NamedTuple, Protocol

import numpy as np

from ami_ros.core.types import Command, Situation

NO_CLOCK = ('ROS time is 0: use_sim_time is true and nobody publishes /clock; start the simulator '
            '(or the bag with --clock), or start all nodes with use_sim_time:=false')


class Stop(Exception):
    """Nothing may go out; the text is the reason, one sentence with value and limit.

    A `latch` holds after the cause is gone, until somebody resets the critic.
    """

    def __init__(self, reason: str, latch: bool = False):
        super().__init__(reason)
        self.latch = latch


class Answer(NamedTuple):
    """What a rule leaves of a command, and why; no reason where it leaves it alone."""

    command: Command
    reason: str = ''


class Rule(Protocol):
    """One hard rule. It stands alone: it relies on no rule that ran before it."""

    name: str

    def limit(self, command: Command, situation: Situation) -> Answer:
        """Return the command, or a weaker one of the same signs; raise Stop for none."""


def twist(command: Command) -> tuple[float, float]:
    """Return (v m/s, w rad/s); Stop where that is not two finite numbers."""
    values = np.asarray(command.values, dtype=float)
    if values.shape != (2,):
        raise Stop(f'the command has shape {values.shape}, it needs (2,): v m/s, w rad/s')
    v, w = values.tolist()
    if not abs(v) + abs(w) < np.inf:    # written so that NaN fails too
        raise Stop(f'the command ({v} m/s, {w} rad/s) is not finite')
    return v, w


def no_plan(situation: Situation) -> Stop:
    """Say that no plan is there, and why: ROS time does not run, or the newest was refused."""
    if situation.now_ns == 0:
        return Stop(NO_CLOCK)
    return Stop(situation.refused_plan or 'no plan has come')


def scaled(command: Command, scale: float) -> Command:
    """Return the same curvature at a share of the speed."""
    return Command(np.asarray(command.values, dtype=float) * scale, command.stamp_ns)
