# SPDX-License-Identifier: Apache-2.0
"""How far it is from the camera callback to the plan: the files of the nodes on that way."""

from pathlib import Path
import sys

import ami_ros
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes.mind_node import mind_node
from fake_mind import fake_mind
from fake_mind_peers import picture
import numpy as np
import pytest
import rclpy

PACKAGE = Path(ami_ros.__file__).parent
MOST = 10


@pytest.fixture
def worker(module_domain):
    """Make an active mind whose steps are taken here, and give it a goal."""
    rclpy.init(domain_id=module_domain, args=[
        '--ros-args', '--log-level', 'fatal', '-p', 'mind:robot:=rover',
        '-p', 'mind:autostart:=true'])
    node = mind_node(fake_mind)
    worker = node.work
    assert worker.worker.stop()
    worker.sensors.on_goal(convert.goal_message(picture(1), 1, 'a', 0))
    while worker.step():
        pass
    yield worker
    node.stop()
    node.destroy_node()
    rclpy.shutdown()


def files_of(work, ended) -> list[str]:
    """Name the files of the package that run in `work`, in order, until `ended` is not empty."""
    met = {}

    def profile(frame, event, _):
        path = Path(frame.f_code.co_filename)
        if event == 'call' and not ended and PACKAGE in path.parents:
            met.setdefault(path.relative_to(PACKAGE).as_posix())

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return list(met)


def test_a_frame_meets_few_files_on_its_way_to_the_plan(worker):
    plans, stamp = [], worker.node.get_clock().now().nanoseconds
    worker.plans.plans.publish = plans.append
    worker.sensors.on_odometry(convert.odometry_message(stamp, np.zeros(3), np.zeros(2)))
    worker.sensors.on_imu(convert.imu_message(stamp, np.zeros(3), np.zeros(3)))
    image = convert.image_message(picture(2), stamp)

    def frame():
        worker.sensors.on_picture(image)
        worker.step()

    met = files_of(frame, plans)
    plan = convert.plan_from(plans[0])
    assert plan.number == stamp and plan.goal == 1
    assert 'nodes/sensor_inputs.py' in met and 'nodes/mind_node.py' in met
    assert len([file for file in met if file.startswith('nodes/')]) <= MOST, met
