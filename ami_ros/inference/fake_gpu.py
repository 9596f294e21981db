# SPDX-License-Identifier: Apache-2.0
"""
A GPU and a TensorRT that are not there, for tests of everything around them.

What they pretend: memory of the device is a dictionary, a stream is a queue that is worked off at
`wait`, a captured graph is the list of what was asked, an engine is the ONNX network with the name
of the GPU and the version written before it, and its arithmetic is numpy's. What they keep to:
nothing happens before the stream gets to it, capturing does nothing, addresses that were never
given out are refused, an engine of another GPU, version or profile is refused, and so is every
flag but STRONGLY_TYPED. They say nothing about time, and nothing about what a real parser takes.
"""

import ctypes
import json
from types import SimpleNamespace

import numpy as np

from ami_ros.inference import numpy_backend
from ami_ros.inference.cuda_driver import CudaError, Gpu
from ami_ros.inference.onnx_graph import read, write

MAGIC = b'fake engine\n'


class FakeCuda:
    """A device whose memory is a dictionary."""

    def __init__(self, name: str = 'Pretended GPU', capability=(8, 7), driver: int = 12060,
                 captures: bool = True):
        self.gpu, self.captures = Gpu(name, capability, driver), captures
        self.memory: dict[int, bytearray] = {}
        self.streams: dict[int, list] = {}
        self.counts = {'launch': 0, 'send': 0, 'fetch': 0, 'execute': 0}
        self._open()

    def _open(self) -> None:
        self.stream = SimpleNamespace(value=len(self.streams) + 1)
        self.streams[self.stream.value] = []

    def again(self) -> 'FakeCuda':
        other = object.__new__(FakeCuda)
        other.__dict__.update(self.__dict__)
        other._open()
        return other

    def enter(self) -> None:
        pass

    def device_memory(self, size: int) -> int:
        address = 1 << 20 if not self.memory else max(self.memory) + (1 << 24)
        self.memory[address] = bytearray(size)
        return address

    def host_memory(self, size: int) -> ctypes.Array:
        return (ctypes.c_ubyte * size)()

    def free(self, device: int, *host) -> None:
        del self.memory[device]

    def at(self, address: int, size: int) -> memoryview:
        """Return bytes of the device; CudaError where they were never given out."""
        for begin, memory in self.memory.items():
            if begin <= address and address + size <= begin + len(memory):
                return memoryview(memory)[address - begin:address - begin + size]
        raise CudaError(f'address {address:#x} was not given out')

    def ask(self, what) -> None:
        """Put work into the stream."""
        self.streams[self.stream.value].append(what)

    def send(self, device: int, host) -> None:
        def work():
            self.counts['send'] += 1
            self.at(device, len(host))[:] = bytes(host)
        self.ask(work)

    def fetch(self, host, device: int) -> None:
        def work():
            self.counts['fetch'] += 1
            ctypes.memmove(host, bytes(self.at(device, len(host))), len(host))
        self.ask(work)

    def wait(self) -> None:
        queue = self.streams[self.stream.value]
        while queue:
            queue.pop(0)()

    def capture(self, work):
        if not self.captures:
            raise CudaError('cuStreamEndCapture: error 900, pretended')
        queue = self.streams[self.stream.value]
        if queue:
            raise CudaError('work is left in the stream')
        work()
        recorded, queue[:] = list(queue), []

        def launch():
            self.counts['launch'] += 1
            for one in recorded:
                self.ask(one)
        return SimpleNamespace(launch=launch, free=lambda: None)


class FakeTensorrt:
    """What of the module `tensorrt` is used here, and nothing that 11 removed."""

    def __init__(self, cuda: FakeCuda, version: str = '10.3.0', refuses: tuple[str, ...] = ()):
        self.cuda, self.__version__, self.refuses = cuda, version, refuses
        self.builds = 0
        severity = SimpleNamespace(WARNING=2)
        self.ILogger = type('ILogger', (), {'Severity': severity, '__init__': lambda self: None})
        self.IProgressMonitor = type('IProgressMonitor', (), {})
        self.NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=1)
        self.BuilderFlag = SimpleNamespace(TF32=7)
        self.TensorIOMode = SimpleNamespace(INPUT=0, OUTPUT=1)

    @staticmethod
    def nptype(kind):
        return kind

    def Builder(self, log):         # noqa: N802  as TensorRT names it
        return FakeBuilder(self)

    def OnnxParser(self, network, log):     # noqa: N802
        return FakeParser(self, network)

    def Runtime(self, log):         # noqa: N802
        return SimpleNamespace(deserialize_cuda_engine=lambda data: FakeEngine.of(self, data))


class FakeParser:
    """Takes what the interpreter takes, less what it was told to refuse."""

    def __init__(self, trt: FakeTensorrt, network):
        self.trt, self.network = trt, network
        self.errors: list = []

    num_errors = property(lambda self: len(self.errors))

    def get_error(self, index: int):
        return SimpleNamespace(desc=lambda: self.errors[index])

    def parse(self, data: bytes) -> bool:
        try:
            graph = read(data)
            bad = {node.kind for node in graph.nodes} & set(self.trt.refuses)
            if bad:
                raise ValueError(f'no importer for {", ".join(sorted(bad))}')
        except ValueError as why:
            self.errors.append(str(why))
            return False
        self.network.graph = graph
        return True


class FakeBuilder:
    """Builds in three steps that it reports."""

    def __init__(self, trt: FakeTensorrt):
        self.trt = trt

    def create_network(self, flags: int):
        if flags != 1 << 1:
            raise ValueError(f'flags {flags:b}: only STRONGLY_TYPED is left')
        return SimpleNamespace(graph=None)

    def create_builder_config(self):
        config = SimpleNamespace(profiles=[], timing=b'', cleared=[], progress_monitor=None)
        config.clear_flag = config.cleared.append
        config.add_optimization_profile = config.profiles.append
        config.create_timing_cache = lambda data: SimpleNamespace(
            serialize=lambda: data or b'learned')
        config.set_timing_cache = lambda cache, ignore_mismatch: setattr(config, 'timing', cache)
        config.get_timing_cache = lambda: config.timing
        return config

    def create_optimization_profile(self):
        shapes = {}
        return SimpleNamespace(shapes=shapes, set_shape=lambda name, *three: shapes.update(
            {name: [list(one) for one in three]}))

    def build_serialized_network(self, network, config):
        watch, self.trt.builds = config.progress_monitor, self.trt.builds + 1
        watch.phase_start('building', None, 3)
        for step in range(3):
            if not watch.step_complete('building', step):
                return None
        watch.phase_finish('building')
        shapes = config.profiles[0].shapes if config.profiles else {}
        header = json.dumps({'gpu': self.trt.cuda.gpu.name, 'version': self.trt.__version__,
                             'profile': shapes}).encode()
        return MAGIC + len(header).to_bytes(4, 'little') + header + write(network.graph)


class FakeEngine:
    """Runs its network by the numpy interpreter when the stream gets to it."""

    def __init__(self, trt: FakeTensorrt, graph, profile: dict):
        self.trt, self.graph, self.profile = trt, graph, profile
        self.values = {v.name: v for v in (*graph.inputs, *graph.outputs)}
        self.names = list(self.values)
        self.run = numpy_backend.load(write(graph))
        self.num_io_tensors = len(self.names)

    @classmethod
    def of(cls, trt: FakeTensorrt, data: bytes):
        """Deserialise, or say None as TensorRT does."""
        at = len(MAGIC) + 4
        size = int.from_bytes(data[len(MAGIC):at], 'little')
        if not data.startswith(MAGIC):
            return None
        header = json.loads(data[at:at + size])
        if (header['gpu'], header['version']) != (trt.cuda.gpu.name, trt.__version__):
            return None
        return cls(trt, read(data[at + size:]), header['profile'])

    def get_tensor_name(self, index: int) -> str:
        return self.names[index]

    def get_tensor_mode(self, name: str) -> int:
        return 0 if name in {v.name for v in self.graph.inputs} else 1

    def get_tensor_dtype(self, name: str):
        return self.values[name].dtype

    def get_tensor_shape(self, name: str):
        return [-1 if isinstance(n, str) else n for n in self.values[name].shape]

    def get_tensor_profile_shape(self, name: str, profile: int):
        if name not in self.profile:
            raise ValueError(f'{name} has no profile: it has no free axis')
        return self.profile[name]

    def create_execution_context(self):
        return FakeContext(self)


class FakeContext:
    """Shapes and addresses of one run."""

    def __init__(self, engine: FakeEngine):
        self.engine = engine
        self.shapes: dict = {}
        self.addresses: dict = {}

    def set_input_shape(self, name: str, shape) -> bool:
        low, _, high = self.engine.profile.get(name) or [self.engine.get_tensor_shape(name)] * 3
        if not all(a <= n <= b for a, n, b in zip(low, shape, high)):
            raise ValueError(f'{name} {shape} is outside the profile')
        self.shapes[name] = tuple(shape)
        return True

    def get_tensor_shape(self, name: str):
        if name in self.shapes:
            return self.shapes[name]
        if name in {v.name for v in self.engine.graph.inputs}:
            raise ValueError(f'{name} has no shape yet')
        rows = next(self.shapes[v.name][0] for v in self.engine.graph.inputs
                    if any(isinstance(n, str) for n in v.shape))
        value = self.engine.values[name]
        zeros = {v.name: np.zeros(self.shapes[v.name], v.dtype) for v in self.engine.graph.inputs}
        if any(isinstance(n, str) for n in value.shape[1:]) or not value.shape:
            made = dict(zip((v.name for v in self.engine.graph.outputs),
                            self.engine.run(**zeros)))
            return made[name].shape
        return tuple(rows if isinstance(n, str) else n for n in value.shape)

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        engine, cuda = self.engine, self.engine.trt.cuda
        shapes, addresses = dict(self.shapes), dict(self.addresses)
        if set(addresses) != set(engine.names):
            return False

        def work():
            cuda.counts['execute'] += 1
            given = {}
            for value in engine.graph.inputs:
                shape = shapes[value.name]
                size = int(np.prod(shape)) * value.dtype.itemsize
                given[value.name] = np.frombuffer(
                    bytes(cuda.at(addresses[value.name], size)), value.dtype).reshape(shape)
            for value, array in zip(engine.graph.outputs, engine.run(**given)):
                data = array.tobytes()
                cuda.at(addresses[value.name], len(data))[:] = data
        cuda.streams[stream].append(work)
        return True
