# SPDX-License-Identifier: Apache-2.0
"""
One process of tools/tick.py: tick_node.py critic | bare | body FILE REAL_TIME [FOLDER].

critic: the real node, which notes when its 50 Hz timer calls it. bare: an executor with nothing
but such a timer. body: sensors, plans and permits at their usual rates. At SIGTERM each writes
what it noted.
"""

import json
from pathlib import Path
import sys
import time

from ami_ros.agent.types import Plan
from ami_ros.machine.privileges import take_priority
from ami_ros.nodes import convert, critic_node, topics
from ami_ros.nodes.run import run
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
import tick_world
import yaml

ROOT = Path(__file__).resolve().parents[1]
PERIOD_NS = 10**9 // critic_node.TICK_HZ


def robot_file(folder: str) -> str:
    """Write the rover with 360 beams, whose IMU is required."""
    said = yaml.safe_load((ROOT / 'config/robots/rover.yaml').read_text())
    for sensor in said['sensors']:
        if sensor['name'] == 'scan':
            sensor['beams'] = 360
        if sensor['name'] == 'imu':
            sensor['required'] = True
    path = Path(folder) / 'robot.yaml'
    path.write_text(yaml.safe_dump(said))
    return str(path)


class Noted:
    """Writes down when it was called."""

    calls: list[int]
    priority, moved = '', 0

    def stop(self) -> None:
        """Write it, then end as ever."""
        getattr(super(), 'stop', lambda: None)()
        Path(sys.argv[2]).write_text(json.dumps({
            'calls': self.calls, 'period_ns': PERIOD_NS, 'moved': self.moved,
            'priority': self.priority or 'real-time'}))


class Critic(Noted, critic_node.CriticNode):
    """The real one."""

    def __init__(self):
        self.calls = []
        super().__init__()
        Path(f'{sys.argv[2]}.ready').touch()

    def on_time(self) -> None:
        """Note it, then do as ever."""
        self.calls.append(time.monotonic_ns())
        super().on_time()
        self.moved += self.verdict.action != 'stop'


class Bare(Noted, Node):
    """A timer and nothing else."""

    def __init__(self):
        super().__init__('bare')
        self.calls = []
        if sys.argv[3] == '1':
            self.priority = take_priority()
        else:
            self.priority = 'not asked for'
        self.create_timer(1 / critic_node.TICK_HZ, self.on_time,
                          clock=Clock(clock_type=ClockType.STEADY_TIME))
        Path(f'{sys.argv[2]}.ready').touch()

    def on_time(self) -> None:
        """Note it."""
        self.calls.append(time.monotonic_ns())


class Body(Node):
    """What wanders in tick_world, as messages: scan 25 Hz, odom and imu 50 Hz, plans 10 Hz."""

    def __init__(self):
        super().__init__('body')
        self.out = {row.name: self.create_publisher(*row.publisher()) for row in (
            topics.SCAN, topics.ODOMETRY, topics.IMU, topics.PLAN, topics.STATUS)}
        self.world, self.ticks = tick_world.Wander('strict', 1), 0
        self.create_timer(1 / critic_node.TICK_HZ, self.on_time,
                          clock=Clock(clock_type=ClockType.STEADY_TIME))
        Path(f'{sys.argv[2]}.ready').touch()

    def say(self, row, msg) -> None:
        """Publish."""
        self.out[row.name].publish(msg)

    def on_time(self) -> None:
        """Say what is due."""
        world, now, self.ticks = self.world, time.time_ns(), self.ticks + 1
        if self.ticks % 2:
            scan = world.scan()
            self.say(topics.SCAN, convert.scan_message(now, scan.ranges, scan.angles, (0.08, 8.0)))
        pose = np.array([world.place.real, world.place.imag, world.yaw])
        self.say(topics.ODOMETRY, convert.odometry_message(now, pose, np.array([world.v, world.w])))
        self.say(topics.IMU, convert.imu_message(now, np.zeros(3), tick_world.UP))
        if self.ticks % 5 == 0:
            self.say(topics.STATUS, convert.health_message(convert.Health(
                '/configurator', values={'mode': 'autonomous', 'run': 'a'}), now))
            self.say(topics.PLAN, convert.plan_message(
                Plan(np.tile([0.2, 0.1], (8, 1)), 0.25, now, now, 'a', 1)))
        world.tick()
        world.obey(world.critic.judge(world.now, world.now).command)


def main() -> int:
    """Run one."""
    kind, real_time = sys.argv[1], sys.argv[3] == '1'
    args = None
    if kind == 'critic':
        given = {'robot': robot_file(sys.argv[4]), 'state': f'{sys.argv[4]}/state',
                 'policy': 'config/policy/strict.yaml', 'real_time': str(real_time).lower()}
        args = ['--ros-args', '--log-level', 'error', *(
            word for key, value in given.items() for word in ('-p', f'{key}:={value}'))]
    return run({'critic': Critic, 'bare': Bare, 'body': Body}[kind], args)


if __name__ == '__main__':
    sys.exit(main())
