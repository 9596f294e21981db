# SPDX-License-Identifier: Apache-2.0
"""What the general model minimises, term by term."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from ami_ros.training.general_model.pair_sampling import PairBatch
from ami_ros.training.networks import sigreg

ISOTROPY_ROWS = 256     # tokens that the anti-collapse term looks at


@dataclass(frozen=True)
class Weights:
    """How much each term counts."""

    position: float = 1.0       # negative log likelihood of the relative position (Laplace)
    yaw: float = 1.0
    same: float = 0.5           # cross entropy of "same place"
    descriptor: float = 0.3     # InfoNCE
    prediction: float = 0.5     # tokens after a motion
    isotropy: float = 0.005     # SIGReg of the tokens, against collapse


def terms(model: torch.nn.Module, images: torch.Tensor, batch: PairBatch
          ) -> dict[str, torch.Tensor]:
    """Return every term of the loss, and the median position error in m for people.

    `model` is a GeneralModel or one wrapped for several processes; images (B, 3, H, W) float32.
    """
    a, b = torch.from_numpy(batch.a), torch.from_numpy(batch.b)
    motion = planar(torch.from_numpy(batch.motion).float())
    tokens, descriptors, pairs, predicted = model(
        images, a, b, torch.from_numpy(batch.before), motion)
    known = torch.from_numpy(batch.same)
    truth = planar(torch.from_numpy(batch.relative).float()[known])
    said = pairs[known]
    off = distance(said[:, :2], truth[:, :2])
    turned = distance(said[:, 2:4], truth[:, 2:])
    same = functional.binary_cross_entropy_with_logits(
        pairs[:, 6], known.float(), reduction='none')
    after = tokens[torch.from_numpy(batch.after)]
    rows = tokens.flatten(0, 1)
    chosen = torch.randperm(len(rows))[:ISOTROPY_ROWS]
    return {
        'position': (off / said[:, 4] + 2 * said[:, 4].log()).mean(),
        'yaw': (turned / said[:, 5] + said[:, 5].log()).mean(),
        'same': same[torch.from_numpy(batch.counted)].mean(),
        'descriptor': contrast(descriptors, batch),
        'prediction': ((predicted - after.detach()) ** 2).mean(),
        'isotropy': sigreg(rows[chosen]),
        'error_m': off.detach().median()}


def planar(pose: torch.Tensor) -> torch.Tensor:
    """(N, 3) x, y, yaw -> (N, 4) x, y, cos, sin."""
    return torch.stack([pose[:, 0], pose[:, 1], pose[:, 2].cos(), pose[:, 2].sin()], -1)


def distance(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return the length of each difference (N, 2), smooth at zero."""
    return ((one - other) ** 2).sum(-1).add(1e-6).sqrt()


def contrast(descriptors: torch.Tensor, batch: PairBatch, temperature: float = 0.1
             ) -> torch.Tensor:
    """InfoNCE: descriptors of one place are alike, of different places not."""
    alike, apart = torch.from_numpy(batch.alike), torch.from_numpy(batch.apart)
    likeness = descriptors @ descriptors.T / temperature
    likeness = likeness.masked_fill(~(alike | apart), -1e9)
    some = alike.any(1)
    log = functional.log_softmax(likeness, 1)[some]
    chosen = alike[some].float()
    return (-(log * chosen).sum(1) / chosen.sum(1)).mean()


def total(parts: dict[str, torch.Tensor], weights: Weights) -> torch.Tensor:
    """Add the terms up."""
    return torch.stack([getattr(weights, name) * parts[name]
                        for name in Weights.__dataclass_fields__]).sum()
