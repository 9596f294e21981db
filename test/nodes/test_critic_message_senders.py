# SPDX-License-Identifier: Apache-2.0
"""Who speaks to the critic, when it was sent, and how much of it: with real processes."""

from dataclasses import replace
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

from ami_ros.core.types import Command, Plan, Verdict
from ami_ros.critic.multi_publisher_switch import MultiPublisherSwitch
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.critic_inputs import CriticInputs
from ami_ros.nodes.critic_node import CriticNode
from ami_ros.robots.find_robot import find
from ami_ros.robots.sensor import Sensor
from ami_ros.validation.stack.processes import ROVER
from geometry_msgs.msg import Twist
import numpy as np
import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from test_critic_node import (
    ahead,
    beats,
    commands,
    critic,
    drive,
    hand,
    mode,
    moves,
    OUT,
    readings,
    verdicts,
)

assert critic       # the fixture
LOSSY = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
PULSE_S = 0.003


@pytest.fixture
def another(bench, tmp_path):
    """Start a critic besides that of the bench; it writes into a log of its own."""
    started = []

    def start(env=None, **parameters):
        with open(tmp_path / 'another.log', 'w') as log:
            given = [word for key, value in {**ROVER['critic'], **parameters}.items()
                     for word in ('-p', f'{key}:={value}')]
            started.append(subprocess.Popen(
                [sys.executable, *bench.processes.programs['critic'], '--ros-args', *given],
                env=env or bench.processes.environment(), stdin=subprocess.DEVNULL, stderr=log,
                stdout=log))
        return started[-1]
    start.log = tmp_path / 'another.log'
    yield start
    for child in started:
        child.kill()
        child.wait()


def test_one_plan_of_2033_or_of_another_run_silences_nobody(critic):
    bench = critic()
    drive(bench, moves)
    year = time.time_ns() + 7 * 365 * 86400 * 10**9
    for start_ns, run, v in ((year, 'r', 0.1), (year, 'r', float('nan')), (year, 'x', 0.1),
                             (time.time_ns(), 'x', 0.1)):
        bench.say(topics.PLAN, convert.plan_message(
            Plan(np.tile([v, 0.0], (4, 1)), 0.25, start_ns, 1, run, 1)))
        bench.settle()
        drive(bench, moves)
    seen = len(beats(bench))
    counts = bench.until(lambda: len(beats(bench)) > seen and beats(bench)[-1].values, 'counts')
    for what, count in (('of_other_run', 2), ('from_the_future', 1), ('unsound', 0)):
        assert int(counts.get(f'count.plan_{what}', 0)) == count, counts


def test_stopped_is_not_left_by_a_permit_of_before(critic):
    bench = critic(topics.HAND)
    drive(bench, moves)
    drive(bench, lambda v: v.mode == 'stopped', 'stopped')
    old = time.time_ns() - 3600 * 10**9

    def replayed():
        mode(bench, old, 'manual')
        hand(bench, 0.1)
        readings(bench, time.time_ns())
        return next((v for v in verdicts(bench) if v.source == 'teleop' and 'refused' in v.reason),
                    None)
    bench.heard[topics.VERDICT.name].clear()
    bench.heard[topics.COMMAND.name].clear()
    stop = bench.until(replayed, 'a refused permit')
    assert 'configurator/reset; a motion enable was refused: its stamp is 3' in stop.reason
    assert set(map(tuple, commands(bench))) == {(0.0, 0.0)}
    drive(bench, lambda v: v.mode == 'idle', 'idle')


def test_an_emergency_stop_is_released_by_who_pressed_it(critic):
    bench = critic(topics.E_STOP)
    other = bench.node.create_publisher(*topics.E_STOP.publisher())
    bench.until(lambda: other.get_subscription_count() >= 2, 'the second switch being heard')
    bench.settle()
    drive(bench, moves)
    bench.say(topics.E_STOP, Bool(data=True))
    drive(bench, lambda v: v.latch)
    for _ in range(50):
        other.publish(Bool(data=False))
    said = drive(bench, lambda v: '1 of 2 publishers' in v.reason, what='who is missing',
                 more=lambda: other.publish(Bool(data=False)))
    assert said.reason.startswith('e_stop e_stop is active; 1 of 2 publishers are known')
    refused = bench.ask(topics.CRITIC_RESET, Trigger.Request())
    assert not refused.success and '1 of 2 publishers' in refused.message
    bench.until(lambda: bench.say(topics.E_STOP, Bool(data=False)) or other.publish(
        Bool(data=False)) or any('latched until' in v.reason for v in verdicts(bench)[-1:]),
        'free, as both say')
    assert bench.ask(topics.CRITIC_RESET, Trigger.Request()).success


FALSES = """import sys, time, rclpy
from rclpy.serialization import serialize_message
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import Bool
rclpy.init()
node = rclpy.create_node('repeats')
out = node.create_publisher(Bool, 'e_stop', QoSProfile(depth=10))
while not out.get_subscription_count(): time.sleep(0.01)
print('ready', flush=True)
while True:
    out.publish(Bool(data=False)); time.sleep(0.005)"""


@pytest.mark.parametrize('repeats', [False, True], ids=['alone', 'beside 200 Hz of false'])
@pytest.mark.parametrize('qos', [topics.RELIABLE_10, LOSSY], ids=['reliable', 'best effort'])
def test_a_pulse_of_the_emergency_stop_latches_also_in_a_critic_that_is_suspended(
        critic, qos, repeats):
    button = replace(topics.E_STOP, qos=qos)
    bench = critic(button)
    beside = None
    if repeats:
        beside = subprocess.Popen([sys.executable, '-c', FALSES], stdout=subprocess.PIPE,
                                  env=os.environ)
        assert beside.stdout.readline() == b'ready\n'
    try:
        for suspended_s in (0.0, 0.1, 0.3):
            drive(bench, moves, what=f'motion before {suspended_s}')
            if suspended_s:
                os.kill(bench.child.pid, signal.SIGSTOP)
            bench.say(button, Bool(data=True))
            time.sleep(PULSE_S)         # how long it is pressed is what is tried here
            bench.say(button, Bool(data=False))
            time.sleep(suspended_s)
            continued_ns = time.time_ns()
            os.kill(bench.child.pid, signal.SIGCONT)
            drive(bench, lambda v: v.latch, what=f'a latch after {suspended_s} s')
            if suspended_s > 0.2:
                late = [m for m in bench.heard[topics.COMMAND.name]
                        if convert.nanoseconds(m.header.stamp) > continued_ns]
                assert not any(m.twist.linear.x for m in late), 'it moved before'
            if beside:
                bench.say(button, Bool(data=False))

            def free():
                bench.say(button, Bool(data=False))
                return any('latched until' in v.reason for v in verdicts(bench)[-1:])
            bench.until(free, 'the switch being free')
            assert bench.ask(topics.CRITIC_RESET, Trigger.Request()).success
            drive(bench, lambda v: v.mode == 'idle', 'idle')
    finally:
        if beside:
            beside.kill()
            beside.wait()


class Interrupted:
    """A critic node of which each step is written down, and which is suspended after one."""

    def __init__(self, after):
        self.after, self.steps, self.paused = after, [], False
        self.inputs, self.critic, self.judging_s, self.commanding = self, self, 0.0, False
        self.verdict = self.told = None

    def step(self, name):
        """Note a step; the process is suspended right after it, once."""
        self.steps.append(name)
        if name == self.after:
            self.paused, self.after = True, None

    def now(self):
        """Return an instant."""
        self.step('now')
        return 5, 5

    def notice_pause(self):
        """Return whether it was suspended since this was asked last."""
        paused, self.paused = self.paused, False
        self.held = getattr(self, 'held', False) or paused
        self.step('notice')
        return paused

    def judge(self, *now):
        """Be the critic, called with an instant, and the node, called without one."""
        if not now:
            return CriticNode.judge(self)
        action = 'stop' if self.held else 'go'
        self.step('judged')
        return Verdict(Command(0.0 if self.held else 0.5, 0.0), action, 'guard', '')


@pytest.mark.parametrize('after', ['before', 'now', 'judged'])
def test_a_suspension_at_any_point_of_a_turn_is_noticed_before_a_command_is_sent(after):
    node = Interrupted(after)
    node.step('before')         # its turn has begun
    sent = []
    node.auditor = SimpleNamespace(judged=lambda verdict, *_: sent.append(verdict.action))
    node.latch = SimpleNamespace(closed={})
    node.drivers = SimpleNamespace(permit=None)
    verdict, took_ms = CriticNode.judge(node)
    node.told = ('stop', 'guard', '', '', (), False)
    node.verdicts = SimpleNamespace(publish=lambda msg: None)
    CriticNode.say(node, verdict, took_ms)
    assert sent == ['stop']


class Listener:
    """A critic node of which the pauses are written down."""

    def __init__(self, lock_step=False):
        self.settings = SimpleNamespace(lock_step=lock_step)
        self.pauses = []
        self.critic = SimpleNamespace(suspended=lambda s, now_ns: self.pauses.append(s))
        said = SimpleNamespace(warning=lambda text, **_: None, error=lambda text, **_: None)
        self.get_logger = lambda: said
        self.get_clock = lambda: SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=1))


def inputs(node):
    """Return inputs without subscriptions, of a robot whose switch is free."""
    made = CriticInputs.__new__(CriticInputs)
    made.node, made.settings, made.unreadable = node, node.settings, {}
    made.senders, made.free, made.delayed_ns = {'button': MultiPublisherSwitch()}, {}, 0
    return made


def test_of_many_messages_that_say_free_one_is_read_and_each_that_says_pressed():
    heard, switch = inputs(Listener()), Sensor(
        name='button', kind='e_stop', topic='e_stop', required=False, hz=0.0, active=True)
    read = []

    def take(on, cut=0, where=heard):
        raw = bytes(serialize_message(Bool(data=on)))
        raw = raw[:len(raw) - cut]
        if not where.repeats('button', raw):
            read.append(on)
            where.on_reading(switch, raw, len(read), 0, [1])
            where.remember('button', raw)

    heard.robot = find('rover')
    heard.node.critic.on_switch = heard.node.critic.forget = lambda said: None
    heard.node.say = lambda *said: None
    heard.node.judge = lambda: ()
    for _ in range(1000):
        take(False)
    assert 1 <= len(read) < 10
    for _ in range(10):
        take(True)
    assert read[-10:] == [True] * 10 and heard.senders['button'].pressed
    before = len(read)
    take(False)         # it releases, and is the one that is known from now on
    take(False)
    assert len(read) == before + 1 and not heard.senders['button'].pressed
    heard.free['button'] = heard.free['button'][0], heard.free['button'][1] - 20_000_000
    take(False)
    assert len(read) == before + 2      # what is known is known for 20 ms
    take(False, cut=4)
    assert len(read) == before + 3 and 'button' in heard.unreadable
    take(False)
    assert len(read) == before + 4      # nothing is known after what cannot be read


def test_messages_of_a_switch_that_wait_stop_the_robot():
    node = Listener()
    heard = inputs(node)
    for received_ns in (None, 0, time.time_ns(), time.time_ns() + 10**9):
        heard.notice_delay(received_ns)
    assert node.pauses == []
    heard.notice_delay(time.time_ns() - 300_000_000)
    assert node.pauses == [pytest.approx(0.3, abs=0.1)]
    for _ in range(100):
        heard.notice_delay(time.time_ns() - 300_000_000)
    assert len(node.pauses) < 10        # and not a hundred times
    in_step = Listener(lock_step=True)
    inputs(in_step).notice_delay(time.time_ns() - 300_000_000)
    assert in_step.pauses == []


def test_what_waited_while_it_was_suspended_moves_nothing(bench):
    """A twist bears no stamp: nothing but its arrival says how old it is."""
    twist = topics.command(False, topics.FOREIGN)
    child = bench.start('critic', command_source='twist', enable_stamped_cmd_vel=False)
    command = topics.command(False)
    needs = (twist, topics.SCAN, topics.ODOMETRY, topics.CAMERA, topics.STATUS)
    bench.hear(command, topics.VERDICT, topics.DIAGNOSTICS)
    bench.offer(*needs)
    bench.met(*needs, command, topics.VERDICT)
    asks = Twist()
    asks.linear.x = 0.1

    def again():
        readings(bench, time.time_ns())
        bench.say(twist, asks)
        return any(msg.linear.x > 0 for msg in bench.heard[command.name])
    bench.until(again, 'motion')
    bench.until(lambda: bench.heard[command.name][-1].linear.x == 0, 'silence')
    os.kill(child.pid, signal.SIGSTOP)
    bench.say(twist, asks)
    bench.heard[command.name].clear()
    time.sleep(0.5)
    os.kill(child.pid, signal.SIGCONT)

    def well():
        readings(bench, time.time_ns())     # all but the planner, which fell silent
        return len(bench.heard[command.name]) > 60
    bench.until(well, 'a second of ticks')
    assert all(msg.linear.x == 0 for msg in bench.heard[command.name])
    assert int(beats(bench)[-1].values['count.suspended']) >= 1
    bench.heard[command.name].clear()
    bench.until(again, 'motion, asked for anew')


@pytest.mark.parametrize('own_state', [False, True], ids=['same folder', 'own folder'])
def test_a_second_critic_commands_nothing_and_the_first_drives_on(critic, another, own_state,
                                                                  tmp_path):
    bench = critic()
    drive(bench, moves)
    child = another(**{'state_dir': tmp_path / 'other'} if own_state else {})
    while child.poll() is None:
        drive(bench, moves)
    assert child.returncode == 1
    assert ('commands the wheels; a robot has one critic, so this one ends' if own_state
            else 'another critic runs: it keeps its latch in') in another.log.read_text()
    drive(bench, moves)
    assert {beat.values['pid'] for beat in beats(bench)} == {str(bench.child.pid)}


def test_of_two_that_command_the_one_that_began_last_ends(critic, another, tmp_path):
    """The first one was suspended when the second one began, so that nobody heard it."""
    bench = critic()
    drive(bench, moves)
    os.kill(bench.child.pid, signal.SIGSTOP)
    second = another(state_dir=tmp_path / 'other')
    bench.until(lambda: any(b.values['pid'] == str(second.pid) for b in beats(bench)),
                'a sign of life of the second')
    os.kill(bench.child.pid, signal.SIGCONT)
    bench.until(lambda: second.poll() is not None, 'the end of the second')
    assert second.returncode == 1
    drive(bench, moves)


def test_a_hand_that_is_heard_best_effort_moves_it_and_a_plan_that_is_not_heard_is_told(critic):
    bench = critic(replace(topics.HAND, qos=LOSSY))
    drive(bench, lambda v: v.source == 'teleop' and v.command.values[0] < 0, 'manual',
          more=lambda: hand(bench))
    bench.node.create_publisher(topics.PLAN.type, topics.PLAN.name, LOSSY)
    told = bench.until(lambda: next((b for b in beats(bench) if 'actor/plan' in b.message), None),
                       'a plan that cannot be heard')
    assert told.level == 1 and told.message == (
        '/test offers actor/plan best effort and volatile, the critic asks for reliable and '
        'volatile: no message is delivered')


def test_without_a_clock_and_with_one_before_zero_it_says_so_and_lives(critic):
    bench = critic(topics.CLOCK, use_sim_time=True)

    def tell():
        now = time.time_ns()
        readings(bench, now)
        mode(bench, now)
        bench.say(topics.PLAN, ahead(now))
        return next((v for v in verdicts(bench) if 'nobody publishes /clock' in v.reason), None)
    stop = bench.until(tell, 'no clock')
    assert stop.reason.startswith('ROS time is 0: use_sim_time is true')
    bench.until(lambda: 'nobody publishes /clock' in beats(bench)[-1].message, 'a warning')
    before = Clock()
    before.clock.sec = -5
    told = bench.until(lambda: bench.say(topics.CLOCK, before) or next(
        (b for b in beats(bench) if b.message.startswith('/clock has the invalid time -5 s')),
        None), 'why')
    assert told.level == 1 and bench.child.poll() is None

    def run():
        now = time.time_ns()
        bench.say(topics.CLOCK, Clock(clock=convert.time(now)))
        readings(bench, now)
        mode(bench, now)
        bench.say(topics.PLAN, ahead(now))
        return moves(verdicts(bench)[-1])
    bench.until(run, 'motion, once there is a clock')


@pytest.mark.parametrize('home', [None, '/proc/nowhere'], ids=['none', 'not writable'])
def test_without_a_home_that_can_be_written_it_starts_and_says_so(bench, another, home, tmp_path):
    env = {key: value for key, value in bench.processes.environment().items()
           if key not in ('ROS_LOG_DIR', 'ROS_HOME', 'HOME')}
    another(env if home is None else {**env, 'HOME': home}, state_dir=tmp_path / 'state')
    bench.hear(*OUT)
    bench.until(lambda: beats(bench), 'a sign of life')
    assert 'Set HOME, ROS_HOME or ROS_LOG_DIR to a folder' in another.log.read_text()


def longest_silence_s(bench):
    """Send every input broken and endless, a hundred a second; return the longest gap of cmd_vel.

    By the stamps of the commands: the test itself is slower than the critic.
    """
    rng, stamps = np.random.default_rng(1), []
    row = replace(topics.COMMAND, qos=QoSProfile(depth=2000))
    commands = bench.node.create_subscription(*row.subscriber(
        lambda msg: stamps.append(convert.nanoseconds(msg.header.stamp))))
    bench.settle()
    end = time.monotonic() + 5.0
    while time.monotonic() < end:
        now = time.time_ns()
        readings(bench, now, ranges=lambda: rng.choice(
            [0.0, 1e-30, 1e30, -1.0, np.nan, np.inf, -np.inf], 180 * int(rng.integers(1, 9))))
        bench.say(topics.PLAN, convert.plan_message(Plan(
            np.full((int(rng.integers(1, 900)), 2), 1e300), 1e-3, now, 1, 'r', 1)))
        bench.say(topics.STATUS, convert.health_message(convert.Health('x', values={
            str(n): 'v' for n in range(int(rng.integers(0, 3000)))}), now))
        bench.say(topics.HAND, convert.command_message(Command(np.full(2, 1e300), now)))
        bench.executor.spin_once(timeout_sec=0.01)
    bench.settle()
    bench.node.destroy_subscription(commands)
    return np.diff(stamps).max() / 1e9 if len(stamps) > 200 else np.inf


def test_no_message_silences_cmd_vel_for_long(critic):
    bench = critic(topics.HAND)
    drive(bench, moves)
    silences = []
    while min(silences, default=1.0) >= 0.1 and len(silences) < 3:
        silences.append(longest_silence_s(bench))   # a busy machine makes it longer, not shorter
    assert min(silences) < 0.1, f'longest silences of three tries: {silences} s'
    drive(bench, lambda v: v.source == 'teleop' and moves(v), 'manual',
          more=lambda: hand(bench, 0.1))
