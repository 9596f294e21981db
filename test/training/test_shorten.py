# SPDX-License-Identifier: Apache-2.0
"""A rollout that is cut says of the knots that are left what the whole one says, to the bit."""

from ami_ros.inference import backend
from ami_ros.modules.module import open_module
import numpy as np
import pytest

onnx = pytest.importorskip('onnx', reason='needs the training extra: make setup')
from ami_ros.training.shorten import horizon_of, shorten  # noqa: E402
from onnx import helper, TensorProto  # noqa: E402


@pytest.fixture(scope='module')
def whole():
    return open_module('').files['imagine.onnx']


@pytest.mark.parametrize('horizon', [1, 4, 7, 8])
def test_the_knots_that_are_left_are_the_same_to_the_bit(whole, horizon):
    rng = np.random.default_rng(horizon)
    z, goal = rng.normal(size=(2, 1, 64)).astype(np.float32)
    knots = rng.uniform(-0.5, 0.5, (13, 8, 2)).astype(np.float32)
    given = {'z': z, 'goal': goal, 'body': np.zeros((1, 3), np.float32)}
    cut = shorten(whole, horizon)
    expected = backend('onnx')(whole)(knots=knots, **given)
    got = backend('onnx')(cut)(knots=knots[:, :horizon], **given)
    for full, part in zip(expected, got, strict=True):
        assert part.shape[1] == horizon and full[:, :horizon].tobytes() == part.tobytes()
    assert horizon_of(cut) == horizon
    assert len(onnx.load_from_string(cut).graph.node) <= len(
        onnx.load_from_string(whole).graph.node)


def test_what_is_not_needed_any_more_is_left_out(whole):
    nodes = [len(onnx.load_from_string(shorten(whole, h)).graph.node) for h in (2, 4, 8)]
    assert nodes[0] < 0.6 * nodes[1] + 60 and nodes[1] < 0.6 * nodes[2] + 60


@pytest.mark.parametrize('horizon', [0, 9, -1])
def test_it_cannot_be_cut_anywhere_else(whole, horizon):
    with pytest.raises(ValueError, match=f'a rollout of 8 knots cannot be cut after {horizon}'):
        shorten(whole, horizon)


def test_another_network_is_refused(whole):
    with pytest.raises(ValueError, match='takes no knots'):
        shorten(open_module('').files['see.onnx'], 4)
    shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ['n', 8, 2])
              for name in ('knots', 'y')]
    graph = helper.make_graph([helper.make_node('Identity', ['knots'], ['y'])], 'g', shapes[:1],
                              shapes[1:])
    with pytest.raises(ValueError, match='stacks nothing 8 times'):
        shorten(helper.make_model(graph).SerializeToString(), 4)


def test_the_shipped_module_has_the_half_of_its_own_rollout(whole):
    assert open_module('').files['imagine_4.onnx'] == shorten(whole, 4)
