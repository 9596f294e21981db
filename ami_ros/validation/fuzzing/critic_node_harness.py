# SPDX-License-Identifier: Apache-2.0
"""A real critic node at a desk: messages are handed to its callbacks, at a time that we make up.

Everything but the network and the clock is the node's own; what it commands is caught where it
publishes. All of a run follows from its seed.
"""

from array import array
import copy
import math
from pathlib import Path
import time
import traceback
from types import SimpleNamespace
from typing import Any

from geometry_msgs.msg import Twist, TwistStamped
import numpy as np
import rclpy
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image, PointCloud2, PointField, Range
from std_msgs.msg import Bool, Header
from std_srvs.srv import Trigger
import yaml

from ami_ros.core.share_directory import share
from ami_ros.core.types import Command, Plan
from ami_ros.nodes import critic_inputs, critic_node
from ami_ros.nodes import message_conversions as convert
from ami_ros.validation.benchmarks.critic_tick_scenario import FurnishedRoom
from ami_ros.validation.fuzzing import corruptions
from ami_ros.validation.fuzzing.corruptions import one
from ami_ros.validation.fuzzing.oracle import Oracle

MORE = """
  - {name: front, kind: bumper, topic: bumper, required: true, hz: 10.0, active: true, side: front}
  - {name: edge, kind: cliff, topic: cliff, required: false, hz: 10.0, active: false}
  - {name: button, kind: e_stop, topic: button, required: false, hz: 0.0, active: true}
  - {name: sonar, kind: Range, topic: sonar, required: false, hz: 20.0, link: laser,
     range_m: [0.1, 4.0], no_return: .inf}
  - {name: depth, kind: PointCloud2, topic: points, required: false, hz: 20.0, link: laser,
     range_m: [0.1, 5.0], height_m: [0.05, 0.4]}
"""
# name: robot, policy, input of the node
DESKS = {'rover': ('rover', 'rover', 'plan'), 'everything': ('everything', 'strict', 'plan'),
         'foreign': ('rover', 'rover', 'twist')}
TICK_NS = 20_000_000
BLOCK = 500             # ticks between two new critics: what is latched by counts ends there
EVERY = {'odom': 2, 'imu': 2, 'bumper': 4, 'camera/image_raw': 4}      # ticks; others 4
SLOWEST_S = 0.25        # of the thread's own time, for one message: more is a hang


class MadeUpClock:
    """Both clocks, and the stopwatch of the node's own."""

    def __init__(self):
        self.ros, self.steady = 1_700_000_000 * 10**9, 5_000 * 10**9

    def monotonic_ns(self) -> int:
        """Stand for time.monotonic_ns."""
        return self.steady

    def monotonic(self) -> float:
        """Stand for time.monotonic."""
        return self.steady / 1e9

    def now(self):
        """Stand for the clock of a node."""
        return SimpleNamespace(nanoseconds=self.ros)

    @property
    def both(self) -> tuple[int, int]:
        """Return ROS and steady time."""
        return self.ros, self.steady


def robot_file(name: str, folder: Path) -> Path:
    """Write the file of a robot."""
    text = share('config/robots/rover.yaml').read_text()
    if name == 'everything':
        text = text.replace('required: false             # helps the belief only',
                            'required: true') + MORE
    path = folder / f'{name}.yaml'
    path.write_text(text)
    return path


class Desk:
    """One node, its clock, an oracle beside it, and how bad it got."""

    def __init__(self, name: str, seed: int, folder: Path):
        robot, policy, what = DESKS[name]
        self.name, self.rng, self.clock = name, np.random.default_rng(seed), MadeUpClock()
        path, numbers = robot_file(robot, folder), share(f'config/safety_policy/{policy}.yaml')
        (folder / 'state').mkdir(exist_ok=True)
        clock: Any = SimpleNamespace(
            monotonic_ns=self.clock.monotonic_ns, monotonic=self.clock.monotonic,
            perf_counter=time.perf_counter, time_ns=time.time_ns)
        critic_node.time = critic_inputs.time = clock
        given = {'robot': path, 'safety_policy': numbers, 'state_dir': folder / 'state',
                 'command_source': what,
                 'use_realtime_priority': 'false'}
        rclpy.init(args=['--ros-args', '--log-level', 'fatal', *(
            word for key, value in given.items() for word in ('-p', f'{key}:={value}'))])
        self.node = critic_node.CriticNode()
        self.node.get_clock = lambda: self.clock
        self.new, said = self.node.critic, yaml.safe_load(numbers.read_text())
        self.said = yaml.safe_load(path.read_text()), said['shared'], said['rules']
        self.foreign = what == 'twist'
        self.heard: dict = {}
        for sub in self.node.subscriptions:
            if sub.topic_name.strip('/') not in ('parameter_events', 'clock'):
                self.heard.setdefault(sub.topic_name.strip('/'), (sub.msg_type, []))[1].append(
                    (sub.callback, sub.raw))
        publish = self.node.commands.publish

        def watched(msg) -> None:
            self.watch(msg)
            publish(msg)

        self.node.commands = SimpleNamespace(
            publish=watched,
            wait_for_all_acked=self.node.commands.wait_for_all_acked)
        self.node.due_ns, self.node.commanding = 0, True
        self.room = FurnishedRoom(self.rng, 180)
        self.latest: tuple[str, Any] = '', ''
        self.pictures = self.rng.integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)
        self.sent, self.moved = 0, 0
        self.spoilt: dict = {}
        self.refused = 0
        self.crashes: list = []
        self.wrong: list = []
        self.slowest: list = []
        self.took: list = []
        self.begin()

    def begin(self) -> None:
        """Put a new critic into the node, and a new oracle beside it."""
        old = self.node.critic
        old.latch.open()
        self.node.critic = type(old)(old.policy, self.node.robot, old.latch)
        self.oracle = Oracle(*self.said, self.foreign)
        self.mode, self.wish = 'autonomous', (0.2, 0.0)
        self.pose: np.ndarray = np.zeros(3)
        self.run_id, self.ticks = f'run{self.rng.integers(9)}', 0
        self.before: dict = {}
        self.clock.steady += 100 * 10**9    # the hand of the last block is dead
        self.clock.ros += 100 * 10**9

    def end(self) -> None:
        """Leave the network, and let go of the folder of the latch."""
        self.node.critic.latch.end()
        self.node.destroy_node()
        rclpy.shutdown()

    def watch(self, msg) -> None:
        """Look at what goes to the wheels."""
        twist = getattr(msg, 'twist', msg)
        out = twist.linear.x, twist.angular.z
        others = twist.linear.y, twist.linear.z, twist.angular.x, twist.angular.y
        why = self.oracle.why_not(*out, self.clock.both)
        if any(others):
            why = f'other axes move: {others}'
        if why:
            self.wrong.append({'desk': self.name, 'why': why, 'out': list(map(str, out)),
                               'sent': self.sent, 'after': self.newest()})
        self.moved += any(out)
        self.oracle.on_command(out, self.clock.ros)

    def good(self, topic: str):
        """Make the message that a sound robot would send now."""
        kind, now = self.heard[topic][0], self.clock.ros
        if topic == 'actor/plan':
            knots = np.tile(self.wish, (4, 1))
            return convert.plan_message(Plan(knots, 0.25, now, now, self.run_id, 1))
        if topic == 'configurator/status':
            return convert.health_message(convert.Health('/configurator', values={
                'mode': self.mode, 'run': self.run_id}), now)
        if topic == 'scan':
            x, y, yaw = self.pose
            return convert.scan_message(now, self.room.ranges(complex(x, y), yaw),
                                        self.room.angles, (0.08, 8.0))
        if topic == 'odom':
            return convert.odometry_message(now, self.pose, np.array(self.oracle.last))
        if topic == 'imu':
            return convert.imu_message(now, np.zeros(3), np.array([0.0, 0.0, 9.81]))
        if topic == 'diagnostics':
            return convert.health_message(convert.Health('/mind', values={'commands': '0'}), now)
        if kind is Bool:
            return Bool(data=topic == 'cliff')
        if kind is Range:
            return Range(header=Header(stamp=convert.time(now), frame_id='laser'), range=3.0,
                         field_of_view=0.5)
        if kind is PointCloud2:
            fields = [PointField(name=n, offset=4 * k, datatype=7, count=1)
                      for k, n in enumerate('xyz')]
            points = self.rng.normal(0, 2, (40, 3)).astype('<f4')
            return PointCloud2(
                header=Header(stamp=convert.time(now), frame_id='laser'), height=1, width=40,
                fields=fields, point_step=12, row_step=480, data=array('B', points.tobytes()))
        if kind is Image:
            return convert.image_message(self.pictures[self.ticks // 4 % 8], now)
        if kind in (Twist, TwistStamped):
            return convert.command_message(Command(np.array(self.wish), now),
                                           kind is TwistStamped)
        return kind()

    def tell(self, topic: str, msg, raw: bytes | None = None) -> bool:
        """Hand a message to the node, and to the oracle first; return whether somebody heard it.

        Who asked for bytes gets them as they are, others what the middleware makes of them.
        """
        kind, listeners = self.heard[topic]
        if raw is not None:
            try:
                msg = deserialize_message(raw, kind)
            except Exception:       # the middleware drops it
                msg = None
        if msg is not None:
            self.to_oracle(topic, msg)
        listeners = [one for one in listeners if one[1] or msg is not None]
        self.latest = topic, raw if msg is None else msg
        self.timed(topic, lambda: [
            listener(copy.copy(msg)) if not as_bytes else
            listener(serialize_message(msg) if raw is None else raw)
            for listener, as_bytes in listeners])
        return bool(listeners)

    def timed(self, what: str, work) -> None:
        """Let the node work; note a crash, and how long it took."""
        begun = time.thread_time()
        try:
            work()
        except Exception:
            self.crashes.append({'desk': self.name, 'sent': self.sent, 'after': self.newest(),
                                 'traceback': traceback.format_exc()[-2000:]})
        took = time.thread_time() - begun
        self.took.append(took)
        if took > SLOWEST_S:
            self.slowest.append({'topic': what, 'cpu_s': round(took, 3),
                                 'after': self.newest()[:300]})

    def newest(self) -> str:
        """Say which message was the last."""
        topic, msg = self.latest
        return f'{topic}: {str(msg)[:1500]}'

    def to_oracle(self, topic: str, msg) -> None:
        """Let the oracle hear it."""
        now, of = self.clock.both, self.oracle
        name = next((s['name'] for s in self.said[0]['sensors'] if s['topic'] == topic), topic)
        if topic == 'actor/plan':
            of.on_plan(msg, now)
        elif topic == 'configurator/status':
            of.on_permit(msg, now)
        elif topic == 'cmd_vel_manual':
            of.on_teleop(msg, now)
        elif topic == 'cmd_vel_smoothed':
            of.on_foreign(msg, now)
        elif topic == 'diagnostics':
            return              # of no consequence but for another critic
        else:
            of.on_reading(name, msg, now)

    def tick(self, most: int) -> int:
        """Let 20 ms pass: what is good, what is spoilt, and the node's own tick."""
        rng, sent = self.rng, 0
        self.pass_time()
        if self.ticks % BLOCK == 0:
            self.begin()
        self.ticks += 1
        if rng.random() < 0.02:
            v, w = rng.normal(0, (0.3, 0.8))
            self.wish = float(v), float(w)
        if rng.random() < 0.005:
            self.mode = one(rng, ('autonomous', 'autonomous', 'manual', 'stopped', 'idle'))
        elif rng.random() < 0.05:
            self.mode = 'autonomous'
        for number, topic in enumerate(self.heard):
            hand = topic == 'cmd_vel_manual'
            if (self.ticks + number) % EVERY.get(topic, 4) == 0 and not (
                    hand and (self.ticks // 50) % 4 or topic in ('e_stop', 'button')):
                msg = self.good(topic)
                self.before[topic] = msg if rng.random() < 0.1 else self.before.get(topic, msg)
                self.tell(topic, msg)
        if self.ticks % 50 > 20:        # else it never moves
            for _ in range(int(rng.integers(1, most + 1))):
                sent += self.spoil(one(rng, list(self.heard)))
        if self.oracle.latched or self.node.critic.latch.closed:
            self.release()
        if self.oracle.taken and rng.random() < 0.1:
            self.arm()
        self.latest = 'a tick', ''
        self.timed('tick', self.node.tick_if_due)
        return sent

    def arm(self) -> None:
        """Name another mode, so that plans may move it again."""
        mode, self.mode = self.mode, 'manual'
        self.tell('configurator/status', self.good('configurator/status'))
        self.mode = mode

    def pass_time(self) -> None:
        """Let both clocks run; now and then one of them does something else."""
        rng = self.rng
        step = TICK_NS if rng.random() < 0.98 else int(rng.integers(0, 400_000_000))
        self.clock.steady += step
        self.clock.ros += step
        if rng.random() < 0.001:
            self.clock.ros += round(one(rng, (-1, 1)) * one(rng, corruptions.AWAY_S[:-1]) * 1e9)
        x, y, yaw = self.pose
        v, w = self.oracle.last
        away = step / 1e9 * v
        self.pose = np.array([x + away * math.cos(yaw), y + away * math.sin(yaw),
                              yaw + step / 1e9 * w])

    def spoil(self, topic: str) -> int:
        """Send one message that is not as it should be; return 1 where it could be sent."""
        rng = self.rng
        if rng.random() < 0.05 and topic in self.before:
            raw = serialize_message(self.before[topic])         # an old one again
        else:
            raw = corruptions.spoilt(self.good(topic), rng, self.clock.ros)
        if raw is None or not self.tell(topic, None, raw):
            self.refused += 1
            return 0
        self.spoilt[topic] = self.spoilt.get(topic, 0) + 1
        self.sent += 1
        return 1

    def release(self) -> None:
        """Say on every emergency stop that it is over, and ask for a reset."""
        for topic, (kind, _) in self.heard.items():
            if kind is Bool:
                self.tell(topic, Bool(data=topic == 'cliff'))
        service = next(s for s in self.node.services if s.srv_name.endswith('reset'))
        was, self.oracle.latched = self.oracle.latched, False   # it may move within the answer
        answer = service.callback(Trigger.Request(), Trigger.Response())
        self.oracle.latched = not answer.success and was
        self.arm()
