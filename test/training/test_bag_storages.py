# SPDX-License-Identifier: Apache-2.0
"""A bag is read whatever recorder, storage and compression made it, and whatever surrounds it."""

import os
from pathlib import Path
import shutil
import sqlite3

from ami_ros.recording import bag_writer as make
from ami_ros.recording import message_reader, recording_files
from ami_ros.training.bag_reader import BagError, read
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from synthetic_bags import BEGIN_NS, topics, write
import yaml
import zstandard

SIZE, FRAMES = (64, 64), 12
ALL = {'camera': 12, 'odom': 60, 'command': 60, 'imu': 60, 'scan': 12}


def info(path: Path) -> dict:
    return yaml.safe_load((path / 'metadata.yaml').read_text())['rosbag2_bagfile_information']


def say(path: Path, said: dict) -> None:
    (path / 'metadata.yaml').write_text(yaml.safe_dump({'rosbag2_bagfile_information': said}))


def complete(path: Path, *notes: str) -> None:
    got = read(path, SIZE)
    assert {'camera': len(got.images), 'odom': len(got.odom), 'command': len(got.command),
            'imu': len(got.gyro), 'scan': int((got.clearance > 0).sum())} == ALL
    assert len(got.notes) == len(notes) and all(n in g for n, g in zip(notes, got.notes))


def packed(path: Path, mode: CompressionMode, plugin: StoragePlugin) -> Path:
    """Write the toy drive as rosbag2 compresses it."""
    writer = Writer(path, version=9, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        for topic, (kind, rows) in topics().items():
            connection = writer.add_connection('/' + topic, kind, typestore=make.STORE)
            for received, message in rows:
                writer.write(connection, received, make.STORE.serialize_cdr(message, kind))
    return path


@pytest.mark.parametrize('plugin', list(StoragePlugin))
@pytest.mark.parametrize('mode', [CompressionMode.FILE, CompressionMode.MESSAGE])
def test_every_storage_and_compression(tmp_path, mode, plugin):
    path = packed(tmp_path / 'bag', mode, plugin)
    complete(path)
    heard = [(one.topic, one.log_ns) for one in message_reader.messages(path, ('odom',))]
    assert len(heard) == 60 and heard[0] == ('/odom', BEGIN_NS)
    assert message_reader.span_of(path)[0] == BEGIN_NS
    (path / 'metadata.yaml').unlink()
    complete(path)


@pytest.mark.parametrize('plugin', list(StoragePlugin))
def test_metadata_may_give_paths_from_outside(tmp_path, plugin):
    path = write(tmp_path / 'bag', topics(), plugin)
    said = info(path)
    said['relative_file_paths'] = [f'bag/{name}' for name in said['relative_file_paths']]
    say(path, said)
    complete(path)
    assert len(list(message_reader.messages(path, ('scan',)))) == 12


@pytest.mark.parametrize('name', ['run #3', 'a?b', '50% done', b'caf\xe9'])
@pytest.mark.parametrize('plugin', list(StoragePlugin))
def test_any_name_of_a_folder_will_do(tmp_path, name, plugin):
    plain = write(tmp_path / 'bag', topics(), plugin)
    there = Path(os.fsdecode(os.fsencode(tmp_path) + b'/' + os.fsencode(name)))
    plain.rename(there)
    complete(there)


def test_a_folder_that_nobody_may_write_to(tmp_path):
    path = write(tmp_path / 'bag', topics(), StoragePlugin.SQLITE3)
    path.chmod(0o555)
    try:
        complete(path)
    finally:
        path.chmod(0o755)


def test_a_database_with_a_journal_beside_it(tmp_path):
    path = write(tmp_path / 'bag', topics(), StoragePlugin.SQLITE3)
    file, = path.glob('*.db3')
    base = sqlite3.connect(file)
    base.execute('PRAGMA journal_mode=WAL')
    base.execute('CREATE TABLE IF NOT EXISTS more (a)')
    base.commit()
    base.close()
    complete(path)


# what metadata.yaml says is a hint, and its counts are read against

def test_other_qos_in_the_metadata_costs_nothing(tmp_path):
    path = write(tmp_path / 'bag', topics())
    said = info(path)
    never = {'sec': 9223372036, 'nsec': 854775807}
    for one in said['topics_with_message_count']:
        one['topic_metadata']['offered_qos_profiles'] = [{
            'history': 'keep_last', 'depth': 7, 'reliability': 'best_effort',
            'durability': 'volatile', 'deadline': never, 'lifespan': never,
            'liveliness': 'automatic', 'liveliness_lease_duration': never,
            'avoid_ros_namespace_conventions': False}]
    say(path, said)
    complete(path)


@pytest.mark.parametrize('more, good', [(1, True), (2, False)])
def test_fewer_messages_than_promised_are_told_or_refused(tmp_path, more, good):
    path = write(tmp_path / 'bag', topics())
    said = info(path)
    for one in said['topics_with_message_count']:
        if one['topic_metadata']['name'] == '/camera/image_raw':
            one['message_count'] = FRAMES + more
    say(path, said)
    if good:
        complete(path, f'topic /camera/image_raw (camera): 1 of {FRAMES + 1} promised readings')
    else:
        with pytest.raises(BagError, match='2 of 14 promised .* at most 10% may'):
            read(path, SIZE)


def test_promised_topics_that_are_not_there_are_named(tmp_path):
    path = write(tmp_path / 'bag', {n: w for n, w in topics().items() if n != 'odom'})
    said = info(path)
    said['topics_with_message_count'].append({
        'topic_metadata': {'name': '/odom', 'type': 'nav_msgs/msg/Odometry'},
        'message_count': 60})
    say(path, said)
    with pytest.raises(BagError, match=r'no odom .* promises messages .* on: /odom \(60\)'):
        read(path, SIZE)


def test_a_third_of_the_pictures_in_a_second_file_is_not_lost(tmp_path):
    path, some = tmp_path / 'bag', topics()
    write(path, some)
    kind, rows = some['camera/image_raw']
    write(tmp_path / 'other', {'camera/image_raw': (kind, [
        (t + 10**10, make.image(t + 10**10, m.data.reshape(64, 64, 3))) for t, m in rows[:6]])})
    file, = (tmp_path / 'other').glob('*.mcap')
    shutil.copy(file, path / 'bag_1.mcap')
    said = info(path)
    said['relative_file_paths'].append('bag_1.mcap')
    said['topics_with_message_count'][0]['message_count'] += 6
    say(path, said)
    got = read(path, SIZE)
    assert len(got.images) == FRAMES + 6 and got.notes == ()


def test_a_file_that_is_named_twice_is_read_once(tmp_path):
    path = write(tmp_path / 'bag', topics())
    said = info(path)
    said['relative_file_paths'] *= 2
    said['topics_with_message_count'][0]['message_count'] = float('inf')
    (path / 'metadata.yaml').write_text(yaml.safe_dump({'rosbag2_bagfile_information': said}))
    complete(path)


def test_a_pipe_is_no_file_to_wait_for(tmp_path):
    os.mkfifo(tmp_path / 'a.mcap')
    with pytest.raises(BagError, match='a.mcap is no regular file, but a folder, a pipe or a lin'):
        read(tmp_path, SIZE)


# topics beside those that are wanted

def beside(path: Path, encoding: str, schema: bytes, data: bytes, topic='/odd') -> None:
    """Put a file with an odd topic into a bag."""
    with open(path / 'odd_0.mcap', 'wb') as file:
        writer = McapWriter(file, compression=CompressionType.ZSTD)
        writer.start('ros2')
        number = writer.register_schema('odd_msgs/msg/Odd', 'ros2msg', schema)
        channel = writer.register_channel(topic, encoding, number)
        writer.add_message(channel, BEGIN_NS, data, BEGIN_NS)
        writer.finish()
    (path / 'metadata.yaml').unlink()


@pytest.mark.parametrize('encoding, schema', [
    ('cdr', b'nowhere_msgs/Missing part'), ('cdr', b''), ('cdr', b'\xff\xfe('),
    ('json', b'{"type": "object"}'), ('protobuf', b'\x00')])
def test_an_odd_topic_does_not_cost_the_bag(tmp_path, encoding, schema):
    path = write(tmp_path / 'bag', topics())
    beside(path, encoding, schema, b'{"a": 1}')
    complete(path)


def test_a_topic_with_another_type_in_another_file(tmp_path):
    path = write(tmp_path / 'bag', topics())
    beside(path, 'cdr', b'float64 a', b'\0\1\0\0aaaaaaaa', '/odom')
    complete(path, 'topic /odom (odom): 1 of 61 promised readings')


def test_a_camera_that_is_json_is_named_as_such(tmp_path):
    path = write(tmp_path / 'bag', {n: w for n, w in topics().items() if 'raw' not in n})
    beside(path, 'json', b'{}', b'{}', '/camera/image_raw')
    with pytest.raises(BagError, match=r'no camera .*image_raw \(odd_msgs/msg/Odd, json\)'):
        read(path, SIZE)


# advice belongs to its cause

def test_no_room_to_unpack(tmp_path, monkeypatch):
    path = packed(tmp_path / 'bag', CompressionMode.FILE, StoragePlugin.MCAP)

    def full(*_, **__):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(recording_files.tempfile, 'mkdtemp', full)
    with pytest.raises(OSError, match='no room to unpack it .*No space left.* set TMPDIR') as why:
        read(path, SIZE)
    assert 'mcap recover' not in str(why.value)


@pytest.mark.parametrize('name', ['a.mcap.zstd', 'a.db3.zstd', 'a.mcap', 'a.db3'])
def test_what_is_no_recording_inside(tmp_path, name):
    file = tmp_path / name
    file.write_bytes(zstandard.compress(b'nothing of the kind') if '.zstd' in name
                     else b'nothing of the kind')
    with pytest.raises(BagError, match='is neither an MCAP file nor a SQLite database'):
        read(file, SIZE)


def test_a_compressed_file_that_is_damaged(tmp_path):
    path = packed(tmp_path / 'bag', CompressionMode.FILE, StoragePlugin.MCAP)
    file, = path.glob('*.zstd')
    file.write_bytes(file.read_bytes()[:40] + b'\xff' * 60)
    with pytest.raises(BagError, match='cannot be unpacked: .* copy it again'):
        read(path, SIZE)


def test_a_damaged_database_is_told(tmp_path):
    path = write(tmp_path / 'bag', topics(), StoragePlugin.SQLITE3)
    file, = path.glob('*.db3')
    data = bytearray(file.read_bytes())
    data[len(data) // 3:] = b'\xa5' * (len(data) - len(data) // 3)
    file.write_bytes(data)
    with pytest.raises(BagError, match='SQLite|database'):
        read(path, SIZE)
