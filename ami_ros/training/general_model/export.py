# SPDX-License-Identifier: Apache-2.0
"""Exports the general model to ONNX, only if the exported networks say what torch says."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from ami_ros.training.export import compare, OPSET
from ami_ros.training.general_model.networks import GeneralModel

PAIRS = 6


class Encode(nn.Module):
    """Images (N, H, W, 3) float32 in 0..255 -> tokens, descriptors."""

    def __init__(self, model: GeneralModel):
        super().__init__()
        self.encoder = model.encoder

    def forward(self, image):
        """Encode."""
        return self.encoder(image.permute(0, 3, 1, 2))


class OneOutput(nn.Module):
    """A network of one output, which it returns in a tuple as those of several do."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, *inputs):
        """Run it."""
        return (self.network(*inputs),)


def export(model: GeneralModel, folder: Path, images: np.ndarray) -> dict[str, dict]:
    """Write encode, compare and predict; RuntimeError where one differs from torch.

    Returns name -> {inputs, outputs, largest_error}; images (at least PAIRS + 1, H, W, 3) uint8.
    """
    # attention is exported as plain products: the fused kernel has no ONNX operator
    torch.backends.mha.set_fastpath_enabled(False)
    model = model.eval()
    model.encoder.to(memory_format=torch.contiguous_format)
    picture = torch.from_numpy(images[:PAIRS + 1].astype(np.float32))
    with torch.no_grad():
        tokens, _ = model.encoder(picture.permute(0, 3, 1, 2))
    motion = torch.tensor([[0.1, 0.0, 1.0, 0.0]]).repeat(PAIRS, 1)
    jobs: dict[str, tuple[nn.Module, dict, list[str]]] = {
        'encode': (Encode(model), {'image': picture}, ['tokens', 'descriptor']),
        'compare': (OneOutput(model.relative_pose), {'a': tokens[:-1], 'b': tokens[1:]},
                    ['pair']),
        'predict': (OneOutput(model.dynamics), {'tokens': tokens[:-1], 'motion': motion},
                    ['after'])}
    report = {}
    for name, (network, inputs, outputs) in jobs.items():
        path = folder / f'{name}.onnx'
        torch.onnx.export(network.eval(), tuple(inputs.values()), str(path), dynamo=False,
                          input_names=list(inputs), output_names=outputs,
                          dynamic_axes={key: {0: 'n'} for key in (*inputs, *outputs)},
                          opset_version=OPSET)
        report[name] = compare(path, network, inputs, outputs)
    return report
