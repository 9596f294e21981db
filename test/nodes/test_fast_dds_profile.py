# SPDX-License-Identifier: Apache-2.0
"""The profile of Fast DDS that ships: large pictures pass from one process to another."""

import os
from pathlib import Path
import subprocess
import sys
import time

from ami_ros.core.share_directory import share
from ami_ros.validation.stack.processes import PROFILE_NAMES
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import Image

TALKER = str(Path(__file__).parents[1] / 'helpers' / 'image_publisher.py')
COUNT, MOST = 60, 0.75      # without the profile 0.3 of them come through
PATIENCE_S, QUIET_S = 60.0, 3.0


def test_large_pictures_come_through(ros_domain, monkeypatch):
    if 'fastrtps' not in get_rmw_implementation_identifier():
        pytest.skip('needs rmw_fastrtps_cpp: the profile is of Fast DDS')
    for name in PROFILE_NAMES:
        monkeypatch.setenv(name, str(share('config/dds/fastdds.xml')))
    context, heard = rclpy.Context(), []
    rclpy.init(context=context)
    node = rclpy.create_node('hear', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    node.create_subscription(
        Image, 'picture', lambda msg: heard.append(int(msg.header.frame_id)),
        QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    talker = subprocess.Popen([sys.executable, TALKER, str(COUNT)], env=dict(os.environ))
    try:
        count, deadline = 0, time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and (not heard or heard[-1] < COUNT - 1):
            executor.spin_once(timeout_sec=0.1)
            if len(heard) > count:      # the last one may be among the lost
                count, deadline = len(heard), time.monotonic() + QUIET_S
        assert len(heard) >= MOST * COUNT, f'{len(heard)} of {COUNT} pictures came'
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.shutdown(context=context)
        talker.terminate()
        talker.wait()
