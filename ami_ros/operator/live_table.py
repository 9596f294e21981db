# SPDX-License-Identifier: Apache-2.0
"""Shows the signs of life of a running robot as a table, and the first thing to do."""

import shutil
import sys
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics

HEADS = ('node', 'state', 'Hz', 'jitter ms', 'age ms', 'load', 'first thing to do')
FIGURES = ('rate_hz', 'jitter_ms', 'age_ms', 'load')
SILENT_S = 3.0          # who is not heard for so long is gone; each speaks once a second or more
TOLD_S = 1.0            # the table is written so often
LEVELS = {0: 'well', 1: 'warning', 2: 'ERROR', 3: 'STALE'}
STAGE = 'load.'         # what a node says of one of its stages begins so
UNLIKE = ('images are unlike the training data: check whether the robot is in its own place, the '
          'light, and the lens')
Heard = dict[str, tuple[float, convert.Health]]     # name: when it spoke last (steady), what


def state(health: convert.Health) -> str:
    """Say in a word how a node stands."""
    if health.level == 0 and 'slow' in health.values:
        return 'slow'
    if health.level == 0 and unlike(health):
        return 'unlike'
    return LEVELS.get(health.level, str(health.level))


def unlike(health: convert.Health) -> bool:
    """Tell whether a node finds its newest images unlike the training data."""
    try:
        return float(health.values.get('out_of_distribution', 'nan')) > 1.0
    except ValueError:      # of another package's node
        return False


def table(heard: Heard, now_s: float) -> list[str]:
    """Write the table: a line a node, and one for each stage of a node that has several."""
    rows: list[tuple[str, ...]] = [HEADS]
    for name, (at_s, health) in sorted(heard.items()):
        if now_s - at_s > SILENT_S:
            rows.append((name, 'SILENT', '-', '-', '-', '-',
                         f'not heard for {now_s - at_s:.1f} s: see whether its process runs'))
            continue
        do = health.message if health.level else health.values.get('slow', '') or (
            UNLIKE if unlike(health) else '')
        rows.append((name, state(health),
                     *(health.values.get(figure, '-') for figure in FIGURES), do))
        rows += [(f'  {key.removeprefix(STAGE)}', '', '', '', '', value, '')
                 for key, value in health.values.items() if key.startswith(STAGE)]
        if 'out_of_distribution' in health.values:
            rows.append(('  out_of_distribution', '', '', '', '', '', unfamiliar(health)))
        if 'surprise' in health.values:
            rows.append(('  surprise', '', '', '', '', '',
                         f'{health.values["surprise"]}; ordinary for this module: '
                         f'{health.values.get("surprise_ordinary", "?")}'))
    wide = [max(len(row[i]) for row in rows) for i in range(len(HEADS) - 1)]
    return ['  '.join([*(cell.ljust(wide[i]) for i, cell in enumerate(row[:-1])), row[-1]]
                      ).rstrip() for row in rows] + ['', first(heard, now_s)]


def unfamiliar(health: convert.Health) -> str:
    """Say how unlike the training data a node finds its images."""
    newest = health.values['out_of_distribution']
    if newest == 'nan':
        return 'not measured in this module'
    return (f'{newest} now, {health.values.get("out_of_distribution_largest", "?")} at most '
            'lately; above 1 images are unlike the training data')


def first(heard: Heard, now_s: float) -> str:
    """Name the first thing to do: who is gone, then who is in trouble, then who is slow."""
    if not heard:
        return ('Nobody is heard. First: see whether the robot runs, and ROS_DOMAIN_ID and '
                '--namespace are its own.')
    found: list[tuple[float, str]] = []
    for name, (at_s, health) in sorted(heard.items()):
        if now_s - at_s > SILENT_S:
            found.append((4, f'see whether the process of {name} runs'))
        elif health.level:
            found.append((health.level, f'{name}: {health.message}'))
        elif unlike(health):
            found.append((0.5, f'{name}: {UNLIKE}'))
        elif 'slow' in health.values:
            found.append((0, f'{name}: {health.values["slow"]}'))
    if not found:
        return 'Nothing to do.'
    return f'First: {max(found, key=lambda one: one[0])[1]}'


def wrong(heard: Heard, now_s: float) -> bool:
    """Tell whether a person has to do anything."""
    return not heard or any(now_s - at_s > SILENT_S or state(health) != 'well'
                            for at_s, health in heard.values())


class Live(Node):
    """Hears the signs of life of one robot."""

    def __init__(self, namespace: str, context=None):
        super().__init__('doctor_live', namespace=namespace, context=context, enable_rosout=False,
                         start_parameter_services=False)
        self.heard: Heard = {}
        self.space = self.get_namespace().rstrip('/')
        # of several robots, all may speak on one topic; without a namespace both are the same
        for name in {self.resolve_topic_name(topics.DIAGNOSTICS.name), '/diagnostics'}:
            self.create_subscription(topics.DIAGNOSTICS.type, name, self.on_health,
                                     topics.DIAGNOSTICS.qos)

    def on_health(self, msg) -> None:
        """Take signs of life; the newest of each counts."""
        for health in convert.health_from(msg):
            if health.name.startswith(f'{self.space}/'):
                self.heard[health.name] = time.monotonic(), health


def main(namespace: str, seconds: float) -> int:
    """Show it until the time is over or Ctrl-C; returns 1 where there is something to do."""
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)     # Ctrl-C is Python's
    node, executor = Live(namespace), SingleThreadedExecutor()
    executor.add_node(node)
    begun = told = time.monotonic()
    lines, shown = 0, sys.stdout.isatty()
    try:
        while (now := time.monotonic()) - begun < seconds:
            executor.spin_once(timeout_sec=0.1)
            if shown and now - told >= TOLD_S:
                told = now
                said = table(node.heard, now)
                sys.stdout.write(f'\x1b[{lines}A\x1b[J' * bool(lines) + '\n'.join(said) + '\n')
                wide = shutil.get_terminal_size().columns or 80
                lines = sum(max(1, -(-len(line) // wide)) for line in said)
    except KeyboardInterrupt:
        pass                # who has seen enough
    now = time.monotonic()
    if not lines:
        sys.stdout.write('\n'.join(table(node.heard, now)) + '\n')
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()
    return int(wrong(node.heard, now))
