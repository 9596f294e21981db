# SPDX-License-Identifier: Apache-2.0
"""A JEPA that was never trained and is right all the same: its pictures are poses, written out.

It pretends that an encoder found the pose and that the dynamics is the exact arc. The latent is a
bundle of waves over the pose, so that it fills many directions as a learned one does. What a gate
says of it is known beforehand, and so is what it says once a part is broken.
"""

import math

import numpy as np
import torch

WAVES, HEADS = 32, 3
LENGTH_M = 1.5          # of the waves


def picture(pose: np.ndarray) -> np.ndarray:
    """Write poses (M, 3) into pictures (M, 2, 2, 3) uint8, three bytes a number."""
    whole = np.round((np.asarray(pose, float) + 32) * 2**18).astype(np.int64)
    parts = np.stack([whole >> 16 & 255, whole >> 8 & 255, whole & 255], -1)
    return np.concatenate([parts, np.zeros_like(parts[:, :1])], 1).reshape(-1, 2, 2, 3).astype(
        np.uint8)


def pose_of(pictures: torch.Tensor) -> torch.Tensor:
    """Read (N, 3, 2, 2) float pictures back as poses (N, 3)."""
    parts = pictures.permute(0, 2, 3, 1).reshape(-1, 4, 3)[:, :3].double()
    return (parts[..., 0] * 65536 + parts[..., 1] * 256 + parts[..., 2]) / 2**18 - 32


class OracleJepa:
    """What gates ask of a model: encoder, dynamics.step, dynamics.twist_scale, readings."""

    def __init__(self, blind: bool = False, constant: bool = False):
        self.blind, self.constant = blind, constant
        rng = torch.Generator().manual_seed(0)
        self.waves = torch.randn(4, WAVES, generator=rng).double() / LENGTH_M
        self.twist_scale = torch.tensor([0.6, 1.5])
        self.dynamics = self

    def eval(self):
        """Nothing in it is ever trained."""
        return self

    def latent(self, pose: torch.Tensor) -> torch.Tensor:
        """(N, 3) -> (N, 4 + 2 * WAVES): the pose itself, scaled small, and waves over it."""
        own = torch.stack([pose[:, 0], pose[:, 1], pose[:, 2].cos(), pose[:, 2].sin()], -1)
        phase = own @ self.waves
        return torch.cat([0.01 * own, math.sqrt(2) * phase.cos(), math.sqrt(2) * phase.sin()], -1)

    def encoder(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, 2, 2) -> (N, D)."""
        pose = pose_of(pictures)
        return self.latent(pose * 0 if self.constant else pose).float()

    def readings(self, z: torch.Tensor):
        """Read the place (N, 4), a clearance and a doubt."""
        one = torch.ones(len(z))
        return z[..., :4] * 100, one, one

    def step(self, z, body, twist, dt):
        """Drive the exact arc; z of other than a pose is read by its first four numbers."""
        x, y, c, s = (z[:, :4].double() * 100).unbind(-1)
        yaw, twist = torch.atan2(s, c), twist.double() * (0.0 if self.blind else 1.0)
        turn = twist[:, 1] * dt[:, 0].double()
        chord = twist[:, 0] * dt[:, 0] * torch.sinc(turn / 2 / math.pi)
        moved = torch.stack([x + chord * torch.cos(yaw + turn / 2),
                             y + chord * torch.sin(yaw + turn / 2), yaw + turn], -1)
        return self.latent(moved).float(), body, torch.full((len(z),), 1e-4)
