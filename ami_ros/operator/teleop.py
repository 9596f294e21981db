# SPDX-License-Identifier: Apache-2.0
"""
A hand on the robot, from the keyboard or a joystick, through the critic: publishes cmd_vel_manual.

It speaks only while a hand holds something, says one rest when the hand lets go, and then nothing:
the critic's dead man's time does the rest, also when this process is killed. On a terminal it
shows what the critic and the configurator say, so that a person sees why a robot does not move.
"""

import argparse
from dataclasses import dataclass
import os
import signal
import sys
import time
from typing import cast

import numpy as np
from rclpy.duration import Duration
from rclpy.node import Node
from std_srvs.srv import Trigger

from ami_ros.core.types import Command
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import parameters, ros_arguments, topics
from ami_ros.nodes.run import run
from ami_ros.operator import teleop_input
from ami_ros.operator.terminal import Terminal
from ami_ros.robots.find_robot import find
from ami_ros.robots.robot import Robot

PERIOD_S = 0.05             # 20 Hz while a hand holds something
POLL_S = 0.02               # how often keys are looked for
SHOW_S = 0.2
SILENT_S = 2.0              # who said nothing for so long is said to be silent
LAST_WORD_S = 0.2           # at the end: how long the last rest is waited for
ASKS = {'x': (topics.STOP,), 'r': (topics.CRITIC_RESET, topics.RESET), 'm': (topics.MANUAL,),
        'i': (topics.DISARM,)}      # a reset means all that holds the robot
STEPS = {'+': 1, '=': 1, '-': -1, '_': -1}
HELP = ('arrows or wasd drive, u and o in an arc, space rests; + and - change the speed',
        'x stop until r (reset)   m manual   i idle (disarm)   q quit')


@dataclass(frozen=True)
class Wish:
    """What a person asked for on the command line."""

    robot: Robot
    stamped: bool
    joy: bool
    speed_mps: float
    turn_radps: float


@dataclass
class Word:
    """The newest that somebody said, and when by the steady clock."""

    text: str = ''
    at_s: float = float('-inf')

    def told(self, now_s: float, topic: str) -> str:
        """Return it, or that nobody speaks there."""
        return self.text if now_s - self.at_s < SILENT_S else f'no message on {topic}'


class DriveNode(Node):
    """Asks a hand what it wants twenty times a second, and sends that."""

    def __init__(self, wish: Wish, terminal: Terminal | None):
        super().__init__('teleop', **parameters.FROM_FILE)
        self.wish, self.terminal, self.done = wish, terminal, False
        groups = parameters.declare(self, {**teleop_input.STICK, 'keys': teleop_input.KeySettings})
        limits = wish.robot.limits
        self.keys = teleop_input.Keys(limits, wish.speed_mps, wish.turn_radps,
                                      cast(teleop_input.KeySettings, groups['keys']))
        self.stick = teleop_input.Stick(limits, groups) if wish.joy else None
        self.outlet = teleop_input.Outlet()
        self.verdict, self.mode, self.held = Word(), Word(), ''
        self.answers: dict[str, str] = {}       # by service
        self.due_s = self.show_s = 0.0
        self.out = self.create_publisher(
            *topics.command(wish.stamped, topics.HAND).publisher())
        self.create_subscription(*topics.VERDICT.subscriber(self.on_verdict))
        self.create_subscription(*topics.STATUS.subscriber(self.on_status))
        if self.stick is not None:
            self.create_subscription(*topics.JOY.subscriber(self.on_joy))
        self.askable = {row: self.create_client(*row.client())
                        for rows in ASKS.values() for row in rows}
        self.signals: list[int] = []        # that came and are not dealt with yet
        if terminal is not None:
            for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP, signal.SIGCONT):
                signal.signal(number, lambda number, _: self.signals.append(number))
            terminal.begin()

    # what is heard

    def on_joy(self, msg) -> None:
        """Take where the stick is."""
        assert self.stick is not None
        self.stick.move(msg.axes, msg.buttons, time.monotonic(),
                        convert.nanoseconds(msg.header.stamp))

    def on_verdict(self, msg) -> None:
        """Take what the critic decided."""
        try:
            verdict = convert.verdict_from(msg)
        except ValueError as wrong:
            self.verdict = Word(str(wrong), time.monotonic())
            return
        v, w = verdict.command.values
        why = ': '.join(filter(None, (verdict.rule, verdict.reason)))
        self.verdict = Word(f'{verdict.action}  {v:+.2f} m/s {w:+.2f} rad/s  {why}',
                            time.monotonic())

    def on_status(self, msg) -> None:
        """Take in which mode the robot is."""
        for health in convert.health_from(msg):
            said = health.values.get('mode', '?'), health.values.get('reason', '')
            self.mode = Word('  '.join(filter(None, said)), time.monotonic())

    # what is done

    def turn(self) -> float:
        """Read keys, send what is wanted when it is time, show how it stands."""
        now = time.monotonic()
        if self.terminal is not None:
            self.heed()
            self.read_keys(now)
        if now >= self.due_s:
            self.due_s = max(self.due_s + PERIOD_S, now)
            self.send(now)
        if self.terminal is not None and now >= self.show_s:
            self.show_s = now + SHOW_S
            self.terminal.show(self.panel(now))
            self.done = self.done or self.terminal.ended
        return min(POLL_S, max(0.0, self.due_s - now))

    def heed(self) -> None:
        """Deal with signals: Ctrl-Z leaves the robot at rest and the terminal as it was."""
        while self.signals:
            number = self.signals.pop(0)
            if number in (signal.SIGHUP, signal.SIGQUIT):
                self.done = True
                continue
            assert self.terminal is not None
            self.keys.let_go()
            if number == signal.SIGTSTP:
                self.send(time.monotonic())
                self.terminal.restore()
                os.kill(os.getpid(), signal.SIGSTOP)
            self.terminal.begin()       # it goes on, whoever had the terminal meanwhile

    def read_keys(self, now: float) -> None:
        """Do what the keys say."""
        assert self.terminal is not None
        for key in self.terminal.keys():
            if key == 'q':
                self.done = True
            elif key in STEPS:
                self.keys.change(STEPS[key])
            elif key in ASKS:
                self.ask(key)
            self.keys.press(' ' if key == 'x' else key, now)

    def ask(self, key: str) -> None:
        """Call services of critic and configurator, and note what they answer."""
        self.answers = {}
        for row in ASKS[key]:
            client = self.askable[row]
            if not client.service_is_ready():
                self.answers[row.name] = (f'nobody answers; is the {row.owner} running?')
                continue
            self.answers[row.name] = 'asked'
            client.call_async(Trigger.Request()).add_done_callback(
                lambda future, name=row.name: self.on_answer(name, future))

    def on_answer(self, name: str, future) -> None:
        """Take what a service answered."""
        said = future.result()
        how = 'done' if said.success else 'refused'
        self.answers[name] = ': '.join(filter(None, (how, said.message)))

    @property
    def answer(self) -> str:
        """Return what was answered to the last question."""
        return '; '.join(f'{name}: {said}' for name, said in self.answers.items())

    def send(self, now: float) -> None:
        """Publish what the hand wants, its rest when it lets go, or nothing."""
        wanted = self.keys.wanted(now)
        if self.stick is not None and wanted is None:
            wanted = self.stick.wanted(now)
        self.tell(wanted, now)
        twist = self.outlet.next(wanted)
        if twist is not None:
            self.say(twist)

    def say(self, twist: teleop_input.Twist) -> None:
        """Publish a twist, stamped now."""
        command = Command(np.array(twist), self.get_clock().now().nanoseconds)
        self.out.publish(convert.command_message(command, self.wish.stamped))

    def tell(self, wanted: teleop_input.Twist | None, now: float) -> None:
        """Note what the hand does; without a terminal it goes to the log, when it changes."""
        if wanted is not None:
            held = 'driving' if self.terminal is None else '{:+.2f} m/s {:+.2f} rad/s'.format(
                *wanted)
        else:
            held = 'no key is held' if self.stick is None else self.stick.why(now)
        if self.terminal is None and held != self.held:
            self.get_logger().info(held)
        self.held = held

    def ears(self) -> str:
        """Say whether somebody hears the hand."""
        types = {info.topic_type for info in self.get_subscriptions_info_by_topic(self.out.topic)}
        mine = f'geometry_msgs/msg/{"TwistStamped" if self.wish.stamped else "Twist"}'
        if not types:
            return f'nobody listens to {self.out.topic}; is the critic running?'
        if mine not in types:
            return (f'{self.out.topic} is read as {", ".join(sorted(types))}, not as {mine}; '
                    f'try {"--no-stamped" if self.wish.stamped else "--stamped"}')
        return ''

    def panel(self, now: float) -> list[str]:
        """Return the lines that a person sees."""
        v, w = self.keys.speeds
        return [f'{self.get_fully_qualified_name()}: {self.wish.robot.name}, '
                f'at {v:.2f} m/s and {w:.2f} rad/s',
                f'teleop  {self.held}',
                f'critic  {self.ears() or self.verdict.told(now, topics.VERDICT.name)}',
                f'mode    {self.mode.told(now, topics.STATUS.name)}',
                f'answer  {self.answer}', '', *HELP]

    def stop(self) -> None:
        """Say the last rest, and let the terminal be as it was."""
        try:
            twist = self.outlet.next(None)
            if twist is not None:
                self.say(twist)
                self.out.wait_for_all_acked(Duration(seconds=LAST_WORD_S))
        finally:
            if self.terminal is not None:
                self.terminal.restore()


def main(args: argparse.Namespace) -> int:
    """Run `ami-ros teleop`; returns the exit status."""
    robot = find(args.robot)
    wish = Wish(robot, robot.command_type == 'TwistStamped' if args.stamped is None
                else args.stamped, args.joy,
                *(limit / 2 if asked is None else asked
                  for asked, limit in zip((args.speed, args.turn), robot.limits)))
    # a wrong speed is said first
    teleop_input.Keys(robot.limits, wish.speed_mps, wish.turn_radps)
    seen = sys.stdin.isatty() and sys.stdout.isatty()
    terminal = Terminal() if seen or not args.joy else None
    try:
        return run(lambda: DriveNode(wish, terminal), ros_arguments.given(args))
    finally:
        if terminal is not None:
            terminal.restore()

