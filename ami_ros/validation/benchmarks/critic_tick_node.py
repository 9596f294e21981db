# SPDX-License-Identifier: Apache-2.0
"""
Runs one process of critic_tick: critic | bare | body FILE REAL_TIME [FOLDER].

critic: the real node, which notes how late each of its 50 ticks a second is. bare: a process that
sleeps as often, and nothing else. body: sensors, plans and motion enables at their usual rates. At
SIGTERM each writes what it noted.
"""

import json
from pathlib import Path
import signal
import sys
import time

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
import yaml

from ami_ros.core.share_directory import share
from ami_ros.core.types import Plan
from ami_ros.host.realtime_priority import take_priority
from ami_ros.nodes import critic_node, topics
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes.run import run
from ami_ros.validation.benchmarks import critic_tick_scenario

PERIOD_NS = 10**9 // critic_node.TICK_HZ


def robot_file(folder: str) -> str:
    """Write the rover with 360 beams, whose IMU is required."""
    said = yaml.safe_load(share('config/robots/rover.yaml').read_text())
    for sensor in said['sensors']:
        if sensor['name'] == 'scan':
            sensor['beams'] = 360
        if sensor['name'] == 'imu':
            sensor['required'] = True
    path = Path(folder) / 'robot.yaml'
    path.write_text(yaml.safe_dump(said))
    return str(path)


def write(late_ns: list[int], priority: str, moved: int = 0) -> None:
    """Write how late each tick was."""
    Path(sys.argv[2]).write_text(json.dumps({
        'late_ns': late_ns, 'priority': priority or 'real-time', 'moved': moved}))


def bare() -> int:
    """Sleep until the next instant of a grid, and nothing else, until SIGTERM."""
    ended, late = [], []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    priority = take_priority() if sys.argv[3] == '1' else 'not requested'
    due = time.monotonic_ns()
    Path(f'{sys.argv[2]}.ready').touch()
    while not ended:
        time.sleep(max(0, due - time.monotonic_ns()) / 1e9)
        late.append(time.monotonic_ns() - due)
        due += PERIOD_NS * (1 + late[-1] // PERIOD_NS)
    write(late, priority)
    return 0


class Critic(critic_node.CriticNode):
    """The real one, which notes how late its ticks are."""

    def __init__(self):
        self.late, self.moved = [], 0
        super().__init__()
        Path(f'{sys.argv[2]}.ready').touch()

    def tick_if_due(self) -> float:
        """Note how late it is, then do as ever."""
        late_ns = time.monotonic_ns() - self.due_ns
        if late_ns >= 0:
            self.late.append(late_ns)
            self.moved += self.verdict.action != 'stop'
        return super().tick_if_due()

    def stop(self) -> None:
        """Write it, and end as ever."""
        super().stop()
        write(self.late, self.priority, self.moved)


class Body(Node):
    """What wanders in tick_world, as messages: scan 25 Hz, odom and imu 50 Hz, plans 10 Hz."""

    def __init__(self):
        super().__init__('body')
        self.out = {row.name: self.create_publisher(*row.publisher()) for row in (
            topics.SCAN, topics.ODOMETRY, topics.IMU, topics.PLAN, topics.STATUS,
            topics.CAMERA)}
        self.world, self.ticks = critic_tick_scenario.Wander('strict', 1), 0
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
            self.say(topics.SCAN, convert.scan_message(now, scan.ranges, scan.angles,
                                                       (0.08, 8.0)))
        pose = np.array([world.place.real, world.place.imag, world.yaw])
        speed = np.array([world.v, world.w])
        self.say(topics.ODOMETRY, convert.odometry_message(now, pose, speed))
        self.say(topics.IMU, convert.imu_message(now, np.zeros(3), critic_tick_scenario.UP))
        if self.ticks % 5 == 0:
            picture = world.rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
            self.say(topics.CAMERA, convert.image_message(picture, now))
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
        given = {'robot': robot_file(sys.argv[4]), 'state_dir': f'{sys.argv[4]}/state',
                 'safety_policy': 'config/safety_policy/strict.yaml',
                 'use_realtime_priority': str(real_time).lower()}
        args = ['--ros-args', '--log-level', 'error', *(
            word for key, value in given.items() for word in ('-p', f'{key}:={value}'))]
    return bare() if kind == 'bare' else run({'critic': Critic, 'body': Body}[kind], args)


if __name__ == '__main__':
    sys.exit(main())
