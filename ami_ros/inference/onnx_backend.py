# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime: on one CPU thread the default everywhere; on a GPU where a build has it."""

from collections.abc import Callable
import os
from typing import Any

import numpy as np
import onnxruntime

from ami_ros.core.errors import AmiError
from ami_ros.inference.backend_options import BackendUnavailable, Options, refuse

PLAIN = Options()
CPU = ('CPUExecutionProvider',)
CUDA = ('CUDAExecutionProvider', *CPU)
TENSORRT = ('TensorrtExecutionProvider', *CUDA)


def load(data: bytes, options: Options = PLAIN) -> Callable[..., list[np.ndarray]]:
    """Make a network from ONNX bytes: keyword arrays in, a list of arrays out.

    ValueError when the bytes are no network that this runtime knows.
    """
    return session(data, options, CPU, {})


def load_cuda(data: bytes, options: Options = PLAIN) -> Callable[..., list[np.ndarray]]:
    """Do the same on a GPU, by CUDA; BackendUnavailable where this build or machine cannot."""
    return session(data, options, CUDA, {})


def load_tensorrt(data: bytes, options: Options = PLAIN) -> Callable[..., list[np.ndarray]]:
    """Do the same by the TensorRT that ONNX Runtime was built with."""
    told = {'trt_timing_cache_enable': '1', 'trt_engine_cache_enable': '0'}
    if options.cache is not None:       # it says itself which engines are its own
        told |= {'trt_timing_cache_path': os.fspath(options.cache)}
    return session(data, options, TENSORRT, told)


def half(data: bytes) -> bytes:
    """Cast the products of a network to float16; the `onnx` package is needed for this alone."""
    try:
        from ami_ros.inference import onnx_graph
        from ami_ros.inference import onnx_precision_cast as cast
    except ImportError as missing:
        raise BackendUnavailable(f'precision float16: {missing.name} is not installed '
                                 '(pip install onnx)') from missing
    return onnx_graph.write(cast.half(onnx_graph.read(data)))


def session(data: bytes, options: Options, providers: tuple[str, ...],
            told: dict[str, str]) -> Callable[..., list[np.ndarray]]:
    """Open a session on the first of the providers, and only there."""
    refuse(options, 'float32', 'float16')
    there = onnxruntime.get_available_providers()
    if providers[0] not in there:
        raise BackendUnavailable(f'ONNX Runtime {onnxruntime.__version__} has no {providers[0]}; '
                                 f'it has: {", ".join(there)} (pip install onnxruntime-gpu)')
    if options.precision == 'float16':
        data = half(data)
    asked = onnxruntime.SessionOptions()
    # measured in docs/inference_backends.md
    asked.intra_op_num_threads = options.threads
    asked.inter_op_num_threads = 1
    asked.add_session_config_entry('session.intra_op.allow_spinning', str(int(options.spin)))
    # a sum that is fused with its product hides it from the int8 kernels:
    # docs/inference_backends.md
    without = ['MatMulAddFusion'] if b'QuantizeLinear' in data else None
    try:
        opened = onnxruntime.InferenceSession(
            data, asked, providers=list(providers),
            provider_options=[told, *({} for _ in providers[1:])], disabled_optimizers=without)
    except Exception as why:    # its errors have no common base of their own
        raise AmiError(f'ONNX Runtime {onnxruntime.__version__}: {why}') from why
    if opened.get_providers()[0] != providers[0]:       # it falls back without a word
        raise BackendUnavailable(f'{providers[0]} does not start here; ONNX Runtime took '
                                 f'{opened.get_providers()[0]}: look at its driver and libraries')
    names = [o.name for o in opened.get_outputs()]

    def network(**inputs: np.ndarray) -> list[np.ndarray]:
        return opened.run(names, inputs)

    served: Any = network
    served.about = (f'ONNX Runtime {onnxruntime.__version__}, '
                     f'{providers[0].removesuffix("ExecutionProvider")}, {options.precision}, '
                     f'{options.threads} thread' + 's' * (options.threads > 1))
    return served
