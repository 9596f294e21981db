# SPDX-License-Identifier: Apache-2.0
"""What `ami-ros record` takes down of a driving robot is what training reads."""

from collections import Counter
from dataclasses import replace
import signal
import time
from types import SimpleNamespace

from ami_ros.cli import main as cli
from ami_ros.core.types import Command
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.bag_recording_node import asked_of, RecordingNode, wanted
from ami_ros.recording.attached_robot_file import recorded_robot
from ami_ros.robots.find_robot import find
from ami_ros.training import bag_reader, training_windows
import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.highlevel import AnyReader
from rosgraph_msgs.msg import Clock

ROVER = find('rover')
BEST_EFFORT, RELIABLE = ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE
LATCHED, VOLATILE = DurabilityPolicy.TRANSIENT_LOCAL, DurabilityPolicy.VOLATILE
EVERY = QoSProfile(depth=200)       # the test hears each one, as a recorder should


@pytest.fixture
def record(bench, tmp_path):
    """Start a recorder; what it returns ends it and gives its exit status and its last words."""
    def started(*options, **parameters):
        bench.processes.programs['record'] = [
            '-m', 'ami_ros.cli', 'record', '--out', str(tmp_path / 'bag'), *options]
        program = bench.start('record', **parameters)

        def ended(number=signal.SIGINT):
            bench.processes.running.pop('record', None)     # its end is no accident any more
            if number is not None:
                program.send_signal(number)
            bench.until(lambda: program.poll() is not None, 'the end of the recorder')
            return program.returncode, bench.processes.log('record').read_text()
        return ended
    return started


def rows(bag):
    """Return what is in a bag: topic, time of reception, message."""
    with AnyReader([bag]) as reader:
        return [(c.topic, at, reader.deserialize(raw, c.msgtype))
                for c, at, raw in reader.messages()]


def test_a_recorded_drive_is_what_training_reads(bench, record, tmp_path):
    camera, command = (replace(row, qos=EVERY) for row in (topics.CAMERA, topics.COMMAND))
    bench.hear(camera, command)
    latched = replace(topics.BUDGET, name='latched')
    loose = replace(topics.LATENCY, name='loose', qos=QoSProfile(
        depth=5, reliability=BEST_EFFORT))
    bench.offer(topics.HAND, latched, loose)
    bench.say(latched, convert.state_message({'said': 1.0}, 5))     # before anybody recorded
    bench.start('critic')
    bench.start('sim')
    bench.met(topics.CAMERA, topics.COMMAND)
    end = record('--topics', 'latched', 'loose')
    bench.until(lambda: all(bench.node.count_subscribers(name) >= count for name, count in (
        ('cmd_vel', 3), ('imu', 1), ('odom', 2), ('cmd_vel_manual', 2), ('loose', 1))),
        'the recorder')
    bench.settle()
    begun, said_ns = time.time_ns(), [0]

    def driven():       # a person who drives in a circle of two hands' breadth
        now = time.time_ns()
        if now - said_ns[-1] > 50_000_000:
            said_ns.append(now)
            bench.say(topics.HAND, convert.command_message(Command(np.array([0.1, 0.6]), now)))
            bench.say(loose, convert.state_message({'n': float(len(said_ns))}, now))
        return now - begun > 6e9

    bench.until(driven, 'six seconds of driving')
    bench.settle()
    digest = str(bench.node.get_publishers_info_by_topic('/camera/image_raw')[0].topic_type_hash)
    status, words = end()
    bag = tmp_path / 'bag'
    got = bag_reader.read(bag, ROVER.camera_size)

    heard = {convert.nanoseconds(m.header.stamp): convert.picture_from(m)
             for m in bench.heard[topics.CAMERA.name]}
    inside = [at for at in heard if got.image_ns[0] <= at <= got.image_ns[-1]]
    assert got.image_ns.tolist() == inside and len(inside) > 55     # each once, none is missing
    assert np.array_equal(got.images, [heard[at] for at in inside])
    assert got.images.std((1, 2, 3)).min() > 3                      # and it is of something
    out = {convert.nanoseconds(m.header.stamp): (m.twist.linear.x, m.twist.angular.z)
           for m in bench.heard[topics.COMMAND.name]}
    both = [i for i, at in enumerate(got.command_ns.tolist()) if at in out]
    assert len(both) > 0.9 * len(got.command_ns) > 200      # the critic may be quicker than DDS
    assert np.array_equal(got.command[both], [out[at] for at in got.command_ns[both].tolist()])
    assert got.topics == {'camera': '/camera/image_raw', 'odom': '/odom', 'command': '/cmd_vel',
                          'scan': '/scan', 'imu': '/imu'}
    assert got.hfov_rad == pytest.approx(ROVER.camera_hfov_rad)
    drives = training_windows.cut(got, np.random.default_rng(0))
    starts = training_windows.starts(drives, 6)
    assert len(starts) > 20 and len(np.unique(drives.drive)) == 2
    assert got.images[drives.frame[starts[:, None] + np.arange(6)]].shape == (
        len(starts), 6, 64, 64, 3)
    assert drives.action[drives.dt > 0].max(0) == pytest.approx([0.1, 0.6], abs=0.01)

    taken = rows(bag)
    assert [m.position[0] for name, _, m in taken if name == '/latched'] == [1.0]
    assert len([m for name, _, m in taken if name == '/loose']) > 0.9 * len(said_ns)
    assert len([m for name, _, m in taken if name == '/cmd_vel_manual']) > 0.9 * len(said_ns)
    late = [at - convert.nanoseconds(m.header.stamp) for name, at, m in taken if name == '/odom']
    assert 0 < min(late) and np.median(late) < 1e8      # stamped when it came
    with AnyReader([bag]) as reader:
        connections = {c.topic: c for c in reader.connections}
        assert connections['/camera/image_raw'].digest == digest
        offered = connections['/latched'].ext.offered_qos_profiles[0]
        assert offered.durability.name == 'TRANSIENT_LOCAL'
    assert status == 3 and 'DROPPED' not in words       # recorded, and too short to be trained on
    assert not [line for line in words.split('\n') if 'image_raw' in line and 'LOST' in line]
    assert 'missing: ' in words and '/configurator/status: nothing came' in words
    assert f'{bag}: {len(taken)} messages' in words and 'record longer' in words
    assert f'{bag} cannot be trained on' in words
    assert recorded_robot(bag).path.name == 'rover.yaml'


def test_simulated_time_is_the_time_of_the_bag(bench, record, tmp_path):
    bench.offer(topics.CLOCK, topics.ODOMETRY)
    end = record(use_sim_time=True)
    bench.met(topics.CLOCK, topics.ODOMETRY)
    def odometry(n):
        bench.say(topics.ODOMETRY, convert.odometry_message(n, np.zeros(3), np.zeros(2)))

    for n in range(3):
        odometry(n)
    bench.settle()
    bench.say(topics.CLOCK, Clock(clock=convert.time(100 * 10**9)))
    bench.settle()
    for n in range(3, 8):
        odometry(n)
    bench.settle()
    status, words = end()
    assert status == 3 and '3 messages came before the first /clock' in words
    assert [(at, m.header.stamp.nanosec) for _, at, m in rows(tmp_path / 'bag')] == [
        (100 * 10**9, n) for n in range(3, 8)]


def test_killed_it_can_be_mended_and_full_it_ends(bench, record, tmp_path, capsys):
    bench.offer(topics.JOINT_STATES)
    bag, rng, said = tmp_path / 'bag', np.random.default_rng(0), []

    def noise():        # which does not compress
        said.append(len(said))
        bench.say(topics.JOINT_STATES, convert.state_message(
            {str(i): value for i, value in enumerate(rng.random(300))}, len(said)))

    def stamps():
        return [m.header.stamp.nanosec for _, _, m in rows(bag)]

    end = record()
    bench.met(topics.JOINT_STATES)
    bench.until(lambda: noise() or bag.joinpath('bag_0.mcap').stat().st_size > 50_000, 'a file')
    end(signal.SIGKILL)
    assert not (bag / 'metadata.yaml').exists()
    assert cli.main(['record', '--repair', str(bag)]) == 0
    got = stamps()
    assert got == list(range(got[0], got[0] + len(got))) and len(got) > 10
    assert f'{bag}: a bag of {len(got)} messages' in capsys.readouterr().out
    bag.rename(tmp_path / 'first')

    end = record('--max-gb', '0.00005')
    bench.met(topics.JOINT_STATES)
    bench.processes.running.pop('record')
    bench.until(lambda: noise() or 'messages,' in bench.processes.log('record').read_text(),
                'an end')
    status, words = end(None)
    assert status == 3 and 'ended because the bag has reached 5e-05 GB' in words
    assert len(stamps()) > 10


def test_where_nothing_speaks_no_bag_is_left(bench, record, tmp_path):
    end = record('--seconds', '1')
    bench.processes.running.pop('record')
    status, words = end(None)
    assert status == 1 and not (tmp_path / 'bag').exists()
    assert '/camera/image_raw: nothing came' in words
    assert words.count('nothing was recorded and no bag is left') == 1 and 'Trace' not in words


def test_a_folder_that_is_there_is_refused(tmp_path, capsys):
    assert cli.main(['record', '--out', str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f'ami-ros record: {tmp_path} is there already')
    assert said.count('\n') == 1


def test_what_is_lost_is_said():
    """Ask the node's words of what a slow disk and a bad network would leave behind."""
    names = '/a', '/b', '/c', '/d'
    scribe = SimpleNamespace(written=Counter({'/a': 7, '/b': 9}), dropped=Counter({'/a': 3}),
                             recorder=SimpleNamespace(bytes=2_000_000))
    node = SimpleNamespace(
        scribe=scribe, counts=Counter({'/a': 10, '/b': 9}), begun_s=0.0, early=2,
        heard={'/a': SimpleNamespace(lost=0), '/b': SimpleNamespace(lost=4)},
        refused={'/c': 'nobody knows it'}, missing=lambda: ['/c', '/d'], rate_hz=lambda now: 9.5)
    lines = RecordingNode.summary(node)
    assert [line.split(':')[0].strip() for line in lines[:-1]] == list(names)
    assert '/a: 7 (' in lines[0] and '3 DROPPED' in lines[0] and 'LOST' not in lines[0]
    assert '4 LOST on the way' in lines[1] and 'DROPPED' not in lines[1]
    assert lines[2:4] == ['  /c: not recorded, nobody knows it', '  /d: nothing came']
    assert lines[4].startswith('2 messages came before the first /clock')
    assert RecordingNode.line(node, 12.4) == (
        '12 s  2.0 MB  camera 9.5/s  DROPPED 3  missing: /c, /d  /a 10  /b 9')


# what is asked for

def test_the_robots_topics_are_recorded_and_who_is_silent_is_missed():
    got = wanted(ROVER, ('mine',))
    assert {sensor.topic for sensor in ROVER.sensors} < set(got)
    assert [name for name in got if not got[name]] == [
        'cmd_vel_manual', topics.FOREIGN.name, 'tf', 'tf_static', '/tf', '/tf_static', 'trace',
        'trace/records', 'trace/metadata', 'configurator/goal', 'actor/plan', 'diagnostics']
    assert got['mine'] and got['cmd_vel'] and got['critic/verdict'] and got['configurator/status']
    front = replace(ROVER.camera, topic='front/image_raw/compressed', kind='CompressedImage')
    other = replace(ROVER, sensors=(front, *ROVER.sensors[1:]))
    assert wanted(other)['front/camera_info']


@pytest.mark.parametrize('offers, reliability, durability', [
    ([(RELIABLE, VOLATILE)], RELIABLE, VOLATILE),
    ([(BEST_EFFORT, VOLATILE)], BEST_EFFORT, VOLATILE),
    ([(RELIABLE, LATCHED)], RELIABLE, LATCHED),
    ([(RELIABLE, LATCHED), (RELIABLE, VOLATILE)], RELIABLE, VOLATILE),
    ([(RELIABLE, LATCHED), (BEST_EFFORT, LATCHED)], BEST_EFFORT, LATCHED),
])
def test_everybody_who_offers_is_heard(offers, reliability, durability):
    asked = asked_of([QoSProfile(depth=1, reliability=r, durability=d) for r, d in offers])
    assert (asked.reliability, asked.durability) == (reliability, durability)
    assert asked.depth >= 30
