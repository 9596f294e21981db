# SPDX-License-Identifier: Apache-2.0
"""The networks of the general model: image tokens, relative pose of two images, token dynamics."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

LEAST_ERROR = 0.01      # m and rad; no estimate is surer than this


@dataclass(frozen=True)
class Sizes:
    """Sizes of the networks."""

    width: int = 64             # of a token
    channels: tuple[int, int, int] = (48, 96, 128)
    descriptor: int = 64
    layers: int = 3             # of the transformer that compares two images
    dynamics_layers: int = 2
    heads: int = 4
    hidden: int = 192           # of a transformer layer


class TokenEncoder(nn.Module):
    """(N, 3, 64, 64) float32 in 0..255 -> tokens (N, 16, width), descriptor (N, descriptor).

    A token is a column of the image, which is a bearing: the convolutions halve the height three
    times and the width once, after the first layer of stride 4.
    """

    COLUMNS = 16

    def __init__(self, sizes: Sizes):
        super().__init__()
        a, b, c = sizes.channels
        self.convolutions = nn.Sequential(
            nn.Conv2d(3, a, 8, 4, 2), nn.ReLU(),
            nn.Conv2d(a, b, (4, 3), (2, 1), 1), nn.ReLU(),
            nn.Conv2d(b, c, (4, 3), (2, 1), 1), nn.ReLU())
        # of unit variance, so that an error of the dynamics has a scale
        self.token = nn.Sequential(nn.Linear(c * 4, sizes.width),
                                   nn.LayerNorm(sizes.width, elementwise_affine=False))
        self.bearing = nn.Parameter(torch.randn(self.COLUMNS, sizes.width) * 0.5)
        self.descriptor = nn.Linear(self.COLUMNS * sizes.width, sizes.descriptor)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode; descriptors have length 1."""
        columns = self.convolutions(images * (1 / 128) - 1.0).permute(0, 3, 1, 2).flatten(2)
        tokens = self.token(columns)
        return (tokens + self.bearing,
                functional.normalize(self.descriptor(tokens.flatten(1)), dim=-1))


def transformer(sizes: Sizes, layers: int) -> nn.TransformerEncoder:
    """Make a transformer over tokens, normalised before each part."""
    layer = nn.TransformerEncoderLayer(sizes.width, sizes.heads, sizes.hidden, 0.0, 'gelu',
                                       batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


class RelativePose(nn.Module):
    """Tokens of images A and B, each (N, 16, width) -> (N, 7): where B was taken, seen from A.

    x and y in m and cos and sin of the yaw in A's robot axes, expected error of the position in m
    and of the yaw in rad, logit of "A and B show the same place".
    """

    def __init__(self, sizes: Sizes):
        super().__init__()
        d = sizes.width
        # as large as the tokens: which image a token is of must be plain from the first step
        self.side = nn.Parameter(torch.randn(2, 1, d))
        self.summary = nn.Parameter(torch.randn(1, 1, d) * 0.1)
        self.transformer = transformer(sizes, sizes.layers)
        self.out = nn.Sequential(nn.LayerNorm(3 * d), nn.Linear(3 * d, 128), nn.SiLU(),
                                 nn.Linear(128, 7))
        self.register_buffer('ahead', torch.tensor([1.0, 0.0]), persistent=False)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Compare."""
        n = a.shape[1]
        tokens = self.transformer(torch.cat(
            [self.summary.expand(a.shape[0], -1, -1), a + self.side[0], b + self.side[1]], 1))
        out = self.out(torch.cat([tokens[:, 0], tokens[:, 1:n + 1].mean(1),
                                  tokens[:, n + 1:].mean(1)], -1))
        heading = functional.normalize(out[:, 2:4] + self.ahead, dim=-1, eps=1e-3)
        errors = functional.softplus(out[:, 4:6]) + LEAST_ERROR
        return torch.cat([out[:, :2], heading, errors, out[:, 6:]], -1)


class TokenDynamics(nn.Module):
    """Tokens (N, 16, width) and a motion (N, 4): x m, y m, cos, sin -> tokens after the motion."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.motion = nn.Sequential(nn.Linear(4, sizes.width), nn.SiLU(),
                                    nn.Linear(sizes.width, sizes.width))
        self.transformer = transformer(sizes, sizes.dynamics_layers)
        self.change = nn.Linear(sizes.width, sizes.width)
        nn.init.zeros_(self.change.weight)      # it begins with: nothing changes

    def forward(self, tokens: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
        """Predict."""
        moved = self.motion(motion)[:, None]
        out = self.transformer(torch.cat([moved, tokens], 1))[:, 1:]
        return tokens + self.change(out)


class GeneralModel(nn.Module):
    """All that is learned."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.sizes = sizes
        self.encoder = TokenEncoder(sizes)
        self.relative_pose = RelativePose(sizes)
        self.dynamics = TokenDynamics(sizes)

    def forward(self, images, a, b, before, motion):
        """Encode images, compare pairs (a, b), predict `before` after a motion; for DDP one call.

        a, b, before are indices of images; returns tokens, descriptors, pairs (len(a), 7),
        predicted tokens (len(before), 16, width).
        """
        tokens, descriptors = self.encoder(images)
        return (tokens, descriptors, self.relative_pose(tokens[a], tokens[b]),
                self.dynamics(tokens[before], motion))
