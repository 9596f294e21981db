# SPDX-License-Identifier: Apache-2.0
"""What the JEPA is trained for, one function a term."""

from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields

import torch
from torch.nn import functional

from ami_ros.training.networks import Jepa, sigreg


@dataclass(frozen=True)
class Weights:
    """How much each term counts."""

    sigreg: float = 0.09        # as published, per time index
    one_step: float = 1.0
    open_loop: float = 1.0
    body: float = 1.0
    place: float = 1.0
    doubt: float = 0.05
    clearance: float = 0.3
    inverse: float = 0.1
    similarity: float = 0.05
    invariance: float = 0.3


@dataclass
class Batch:
    """B windows of T frames; window i and window i + B/2 come from the same drive."""

    pictures: torch.Tensor      # (B, T, 3, H, W) uint8
    body: torch.Tensor          # (B, T, 3)
    action: torch.Tensor        # (B, T, 2), until the next frame
    dt: torch.Tensor            # (B, T, 1) s
    pose: torch.Tensor          # (B, T, 3) odometry; only differences within a drive count
    clearance: torch.Tensor     # (B, T) m, NaN where unknown
    clean: torch.Tensor         # (B, 3, H, W) the first picture of each window, not augmented

    def to(self, device: torch.device) -> 'Batch':
        """Return the same on a device."""
        return Batch(*(getattr(self, one.name).to(device) for one in fields(self)))


def relative(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Pose b (..., 3) seen from a, as (x, y, cos, sin)."""
    d, turn = b[..., :2] - a[..., :2], b[..., 2] - a[..., 2]
    c, s = torch.cos(a[..., 2]), torch.sin(a[..., 2])
    return torch.stack([c * d[..., 0] + s * d[..., 1], -s * d[..., 0] + c * d[..., 1],
                        torch.cos(turn), torch.sin(turn)], -1)


def relative_place(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Place b (..., 4) seen from place a, both (x, y, cos, sin)."""
    d, (c, s) = b[..., :2] - a[..., :2], (a[..., 2], a[..., 3])
    return torch.stack([c * d[..., 0] + s * d[..., 1], -s * d[..., 0] + c * d[..., 1],
                        c * b[..., 2] + s * b[..., 3], c * b[..., 3] - s * b[..., 2]], -1)


def disagree(said: torch.Tensor, measured: torch.Tensor) -> torch.Tensor:
    """Mean distance between two relative places; one radian counts as a metre."""
    return (functional.smooth_l1_loss(said[..., :2], measured[..., :2], beta=0.05)
            + functional.smooth_l1_loss(said[..., 2:], measured[..., 2:], beta=0.05))


def doubted(said: torch.Tensor, measured: torch.Tensor, doubt: torch.Tensor) -> torch.Tensor:
    """Laplace negative log likelihood of the distance in m; teaches the doubt, not the place."""
    error = torch.linalg.vector_norm((said - measured)[..., :2].detach(), dim=-1)
    return (error / doubt + torch.log(doubt)).mean()


def near(said: torch.Tensor, measured: torch.Tensor) -> torch.Tensor:
    """Error of the clearance, where the lidar knew it; beyond a metre does not matter.

    Without asking the values which are known: on a GPU that would wait for all before it.
    """
    known = ~torch.isnan(measured)
    wanted = torch.where(known, measured.clamp(max=1.0), said.detach())
    error = functional.smooth_l1_loss(said, wanted, beta=0.05, reduction='sum')
    return error / known.sum().clamp(min=1)


def terms(model: Jepa, batch: Batch, masks: torch.Generator | None,
          bf16: bool = False) -> dict[str, torch.Tensor]:
    """Compute every term of the loss, unweighted."""
    b, t = batch.pictures.shape[:2]
    pictures = torch.cat([batch.pictures.flatten(0, 1), batch.clean]).float()
    with torch.autocast(pictures.device.type, torch.bfloat16) if bf16 else nullcontext():
        z = model.encoder(pictures.contiguous(memory_format=torch.channels_last))
    z, clean = z.float().split([b * t, b])
    z = z.view(b, t, -1)
    d = z.shape[-1]
    flat = [x[:, :-1].flatten(0, 1) for x in (z, batch.body, batch.action, batch.dt)]
    change = model.dynamics(*flat).view(model.shape.heads, b, t - 1, -1)
    wanted = torch.cat([z[:, 1:] - z[:, :-1], (batch.body[:, 1:] - batch.body[:, :-1])
                        / model.dynamics.body_scale], -1)
    error = (change - wanted) ** 2
    if masks is not None:       # every head sees its own two thirds of the windows
        seen = (torch.rand(model.shape.heads, b, 1, 1, generator=masks) < 2 / 3).float().to(z)
        error = error * seen / seen.mean().clamp(min=1e-3)
    out = {'one_step': error[..., :d].mean(), 'body': error[..., d:].mean()}

    state, body, rolled, bodies = z[:, 0], batch.body[:, 0], [], []
    for k in range(t - 1):
        state, body, _ = model.dynamics.step(state, body, batch.action[:, k], batch.dt[:, k])
        rolled.append(state)
        bodies.append(body)
    rolled, bodies = torch.stack(rolled, 1), torch.stack(bodies, 1)
    out['open_loop'] = ((rolled - z[:, 1:]) ** 2).mean()
    out['body'] = out['body'] + (((bodies - batch.body[:, 1:])
                                  / model.dynamics.body_scale) ** 2).mean()

    place, clear, doubt = model.readings(z)
    place_rolled, clear_rolled, _ = model.readings(rolled)
    half = b // 2
    first, second = batch.pose[:half], batch.pose[half:]
    said, measured = relative_place(place[:half], place[half:]), relative(first, second)
    far = disagree(said, measured)
    out['doubt'] = doubted(said, measured, doubt[:half] + doubt[half:])
    measured = relative(batch.pose[:, :1], batch.pose[:, 1:])
    out['place'] = far + disagree(relative_place(place[:, :1], place[:, 1:]), measured) \
        + disagree(relative_place(place[:, :1], place_rolled), measured)
    out['clearance'] = near(clear, batch.clearance) + near(clear_rolled, batch.clearance[:, 1:])
    step = relative(batch.pose[:, :-1], batch.pose[:, 1:])
    said = model.inverse(torch.cat([z[:, :-1], z[:, 1:]], -1))
    out['inverse'] = ((said - 5 * torch.cat([step[..., :2], step[..., 3:]], -1)) ** 2).mean()
    out['similarity'] = ((z[:, 1:] - z[:, :-1]) ** 2).mean()
    out['invariance'] = ((z[:, 0] - clean) ** 2).mean()
    out['sigreg'] = torch.stack([sigreg(z[:, k]) for k in range(t)]).mean()
    return out


def total(parts: dict[str, torch.Tensor], weights: Weights) -> torch.Tensor:
    """Weigh the terms."""
    return sum(weight * parts[name] for name, weight in asdict(weights).items())
