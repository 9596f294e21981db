# SPDX-License-Identifier: Apache-2.0
"""
The drivers of a robot that ami_ros does not know: python3 foreign_robot.py [seed].

A base in a simulated room, and a driver for each of its parts as makers write them: JPEG pictures
of 320 x 240 at 15 Hz; a lidar of 450 beams, mounted the wrong way round, whose beams are taken one
after another while the robot moves, and some of which are lost; odometry at 30 Hz that tells of
less way and of more turning than was driven; a base that takes a Twist without a stamp, 0.12 s
late, and stops by itself when no command comes. It publishes the truth beside that, for the test.
"""

from dataclasses import replace
import math
import sys
import time

from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.run import run
from ami_ros.perception.images import codec
from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.simulator import Simulator
from ami_ros.sim.simulator_interface import somewhere
from geometry_msgs.msg import Twist
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage

SIZE, HFOV_RAD = (320, 240), 1.2
DRAWN = (160, 120)      # a cheap lens: sharper would cost half a core
CAMERA_HZ, ODOM_HZ, SCAN_HZ = 15, 30, 10
BEAMS, LOST, PARTS = 450, 0.004, 5      # a sweep is taken in so many parts
SCALE = (1.03, 0.97)                    # true over told: ahead, turning
LAG_S, TIMEOUT_S = 0.12, 0.4
TICK_S = 1 / 60                         # four physics steps
ROOM_M, AHEAD_M = 0.6, (0.9, 1.3)       # free around it at the start, and ahead
BEHIND_S = 0.25                         # what a busy machine missed is skipped
PICTURES = replace(topics.CAMERA, name='camera/image_raw/compressed', type=CompressedImage)


class Foreign(Node):
    """All of its drivers."""

    def __init__(self, seed: int = 3, room: int = 5):
        super().__init__('foreign_base')
        robot = replace(find('rover'), actuation_lag_s=LAG_S, base_timeout_s=TIMEOUT_S,
                        camera_hfov_rad=HFOV_RAD)
        self.sim = Simulator(worlds.draw(room), robot, seed, DRAWN)
        self.place(seed)
        self.sim.reckoning.scale = 1 / np.array(SCALE)
        self.rng = np.random.default_rng(seed)
        self.angles = -math.pi + 2 * math.pi * np.arange(BEAMS) / BEAMS
        self.sweep, self.sweep_ns = [], 0
        rows = (PICTURES, topics.CAMERA_INFO, topics.SCAN, topics.ODOMETRY, topics.TRUTH_POSE)
        self.out = {row.name: self.create_publisher(*row.publisher()) for row in rows}
        self.create_subscription(*topics.command(False).subscriber(self.on_command))
        self.ticks, self.due_s = 0, time.monotonic()

    def place(self, seed: int) -> None:
        """Stand where there is room to turn, and a way ahead that ends at something."""
        for number in range(seed, seed + 1000):
            self.sim.reset(somewhere(self.sim, number), seed)
            around = self.sim.scan()
            ahead = around[np.abs(self.sim.angles) < 0.3].min()
            if around.min() > ROOM_M and AHEAD_M[0] < ahead < AHEAD_M[1]:
                return
        raise RuntimeError(f'nothing in this room has {ROOM_M} m of room around it and something '
                           f'{AHEAD_M[0]} to {AHEAD_M[1]} m ahead')

    def on_command(self, msg: Twist) -> None:
        """Turn the wheels."""
        self.sim.command(msg.linear.x, msg.angular.z)

    def turn(self) -> float:
        """Let time pass as it does; return how long there is nothing to do."""
        now_s = time.monotonic()
        if now_s < self.due_s:
            return self.due_s - now_s
        self.due_s = max(self.due_s, now_s - BEHIND_S) + TICK_S
        self.sim.step(TICK_S)
        self.ticks += 1
        stamp_ns = self.get_clock().now().nanoseconds
        if self.ticks % round(1 / TICK_S / ODOM_HZ) == 0:
            pose, twist = self.sim.odometry()
            self.say(topics.ODOMETRY, convert.odometry_message(stamp_ns, pose, twist))
            self.say(topics.TRUTH_POSE, convert.odometry_message(
                stamp_ns, self.sim.truth_pose(), np.zeros(2), 'room'))
        if self.ticks % max(1, round(1 / TICK_S / SCAN_HZ / PARTS)) == 0:
            self.take_part(stamp_ns)
        if self.ticks % round(1 / TICK_S / CAMERA_HZ) == 0:
            self.say(topics.CAMERA_INFO, convert.camera_info_message(stamp_ns, SIZE, HFOV_RAD))
            self.say(PICTURES, CompressedImage(
                header=convert.header(stamp_ns, 'camera_optical_frame'), format='jpeg',
                data=codec.to_jpeg(codec.resize(self.sim.camera(), SIZE))))
        return 0.0

    def take_part(self, stamp_ns: int) -> None:
        """Take the next part of a sweep, from where the robot is now; a whole one goes out."""
        if not self.sweep:
            self.sweep_ns = stamp_ns
        part = np.array_split(self.angles, PARTS)[len(self.sweep)]
        self.sim.angles = part + math.pi            # it is mounted the wrong way round
        self.sweep.append(self.sim.scan())
        if len(self.sweep) < PARTS:
            return
        ranges, self.sweep = np.concatenate(self.sweep), []
        ranges[self.rng.random(BEAMS) < LOST] = math.nan
        msg = convert.scan_message(self.sweep_ns, ranges, self.angles,
                                   self.sim.robot.lidar_range_m)
        msg.scan_time, msg.time_increment = 1 / SCAN_HZ, 1 / SCAN_HZ / BEAMS
        self.say(topics.SCAN, msg)

    def say(self, row: topics.Topic, msg) -> None:
        """Publish."""
        self.out[row.name].publish(msg)


if __name__ == '__main__':
    seed = int(sys.argv[1]) if sys.argv[1:2] and sys.argv[1].isdigit() else 3
    raise SystemExit(run(lambda: Foreign(seed), []))
