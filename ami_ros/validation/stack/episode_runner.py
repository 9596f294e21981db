# SPDX-License-Identifier: Apache-2.0
"""Flies episodes of a session: puts the robot somewhere, gives it a goal, watches the truth.

It asks through the same topics and services as a person would, and it alone hears `sim/truth`.
"""

from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import TypeVar

import numpy as np
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

from ami_ros.core.types import Plan
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.run import Executor
from ami_ros.validation.evaluation_protocol import Episode, GoalDrive, Judge
from ami_ros.validation.stack.frame_log import FrameLog, FrameTrace

SET_PARAMETERS = topics.Service('sim/set_parameters', SetParameters, 'sim')
START_S = 60.0          # for processes to come up and find each other, also on a busy machine
AGAIN_S = 3.0           # until a question is put again
ANSWER_S = 10.0         # for anything else that somebody should answer
HEAR_S = 2.0            # for a frame to be answered and heard of
T = TypeVar('T')


class NoAnswer(RuntimeError):
    """Somebody who should answer did not; the text says who, and what was asked."""


@dataclass
class Drive:
    """An episode as it went."""

    episode: Episode
    ticks: dict[int, FrameTrace]              # by frame, from the first that had the goal
    poses: np.ndarray                   # (T, 3) true, room frame


class EpisodeRunner(Node):
    """Asks and watches; `check` is called while it waits, and raises when that is in vain."""

    def __init__(self, context, lock_step: bool, period_s: float, check: Callable[[], None],
                 log_of: Callable[[Node], FrameLog] = FrameLog):
        super().__init__('pilot', context=context)
        self.lock_step, self.period_ns, self.check = lock_step, round(period_s * 1e9), check
        self.spinner = Executor(context=context)
        self.spinner.add_node(self)
        self.goals = self.create_publisher(*topics.GOAL_IMAGE.publisher())
        self.log = log_of(self)
        self.askable = {row: self.create_client(*row.client()) for row in
                          (topics.ARM, topics.NEW_EPISODE, topics.SIM_RESET, topics.SIM_PAUSE,
                           SET_PARAMETERS)}

    def wait(self, happened: Callable[[], T | None], what: str, patience_s: float = ANSWER_S) -> T:
        """Spin until something is so and return it; NoAnswer says what never came."""
        deadline = time.monotonic() + patience_s
        while not (said := happened()):
            self.spinner.spin_once(timeout_sec=0.1)
            self.check()
            if time.monotonic() > deadline:
                status = self.log.status
                raise NoAnswer(f'{what} did not come within {patience_s:g} s; the configurator '
                               f'says: {status.get("waits_for") or status.get("reason")}'
                               f'; the planner says: {status.get("mind") or "nothing"}')
        return said

    def ask(self, row: topics.Service, request, patience_s: float = ANSWER_S):
        """Call a service and return its answer."""
        client = self.askable[row]
        self.wait(client.service_is_ready, f'the service {row.name}', patience_s)
        asked: list = []

        def answered() -> bool:
            # an answer gets lost where two have only just met; the newest question counts
            silent = not any(future.done() for future, _ in asked)
            if not asked or silent and time.monotonic() - asked[-1][1] > AGAIN_S:
                asked.append((client.call_async(request), time.monotonic()))
            return asked[-1][0].done()

        self.wait(answered, f'an answer of {row.name}', patience_s)
        return asked[-1][0].result()

    def hold(self) -> None:
        """Let simulated time stand still, with nobody at work on a frame any more."""
        self.wait(lambda: self.ask(topics.SIM_PAUSE, SetBool.Request(data=True), START_S).success,
                  'an answer to the newest frame', START_S)

    def release(self) -> None:
        """Let simulated time go on."""
        self.ask(topics.SIM_PAUSE, SetBool.Request(data=False))

    def recorded(self, rows: tuple[topics.Topic, ...], by: str) -> bool:
        """Tell whether a node hears these topics."""
        return all(any(end.node_name == by
                       for end in self.get_subscriptions_info_by_topic(row.name)) for row in rows)

    def acknowledged(self, **values: str) -> bool:
        """Tell whether the mind has what the configurator says, and that is these values."""
        return self.log.status.get('acknowledged') == '1' and all(
            self.log.status.get(key) == value for key, value in values.items())

    def arm(self) -> None:
        """Let the plan be obeyed from now on, once the supervisor has brought everybody up."""
        self.wait(lambda: self.log.status.get('ready') == '1', 'readiness of planner and critic',
                  START_S)
        answer = self.ask(topics.ARM, Trigger.Request())
        if not answer.success:
            raise NoAnswer(f'it was not armed: {answer.message}')
        self.wait(lambda: self.acknowledged(mode='autonomous'), 'activation of the planner',
                  START_S)

    def put(self, pose: np.ndarray, seed: int) -> None:
        """Put the robot somewhere, in a run of its own, without a goal; it rests there."""
        if self.log.status.get('mode') != 'autonomous':
            self.arm()
        self.hold()
        run = self.ask(topics.NEW_EPISODE, Trigger.Request()).message
        self.wait(lambda: self.acknowledged(run=run, goal='0'),
                  f'acknowledgement of run {run}', START_S)
        x, y, yaw = map(float, pose)
        said = {'anywhere': False, 'x_m': x, 'y_m': y, 'yaw_rad': yaw, 'seed': seed}
        results = self.ask(SET_PARAMETERS, SetParameters.Request(parameters=[
            Parameter(name=f'episode.{key}', value=value_of(value))
            for key, value in said.items()])).results
        wrong = [result.reason for result in results if not result.successful]
        if wrong:
            raise NoAnswer(f'sim refused the episode: {"; ".join(wrong)}')
        # a frame at rest opens every run, so that nothing of the run before is left; all of it is
        # heard before anything begins, since connections come up one by one
        for _ in range(round(START_S / HEAR_S)):
            first = int(self.ask(topics.SIM_RESET, Trigger.Request()).message)
            if self.lock_step:
                self.hold()
            else:
                self.release()
            if self.heard(first):
                return
        raise NoAnswer(f'plans, verdicts and truth did not all come within {START_S:g} s')

    def heard(self, since_ns: int) -> bool:
        """Tell, after a little while at most, whether everything of a new frame came here."""
        deadline = time.monotonic() + HEAR_S
        while time.monotonic() < deadline:
            self.spinner.spin_once(timeout_sec=0.1)
            self.check()
            planned = any(n >= since_ns and tick.plan and 'critic_ms' in tick.stages_ms
                          for n, tick in self.log.ticks.items())
            if planned and any(now_ns >= since_ns for now_ns, _ in self.log.looks):
                return True
        return False

    def give_goal(self, picture: np.ndarray) -> int:
        """Give a goal picture; return its number, once the mind has it."""
        before = self.log.status.get('goals')
        self.wait(self.goals.get_subscription_count, 'a subscriber of the goal', START_S)
        self.goals.publish(convert.image_message(picture, self.get_clock().now().nanoseconds))
        self.wait(lambda: self.log.status.get('goals') != before or self.log.status.get('reason'),
                  'an answer to the goal image')
        if self.log.status['goal'] == '0':
            raise NoAnswer(f'the goal was refused: {self.log.status["reason"]}')
        number = self.log.status['goal']
        self.wait(lambda: self.acknowledged(goal=number), f'acknowledgement of goal {number}',
                  START_S)
        return int(number)

    def drive(self, drive: GoalDrive, picture: np.ndarray, seed: int) -> Drive:
        """Drive one episode to its end."""
        self.put(drive.start, seed)
        goal, log = self.give_goal(picture), self.log
        log.ticks.clear()
        log.looks.clear()
        self.release()
        begun_ns = self.wait(lambda: next(
            (n for n, tick in sorted(log.ticks.items()) if tick.plan and tick.plan.goal == goal),
            None), f'a plan for goal {goal}', START_S)
        judge, poses, arrived, over = Judge(drive, seed), {}, False, False
        while not over:
            now_ns, truth = self.wait(lambda: log.looks.popleft() if log.looks else None,
                                      'the truth of the simulator', START_S)
            poses[now_ns] = truth.pose
            if now_ns <= begun_ns:
                continue
            frame_ns = begun_ns + (now_ns - begun_ns - 1) // self.period_ns * self.period_ns
            if self.lock_step:      # the plan that this stretch was driven by
                def planned(n: int = frame_ns) -> Plan | None:
                    return log.tick(n).plan

                self.wait(planned, f'the plan of frame {frame_ns}')
            tick = log.ticks.get(frame_ns)
            arrived = tick.plan.arrived if tick and tick.plan else arrived
            over = judge.watch(truth, arrived, (now_ns - begun_ns) / 1e9)
        self.hold()
        ticks = {n: tick for n, tick in sorted(log.ticks.items()) if n >= begun_ns and tick.plan}
        for frame_ns, tick in ticks.items():
            tick.pose = poses.get(frame_ns)
        return Drive(judge.episode(), ticks, np.array(list(poses.values())))


def value_of(value: bool | float | int) -> ParameterValue:
    """Value to ParameterValue."""
    if isinstance(value, bool):
        return ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=value)
    if isinstance(value, int):
        return ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=value)
    return ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
