# SPDX-License-Identifier: Apache-2.0
"""The reference that the others are compared with: every operator as its definition says."""

from collections.abc import Callable

import numpy as np

from ami_ros.inference import cast
from ami_ros.inference.graph import read
from ami_ros.inference.interpreter import checked, Interpreter
from ami_ros.inference.operators import OPERATORS
from ami_ros.inference.options import Options

PLAIN = Options()
CASTS = {'float32': cast.plain, 'float16': cast.half, 'float64': cast.double}


def load(data: bytes, options: Options = PLAIN) -> Callable[..., list[np.ndarray]]:
    """Make a network from ONNX bytes: keyword arrays in, a list of arrays out, float32 both.

    With float64 it computes in it. ValueError when the bytes are no network, or have an operator
    that none of our exports has.
    """
    graph = read(data)
    run = Interpreter(CASTS[options.precision](graph), lambda node: OPERATORS[node.kind])
    inner = [value.dtype for value in run.graph.inputs]
    outer = [value.dtype for value in graph.outputs]

    def network(**inputs: np.ndarray) -> list[np.ndarray]:
        checked(graph, inputs)
        given = {value.name: inputs[value.name].astype(kind, copy=False)
                 for value, kind in zip(graph.inputs, inner, strict=True)}
        found = run(run.graph.weights | given)
        return [array.astype(kind, copy=False) for array, kind in zip(found, outer)]

    network.about = f'numpy {np.__version__}, {options.precision}'
    return network
