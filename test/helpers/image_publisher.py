# SPDX-License-Identifier: Apache-2.0
"""Publishes pictures of 640x480, 30 a second, best effort, once somebody listens; a process."""

import sys
import time

import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

COUNT, HZ = int(sys.argv[1]), 30
rclpy.init()
node = rclpy.create_node('talk')
said = node.create_publisher(Image, 'picture', QoSProfile(
    depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
picture = Image(height=480, width=640, encoding='rgb8', step=3 * 640, data=bytes(3 * 640 * 480))
while not said.get_subscription_count():
    time.sleep(0.02)
time.sleep(1.0)         # the other end must have met this one, too
begun = time.monotonic()
for n in range(COUNT):
    time.sleep(max(0.0, begun + n / HZ - time.monotonic()))
    picture.header.frame_id = str(n)
    said.publish(picture)
while said.get_subscription_count():
    time.sleep(0.02)
node.destroy_node()
rclpy.shutdown()
