# SPDX-License-Identifier: Apache-2.0
"""
Has the last word on cmd_vel: judges a plan when it comes, and ticks by the steady clock besides.

Its own process, without torch, ONNX or PyBullet; a plain node that nothing deactivates. A message
that cannot be read counts as worse than none: what it should have told is taken for missing. In
lock-step it answers frames alone, once what the robot requires is there; no hand, no sensor that
is not required.
"""

from collections.abc import Callable
from functools import partial
import sys
import time

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.node import Node
from std_srvs.srv import Trigger

from ami_ros import __version__
from ami_ros.agent.audit import AuditLog, FOLDER
from ami_ros.agent.auditor import Auditor
from ami_ros.agent.critic import Critic, still
from ami_ros.agent.latch import Latch
from ami_ros.agent.policies.policy import Policy, read
from ami_ros.agent.pulse import Pulse
from ami_ros.agent.robots import find
from ami_ros.agent.robots.robot import Robot
from ami_ros.agent.robots.sensor import Sensor
from ami_ros.agent.rules.needs import heard
from ami_ros.agent.state import state_folder
from ami_ros.agent.trace import SAID, Told
from ami_ros.agent.types import Plan, Switch, Verdict
from ami_ros.machine.privileges import pass_on, take_priority, take_short_turns
from ami_ros.nodes import company, convert, convert_heard, parameters, sensing, topics, unopened
from ami_ros.nodes.critic_settings import check_together, GROUPS
from ami_ros.nodes.lifecycle import alive, BEAT_S
from ami_ros.nodes.run import IDLE_S, run
from ami_ros.nodes.trace_critic import IDLE_S as TRACE_S
from ami_ros.nodes.trace_critic import traced
from ami_ros.share import share

TICK_HZ = 50
PERIOD_NS = 10**9 // TICK_HZ
STATUS_S = 0.5
COMPANY_S = 1.0             # how often it looks who else is on its topics
KEPT_STOPPING_S = 0.2       # at the end: how long the last zero is waited for
HASHED = 12                 # hex digits of the policy's hash that a verdict bears


def policy(where: str) -> Policy:
    """Read a policy file; ValueError names what is missing, unknown or out of range."""
    return read(share(where))


def emergency_stop(robot: Robot) -> tuple[Sensor, ...]:
    """Return the switch that every robot has on `e_stop`, unless its file says one of its own."""
    if any(sensor.topic == topics.E_STOP.name for sensor in robot.sensors):
        return ()
    names = [sensor.name for sensor in robot.sensors]
    name = next(name for name in ('e_stop', 'e_stop_topic', 'e_stop_by_topic')
                if name not in names)
    return (Sensor(name=name, kind='e_stop', topic=topics.E_STOP.name, required=False, hz=0.0,
                   active=True),)


class CriticNode(Node):
    """Converts in, asks the critic, converts out; sole publisher of cmd_vel."""

    def __init__(self):
        super().__init__('critic', **parameters.FROM_FILE)
        made = parameters.declare(self, GROUPS)
        s = self.settings = made['']
        self.robot = find(s.robot)
        chosen = policy(s.policy)
        check_together(self, self.robot, chosen, s.enable_stamped_cmd_vel)
        for group, numbers in chosen.groups.items():    # 'policy' names the file
            parameters.show(self, group, numbers)
        folder = state_folder(s.state, self.get_namespace())
        eager = s.real_time and not s.lock_step
        # writers of its priority: who held the interpreter and had to wait would hold up the ticks
        begin = take_priority if eager else lambda: None
        self.critic = Critic(chosen, self.robot, Latch(folder, begin))
        self.auditor = Auditor(AuditLog(folder / FOLDER, begin=begin))
        self.tell_found()
        self.tracing = traced(self, chosen, made)
        self.made, self.pulse = made, Pulse()
        self.judging_s = 0.0                    # since the last tick
        self.due_ns = time.monotonic_ns()       # the next tick
        self.waiting: Plan | None = None        # lock-step: until the readings are there
        self.verdict = Verdict(still(0), 'stop')        # the newest
        self.told: tuple = ()
        self.who = alive()
        self.wrong = ''                         # the last message that could not be read
        self.besides = self.mistyped = ''       # who else commands, who will not be understood
        command, hand, foreign = (topics.command(s.enable_stamped_cmd_vel, row)
                                  for row in (topics.COMMAND, topics.HAND, topics.FOREIGN))
        self.spoken = (command, hand) if s.input == 'plan' else (command, hand, foreign)
        self.commands = self.create_publisher(*command.publisher())
        self.verdicts = self.create_publisher(*topics.VERDICT.publisher())
        self.diagnostics = self.create_publisher(*topics.DIAGNOSTICS.publisher())
        if s.input == 'plan':
            self.create_subscription(*topics.PLAN.subscriber(self.on_plan), raw=True)
        else:
            self.create_subscription(*foreign.subscriber(self.on_twist))
        self.create_subscription(*topics.STATUS.subscriber(self.on_permit))
        self.awaited = [sensor.name for sensor in heard(self.robot)
                        if sensor.required and sensing.KINDS[sensor.kind].stamped]
        for sensor in (*heard(self.robot), *emergency_stop(self.robot)):
            for row in sensing.rows(sensor) if sensor.required or not s.lock_step else ():
                self.create_subscription(*row.subscriber(partial(self.on_reading, sensor)),
                                         raw=bool(sensing.KINDS[sensor.kind].opened))
        self.create_service(*topics.CRITIC_RESET.server(self.on_reset))
        steady = Clock(clock_type=ClockType.STEADY_TIME)        # ticks also when /clock stands
        self.create_timer(BEAT_S, self.beat, clock=steady)
        self.create_timer(COMPANY_S, self.look_around, clock=steady)
        take_short_turns()      # for who gets no priority; it has nothing to wait for long
        self.priority = take_priority() if eager else 'not asked for'
        if self.priority and eager:
            self.get_logger().warning(self.priority)
        self.auditor.begun(self.critic.latch.closed, chosen.hash, policy_file=s.policy,
                           robot=s.robot, rules=list(chosen.rules), input=s.input,
                           lock_step=s.lock_step, priority=self.priority or 'real-time',
                           version=__version__)
        if not s.lock_step:
            self.create_subscription(*hand.subscriber(self.on_hand))
            self.create_timer(STATUS_S, self.on_status, clock=steady)

    def on_plan(self, raw: bytes) -> None:
        """Judge at once; in lock-step as soon as the frame's readings are there."""
        plan = self.read(lambda: convert.plan_from(unopened.plan(raw)))
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

    def on_twist(self, msg) -> None:
        """Judge what another planner wants at once."""
        wish = convert_heard.wish_from(msg, self.get_clock().now().nanoseconds)
        if self.critic.on_twist(wish, time.monotonic_ns()):
            self.say(*self.judge())

    def on_hand(self, msg) -> None:
        """Judge a person's wish at once; what is none is told."""
        now = self.get_clock().now().nanoseconds
        if self.critic.on_hand(convert_heard.wish_from(msg, now), now, time.monotonic_ns()):
            self.say(*self.judge())
        else:
            self.get_logger().error(f'{self.critic.drivers.refused}; are the clocks in step?',
                                    throttle_duration_sec=1.0)

    def on_permit(self, msg) -> None:
        """Hear whose plans may move the robot; what cannot be read leaves only a stop standing."""
        was = self.critic.drivers.permit
        permit = self.read(convert_heard.permit_from, msg, time.monotonic_ns())
        if permit is not None:
            self.critic.on_permit(permit)
        elif was is not None and was.mode != 'stopped':
            self.critic.forget_permit()
        if not self.settings.lock_step and (was is None or permit is None
                                            or was.mode != permit.mode):
            self.say(*self.judge())

    def on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Open the latch, where its cause is gone."""
        was = ', '.join(self.critic.latch.closed)
        refused = self.critic.reset(*self.now())
        response.success = not refused
        response.message = refused or (f'released: {was}' if was else 'nothing was latched')
        self.get_logger().warning(f'reset: {response.message}')
        self.auditor.reset(response.success, response.message, was)
        if not self.settings.lock_step:
            self.say(*self.judge(), anyway=True)
        self.beat()         # who arms it next must know
        return response

    def on_reading(self, sensor: Sensor, msg) -> None:
        """Take what a sensor says; a switch that is active stops at once."""
        kind = sensing.KINDS[sensor.kind]
        self.critic.forget(sensor.name)

        def noun():
            opened = kind.opened(msg) if kind.opened else msg
            return kind.read(opened, sensor, self.robot, self.arrival(opened, kind.stamped))
        said = self.read(noun)
        if said is not None:
            getattr(self.critic, kind.into)(said)
        if self.settings.lock_step:
            self.answer()
        elif isinstance(said, Switch) and said.active:
            self.say(*self.judge())

    def answer(self) -> None:
        """Answer a plan once, in lock-step, when everything of its frame is there."""
        plan, said = self.waiting, self.critic.sensed()
        if plan is None or any(name not in said for name in self.awaited):
            return
        stamps = [said[name].stamp_ns for name in self.awaited]
        if all(stamp == plan.number for stamp in stamps):
            self.waiting = None
            self.critic.renew(plan.number)
            if self.critic.on_plan(plan, plan.number):
                self.say(*self.judge(plan.number), anyway=True)
        elif max(stamps) > plan.number:         # the body went on: that frame was answered
            self.waiting = None

    def on_status(self) -> None:
        """Say it again for whoever came late."""
        self.told = ()

    def judge(self, frame_ns: int | None = None) -> tuple[Verdict, float]:
        """Ask the critic; return its verdict and the milliseconds that it took."""
        begun = time.perf_counter()
        verdict = self.critic.judge(*(self.now() if frame_ns is None else (frame_ns, frame_ns)))
        took_s = time.perf_counter() - begun
        self.judging_s += took_s
        return verdict, 1e3 * took_s

    def now(self) -> tuple[int, int]:
        """Return ROS and steady time; in lock-step both are of the last frame."""
        if self.settings.lock_step:
            return self.verdict.command.stamp_ns, self.verdict.command.stamp_ns
        return self.get_clock().now().nanoseconds, time.monotonic_ns()

    def say(self, verdict: Verdict, took_ms: float, anyway: bool = False) -> None:
        """Command the wheels, always; tell why when there is something new to tell."""
        self.commands.publish(convert.command_message(verdict.command,
                                                      self.settings.enable_stamped_cmd_vel))
        self.verdict = verdict
        self.auditor.judged(verdict, self.critic.latch.closed, self.critic.drivers.permit)
        news = (verdict.action, verdict.rule, verdict.source, verdict.mode, verdict.silent,
                verdict.latch)
        if anyway or news != self.told:
            self.told = news
            allowed = self.critic.allowed(*self.now()) if verdict.action == 'stop' else ()
            self.verdicts.publish(convert.verdict_message(
                verdict, judge_ms=f'{took_ms:.4f}', unreadable=self.wrong,
                hand_refused=self.critic.drivers.refused, others=self.besides,
                mistyped=self.mistyped, policy=self.critic.policy.hash[:HASHED],
                allowed=','.join(allowed), unwritten=self.unwritten()))

    def unwritten(self) -> str:
        """Say what cannot be kept on disk; '' where all can."""
        return '; '.join(filter(None, (self.critic.latch.wrong, self.auditor.log.wrong)))

    def tell_found(self) -> None:
        """Say at the start what was found latched, and what cannot be kept."""
        for rule, reason in self.critic.latch.closed.items():
            self.get_logger().warning(f'it comes up stopped by {rule}: {reason}; latched until '
                                      'critic/reset')
        if self.critic.latch.wrong:
            self.get_logger().error(self.critic.latch.wrong)

    def arrival(self, msg, stamped: bool) -> convert_heard.Came:
        """Return when a message came; in lock-step no time passes on the way."""
        if self.settings.lock_step:
            stamp = convert.nanoseconds(msg.header.stamp) if stamped else 0     # renewed later
            return convert_heard.Came(stamp, stamp)
        return convert_heard.Came(self.get_clock().now().nanoseconds, time.monotonic_ns())

    def read(self, reader: Callable, *what):
        """Read a message, or None and one sentence in the log."""
        try:
            noun = reader(*what)
            self.wrong = ''
            return noun
        except ValueError as wrong:
            self.wrong = str(wrong)
            self.get_logger().error(self.wrong, throttle_duration_sec=1.0)
            return None

    def look_around(self) -> None:
        """See who else commands the wheels, and whose twists are of another type."""
        pass_on()               # threads of the middleware come and go
        self.besides = ', '.join(company.others(self, self.spoken[0]))
        self.mistyped = '; '.join(filter(None, (company.mistyped(self, row)
                                                for row in self.spoken)))
        self.auditor.company(self.besides)
        if self.besides:
            self.get_logger().error(f'{self.besides} commands the wheels past the critic',
                                    throttle_duration_sec=5.0)
        if self.mistyped:
            self.get_logger().error(self.mistyped, throttle_duration_sec=5.0)

    def beat(self) -> None:
        """Give a sign of life."""
        last, permit = self.verdict, self.critic.drivers.permit
        wrong = (f'{self.besides} commands the wheels past the critic' if self.besides
                 else self.mistyped or self.wrong or self.unwritten())
        self.auditor.unwritten(self.critic.latch.wrong)
        health = convert.Health(
            self.get_fully_qualified_name(), 2 if self.besides else 1 if wrong else 0,
            wrong or 'judging',
            {'state': 'active', **self.who, 'action': last.action, 'rule': last.rule,
             'source': last.source, 'policy': self.critic.policy.hash,
             'latched': ','.join(self.critic.latch.closed), 'mode': permit.mode if permit else '',
             'run': permit.run if permit else '', 'silent': ','.join(last.silent),
             'others': self.besides, 'priority': self.priority or 'real-time',
             'unwritten': self.unwritten(), 'audit': self.auditor.log.known(),
             **self.pulse.said(time.monotonic(), self.made['health']),
             **{f'count.{what}': str(n) for what, n in sorted(self.critic.counts.items())}})
        self.diagnostics.publish(
            convert.health_message(health, self.get_clock().now().nanoseconds))

    def turn(self) -> float:
        """Tick when it is due, else write down what was judged; return the idle time.

        No timer of the executor ticks: that one waits in another thread, which has not our
        priority, so that a tick was as late as anybody's. Ticks keep their grid.
        """
        left_s = IDLE_S if self.settings.lock_step else self.tick_if_due()
        if left_s < TRACE_S or not self.tracing.turn(TRACE_S):
            return left_s
        return 0.0

    def tick_if_due(self) -> float:
        """Answer silence as well; return the seconds until that is due again."""
        late_ns = time.monotonic_ns() - self.due_ns
        if late_ns >= 0:
            begun_s = time.monotonic()
            self.due_ns += PERIOD_NS * (1 + late_ns // PERIOD_NS)
            self.say(*self.judge())
            said = self.verdict
            age_ns = said.command.stamp_ns - said.number if said.source and said.number else 0
            self.pulse.beat(begun_s, age_ns / 1e9, self.judging_s)
            self.judging_s = 0.0
        return max(0, self.due_ns - time.monotonic_ns()) / 1e9

    def stop(self) -> None:
        """Leave the robot at rest; a critic that crashed did not end properly."""
        bug = sys.exc_info()[1]
        why = 'the critic was asked to end' if bug is None else f'the critic crashed: {bug!r}'
        now = self.get_clock().now().nanoseconds
        last = Verdict(still(now), 'stop', 'shutdown', why)
        self.say(last, 0.0)
        self.tracing.note(Told(SAID, (), last))
        self.tracing.close()
        self.commands.wait_for_all_acked(Duration(seconds=KEPT_STOPPING_S))
        if bug is None:
            self.critic.latch.end()
        self.auditor.ended(why)


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(CriticNode, args)
