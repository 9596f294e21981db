# SPDX-License-Identifier: Apache-2.0
"""A recording that was killed at any instant is mended, and loses no more than its last second."""

from collections import namedtuple
import os
from pathlib import Path
import random
import signal
import subprocess
import sys
import time

import ami_ros
from ami_ros.recording import in_use
from ami_ros.recording import repair as repairing
from ami_ros.recording.message_definitions import STORE
from ami_ros.recording.repair import repair
import pytest
from recorded_drive import begun, CAMERA, moment, ODOM, TYPES
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer
import yaml

KILLS = 20
Disk = namedtuple('Disk', 'total used free')
PROGRAM = Path(__file__).parents[1] / 'helpers' / 'recorded_drive.py'


@pytest.fixture(autouse=True)
def unwatched(monkeypatch):
    """No file is watched for growth: nobody but the test writes them."""
    monkeypatch.setattr(in_use, 'WATCH_S', 0.0)


def back(folder) -> list[tuple[str, int, bytes]]:
    with AnyReader([folder]) as reader:
        return [(c.topic, at, bytes(raw)) for c, at, raw in reader.messages()]


def killed(folder: Path, after_s: float, file_bytes: int) -> tuple[list[float], float]:
    """Record until SIGKILL; return when each moment was recorded, and when the kill came."""
    root = str(Path(ami_ros.__file__).parents[1])
    program = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), str(file_bytes)], stdout=subprocess.PIPE,
        env={**os.environ, 'PYTHONPATH': root}, text=True)
    lines = [program.stdout.readline()]         # it records
    time.sleep(after_s)
    program.send_signal(signal.SIGKILL)
    died = time.monotonic()
    rest, _ = program.communicate()
    whole = [line.split() for line in (lines[0] + rest).split('\n')[:-1]]
    return [float(at) for _, at in whole], died


@pytest.mark.slow
def test_killed_at_any_instant_it_loses_a_second_at_most(tmp_path):
    rng = random.Random(7)
    for kill in range(KILLS):
        folder = tmp_path / f'bag{kill}'
        times, died = killed(folder, rng.uniform(0.0, 1.8), rng.choice((300_000, 10**9)))
        assert not (folder / 'metadata.yaml').exists()
        try:
            mended = repair(folder)
        except ValueError as nothing:       # killed before the first half second was over
            assert 'no file with a message' in str(nothing)
            assert died - times[0] < 1.0
            continue
        got = back(folder)
        assert len(got) == mended.messages
        count = len(got) // 3
        assert got == [m for i in range(count + 1) for m in moment(i)][:len(got)]
        lost_s = died - times[count] if count < len(times) else 0.0
        assert lost_s < 1.0, f'kill {kill}: {len(times) - count} moments, {lost_s:.2f} s'


def recorded(folder: Path, moments: int = 40) -> Path:
    """Record a bag in one file, a chunk every eight moments, and close it."""
    now = [0.0]
    recorder = begun(folder, steady=lambda: now[0])
    for index in range(moments):
        for message in moment(index):
            recorder.write(*message)
        now[0] += 0.0625
        recorder.turn()
    recorder.close()
    return folder


@pytest.mark.parametrize('share, kept', [(1.0, 40), (0.95, 32), (0.7, 24), (0.3, 8)])
def test_what_was_cut_off_in_the_middle_is_dropped_and_told(tmp_path, share, kept):
    folder = recorded(tmp_path / 'bag')
    (folder / 'metadata.yaml').unlink()
    file = folder / 'bag_0.mcap'
    before = file.read_bytes()
    data = before[:round(share * len(before))]
    file.write_bytes(data)
    mended = repair(folder)
    assert mended.messages == 3 * kept and mended.unreadable == []
    assert back(folder) == [m for i in range(kept) for m in moment(i)]
    if share == 1.0:
        assert mended.rewritten == {} and file.read_bytes() == before   # a whole file is left
    else:
        assert 0 < mended.rewritten['bag_0.mcap'] <= len(data) * 0.6
    assert not list(folder.glob('*.mending'))


def test_the_metadata_of_a_mended_bag_is_that_of_a_closed_one(tmp_path):
    folder = recorded(tmp_path / 'bag')
    closed = yaml.safe_load((folder / 'metadata.yaml').read_text())
    (folder / 'metadata.yaml').unlink()
    file = folder / 'bag_0.mcap'
    file.write_bytes(file.read_bytes()[:-20])       # its index is cut off, its messages are not
    repair(folder)
    assert yaml.safe_load((folder / 'metadata.yaml').read_text()) == closed


def test_damage_in_the_middle_costs_what_was_damaged(tmp_path):
    folder = recorded(tmp_path / 'bag')
    (folder / 'metadata.yaml').unlink()
    file = folder / 'bag_0.mcap'
    data = bytearray(file.read_bytes())[:-20]
    data[len(data) // 2] ^= 0xFF                    # in the picture of a chunk
    file.write_bytes(data)
    damaged = bytes(data)
    mended = repair(folder)
    assert mended.messages == 3 * 32 and mended.kept == ('bag_0.mcap.original',)
    assert (folder / 'bag_0.mcap.original').read_bytes() == damaged
    assert back(folder) == [m for i in (*range(16), *range(24, 40)) for m in moment(i)]


def test_a_disk_without_room_leaves_everything_as_it_was(tmp_path, monkeypatch):
    folder = recorded(tmp_path / 'bag')
    (folder / 'metadata.yaml').unlink()
    file = folder / 'bag_0.mcap'
    file.write_bytes(file.read_bytes()[:-60])
    before = file.read_bytes()
    monkeypatch.setattr(repairing.shutil, 'disk_usage', lambda _: Disk(10**9, 0, 1000))
    with pytest.raises(OSError, match='the disk has 0.00 GB free: make room'):
        repair(folder)
    assert [p.name for p in folder.iterdir()] == ['bag_0.mcap'] and file.read_bytes() == before


def test_a_disk_that_fills_up_meanwhile_leaves_the_original(tmp_path, monkeypatch):
    folder = recorded(tmp_path / 'bag')
    (folder / 'metadata.yaml').unlink()
    file = folder / 'bag_0.mcap'
    file.write_bytes(file.read_bytes()[:-60])
    before = file.read_bytes()

    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(repairing.Writer, 'add_message', full)
    with pytest.raises(OSError, match='No space left'):
        repair(folder)
    assert [p.name for p in folder.iterdir()] == ['bag_0.mcap'] and file.read_bytes() == before


def test_the_original_of_an_earlier_repair_is_never_replaced(tmp_path):
    folder = recorded(tmp_path / 'bag')
    file = folder / 'bag_0.mcap'
    file.write_bytes(file.read_bytes()[:-60])
    (folder / 'bag_0.mcap.original').write_bytes(b'precious')
    with pytest.raises(ValueError, match='the original of an earlier repair; move it away'):
        repair(folder)
    assert (folder / 'bag_0.mcap.original').read_bytes() == b'precious'


@pytest.mark.parametrize('text', ['', '{}', 'a: [', 'rosbag2_bagfile_information: {version: 9}'])
def test_metadata_that_say_nothing_are_made_anew(tmp_path, text):
    folder = recorded(tmp_path / 'bag')
    good = (folder / 'metadata.yaml').read_text()
    (folder / 'metadata.yaml').write_text(text)
    assert repair(folder).kept == ('metadata.yaml.original',)
    assert (folder / 'metadata.yaml').read_text() == good
    assert (folder / 'metadata.yaml.original').read_text() == text


def test_a_cut_file_beside_its_metadata_is_mended(tmp_path):
    folder = recorded(tmp_path / 'bag')
    file = folder / 'bag_0.mcap'
    file.write_bytes(file.read_bytes()[:-60])
    assert repair(folder).kept == ('bag_0.mcap.original', 'metadata.yaml.original')
    with pytest.raises(ValueError, match='needs no repair'):
        repair(folder)


def test_sqlite_files_are_not_mended_and_the_advice_is_theirs(tmp_path):
    (tmp_path / 'bag_0.db3').write_bytes(b'SQLite format 3')
    with pytest.raises(ValueError, match='ros2 bag reindex -s sqlite3') as wrong:
        repair(tmp_path)
    assert 'mcap recover' not in str(wrong.value)


def test_a_file_that_holds_nothing_is_left_alone_and_named(tmp_path):
    folder = recorded(tmp_path / 'bag')
    (folder / 'metadata.yaml').unlink()
    (folder / 'bag_1.mcap').write_bytes((folder / 'bag_0.mcap').read_bytes()[:100])
    (folder / 'bag_10.mcap').write_bytes(b'')
    mended = repair(folder)
    assert mended.unreadable == ['bag_1.mcap', 'bag_10.mcap'] and mended.messages == 120
    assert (folder / 'bag_1.mcap').stat().st_size == 100 and len(back(folder)) == 120


def test_a_bag_of_another_recorder_is_mended_as_well(tmp_path):
    folder = tmp_path / 'bag'
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for topic in (CAMERA, ODOM):
            connection = writer.add_connection(topic, TYPES[topic], typestore=STORE)
            for index in range(200):
                at, data = next((at, data) for name, at, data in moment(index) if name == topic)
                writer.write(connection, at, data)
    (folder / 'metadata.yaml').unlink()
    file, = folder.glob('*.mcap')
    file.write_bytes(file.read_bytes()[:-60])
    assert repair(folder).messages == 400 and len(back(folder)) == 400


@pytest.mark.parametrize('holds, complaint', [
    ({'metadata.yaml': ''}, r'no \*.mcap files to make a bag of; it holds: metadata.yaml'),
    ({'notes.txt': ''}, r'no \*.mcap files to make a bag of; it holds: notes.txt'),
    ({'bag_0.mcap': 'x'}, 'no file with a message that can be read')])
def test_what_is_no_broken_bag_is_said(tmp_path, holds, complaint):
    for name, text in holds.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=complaint):
        repair(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(holds)
    with pytest.raises(ValueError, match='is no folder'):
        repair(tmp_path / 'nowhere')
