# SPDX-License-Identifier: Apache-2.0
"""A mind without a model: plans by a formula over what it senses, and keeps to the borders."""

from dataclasses import dataclass
import math
import time

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Plan
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import parameters, topics
from ami_ros.nodes.lifecycle import Managed
from ami_ros.nodes.run import run
import numpy as np


@dataclass(frozen=True)
class StubSettings(Settings):
    lock_step: bool = setting(False, '-')
    robot: str = setting('', 'name', reason='said of every mind')
    arrive_m: float = setting(1e9, 'm', 0.0, 1e9, 'declares arrival after so long a way')


class StubMind:
    """Plans from picture, odometry and the last command, so that a lost bit changes the way."""

    def __init__(self):
        self.node = Managed('mind', self)
        self.settings = parameters.declare(self.node, {'': StubSettings})['']
        self.run, self.goal = '', 0

    def configure(self):
        self.plans = self.node.create_publisher(*topics.PLAN.publisher())
        self.states = self.node.create_publisher(*topics.ACTOR_STATE.publisher())

    def activate(self):
        self.run, self.goal = '', 0
        self.frame = self.odometry = self.command = self.answered = None
        self.node.active.hear(topics.GOAL, self.on_goal)
        self.node.active.hear(topics.CAMERA, lambda m: self.on('frame', m))
        self.node.active.hear(topics.ODOMETRY, lambda m: self.on('odometry', m))
        self.node.active.hear(topics.COMMAND, lambda m: self.on('command', m))

    def deactivate(self):
        pass

    def cleanup(self):
        self.node.destroy_publisher(self.plans)
        self.node.destroy_publisher(self.states)

    def health(self):
        return convert.Health('', values={'run': self.run, 'goal': str(self.goal)})

    def on_goal(self, msg):
        _, goal, run_id = convert.goal_from(msg)
        if run_id != self.run:
            self.answered = None
        self.run, self.goal = run_id, goal
        self.node.beat()

    def on(self, what, msg):
        setattr(self, what, msg)
        if self.frame is None or self.odometry is None:
            return
        stamp = convert.nanoseconds(self.frame.header.stamp)
        if self.settings.lock_step:
            if self.answered is not None and self.answered.number == stamp:
                if what == 'frame':
                    self.plans.publish(convert.plan_message(self.answered))
                return
            due = self.answered is None or (self.command is not None and convert.nanoseconds(
                self.command.header.stamp) == self.answered.number)
            if convert.nanoseconds(self.odometry.header.stamp) != stamp or not due:
                return
        elif what != 'frame':
            return
        self.answer(stamp)

    def answer(self, stamp):
        begun = time.perf_counter()
        odometry = convert.odometry_from(self.odometry, 0)
        last = convert.command_from(self.command, 0).values if self.command else np.zeros(2)
        knots = np.zeros((8, 2))
        arrived = bool(math.hypot(*odometry.pose[:2]) > self.settings.arrive_m)
        if self.goal and not arrived:
            bright = convert.picture_from(self.frame).mean() / 255
            knots[:] = 0.2 + 0.3 * bright + 0.1 * last[0], math.sin(3 * odometry.pose[0]) - bright
        self.answered = Plan(knots, 0.25, stamp, stamp, self.run, self.goal, arrived)
        self.plans.publish(convert.plan_message(self.answered))
        took_ms = 1e3 * (time.perf_counter() - begun)
        self.states.publish(convert.state_message(
            {'encode_ms': 0.0, 'plan_ms': took_ms, 'encode_plan_ms': took_ms}, stamp, self.run))


def main(args=None):
    return run(lambda: StubMind().node, args)


if __name__ == '__main__':
    raise SystemExit(main())
