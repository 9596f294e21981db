# SPDX-License-Identifier: Apache-2.0
"""The backends by name, and the shipped networks: shapes, repeatability, and honest errors."""

from dataclasses import replace
import time

from ami_ros import inference
from ami_ros.core.geometry import between
from ami_ros.core.settings import ActorSettings, EnergySettings, WorldModelSettings
from ami_ros.inference.encoder_and_dynamics import mind, Networks, planar
from ami_ros.modules.module import ModuleError, open_module
from ami_ros.robots.find_robot import find
import numpy as np
import pytest

SETTINGS = (WorldModelSettings(), ActorSettings(), EnergySettings(), time.monotonic_ns)
TURN = np.array([0.0, 0.3, 0.3], np.float32)


@pytest.fixture(scope='module')
def module():
    return open_module()


@pytest.fixture(scope='module')
def networks(module):
    return Networks(module)


@pytest.fixture(scope='module')
def picture(module):
    width, height = module.camera_size
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_no_such_backend():
    with pytest.raises(ValueError, match="no backend 'tpu'; there are: onnx, numpy, torch, "):
        inference.backend('tpu')


def test_a_backend_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(inference.BACKENDS, 'other', (
        'ami_ros_no_such_thing', 'load', 'pip install x'))
    with pytest.raises(inference.BackendUnavailable, match=r'ami_ros_no_such_thing .*pip install'):
        inference.backend('other')


@pytest.mark.parametrize('cut', [0, 1000])
def test_bytes_that_are_no_network(module, cut):
    with pytest.raises(ValueError, match='ONNX Runtime'):
        inference.backend('onnx')(module.files['step.onnx'][:cut])
    torn = replace(module, files={**module.files, 'step.onnx': module.files['step.onnx'][:cut]})
    with pytest.raises(ModuleError, match='step.onnx cannot be opened'):
        Networks(torn)


def test_the_same_input_gives_the_same_output(module, networks, picture):
    other = Networks(module)
    z = networks.encode(picture)
    assert z.tobytes() == networks.encode(picture).tobytes() == other.encode(picture).tobytes()
    knots = np.random.default_rng(1).uniform(-0.5, 0.5, (20, 8, 2))
    for one, two in zip(networks.step(z, TURN, TURN[:2], 0.25),
                        other.step(z, TURN, TURN[:2], 0.25)):
        assert np.asarray(one).tobytes() == np.asarray(two).tobytes()
    one, two = (n.imagine(z, TURN, knots, z + 1) for n in (networks, other))
    for name in ('place', 'latent', 'clearance', 'disagreement'):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes(), name


def test_shapes_and_kinds(networks, picture):
    z = networks.encode(picture)
    assert z.dtype == np.float32 and z.ndim == 1
    assert networks.place(z).shape == (3,) and networks.place(z).dtype == np.float64
    assert networks.doubt(z) > 0
    after, body, spread = networks.step(z, TURN, TURN[:2], 0.1)
    assert after.shape == z.shape and body.shape == (3,) and spread > 0
    imagined = networks.imagine(z, TURN, np.zeros((5, 8, 2)), z)
    assert imagined.place.shape == (5, 8, 3)
    assert all(a.shape == (5, 8) for a in (imagined.latent, imagined.clearance,
                                           imagined.disagreement))


def test_imagining_is_stepping(networks, picture):
    z, body = networks.encode(picture), TURN
    knots, goal = np.random.default_rng(1).uniform(-0.5, 0.5, (3, 8, 2)), z + 0.5
    imagined = networks.imagine(z, body, knots, goal)
    for n in range(3):
        state, now = z, body
        for k in range(8):
            state, now, spread = networks.step(state, now, knots[n, k], 0.25)
            assert between(imagined.place[n, k], networks.place(state)) == pytest.approx(
                np.zeros(3), abs=1e-3)
            assert imagined.latent[n, k] == pytest.approx(((state - goal) ** 2).mean(), rel=1e-3)
            assert imagined.disagreement[n, k] == pytest.approx(spread, rel=1e-2)


def test_no_time_changes_nothing(networks, picture):
    z = networks.encode(picture)
    after, body, _ = networks.step(z, TURN, TURN[:2], 0.0)
    assert np.array_equal(after, z) and np.array_equal(body, TURN)


def test_a_place_is_read_the_same_of_any_latent(networks, picture):
    z = networks.encode(picture)
    seen, doubt = networks.place(z), networks.doubt(z)
    for index in range(80):         # so many that the first is no longer remembered
        networks.place(z + np.float32(index + 1))
    assert networks.place(z) == pytest.approx(seen, abs=1e-4)
    assert networks.doubt(z) == pytest.approx(doubt, rel=1e-3)


def test_a_place_that_is_handed_out_can_be_changed_without_harm(networks, picture):
    z = networks.encode(picture)
    networks.place(z)[:] = 99
    assert np.all(networks.place(z) < 50)


@pytest.mark.parametrize('shape, kind', [((32, 32, 3), np.uint8), ((64, 64), np.uint8),
                                         ((64, 64, 3), np.float32), ((64, 64, 4), np.uint8)])
def test_a_picture_of_another_shape_names_both(networks, shape, kind):
    with pytest.raises(ValueError, match=r'this module sees \(64, 64, 3\) uint8') as wrong:
        networks.encode(np.zeros(shape, kind))
    assert str(shape) in str(wrong.value)


def test_a_mind_of_another_robot_or_horizon_is_refused(module):
    rover = find('rover')
    with pytest.raises(ModuleError, match='robot rover, barge has barge'):
        mind(module, replace(rover, name='barge'), *SETTINGS)
    world, _, energy, clock = SETTINGS
    with pytest.raises(ValueError, match='horizon 5: .* was exported for 8 knots'):
        mind(module, rover, world, ActorSettings(horizon=5), energy, clock)


def test_heading_is_read_from_cosine_and_sine():
    assert planar(np.array([[1.0, 2.0, 0.0, 1.0]])) == pytest.approx(
        np.array([[1, 2, np.pi / 2]]))
