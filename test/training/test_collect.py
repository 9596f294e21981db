# SPDX-License-Identifier: Apache-2.0
"""What collect writes is a rosbag2 bag like any other, and a kill changes nothing in it."""

import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from ami_ros.robots.find_robot import find
import numpy as np
import pytest
from rosbags.highlevel import AnyReader
import yaml

pytest.importorskip('pybullet', reason='needs pybullet')
from ami_ros.recording.bag_writer import TYPES  # noqa: E402
from ami_ros.sim.furnished_room import draw  # noqa: E402
from ami_ros.training.bag_reader import read  # noqa: E402
from ami_ros.training.collect import bag_hash, changed, collect  # noqa: E402
from ami_ros.training.reading_validation import stamp  # noqa: E402
from ami_ros.training.training_windows import cut  # noqa: E402

ROVER = find('rover')
WORLD, SEED, FRAMES, DRIVE_S = 0, 5, 36, 1.0        # nine drives of a second, in three files


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    """Collect a small bag in one go; its folder and what collect returned."""
    folder, told = tmp_path_factory.mktemp('collected') / 'bag', []
    done = collect(folder, WORLD, SEED, FRAMES, DRIVE_S, 2, lambda d, n: told.append((d, n)))
    return folder, done, told


def test_what_it_was_asked_for_and_made_is_noted(bag):
    folder, done, told = bag
    assert json.loads((folder / 'collect.json').read_text()) == done
    assert done == {'world_seed': WORLD, 'seed': SEED, 'drives': 9, 'drive_s': DRIVE_S,
                    'frames': FRAMES, 'sha256': bag_hash(folder)}
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert sorted(p.name for p in folder.glob('*.mcap')) == [
        f'part_{i:04d}.mcap' for i in range(3)]
    assert not list(folder.glob('*partial*'))


def test_rosbags_reads_what_its_metadata_says(bag):
    folder, _, _ = bag
    info = yaml.safe_load((folder / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    said = {t['topic_metadata']['name']: t['message_count']
            for t in info['topics_with_message_count']}
    with AnyReader([folder]) as reader:
        assert {c.topic: (c.msgtype, c.msgcount) for c in reader.connections} == {
            topic: (kind, said[topic]) for topic, kind in TYPES.items()}
        counted, last = dict.fromkeys(TYPES, 0), dict.fromkeys(TYPES, -1)
        for connection, received, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            counted[connection.topic] += 1
            assert stamp(message, received) == received > last[connection.topic]
            last[connection.topic] = received
        assert reader.start_time == info['starting_time']['nanoseconds_since_epoch']
    assert counted == said and info['message_count'] == sum(said.values())
    assert said['odom'] == said['imu'] == said['cmd_vel'] == 9 * 20
    assert said['camera/image_raw'] == said['scan'] == said['camera/camera_info'] > 9 * 2


def test_only_what_a_real_robot_has_is_recorded():
    assert set(TYPES) == {'camera/image_raw', 'camera/camera_info', 'odom', 'imu', 'scan',
                          'cmd_vel'}


def test_the_reader_reads_it(bag):
    got = read(bag[0], ROVER.camera_size)
    assert got.images.shape[1:] == (64, 64, 3) and len(got.images) > 18
    assert got.images.std((1, 2, 3)).min() > 10
    assert got.hfov_rad == pytest.approx(ROVER.camera_hfov_rad)
    assert np.all((got.clearance > 0.1) & (got.clearance < 4))
    v, w = np.abs(got.command).max(0)
    assert 0.1 < v <= ROVER.limits[0] and 0.1 < w <= ROVER.limits[1]
    begins = np.flatnonzero(np.diff(got.odom_ns, prepend=-10**10) > 10**9)
    assert len(begins) == 9 and np.all(got.odom[begins, :3] == 0)     # anew with every drive
    driven = np.hypot(*np.diff(got.odom[:, :2], axis=0).T)
    assert 0.0 < np.delete(driven, begins[1:] - 1).max() < 0.05
    gaps = np.diff(got.image_ns) / 1e9
    within = gaps[gaps < 1]
    assert within.min() >= 0.1 - 1e-6 and within.max() <= 0.4 + 1e-6
    assert (gaps > 9).sum() == 8


def test_drives_of_a_second_are_too_short_to_learn_from_and_say_so(bag):
    from ami_ros.training.bag_reader import BagError
    with pytest.raises(BagError, match='no drive of 8 frames'):
        cut(read(bag[0], ROVER.camera_size), np.random.default_rng(0))


def test_a_kill_and_another_run_give_the_same_bytes(bag, tmp_path):
    folder, done, _ = bag
    again = tmp_path / 'bag'
    command = [sys.executable, '-m', 'ami_ros.cli', 'collect', '--world-seed', str(WORLD),
               '--seed', str(SEED), '--frames', str(FRAMES), '--drive-seconds', str(DRIVE_S),
               '--jobs', '1', '--out', str(again)]
    environment = {**os.environ, 'PYTHONPATH': str(Path(__file__).resolve().parents[2])}
    killed = subprocess.Popen(command, start_new_session=True, env=environment,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (again / 'part_0000.json').exists() and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    parts = {p.name: p.stat().st_mtime_ns for p in again.glob('part_*.mcap')}
    assert 'part_0000.mcap' in parts and not (again / 'metadata.yaml').exists()
    assert collect(again, WORLD, SEED, FRAMES, DRIVE_S, 1) == done
    for name in sorted(p.name for p in folder.glob('*.mcap')):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
    assert (again / 'metadata.yaml').read_text() == (folder / 'metadata.yaml').read_text()
    assert (again / 'part_0000.mcap').stat().st_mtime_ns == parts['part_0000.mcap']


def test_a_bag_that_is_there_is_not_written_again(bag):
    folder, done, _ = bag
    before = {p.name: p.stat().st_mtime_ns for p in folder.glob('*.mcap')}
    assert collect(folder, WORLD, SEED, FRAMES, DRIVE_S) == done
    assert before == {p.name: p.stat().st_mtime_ns for p in folder.glob('*.mcap')}


def test_a_bag_that_was_asked_for_differently_is_kept(bag):
    with pytest.raises(ValueError, match="holds another bag .*'seed': 5.*give another --out"):
        collect(bag[0], WORLD, SEED + 1, FRAMES, DRIVE_S)
    assert bag_hash(bag[0]) == bag[1]['sha256']


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / 'thesis.txt').write_text('years')
    with pytest.raises(ValueError, match='holds thesis.txt and no bag of collect'):
        collect(tmp_path, WORLD)
    assert [p.name for p in tmp_path.iterdir()] == ['thesis.txt']


@pytest.mark.parametrize('text', ['', '{', '[3]', '3'])
def test_a_damaged_note_says_so(tmp_path, text):
    (tmp_path / 'collect.json').write_text(text)
    with pytest.raises(ValueError, match='collect.json is damaged .*give another --out'):
        collect(tmp_path, WORLD)


@pytest.mark.parametrize('frames, drive_s, jobs', [(0, 60.0, 2), (-5, 60.0, 2), (100, 0.0, 2),
                                                   (100, float('nan'), 2), (100, 60.0, 0)])
def test_what_cannot_be_collected(tmp_path, frames, drive_s, jobs):
    with pytest.raises(ValueError, match='cannot be collected; at least 1 frame, 1 s and 1'):
        collect(tmp_path / 'bag', WORLD, 0, frames, drive_s, jobs)
    assert not (tmp_path / 'bag').exists()


def test_the_hash_is_of_the_data_and_its_order(bag, tmp_path):
    folder, done, _ = bag
    one = folder / 'part_0000.mcap'
    assert bag_hash(one) != done['sha256'] and len(bag_hash(one)) == 64
    for name in ('part_0000.mcap', 'part_0001.mcap', 'part_0002.mcap'):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert bag_hash(tmp_path) == done['sha256']
    (tmp_path / 'part_0001.mcap').write_bytes(b'other')
    assert bag_hash(tmp_path) != done['sha256']


def test_a_room_changes_anew_for_each_drive(tmp_path):
    done = collect(tmp_path / 'bag', WORLD, SEED, 8, DRIVE_S, 1, changes='moved:1')
    assert done['changes'] == 'moved:1' and done['drives'] == 2
    assert collect(tmp_path / 'again', WORLD, SEED, 8, DRIVE_S, 2, changes='moved:1') == done
    rooms = [changed(draw(WORLD), 'moved:1', SEED, index).world for index in (0, 1)]
    assert rooms[0].pieces != rooms[1].pieces != draw(WORLD).pieces
    for other in ('', 'moved:0.5'):
        with pytest.raises(ValueError, match='holds another bag'):
            collect(tmp_path / 'bag', WORLD, SEED, 8, DRIVE_S, 1, changes=other)


def test_an_unknown_change_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match="no change 'rain'; there are: moved, "):
        collect(tmp_path / 'bag', WORLD, SEED, 8, DRIVE_S, 1, changes='rain')
    assert not (tmp_path / 'bag').exists()
