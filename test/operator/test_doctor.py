# SPDX-License-Identifier: Apache-2.0
"""The doctor finds nothing wrong with the simulator's wiring, and each fault of a broken robot."""

import json
import threading
import time

from ami_ros.cli import main as cli
from ami_ros.core.findings import OK, UNCHECKED, WRONG
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.operator.checks.diagnose import diagnose
from ami_ros.operator.doctor import examine
from ami_ros.robots.find_robot import find
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
import numpy as np
import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image, Imu, LaserScan

ROVER = find('rover')
SECONDS = 2.0
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
RANGES = np.full(ROVER.lidar_beams, 2.0)
ANGLES = np.linspace(-3.14, 3.14, ROVER.lidar_beams, endpoint=False)


class Broken:
    """Drivers in the namespace /broken that get something wrong each; a thread of their own."""

    def __init__(self, node):
        def publisher(kind, name, qos=topics.RELIABLE_1):
            return node.create_publisher(kind, f'/broken/{name}', qos)
        self.camera = publisher(CompressedImage, topics.CAMERA.name)        # the wrong type
        self.scan = publisher(LaserScan, topics.SCAN.name)                  # no stamps
        self.odom = publisher(Odometry, topics.ODOMETRY.name)               # a clock ahead
        self.imu = publisher(Imu, topics.IMU.name)                          # the wrong frame
        self.goal = publisher(Image, topics.GOAL_IMAGE.name, BEST_EFFORT)   # who asks: reliable
        self.base = node.create_subscription(Twist, '/broken/cmd_vel', lambda msg: None, 1)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.talk)
        self.thread.start()

    def talk(self):
        while not self.over.wait(0.025):
            now = time.time_ns()
            self.camera.publish(CompressedImage(header=convert.header(now, 'camera_link')))
            self.scan.publish(convert.scan_message(0, RANGES, ANGLES, ROVER.lidar_range_m))
            self.odom.publish(convert.odometry_message(now + 3 * 10**9, np.zeros(3), np.zeros(2)))
            imu = convert.imu_message(now, np.zeros(3), np.array([0.0, 0.0, 1.0]))
            imu.header.frame_id = 'chest'
            self.imu.publish(imu)
            self.goal.publish(Image())

    def end(self):
        self.over.set()
        self.thread.join()


@pytest.fixture
def broken(bench):
    talkers = Broken(bench.node)
    yield talkers
    talkers.end()


def test_a_whole_robot_and_a_broken_one(bench, broken, tmp_path, capsys):
    bench.start('sim', engine='loopback')
    bench.hear(topics.CAMERA)
    bench.until(lambda: bench.heard[topics.CAMERA.name], 'a picture')

    report = tmp_path / 'report.json'
    status = cli.main(['doctor', '--seconds', str(SECONDS), '--json', str(report)])
    said = {f['what']: f for f in json.loads(report.read_text())['findings']}
    wrong = [what for what, f in said.items() if f['level'] == WRONG
             and not what.endswith((': rate', ': clock'))]      # a busy machine has these
    assert not wrong
    assert status == int(any(f['level'] == WRONG for f in said.values()))
    for sensor in ROVER.sensors:
        assert said[f'{sensor.name}: published']['measured'] == '/sim'
        assert said[f'{sensor.name}: stamps']['level'] == OK, said
    for what in ('scan: frame', 'scan: beams', 'odom: values', 'imu: gravity', 'cmd_vel: heard',
                 'camera_info: field of view', 'module: fits', 'policy: file'):
        assert said[what]['level'] == OK, said[what]
    if topics.TFMessage is None:
        assert said['tf_static: mounts']['level'] == UNCHECKED
    printed = capsys.readouterr().out
    assert printed.startswith('robot rover, namespace /, 2 s, RMW rmw_')
    assert f'ROS_DOMAIN_ID {bench.domain}' in printed

    found = {f.what: f for f in diagnose(examine(ROVER, 'broken', SECONDS))}
    for what, level, part in (
            ('camera: type', WRONG, 'CompressedImage from /test'),
            ('scan: stamps', WRONG, 'all are zero'),
            ('odom: clock', WRONG, 's ahead of ours: it stamps'),
            ('imu: frame', 'warn', "'chest'"),
            ('imu: gravity', 'warn', 'that is in g'),
            ('goal/image: QoS', WRONG, 'best effort is offered, reliable is asked'),
            ('cmd_vel: type', WRONG, '/test wants Twist, so it hears nothing'),
            ('joint_states: published', 'warn', 'nobody publishes /broken/joint_states')):
        assert found[what].level == level and part in found[what].measured, found[what]
    assert 'ami-ros doctor --namespace /,' in found['joint_states: published'].fix


@pytest.mark.parametrize('words, part', [
    (['--seconds', '0'], "'0' is not a number of seconds from 0.5 to 600"),
    (['--robot', 'barge'], "no robot 'barge'")])
def test_what_cannot_be_asked_is_one_sentence(words, part, capsys):
    try:
        status = cli.main(['doctor', *words])
    except SystemExit as left:
        status = left.code
    complaint = capsys.readouterr().err
    assert status == 1 and part in complaint and complaint.count('\n') == 1


def test_when_nobody_is_there(ros_domain, monkeypatch, capsys):
    assert cli.main(['doctor', '--seconds', '0.5', '--namespace', 'nobody']) == 1
    printed = capsys.readouterr().out
    assert 'silence: domain' in printed and f'ROS_DOMAIN_ID is {ros_domain} here' in printed
