# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on one CPU thread: the default everywhere."""

from collections.abc import Callable

import numpy as np
import onnxruntime


def load(data: bytes) -> Callable[..., list[np.ndarray]]:
    """Make a network from ONNX bytes: keyword arrays in, a list of arrays out.

    ValueError when the bytes are no network that this runtime knows.
    """
    options = onnxruntime.SessionOptions()
    # more threads are slower as soon as both cores are busy, and spinning ones ten times
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    try:
        session = onnxruntime.InferenceSession(data, options, providers=['CPUExecutionProvider'])
    except Exception as why:    # its errors have no common base of their own
        raise ValueError(f'ONNX Runtime {onnxruntime.__version__}: {why}') from why
    names = [o.name for o in session.get_outputs()]

    def network(**inputs: np.ndarray) -> list[np.ndarray]:
        return session.run(names, inputs)

    return network
