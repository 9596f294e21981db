# SPDX-License-Identifier: Apache-2.0
"""One backend, one file: give a network's bytes, then arrays, get arrays."""

from collections.abc import Callable
import importlib

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.inference.backend_options import BackendUnavailable, Options

__all__ = ['backend', 'BACKENDS', 'BackendUnavailable', 'Load', 'Network', 'Options']

BACKENDS = {    # name: (module, function, what to install)
    'onnx': ('ami_ros.inference.onnx_backend', 'load', 'pip install onnxruntime'),
    'numpy': ('ami_ros.inference.numpy_backend', 'load', 'pip install onnx'),
    'torch': ('ami_ros.inference.torch_backend', 'load', 'pip install torch onnx'),
    'tensorrt': ('ami_ros.inference.tensorrt_backend', 'load', 'JetPack brings tensorrt; pip '
                 'install onnx, and tensorrt elsewhere'),
    'onnx_cuda': ('ami_ros.inference.onnx_backend', 'load_cuda', 'pip install onnxruntime-gpu'),
    'onnx_tensorrt': ('ami_ros.inference.onnx_backend', 'load_tensorrt',
                      'pip install onnxruntime-gpu'),
    'auto': ('ami_ros.inference.auto_backend', 'load', 'pip install onnx'),
}
Network = Callable[..., list[np.ndarray]]       # keyword arrays in; .about says what it runs on
Load = Callable[[bytes], Network]


def backend(name: str, options: Options | None = None) -> Load:
    """Open a backend by name; the function that it returns makes a network from ONNX bytes."""
    if name not in BACKENDS:
        raise AmiError(f'no backend {name!r}; there are: {", ".join(BACKENDS)}')
    module, function, install = BACKENDS[name]
    try:
        load = getattr(importlib.import_module(module), function)
    except ImportError as missing:
        raise BackendUnavailable(f'{name}: {missing.name} is not installed '
                                 f'({install})') from missing
    return load if options is None else lambda data: load(data, options)
