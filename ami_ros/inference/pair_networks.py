# SPDX-License-Identifier: Apache-2.0
"""The networks of the general model as the place memory asks for them, by any backend."""

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.inference import backend, Options
from ami_ros.memory.readings import Readings
from ami_ros.modules.module import Module, ModuleError

ENCODE, COMPARE = 'encode', 'compare'
PLAIN = Options()


class GeneralNetworks:
    """Encodes images and compares pairs of them; see `memory.readings.PairNetworks`."""

    def __init__(self, module: Module, backend_name: str = 'onnx', options: Options = PLAIN):
        opened = {}
        for name in (ENCODE, COMPARE):
            try:
                opened[name] = backend(backend_name, options)(module.files[f'{name}.onnx'])
            except ValueError as why:
                raise ModuleError(f'{module.path / name}.onnx cannot be opened: {why}') from why
        self._encode, self._compare = opened[ENCODE], opened[COMPARE]
        self.size = module.camera_size

    def encode(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Map (N, H, W, 3) uint8 to tokens and descriptors; ValueError for another size."""
        if images.shape[1:] != (*self.size[::-1], 3) or images.dtype != np.uint8:
            raise AmiError(f'images of shape {images.shape[1:]} {images.dtype}; this module '
                           f'sees {(*self.size[::-1], 3)} uint8')
        tokens, descriptors = self._encode(image=images.astype(np.float32))
        return tokens, descriptors

    def compare(self, a: np.ndarray, b: np.ndarray) -> Readings:
        """Read pairs of tokens."""
        said = self._compare(a=np.ascontiguousarray(a, np.float32), b=np.ascontiguousarray(
            np.broadcast_to(b, a.shape), np.float32))[0]
        return readings_of(said)


def readings_of(said: np.ndarray) -> Readings:
    """Turn the seven numbers of each pair into readings."""
    pose = np.stack([said[:, 0], said[:, 1], np.arctan2(said[:, 3], said[:, 2])], -1)
    return Readings(pose.astype(float), said[:, 4], said[:, 5], 1 / (1 + np.exp(-said[:, 6])))
