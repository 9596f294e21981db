# SPDX-License-Identifier: Apache-2.0
"""Exports a trained JEPA to ONNX, only if the exported networks say what torch says."""

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from ami_ros.inference import backend
from ami_ros.training.networks import Jepa

OPSET = 17
# float32 products are summed in another order; measured spread below 2e-5 of the largest value
TOLERANCE = 2e-4
IMAGINED = ['place', 'latent_distance', 'clearance', 'disagreement']


class See(nn.Module):
    """A picture (N, H, W, 3) float32 in 0..255 -> latent, place, clearance, doubt."""

    def __init__(self, model: Jepa):
        super().__init__()
        self.model = model

    def forward(self, picture):
        """Encode and read."""
        z = self.model.encoder(picture.permute(0, 3, 1, 2))
        return (z, *self.model.readings(z))


class StepNet(nn.Module):
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
    """All candidates at once: rollout and every learned energy, one call.

    What no knot waits for is computed once for all knots after the last one: the same sums in the
    same order, in fewer and larger calls.
    """

    def __init__(self, model: Jepa, ordinary: float, horizon: int):
        super().__init__()
        self.model, self.ordinary, self.horizon = model, ordinary, horizon
        # dividing by a row as long as a candidate is quick, by one of two numbers it is not
        self.register_buffer('twist_scales', model.dynamics.twist_scale.repeat(horizon))

    def forward(self, z, body, knots, goal):
        """(1, D), (1, 3), (N, H, 2), (1, D) -> place (N, H, 4), and latent, clearance, spread."""
        dynamics, d = self.model.dynamics, self.model.shape.latent
        n = knots.shape[0]
        z, body = z.expand(n, -1), body.expand(n, -1)
        whole = torch.ones_like(knots[:, 0, :1])        # share of a knot that a step takes
        twists = knots.reshape(-1, 2 * self.horizon) / self.twist_scales
        seen, changes, means = [], [], []
        for k in range(self.horizon):
            change = dynamics.heads_of(z, body / dynamics.body_scale,
                                       twists[:, 2 * k:2 * k + 2], whole)
            mean = change.mean(0)
            ahead, faster = mean.split([d, 3], -1)
            z, body = z + ahead, body + faster * dynamics.body_scale
            seen.append(z)
            changes.append(change[..., :d])
            means.append(ahead)
        off = torch.cat(changes, 1) - torch.cat(means, 0)
        spread = torch.sqrt((off * off).mean((0, 2))) / self.ordinary
        z = torch.cat(seen, 0)                          # (H * N, D), knot by knot
        place, clearance, _ = self.model.readings(z)
        away = z - goal
        return (self.by_candidate(place.view(self.horizon, -1, 4)),
                *(self.by_candidate(x.view(self.horizon, -1))
                  for x in ((away * away).mean(-1), clearance, spread)))

    @staticmethod
    def by_candidate(x):
        """(H, N, ...) -> (N, H, ...)."""
        return x.transpose(0, 1)


def export(model: Jepa, ordinary: float, horizon: int, folder: Path,
           pictures: np.ndarray) -> dict[str, dict]:
    """Write see, step, imagine and its half; compare each with torch on real pictures.

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
    jobs: dict[str, tuple[torch.nn.Module, dict, list[str], dict]] = {
        'see': (See(model), {'picture': picture},
                ['latent', 'place', 'clearance', 'doubt'],
                dict.fromkeys(('picture', 'latent', 'place', 'clearance', 'doubt'), many)),
        'step': (StepNet(model, ordinary), {'z': z, 'body': body, 'twist': twist, 'dt': dt},
                 ['latent', 'body_after', 'place', 'doubt', 'disagreement'],
                 dict.fromkeys(('z', 'body', 'twist', 'dt', 'latent', 'body_after', 'place',
                                'doubt', 'disagreement'), many)),
    }
    for name, knots_ahead in (('imagine', horizon), (f'imagine_{horizon // 2}', horizon // 2)):
        jobs[name] = (Imagine(model, ordinary, knots_ahead),
                      {'z': z[:1], 'body': body[:1], 'knots': knots[:, :knots_ahead],
                       'goal': z[1:2]}, IMAGINED, dict.fromkeys(('knots', *IMAGINED), many))
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
