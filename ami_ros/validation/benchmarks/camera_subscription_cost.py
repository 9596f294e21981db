# SPDX-License-Identifier: Apache-2.0
"""
Measures the cost of a camera subscription for the critic.

    python3 -m ami_ros.validation.benchmarks.camera_subscription_cost REPORT [--seconds S]

Two ends in one process, 640 x 480 rgb at 30 Hz: what the middleware takes to hand the bytes over,
beside what it takes to open them as a message, and what the critic does with them. Milliseconds
of the thread's own time, so that other work on the machine does not count.
"""

import argparse
import json
import os
from pathlib import Path
import time

import numpy as np
import rclpy
from sensor_msgs.msg import Image

from ami_ros.critic.critic import Critic
from ami_ros.nodes import cdr_reader, sensor_conversions, topics
from ami_ros.nodes import message_conversions as convert
from ami_ros.robots.find_robot import find
from ami_ros.validation.evaluate import policy

HZ, SIZE = 30, (480, 640, 3)


def spent(milliseconds: list[float]) -> dict[str, float]:
    """Say how long it took."""
    return dict(zip(('p50', 'p95', 'p99'), np.percentile(milliseconds, (50, 95, 99)).round(3)
                    .tolist(), strict=True))


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[1])
    parser.add_argument('report', type=Path, help='Report JSON file')
    parser.add_argument('--seconds', type=float, default=20.0,
                        help='Duration of the measurement, in seconds')
    args = parser.parse_args()
    os.environ.setdefault('ROS_DOMAIN_ID', '79')
    rclpy.init()
    here, there = rclpy.create_node('critic'), rclpy.create_node('camera')
    robot = find('rover')
    critic = Critic(policy(), robot)
    took: dict[str, list] = {'taken': [], 'opened': [], 'watched': []}
    offered = there.create_publisher(Image, 'watched', topics.RELIABLE_1)
    raw, whole = (here.create_subscription(Image, 'watched', print, topics.SENSOR, raw=way)
                  for way in (True, False))
    while offered.get_subscription_count() < 2:
        time.sleep(0.05)
    rng, end = np.random.default_rng(0), time.monotonic() + args.seconds
    pictures = [rng.integers(0, 256, SIZE, np.uint8) for _ in range(8)]
    while time.monotonic() < end:
        due = time.monotonic() + 1 / HZ
        now = time.time_ns()
        offered.publish(convert.image_message(pictures[len(took['taken']) % 8], now))
        time.sleep(max(0.0, due - time.monotonic()))
        for name, subscription, way in (('taken', raw, True), ('opened', whole, False)):
            with subscription.handle:
                begun = time.thread_time()
                came = subscription.handle.take_message(Image, way)
                took[name].append(1e3 * (time.thread_time() - begun))
            if name == 'taken' and came is not None:
                begun = time.thread_time()
                critic.on_view(sensor_conversions.view_from(
                    cdr_reader.image(came[0]), robot.camera, robot,
                    sensor_conversions.Came(now, time.monotonic_ns())))
                took['watched'].append(1e3 * (time.thread_time() - begun))
    said = {'command':
            'python3 -m ami_ros.validation.benchmarks.camera_subscription_cost '
            f'--seconds {args.seconds:g}',
            'size': SIZE, 'hz': HZ,
            'pictures': len(took['watched']), 'take_bytes_ms': spent(took['taken']),
            'take_opened_ms': spent(took['opened']), 'watch_ms': spent(took['watched'])}
    args.report.write_text(json.dumps(said, indent=1) + '\n')
    print(json.dumps(said))
    rclpy.shutdown()


if __name__ == '__main__':
    main()
