# SPDX-License-Identifier: Apache-2.0
"""What a module remembers of the room: where driving was free, and what it looked like."""

import numpy as np
import torch

from ami_ros.perception.images import codec
from ami_ros.training.networks import Jepa
from ami_ros.training.training_windows import Drives

CELL_M = 0.1
MARGIN = 5              # cells around what was visited
BLOCKED = 20.0          # times dearer than free ground
NEAR_M, TIGHT_M = 0.40, 0.22    # lidar to the nearest obstacle: free above, dear below
FRAMES = 60_000         # remembered latents
THUMBNAILS = 1000
MEMORY = 0x3E3          # what the random numbers of the memory begin with, after the seed


@torch.no_grad()
def look(model: Jepa, images: np.ndarray, frames: np.ndarray,
         progress=lambda done, total: None) -> tuple[np.ndarray, np.ndarray]:
    """Encode frames; return latents (M, D) and places (M, 4), float32."""
    latents, places, device = [], [], model.dynamics.twist_scale.device
    for begin in range(0, len(frames), 512):
        picture = torch.from_numpy(images[frames[begin:begin + 512]]).to(device)
        picture = picture.permute(0, 3, 1, 2).float()
        z = model.encoder(picture.contiguous(memory_format=torch.channels_last))
        latents.append(z.cpu().numpy())
        places.append(model.readings(z)[0].cpu().numpy())
        progress(begin, len(frames))
    return np.concatenate(latents), np.concatenate(places)


def ground(places: np.ndarray, drives: Drives) -> tuple[np.ndarray, np.ndarray]:
    """Return cost (X, Y) and the origin (2,) of the learned map, from where the robot drove."""
    xy, near = places[:, :2].astype(float), np.minimum(drives.clearance, 1.0)
    inner = np.flatnonzero(np.arange(len(xy)) < drives.last)
    middle = (xy[inner] + xy[inner + 1]) / 2
    short = np.hypot(*(xy[inner] - xy[inner + 1]).T) < 0.4
    points = np.concatenate([xy, middle[short]])
    known = np.concatenate([near, np.minimum(near[inner], near[inner + 1])[short]])
    low, high = np.percentile(xy, [0.1, 99.9], axis=0)
    origin = low - MARGIN * CELL_M
    shape = np.ceil((high - origin) / CELL_M).astype(int) + MARGIN
    cell = np.round((points - origin) / CELL_M).astype(int)
    inside = ((cell >= 0) & (cell < shape)).all(1)
    flat = np.ravel_multi_index(cell[inside].T, shape)
    count = np.bincount(flat, minlength=shape.prod()).astype(float)
    usual = np.median(count[count > 0])
    free = count >= max(2.0, 0.12 * usual)
    free = free.reshape(shape)
    free |= around(free) >= 7       # a cell missed by chance
    free &= around(free) >= 2       # a place read wrongly
    cost = np.where(free, 1.0, BLOCKED)
    lidar = ~np.isnan(known[inside])
    if lidar.any():
        total = np.bincount(flat[lidar], known[inside][lidar], shape.prod())
        seen = np.bincount(flat[lidar], minlength=shape.prod())
        mean = np.where(seen > 0, total / np.maximum(seen, 1), 1.0).reshape(shape)
        cost = np.where(free, 1 + 7 * np.clip((NEAR_M - mean) / (NEAR_M - TIGHT_M), 0, 1) ** 2,
                        cost)
    else:
        cost = np.where(free & (around(free) < 8), 3.0, cost)
    return cost.astype(np.float32), origin


def around(mask: np.ndarray) -> np.ndarray:
    """Count the true ones among the eight neighbours."""
    padded = np.pad(mask.astype(int), 1)
    x, y = mask.shape
    return np.sum([padded[1 + i:1 + i + x, 1 + j:1 + j + y]
                   for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j], 0)


def remembered(drives: Drives, rng: np.random.Generator) -> np.ndarray:
    """Return the rows whose latents are remembered: of whole drives, FRAMES at most."""
    order = rng.permutation(np.unique(drives.drive))
    lengths = np.bincount(drives.drive, minlength=order.max() + 1)[order]
    kept = order[np.cumsum(lengths) <= FRAMES] if len(drives.drive) > FRAMES else order
    return np.flatnonzero(np.isin(drives.drive, kept))


def memory(latents: np.ndarray, places: np.ndarray, drives: Drives, images: np.ndarray,
           seed: int) -> dict[str, np.ndarray]:
    """Arrays to remember: whole drives of latents with what was done, and a few pictures."""
    rng = np.random.default_rng([seed, MEMORY])
    rows = remembered(drives, rng)
    scale = np.abs(latents).max(0) / 127
    few = rng.choice(rows, min(THUMBNAILS, len(rows)), replace=False)
    pictures = [codec.to_jpeg(images[drives.frame[r]], 85) for r in few]
    return {
        'memory_latents': np.round(latents[rows] / scale).astype(np.int8),
        'memory_scale': scale.astype(np.float32),
        'memory_drive': drives.drive[rows].astype(np.uint16),
        'memory_action': drives.action[rows].astype(np.float16),
        'picture_places': places[few].astype(np.float16),
        'picture_bytes': np.frombuffer(b''.join(pictures), np.uint8),
        'picture_ends': np.cumsum([len(p) for p in pictures]).astype(np.int64),
    }
