# SPDX-License-Identifier: Apache-2.0
"""A recorded drive is found again whatever storage and compression it was brought into."""

from pathlib import Path

from ami_ros.cli import main as cli
from ami_ros.recording import bag_writer as make
from ami_ros.recording import message_reader
from ami_ros.recording.attached_robot_file import recorded_robot
from ami_ros.recording.message_definitions import STORE
from ami_ros.recording.replay import trace_reader
from ami_ros.recording.replay.command_to_image_chains import complete
from ami_ros.recording.replay.drive_summary import driven
from ami_ros.recording.replay.event_index import index
from mcap.reader import make_reader
import numpy as np
import pytest
from rewrite_recording import copied
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

BAG = Path(__file__).with_name('golden') / 'mind.mcap'
MODES = [None, CompressionMode.FILE, CompressionMode.MESSAGE]


def converted(path: Path, plugin: StoragePlugin, mode: CompressionMode | None,
              extra: dict[str, str] | None = None) -> Path:
    """Write the golden drive as `ros2 bag convert` does; `extra` has topics written twice."""
    writer = Writer(path, version=9, storage_plugin=plugin)
    if mode is not None:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    connections = {}
    with open(BAG, 'rb') as source, writer:
        for schema, channel, message in make_reader(source).iter_messages(log_time_order=False):
            for topic in filter(None, (channel.topic, (extra or {}).get(channel.topic))):
                if topic not in connections:
                    connections[topic] = writer.add_connection(topic, schema.name,
                                                               typestore=STORE)
                writer.write(connections[topic], message.log_time, message.data)
        for topic, step in (('/odom', 0.1), ('/wheel/odom', 0.3)) if extra else ():
            kind = 'nav_msgs/msg/Odometry'
            connection = writer.add_connection(topic, kind, typestore=STORE)
            for i in range(20):
                data = make.odometry(i, np.array([step * i, 0.0, 0.0]), np.zeros(2))
                writer.write(connection, i, STORE.serialize_cdr(data, kind))
    return path


@pytest.mark.parametrize('plugin', list(StoragePlugin))
@pytest.mark.parametrize('mode', MODES)
def test_the_same_is_found_in_it(tmp_path, capsys, mode, plugin):
    there, again = index(BAG), index(bag := converted(tmp_path / 'bag', plugin, mode))
    assert sorted(again.judged) == sorted(there.judged) and again.thoughts == there.thoughts
    assert trace_reader.abouts(bag) == trace_reader.abouts(BAG)
    assert recorded_robot(bag).name == recorded_robot(BAG).name
    assert cli.main(['trace', str(bag), '--at', '1']) == 0
    assert 'as the network saw it' in capsys.readouterr().out


def test_a_drive_in_a_database_is_done_again(tmp_path, capsys):
    pytest.importorskip('onnxruntime', reason='needs onnxruntime')
    bag = converted(tmp_path / 'bag', StoragePlugin.SQLITE3, None)
    cli.main(['replay', str(BAG)])
    before = capsys.readouterr().out.splitlines()[1:]
    cli.main(['replay', str(bag)])
    assert capsys.readouterr().out.splitlines()[1:] == before


@pytest.mark.parametrize('old, new, words', [
    (b'"known": {"policy.', b'"known"\xff {"policy.', '/critic says nothing of itself on'),
    (b'"node": "/critic"', b'"node"\xff "/critic"', 'a message on /trace/records is damaged'),
    (b'"!":"Told"', b'"!":"To>d"', "is damaged: nobody knows a 'To>d'")])
def test_damage_inside_a_database_is_named(tmp_path, capsys, old, new, words):
    bag = converted(tmp_path / 'bag', StoragePlugin.SQLITE3, None)
    file, = bag.glob('*.db3')       # SQLite has no checksums
    data = file.read_bytes()
    assert old in data
    file.write_bytes(data.replace(old, new))
    assert cli.main(['trace', str(bag), '--at', '1']) == 1
    assert words in capsys.readouterr().err


def test_topics_that_end_alike_are_not_the_robots(tmp_path):
    """/wheel/odom is not odom, nor is /rear/camera/image_raw the camera's picture."""
    extra = {'/camera/image_raw': '/rear/camera/image_raw', '/cmd_vel': '/other/cmd_vel'}
    bag = converted(tmp_path / 'bag', StoragePlugin.MCAP, None, extra)
    assert {*extra.values(), '/wheel/odom'} <= message_reader.topics(bag)
    assert driven(bag)[1] == pytest.approx(1.9)
    assert complete(bag) == complete(BAG)


@pytest.mark.parametrize('verb', [['replay'], ['trace', '--at', '1'], ['report']])
def test_an_unknown_compression_is_named(tmp_path, capsys, verb):
    file = tmp_path / 'bag.mcap'
    copied(BAG, file, b'', b'')
    data = file.read_bytes()
    assert b'\x03\x00\x00\x00lz4' in data
    file.write_bytes(data.replace(b'\x03\x00\x00\x00lz4', b'\x03\x00\x00\x00xz7'))
    assert cli.main([verb[0], str(file), *verb[1:]]) == 1
    said = capsys.readouterr().err
    assert "compression 'xz7' is not read; there are: lz4, zstd" in said
    assert 'Traceback' not in said and message_reader.span_of(file) == message_reader.span_of(BAG)
