# SPDX-License-Identifier: Apache-2.0
"""Exports a trained JEPA to ONNX, only if the exported networks say what torch says."""

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from ami_ros.inference import backend
from ami_ros.training.networks import Jepa, KNOT_S

OPSET = 17
# float32 products are summed in another order; measured spread below 2e-5 of the largest value
TOLERANCE = 2e-4


class See(nn.Module):
    """A picture (N, H, W, 3) float32 in 0..255 -> latent, place, clearance, doubt."""

    def __init__(self, model: Jepa):
        super().__init__()
        self.model = model

    def forward(self, picture):
        """Encode and read."""
        z = self.model.encoder(picture.permute(0, 3, 1, 2))
        return (z, *self.model.readings(z))


class Step(nn.Module):
    """One belief, a moment later: z, body, place, doubt, disagreement."""

    def __init__(self, model: Jepa, ordinary: float):
        super().__init__()
        self.model, self.ordinary = model, ordinary

    def forward(self, z, body, twist, dt):
        """Advance (N, D), (N, 3) by twist (N, 2) for dt (N, 1) s."""
        z, body, spread = self.model.dynamics.step(z, body, twist, dt)
        place, _, doubt = self.model.readings(z)
        return z, body, place, doubt, torch.sqrt(spread) / self.ordinary


class Imagine(nn.Module):
    """All candidates at once: rollout and every learned energy, one call."""

    def __init__(self, model: Jepa, ordinary: float, horizon: int):
        super().__init__()
        self.model, self.ordinary, self.horizon = model, ordinary, horizon

    def forward(self, z, body, knots, goal):
        """(1, D), (1, 3), (N, H, 2), (1, D) -> place (N, H, 4), and latent, clearance, spread."""
        n = knots.shape[0]
        z, body = z.expand(n, -1), body.expand(n, -1)
        dt = torch.full_like(knots[:, 0, :1], KNOT_S)
        seen, spreads = [], []
        for k in range(self.horizon):
            z, body, spread = self.model.dynamics.step(z, body, knots[:, k], dt)
            seen.append(z)
            spreads.append(torch.sqrt(spread) / self.ordinary)
        z = torch.stack(seen, 1)
        place, clearance, _ = self.model.readings(z)
        return place, ((z - goal) ** 2).mean(-1), clearance, torch.stack(spreads, 1)


def export(model: Jepa, ordinary: float, horizon: int, folder: Path,
           pictures: np.ndarray) -> dict[str, dict]:
    """Write see.onnx, step.onnx and imagine.onnx; compare each with torch on real pictures.

    Returns name -> {inputs, outputs, largest_error}. RuntimeError when one differs.
    """
    model = model.eval()
    model.encoder.to(memory_format=torch.contiguous_format)
    rng = torch.Generator().manual_seed(0)
    picture = torch.from_numpy(pictures[:16].astype(np.float32))
    with torch.no_grad():
        z = model.encoder(picture.permute(0, 3, 1, 2))
    n = len(z)
    v, w = model.dynamics.twist_scale.tolist()
    scale = torch.tensor([v, w])
    twist = (torch.rand(n, 2, generator=rng) * 2 - 1) * scale
    body = torch.cat([twist, twist[:, 1:]], 1)
    dt = 0.1 + 0.2 * torch.rand(n, 1, generator=rng)
    knots = (torch.rand(64, horizon, 2, generator=rng) * 2 - 1) * scale
    many = {0: 'n'}
    jobs = {
        'see': (See(model), {'picture': picture},
                ['latent', 'place', 'clearance', 'doubt'],
                dict.fromkeys(('picture', 'latent', 'place', 'clearance', 'doubt'), many)),
        'step': (Step(model, ordinary), {'z': z, 'body': body, 'twist': twist, 'dt': dt},
                 ['latent', 'body_after', 'place', 'doubt', 'disagreement'],
                 dict.fromkeys(('z', 'body', 'twist', 'dt', 'latent', 'body_after', 'place',
                                'doubt', 'disagreement'), many)),
        'imagine': (Imagine(model, ordinary, horizon),
                    {'z': z[:1], 'body': body[:1], 'knots': knots, 'goal': z[1:2]},
                    ['place', 'latent_distance', 'clearance', 'disagreement'],
                    dict.fromkeys(('knots', 'place', 'latent_distance', 'clearance',
                                   'disagreement'), many)),
    }
    report = {}
    for name, (network, inputs, outputs, dynamic) in jobs.items():
        path = folder / f'{name}.onnx'
        network.eval()
        torch.onnx.export(network, tuple(inputs.values()), str(path), dynamo=False,
                          input_names=list(inputs), output_names=outputs, dynamic_axes=dynamic,
                          opset_version=OPSET)
        report[name] = compare(path, network, inputs, outputs)
    return report


def compare(path: Path, network: nn.Module, inputs: dict, outputs: list[str]) -> dict:
    """Run both; RuntimeError when they differ by more than the tolerance."""
    with torch.no_grad():
        expected = [t.numpy() for t in network(*inputs.values())]
    got = backend('onnx')(path.read_bytes())(**{k: v.numpy() for k, v in inputs.items()})
    worst = max(float(np.max(np.abs(a - b) / max(1.0, float(np.abs(a).max()))))
                for a, b in zip(expected, got, strict=True))
    if not worst <= TOLERANCE:
        raise RuntimeError(f'{path.name} differs from torch by {worst:.1e}, more than '
                           f'{TOLERANCE:.0e}; nothing was exported')
    graph = onnx.load(path).graph
    return {'inputs': [describe(v) for v in graph.input],
            'outputs': [describe(v) for v in graph.output], 'largest_error': worst}


def describe(value: onnx.ValueInfoProto) -> dict:
    """Name, element type and shape of an input or output; 'n' is any number."""
    kind = value.type.tensor_type
    return {'name': value.name, 'dtype': onnx.TensorProto.DataType.Name(kind.elem_type).lower(),
            'shape': [d.dim_param or d.dim_value for d in kind.shape.dim]}
