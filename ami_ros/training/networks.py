# SPDX-License-Identifier: Apache-2.0
"""The networks of a JEPA: encoder, dynamics with several heads, readings of a latent."""

from dataclasses import dataclass

import torch
from torch import nn

from ami_ros.core.errors import AmiError
from ami_ros.training.vit import Vit, VITS

ENCODERS = ('convolutions', *VITS)


@dataclass(frozen=True)
class Shape:
    """Sizes of the networks."""

    latent: int = 64
    hidden: int = 512           # of the encoder's last layer but one
    width: int = 192            # of the dynamics trunk
    head_width: int = 96        # of each dynamics head
    heads: int = 3
    channels: tuple[int, int, int] = (48, 96, 128)
    encoder: str = 'convolutions'       # or one of vit.VITS

    def __post_init__(self):
        if self.encoder not in ENCODERS:
            raise AmiError(f'no encoder {self.encoder!r}; there are: {", ".join(ENCODERS)}')


KNOT_S = 0.25


class EncoderNet(nn.Module):
    """(N, 3, 64, 64) float32 in 0..255 -> (N, D). Three convolutions and two linear layers.

    No BatchNorm anywhere: its train-mode statistics make a collapsed latent look healthy.
    """

    def __init__(self, shape: Shape, size: tuple[int, int] = (64, 64)):
        super().__init__()
        a, b, c = shape.channels
        self.convolutions = nn.Sequential(
            nn.Conv2d(3, a, 8, 4, 2), nn.ReLU(), nn.Conv2d(a, b, 4, 2, 1), nn.ReLU(),
            nn.Conv2d(b, c, 4, 2, 1), nn.ReLU(), nn.Flatten())
        flat = c * (size[0] // 16) * (size[1] // 16)
        self.head = nn.Sequential(nn.Linear(flat, shape.hidden), nn.LayerNorm(shape.hidden),
                                  nn.SiLU(), nn.Linear(shape.hidden, shape.latent))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Encode."""
        return self.head(self.convolutions(pictures * (1 / 128) - 1.0))


class DynamicsNet(nn.Module):
    """(z, body, twist, dt) -> the same a moment later, one answer per head.

    The change is scaled by dt, so that a step of no time changes nothing.
    """

    def __init__(self, shape: Shape, limits):
        super().__init__()
        d = shape.latent
        self.heads = shape.heads
        v, w = limits
        self.register_buffer('twist_scale', torch.tensor([v, w], dtype=torch.float32))
        self.register_buffer('body_scale', torch.tensor([v, w, w], dtype=torch.float32))
        self.trunk = nn.Sequential(nn.Linear(d + 6, shape.width), nn.SiLU(),
                                   nn.Linear(shape.width, shape.width), nn.SiLU())
        self.first = nn.Linear(shape.width, shape.heads * shape.head_width)
        self.second = nn.Parameter(torch.randn(shape.heads, shape.head_width, d + 3)
                                   / shape.head_width ** 0.5 * 0.1)

    def forward(self, z, body, twist, dt):
        """Return the change of z and body per head, (heads, N, D + 3), for the time dt (N, 1)."""
        share = dt * (1 / KNOT_S)
        return self.heads_of(z, body / self.body_scale, twist / self.twist_scale, share) * share

    def heads_of(self, z, body, twist, share):
        """Return what every head says of a whole knot, of body and twist in their scales."""
        x = nn.functional.silu(self.first(self.trunk(torch.cat([z, body, twist, share], -1))))
        x = x.view(-1, self.heads, self.second.shape[1]).transpose(0, 1)
        return torch.matmul(x, self.second)

    def step(self, z, body, twist, dt):
        """Return z and body after dt by the mean of the heads, and the heads' variance (N,)."""
        change = self(z, body, twist, dt)
        mean = change.mean(0)
        d = z.shape[-1]
        spread = ((change - mean) ** 2)[..., :d].mean((0, 2))
        return z + mean[:, :d], body + mean[:, d:] * self.body_scale, spread


class Readings(nn.Module):
    """A latent read as a place (x, y, cos, sin) in the learned map, how sure it is, and clearance.

    A wall filling the view says little about where it stands; the belief must know that.
    """

    def __init__(self, shape: Shape, width: int = 128):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(shape.latent, width), nn.SiLU(),
                                 nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 6))

    def forward(self, z):
        """(N, D) -> place (N, 4) with a unit heading, clearance (N,) m, expected error (N,) m."""
        out = self.net(z)
        heading = nn.functional.normalize(out[..., 2:4], dim=-1, eps=1e-3)
        doubt = 0.01 + nn.functional.softplus(out[..., 5] - 2)
        return torch.cat([out[..., :2], heading], -1), out[..., 4], doubt


class Jepa(nn.Module):
    """All that is learned."""

    def __init__(self, shape: Shape, limits, size: tuple[int, int] = (64, 64)):
        super().__init__()
        self.shape, self.size = shape, size
        self.encoder = EncoderNet(shape, size) if shape.encoder == 'convolutions' else \
            Vit(shape.encoder, size, shape.hidden, shape.latent)
        self.dynamics = DynamicsNet(shape, limits)
        self.readings = Readings(shape)
        # inverse dynamics: the odometry increment and the turn between two successive latents
        self.inverse = nn.Sequential(nn.Linear(2 * shape.latent, 128), nn.SiLU(),
                                     nn.Linear(128, 3))


def sigreg(z: torch.Tensor, directions: int = 256, knots: int = 17) -> torch.Tensor:
    """How far (N, D) is from an isotropic Gaussian, along random directions.

    The sketched Epps-Pulley statistic of LeJEPA (arXiv 2511.08544), times the batch size as
    published: without that factor the term is a hundred times too weak and the latent collapses.
    """
    z = z.float()
    # drawn on the CPU whatever the device: a seed is the same everywhere
    axes = nn.functional.normalize(torch.randn(z.shape[1], directions), dim=0).to(z)
    t = torch.linspace(0, 3, knots).to(z)
    window = torch.exp(-t * t / 2)
    weight = torch.full_like(t, 2 * 3 / (knots - 1))
    weight[0] = weight[-1] = 3 / (knots - 1)
    phase = (z @ axes).unsqueeze(-1) * t
    error = (torch.cos(phase).mean(0) - window) ** 2 + torch.sin(phase).mean(0) ** 2
    return (error @ (weight * window)).mean() * z.shape[0]
