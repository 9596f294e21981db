# SPDX-License-Identifier: Apache-2.0
"""
Changes the pictures of training windows as cameras, light and furniture change them.

One window is one camera under one light: gains, vignetting, dirt and uneven light are drawn once
for it; noise and the drift of auto-exposure differ from frame to frame. Two windows of a drive are
changed independently, as a goal picture and the view of it are. The effects are those of
`sim/camera_model`, computed on whole batches: a gain of linear light is a gain of the displayed
value to the power of 1 / 2.2, so that gains need no conversion.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from ami_ros.perception.images import codec
from ami_ros.sim.camera_model.settings import DISPLAY_GAMMA

NOISE_POOL = 1 << 22    # normal numbers that are drawn once; each window takes a piece of them
POOL_SEED = 0x401


@dataclass(frozen=True)
class Augmentation:
    """How often and how strongly pictures are changed; shares are of the windows."""

    clean: float = 0.25             # share of windows without any change
    brightness: tuple[float, float] = (0.5, 1.5)    # gain of the displayed value
    colour: tuple[float, float] = (0.55, 1.35)      # gains of red and blue, displayed value
    drift: float = 0.05             # of auto-exposure from frame to frame, log of the gain
    uneven: float = 0.3             # standard deviation of the log of the light across the picture
    vignetting: float = 0.7         # most light that is lost in the corners
    gamma: tuple[float, float] = (0.75, 1.35)
    dirt: float = 0.4               # most of the picture that spots cover
    noise: float = 10.0             # most standard deviation, of 255
    blur: float = 0.3               # share of windows with a blur of 3 pixels along the rows
    jpeg: float = 0.1               # share of windows through JPEG
    quality: tuple[int, int] = (25, 90)
    occluder: float = 0.35          # share of windows with a box in view that was not there before
    sometimes: float = 0.5          # share of windows in which each further effect is on


class Augmenter:
    """Applies an Augmentation to batches; the generator that is passed in decides everything."""

    def __init__(self, settings: Augmentation, size: tuple[int, int]):
        self.settings, (self.height, self.width) = settings, size
        pool = np.random.default_rng(POOL_SEED).standard_normal(NOISE_POOL, np.float32)
        self.pool = torch.from_numpy(pool)
        x = (torch.arange(self.width) + 0.5) / self.width * 2 - 1
        y = (torch.arange(self.height) + 0.5) / self.height * 2 - 1
        self.corner = ((x[None] ** 2 + y[:, None] ** 2) / 2) ** 1.5     # (H, W), 1 in the corners
        self.across, self.down = x[None], y[:, None]

    def __call__(self, pictures: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return (B, T, 3, H, W) uint8 pictures changed, float32 of whole numbers 0 to 255."""
        s, b, t = self.settings, pictures.shape[0], pictures.shape[1]
        on = rng.random(b) >= s.clean
        out = pictures.float()
        out *= self._field(rng, on, b)
        drift = np.exp(on[:, None] * s.drift * rng.standard_normal((b, t)))
        out *= torch.from_numpy(drift).float()[:, :, None, None, None]
        self._occlude(out, rng, on & (rng.random(b) < s.occluder))
        self._soil(out, rng, on & (rng.random(b) < 0.5 * s.sometimes))
        blurred = self._chosen(rng, on, b, s.blur)
        if len(blurred):
            part = out[blurred].flatten(0, 1)
            part = functional.avg_pool2d(functional.pad(part, (1, 1, 0, 0), mode='replicate'),
                                         (1, 3), 1)
            out[blurred] = part.view(len(blurred), t, *part.shape[1:])
        bent = self._chosen(rng, on, b, s.sometimes)
        if len(bent):
            power = torch.from_numpy(rng.uniform(*s.gamma, len(bent))).float()
            out[bent] = 255 * (out[bent].clamp(0, 255) / 255) ** power[:, None, None, None, None]
        noisy = self._chosen(rng, on, b, s.sometimes)
        length = out[0].numel()
        for index in noisy:
            begin = int(rng.integers(NOISE_POOL - length))
            out[index].add_(self.pool[begin:begin + length].view(out[index].shape),
                            alpha=float(rng.uniform(0, s.noise)))
        out = out.clamp_(0, 255).floor_()
        self._compress(out, rng, self._chosen(rng, on, b, s.jpeg))
        return out

    @staticmethod
    def _chosen(rng: np.random.Generator, on: np.ndarray, b: int, share: float) -> np.ndarray:
        return np.flatnonzero(on & (rng.random(b) < share))

    def _field(self, rng: np.random.Generator, on: np.ndarray, b: int) -> torch.Tensor:
        """Factor (B, 1, 3, H, W) of the displayed value: gains, uneven light, vignetting."""
        s = self.settings
        gain = spread(rng, s.brightness, (b, 1))
        colour = spread(rng, s.colour, (b, 3))
        colour[:, 1] = 1.0
        plain = rng.random(b) >= 0.75
        colour[plain] = 1.0
        gains = torch.from_numpy(np.where(on[:, None], gain * colour, 1.0)).float()
        strength = on * (rng.random(b) < s.sometimes + 0.2) * rng.uniform(0, 2 * s.uneven, b)
        coarse = torch.from_numpy(np.exp(strength[:, None, None] * rng.standard_normal(
            (b, 2, 4)))).float()
        light = functional.interpolate(coarse[:, None], (self.height, self.width),
                                       mode='bilinear', align_corners=True)
        loss = torch.from_numpy(on * (rng.random(b) < 0.8 * s.sometimes)
                                * rng.uniform(0, s.vignetting, b)).float()
        edge = (1 - loss[:, None, None] * self.corner) ** (1 / DISPLAY_GAMMA)
        return gains[:, None, :, None, None] * (light[:, 0] * edge)[:, None, None]

    def _occlude(self, out: torch.Tensor, rng: np.random.Generator, chosen: np.ndarray) -> None:
        """Put boxes of one colour with some texture into windows, in place."""
        for index in np.flatnonzero(chosen):
            for _ in range(int(rng.integers(1, 4))):
                wide = int(rng.uniform(0.08, 0.4) * self.width)
                high = int(rng.uniform(0.15, 0.6) * self.height)
                x = int(rng.integers(0, self.width - wide + 1))
                y = int(rng.integers(self.height // 4, self.height - high // 2))
                high = min(high, self.height - y)
                colour = torch.from_numpy(rng.uniform(20, 235, 3)).float()
                grain = float(rng.uniform(0, 12))
                begin = int(rng.integers(NOISE_POOL - high * wide))
                piece = self.pool[begin:begin + high * wide].view(1, 1, high, wide)
                out[index, :, :, y:y + high, x:x + wide] = colour[:, None, None] + grain * piece

    def _soil(self, out: torch.Tensor, rng: np.random.Generator, chosen: np.ndarray) -> None:
        """Cover windows with blurred round spots that show the mean light, in place."""
        for index in np.flatnonzero(chosen):
            share = rng.uniform(min(0.02, self.settings.dirt), self.settings.dirt)
            covered = 0.0
            opacity = torch.zeros(self.height, self.width)
            while covered < share:
                radius = rng.uniform(0.02, 0.12) * 2            # of half the width
                x, y = rng.uniform(-1, 1, 2)
                far = torch.hypot(self.across - x, self.down - y) / radius
                spot = float(rng.uniform(0.3, 0.9)) * torch.sigmoid(6 * (1 - far))
                opacity = torch.maximum(opacity, spot)
                covered += np.pi * radius ** 2 / 4
            haze = 0.25 ** (1 / DISPLAY_GAMMA) * out[index].mean((-2, -1), keepdim=True)
            out[index] = out[index] * (1 - opacity) + opacity * haze

    def _compress(self, out: torch.Tensor, rng: np.random.Generator, chosen: np.ndarray) -> None:
        """Send windows through JPEG, in place."""
        for index in chosen:
            quality = int(rng.integers(*self.settings.quality))
            for frame in out[index]:
                picture = frame.permute(1, 2, 0).numpy().astype(np.uint8)
                coded = codec.to_jpeg(np.ascontiguousarray(picture), quality)
                frame.copy_(torch.from_numpy(codec.from_compressed(coded)).permute(2, 0, 1))


def spread(rng: np.random.Generator, ends: tuple[float, float], shape: tuple[int, ...]
           ) -> np.ndarray:
    """Draw factors between two ends, evenly in their logarithm."""
    low, high = np.log(ends)
    return np.exp(rng.uniform(low, high, shape))
