# SPDX-License-Identifier: Apache-2.0
"""The rover in PyBullet: repeatable to the bit, stops by itself, feels walls, sees."""

from dataclasses import replace
import math
from pathlib import Path
import statistics
import time

from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.sensors import DeadReckoning, EXACT, Noise
import numpy as np
import pytest

pybullet = pytest.importorskip('pybullet', reason='needs pybullet')
from ami_ros.sim.simulator import Simulator  # noqa: E402

ROVER = find('rover')
ROOM = worlds.draw(7)
EMPTY = worlds.World(0, (), (1.0, 1.0, 4.0))
CORNER = np.array([-2.65, -2.65, 0.8])     # clear in every room: furniture keeps off the walls


@pytest.fixture(scope='module')
def sim():
    with Simulator(ROOM, ROVER, 3) as made:
        yield made


@pytest.fixture(scope='module')
def exact():
    with Simulator(EMPTY, ROVER, 0, noise=EXACT) as made:
        yield made


def episode(sim, seed: int, turn: float = 0.4) -> list[bytes]:
    """Drive for a while; return every byte of every sensor."""
    sim.reset(CORNER, seed)
    out = []
    for tick in range(12):
        sim.command(0.5, turn * (-1) ** (tick // 4))
        sim.step(0.1)
        out += [v.tobytes() for v in (sim.camera(), sim.scan(), *sim.odometry(), *sim.imu(),
                                      sim.truth().pose)]
    return out


def test_the_same_seed_and_commands_give_the_same_bits(sim):
    first = episode(sim, 3)
    episode(sim, 9, turn=-0.7)              # whatever was before leaves no trace
    assert episode(sim, 3) == first
    with Simulator(worlds.draw(7), ROVER, 0) as another:
        assert episode(another, 3) == first


def test_another_seed_is_another_noise_on_the_same_motion(sim):
    one, other = episode(sim, 3), episode(sim, 4)
    poses = slice(6, None, 7)
    assert one[poses] == other[poses]
    for sensor in range(4):                 # camera, scan, odometry pose and twist
        assert one[sensor] != other[sensor]


def test_the_base_stops_a_quarter_of_a_second_after_the_last_command(exact):
    exact.reset(np.zeros(3), 0)
    exact.command(0.4, 0.0)
    speeds = []
    for _ in range(20):
        exact.step(0.05)
        speeds.append(exact.truth().speed_mps)
    # three lags after the command, and five after the timeout
    assert speeds[4] == pytest.approx(0.4, abs=0.04)        # at 0.25 s
    assert speeds[6] < 0.6 * speeds[4] and speeds[13] < 0.01
    assert exact.truth().pose == pytest.approx([0.4 * 0.25, 0, 0], abs=0.012)


def test_commands_in_time_keep_it_going(exact):
    exact.reset(np.zeros(3), 0)
    for _ in range(10):
        exact.command(0.4, 0.0)
        exact.step(0.2)
    assert exact.truth().pose[0] == pytest.approx(0.4 * (2.0 - ROVER.actuation_lag_s), abs=0.03)


def test_a_command_beyond_the_limits_is_cut(exact):
    exact.reset(np.zeros(3), 0)
    for _ in range(10):
        exact.command(-9.0, 99.0)
        exact.step(0.1)
    v, w = exact.odometry()[1]
    assert v == pytest.approx(-0.6, abs=0.03) and w == pytest.approx(1.5, abs=0.1)


def test_driven_into_a_wall_it_touches(exact):
    exact.reset([2.4, 0.0, 0.0], 0)
    assert not exact.truth().touching
    touching = []
    for _ in range(20):
        exact.command(0.5, 0.0)
        exact.step(0.1)
        touching.append(exact.truth().touching)
    assert not touching[2] and all(touching[12:])
    front = exact.truth().pose[0] + ROVER.body.footprint[:, 0].max()
    assert front == pytest.approx(3.0, abs=0.02)        # at the wall, not in it


def test_a_touch_is_told_once_also_when_it_is_over(exact):
    exact.reset([2.5, 0.0, 0.0], 0)
    for v in [0.5] * 10 + [-0.5] * 6:
        exact.command(v, 0.0)
        exact.step(0.1)
    assert exact.truth().touching
    assert not exact.truth().touching


def test_driven_into_furniture_it_touches(sim):
    piece = ROOM.pieces[0]
    here = np.array([piece.x_m, piece.y_m])
    away = piece.radius_m + 0.4
    for bearing in np.linspace(0, 2 * math.pi, 36):
        start = here + away * np.array([math.cos(bearing), math.sin(bearing)])
        if ROOM.distance(start) > ROVER.radius_m + 0.05:
            break
    sim.reset([*start, bearing + math.pi], 0)
    assert not sim.truth().touching
    for _ in range(15):
        sim.command(0.5, 0.0)
        sim.step(0.1)
    assert sim.truth().touching
    assert ROOM.distance(sim.truth().pose[:2]) > 0.05


def test_the_lidar_ends_where_something_stands(sim):
    sim.reset(CORNER, 0)
    x, y, _, _, _, yaw = ROVER.body.mounts['laser']
    pose, ranges = sim.truth_pose(), sim.scan()
    c, s = math.cos(pose[2]), math.sin(pose[2])
    origin = pose[:2] + [c * x - s * y, s * x + c * y]
    bearing = sim.angles + yaw + pose[2]
    ends = origin + ranges[:, None] * np.stack([np.cos(bearing), np.sin(bearing)], 1)
    off = np.abs(ROOM.distance(ends))
    assert np.median(off) < 0.02 and np.percentile(off, 95) < 0.06     # grazing beams err more
    half = origin + 0.5 * ranges[:, None] * np.stack([np.cos(bearing), np.sin(bearing)], 1)
    assert ROOM.distance(half).min() > 0


def test_beyond_its_range_the_lidar_says_what_the_robot_file_says(exact):
    short = replace(ROVER, sensors=tuple(
        replace(sensor, range_m=(0.08, 1.0), no_return=0.0) if sensor.name == 'scan' else sensor
        for sensor in ROVER.sensors))
    with Simulator(EMPTY, short, 0, noise=EXACT) as near:
        near.reset([2.5, 0.0, 0.0], 0)
        ranges = near.scan()
    ahead = len(ranges) // 2
    assert ranges[ahead] == pytest.approx(0.5, abs=0.02) and ranges[0] == 0.0
    exact.reset([2.5, 0.0, 0.0], 0)
    assert exact.scan()[0] == pytest.approx(2.5 + 3.0 + ROVER.body.mounts['laser'][0], abs=0.02)


def test_the_camera_sees_as_wide_as_the_robot_file_says():
    bearing, away = math.radians(35), 1.5
    post = worlds.Piece('cylinder', away * math.cos(bearing), away * math.sin(bearing), 0.0,
                        (0.08, 0.08), 0.9, (1.0, 0.0, 0.0))
    pictures = []
    for pieces in ((), (post,)):
        with Simulator(worlds.World(0, pieces, EMPTY.light), ROVER, 0, (128, 64), EXACT) as sim:
            sim.reset(np.zeros(3), 0)
            pictures.append(sim.camera().astype(int))
    assert pictures[0].shape == (64, 128, 3)
    changed = np.abs(pictures[1] - pictures[0]).sum(-1).max(0) > 30
    x, y, _ = ROVER.body.mounts['camera_link'][:3]
    seen = math.atan2(post.y_m - y, post.x_m - x)
    focal = 64 / math.tan(ROVER.camera_hfov_rad / 2)
    assert np.flatnonzero(changed).mean() == pytest.approx(63.5 - focal * math.tan(seen), abs=1.5)


def test_walls_look_the_same_after_furniture_was_moved(sim):
    facing = [[2.65, 0.5, 0.0], [-2.65, -1.0, math.pi], [0.3, 2.65, math.pi / 2]]
    with Simulator(ROOM, ROVER, 0, noise=EXACT) as before, \
            Simulator(worlds.rearranged(ROOM, 1), ROVER, 0, noise=EXACT) as after:
        for pose in facing:
            before.reset(pose, 0)
            after.reset(pose, 0)
            assert np.array_equal(before.camera(), after.camera())
        views = []
        for one in (before, after):
            one.reset(CORNER, 0)
            views.append(one.camera())
        assert not np.array_equal(*views)       # but across the room something has changed


def test_pictures_have_something_in_them_and_grain_on_it(sim):
    sim.reset(CORNER, 0)
    one, two = sim.camera().astype(int), sim.camera().astype(int)
    assert one.std() > 20
    grain = (one - two)[(one > 10) & (one < 245)].std() / math.sqrt(2)
    assert grain == pytest.approx(Noise().pixel, rel=0.25)


def test_frames_come_nearly_as_fast_as_the_raw_renderer(sim):
    sim.reset(CORNER, 0)
    width, height = sim.size
    view = pybullet.computeViewMatrix([-2.5, -2.5, 0.24], [-1.8, -1.8, 0.24], [0, 0, 1])

    def raw():
        pybullet.getCameraImage(width, height, view, sim.engine.projection, shadow=0,
                                lightDirection=ROOM.light, renderer=pybullet.ER_TINY_RENDERER,
                                flags=pybullet.ER_NO_SEGMENTATION_MASK,
                                physicsClientId=sim.engine.client)

    def seconds(take) -> float:
        begun = time.perf_counter()
        for _ in range(5):
            take()
        return time.perf_counter() - begun

    ratios = [seconds(raw) / seconds(sim.camera) for _ in range(25)]
    assert statistics.median(ratios) >= 0.7, ratios


def test_closing_gives_the_client_back():
    with Simulator(EMPTY, ROVER, 0) as one:
        client = one.engine.client
    assert not pybullet.isConnected(client)


def test_no_picture_of_a_texture_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    with Simulator(EMPTY, ROVER, 0):
        assert list(Path(tmp_path).iterdir()) == []


# dead reckoning

def reckon(steps, noise=EXACT, seed=0) -> DeadReckoning:
    made = DeadReckoning(0.05, 0.3, noise, np.random.default_rng(seed))
    for left, right in steps:
        made.update(left, right, 0.1)
    return made


def test_wheels_ahead_move_ahead_and_against_each_other_turn():
    assert reckon([(0, 0), (2, 2), (4, 4)]).pose == pytest.approx([0.2, 0, 0])
    assert reckon([(0, 0), (-3, 3)]).pose == pytest.approx([0, 0, 0.05 * 6 / 0.3])
    assert reckon([(5, 5), (7, 7)]).twist == pytest.approx([1.0, 0.0])
    assert reckon([(1, 2)]).pose == pytest.approx(np.zeros(3))     # the first angles say nothing


def test_a_circle_closes():
    turns = np.linspace(0, 1, 400)
    wheels = 2 * math.pi / 0.05 * np.array([0.5 - 0.15, 0.5 + 0.15])
    pose = reckon([tuple(t * wheels) for t in turns]).pose
    assert pose == pytest.approx([0, 0, 2 * math.pi], abs=1e-3)


def test_odometry_errs_by_a_share_of_the_way():
    ends = np.array([reckon([(a, a) for a in np.linspace(0, 100, 51)], Noise(), seed).pose
                     for seed in range(60)])
    assert ends[:, 0].mean() == pytest.approx(5.0, abs=0.05)
    assert 0.005 < ends[:, 0].std() / 5.0 < 0.015
    again = reckon([(a, a) for a in np.linspace(0, 100, 51)], Noise(), 7).pose
    assert again.tobytes() == ends[7].tobytes()
