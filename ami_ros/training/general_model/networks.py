# SPDX-License-Identifier: Apache-2.0
"""The networks of the general model: image tokens, relative pose of two images, token dynamics."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

LEAST_ERROR = 0.01      # m and rad; no estimate is surer than this
COLUMNS = 16            # tokens of an image
MATCH = 32              # numbers that columns of two images are matched by
MATCH_SCALE = 10.0      # of the cosine of two columns, at first


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
        self.descriptor = nn.Linear(COLUMNS * sizes.width, sizes.descriptor)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode; descriptors have length 1."""
        columns = self.convolutions(images * (1 / 128) - 1.0).permute(0, 3, 1, 2).flatten(2)
        tokens = self.token(columns)
        return tokens, functional.normalize(self.descriptor(tokens.flatten(1)), dim=-1)


def transformer(sizes: Sizes, layers: int) -> nn.TransformerEncoder:
    """Make a transformer over tokens, normalised before each part."""
    layer = nn.TransformerEncoderLayer(sizes.width, sizes.heads, sizes.hidden, 0.0, 'gelu',
                                       batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


class Matches(nn.Module):
    """Where each column of one image is in the other: tokens (N, 16, width) twice -> (N, 16, 3).

    Bearing of the column, by how much it has moved in the other image, and how sure that is;
    bearings from -1 at one side of the image to 1 at the other. Attention finds such matches by
    itself only after thousands of steps.
    """

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.project = nn.Linear(sizes.width, MATCH, bias=False)
        self.scale = nn.Parameter(torch.tensor(MATCH_SCALE))
        self.register_buffer('bearing', torch.linspace(-1, 1, COLUMNS), persistent=False)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Match the columns of A in B, and of B in A."""
        one, other = (functional.normalize(self.project(x), dim=-1, eps=1e-3) for x in (a, b))
        likeness = self.scale * (one @ other.transpose(1, 2))
        return self.read(likeness), self.read(likeness.transpose(1, 2))

    def read(self, likeness: torch.Tensor) -> torch.Tensor:
        """Read the likeness (N, 16, 16) of each column to those of the other image."""
        share = likeness.softmax(-1)
        moved = share @ self.bearing - self.bearing
        return torch.stack([self.bearing.expand_as(moved), moved, share.amax(-1)], -1)


class RelativePose(nn.Module):
    """Tokens of images A and B, each (N, 16, width) -> (N, 7): where B was taken, seen from A.

    x and y in m and cos and sin of the yaw in A's robot axes, expected error of the position in m
    and of the yaw in rad, logit of "A and B show the same place".
    """

    def __init__(self, sizes: Sizes):
        super().__init__()
        d = sizes.width
        self.matches = Matches(sizes)
        self.matched = nn.Linear(3, d)
        # as large as the tokens: which image a token is of must be plain from the first step
        self.side = nn.Parameter(torch.randn(2, 1, d))
        self.bearing = nn.Parameter(torch.randn(COLUMNS, d) * 0.5)
        self.summary = nn.Parameter(torch.randn(1, 1, d) * 0.1)
        self.transformer = transformer(sizes, sizes.layers)
        self.out = nn.Sequential(nn.LayerNorm(3 * d), nn.Linear(3 * d, 128), nn.SiLU(),
                                 nn.Linear(128, 7))
        self.register_buffer('ahead', torch.tensor([1.0, 0.0]), persistent=False)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Compare."""
        of_a, of_b = (self.matched(match) for match in self.matches(a, b))
        tokens = self.transformer(torch.cat(
            [self.summary.expand(a.shape[0], -1, -1), a + self.bearing + self.side[0] + of_a,
             b + self.bearing + self.side[1] + of_b], 1))
        out = self.out(torch.cat([tokens[:, 0], tokens[:, 1:COLUMNS + 1].mean(1),
                                  tokens[:, COLUMNS + 1:].mean(1)], -1))
        heading = functional.normalize(out[:, 2:4] + self.ahead, dim=-1, eps=1e-3)
        errors = functional.softplus(out[:, 4:6]) + LEAST_ERROR
        return torch.cat([out[:, :2], heading, errors, out[:, 6:]], -1)


class TokenDynamics(nn.Module):
    """Tokens (N, 16, width) and a motion (N, 4): x m, y m, cos, sin -> tokens after the motion."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.bearing = nn.Parameter(torch.randn(COLUMNS, sizes.width) * 0.5)
        self.motion = nn.Sequential(nn.Linear(4, sizes.width), nn.SiLU(),
                                    nn.Linear(sizes.width, sizes.width))
        self.transformer = transformer(sizes, sizes.dynamics_layers)
        self.change = nn.Linear(sizes.width, sizes.width)
        nn.init.zeros_(self.change.weight)      # it begins with: nothing changes

    def forward(self, tokens: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
        """Predict."""
        moved = self.motion(motion)[:, None]
        out = self.transformer(torch.cat([moved, tokens + self.bearing], 1))[:, 1:]
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
