# SPDX-License-Identifier: Apache-2.0
"""How far one network is off another, on made-up inputs of the size that is asked for most."""

import numpy as np

from ami_ros.inference.backend_options import Options
from ami_ros.inference.onnx_graph import Graph

# share of the largest value: float32 sums in another order, and what a precision costs. A
# quantised value that lies between two falls to another one, and that adds up over a rollout
TOLERANCE = {'float32': 1e-3, 'float64': 1e-3, 'float16': 2e-2, 'int8': 1e-1}
FEW = 1, 1, 16


def quantised(graph: Graph) -> bool:
    """Whether its types are those of int8 already."""
    return any(node.kind == 'QuantizeLinear' for node in graph.nodes)


def tolerance(graph: Graph, options: Options) -> float:
    """Return how far a network may be off."""
    return TOLERANCE['int8' if quantised(graph) else options.precision]


def rows_of(graph: Graph, options: Options) -> tuple[int, int, int]:
    """Return how many rows are asked for: one, but of the rollout, which mixes one with many.

    The golden inputs of a module have a few.
    """
    free = [any(isinstance(n, str) for n in value.shape) for value in graph.inputs]
    return FEW if all(free) or not any(free) else options.rows


def ordinary(graph: Graph, rows: int) -> dict[str, np.ndarray]:
    """Make up inputs of the size that is asked for most often; the same at each start."""
    rng = np.random.default_rng(0)
    return {v.name: rng.uniform(0, 255 if len(v.shape) == 4 else 1, [
        n if isinstance(n, int) else rows for n in v.shape]).astype(v.dtype)
        for v in graph.inputs}


def off(expected: list[np.ndarray], got: list[np.ndarray]) -> float:
    """Largest difference, relative to the largest value of its output."""
    return max(float(np.max(np.abs(a - b)) / max(np.abs(a).max(), 1e-9))
               for a, b in zip(expected, got, strict=True))
