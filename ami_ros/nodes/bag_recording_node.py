# SPDX-License-Identifier: Apache-2.0
"""
Records what a robot says into a bag: subscribes as each topic is offered, stamps, hands over.

Messages stay the bytes they came as. Their time is ROS time at reception, simulated or not. A
thread writes, so that neither disk nor compression holds up who listens; what was dropped, here
or on the way here, is counted.
"""

import argparse
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
import importlib
import shutil
import sys
import time

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message

from ami_ros.nodes import ros_arguments, topics
from ami_ros.nodes.run import run
from ami_ros.recording import node_metadata
from ami_ros.recording.background_recorder import Scribe
from ami_ros.recording.message_definitions import definition
from ami_ros.recording.recorder import GB, Limits, Recorder
from ami_ros.robots.find_robot import find
from ami_ros.robots.robot import Robot
from ami_ros.robots.sensor import PICTURES

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:         # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

LOOK_S = 0.5            # how often it is looked who offers what
TELL_S, TELL_LOG_S = 1.0, 10.0      # the progress line, on a terminal and elsewhere
RATE_S = 5.0            # the camera's rate is that of so long
DEPTH = 100             # three seconds of a camera at 30 Hz
EXPLAINED = tuple(row.name for row in (topics.TRACE, topics.TRACE_RECORDS, topics.TRACE_METADATA,
                                       topics.GOAL,
                                       topics.PLAN, topics.DIAGNOSTICS))    # why it drove so
RELIABLE, TRANSIENT = ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL


def wanted(robot: Robot, more: tuple[str, ...] = (), record_trace: bool = True) -> dict[str, bool]:
    """Return the topics to record, and of each whether it is missed where it is silent."""
    out = dict.fromkeys((sensor.topic for sensor in robot.sensors), True)
    for picture in robot.sensors_of(*PICTURES):     # where image_transport has it
        folder = picture.topic.removesuffix('/compressed').rpartition('/')[0]
        out[f'{folder}/camera_info' if folder else 'camera_info'] = True
    out.update(dict.fromkeys((row.name for row in (topics.COMMAND, topics.VERDICT, topics.STATUS)),
                             True))
    out.update(dict.fromkeys((topics.HAND.name, topics.FOREIGN.name, 'tf', 'tf_static', '/tf',
                              '/tf_static'), False))
    out.update(dict.fromkeys(EXPLAINED if record_trace else (), False))
    out.update(dict.fromkeys(more, True))
    return out


def profile(qos: QoSProfile) -> dict:
    """Return a QoS profile as metadata.yaml of version 9 has it."""
    def span(duration) -> dict[str, int]:
        seconds, nanoseconds = divmod(duration.nanoseconds, GB)
        return {'sec': seconds, 'nsec': nanoseconds}

    return {'history': qos.history.name.lower(), 'depth': qos.depth,
            'reliability': qos.reliability.name.lower(),
            'durability': qos.durability.name.lower(), 'deadline': span(qos.deadline),
            'lifespan': span(qos.lifespan), 'liveliness': qos.liveliness.name.lower(),
            'liveliness_lease_duration': span(qos.liveliness_lease_duration),
            'avoid_ros_namespace_conventions': qos.avoid_ros_namespace_conventions}


def asked_of(offers: list[QoSProfile]) -> QoSProfile:
    """Return what to ask for, so that everybody who offers is heard, as well as they can be."""
    def all_are(what: str, value):
        return all(getattr(offer, what) == value for offer in offers)

    return QoSProfile(
        depth=DEPTH,
        reliability=RELIABLE if all_are('reliability', RELIABLE)
        else ReliabilityPolicy.BEST_EFFORT,
        durability=TRANSIENT if all_are('durability', TRANSIENT) else DurabilityPolicy.VOLATILE)


def class_of(kind: str) -> type:
    """Return the Python class of 'package/msg/Type'; ImportError where it is not installed."""
    package, _, name = kind.partition('/msg/')
    return getattr(importlib.import_module(f'{package}.msg'), name)


@dataclass
class TopicRecord:
    """One topic that is listened to."""

    kind: str
    qos: QoSProfile             # asked for
    subscription: object
    lost: int = 0               # on the way here, as far as DDS knows


class RecordingNode(Node):
    """Listens to what is wanted, as soon as somebody offers it."""

    def __init__(self, scribe: Scribe, robot: Robot, more: tuple[str, ...] = (),
                 seconds: float = float('inf'), tell: Callable[[str], None] = lambda line: None,
                 record_trace: bool = True, **named):
        super().__init__('recorder', **named)
        self.hear_from(scribe, robot, more, seconds, tell, record_trace)

    def hear_from(self, scribe: Scribe, robot: Robot, more: tuple[str, ...], seconds: float,
                  tell: Callable[[str], None], record_trace: bool) -> None:
        """Say what is wanted, and where it goes."""
        self.scribe, self.seconds, self.tell = scribe, seconds, tell
        for file in node_metadata.robot_files(robot, time.time_ns()):
            scribe.attach(file)
        self.wanted = {self.resolve_topic_name(name): missed
                       for name, missed in wanted(robot, more, record_trace).items()}
        self.camera = self.resolve_topic_name(robot.camera.topic)
        self.about = self.resolve_topic_name(topics.TRACE_METADATA.name)
        self.heard: dict[str, TopicRecord] = {}
        self.refused: dict[str, str] = {}       # topics that cannot be recorded, and why
        self.counts: Counter[str] = Counter()
        self.early = 0                          # came before there was a time
        self.pictures: deque[float] = deque(maxlen=1000)
        self.done, self.ended = False, ''
        self.begun_s, self.look_s, self.tell_s = time.monotonic(), 0.0, 0.0

    def turn(self) -> float:
        """Look for topics, tell how it stands, and see whether it is over."""
        now = time.monotonic()
        if now >= self.look_s:
            self.look_s = now + LOOK_S
            self.look()
        if now >= self.tell_s:
            self.tell_s = now + TELL_S
            self.tell(self.line(now))
        if now - self.begun_s >= self.seconds:
            self.done = True
        if self.scribe.full:
            self.done, self.ended = True, self.scribe.full
        return min(LOOK_S, max(0.0, self.begun_s + self.seconds - now))

    def look(self) -> None:
        """Subscribe to what is offered and wanted; ask for less where somebody offers less."""
        for name in self.wanted:
            offers = self.get_publishers_info_by_topic(name)
            if not offers or name in self.refused:
                continue
            qos = asked_of([offer.qos_profile for offer in offers])
            known = self.heard.get(name)
            if known is None:
                self.begin(name, offers, qos)
            elif (known.qos.reliability, qos.reliability) == (
                    RELIABLE, ReliabilityPolicy.BEST_EFFORT) or (
                    known.qos.durability, qos.durability) == (
                    TRANSIENT, DurabilityPolicy.VOLATILE):
                self.destroy_subscription(known.subscription)
                self.subscribe(name, known.kind, qos)

    def begin(self, name: str, offers: list, qos: QoSProfile) -> None:
        """Record a topic from now on, if its type is known here."""
        kind = offers[0].topic_type
        others = {offer.topic_type for offer in offers} - {kind}
        if others:
            self.get_logger().warning(f'{name} is recorded as {kind}; messages of type '
                                      f'{", ".join(others)} on this topic are not recorded')
        try:
            class_of(kind)
            self.scribe.offer(name, kind, tuple(profile(o.qos_profile) for o in offers))
            self.subscribe(name, kind, qos)
            theirs, ours = str(getattr(offers[0], 'topic_type_hash', '')), definition(kind)[1]
            if theirs.startswith('RIHS01') and theirs != ours:
                self.get_logger().warning(f'{name}: the publisher and the bag have different '
                                          f'versions of {kind} ({theirs} and {ours})')
        except (ImportError, AttributeError, ValueError) as wrong:
            self.refused[name] = str(wrong)
            self.get_logger().warning(f'{name} is not recorded: {wrong}')

    def subscribe(self, name: str, kind: str, qos: QoSProfile) -> None:
        """Listen to a topic."""
        def lost(event) -> None:
            self.heard[name].lost = event.total_count

        self.heard[name] = TopicRecord(kind, qos, self.create_subscription(
            class_of(kind), name, lambda data: self.on_message(name, data), qos, raw=True,
            event_callbacks=SubscriptionEventCallbacks(message_lost=lost)),
            self.heard[name].lost if name in self.heard else 0)

    def on_message(self, name: str, data: bytes) -> None:
        """Stamp a message and hand it over."""
        now_ns = self.get_clock().now().nanoseconds
        if now_ns == 0:         # simulated time has not begun: a bag would begin in 1970
            self.early += 1
            return
        self.counts[name] += 1
        if name == self.camera:
            self.pictures.append(time.monotonic())
        if name == self.about:
            self.take_about(now_ns, data)
        else:
            self.scribe.put(name, now_ns, data)

    def take_about(self, now_ns: int, data: bytes) -> None:
        """Keep what a node says of itself: each file begins with it, and holds it as files."""
        text = deserialize_message(data, topics.TRACE_METADATA.type).data
        key, files = node_metadata.files_of(text, now_ns)
        for file in files:
            self.scribe.attach(file)
        self.scribe.put(self.about, now_ns, data, key)

    def rate_hz(self, now: float) -> float:
        """Return the pictures a second, lately."""
        span = min(RATE_S, max(now - self.begun_s, 1e-9))
        return sum(at > now - span for at in self.pictures) / span

    def missing(self) -> list[str]:
        """Return the topics that should say something, and did not yet."""
        return [name for name, missed in self.wanted.items() if missed and not self.counts[name]]

    def line(self, now: float) -> str:
        """Return the progress in one line; what is wrong comes before what is well."""
        dropped = sum(self.scribe.dropped.values())
        parts = [f'{now - self.begun_s:.0f} s', f'{self.scribe.recorder.bytes / 1e6:.1f} MB',
                 f'camera {self.rate_hz(now):.1f}/s',
                 f'DROPPED {dropped}' if dropped else '',
                 f'missing: {", ".join(self.missing())}' if self.missing() else '',
                 *(f'{name} {count}' for name, count in self.counts.items())]
        return '  '.join(filter(None, parts))

    def summary(self) -> list[str]:
        """Return what was recorded and what was not, a line a topic, and what is to be said."""
        seconds = max(time.monotonic() - self.begun_s, 1e-9)
        lines = [f'  {name}: {self.scribe.written[name]} ({count / seconds:.1f} a second)'
                 + (f', {self.scribe.dropped[name]} DROPPED, the disk was too slow'
                    if self.scribe.dropped[name] else '')
                 + (f', {self.heard[name].lost} LOST on the way'
                    if self.heard[name].lost else '')
                 for name, count in self.counts.items()]
        lines += [f'  {name}: not recorded, {why}' for name, why in self.refused.items()]
        lines += [f'  {name}: nothing came' for name in self.missing() if name not in self.refused]
        if self.early:
            lines.append(f'{self.early} messages came before the first /clock and are left out')
        return lines


class Progress:
    """Shows one line: in place on a terminal, now and then elsewhere."""

    def __init__(self, stream):
        self.stream, self.told_s = stream, float('-inf')

    def __call__(self, line: str) -> None:
        """Show a line."""
        now = time.monotonic()
        if self.stream.isatty():
            width = shutil.get_terminal_size().columns
            self.stream.write(f'\r{line[:width - 1]}\x1b[K')
        elif now - self.told_s >= TELL_LOG_S:
            self.told_s = now
            self.stream.write(line + '\n')
        self.stream.flush()


def main(args: argparse.Namespace) -> int:
    """Record until a signal, the time or the disk ends it; returns the exit status."""
    robot, made = find(args.robot), []
    limits = Limits(file_bytes=round(args.split_gb * GB), file_s=60 * args.split_minutes,
                    bag_bytes=None if args.max_gb is None else round(args.max_gb * GB),
                    kept_bytes=None if args.keep_gb is None else round(args.keep_gb * GB))
    scribe = Scribe(Recorder(args.out, limits))

    def make() -> RecordingNode:
        made.append(RecordingNode(scribe, robot, tuple(args.topics), args.seconds,
                                  Progress(sys.stderr), not args.no_trace))
        return made[0]

    try:
        status = run(make, ros_arguments.given(args))
    finally:
        parts = scribe.close()
    say = sys.stdout.write
    if sys.stderr.isatty():
        sys.stderr.write('\n')
    if not made or not any(scribe.written.values()):
        for path in [*(args.out / part.path for part in parts), args.out / 'metadata.yaml']:
            path.unlink()
        args.out.rmdir()
        if made:
            say('\n'.join([*made[0].summary(), '']))
            sys.stderr.write('nothing was recorded and no bag is left; is the robot running, in '
                             'this namespace and ROS domain?\n')
        return status or 1
    node = made[0]
    size = sum((args.out / part.path).stat().st_size for part in parts)
    say('\n'.join([f'{args.out}: {sum(scribe.written.values())} messages, {size / 1e6:.1f} MB, '
                   f'{len(parts)} file{"s" if len(parts) > 1 else ""}'
                   + (f'; ended because {node.ended}' if node.ended else ''),
                   *node.summary(), '']))
    sys.stdout.flush()
    return status
