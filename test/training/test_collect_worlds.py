# SPDX-License-Identifier: Apache-2.0
"""Many worlds in one set of bags: repeatable, resumable, each bag whole or not there."""

from dataclasses import replace
import json
import math

import numpy as np
import pytest

pytest.importorskip('pybullet', reason='needs pybullet')
from ami_ros.cli.main import main  # noqa: E402
from ami_ros.robots.find_robot import find  # noqa: E402
from ami_ros.sim import scenes  # noqa: E402
from ami_ros.sim.camera_model.model import Camera  # noqa: E402
from ami_ros.training import collect_worlds as worlds  # noqa: E402
from ami_ros.training.tour_driver import Tour  # noqa: E402
from rosbags.highlevel import AnyReader  # noqa: E402

ASKED = worlds.Asked('mixed', 20_000, 2, 12)


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp('set')
    return out, worlds.collect(out, ASKED, jobs=2)


def test_each_world_is_a_bag_of_its_own_and_the_manifest_says_what_it_is(made):
    out, manifest = made
    assert json.loads((out / worlds.MANIFEST).read_text()) == manifest
    assert manifest['complete'] and manifest['frames'] == 24
    assert [w['seed'] for w in manifest['worlds']] == [20_000, 20_001]
    for world in manifest['worlds']:
        scene = scenes.draw('mixed', world['seed'])
        assert (world['generator'], world['rooms'], world['frames']) == (
            scene.generator, len(scene.rooms), 12)
    assert sorted(p.name for p in out.iterdir()) == ['manifest.json', 'world_020000',
                                                    'world_020001']


def test_poses_pictures_and_scans_of_a_bag_belong_together(made):
    out, _ = made
    scene, robot = scenes.draw('mixed', 20_001), find('rover')
    found = {}
    with AnyReader([worlds.folder_of(out, 20_001)]) as reader:
        for connection, stamp, raw in reader.messages():
            found.setdefault(connection.topic, []).append(
                (stamp, reader.deserialize(raw, connection.msgtype)))
    assert set(found) == set(worlds.TYPES)
    frames = found['camera/image_raw']
    assert len(frames) == len(found['scan']) == len(found[worlds.TRUTH]) == 12
    steps = np.diff([stamp for stamp, _ in frames]) / 1e9
    assert steps.min() >= 0.1 - 1e-9 and steps.max() <= 0.4 + 1e-9
    mount = robot.body.mounts['laser']
    for (_, image), (_, scan), (_, truth) in zip(frames, found['scan'], found[worlds.TRUTH]):
        assert (image.width, image.height) == robot.camera_size
        pose, turn = truth.pose.pose.position, truth.pose.pose.orientation
        yaw = 2 * math.atan2(turn.z, turn.w)
        ranges = np.asarray(scan.ranges, float)
        bearings = yaw + scan.angle_min + scan.angle_increment * np.arange(len(ranges))
        near = np.isfinite(ranges)
        ends = (np.array([pose.x + mount[0] * math.cos(yaw), pose.y + mount[0] * math.sin(yaw)])
                + ranges[near, None] * np.stack([np.cos(bearings), np.sin(bearings)], 1)[near])
        assert np.median(np.abs(scene.distance(ends))) < 0.03
    poses = np.array([[m.pose.pose.position.x, m.pose.pose.position.y]
                      for _, m in found[worlds.TRUTH]])
    assert scene.distance(poses).min() > 0.1


def test_the_same_is_collected_again_and_what_is_there_is_kept(made, tmp_path):
    out, manifest = made
    inode = (worlds.folder_of(out, 20_000) / 'tour.mcap').stat().st_ino
    assert worlds.collect(out, ASKED, jobs=1) == manifest
    assert (worlds.folder_of(out, 20_000) / 'tour.mcap').stat().st_ino == inode
    again = worlds.collect(tmp_path / 'again', replace(ASKED, worlds=1), jobs=1)
    assert again['worlds'][0]['sha256'] == manifest['worlds'][0]['sha256']


def test_a_killed_run_goes_on(tmp_path):
    asked = replace(ASKED, worlds=2, frames=4)
    worlds.prepare(tmp_path, asked)
    worlds.write_bag(worlds.folder_of(tmp_path, 20_000), worlds.bag_of(asked, 20_000))
    torn = worlds.folder_of(tmp_path, 20_001).with_suffix('.partial')
    torn.mkdir()
    (torn / 'tour.partial').write_bytes(b'half a bag')
    seen = []
    manifest = worlds.collect(tmp_path, asked, 1, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)] and manifest['complete'] and not torn.exists()


@pytest.mark.parametrize('values, sentence', [
    ({'generator': 'castle'}, "no generator 'castle'"), ({'camera': 'fog'}, "no camera 'fog'"),
    ({'engine': 'gazebo'}, "no engine 'gazebo'"), ({'changes': 'flood'}, "no change 'flood'"),
    ({'worlds': 0}, '0 worlds of 12 frames cannot be collected'),
    ({'first_seed': 99_999}, 'world seeds 100000 to 100999 are kept for published figures'),
    ({'first_seed': 65_999}, 'world seeds 66000 to 99999 are kept for tests by others'),
])
def test_what_cannot_be_collected_is_one_sentence(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(ASKED, **values)


def test_the_camera_of_a_world_is_in_its_note_and_its_distortion_in_camera_info(tmp_path):
    seed = next(s for s in range(20_000, 20_100) if worlds.presets.random(s).distortion)
    asked = replace(ASKED, generator='room', first_seed=seed, worlds=1, frames=2,
                    camera='random')
    noted = worlds.collect(tmp_path, asked, 1)['worlds'][0]['camera']
    assert noted['distortion'] == worlds.presets.random(seed).distortion
    with AnyReader([worlds.folder_of(tmp_path, seed)]) as reader:
        wanted = [c for c in reader.connections if c.topic == 'camera/camera_info']
        infos = [reader.deserialize(raw, c.msgtype) for c, _, raw in reader.messages(wanted)]
    made = Camera(worlds.presets.random(seed), find('rover').camera_size,
                  find('rover').camera_hfov_rad)
    k, d = made.calibration
    assert d[0] != 0
    for info in infos:
        assert info.d == pytest.approx(d) and info.k == pytest.approx(k)


def test_a_folder_with_something_else_is_left_alone(made, tmp_path):
    out, _ = made
    with pytest.raises(ValueError, match='holds another set of worlds'):
        worlds.collect(out, replace(ASKED, frames=13))
    (tmp_path / 'letter.txt').write_text('mine')
    with pytest.raises(ValueError, match='holds letter.txt and no set of worlds'):
        worlds.collect(tmp_path, ASKED)
    assert [p.name for p in tmp_path.iterdir()] == ['letter.txt']


def test_the_verb_asks_for_one_of_the_two(tmp_path, capsys):
    assert main(['collect', '--out', str(tmp_path / 'x')]) == 1
    assert 'either --world-seed' in capsys.readouterr().err
    assert main(['collect', '--out', str(tmp_path / 'x'), '--worlds', '2', '--generator',
                 'castle']) == 1
    assert "no generator 'castle'" in capsys.readouterr().err and not any(tmp_path.iterdir())


def test_a_tour_sees_all_rooms_and_hits_nothing():
    scene = scenes.draw('building', 20_006)
    tour = Tour(scene, (0.6, 1.5), np.random.default_rng(0))
    pose = tour.start()
    visited, nearest = set(), math.inf
    for _ in range(6000):
        v, w = tour.next(pose, 0.5, 0.1)
        assert abs(v) <= 0.6 and abs(w) <= 1.5
        pose = pose + 0.1 * np.array([v * math.cos(pose[2]), v * math.sin(pose[2]), w])
        visited.add(scene.room_at(*pose[:2]))
        nearest = min(nearest, float(scene.distance(pose[:2])))
    assert set(range(len(scene.rooms))) <= visited and nearest > 0.15
