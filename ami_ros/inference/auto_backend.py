# SPDX-License-Identifier: Apache-2.0
"""
Chooses a backend by what is there and by measuring, and says why.

ONNX Runtime on the CPU is what every other one is held against: one that says something else is
never chosen, however quick it is.
"""

from dataclasses import dataclass
import logging
import time

import numpy as np

from ami_ros import inference
from ami_ros.inference.graph import Graph, read
from ami_ros.inference.options import BackendUnavailable, Options

SAFE = 'onnx'
TRIED = ('tensorrt', 'onnx_tensorrt', 'onnx_cuda')      # numpy and torch are for developing
CALLS, WARM = 30, 3
PLAIN = Options()
# float32 sums in another order, and what the chosen precision costs; largest value is 1
TOLERANCE = {'float32': 1e-3, 'float16': 2e-2}
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tried:
    """What came of one backend."""

    name: str
    network: object = None
    p90_ms: float = float('inf')
    wrong: str = ''

    def __str__(self):
        return f'{self.name} {self.wrong or f"{self.p90_ms:.2f} ms"}'


def rows_of(graph: Graph, options: Options) -> tuple[int, int, int]:
    """Return how many rows are asked for: one, but of the rollout, which mixes one with many."""
    free = [any(isinstance(n, str) for n in value.shape) for value in graph.inputs]
    return (1, 1, 1) if all(free) or not any(free) else options.rows


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


def measure(name: str, data: bytes, options: Options, given: dict, expected=None) -> Tried:
    """Open one, compare it and time it."""
    try:
        network = inference.backend(name, options)(data)
        for _ in range(WARM):
            said = network(**given)
    except (BackendUnavailable, ValueError) as why:
        return Tried(name, wrong=f'is out: {why}')
    if expected is not None and not off(expected, said) <= TOLERANCE[options.precision]:
        return Tried(name, wrong=f'is out: it is off by {off(expected, said):.1e}')
    took = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        network(**given)
        took.append(1e3 * (time.perf_counter() - begun))
    return Tried(name, network, float(np.percentile(took, 90)))


def load(data: bytes, options: Options = PLAIN):
    """Make a network by the quickest backend that says what ONNX Runtime on the CPU says."""
    graph = read(data)
    given = ordinary(graph, rows_of(graph, options)[1])
    first = measure(SAFE, data, options, given)
    if first.network is None:
        raise BackendUnavailable(f'auto needs {SAFE}: {first.wrong}')
    expected = first.network(**given)
    tried = [first, *(measure(name, data, options, given, expected) for name in TRIED)]
    best = min(tried, key=lambda one: one.p90_ms)
    why = f'{best.name}, of ' + '; '.join(map(str, tried))
    LOG.info('auto chose %s', why)

    def network(**inputs: np.ndarray) -> list[np.ndarray]:
        return best.network(**inputs)

    network.about = f'{best.network.about}; auto chose {why}'
    return network
