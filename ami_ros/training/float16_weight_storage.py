# SPDX-License-Identifier: Apache-2.0
"""Stores the large weights of an ONNX network in half the bytes; the arithmetic stays float32."""

import numpy as np
import onnx
from onnx import helper, numpy_helper
import torch
from torch import nn

LARGE = 4096    # elements


def round_weights(model: nn.Module) -> None:
    """Round the large weights to float16, so that storing them so loses nothing."""
    with torch.no_grad():
        for weight in model.parameters():
            if weight.numel() >= LARGE:
                weight.copy_(weight.half().float())


def shrink(data: bytes) -> bytes:
    """Replace every large float32 initialiser by a float16 one and a cast, where that is exact."""
    model = onnx.load_from_string(data)
    casts = []
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size < LARGE:
            continue
        with np.errstate(over='ignore'):
            half = array.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), array):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, name + '_half'))
        casts.append(helper.make_node('Cast', [name + '_half'], [name],
                                      to=onnx.TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    return model.SerializeToString()
