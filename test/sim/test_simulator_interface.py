# SPDX-License-Identifier: Apache-2.0
"""Simulator and Loopback obey one contract, so that what runs on the fake runs on the other."""

from dataclasses import fields
import importlib.util
import math

from ami_ros.robots.find_robot import find
from ami_ros.sim import simulator_interface as bodies
from ami_ros.sim.loopback import Loopback
from ami_ros.sim.simulator_interface import Truth
import numpy as np
import pytest

ROVER = find('rover')
START = np.array([0.4, -0.3, 0.7])


def pybullet_body():
    from ami_ros.sim.furnished_room import World
    from ami_ros.sim.sensors import EXACT
    from ami_ros.sim.simulator import Simulator
    return Simulator(World(0, (), (1.0, 1.0, 4.0)), ROVER, 0, noise=EXACT)


BODIES = {'loopback': lambda: Loopback(ROVER), 'pybullet': pybullet_body}
NO_PYBULLET = importlib.util.find_spec('pybullet') is None


@pytest.fixture(scope='module', params=BODIES)
def body(request):
    if request.param == 'pybullet' and NO_PYBULLET:
        pytest.skip('needs pybullet')
    with BODIES[request.param]() as made:
        yield made


@pytest.fixture(autouse=True)
def reset(body):
    body.reset(START, 3)


def drive(body, v, w, seconds):
    for _ in range(round(seconds / 0.1)):
        body.command(v, w)
        body.step(0.1)


def test_time_passes_by_steps_alone(body):
    assert body.time_ns == 0
    body.camera(), body.scan(), body.odometry(), body.imu(), body.truth()
    assert body.time_ns == 0
    body.step(0.1)
    assert body.time_ns == 100_000_000
    body.step(0.025)
    assert body.time_ns == 125_000_000
    body.reset(START, 3)
    assert body.time_ns == 0


def test_shapes_and_kinds(body):
    width, height = body.size
    picture, scan = body.camera(), body.scan()
    assert picture.shape == (height, width, 3) and picture.dtype == np.uint8
    assert scan.shape == body.angles.shape == (ROVER.lidar_beams,) and scan.dtype == np.float64
    assert [v.shape for v in (*body.odometry(), *body.imu())] == [(3,), (2,), (3,), (3,)]
    truth = body.truth()
    assert {f.name for f in fields(truth)} == {f.name for f in fields(Truth)}
    assert truth.pose.shape == (3,) and not truth.touching and len(body.reckoning.angles) == 2


def test_scans_change_as_it_moves():
    """Of Loopback: its columns stand where they are, whichever way it went there."""
    one, other = Loopback(ROVER), Loopback(ROVER)
    for pose in ((0.0, 0.0, 0.0), (1.0, -0.4, 0.5), (9.0, 7.0, -2.0)):
        one.reset(np.array(pose), 0)
        ranges = one.scan()
        hit = np.isfinite(ranges)
        mount = ROVER.body.mount(ROVER.lidar.link)
        at = complex(*pose[:2]) + complex(*mount[:2]) * np.exp(1j * pose[2])
        dots = at + ranges[hit] * np.exp(1j * (one.angles[hit] + mount[5] + pose[2]))
        centres = 0.5 + 0.5j + np.round(dots.real / 6 - 0.5) + 1j * np.round(dots.imag / 6 - 0.5)
        assert hit.sum() > 20 and np.abs(dots - 6 * centres) == pytest.approx(0.5)
        other.reset(np.array(pose) + (6.0, -12.0, 0.0), 0)
        assert other.scan() == pytest.approx(ranges)


def test_starts_where_it_is_put_and_odometry_at_zero(body):
    assert body.truth().pose == pytest.approx(START, abs=0.01)
    pose, twist = body.odometry()
    assert pose == pytest.approx(np.zeros(3), abs=1e-3)
    assert twist == pytest.approx(np.zeros(2), abs=1e-2)


def test_moves_as_told(body):
    drive(body, 0.5, 0.0, 1.0)
    ahead = body.truth().pose - START
    assert math.hypot(*ahead[:2]) == pytest.approx(0.5, abs=0.08)
    assert math.atan2(ahead[1], ahead[0]) == pytest.approx(START[2], abs=0.05)
    assert body.odometry()[0] == pytest.approx([math.hypot(*ahead[:2]), 0, 0], abs=0.03)
    left, right = body.reckoning.angles
    assert left == pytest.approx(right, abs=0.1) and body.odometry()[1][0] > 0.4


def test_turns_as_told(body):
    drive(body, 0.0, 1.0, 1.0)
    moved = body.truth().pose - START
    assert moved[2] == pytest.approx(1.0, abs=0.15) and abs(moved[:2]).max() < 0.03
    assert body.imu()[0][2] == pytest.approx(1.0, abs=0.15)
    assert body.imu()[1][2] == pytest.approx(9.81, abs=0.5)


def test_no_faster_than_the_robot(body):
    drive(body, 100.0, 0.0, 1.0)
    assert body.odometry()[1][0] <= ROVER.max_speed_mps * 1.05


def test_stops_by_itself(body):
    drive(body, 0.5, 0.0, 0.5)
    body.step(ROVER.base_timeout_s + 0.5)
    before = body.truth().pose
    body.step(0.5)
    assert body.truth().pose == pytest.approx(before, abs=1e-3)
    assert body.truth().speed_mps == pytest.approx(0.0, abs=0.01)


def test_the_same_commands_do_the_same(body):
    def episode():
        body.reset(START, 3)
        drive(body, 0.4, -0.8, 1.0)
        return [v.tobytes() for v in (body.camera(), body.scan(), *body.odometry(), *body.imu(),
                                      body.truth().pose)]
    assert episode() == episode()


def test_somewhere_is_a_free_place(body):
    place = bodies.somewhere(body, 5)
    assert place.tobytes() == bodies.somewhere(body, 5).tobytes()
    body.reset(place, 0)
    assert not body.truth().touching


@pytest.mark.parametrize('name, error, sentence', [
    ('airship', ValueError, "no engine 'airship'; there are: pybullet, mujoco, loopback")])
def test_opening_by_name(name, error, sentence):
    assert bodies.open_body('loopback', ROVER, bodies.SimRoom(), 0, (32, 24)).camera().shape == (
        24, 32, 3)
    with pytest.raises(error, match=sentence):
        bodies.open_body(name, ROVER, bodies.SimRoom(), 0, (64, 64))
