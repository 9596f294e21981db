# SPDX-License-Identifier: Apache-2.0
"""
Runs the simulator with more ground truth: every step of real time, and the wheel commands.

What it senses and how it obeys is the simulator's own. Poses are as fine as its steps of real
time (25 ms); for how long the wheels have been told rest is known to the millisecond. A base is
no program on the robot's computer: this one goes before others, where it may, but not before the
critic, so that a busy computer does not look like a slow base.
"""

import time
from typing import Any

from ami_ros.host.realtime_priority import PRIORITY, take_priority
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.run import run
from ami_ros.nodes.sim_node import SimNode
from ami_ros.sim.simulator_interface import Truth

WATCHED = topics.Topic('sim/truth/watched', topics.TRUTH_STATE.type, 40, topics.RELIABLE_100,
                       'sim')
PRIORITY_OF_BASE = PRIORITY - 20      # below that of the critic


class WheelLog:
    """What the wheels are told, by the steady clock: the newest command, or the base's timeout."""

    def __init__(self, timeout_s: float):
        self.timeout_s = timeout_s
        self.v_mps = self.told_s = 0.0
        self.rest_s: float | None = 0.0

    def on_command(self, values, now_s: float) -> None:
        """Hear a command (v m/s, w rad/s)."""
        moving = any(values)
        if moving:
            self.rest_s = None
        elif self.rest_s is None:       # rest began now, or when the command before ran out
            self.rest_s = min(now_s, self.told_s + self.timeout_s)
        self.v_mps, self.told_s = float(values[0]), now_s

    def at(self, now_s: float) -> tuple[float, float]:
        """Return the speed that they are told, m/s, and for how long it has been rest, s."""
        if self.rest_s is not None:
            return 0.0, max(1e-6, now_s - self.rest_s)
        over_s = now_s - self.told_s - self.timeout_s
        return (0.0, over_s) if over_s > 0 else (self.v_mps, 0.0)


class WatchedSim(SimNode):
    """Publishes the truth at each step."""

    def __init__(self):
        super().__init__()
        self.priority = take_priority(PRIORITY_OF_BASE)
        self.looked = False
        self.wheels = WheelLog(self.robot.base_timeout_s)
        self.watched = self.create_publisher(*WATCHED.publisher())
        self.true: tuple[int, Truth | None] = (-1, None)    # the truth, and of when
        body: Any = self.body
        pace: Any = self.pace
        self._ask_body, body.truth = body.truth, self.truth
        self._obey, pace.on_command = pace.on_command, self.obey

    def truth(self):
        """Ask the body once an instant: it forgets what it touched when it was asked."""
        if self.true[0] != self.body.time_ns:
            self.true = self.body.time_ns, self._ask_body()
        return self.true[1]

    def obey(self, command) -> None:
        """Note what the wheels are told."""
        self.wheels.on_command(command.values.tolist(), time.monotonic())
        self._obey(command)

    def look(self) -> None:
        """Publish the truth, and what the wheels are told, stamped with wall time."""
        self.looked = True
        now_s = time.monotonic()
        truth, (told_mps, rest_s) = self.truth(), self.wheels.at(now_s)
        x, y, _ = map(float, truth.pose)
        self.watched.publish(convert.state_message(
            {'x_m': x, 'y_m': y, 'speed_mps': truth.speed_mps, 'told_mps': told_mps,
             'rest_s': rest_s, 'silence_s': now_s - self.wheels.told_s,
             'touching': float(truth.touching)}, time.time_ns()))
        super().look()

    def sense(self, camera: bool, scan: bool) -> None:
        """Publish what is sensed, and before it what is true."""
        if not self.looked:
            self.look()
        self.looked = False
        super().sense(camera, scan)


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(WatchedSim, args)
