# SPDX-License-Identifier: Apache-2.0
"""One backend, one file: open a network's bytes, give arrays, get arrays."""

import importlib

BACKENDS = {    # name: (module, what to install)
    'onnx': ('ami_ros.inference.onnx_backend', 'pip install onnxruntime'),
}


class BackendUnavailable(RuntimeError):
    """A backend whose library is not installed."""


def backend(name: str):
    """Open a backend by name; the function that it returns makes a network from ONNX bytes."""
    if name not in BACKENDS:
        raise ValueError(f'no backend {name!r}; there are: {", ".join(BACKENDS)}')
    module, install = BACKENDS[name]
    try:
        return importlib.import_module(module).load
    except ImportError as missing:
        raise BackendUnavailable(f'{name}: {missing.name} is not installed '
                                 f'({install})') from missing
