# SPDX-License-Identifier: Apache-2.0
"""
Inputs of the critic: every message as bytes of bounded size, in order of arrival.

A message that cannot be read counts as worse than none: what it should have told is taken for
missing. What came while the process was suspended is told apart from what comes now.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
import inspect
import time
import traceback

import numpy as np
from rclpy.subscription import Subscription

from ami_ros.core.errors import AmiError
from ami_ros.core.types import Plan, Switch
from ami_ros.critic.multi_publisher_switch import MultiPublisherSwitch
from ami_ros.critic.sensor_age_limits import heard
from ami_ros.nodes import cdr_reader, sensor_conversions, sensor_types, topics
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes.topics import Topic
from ami_ros.nodes.type_narrowing import present
from ami_ros.robots.robot import Robot
from ami_ros.robots.sensor import Sensor

PAUSE_S = 0.2       # without a turn for longer, it was suspended: ten ticks
REPEAT_NS = 20_000_000      # a switch that says again that it is free is read once in this time
LONGEST_REASON = 500        # characters of why a message cannot be read


def emergency_stop(robot: Robot) -> tuple[Sensor, ...]:
    """Return the switch that every robot has on `e_stop`, unless its file says one of its own."""
    if any(sensor.topic == topics.E_STOP.name for sensor in robot.sensors):
        return ()
    names = [sensor.name for sensor in robot.sensors]
    name = next(name for name in ('e_stop', 'e_stop_topic', 'e_stop_by_topic')
                if name not in names)
    return (Sensor(name=name, kind='e_stop', topic=topics.E_STOP.name, required=False, hz=0.0,
                   active=True),)


class WithInfo:
    """A callback that gets a message, its number among those of its publisher, and its arrival.

    Number and arrival (ns, system time, when the middleware had it) are None where rclpy does not
    tell them: it tells them to a callback of two arguments. Its events executor hands over both in
    one tuple (7.1); Humble hands over the message alone.
    """

    __signature__ = inspect.signature(lambda msg, info: None)

    def __init__(self, take: Callable):
        self.take = take

    def __call__(self, *given):
        """Take a message."""
        if len(given) == 1 and isinstance(given[0], tuple):
            given = given[0]
        msg, info = given if len(given) == 2 else (*given, {})
        said = info.get if isinstance(info, dict) else partial(getattr, info)
        self.take(msg, said('publication_sequence_number', None), said('received_timestamp', None))


class CriticInputs:
    """The subscriptions of the critic's node, and what they bring to its critic."""

    def __init__(self, node, hand: Topic, foreign: Topic):
        """Subscribe to all inputs of a CriticNode, which judges and says what comes of them."""
        self.node, self.settings, self.robot = node, node.settings, node.robot
        self.waiting: Plan | None = None        # lock-step: until the readings are there
        self.senders: dict[str, MultiPublisherSwitch] = {}
        self.unreadable: dict[str, str] = {}    # by topic: why its newest message cannot be read
        self.seen_ns = time.monotonic_ns()      # when it had its last turn
        self.delayed_ns = 0                     # when messages of a switch were last seen to wait
        self.free: dict[str, tuple[bytes, int]] = {}    # by switch: what said free, when read
        if self.settings.command_source == 'plan':
            self.hear(topics.PLAN, self.on_plan)
        else:
            self.hear(foreign, self.on_twist)
        self.hear(topics.STATUS, self.on_permit)
        self.awaited = [sensor.name for sensor in heard(self.robot)
                        if sensor.required and sensor_types.KINDS[sensor.kind].stamped]
        for sensor in (*heard(self.robot), *emergency_stop(self.robot)):
            if sensor.required or not self.settings.lock_step:
                self.hear_sensor(sensor)
        if not self.settings.lock_step:
            self.hear(hand, self.on_teleop)

    def hear(self, row: Topic, take: Callable, with_info: bool = False):
        """Subscribe to the bytes of a topic."""
        def taken(raw, *more) -> None:
            self.notice_pause()
            take(raw, *more)
        callback = WithInfo(taken) if with_info else lambda raw: taken(raw)
        return self.node.create_subscription(*row.subscriber(callback), raw=True)

    def hear_sensor(self, sensor: Sensor) -> None:
        """Subscribe to a sensor; an emergency stop is told apart by its publishers."""
        rows = sensor_types.rows(sensor)
        subscriptions: list[Subscription] = []
        if sensor.kind != 'e_stop':
            for row in rows:
                self.hear(row, partial(self.on_reading, sensor))
            return
        publishers = partial(self.node.get_publishers_info_by_topic, rows[0].name)
        self.senders[sensor.name] = MultiPublisherSwitch(
            lambda: frozenset(bytes(info.endpoint_gid) for info in publishers()))
        for queue, row in enumerate(rows):
            def take(raw, number, received_ns, queue=queue) -> None:
                self.notice_delay(received_ns)
                if not self.repeats(sensor.name, raw):
                    self.on_reading(sensor, raw, number, queue, [
                        subscription.get_publisher_count() for subscription in subscriptions])
                    self.remember(sensor.name, raw)
            subscriptions.append(self.hear(row, take, with_info=True))

    def remember(self, name: str, raw: bytes) -> None:
        """Keep the message of a switch that was just read if it said that the switch is free."""
        if self.senders[name].pressed or name in self.unreadable or self.settings.lock_step:
            self.free.pop(name, None)
        else:
            self.free[name] = raw, time.monotonic_ns()

    def repeats(self, name: str, raw: bytes) -> bool:
        """Tell whether a message says once more, and just after another, that a switch is free.

        A publisher may say so thousands of times a second; read one by one, these messages would
        delay the one that says pressed.
        """
        last, read_ns = self.free.get(name, (b'', 0))
        return raw == last and time.monotonic_ns() - read_ns < REPEAT_NS

    def notice_delay(self, received_ns: int | None) -> None:
        """Tell the critic that messages of a switch wait: one that says pressed may be behind."""
        waited_s = 0.0 if not received_ns else (time.time_ns() - received_ns) / 1e9
        now_ns = time.monotonic_ns()
        if (waited_s > PAUSE_S and not self.settings.lock_step
                and now_ns - self.delayed_ns > REPEAT_NS):
            self.delayed_ns = now_ns
            self.suspended(waited_s, now_ns)

    def suspended(self, seconds: float, now_ns: int) -> None:
        """Tell the critic that nothing was read for a while."""
        self.node.critic.suspended(seconds, now_ns)
        self.node.get_logger().warning(
            f'the critic read no messages for {seconds:.3f} s; it stops the robot until the '
            'delayed messages expire', throttle_duration_sec=1.0)

    def notice_pause(self) -> bool:
        """Tell the critic, and return, that nothing ran for a while: what waited is old."""
        now_ns = time.monotonic_ns()
        paused_s, self.seen_ns = (now_ns - self.seen_ns) / 1e9, now_ns
        paused = paused_s > PAUSE_S and not self.settings.lock_step
        if paused:
            self.suspended(paused_s, now_ns)
        return paused

    def ros_ns(self) -> int | None:
        """Return ROS time by which stamps are refused; None in lock-step, where none passes."""
        return None if self.settings.lock_step else self.node.get_clock().now().nanoseconds

    def on_plan(self, raw: bytes) -> None:
        """Judge at once; in lock-step as soon as the frame's readings are there."""
        plan = self.read('plan', lambda: convert.plan_from(cdr_reader.plan(raw)))
        if self.settings.lock_step:
            self.waiting = plan     # none at all names no frame that could be answered
            self.answer()
            return
        now_ns = present(self.ros_ns())
        if plan is None:            # nobody knows what it wanted; without knots it is a stop
            last = self.node.critic.drivers.plan
            run_id = last.run if last else ''
            plan = Plan(np.zeros((0, 2)), 1.0, now_ns, run=run_id)
        if self.node.critic.on_plan(plan, time.monotonic_ns(), now_ns):
            self.node.say(*self.node.judge(), anyway=True)
        else:
            self.tell_refused(self.node.critic.drivers.refused_plan)

    def answer(self) -> None:
        """Answer a plan once, in lock-step, when everything of its frame is there."""
        plan, said = self.waiting, self.node.critic.sensed()
        if plan is None or any(name not in said for name in self.awaited):
            return
        stamps = [said[name].stamp_ns for name in self.awaited]
        if all(stamp == plan.number for stamp in stamps):
            self.waiting = None
            self.node.critic.renew(plan.number)
            if self.node.critic.on_plan(plan, plan.number):
                self.node.say(*self.node.judge(plan.number), anyway=True)
        elif max(stamps) > plan.number:         # the body went on: that frame was answered
            self.waiting = None

    def on_twist(self, raw: bytes) -> None:
        """Judge what another planner wants at once; what cannot be read stops the robot."""
        now_ns = self.ros_ns()
        wish = self.read('twist', self.wish_of, raw, now_ns)
        if wish is None:
            wish = sensor_conversions.unreadable_wish(present(now_ns))
        if self.node.critic.on_twist(wish, time.monotonic_ns(), now_ns):
            self.node.say(*self.node.judge())
        else:
            self.tell_refused(self.node.critic.drivers.refused_plan)

    def on_teleop(self, raw: bytes) -> None:
        """Judge a person's wish at once; what is none, or cannot be read, is told."""
        now_ns = self.node.get_clock().now().nanoseconds
        wish = self.read('teleop', self.wish_of, raw, now_ns)
        if wish is None:
            return
        if self.node.critic.on_teleop(wish, now_ns, time.monotonic_ns()):
            self.node.say(*self.node.judge())
        else:
            self.tell_refused(f'{self.node.critic.drivers.refused}; are the clocks in step?')

    def wish_of(self, raw: bytes, now_ns: int):
        """Open a twist, stamped or not."""
        kind = self.node.spoken[0].type
        return sensor_conversions.wish_from(cdr_reader.short(kind, raw), now_ns)

    def on_permit(self, raw: bytes) -> None:
        """Hear whose plans may move the robot; what cannot be read leaves only a stop standing."""
        was = self.node.critic.drivers.permit
        permit = self.read('permit', lambda: sensor_conversions.permit_from(
            cdr_reader.status(raw), time.monotonic_ns()))
        if permit is not None:
            self.node.critic.on_permit(permit, self.ros_ns())
            if self.node.critic.drivers.refused_permit:
                self.tell_refused(self.node.critic.drivers.refused_permit)
                return
        elif was is not None and was.mode != 'stopped':
            self.node.critic.forget_permit()
        if not self.settings.lock_step and (was is None or permit is None
                                            or was.mode != permit.mode):
            self.node.say(*self.node.judge())

    def tell_refused(self, why: str) -> None:
        """Log why a message was not taken."""
        self.node.get_logger().error(why, throttle_duration_sec=1.0)

    def on_reading(self, sensor: Sensor, raw: bytes, number: int | None = None, queue: int = 0,
                   publishers: list[int] | None = None) -> None:
        """Take what a sensor says; a switch that is active stops at once."""
        kind = sensor_types.KINDS[sensor.kind]

        def noun():
            opened = kind.opened(raw)
            return kind.read(opened, sensor, self.robot, self.arrival(opened, kind.stamped))
        said = self.read(sensor.name, noun)
        if said is None:
            self.node.critic.forget(sensor.name)
        if said is not None and publishers is not None:
            senders = self.senders[sensor.name]
            pressed = senders.hear(said.active, number, queue, publishers)
            said = replace(said, active=pressed, waits_for=senders.missing)
        if said is not None:
            getattr(self.node.critic, kind.into)(said)
        if self.settings.lock_step:
            self.answer()
        elif isinstance(said, Switch) and said.active:
            self.node.say(*self.node.judge())

    def arrival(self, msg, stamped: bool) -> sensor_conversions.Came:
        """Return when a message came; in lock-step no time passes on the way."""
        if self.settings.lock_step:
            stamp = convert.nanoseconds(msg.header.stamp) if stamped else 0     # renewed later
            return sensor_conversions.Came(stamp, stamp)
        now_ns = self.node.get_clock().now().nanoseconds
        return sensor_conversions.Came(now_ns, time.monotonic_ns())

    def read(self, topic: str, reader: Callable, *what):
        """Read a message, or None and one sentence in the log."""
        try:
            noun = reader(*what)
            self.unreadable.pop(topic, None)
            return noun
        except ValueError as wrong:         # whatever is in a message, the critic goes on
            if not isinstance(wrong, AmiError):
                self.node.get_logger().error(traceback.format_exc(), throttle_duration_sec=1.0)
            self.unreadable[topic] = str(wrong)[:LONGEST_REASON]
            self.node.get_logger().error(self.unreadable[topic], throttle_duration_sec=1.0)
            return None

    @property
    def wrong(self) -> str:
        """Say what could not be read: the newest message of each input; '' where all could."""
        return '; '.join(self.unreadable.values())
