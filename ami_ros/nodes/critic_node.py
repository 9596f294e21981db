# SPDX-License-Identifier: Apache-2.0
"""
Filters every command: judges a plan when it arrives, and ticks at 50 Hz of the steady clock.

It is a process of its own, without torch, ONNX or PyBullet, and a plain node that nothing
deactivates. `critic_inputs` makes its subscriptions. In lock-step it does not tick: it answers
each frame when all messages that the robot file requires have arrived, and subscribes to neither
teleop commands nor optional sensors. If two critics run, only the one that started first sends
commands.
"""

import sys
import time

from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.node import Node
from std_srvs.srv import Trigger

from ami_ros import __version__
from ami_ros.core.durable_state import state_folder_or_temporary
from ami_ros.core.errors import AmiError
from ami_ros.core.rate_monitor import HealthSettings, Pulse
from ami_ros.core.share_directory import share
from ami_ros.core.types import Verdict
from ami_ros.critic.audit.event_selection import Auditor
from ami_ros.critic.audit.log import AuditLog, FOLDER
from ami_ros.critic.critic import Critic, still
from ami_ros.critic.safety_policy.policy_loader import Policy, read
from ami_ros.critic.stop_latch import Latch
from ami_ros.host.realtime_priority import pass_on, take_priority, take_short_turns
from ami_ros.nodes import cdr_reader, parameters, ros_time_check, topic_endpoint_check, topics
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes.critic_inputs import CriticInputs
from ami_ros.nodes.critic_settings import check_together, GROUPS, NodeSettings
from ami_ros.nodes.duplicate_critic_check import LISTEN_S, NAMESAKE_S, OtherCritics
from ami_ros.nodes.lifecycle import alive, BEAT_S
from ami_ros.nodes.run import IDLE_S, run
from ami_ros.nodes.trace_critic import IDLE_S as TRACE_S
from ami_ros.nodes.trace_critic import traced
from ami_ros.nodes.type_narrowing import of_kind
from ami_ros.recording.trace_records import SAID, Told
from ami_ros.robots.find_robot import find

TICK_HZ = 50
PERIOD_NS = 10**9 // TICK_HZ
STATUS_S = 0.5
COMPANY_S = 1.0             # how often it looks who else is on its topics
KEPT_STOPPING_S = 0.2       # at the end: how long the last zero is waited for
HASHED = 12                 # hex digits of the policy's hash that a verdict bears


def policy(where: str) -> Policy:
    """Read a policy file; ValueError names what is missing, unknown or out of range."""
    return read(share(where))


class CriticNode(Node):
    """Converts in, asks the critic, converts out; sole publisher of cmd_vel."""

    def __init__(self):
        super().__init__('critic', **parameters.FROM_FILE)
        made = parameters.declare(self, GROUPS)
        s = self.settings = of_kind(made[''], NodeSettings)
        self.robot = find(s.robot)
        chosen = policy(s.safety_policy)
        check_together(self, self.robot, chosen, s.enable_stamped_cmd_vel)
        for group, numbers in chosen.groups.items():    # 'safety_policy' names the file
            parameters.show(self, group, numbers)
        folder, self.homeless = state_folder_or_temporary(s.state_dir, self.get_namespace())
        eager = s.use_realtime_priority and not s.lock_step
        # writers of its priority: who held the interpreter and had to wait would hold up the ticks
        begin = take_priority if eager else lambda: None
        self.critic = Critic(chosen, self.robot, Latch(folder, begin))
        if self.critic.latch.taken:
            raise AmiError(f'another critic runs: it keeps its latch in {folder}. A robot has '
                           'one critic; end that one, or give this one a namespace and a '
                           'parameter state of its own')
        self.auditor = Auditor(AuditLog(folder / FOLDER, begin=begin))
        self.tell_found()
        self.tracing = traced(self, chosen, made)
        self.made, self.pulse = made, Pulse()
        self.judging_s = 0.0                    # since the last tick
        self.due_ns = time.monotonic_ns()       # the next tick
        self.verdict = Verdict(still(0), 'stop')        # the newest
        self.told: tuple = ()
        self.who = alive()
        self.others = OtherCritics(self.get_fully_qualified_name(), self.who)
        self.commanding, self.exit_code = s.lock_step, 0    # whether it publishes cmd_vel
        self.began_s = time.monotonic()
        self.besides = self.mistyped = ''       # who else commands, who will not be understood
        command, hand, foreign = (topics.command(s.enable_stamped_cmd_vel, row)
                                  for row in (topics.COMMAND, topics.HAND, topics.FOREIGN))
        self.spoken = (command, hand) if s.command_source == 'plan' else (command, hand, foreign)
        self.commands = self.create_publisher(*command.publisher())
        self.verdicts = self.create_publisher(*topics.VERDICT.publisher())
        self.diagnostics = self.create_publisher(*topics.DIAGNOSTICS.publisher())
        self.inputs = CriticInputs(self, hand, foreign)
        self.create_service(*topics.CRITIC_RESET.server(self.on_reset))
        steady = Clock(clock_type=ClockType.STEADY_TIME)        # ticks also when /clock stands
        self.create_timer(BEAT_S, self.beat, clock=steady)
        self.create_timer(COMPANY_S, self.look_around, clock=steady)
        take_short_turns()      # for who gets no priority; it has nothing to wait for long
        self.priority = take_priority() if eager else 'not requested'
        if self.priority and eager:
            self.get_logger().warning(self.priority)
        self.auditor.begun(self.critic.latch.closed, chosen.hash,
                           safety_policy_file=s.safety_policy,
                           robot=s.robot, rules=list(chosen.rules),
                           command_source=s.command_source,
                           lock_step=s.lock_step, priority=self.priority or 'real-time',
                           version=__version__)
        if not s.lock_step:
            self.create_timer(STATUS_S, self.on_status, clock=steady)
            self.create_subscription(*topics.DIAGNOSTICS.subscriber(self.on_life), raw=True)

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

    def on_life(self, raw: bytes) -> None:
        """Hear whether another critic commands the wheels."""
        if len(raw) <= cdr_reader.LONGEST_STATUS and b'commands' in raw:
            try:
                for health in convert.health_from(cdr_reader.status(raw)):
                    self.others.hear(health, time.monotonic())
            except ValueError:
                return          # of somebody else; a critic's is well formed
            self.yield_to_others()

    def yield_to_others(self) -> None:
        """End where another critic began first; stop the robot until another one has ended."""
        other = self.others.other(time.monotonic())
        if other and not (self.commanding and self.others.began_first()):
            self.get_logger().fatal(f'{other} commands the wheels; a robot has one critic, so '
                                    'this one ends')
            self.done, self.exit_code = True, 1
        if other != self.critic.other:
            self.critic.stand_by(other)

    def begin_to_command(self, listened_s: float) -> None:
        """Command the wheels once no other critic was heard for long enough."""
        namesake = listened_s < NAMESAKE_S and self.get_fully_qualified_name() in (
            topic_endpoint_check.others(self, self.spoken[0]))
        if listened_s >= LISTEN_S and not namesake and not getattr(self, 'done', False):
            self.commanding = True
            self.beat()

    def on_status(self) -> None:
        """Say it again for whoever came late."""
        self.told = ()

    def judge(self, frame_ns: int | None = None) -> tuple[Verdict, float]:
        """Ask the critic; return its verdict and the milliseconds that it took."""
        begun = time.perf_counter()
        now = self.now() if frame_ns is None else (frame_ns, frame_ns)
        self.inputs.notice_pause()      # also one since this turn began
        verdict = self.critic.judge(*now)
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
        if verdict.action != 'stop' and self.inputs.notice_pause():
            verdict, took_ms = self.judge()     # it was suspended after it had judged
        if self.commanding:
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
                verdict, judge_ms=f'{took_ms:.4f}', unreadable=self.inputs.wrong,
                teleop_refused=self.critic.drivers.refused, others=self.besides,
                mistyped=self.mistyped, policy=self.critic.policy.hash[:HASHED],
                allowed=','.join(allowed), unwritten=self.unwritten()))

    def unwritten(self) -> str:
        """Say what cannot be kept on disk; '' where all can."""
        return '; '.join(filter(None, (self.homeless, self.critic.latch.wrong,
                                       self.auditor.log.wrong)))

    def tell_found(self) -> None:
        """Say at the start what was found latched, and what cannot be kept."""
        for rule, reason in self.critic.latch.closed.items():
            self.get_logger().warning(f'the critic starts latched by {rule}: {reason}; call '
                                      'critic/reset')
        for wrong in filter(None, (self.homeless, self.critic.latch.wrong)):
            self.get_logger().error(wrong)

    def look_around(self) -> None:
        """See who else commands the wheels, and whose twists are of another type."""
        pass_on()               # threads of the middleware come and go
        self.besides = ', '.join(topic_endpoint_check.others(self, self.spoken[0]))
        self.mistyped = '; '.join(filter(None, (
            *(topic_endpoint_check.mistyped(self, row) for row in self.spoken),
            *(topic_endpoint_check.unheard(self, row) for row in (topics.PLAN, topics.STATUS)),
            topic_endpoint_check.deaf(self, self.spoken[0]))))
        self.auditor.company(self.besides)
        if self.besides:
            self.get_logger().error(f'{self.besides} commands the wheels past the critic',
                                    throttle_duration_sec=5.0)
        if self.mistyped:
            self.get_logger().error(self.mistyped, throttle_duration_sec=5.0)

    def beat(self) -> None:
        """Give a sign of life, once it commands the wheels."""
        if not self.commanding:
            return
        self.yield_to_others()
        last, permit = self.verdict, self.critic.drivers.permit
        wrong = (f'{self.besides} commands the wheels past the critic' if self.besides
                 else ros_time_check.trouble(self) or self.mistyped or self.inputs.wrong
                 or self.unwritten())
        self.auditor.unwritten(self.critic.latch.wrong)
        health = convert.Health(
            self.get_fully_qualified_name(), 2 if self.besides else 1 if wrong else 0,
            wrong or 'working',
            {'state': 'active', **self.who, **self.others.said(self.commanding),
             'action': last.action, 'rule': last.rule,
             'source': last.source, 'policy': self.critic.policy.hash,
             'latched': ','.join(self.critic.latch.closed), 'mode': permit.mode if permit else '',
             'run': permit.run if permit else '', 'silent': ','.join(last.silent),
             'others': self.besides, 'priority': self.priority or 'real-time',
             'unwritten': self.unwritten(), 'audit': self.auditor.log.known(),
             **self.pulse.said(time.monotonic(),
                              of_kind(self.made['health'], HealthSettings)),
             **{f'count.{what}': str(n) for what, n in sorted(self.critic.counts.items())}})
        self.diagnostics.publish(
            convert.health_message(health, self.get_clock().now().nanoseconds))

    def turn(self) -> float:
        """Tick when it is due, else write down what was judged; return the idle time.

        No timer of the executor ticks: that one waits in another thread, which has not our
        priority, so that a tick was as late as anybody's. Ticks keep their grid.
        """
        self.inputs.notice_pause()
        if not self.commanding:
            self.begin_to_command(time.monotonic() - self.began_s)
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
