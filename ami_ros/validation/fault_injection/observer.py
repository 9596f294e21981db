# SPDX-License-Identifier: Apache-2.0
"""Puts the rover on a lane, gives it the goal at its end, and writes down all that is told."""

from collections.abc import Callable
from dataclasses import dataclass, replace
import time

import numpy as np
from rclpy.node import Node
from std_srvs.srv import Trigger

from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.validation.fault_injection.ground_truth_sim_node import WATCHED
from ami_ros.validation.fault_injection.straight_lanes import Lane
from ami_ros.validation.fault_injection.topic_proxy import instruction, ORDER, TOLD
from ami_ros.validation.fault_injection.trace import Statement, TruthSample
from ami_ros.validation.stack.episode_runner import EpisodeRunner, NoAnswer
from ami_ros.validation.stack.frame_log import FrameLog

GAIN_S = 8.0            # from the goal until full speed; more is another lane's turn
LANES = 8               # so many are tried in a row
READY_S = 60.0          # until a robot whose parts were killed can be armed again
POLL_S = 0.02
TICKS = 200             # frames that the pilot remembers
LONG = 100              # points of a plan that are worth reading
GOAL_TRIES = 3          # a goal picture that nobody answers is given again


@dataclass(frozen=True)
class LaneGoal:
    """A lane and the picture at its end."""

    lane: Lane
    picture: np.ndarray     # (H, W, 3) uint8
    seed: int


class FaultLog(FrameLog):
    """A log that also hears verdicts, health, the truth at each step, and the tamper."""

    def __init__(self, node: Node, session: str):
        super().__init__(node)
        self.session = session
        self.looked: list[TruthSample] = []
        self.said: list[Statement] = []
        self.tamper: dict[str, str] = {}
        self.critic: dict[str, str] = {}        # its newest health
        self.fell = ''                          # why it is not armed any more
        node.create_subscription(*WATCHED.subscriber(self.on_watched))
        node.create_subscription(*TOLD.subscriber(self.on_tampered))
        row = replace(topics.DIAGNOSTICS, qos=topics.RELIABLE_100)
        node.create_subscription(*row.subscriber(self.on_health))

    def on_watched(self, msg) -> None:
        said, at_ns, _ = convert.state_from(msg)
        self.looked.append(TruthSample(at_ns, said['x_m'], said['y_m'], said['speed_mps'],
                                       said['told_mps'], said['rest_s'], said['silence_s'],
                                       said['touching'] > 0))

    def on_tampered(self, msg) -> None:
        said = convert.health_from(msg)[0].values
        if said['session'] == self.session:
            self.tamper = said

    def on_health(self, msg) -> None:
        for health in convert.health_from(msg):
            if health.name.rpartition('/')[2] == 'critic':
                self.critic = health.values
            self.said.append(Statement(time.time_ns(), health.name.rpartition('/')[2],
                                       health.message, values=health.values))

    def on_status(self, msg) -> None:
        was = self.status.get('mode')
        super().on_status(msg)
        if was == 'autonomous' != self.status.get('mode'):
            self.fell = self.status.get('reason') or 'it is not armed any more'
        self.on_health(msg)

    def on_plan(self, msg) -> None:
        if len(msg.points) > LONG:
            return          # made so; to read it would keep this node from all else
        try:
            super().on_plan(msg)
        except ValueError:
            pass            # it was made so; the critic says what is wrong with it

    def on_verdict(self, msg) -> None:
        super().on_verdict(msg)
        verdict = convert.verdict_from(msg)
        self.said.append(Statement(time.time_ns(), 'verdict', verdict.reason, verdict.rule,
                                   verdict.action, convert.health_from(msg)[0].values))

    def fast(self, full_mps: float) -> bool:
        """Tell whether it drives ahead at full speed now, and is told to."""
        last = self.looked[-1] if self.looked else None
        return last is not None and min(last.speed_mps, last.told_mps) >= full_mps

    def forget(self) -> None:
        """Begin to write down anew."""
        self.looked.clear()
        self.said.clear()
        self.looks.clear()
        self.ticks.clear()


class Observer(EpisodeRunner):
    """A pilot that gets the rover up to speed on a lane, and has the tamper do harm."""

    log: FaultLog

    def __init__(self, context, check: Callable[[], None], session: str):
        super().__init__(context, False, 0.1, check, lambda node: FaultLog(node, session))
        self.session, self.orders = session, 0
        for row in (topics.RESET, topics.CRITIC_RESET):
            self.askable[row] = self.create_client(*row.client())
        self.ordered = self.create_publisher(*ORDER.publisher())

    def order(self, how: str, seed: int) -> None:
        """Have the tamper do something to messages, or nothing; wait until it does."""
        self.orders += 1
        self.ordered.publish(instruction(self.session, self.orders, how, seed))
        self.wait(lambda: self.log.tamper.get('number') == str(self.orders) and (
            how == 'none' or self.log.tamper['struck_ns'] != '0'), f'that the tamper does {how}')

    def watch(self, seconds: float, over: Callable[[], bool] = lambda: False) -> None:
        """Write down what happens for so long, or until something is so."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s and not over():
            self.spinner.spin_once(timeout_sec=POLL_S)
            self.check()
            if len(self.log.ticks) > TICKS:
                self.log.ticks.clear()
            self.log.looks.clear()

    def full_speed(self, errands: Callable[[int], LaneGoal], full_mps: float, delay_s: float
                   ) -> None:
        """Drive until the rover has been fast for a moment; NoAnswer says what never came.

        `errands` gives one for each attempt; `delay_s` after it was first fast it still has to be.
        """
        why, end_s = '', time.monotonic() + READY_S
        for attempt in range(LANES):
            try:
                self.ready()
                self.set_off(errands(attempt))
                self.watch(GAIN_S, lambda: self.log.fast(full_mps) or bool(self.log.fell))
            except NoAnswer as silence:     # who was lost meanwhile is armed again
                if time.monotonic() > end_s:
                    raise
                why = str(silence)
                continue
            if self.log.fast(full_mps):
                self.watch(delay_s)
                if self.log.fast(full_mps):
                    return
        log = self.log
        raise NoAnswer(f'on none of {LANES} lanes it drove {full_mps:.2f} m/s; {why or log.fell}'
                       f'; the configurator says '
                       f'{log.status.get("reason") or log.status.get("mode")}, the critic '
                       f'{[s.text for s in log.said if s.by == "verdict"][-1:]}')

    def ready(self) -> None:
        """Wait until everybody is up again, by a word that is said now; reset what is latched."""
        log = self.log
        log.status, log.fell = {}, ''
        self.wait(lambda: log.status.get('ready') == '1'
                  or 'critic/reset' in log.status.get('waits_for', ''), 'that everybody is up',
                  READY_S)
        if log.status['ready'] != '1' or log.critic.get('latched'):
            self.wait(lambda: self.ask(topics.CRITIC_RESET, Trigger.Request()).success,
                      'that the critic lets a reset be')
            log.critic = {}
            self.wait(lambda: log.status['ready'] == '1', 'a reset of the critic', READY_S)
        if log.status['mode'] == 'stopped':
            self.ask(topics.RESET, Trigger.Request())
            self.wait(lambda: log.status['mode'] != 'stopped', 'a reset')
        log.fell = ''

    def acknowledged(self, **values: str) -> bool:
        """Tell as a pilot does; NoAnswer at once where it is not armed any more."""
        if self.log.fell:
            raise NoAnswer(self.log.fell)
        return super().acknowledged(**values)

    def set_off(self, errand: LaneGoal) -> None:
        """Put the rover on the lane and give it the goal."""
        self.put(errand.lane.start, errand.seed)
        for attempt in range(GOAL_TRIES):
            try:
                self.give_goal(errand.picture)
                break
            except NoAnswer:
                if attempt == GOAL_TRIES - 1:
                    raise
        self.log.forget()
        self.release()
