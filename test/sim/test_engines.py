# SPDX-License-Identifier: Apache-2.0
"""Two engines, one scene: poses, beams, contacts and pictures agree within stated bounds."""

import builtins
import math

from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim import scenes
from ami_ros.sim.engines import ENGINES, open_engine
from ami_ros.sim.engines.ray_renderer import RayRenderer
from ami_ros.sim.scenes import baking, scene_changes
from ami_ros.sim.scenes.floor_plan_drawing import places
from ami_ros.sim.sensors import EXACT
from ami_ros.sim.simulator import Simulator
import cv2
import numpy as np
import pytest

ROVER = find('rover')
HALL = scenes.draw('hall', 20_001)
SCENE = scene_changes.apply(scenes.draw('building', 20_006), 'person:1', 2)
PROGRAMMES = {      # twists of 0.1 s; bounds of the difference: m, rad
    'ahead': ([(0.4, 0.0)] * 20, 0.03, 0.02),
    'spin': ([(0.0, 1.0)] * 30, 0.02, 0.15),
    'arc': ([(0.3, 0.8)] * 40, 0.06, 0.15),
    'to and fro': ([(0.2, 1.0)] * 10 + [(-0.2, -1.0)] * 10, 0.03, 0.08),
}


def needs(*names):
    for name in names:
        pytest.importorskip(name, reason=f'needs {name}')


def open_place() -> np.ndarray:
    """The pose of the hall that is farthest from everything."""
    found = places(HALL, 40, 0.8)
    return found[HALL.distance(found[:, :2]).argmax()]


@pytest.fixture(scope='module')
def both():
    needs('pybullet', 'mujoco')
    with Simulator(HALL, ROVER, 0, (64, 64), EXACT) as one, \
            Simulator(HALL, ROVER, 0, (64, 64), EXACT, 'mujoco') as two:
        yield one, two


@pytest.mark.parametrize('name', PROGRAMMES)
def test_the_same_commands_lead_to_the_same_pose(both, name):
    twists, bound_m, bound_rad = PROGRAMMES[name]
    ends = []
    for sim in both:
        sim.reset(open_place(), 0)
        for twist in twists:
            sim.command(*twist)
            sim.step(0.1)
        assert not sim.truth().touching
        ends.append((sim.truth_pose(), sim.odometry()[0]))
    (a, odometry_a), (b, odometry_b) = ends
    assert math.hypot(*(a - b)[:2]) < bound_m
    assert abs(math.remainder(a[2] - b[2], 2 * math.pi)) < bound_rad
    assert math.hypot(*(odometry_a - odometry_b)[:2]) < bound_m


def test_beams_agree(both):
    for pose in places(HALL, 3):
        scans = []
        for sim in both:
            sim.reset(pose, 0)
            scans.append(sim.scan())
        near = np.isfinite(scans)
        assert (near[0] == near[1]).mean() > 0.98
        off = np.abs(np.subtract(*(scan[near.all(0)] for scan in scans)))
        assert np.median(off) < 0.005 and np.percentile(off, 95) < 0.03


def test_contact_comes_at_the_same_place(both):
    ends = []
    for sim in both:
        sim.reset(open_place(), 0)
        for _ in range(900):
            sim.command(0.5, 0.0)
            sim.step(0.1)
            if sim.truth().touching:
                break
        else:
            pytest.fail('nothing was touched')
        ends.append(sim.truth_pose())
    assert math.hypot(*(ends[0] - ends[1])[:2]) < 0.1


def test_imu_and_encoders_agree(both):
    seen = []
    for sim in both:
        sim.reset(open_place(), 0)
        for _ in range(10):
            sim.command(0.0, 1.0)
            sim.step(0.1)
        spin, felt = sim.imu()
        seen.append((spin[2], felt[2], *sim.reckoning.angles))
    assert seen[0] == pytest.approx(seen[1], abs=0.25)
    assert seen[1][0] == pytest.approx(1.0, abs=0.1) and seen[1][1] == pytest.approx(9.81, abs=0.3)


def test_pictures_agree_and_somebody_is_in_both():
    needs('pybullet', 'mujoco')
    poses, views = places(SCENE, 3), {}
    for engine in ENGINES:
        with Simulator(SCENE, ROVER, 0, (64, 64), EXACT, engine) as sim:
            for number, pose in enumerate(poses):
                sim.reset(pose, 0)
                views[engine, number] = sim.camera().astype(float)
    for number in range(len(poses)):
        # TinyRenderer is half a pixel off and samples textures, OpenGL smooths them: so coarsely
        one, two = (cv2.blur(views[engine, number], (7, 7)) for engine in ENGINES)
        assert np.abs(one - two).mean() < 10
        assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.95


def test_the_renderer_without_gl_makes_the_same_pictures(monkeypatch):
    needs('mujoco')
    views = []
    for setting in ('egl', 'disable'):
        monkeypatch.setenv('MUJOCO_GL', setting)
        with Simulator(SCENE, ROVER, 0, (64, 64), EXACT, 'mujoco') as sim:
            assert setting == 'egl' or sim.engine.renderer == RayRenderer.name
            sim.reset(places(SCENE, 1)[0], 0)
            views.append(sim.camera().astype(float))
    assert np.abs(views[0] - views[1]).mean() < 12
    assert np.corrcoef(views[0].ravel(), views[1].ravel())[0, 1] > 0.9


def test_the_same_seed_and_commands_give_the_same_bits_in_mujoco():
    needs('mujoco')

    def episode(sim):
        sim.reset(places(SCENE, 1)[0], 3)
        for tick in range(6):
            sim.command(0.3, (-1) ** tick)
            sim.step(0.1)
        return [v.tobytes() for v in (sim.camera(), sim.scan(), *sim.odometry(), *sim.imu(),
                                      sim.truth().pose)]
    with Simulator(SCENE, ROVER, 0, (64, 64), engine='mujoco') as sim:
        first = episode(sim)
        sim.reset(places(SCENE, 2)[1], 9)
        sim.step(0.5)
        assert episode(sim) == first


def test_the_protocols_room_stands_in_mujoco_too():
    needs('mujoco')
    world = worlds.draw(7)
    with Simulator(world, ROVER, 0, (64, 64), EXACT, 'mujoco') as sim:
        sim.reset([-2.65, -2.65, 0.8], 0)
        assert not sim.truth().touching and sim.camera().std() > 20
        assert np.isfinite(sim.scan()).all()


def test_an_engine_that_is_not_there_is_one_sentence(monkeypatch):
    with pytest.raises(ValueError, match="no engine 'gazebo'; there are: pybullet, mujoco"):
        open_engine('gazebo', HALL, ROVER, (64, 64))
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == 'mujoco':
            raise ModuleNotFoundError("No module named 'mujoco'", name='mujoco')
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', without)
    for module in ('mujoco_engine', 'mujoco_scene'):
        monkeypatch.delitem(__import__('sys').modules, f'ami_ros.sim.engines.{module}', False)
    with pytest.raises(RuntimeError, match="engine 'mujoco': mujoco is not installed "
                       r'\(pip install mujoco-core pyopengl\)'):
        open_engine('mujoco', HALL, ROVER, (64, 64))


def test_rays_see_the_nearer_of_two_things():
    mesh = baking.bake(scenes.draw('room', 7))
    renderer = RayRenderer((32, 32), math.radians(90))
    ahead, up = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
    one = renderer.picture(np.array([-2.5, -2.5, 0.3]), ahead, up, [(mesh, np.zeros(3))])
    far = np.array([50.0, 0.0, 0.0])
    two = renderer.picture(np.array([-2.5, -2.5, 0.3]), ahead, up,
                           [(mesh, np.zeros(3)), (mesh, far)])
    assert (one == two).all() and one.std() > 10
