# SPDX-License-Identifier: Apache-2.0
"""Larger encoders: vision transformers (arXiv 2010.11929), for larger pictures and a GPU."""

from dataclasses import dataclass
import math

import torch
from torch import nn

from ami_ros.core.errors import AmiError


@dataclass(frozen=True)
class VitSize:
    """Sizes of a transformer."""

    width: int
    depth: int
    heads: int


VITS = {    # millions of parameters at 224 x 224, patches of 16: 5.6, 21.9, 86.3
    'vit_tiny': VitSize(192, 12, 3), 'vit_small': VitSize(384, 12, 6),
    'vit_base': VitSize(768, 12, 12),
}


def patch_of(size: tuple[int, int]) -> int:
    """Return the side of a patch, pixels; ValueError where it does not fill the picture."""
    patch = 16 if min(size) >= 128 else 8
    if size[0] % patch or size[1] % patch:
        raise AmiError(f'images of {size[0]} x {size[1]} cannot be cut into patches of '
                       f'{patch}: give the robot file a camera_size of multiples of it')
    return patch


class Block(nn.Module):
    """Attention and two layers, each on top of what comes in."""

    def __init__(self, size: VitSize):
        super().__init__()
        self.width, self.heads = size.width, size.heads
        self.scale = 1 / math.sqrt(size.width // size.heads)
        width = size.width
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked = nn.Linear(width, 3 * width)
        self.said = nn.Linear(width, width)
        self.layers = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(),
                                    nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, T, W) -> (N, T, W)."""
        n, tokens, _ = x.shape
        query, key, value = (part.reshape(n, tokens, self.heads, -1).transpose(1, 2)
                             for part in self.asked(self.before(x)).split(self.width, -1))
        near = query @ key.transpose(2, 3) * self.scale
        heard = (near.softmax(-1) @ value).transpose(1, 2).reshape(n, tokens, self.width)
        x = x + self.said(heard)
        return x + self.layers(self.between(x))


class Vit(nn.Module):
    """(N, 3, H, W) float32 in 0..255 -> (N, D): patches, blocks, their mean, two layers."""

    def __init__(self, name: str, size: tuple[int, int], hidden: int, latent: int):
        super().__init__()
        sizes, patch = VITS[name], patch_of(size)
        self.patches = nn.Conv2d(3, sizes.width, patch, patch)
        tokens = (size[0] // patch) * (size[1] // patch)
        self.places = nn.Parameter(0.02 * torch.randn(1, tokens, sizes.width))
        self.blocks = nn.Sequential(*(Block(sizes) for _ in range(sizes.depth)))
        self.last = nn.LayerNorm(sizes.width)
        self.head = nn.Sequential(nn.Linear(sizes.width, hidden), nn.LayerNorm(hidden),
                                  nn.SiLU(), nn.Linear(hidden, latent))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Encode."""
        x = self.patches(pictures * (1 / 128) - 1.0).flatten(2).transpose(1, 2)
        return self.head(self.last(self.blocks(x + self.places)).mean(1))
