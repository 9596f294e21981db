# SPDX-License-Identifier: Apache-2.0
"""The reference for the other backends: the evaluator of the `onnx` package, in numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.version_converter import convert_version

from ami_ros.core.errors import AmiError
from ami_ros.inference import onnx_precision_cast as cast
from ami_ros.inference.backend_options import Options
from ami_ros.inference.onnx_graph import check_inputs, read, write

PLAIN = Options()
OPSET = 19      # the evaluator has no quantisation of older operator sets
CASTS = {'float32': cast.plain, 'float16': cast.half, 'float64': cast.double}


def load(data: bytes, options: Options = PLAIN) -> Callable[..., list[np.ndarray]]:
    """Make a network from ONNX bytes: keyword arrays in, a list of arrays out, float32 both.

    With precision float64 it computes in float64. ValueError when the bytes are not a network,
    or contain an operator that the evaluator lacks.
    """
    graph = read(data)
    inner = CASTS[options.precision](graph)
    try:
        model = onnx.load_from_string(write(inner))
        if inner.opset < OPSET:
            model = convert_version(model, OPSET)
        evaluator = ReferenceEvaluator(model)
    except Exception as why:    # the evaluator's errors share no base class
        raise AmiError(f'onnx {onnx.__version__} cannot evaluate the network: {why}') from why
    kinds = {value.name: value.dtype for value in inner.inputs}
    outer = [value.dtype for value in graph.outputs]

    def network(**inputs: np.ndarray) -> list[np.ndarray]:
        check_inputs(graph, inputs)
        found = evaluator.run(None, {name: array.astype(kinds[name], copy=False)
                                     for name, array in inputs.items()})
        return [np.asarray(array).astype(kind, copy=False) for array, kind in zip(found, outer)]

    served: Any = network
    served.about = f'onnx reference {onnx.__version__}, numpy {np.__version__}, ' \
                   f'{options.precision}'
    return served
