# SPDX-License-Identifier: Apache-2.0
"""What the recorder writes is a rosbag2 bag to everybody, and it ends in time."""

from collections import Counter, namedtuple

from ami_ros.recording import bag_writer as make
from ami_ros.recording import recorder as recorders
from ami_ros.recording.message_definitions import definition, STORE
from ami_ros.recording.recorder import GB, Limits, Recorder, reserve
from mcap.stream_reader import StreamReader
import pytest
from recorded_drive import begun, COMMAND, moment, NEVER, ODOM, QOS, TYPES
from rosbags.highlevel import AnyReader
import yaml

Disk = namedtuple('Disk', 'total used free')
ROOMY = Disk(100 * GB, 0, 50 * GB)


class Time:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Time()


def info(folder) -> dict:
    return yaml.safe_load((folder / 'metadata.yaml').read_text())['rosbag2_bagfile_information']


def record(recorder, moments, clock, seconds=0.05) -> None:
    for index in moments:
        for message in moment(index):
            assert recorder.write(*message)
        clock.now += seconds
        recorder.turn()


def back(folder) -> list[tuple[str, int, bytes]]:
    with AnyReader([folder]) as reader:
        return [(c.topic, at, bytes(raw)) for c, at, raw in reader.messages()]


def test_what_went_in_comes_out_byte_for_byte(tmp_path, clock):
    recorder = begun(tmp_path / 'bag', steady=clock)
    record(recorder, range(40), clock)
    part, = recorder.close()
    assert part.path == 'bag_0.mcap' and set(part.counts.values()) == {40}
    assert back(tmp_path / 'bag') == [m for i in range(40) for m in moment(i)]


def test_the_metadata_says_what_rosbag2_says(tmp_path, clock):
    recorder = begun(tmp_path / 'bag', steady=clock)
    record(recorder, range(20), clock)
    recorder.close()
    said = info(tmp_path / 'bag')
    assert said['version'] == 9 and said['storage_identifier'] == 'mcap'
    assert said['message_count'] == 60 and said['duration']['nanoseconds'] == 19 * 50_000_000 + 2
    assert said['relative_file_paths'] == [said['files'][0]['path']] == ['bag_0.mcap']
    assert said['files'][0]['duration'] == said['duration']
    for topic in said['topics_with_message_count']:
        about = topic['topic_metadata']
        assert topic['message_count'] == 20 and about['type'] == TYPES[about['name']]
        assert about['type_description_hash'].startswith('RIHS01_')
        assert about['offered_qos_profiles'] == [QOS]
        assert about['offered_qos_profiles'][0]['deadline'] == NEVER
    assert '&' not in (tmp_path / 'bag' / 'metadata.yaml').read_text()      # no YAML anchors
    with AnyReader([tmp_path / 'bag']) as reader:
        for connection in reader.connections:
            assert connection.digest == STORE.hash_rihs01(connection.msgtype)
            profile, = connection.ext.offered_qos_profiles
            assert profile.reliability.name == 'RELIABLE' and profile.depth == 1


def test_it_begins_a_new_file_by_size_and_by_time(tmp_path, clock):
    recorder = begun(tmp_path / 'bag', Limits(file_bytes=200_000, file_s=7.0), clock)
    record(recorder, range(90), clock)
    sizes = [p.stat().st_size for p in (tmp_path / 'bag').glob('*.mcap')]
    record(recorder, range(90, 94), clock, 10.0)        # few messages, long pauses
    parts = recorder.close()
    assert len(sizes) >= 3 and all(s < 400_000 for s in sizes)
    assert len(parts) >= len(sizes) + 3
    assert [p.path for p in parts] == [f'bag_{i}.mcap' for i in range(len(parts))]
    assert all(a.end_ns < b.start_ns for a, b in zip(parts, parts[1:]) if b.start_ns)
    assert back(tmp_path / 'bag') == [m for i in range(94) for m in moment(i)]
    assert info(tmp_path / 'bag')['message_count'] == 3 * 94


def test_a_topic_may_come_late(tmp_path, clock):
    recorder = Recorder(tmp_path / 'bag', Limits(file_s=1.0), clock)
    recorder.offer(ODOM, TYPES[ODOM])
    for index in range(60):
        if index == 30:
            recorder.offer(COMMAND, TYPES[COMMAND])
        for topic, at, data in moment(index):
            if topic in recorder.topics:
                recorder.write(topic, at, data)
        clock.now += 0.05
        recorder.turn()
    recorder.close()
    assert Counter(t for t, _, _ in back(tmp_path / 'bag')) == {ODOM: 60, COMMAND: 30}


def test_everything_is_on_its_way_within_a_second(tmp_path, clock):
    recorder = begun(tmp_path / 'bag', steady=clock)
    record(recorder, range(1), clock, 0.0)
    size = recorder.path.stat().st_size
    clock.now += 0.49
    recorder.turn()
    assert recorder.path.stat().st_size == size
    clock.now += 0.02
    recorder.turn()
    with open(recorder.path, 'rb') as file:
        records = StreamReader(file).records
        kinds = Counter(type(next(records)).__name__ for _ in range(10))
    assert kinds['Message'] == 3
    recorder.close()


def test_the_disk_is_told_to_write_every_five_seconds(tmp_path, clock, monkeypatch):
    recorder, told = begun(tmp_path / 'bag', steady=clock), []
    monkeypatch.setattr(recorders.os, 'fsync', lambda file: told.append(clock.now - 1000.0))
    record(recorder, range(64), clock, 0.25)
    assert told == [5.0, 10.0, 15.0]
    recorder.close()
    assert len(told) == 4


# when it ends

def test_it_ends_where_the_bag_is_as_large_as_it_may_be(tmp_path, clock):
    recorder = begun(tmp_path / 'bag', Limits(bag_bytes=200_000, file_bytes=90_000), clock)
    index = 0
    while not recorder.full:
        record(recorder, [index], clock)
        index += 1
    assert recorder.full == 'the bag has reached 0.0002 GB'
    assert recorder.write(*moment(index)[0]) is False
    recorder.close()
    assert len(back(tmp_path / 'bag')) == 3 * index
    written = sum(p.stat().st_size for p in (tmp_path / 'bag').glob('*.mcap'))
    assert 200_000 <= written < 400_000


@pytest.mark.parametrize('total, free, enough', [
    (10 * GB, 1.01 * GB, True), (10 * GB, 0.99 * GB, False),
    (100 * GB, 5.1 * GB, True), (100 * GB, 4.9 * GB, False),
    (2000 * GB, 21 * GB, True), (2000 * GB, 19 * GB, False)])
def test_room_is_kept_on_the_disk(tmp_path, clock, total, free, enough):
    disks = [ROOMY]
    recorder = begun(tmp_path / 'bag', steady=clock, usage=lambda folder: disks[-1])
    record(recorder, range(30), clock)
    disks.append(Disk(total, 0, free))
    clock.now += 1.0
    recorder.turn()
    assert bool(recorder.full) is not enough
    if not enough:
        assert f'has {free / GB:.1f} GB free of {total / GB:.0f}' in recorder.full
    recorder.close()
    assert len(back(tmp_path / 'bag')) == 90


def test_nothing_begins_on_a_full_disk(tmp_path):
    with pytest.raises(OSError, match='nothing is recorded: the disk of .* has 0.5 GB free'):
        Recorder(tmp_path / 'bag', usage=lambda folder: Disk(100 * GB, 0, GB / 2))
    assert not (tmp_path / 'bag').exists() and reserve(100 * GB) == 5 * GB


def test_a_disk_that_takes_no_more_is_said_and_nothing_pretends(tmp_path, clock, monkeypatch):
    recorder = begun(tmp_path / 'bag', steady=clock)
    record(recorder, range(20), clock)

    def no_space():
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(recorder.writer, 'flush', no_space)
    clock.now += 1.0
    recorder.turn()
    assert recorder.full.endswith('bag_0.mcap cannot be written: No space left on device')
    assert recorder.write(*moment(20)[0]) is False
    with pytest.raises(OSError, match='ami-ros record --repair'):
        recorder.close()
    assert not (tmp_path / 'bag' / 'metadata.yaml').exists()


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path / 'thesis.txt').write_text('years')
    with pytest.raises(ValueError, match='is there already, .* another --out'):
        Recorder(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ['thesis.txt']


# types

def test_a_type_of_ones_own_is_read_from_the_workspace(tmp_path, monkeypatch, clock):
    folder = tmp_path / 'ws' / 'share' / 'mud_msgs' / 'msg'
    folder.mkdir(parents=True)
    (folder / 'Sample.msg').write_text('std_msgs/Header header\nDepth[] depths\nstring where\n')
    (folder / 'Depth.msg').write_text('float32 metres  # below\n')
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{tmp_path}/nothing:{tmp_path}/ws')
    text, digest = definition('mud_msgs/msg/Sample')
    assert 'float32 metres' in text and 'frame_id' in text and digest.startswith('RIHS01_')
    sample = STORE.types['mud_msgs/msg/Sample']
    recorder = Recorder(tmp_path / 'bag', steady=clock)
    recorder.offer('/mud', 'mud_msgs/msg/Sample')
    message = sample(header=make.header(5, 'mud'), depths=[
        STORE.types['mud_msgs/msg/Depth'](metres=0.5)], where='yard')
    recorder.write('/mud', 1, bytes(STORE.serialize_cdr(message, 'mud_msgs/msg/Sample')))
    recorder.close()
    with AnyReader([tmp_path / 'bag']) as reader:
        (connection, _, raw), = reader.messages()
        got = reader.deserialize(raw, connection.msgtype)
    assert got.where == 'yard' and got.depths[0].metres == 0.5


def test_a_type_that_nobody_knows(monkeypatch):
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)
    with pytest.raises(ValueError, match='share/no_msgs/msg/None.msg; source the one'):
        definition('no_msgs/msg/None')

