# SPDX-License-Identifier: Apache-2.0
"""
Publishes what a node put on record, in its idle time: for people on `trace`, exactly beside it.

`trace/records` is text: a line that says who writes, then a line [number, noun] for each thing.
The
numbers have no holes where nothing was lost. `trace/metadata` says once what a node works with.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
import json
import os
import platform
import time

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
from rclpy.duration import Duration
from rclpy.node import Node
from std_msgs.msg import String

from ami_ros import __version__
from ami_ros.core.types import Verdict
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics, trace_diagnostics
from ami_ros.nodes.lifecycle import started
from ami_ros.nodes.type_narrowing import of_kind
from ami_ros.recording import lossless_json
from ami_ros.recording.trace_records import fingerprint, Thought, Told, Tracer
from ami_ros.robots.robot import Robot

LOOK_S = 0.25           # how often it is looked whether somebody listens
AGAIN_S = 30.0          # how often all that the next thing depends on is put on record
END_S = 0.2             # so long a slow reader is waited for at the end
FULL_BYTES = 48 * 1024  # of one message
BEHIND = 8              # notes that wait: some of them are written even by who has no idle time


class TracePublisher:
    """What a node puts on record, and the topics that it goes to; all of it for one thread."""

    def __init__(self, node: Node, state: Callable[[], list], every_s: float = 0.0):
        """`state` returns notes from which a replay can begin; messages go out each `every_s`."""
        self.node, self.state, self.every_s = node, state, every_s
        self.tracer = Tracer()
        self.trace = node.create_publisher(*topics.TRACE.publisher())
        self.exact = node.create_publisher(*topics.TRACE_RECORDS.publisher())
        self.about = node.create_publisher(*topics.TRACE_METADATA.publisher())
        self.who = {'node': node.get_fully_qualified_name(), 'process': own_process()}
        self.known: dict[str, str] = {}     # what people want to read beside each stage
        self.lines: list[str] = []
        self.size = 0
        self.read = self.kept = False       # whether somebody listens to `trace`, to all of it
        self.look_s = self.sent_s = self.again_s = 0.0

    @property
    def on(self) -> bool:
        """Tell whether anybody wants to know."""
        return self.tracer.on

    @property
    def behind(self) -> bool:
        """Tell whether too much waits."""
        return len(self.tracer) > BEHIND

    def note(self, what) -> None:
        """Put something on record."""
        self.tracer.note(what)

    def tell(self, known: dict[str, str], **more) -> None:
        """Say what this node works with; `known` are words that stand beside each trace."""
        self.known = known
        said = {**self.who, 'at_ns': self.node.get_clock().now().nanoseconds,
                'versions': {'ami_ros': __version__, 'python': platform.python_version(),
                             'numpy': np.__version__}, 'known': known, **more}
        self.about.publish(String(data=json.dumps(said)))

    def turn(self, budget_s: float = 0.0) -> bool:
        """Write for a while, at least one note; return whether there is more to be written."""
        now = time.monotonic()
        if now >= self.look_s:
            self.look_s = now + LOOK_S
            self.look(now)
        if not self.on:
            return False
        while (taken := self.tracer.take()) is not None:
            self.write(*taken)
            if time.monotonic() - now >= budget_s:
                break
        waits = bool(len(self.tracer))
        if self.size >= FULL_BYTES or (self.lines and not waits
                                       and now - self.sent_s >= self.every_s):
            self.send(now)
        return waits

    def look(self, now: float) -> None:
        """See who listens; who has just begun to, and then now and then, is told the state."""
        knew, self.kept = self.kept, self.exact.get_subscription_count() > 0
        self.read = self.trace.get_subscription_count() > 0
        begun = self.tracer.switch(self.read or self.kept) or self.kept and not knew
        if begun or self.on and now >= self.again_s:
            self.again_s = now + AGAIN_S
            for one in self.state():
                self.note(one)

    def write(self, number: int, what) -> None:
        """Write a note down; what cannot be written is told, and ends nothing."""
        if isinstance(what, Thought):
            what = replace(what, fingerprint=fingerprint(what.picture), picture=None)
        if self.read:
            said = trace_diagnostics.statuses(what, self.known)
            if said:
                out = DiagnosticArray(header=convert.header(said[0].stamp_ns, ''))
                out.status = [convert.status(one.health) for one in said]
                self.trace.publish(out)
        if self.kept:
            if isinstance(what, Told) and what.call == 'judge':
                answer = replace(of_kind(what.answer, Verdict), ages=())    # they follow
                what = replace(what, answer=answer)
            try:
                line = f'[{number},{lossless_json.text(what)}]'
            except TypeError as wrong:
                self.node.get_logger().error(f'trace: {wrong}', throttle_duration_sec=10.0)
                return
            self.lines.append(line)
            self.size += len(line)

    def send(self, now: float) -> None:
        """Publish what is written."""
        head = json.dumps({**self.who, 'dropped': self.tracer.dropped,
                           'cpu_s': round(time.process_time(), 4)})
        self.exact.publish(String(data='\n'.join([head, *self.lines])))
        self.lines, self.size, self.sent_s = [], 0, now

    def close(self) -> None:
        """Write and send all that waits, and give it the time to arrive; at the end."""
        while self.on and (taken := self.tracer.take()) is not None:
            self.write(*taken)
        if self.lines:
            self.send(time.monotonic())
            self.exact.wait_for_all_acked(Duration(seconds=END_S))


def own_process() -> str:
    """Name this process, so that one that was started again is another."""
    return f'{os.getpid()}-{started(os.getpid())}'


def robot_said(robot: Robot) -> dict:
    """Say what the robot file and its URDF say."""
    return {'name': robot.name, 'file': robot.path.name, 'text': robot.path.read_text(),
            'urdf_file': str(robot.urdf).rpartition('/')[2],
            'urdf': text_of(robot.urdf)}


def text_of(path) -> str:
    """Read a file; '' where it cannot be read."""
    try:
        with open(path, encoding='utf-8') as file:
            return file.read()
    except OSError:
        return ''


def settings_said(made) -> dict:
    """Say every setting of a node, by group."""
    return {prefix: asdict(settings) for prefix, settings in made.items()}
