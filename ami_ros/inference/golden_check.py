# SPDX-License-Identifier: Apache-2.0
"""Asks a module its golden inputs on the backend that will serve."""

from importlib import metadata
import platform

from ami_ros.modules.errors import ModuleError
from ami_ros.modules.module import Module
from ami_ros.modules.module_kinds import MIND

LIBRARIES = {'onnx': 'onnxruntime', 'onnx_cuda': 'onnxruntime-gpu', 'auto': 'onnxruntime',
             'onnx_tensorrt': 'onnxruntime-gpu'}     # others are named as their library is


class Prover:
    """Proves modules on one backend; what it imports it imports when it is asked."""

    def __init__(self, backend_name: str = 'onnx', precision: str = 'float32'):
        self.backend, self.precision = backend_name, precision

    @property
    def device(self) -> str:
        """Name what computes: backend, its library, machine."""
        library = LIBRARIES.get(self.backend, self.backend)
        try:
            version = metadata.version(library)
        except metadata.PackageNotFoundError:
            version = 'of the system'
        return (f'{self.backend}, {self.precision}, {library} {version}, '
                f'{platform.machine()} {platform.node()}')

    def __call__(self, module: Module) -> dict[str, object]:
        """Prove one; ModuleError where it carries nothing to prove it with, or fails."""
        if module.kind != MIND:         # it has no networks
            return {}
        if 'golden' not in module.manifest:
            raise ModuleError(f'{module.path.name} carries no golden inputs, so nobody can tell '
                              'whether it says here what it said there; train or export it anew')
        from ami_ros.inference.backend_options import Options
        from ami_ros.inference.encoder_and_dynamics import Networks
        off = Networks(module, self.backend, Options(self.precision)).off
        return {'device': self.device,
                'off': {name: float(f'{value:.2e}') for name, value in off.items()}}
