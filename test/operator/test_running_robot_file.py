# SPDX-License-Identifier: Apache-2.0
"""A verb that was told no robot takes the one that runs, with its topics, and no other."""

import json
import shutil
import threading

from ami_ros.cli import main as cli
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.operator.doctor import examine
from ami_ros.operator.running_robot_file import running_robot
from ami_ros.robots.find_robot import find
from nav_msgs.msg import Odometry
import numpy as np
import pytest


@pytest.fixture
def own(tmp_path, root):
    """A robot file of one's own, whose odometry is that of its wheels."""
    path = tmp_path / 'mine.yaml'
    text = (root / 'config/robots/rover.yaml').read_text()
    path.write_text(text.replace('topic: odom\n', 'topic: wheel/odom\n'))
    shutil.copy(root / 'urdf/rover.urdf', tmp_path)
    return path


def test_the_robot_file_says_which_of_two_odometries_is_meant(bench, own):
    """Both are live and differ; the doctor judges the one of the file that the critic has."""
    bench.start('critic', robot=own)
    talkers = {name: bench.node.create_publisher(Odometry, name, topics.RELIABLE_1)
               for name in ('odom', 'wheel/odom')}
    over = threading.Event()

    def talk():
        while not over.wait(0.05):
            for name, x in (('odom', 5.0), ('wheel/odom', 7.0)):
                talkers[name].publish(convert.odometry_message(
                    bench.node.get_clock().now().nanoseconds, np.array([x, 0.0, 0.0]),
                    np.zeros(2)))

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        bench.until(lambda: running_robot('') == str(own), 'the robot of the critic')
        seen = examine(find(running_robot('')), '', 2.0)
        said = {r.said.pose[0] for r in seen.channels['odom'].readings}
        assert said == {7.0} and seen.channels['odom'].full == '/wheel/odom'
        report = own.parent / 'report.json'
        cli.main(['doctor', '--seconds', '1', '--json', str(report)])
        asked = json.loads(report.read_text())
        assert 'robot rover' in asked['asked']      # the name in the file; and its topics:
        heard, = (f for f in asked['findings'] if f['what'] == 'odom: published')
        assert heard['level'] == 'ok'
        assert not any(f['what'] == 'robot: named' for f in asked['findings'])
    finally:
        over.set()
        thread.join()


def test_nobody_s_robot_is_said_and_never_calibrated(ros_domain, capsys):
    assert cli.main(['calibrate', '--yes', '--namespace', 'nobody']) == 1
    assert 'write --robot FILE' in capsys.readouterr().err
    assert cli.main(['doctor', '--seconds', '0.5', '--namespace', 'nobody']) == 1
    assert 'nobody named the robot' in capsys.readouterr().out
