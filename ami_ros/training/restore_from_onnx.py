# SPDX-License-Identifier: Apache-2.0
"""Makes the torch model of a module again from the weights in its exported networks."""

from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
import torch

from ami_ros.core.errors import AmiError
from ami_ros.modules.module import Module
from ami_ros.training.networks import Jepa, Shape

ONLY_TRAINED = 'inverse.'       # a reading that only the loss has


def weights(data: bytes) -> dict[str, torch.Tensor]:
    """Return the trained weights of a network by their names in the model, float32."""
    return {tensor.name.removeprefix('model.').removesuffix('_half'):
            torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
            for tensor in onnx.load_from_string(data).graph.initializer
            if tensor.name.startswith('model.')}


def restore(module: Module) -> tuple[Jepa, float]:
    """Return the model and its ordinary disagreement; ValueError when the weights are no Jepa's.

    The networks were exported from these very weights, which rounding had made storable. Those of
    a transformer are turned around and renamed by the export; such a module cannot be restored.
    """
    recipe = module.manifest['recipe']['shape']
    said: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v
                            for key, v in recipe.items()}
    model = Jepa(Shape(**said), module.manifest['limits'], module.camera_size)
    found = weights(module.files['see.onnx']) | weights(module.files['step.onnx'])
    try:
        missing, _ = model.load_state_dict(found, strict=False)
    except RuntimeError as why:
        raise AmiError(f'{module.path.name} has weights of another shape: {why}') from why
    missing = [name for name in missing if not name.startswith(ONLY_TRAINED)]
    if missing:
        raise AmiError(f'{module.path.name} lacks the weights {", ".join(missing)}; '
                       'only one of convolutions keeps their names')
    return model.eval(), module.manifest['gates']['disagreement_scale']
