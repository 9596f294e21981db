# SPDX-License-Identifier: Apache-2.0
"""
Supervises: takes goals and cancels, numbers them, hands them to the mind until it has them.

Its own process, without a network: what revives the mind must not die with it.
"""

from dataclasses import dataclass
import time
import uuid

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from ami_ros.agent.robots import find
from ami_ros.agent.settings import setting, Settings
from ami_ros.images import codec
from ami_ros.nodes import convert, parameters, topics
from ami_ros.nodes.run import run

STATUS_S = 0.5          # the status, and a goal that the mind did not acknowledge yet
SILENT_S = 2.0          # a mind that says nothing for so long is missed
SAME_SHAPE = 0.02       # aspect ratios that differ less are the same, of ratios about 1


@dataclass(frozen=True)
class ConfiguratorSettings(Settings):
    """Whose goals these are."""

    robot: str = setting('rover', 'name', reason='the robot file; goals get its picture size')


GROUPS = {'': ConfiguratorSettings}


def fitted(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring a goal picture to (width, height); ValueError when its shape is another one."""
    height, width = picture.shape[:2]
    if abs(width / height - size[0] / size[1]) > SAME_SHAPE * size[0] / size[1]:
        raise ValueError(f'goal picture is {width}x{height}; it needs the shape of {size[0]}x'
                         f'{size[1]}, as the camera has it')
    return np.ascontiguousarray(codec.resize(picture, size))


class ConfiguratorNode(Node):
    """Owns the run and the goal, and sees whether the mind follows."""

    def __init__(self):
        super().__init__('configurator', **parameters.FROM_FILE)
        self.settings: ConfiguratorSettings = parameters.declare(self, GROUPS)['']
        self.size = find(self.settings.robot).camera_size
        self.me, self.runs, self.numbers = uuid.uuid4().hex[:8], 0, 0
        self.run, self.goal, self.picture = '', 0, None
        self.acknowledged, self.arrived, self.reason = False, False, ''
        self.mind, self.mind_s = convert.Health('mind'), -SILENT_S
        self.goals = self.create_publisher(*topics.GOAL.publisher())
        self.statuses = self.create_publisher(*topics.STATUS.publisher())
        self.create_subscription(*topics.GOAL_IMAGE.subscriber(self.on_goal))
        self.create_subscription(*topics.DIAGNOSTICS.subscriber(self.on_diagnostics))
        self.create_subscription(*topics.PLAN.subscriber(self.on_plan))
        self.create_service(*topics.CANCEL.server(self.on_cancel))
        self.create_service(*topics.BEGIN.server(self.on_begin))
        self.create_timer(STATUS_S, self.on_time, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.begin()

    def begin(self) -> None:
        """Start a run: the robot may be anywhere, and has no goal."""
        self.runs += 1
        self.run = f'{self.me}-{self.runs}'
        self.want(None, '')

    def want(self, picture: np.ndarray | None, reason: str) -> None:
        """Set the goal, or none, and tell the mind."""
        if picture is not None:
            self.numbers += 1
        self.goal = 0 if picture is None else self.numbers
        self.picture, self.reason = picture, reason
        self.acknowledged = self.arrived = False
        self.hand_over()
        self.on_status()

    def hand_over(self) -> None:
        """Publish run and goal."""
        now = self.get_clock().now().nanoseconds
        self.goals.publish(convert.goal_message(self.picture, self.goal, self.run, now))

    def on_goal(self, msg) -> None:
        """Take a new goal, at any time; one that cannot be one ends the old one as well."""
        try:
            picture = fitted(convert.picture_from(msg), self.size)
        except ValueError as wrong:
            self.get_logger().error(str(wrong))
            self.want(None, str(wrong))
            return
        self.want(picture, '')

    def on_cancel(self, _, response):
        """Have no goal: the mind plans rest."""
        response.success, response.message = True, f'goal {self.goal} is cancelled'
        self.want(None, 'cancelled')
        return response

    def on_begin(self, _, response):
        """Forget the goal, and let the mind forget what it believed."""
        self.begin()
        response.success, response.message = True, self.run
        return response

    def on_diagnostics(self, msg) -> None:
        """See what the mind says that it has."""
        for health in convert.health_from(msg):
            if health.name == 'mind':
                self.mind, self.mind_s = health, time.monotonic()
                self._compare()

    def _compare(self) -> None:
        has = self.mind.values.get('run'), self.mind.values.get('goal')
        follows = has == (self.run, str(self.goal))
        if follows == self.acknowledged:
            return
        if not follows and self.goal != 0:      # it had the goal and lost it
            reason = 'the mind restarted and knows no goal; give it again'
            self.get_logger().warning(reason)
            self.want(None, reason)
            return
        self.acknowledged = follows
        self.on_status()

    def on_plan(self, msg) -> None:
        """See whether the robot declares that it is there."""
        try:
            plan = convert.plan_from(msg)
        except ValueError:
            return              # the critic says what is wrong with it
        arrived = plan.arrived and plan.goal == self.goal != 0 and plan.run == self.run
        if arrived != self.arrived:
            self.arrived = arrived
            self.on_status()

    def on_time(self) -> None:
        """Say how it stands, and hand over again what did not arrive."""
        if not self.acknowledged:
            self.hand_over()
        self.on_status()

    def on_status(self) -> None:
        """Publish the status."""
        mode = 'idle' if self.goal == 0 else 'arrived' if self.arrived else 'driving'
        level, message = 0, self.reason or mode
        if time.monotonic() - self.mind_s > SILENT_S:
            level, message = 1, 'the mind says nothing; is it running?'
        values = {'mode': mode, 'run': self.run, 'goal': str(self.goal),
                  'acknowledged': str(int(self.acknowledged)), 'reason': self.reason,
                  'goals': str(self.numbers), 'mind': self.mind.message}
        health = convert.Health('configurator', level, message, values)
        self.statuses.publish(convert.health_message(health,
                                                     self.get_clock().now().nanoseconds))


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(ConfiguratorNode, args)
