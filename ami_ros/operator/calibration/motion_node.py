# SPDX-License-Identifier: Apache-2.0
"""
Moves a robot as a person's hand would, and remembers what was told and what was sensed.

Everything goes through `cmd_vel_manual`, so through the critic, its rules and its dead man's time:
a hand that falls silent, with this process, is a stop. One thread, which whoever measures spins.
"""

from collections.abc import Callable
import math
import time
from typing import NamedTuple, TypeVar

import numpy as np
from rcl_interfaces.srv import GetParameters
from rclpy.node import Node
from std_srvs.srv import Trigger

from ami_ros.core.geometry import wrap
from ami_ros.core.types import Command
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.run import Executor
from ami_ros.operator.calibration.motion_inputs import MotionInputs
from ami_ros.operator.calibration.motions import Base, Motion
from ami_ros.robots.find_robot import Robot

HAND_S = 0.04           # between two messages of the hand
ALIVE_S = 10.0          # for everybody to be found
HEARD_S = 5.0           # for the critic to obey the hand
AGAIN_S = 20.0          # for what was late to be in time again
HALF = 0.5              # of a leg: who came so far is late, not stuck
GONE_S = 8.0            # who is silent for so long is not late but gone
STEADY_S = 2.0          # and for so long, before a motion is repeated
QUEUED_S = 0.5          # for what waits in queues to be taken in
ASK_S = 5.0             # for an answer of a service
GOALS = 3               # times that a goal is given before nobody wants it
SILENT_S = {'odometry': 0.5, 'command': 0.5, 'verdict': 1.5, 'scan': 0.75}  # longer is an end
LAST_ZERO_S = 0.3       # so long zeros are sent in the end
PASSING = ('acceleration', 'speed')     # rules that only soften a step; what went out is heard
LATE = ('input_timeout', 'camera_rate', 'clock')       # rules that stop for what is late
LIMITS = ('shared.max_speed_mps', 'shared.max_turn_radps',
          'rules.acceleration.max_acceleration_mps2',
          'rules.acceleration.max_turn_acceleration_radps2')
T = TypeVar('T')


class Limits(NamedTuple):
    """What the critic lets a hand do; inf where it does not say."""

    speed_mps: float = math.inf
    turn_radps: float = math.inf
    gain_mps2: float = math.inf
    turn_gain_radps2: float = math.inf


class Aborted(RuntimeError):
    """The motion was broken off; the sentence says why. The hand is at rest."""


class Lapse(Aborted):
    """Something was late for a moment, as on a busy machine; the motion may be repeated."""


class Calibrator(Node):
    """The hand, and what is heard meanwhile."""

    def __init__(self, robot: Robot, context, namespace: str = ''):
        super().__init__('calibrate', context=context, namespace=namespace)
        self.robot, self.stamped = robot, robot.command_type == 'TwistStamped'
        self.spinner = Executor(context=context)
        self.spinner.add_node(self)
        self.sent_s, self.obeyed = -math.inf, False
        hand, command = (topics.command(self.stamped, row)
                         for row in (topics.HAND, topics.COMMAND))
        self.hands = self.create_publisher(*hand.publisher())
        self.inputs = MotionInputs(self, robot, command)
        self.heard = self.inputs.readings

    def view(self) -> np.ndarray | None:
        """Take one picture, (H, W, 3) uint8 rgb; None where none comes."""
        self.inputs.picture = None
        self.inputs.look(True)
        self.wait(lambda: self.inputs.picture is not None, ALIVE_S)
        self.inputs.look(False)
        return None if self.inputs.picture is None else convert.picture_from(self.inputs.picture)

    def give_goal(self, picture: np.ndarray) -> int:
        """Give a goal picture until a plan for it is answered; return the ROS time then, ns."""
        goals = self.create_publisher(*topics.GOAL_IMAGE.publisher())
        try:
            self.wait(goals.get_subscription_count, 1.0)
            before = len(self.heard.answers)
            for _ in range(GOALS):
                goals.publish(convert.image_message(picture, self.now_ns()))
                if self.wait(lambda: len(self.heard.answers) > before, ALIVE_S):
                    break
            return self.now_ns()
        finally:
            self.destroy_publisher(goals)

    def now_ns(self) -> int:
        """Return ROS time."""
        return self.get_clock().now().nanoseconds

    def wait(self, happened: Callable[[], T], patience_s: float) -> T:
        """Spin until something is so; return the last answer, which may be no."""
        deadline = time.monotonic() + patience_s
        while not (said := happened()) and time.monotonic() < deadline:
            self.spinner.spin_once(timeout_sec=0.02)
        return said

    def listen(self, seconds: float) -> int:
        """Hear for a while without a hand; return the ROS time of the beginning."""
        begun_ns = self.now_ns()
        self.wait(lambda: False, seconds)
        return begun_ns

    def meet(self) -> None:
        """Find everybody that a motion needs; Aborted names who is not there."""
        needed = {'odometry': self.robot.odometry.topic, 'command': topics.COMMAND.name,
                  'verdict': topics.VERDICT.name}
        self.wait(lambda: all(what in self.inputs.came_s for what in needed), ALIVE_S)
        for what, topic in needed.items():
            if what not in self.inputs.came_s:
                raise Aborted(f'nothing came on {self.resolve_topic_name(topic)} in '
                              f'{ALIVE_S:g} s; are the critic and the drivers up, in this '
                              'namespace and ROS domain?')
        for topic, mine, who in ((topics.COMMAND.name, 1, 'another node bypasses the critic'),
                                 (topics.HAND.name, 1, 'another node sends teleop commands')):
            if self.count_publishers(topic) > mine:
                raise Aborted(f'{self.resolve_topic_name(topic)} has '
                              f'{self.count_publishers(topic)} publishers: {who}; end that first')
        if self.inputs.mode == 'stopped':
            raise Aborted('the mode is stopped; call configurator/reset when it may move again')

    def ask(self, row: topics.Service) -> str | None:
        """Ask the configurator for a mode; None where it is granted, or where there is nobody."""
        client = self.create_client(*row.client())
        try:
            if not self.wait(client.service_is_ready, 1.0):
                return None
            future = client.call_async(Trigger.Request())
            self.wait(future.done, ASK_S)
            if not future.done():
                return f'{row.name} did not answer within {ASK_S:g} s'
            return None if future.result().success else future.result().message
        finally:
            self.destroy_client(client)

    def limits(self) -> Limits | None:
        """Ask the critic for the limits of its policy; None where it does not answer."""
        client = self.create_client(GetParameters, 'critic/get_parameters')
        try:
            if not self.wait(client.service_is_ready, ASK_S):
                return None
            asked = [client.call_async(GetParameters.Request(names=[name])) for name in LIMITS]
            self.wait(lambda: all(one.done() for one in asked), ASK_S)
            if not all(one.done() for one in asked[:2]):
                return None
            values = [one.result().values if one.done() and one.result() else []
                      for one in asked]
            return Limits(*(value[0].double_value if value and value[0].type else math.inf
                            for value in values))
        finally:
            self.destroy_client(client)

    def hold(self, v_mps: float, w_radps: float) -> None:
        """Hold the hand out, if it is time again, and hear what there is."""
        if time.monotonic() - self.sent_s >= HAND_S:
            self.sent_s = time.monotonic()
            self.hands.publish(convert.command_message(
                Command(np.array([v_mps, w_radps]), self.now_ns()), self.stamped))
        self.spinner.spin_once(timeout_sec=0.01)

    def release(self) -> None:
        """Send zeros; then the dead man's time does the rest."""
        deadline = time.monotonic() + LAST_ZERO_S
        while time.monotonic() < deadline:
            self.hold(0.0, 0.0)

    def take(self) -> None:
        """Hold out a hand at rest until the critic obeys it; Aborted says why it does not."""
        self.listen(QUEUED_S)       # what came while a person was asked is not of now
        inputs = self.inputs
        inputs.verdict, deadline = None, time.monotonic() + HEARD_S
        while inputs.verdict is None or inputs.verdict.source != 'teleop':
            self.hold(0.0, 0.0)
            if time.monotonic() > deadline:
                said = f': {inputs.verdict.reason}' if inputs.verdict else ''
                kind = Lapse if self.obeyed else Aborted
                raise kind(f'the critic does not hear {self.hands.topic_name}{said}; does it '
                              f'take {"TwistStamped" if self.stamped else "Twist"}, and are the '
                              'clocks in step?')
        self.obeyed = True

    def recover(self) -> None:
        """Hold a hand at rest until nothing is late for a while; Aborted names what is gone."""
        self.take()
        inputs = self.inputs
        begun_s = steady_s = time.monotonic()
        while time.monotonic() - steady_s < STEADY_S:
            self.hold(0.0, 0.0)
            now_s = time.monotonic()
            silent = [what for what, since in inputs.came_s.items()
                      if now_s - since > SILENT_S[what]]
            verdict = inputs.verdict
            assert verdict is not None      # `take` waited for one
            if silent or verdict.source != 'teleop' or verdict.action != 'go':
                steady_s = now_s
            if now_s - begun_s > AGAIN_S:
                gone = [what for what, since in inputs.came_s.items() if now_s - since > GONE_S]
                if gone:
                    raise Aborted(f'nothing has come from {", ".join(gone)} for {GONE_S:g} s')
                raise Lapse(f'the critic does not pass the teleop commands: {verdict.reason}')

    def perform(self, motion: Motion, base: Base) -> tuple[int, int]:
        """Move; return the ROS time, ns, of its beginning and end, at rest. Aborted says why not.

        Zeros are sent in the end, however it ends.
        """
        try:
            self.take()
            self.rest(base.settle_s)
            begun_ns, begin = self.heard.odometry[-1][0], self.pose()
            bounds, gone, heading = motion.bounds(base), np.zeros(2), begin[2]
            for leg in motion.legs:
                deadline = time.monotonic() + leg.seconds
                sign = math.copysign(1.0, leg.reach)
                while time.monotonic() < deadline:
                    self.hold(leg.v_mps, leg.w_radps)
                    pose = self.pose()
                    gone[0] = ((pose[0] - begin[0]) * math.cos(begin[2])
                               + (pose[1] - begin[1]) * math.sin(begin[2]))
                    gone[1] += wrap(pose[2] - heading)
                    heading = pose[2]
                    self.watch(gone, bounds)
                    axis = gone[0] if leg.axis == 'v' else gone[1]
                    if leg.until is not None and sign * (axis - leg.until) >= 0:
                        break
                else:
                    if leg.until is not None:
                        slow = abs(axis) > HALF * abs(leg.until)    # it moves, and the hand lags
                        raise (Lapse if slow else Aborted)(
                            f'odometry did not come to {leg.until:.2f} in {leg.seconds:.0f} s; '
                            'is something in its way, or does it slip?')
            self.rest(base.settle_s)
            return begun_ns, self.heard.odometry[-1][0]
        finally:
            self.release()

    def rest(self, seconds: float) -> None:
        """Hold a hand at rest for a while, watched as well."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.hold(0.0, 0.0)
            self.watch(np.zeros(2), (1.0,) * 4)

    def watch(self, gone: np.ndarray, bounds: tuple[float, float, float, float]) -> None:
        """Raise Aborted where the motion is no longer what was asked for."""
        for value, most, least, unit in zip(gone, bounds[::2], bounds[1::2], ('m', 'rad')):
            if not -least <= value <= most:     # written so that NaN fails too
                raise Aborted(f'odometry says {value:+.2f} {unit}, beyond the {-least:.2f} to '
                              f'{most:+.2f} of this motion')
        now_s, verdict = time.monotonic(), self.inputs.verdict
        assert verdict is not None          # `take` waited for one
        for what, since in self.inputs.came_s.items():
            if now_s - since > SILENT_S[what]:
                raise Lapse(f'nothing came from {what} for {now_s - since:.1f} s')
        if verdict.source != 'teleop':
            raise Lapse(f'the critic does not follow the teleop commands: {verdict.reason}')
        if verdict.action != 'go' and verdict.rule not in PASSING:
            kind = Lapse if verdict.rule in LATE else Aborted
            raise kind(f'the critic objects, rule {verdict.rule}: {verdict.reason}')

    def pose(self) -> np.ndarray:
        """Return the newest pose (3,) of odometry."""
        return np.array(self.heard.odometry[-1][1:])
