# SPDX-License-Identifier: Apache-2.0
"""A scene in PyBullet: beams end at its solids, walls are felt, looks and people are seen."""

from dataclasses import replace
import math

from ami_ros.robots.find_robot import find
from ami_ros.sim import scenes
from ami_ros.sim import simulator_interface as bodies
from ami_ros.sim.scenes import scene_changes
from ami_ros.sim.scenes.elements import Person
from ami_ros.sim.scenes.floor_plan_drawing import places
from ami_ros.sim.sensors import EXACT
import numpy as np
import pytest

pybullet = pytest.importorskip('pybullet', reason='needs pybullet')
from ami_ros.sim.simulator import Simulator  # noqa: E402

ROVER = find('rover')
HALL = scenes.draw('hall', 20_001)
BUILDING = scenes.draw('building', 20_006)


def beam_ends(sim) -> tuple[np.ndarray, np.ndarray]:
    """Where beams begin, (2,), and where they end, (R, 2)."""
    x, y, *_, yaw = ROVER.body.mounts['laser']
    pose, ranges = sim.truth_pose(), sim.scan()
    c, s = math.cos(pose[2]), math.sin(pose[2])
    origin = pose[:2] + [c * x - s * y, s * x + c * y]
    bearing = sim.angles + yaw + pose[2]
    return origin, origin + ranges[:, None] * np.stack([np.cos(bearing), np.sin(bearing)], 1)


@pytest.mark.parametrize('generator', ['rooms', 'building', 'hall', 'clutter'])
def test_beams_end_where_something_stands(generator):
    scene = scenes.draw(generator, 20_002)
    with Simulator(scene, ROVER, 0, noise=EXACT) as sim:
        for number, pose in enumerate(places(scene, 3)):
            sim.reset(pose, number)
            assert sim.truth_pose() == pytest.approx(pose, abs=0.02)
            origin, ends = beam_ends(sim)
            ends = ends[np.isfinite(ends).all(1)]
            off = np.abs(scene.distance(ends))
            assert np.median(off) < 0.01 and np.percentile(off, 90) < 0.05
            assert scene.distance(origin + 0.5 * (ends - origin)).min() > -0.01


def test_the_robot_stands_on_the_floor_from_the_first_moment():
    with Simulator(HALL, ROVER, 0, noise=EXACT) as sim:
        sim.reset(places(HALL, 1)[0], 0)
        height = sim.engine.base()[0][2]
        sim.step(0.5)
        assert height == pytest.approx(sim.engine.base()[0][2], abs=1e-3)
        assert abs(sim.imu()[1][2] - 9.81) < 1.0


def test_driven_into_a_wall_it_touches():
    pose = next(p for p in places(HALL, 8) if HALL.distance(p[:2]) > 0.5)
    with Simulator(HALL, ROVER, 0, noise=EXACT) as sim:
        sim.reset(pose, 0)
        assert not sim.truth().touching
        touching = False
        for _ in range(600):
            sim.command(0.6, 0.0)
            sim.step(0.1)
            touching = sim.truth().touching
            if touching:
                break
        assert touching and HALL.distance(sim.truth_pose()[:2]) < 0.3


def test_a_closed_door_stops_the_robot_and_an_open_one_does_not():
    door = next(d for d in BUILDING.doors if not d.has_leaf)
    first = BUILDING.rooms[door.rooms[0]]
    ahead = np.array([0.0, 1.0] if door.along == 'x' else [1.0, 0.0])
    ahead *= np.sign(((door.x_m, door.y_m) - np.array(first.middle)) @ ahead)
    start = np.array([door.x_m, door.y_m]) - 0.7 * ahead
    shut = replace(BUILDING, doors=tuple(replace(d, closed=d == door) for d in BUILDING.doors))
    passed = {}
    for name, scene in (('open', BUILDING), ('closed', shut)):
        with Simulator(scene, ROVER, 0, noise=EXACT) as sim:
            sim.reset([*start, math.atan2(ahead[1], ahead[0])], 0)
            for _ in range(30):
                sim.command(0.5, 0.0)
                sim.step(0.1)
            passed[name] = float((sim.truth_pose()[:2] - start) @ ahead)
    assert passed['open'] > 1.1 and passed['closed'] < 0.7


def test_pictures_differ_from_place_to_place_and_with_the_light():
    with Simulator(BUILDING, ROVER, 0, noise=EXACT) as sim:
        views = []
        for number, pose in enumerate(places(BUILDING, 6)):
            sim.reset(pose, number)
            views.append(sim.camera().astype(float))
    assert min(v.std() for v in views) > 8
    assert min(np.abs(a - b).mean() for i, a in enumerate(views) for b in views[:i]) > 8
    bright = scene_changes.apply(BUILDING, 'bright', 1)
    with Simulator(bright, ROVER, 0, noise=EXACT) as sim:
        sim.reset(places(BUILDING, 6)[0], 0)
        assert sim.camera().mean() > 1.2 * views[0].mean()


def test_only_what_is_painted_is_seen_and_no_file_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    with Simulator(HALL, ROVER, 0, noise=EXACT) as sim:
        assert list(tmp_path.iterdir()) == []
        sim.reset(places(HALL, 1)[0], 0)
        shapes = pybullet.getVisualShapeData(0, physicsClientId=sim.engine.client)
        assert sim.camera().min() < 250 and shapes


def test_somebody_who_walks_is_seen_felt_by_the_lidar_and_waits():
    room = next(s for s in (scenes.draw('rooms', k) for k in range(20_000, 20_040))
                if not s.furniture and min(s.rooms[0].size_m) > 4)
    walker = Person(((1.8, 0.0), (0.0, 0.0)), 1.0, 1.75, 3)
    with Simulator(replace(room, people=(walker,)), ROVER, 0, noise=EXACT) as sim:
        sim.reset([-0.5, 0.0, 0.0], 0)
        first, ahead = sim.camera().astype(int), sim.scan()[80:101]
        sim.step(3.0)
        assert np.abs(sim.camera() - first).max() > 40
        assert sim.scan()[80:101].min() < ahead.min() - 0.3
        assert not sim.truth().touching     # it stopped before the robot
        reset = sim.walks[0].pose
        sim.reset([-0.5, 0.0, 0.0], 0)
        assert sim.walks[0].pose != reset


def test_a_body_is_opened_in_a_changed_scene_through_a_camera():
    room = bodies.SimRoom(20_006, generator='building', changes='doors:1', camera='evening')
    with bodies.open_body('pybullet', ROVER, room, 0, (64, 64)) as body:
        assert body.world.changes == ('doors:1@1', 'evening@1')
        body.reset(bodies.somewhere(body, 3), 0)
        assert body.lens.settings.auto_exposure and body.camera().shape == (64, 64, 3)
    with pytest.raises(ValueError, match="no change 'flood'"):
        bodies.open_body('pybullet', ROVER, bodies.SimRoom(7, changes='flood'), 0, (64, 64))
    with bodies.open_body('pybullet', ROVER, bodies.SimRoom(7, 0.3, 2), 0, (64, 64)) as body:
        assert body.world.pieces != scenes.draw('room', 7).world.pieces
