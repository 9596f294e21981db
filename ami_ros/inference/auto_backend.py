# SPDX-License-Identifier: Apache-2.0
"""
Chooses a backend by what is there and by measuring, and says why.

ONNX Runtime on the CPU is what every other one is held against: one that says something else is
never chosen, however quick it is.
"""

from dataclasses import dataclass, replace
from functools import partial
import logging
import time
from typing import Any

import numpy as np

from ami_ros import inference
from ami_ros.inference.backend_options import BackendUnavailable, Options
from ami_ros.inference.background_engine_build import Growing
from ami_ros.inference.compare_networks import off, ordinary, rows_of, tolerance
from ami_ros.inference.onnx_graph import read

SAFE = 'onnx'
TRIED = ('tensorrt', 'onnx_tensorrt', 'onnx_cuda')      # numpy and torch are for developing
CALLS, WARM = 30, 3
PLAIN = Options()
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tried:
    """What came of one backend."""

    name: str
    network: Any = None
    p90_ms: float = float('inf')
    wrong: str = ''

    def __str__(self):
        return f'{self.name} {self.wrong or f"{self.p90_ms:.2f} ms"}'


def measure(name: str, data: bytes, options: Options, given: dict, expected=None,
            most: float = 0.0) -> Tried:
    """Open one, compare it and time it."""
    try:
        network = inference.backend(name, options)(data)
        if isinstance(network, Growing) and not network.done.is_set():
            return Tried(name, network, wrong='is still being built')
        for _ in range(WARM):
            said = network(**given)
    except (BackendUnavailable, ValueError) as why:
        return Tried(name, wrong=f'is out: {why}')
    if expected is not None and not off(expected, said) <= most:
        return Tried(name, wrong=f'is out: it is off by {off(expected, said):.1e}')
    return Tried(name, network, p90(network, given))


def p90(network, given: dict) -> float:
    """Time it, ms."""
    took = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        network(**given)
        took.append(1e3 * (time.perf_counter() - begun))
    return float(np.percentile(took, 90))


class Chosen:
    """The quickest network; one that is built meanwhile is measured when it is there."""

    def __init__(self, tried: list[Tried], given: dict):
        self.tried, self.given = tried, given
        self._take()
        for at, one in enumerate(tried):
            if isinstance(one.network, Growing) and one.p90_ms == float('inf'):
                one.network.then(partial(self._built, at))

    def _built(self, at: int, network) -> None:
        self.tried[at] = replace(self.tried[at], network=network, wrong='',
                                 p90_ms=p90(network, self.given))
        self._take()

    def _take(self) -> None:
        self.best = min(self.tried, key=lambda one: one.p90_ms)
        LOG.info('auto chose %s', self.why)

    @property
    def why(self) -> str:
        """Say what was chosen, of what."""
        return f'{self.best.name}, of ' + '; '.join(map(str, self.tried))

    @property
    def about(self) -> str:
        """Say what serves and why."""
        return f'{self.best.network.about}; auto chose {self.why}'

    def __call__(self, **inputs: np.ndarray) -> list[np.ndarray]:
        """Serve."""
        return self.best.network(**inputs)


def load(data: bytes, options: Options = PLAIN):
    """Make a network by the quickest backend that says what ONNX Runtime on the CPU says."""
    graph = read(data)
    given = ordinary(graph, rows_of(graph, options)[1])
    first = measure(SAFE, data, options, given)
    if first.network is None:
        raise BackendUnavailable(f'auto needs {SAFE}: {first.wrong}')
    expected, most = first.network(**given), tolerance(graph, options)
    return Chosen([first, *(measure(name, data, options, given, expected, most)
                            for name in TRIED)], given)
