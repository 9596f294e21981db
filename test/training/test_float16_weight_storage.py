# SPDX-License-Identifier: Apache-2.0
"""Shrinking halves large weights where that changes no output bit, and nothing else."""

from ami_ros.inference import backend
from ami_ros.training.float16_weight_storage import LARGE, round_weights, shrink
import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import pytest
import torch
from torch import nn

X = np.random.default_rng(1).normal(size=(5, 64)).astype(np.float32)


def network(weight: np.ndarray) -> bytes:
    """Make an ONNX network y = x @ weight."""
    shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ['n', size])
              for name, size in (('x', weight.shape[0]), ('y', weight.shape[1]))]
    graph = helper.make_graph([helper.make_node('MatMul', ['x', 'w'], ['y'])], 'g', shapes[:1],
                              shapes[1:], [numpy_helper.from_array(weight, 'w')])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)])
    model.ir_version = 8
    return model.SerializeToString()


def weights(columns: int = 128) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(64, columns)).astype(np.float32)


def kinds(data: bytes) -> list[int]:
    return [t.data_type for t in onnx.load_from_string(data).graph.initializer]


def test_weights_that_fit_are_halved_and_the_output_is_the_same_to_the_bit():
    data = network(weights().astype(np.float16).astype(np.float32))
    small = shrink(data)
    assert len(small) < 0.55 * len(data) and kinds(small) == [TensorProto.FLOAT16]
    before, after = (backend('onnx')(d)(x=X)[0] for d in (data, small))
    assert before.dtype == np.float32 and before.tobytes() == after.tobytes()


@pytest.mark.parametrize('weight', [
    weights(),                                              # 24 bits do not go into 11
    np.full((64, 128), 1e6, np.float32),                    # beyond what float16 holds
    np.full((64, 128), 1e-9, np.float32),                   # below it
    weights(LARGE // 64 - 1).astype(np.float16).astype(np.float32),     # too small to matter
])
def test_other_weights_stay_as_they_are(weight):
    small = shrink(network(weight))
    assert kinds(small) == [TensorProto.FLOAT]
    assert np.array_equal(numpy_helper.to_array(
        onnx.load_from_string(small).graph.initializer[0]), weight)


def test_shrinking_twice_is_once():
    small = shrink(network(weights().astype(np.float16).astype(np.float32)))
    assert shrink(small) == small


def test_rounding_touches_large_weights_only_and_hardly():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, LARGE // 64), nn.Linear(8, 8))
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    round_weights(model)
    for name, weight in model.named_parameters():
        if weight.numel() >= LARGE:
            assert torch.equal(weight.half().float(), weight) and not torch.equal(
                weight, before[name])
            assert torch.allclose(weight, before[name], rtol=1e-3, atol=1e-7)
        else:
            assert torch.equal(weight, before[name])
