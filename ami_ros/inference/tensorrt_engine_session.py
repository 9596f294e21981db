# SPDX-License-Identifier: Apache-2.0
"""Serves an engine: one copy there, one captured graph, one copy back, nothing made on the way."""

import logging

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.inference.cuda_driver import CudaError
from ami_ros.inference.tensorrt_engine_builder import logger

LOG = logging.getLogger(__name__)
APART = 256             # bytes: what TensorRT wants between two tensors
KEPT = 4                # numbers of rows whose memory and graph are kept


class TensorLayout:
    """Memory, execution context and captured graph for one number of rows.

    A context of its own, since a captured graph is only good for the shapes it was captured with.
    """

    def __init__(self, trt, cuda, engine, shapes: dict[str, tuple[int, ...]]):
        self.cuda, self.context = cuda, engine.create_execution_context()
        if self.context is None:
            raise CudaError('TensorRT gives no execution context; is its memory full?')
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        into = [n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        for name in into:
            self.context.set_input_shape(name, shapes[name])
        self.host, self.device, self.views = [], [], {}
        self.sizes: list = []
        for some in (into, [n for n in names if n not in into]):
            size, at = 0, {}
            for name in some:
                shape = tuple(self.context.get_tensor_shape(name))
                kind = np.dtype(trt.nptype(engine.get_tensor_dtype(name)))
                at[name] = size, shape, kind
                size += -(-int(np.prod(shape)) * kind.itemsize // APART) * APART
            host, device = cuda.host_memory(size), cuda.device_memory(size)
            for name, (begin, shape, kind) in at.items():
                count = int(np.prod(shape))
                self.views[name] = np.frombuffer(host, kind, count, begin).reshape(shape)
                self.context.set_tensor_address(name, device + begin)
            self.host.append(host)
            self.device.append(device)
        self.graph, self.why_not = None, ''

    def work(self) -> None:
        """Ask the stream for one run."""
        self.cuda.send(self.device[0], self.host[0])
        if not self.context.execute_async_v3(int(self.cuda.stream.value or 0)):
            raise CudaError('TensorRT does not start the engine')
        self.cuda.fetch(self.host[1], self.device[1])

    def run(self) -> None:
        """Run once, by the captured graph if there is one; the first run captures it."""
        if self.graph is not None:
            self.graph.launch()
            self.cuda.wait()
            return
        self.work()             # before a capture: what TensorRT does once is not to be in it
        self.cuda.wait()
        if not self.why_not:
            try:
                self.graph = self.cuda.capture(self.work)
            except CudaError as why:
                self.why_not = str(why)
                LOG.warning('no CUDA graph: %s; every call is launched by itself', why)

    def free(self) -> None:
        """Give all back."""
        if self.graph is not None:
            self.graph.free()
        self.views.clear()
        for device, host in zip(self.device, self.host):
            self.cuda.free(device, host)


class EngineSession:
    """An engine that serves."""

    def __init__(self, trt, cuda, data: bytes, outputs: list[str], precision: str):
        """ValueError where TensorRT does not take the engine."""
        said: list[str] = []
        self.trt, self.cuda, self.names, self.precision = trt, cuda.again(), outputs, precision
        self.log = logger(trt, said.append)
        self.runtime = trt.Runtime(self.log)        # has to outlive the engine
        self.engine = self.runtime.deserialize_cuda_engine(data)
        if self.engine is None:
            raise AmiError(f'TensorRT {trt.__version__} does not take the engine: '
                           + '; '.join(said[:3]))
        self.layouts: dict[tuple, TensorLayout] = {}

    @property
    def about(self) -> str:
        """Say what it runs on."""
        graph = all(one.graph is not None for one in self.layouts.values())
        return (f'TensorRT {self.trt.__version__} on {self.cuda.gpu.name}, {self.precision}'
                + (', CUDA graph' if self.layouts and graph else ''))

    def __call__(self, **inputs: np.ndarray) -> list[np.ndarray]:
        """Run; ValueError where the engine was not built for such inputs."""
        self.cuda.enter()
        key = tuple((name, array.shape) for name, array in sorted(inputs.items()))
        layout = self.layouts.get(key)
        if layout is None:
            self.check(inputs)
            while len(self.layouts) >= KEPT:
                self.layouts.pop(next(iter(self.layouts))).free()
            layout = TensorLayout(self.trt, self.cuda, self.engine,
                            {name: array.shape for name, array in inputs.items()})
            self.layouts[key] = layout
        for name, array in inputs.items():
            layout.views[name][...] = array
        layout.run()
        return [layout.views[name].copy() for name in self.names]

    def check(self, inputs: dict[str, np.ndarray]) -> None:
        """Hold inputs to the profile."""
        wanted = [n for n in (self.engine.get_tensor_name(i)
                              for i in range(self.engine.num_io_tensors))
                  if self.engine.get_tensor_mode(n) == self.trt.TensorIOMode.INPUT]
        if set(inputs) != set(wanted):
            raise AmiError(f'inputs {", ".join(sorted(inputs))}; this engine takes '
                           f'{", ".join(wanted)}')
        for name, array in inputs.items():
            least = most = tuple(self.engine.get_tensor_shape(name))
            if -1 in least:         # a free axis
                least, _, most = (tuple(shape) for shape in
                                  self.engine.get_tensor_profile_shape(name, 0))
            if len(least) != array.ndim or not all(
                    low <= n <= high for low, n, high in zip(least, array.shape, most)):
                raise AmiError(f'{name} is {array.shape}; this engine was built for {least} '
                               f'to {most}')
