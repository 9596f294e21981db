# SPDX-License-Identifier: Apache-2.0
"""
TensorRT on an NVIDIA GPU, from JetPack 6 (10.3) to 11.

The driver is asked for a GPU before TensorRT is touched: a runtime without one crashes the
process. Engines come from the cache, or are built while ONNX Runtime serves.
"""

from collections.abc import Callable
from functools import cache
import hashlib
import importlib
import logging
import threading

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.inference import onnx_backend
from ami_ros.inference import onnx_precision_cast as cast
from ami_ros.inference.backend_options import BackendUnavailable, Options, refuse
from ami_ros.inference.background_engine_build import Growing
from ami_ros.inference.compare_networks import off, ordinary, quantised, rows_of, tolerance
from ami_ros.inference.cuda_driver import Cuda, CudaError
from ami_ros.inference.onnx_graph import read, write
from ami_ros.inference.tensorrt_engine_builder import build
from ami_ros.inference.tensorrt_engine_cache import Cache, Key
from ami_ros.inference.tensorrt_engine_session import EngineSession

LIBRARY = 'tensorrt'
BUILDING = threading.Lock()     # two at once spoil each other's timings
PLAIN = Options()
LOG = logging.getLogger(__name__)


@cache
def device() -> Cuda:
    """Return the GPU, once a process; BackendUnavailable where there is none."""
    return Cuda()


def library():
    """Import TensorRT; BackendUnavailable where it is not there."""
    try:
        return importlib.import_module(LIBRARY)
    except ImportError as missing:
        raise BackendUnavailable(f'tensorrt: {missing} (JetPack brings it; elsewhere '
                                 'pip install tensorrt)') from missing


def load(data: bytes, options: Options = PLAIN) -> Callable[..., list[np.ndarray]]:
    """Make a network from ONNX bytes, float32 in and out.

    From the cache it serves at once; else ONNX Runtime on the CPU serves until it is built, and
    goes on where the engine says something else.
    """
    refuse(options, 'float32', 'float16')
    cuda = device()
    return open_with(library(), cuda, data, options)


def open_with(trt, cuda, data: bytes, options: Options):
    """Do the same with what is given: the real ones, or fakes."""
    graph = read(data)
    typed = write((cast.half if options.precision == 'float16' else cast.plain)(graph))
    rows, names = rows_of(graph, options), [value.name for value in graph.outputs]
    key = Key(hashlib.sha256(typed).hexdigest(), trt.__version__, cuda.gpu.name,
              cuda.gpu.capability, cuda.gpu.driver, options.precision, rows)
    kept = Cache(options.cache)
    given, most = ordinary(graph, rows[1]), tolerance(graph, options)
    what = 'int8' if quantised(graph) else options.precision
    safe = onnx_backend.load(data, Options(threads=options.threads, spin=options.spin))
    expected = safe(**given)

    def served(engine: bytes) -> EngineSession:
        session = EngineSession(trt, cuda, engine, names, what)
        for _ in range(2):      # the second one by the captured graph
            wrong = off(expected, session(**given))
            if not wrong <= most:
                raise AmiError(f'the engine is off by {wrong:.1e}, more than {most:.0e}')
        return session

    def make(progress) -> EngineSession:
        with BUILDING:
            cuda.enter()
            engine, learned = build(trt, typed, rows, kept.timings(key), progress)
        session = served(engine)
        kept.put(key, engine)
        kept.put_timings(key, learned)
        return session

    engine = kept.get(key)
    if engine is not None:
        try:
            session = served(engine)
            if options.accept is not None:
                options.accept(session)
            return session
        except (ValueError, CudaError) as why:      # no cache makes it worse than none
            LOG.warning('a kept engine is built anew: %s', why)
    name = f'TensorRT {trt.__version__}, {what}'
    return Growing(safe, name, make, options.accept)
