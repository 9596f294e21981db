# SPDX-License-Identifier: Apache-2.0
"""Shows the signs of life of a running robot as a table, and the first thing to do."""

import sys
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from ami_ros.nodes import convert, topics

HEADS = ('node', 'state', 'Hz', 'jitter ms', 'age ms', 'load', 'first thing to do')
FIGURES = ('rate_hz', 'jitter_ms', 'age_ms', 'load')
SILENT_S = 1.5          # a node that is not heard for so long is gone
LEVELS = {0: 'well', 1: 'warning', 2: 'ERROR'}


def table(heard: dict[str, tuple[float, convert.Health]], now_s: float) -> list[str]:
    """Write the table: a line a node."""
    rows = [HEADS]
    for name, (at_s, health) in sorted(heard.items()):
        if now_s - at_s > SILENT_S:
            rows.append((name, 'SILENT', '-', '-', '-', '-',
                         f'not heard for {now_s - at_s:.1f} s: see whether its process runs'))
            continue
        do = health.message if health.level else health.values.get('slow', '')
        rows.append((name, LEVELS.get(health.level, str(health.level)),
                     *(health.values.get(figure, '-') for figure in FIGURES), do))
    wide = [max(len(row[i]) for row in rows) for i in range(len(HEADS) - 1)]
    return ['  '.join([*(cell.ljust(wide[i]) for i, cell in enumerate(row[:-1])), row[-1]]
                      ).rstrip() for row in rows]


def wrong(heard: dict[str, tuple[float, convert.Health]], now_s: float) -> bool:
    """Tell whether a person has to do anything."""
    return not heard or any(now_s - at_s > SILENT_S or health.level > 0 or 'slow' in health.values
                            for at_s, health in heard.values())


class Live(Node):
    """Hears the signs of life."""

    def __init__(self, namespace: str, context=None):
        super().__init__('doctor_live', namespace=namespace, context=context, enable_rosout=False,
                         start_parameter_services=False)
        self.heard: dict[str, tuple[float, convert.Health]] = {}
        for name in {topics.DIAGNOSTICS.name, '/diagnostics'}:
            self.create_subscription(topics.DIAGNOSTICS.type, name, self.on_health,
                                     topics.DIAGNOSTICS.qos)

    def on_health(self, msg) -> None:
        """Take signs of life; the newest of each counts."""
        for health in convert.health_from(msg):
            self.heard[health.name] = time.monotonic(), health


def main(namespace: str, seconds: float) -> int:
    """Show it until the time is over; returns 1 where there is something to do."""
    rclpy.init()
    node, executor = Live(namespace), SingleThreadedExecutor()
    executor.add_node(node)
    begun = told = time.monotonic()
    lines = 0
    try:
        while (now := time.monotonic()) - begun < seconds:
            executor.spin_once(timeout_sec=0.1)
            if now - told >= 1.0 and sys.stdout.isatty():
                told = now
                said = table(node.heard, now)
                sys.stdout.write(f'\x1b[{lines}A\x1b[J' * bool(lines) + '\n'.join(said) + '\n')
                lines = len(said)
        now = time.monotonic()
        if not sys.stdout.isatty():
            sys.stdout.write('\n'.join(table(node.heard, now)) + '\n')
        return int(wrong(node.heard, now))
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()
