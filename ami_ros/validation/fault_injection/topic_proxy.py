# SPDX-License-Identifier: Apache-2.0
"""
Forwards the messages of one topic unchanged until a fault is requested, then alters them.

Whoever publishes the topic is started with it remapped to NAME_raw. What it costs a message to
pass here is told: from the instant it was sent until this node has sent it on.
"""

from collections import deque
from dataclasses import dataclass, replace
import time
from typing import cast

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.serialization import deserialize_message, serialize_message

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import setting, Settings
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import parameters, topics
from ami_ros.nodes.run import run
from ami_ros.validation.fault_injection.message_faults import Distort, FAULTS

RAW = '_raw'
TELL_S = 0.5
KEPT = 1000             # latencies that are remembered
ORDER = topics.Topic('faults/order', topics.DIAGNOSTICS.type, 0, topics.LATCHED, 'faults')
TOLD = topics.Topic('faults/told', topics.DIAGNOSTICS.type, 2, topics.LATCHED, 'tamper')


@dataclass(frozen=True)
class TopicProxySettings(Settings):
    """Which topic."""

    at: str = setting('plan', 'name', reason='Key of the table in distort.py')
    session: str = setting('', 'name', reason='Name of the session that controls the proxy')

    def __post_init__(self):
        """Check what is not a range."""
        super().__post_init__()
        if self.at not in FAULTS:
            raise AmiError(f'at = {self.at!r}; it is one of: {", ".join(FAULTS)}')


class TopicProxy(Node):
    """A man in the middle."""

    def __init__(self):
        super().__init__('tamper', **parameters.FROM_FILE)
        settings = cast(TopicProxySettings,
                        parameters.declare(self, {'': TopicProxySettings})[''])
        self.session = settings.session
        row, self.faults = FAULTS[settings.at]
        for fault in self.faults.values():      # what is slow to make is made before messages come
            fault(np.random.default_rng(0))
        self.type = row.type
        self.distort: Distort | None = None
        self.number, self.how, self.struck_ns = 0, 'none', 0
        self.counts = {'passed': 0, 'changed': 0, 'withheld': 0}
        self.took_ms: deque[float] = deque(maxlen=KEPT)
        self.out = self.create_publisher(*row.publisher())
        self.told = self.create_publisher(*TOLD.publisher())
        raw = replace(row, name=row.name + RAW)
        self.create_subscription(*raw.subscriber(self.on_message), raw=True)
        self.create_subscription(*ORDER.subscriber(self.on_order))
        self.create_timer(TELL_S, self.tell)

    def on_message(self, data: bytes, info) -> None:
        """Let it through, or what is made of it."""
        sent = None
        if self.distort is not None:
            sent = self.distort(deserialize_message(data, self.type), time.monotonic())
        if sent is None:
            self.out.publish(data)
            self.counts['passed'] += 1
            self.took_ms.append((time.time_ns() - info['source_timestamp']) / 1e6)
            return
        self.counts['changed' if sent else 'withheld'] += 1
        packed = [serialize_message(msg) for msg in sent]
        first = self.struck_ns == 0
        if first:
            self.struck_ns = time.time_ns()     # what is withheld, too, is missing from now on
        for msg in packed:
            self.out.publish(msg)
        if first:
            self.tell()

    def on_order(self, msg) -> None:
        """Begin to do something to messages, or end it."""
        said = convert.health_from(msg)[0].values
        if said['session'] != self.session or int(said['number']) == self.number:
            return
        self.number, self.how, self.struck_ns = int(said['number']), said['how'], 0
        fault = self.faults.get(self.how)
        self.distort = None if fault is None else fault(np.random.default_rng(int(said['seed'])))
        self.tell()

    def tell(self) -> None:
        """Say what is done, and since when."""
        took = list(self.took_ms) or [float('nan')]
        self.told.publish(convert.health_message(convert.Health('tamper', values={
            'session': self.session, 'number': str(self.number), 'how': self.how,
            'struck_ns': str(self.struck_ns),
            **{key: str(count) for key, count in self.counts.items()},
            **{f'latency.{name}_ms': f'{value:.3f}' for name, value in (
                ('p50', np.median(took)), ('p99', np.percentile(took, 99)),
                ('max', np.max(took)))}}), time.time_ns()))


def instruction(session: str, number: int, how: str, seed: int):
    """Make a message of an order."""
    return convert.health_message(convert.Health('faults', values={
        'session': session, 'number': str(number), 'how': how, 'seed': str(seed)}), time.time_ns())


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    # the other cannot tell when it was sent
    return run(TopicProxy, args, SingleThreadedExecutor)
