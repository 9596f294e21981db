# SPDX-License-Identifier: Apache-2.0
"""
The dozen calls of the CUDA driver that serving a network takes, by ctypes.

`libcuda.so.1` comes with every driver and its interface never changes, so there is no wheel to
install and no version of a runtime library to match (cuda-python has both). It is also the very
thing to look for before TensorRT is touched: without it a TensorRT runtime crashes the process.
"""

from copy import copy
import ctypes
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_void_p
from dataclasses import dataclass

from ami_ros.inference.backend_options import BackendUnavailable

LIBRARY = 'libcuda.so.1'
MAJOR, MINOR = 75, 76           # attributes of a device
NON_BLOCKING = 1                # a stream that does not wait for the default one
THREAD_LOCAL = 1                # other threads may go on while this one captures


class CudaError(RuntimeError):
    """A call of the driver that failed."""


@dataclass(frozen=True)
class Gpu:
    """Which one it is."""

    name: str
    capability: tuple[int, int]
    driver: int                 # e.g. 12060


class Cuda:
    """One device and one stream of it; every thread calls `enter` before it uses them."""

    def __init__(self, index: int = 0):
        try:
            self.driver = ctypes.CDLL(LIBRARY)
        except OSError as why:
            raise BackendUnavailable(f'no CUDA driver: {why}') from None
        try:
            self('cuInit', c_uint(0))
        except CudaError as why:
            raise BackendUnavailable(f'the CUDA driver finds no GPU: {why}') from None
        count = c_int()
        self('cuDeviceGetCount', byref(count))
        if count.value <= index:
            raise BackendUnavailable(f'the CUDA driver knows {count.value} GPUs, none of number '
                                     f'{index}')
        device, name, version = c_int(), ctypes.create_string_buffer(256), c_int()
        self('cuDeviceGet', byref(device), c_int(index))
        self('cuDeviceGetName', name, c_int(len(name)), device)
        self('cuDriverGetVersion', byref(version))
        capability = []
        for attribute in (MAJOR, MINOR):
            value = c_int()
            self('cuDeviceGetAttribute', byref(value), c_int(attribute), device)
            capability.append(value.value)
        self.gpu = Gpu(name.value.decode(), (capability[0], capability[1]), version.value)
        self.context = c_void_p()       # the one that TensorRT uses too
        self('cuDevicePrimaryCtxRetain', byref(self.context), device)
        self.open_stream()

    def __call__(self, name: str, *arguments) -> None:
        """Call the driver; CudaError says which call failed and why."""
        status = getattr(self.driver, name)(*arguments)
        if status:
            text = c_char_p()
            known = self.driver.cuGetErrorString(c_int(status), byref(text)) == 0
            said = text.value.decode() if known and text.value else 'unknown'
            raise CudaError(f'{name}: error {status}, {said}')

    def open_stream(self) -> None:
        """Take an order of work of its own."""
        self.enter()
        self.stream = c_void_p()
        self('cuStreamCreate', byref(self.stream), c_uint(NON_BLOCKING))

    def again(self) -> 'Cuda':
        """Return the same device with another stream: one session captures, another goes on."""
        other = copy(self)
        other.open_stream()
        return other

    def enter(self) -> None:
        """Let this thread use the device."""
        self('cuCtxSetCurrent', self.context)

    def device_memory(self, size: int) -> int:
        """Return the address of so many bytes on the device."""
        address = c_size_t()
        self('cuMemAlloc_v2', byref(address), c_size_t(size))
        return address.value

    def host_memory(self, size: int) -> ctypes.Array:
        """Return bytes here that the device can read without a copy between."""
        address = c_void_p()
        self('cuMemHostAlloc', byref(address), c_size_t(size), c_uint(0))
        return (ctypes.c_ubyte * size).from_address(address.value or 0)

    def free(self, device: int, *host: ctypes.Array) -> None:
        """Give memory back."""
        self('cuMemFree_v2', c_size_t(device))
        for one in host:
            self('cuMemFreeHost', c_void_p(ctypes.addressof(one)))

    def send(self, device: int, host: ctypes.Array) -> None:
        """Copy there, in the stream's order."""
        self('cuMemcpyHtoDAsync_v2', c_size_t(device), c_void_p(ctypes.addressof(host)),
             c_size_t(len(host)), self.stream)

    def fetch(self, host: ctypes.Array, device: int) -> None:
        """Copy here, in the stream's order."""
        self('cuMemcpyDtoHAsync_v2', c_void_p(ctypes.addressof(host)), c_size_t(device),
             c_size_t(len(host)), self.stream)

    def wait(self) -> None:
        """Wait until all of the stream is done."""
        self('cuStreamSynchronize', self.stream)

    def capture(self, work) -> 'Captured':
        """Record what `work` asks of the stream, to be launched as one; CudaError if it cannot."""
        self('cuStreamBeginCapture_v2', self.stream, c_int(THREAD_LOCAL))
        graph = c_void_p()
        try:
            work()
        finally:
            self('cuStreamEndCapture', self.stream, byref(graph))
        ready = c_void_p()
        self('cuGraphInstantiateWithFlags', byref(ready), graph, ctypes.c_ulonglong(0))
        self('cuGraphDestroy', graph)
        return Captured(self, ready)


class Captured:
    """Work that was recorded once and is launched by one call."""

    def __init__(self, cuda: Cuda, ready: c_void_p):
        self.cuda, self.ready = cuda, ready

    def launch(self) -> None:
        """Do it again."""
        self.cuda('cuGraphLaunch', self.ready, self.cuda.stream)

    def free(self) -> None:
        """Forget it."""
        self.cuda('cuGraphExecDestroy', self.ready)
