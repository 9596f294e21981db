# SPDX-License-Identifier: Apache-2.0
"""
Has the last word on cmd_vel: judges a plan when it comes, and ticks by the steady clock besides.

Its own process, without torch, ONNX or PyBullet; a plain node that nothing deactivates. A message
that cannot be read counts as worse than none: what it should have told is taken for missing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
import time

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.node import Node
import yaml

from ami_ros.agent.critic import Critic, still
from ami_ros.agent.robots import find
from ami_ros.agent.settings import build, CriticSettings, setting, Settings
from ami_ros.agent.types import Permit, Plan, Verdict
from ami_ros.nodes import convert, convert_heard, parameters, topics
from ami_ros.nodes.lifecycle import alive, BEAT_S
from ami_ros.nodes.run import run
from ami_ros.share import share

TICK_HZ = 50
STATUS_S = 0.5
KEPT_STOPPING_S = 0.2       # at the end: how long the last zero is waited for


@dataclass(frozen=True)
class NodeSettings(Settings):
    """How it runs; what it allows stands in the policy file alone."""

    robot: str = setting('rover', 'name', reason='the robot file')
    policy: str = setting('config/policy/rover.yaml', 'path',
                          reason='the numbers of the rules; relative to the shared files')
    lock_step: bool = setting(False, '-', reason="the clock: the frames' stamps, not the wall's")
    enable_stamped_cmd_vel: bool = setting(True, '-', reason='TwistStamped; false: Twist')


GROUPS = {'': NodeSettings}


def policy(where: str) -> CriticSettings:
    """Read a policy file; ValueError names what is missing, unknown or out of range."""
    path = share(where)
    try:
        said = yaml.safe_load(path.read_text())
    except yaml.YAMLError as wrong:
        raise ValueError(f'{path} is not YAML: {wrong}') from None
    if not isinstance(said, dict):
        raise ValueError(f'{path} holds {type(said).__name__}; it needs KEY: NUMBER lines')
    return build(CriticSettings, said, str(path))


class CriticNode(Node):
    """Converts in, asks the critic, converts out; sole publisher of cmd_vel."""

    def __init__(self):
        super().__init__('critic', **parameters.FROM_FILE)
        self.settings: NodeSettings = parameters.declare(self, GROUPS)['']
        s = self.settings
        self.robot = find(s.robot)
        numbers = policy(s.policy)
        parameters.show(self, 'policy', numbers)
        self.critic = Critic(numbers, self.robot)
        self.waiting: Plan | None = None        # lock-step: until scan and odometry are there
        self.permit: Permit | None = None       # as it came; in lock-step it does not age
        self.told: tuple = ()
        self.who = alive()
        self.wrong = ''                         # the last message that could not be read
        self.commands = self.create_publisher(
            *topics.command(s.enable_stamped_cmd_vel).publisher())
        self.verdicts = self.create_publisher(*topics.VERDICT.publisher())
        self.create_subscription(*topics.PLAN.subscriber(self.on_plan))
        self.create_subscription(*topics.SCAN.subscriber(self.on_scan))
        self.create_subscription(*topics.ODOMETRY.subscriber(self.on_odometry))
        self.create_subscription(*topics.STATUS.subscriber(self.on_permit))
        steady = Clock(clock_type=ClockType.STEADY_TIME)        # ticks also when /clock stands
        self.diagnostics = self.create_publisher(*topics.DIAGNOSTICS.publisher())
        self.create_timer(BEAT_S, self.beat, clock=steady)
        if not s.lock_step:
            hand = topics.command(s.enable_stamped_cmd_vel, topics.HAND)
            self.create_subscription(*hand.subscriber(self.on_hand))
            self.create_timer(1 / TICK_HZ, self.on_time, clock=steady)
            self.create_timer(STATUS_S, self.on_status, clock=steady)

    def on_plan(self, msg) -> None:
        """Judge at once; in lock-step as soon as the frame's readings are there."""
        plan = self.read(convert.plan_from, msg)
        if self.settings.lock_step:
            self.waiting = plan     # none at all names no frame that could be answered
            self.answer()
            return
        if plan is None:            # nobody knows what it wanted; without knots it is a stop
            last = self.critic.drivers.plan
            run_id = last.run if last else ''
            plan = Plan(np.zeros((0, 2)), 1.0, self.get_clock().now().nanoseconds, run=run_id)
        if self.critic.on_plan(plan, time.monotonic_ns()):
            self.say(*self.judge(), anyway=True)

    def on_hand(self, msg) -> None:
        """Judge a person's wish at once; what is none is told."""
        now = self.get_clock().now().nanoseconds
        hand = convert_heard.wish_from(msg, now)
        if self.critic.on_hand(hand, now, time.monotonic_ns()):
            self.say(*self.judge())
        else:
            self.get_logger().error(f'{self.critic.drivers.refused}; are the clocks in step?',
                                    throttle_duration_sec=1.0)

    def on_permit(self, msg) -> None:
        """Hear whose plans may move the robot; what cannot be read leaves only a stop standing."""
        permit = self.read(convert_heard.permit_from, msg, time.monotonic_ns())
        if permit is not None:
            self.permit = permit
            self.critic.on_permit(permit)
        elif self.permit is not None and self.permit.mode != 'stopped':
            self.permit = self.critic.drivers.permit = None

    def on_scan(self, msg) -> None:
        """Take a scan."""
        self.critic.scan = None
        scan = self.read(convert.scan_from, msg, self.robot, self.arrival(msg))
        if scan is not None:
            self.critic.on_scan(scan)
        self.answer()

    def on_odometry(self, msg) -> None:
        """Take odometry."""
        self.critic.odometry = None
        odometry = self.read(convert.odometry_from, msg, self.arrival(msg))
        if odometry is not None:
            self.critic.on_odometry(odometry)
        self.answer()

    def answer(self) -> None:
        """Answer a plan once, in lock-step, when everything of its frame is there."""
        plan, scan, odometry = self.waiting, self.critic.scan, self.critic.odometry
        if plan is None or scan is None or odometry is None:
            return
        if scan.stamp_ns == odometry.stamp_ns == plan.number:
            self.waiting = None
            if self.permit is not None:     # time stands still: it has just come
                self.critic.on_permit(replace(self.permit, stamp_ns=plan.number,
                                              received_steady_ns=plan.number))
            if self.critic.on_plan(plan, plan.number):
                self.say(*self.judge(plan.number), anyway=True)
        elif scan.stamp_ns > plan.number:       # the body went on: that frame was answered
            self.waiting = None

    def on_time(self) -> None:
        """Answer silence as well."""
        self.say(*self.judge())

    def on_status(self) -> None:
        """Say it again for whoever came late."""
        self.told = ()

    def judge(self, frame_ns: int | None = None) -> tuple[Verdict, float]:
        """Ask the critic; return its verdict and the milliseconds that it took."""
        begun = time.perf_counter()
        if frame_ns is not None:
            verdict = self.critic.judge(frame_ns, frame_ns)
        else:
            verdict = self.critic.judge(self.get_clock().now().nanoseconds, time.monotonic_ns())
        return verdict, 1e3 * (time.perf_counter() - begun)

    def say(self, verdict: Verdict, took_ms: float, anyway: bool = False) -> None:
        """Command the wheels, always; tell why when there is something new to tell."""
        self.commands.publish(convert.command_message(verdict.command,
                                                      self.settings.enable_stamped_cmd_vel))
        news = verdict.action, verdict.rule, verdict.source, verdict.mode
        if anyway or news != self.told:
            self.told = news
            more = {'judge_ms': f'{took_ms:.4f}', 'unreadable': self.wrong}
            self.verdicts.publish(convert.verdict_message(verdict, **more))

    def arrival(self, msg) -> int:
        """Return when a message came; in lock-step no time passes on the way."""
        if self.settings.lock_step:
            return convert.nanoseconds(msg.header.stamp)
        return time.monotonic_ns()

    def read(self, reader: Callable, msg, *more):
        """Read a message, or None and one sentence in the log."""
        try:
            noun = reader(msg, *more)
            self.wrong = ''
            return noun
        except ValueError as wrong:
            self.wrong = str(wrong)
            self.get_logger().error(self.wrong, throttle_duration_sec=1.0)
            return None

    def beat(self) -> None:
        """Give a sign of life."""
        health = convert.Health(self.get_fully_qualified_name(), 0, 'judging',
                                {'state': 'active', **self.who})
        self.diagnostics.publish(
            convert.health_message(health, self.get_clock().now().nanoseconds))

    def stop(self) -> None:
        """Leave the robot at rest."""
        now = self.get_clock().now().nanoseconds
        self.say(Verdict(still(now), 'stop', 'shutdown', 'the critic was asked to end'), 0.0)
        self.commands.wait_for_all_acked(Duration(seconds=KEPT_STOPPING_S))


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(CriticNode, args)
