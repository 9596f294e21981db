# SPDX-License-Identifier: Apache-2.0
"""How accurately the general model reads pairs of images in worlds that it never saw."""

from collections.abc import Callable

import numpy as np

from ami_ros.core.geometry import between, wrap
from ami_ros.training.general_model.pair_sampling import Sampling
from ami_ros.training.general_model.world_frames import WorldFrames

BANDS = ((0.5, 0.35), (1.0, 0.7), (1.5, 1.0))       # most m and rad between two images
PATH_M = Sampling().path_m      # most path between them, as odometry drifts
PAIRS = 1500            # of each band, and of different places


def pairs_within(data: WorldFrames, most_m: float, most_rad: float,
                 rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs of rows (PAIRS,) whose poses are that near; fewer where the worlds are few."""
    first, second = [], []
    for _ in range(20 * PAIRS):
        row = int(rng.integers(len(data.world)))
        begin, end = np.searchsorted(data.world, [data.world[row], data.world[row] + 1])
        off = between(data.pose[row], data.pose[begin:end])
        near = ((np.hypot(off[:, 0], off[:, 1]) < most_m) & (np.abs(off[:, 2]) < most_rad)
                & (np.abs(data.path_m[begin:end] - data.path_m[row]) < PATH_M))
        near[row - begin] = False
        if near.any():
            first.append(row)
            second.append(begin + int(rng.choice(np.flatnonzero(near))))
        if len(first) == PAIRS:
            break
    return np.array(first), np.array(second)


def accuracy(data: WorldFrames, read: Callable[[np.ndarray, np.ndarray], np.ndarray],
             seed: int = 1) -> dict[str, float]:
    """Measure errors by the distance of the two images, and how well places are told apart.

    `read` maps the images (N, H, W, 3) uint8 of A and of B to the seven numbers of a pair, (N, 7).
    """
    rng = np.random.default_rng(seed)
    figures: dict[str, float] = {}
    for most_m, most_rad in BANDS:
        a, b = pairs_within(data, most_m, most_rad, rng)
        said = read(data.images[a], data.images[b])
        truth = between(data.pose[a], data.pose[b])
        off = np.hypot(*(said[:, :2] - truth[:, :2]).T)
        turned = np.degrees(np.abs(wrap(np.arctan2(said[:, 3], said[:, 2]) - truth[:, 2])))
        surer = said[:, 4] <= np.median(said[:, 4])
        figures |= {f'{name}_{most_m}': float(value) for name, value in (
            ('position_p50_m', np.median(off)), ('position_p90_m', np.quantile(off, 0.9)),
            ('yaw_p50_deg', np.median(turned)), ('yaw_p90_deg', np.quantile(turned, 0.9)),
            ('surer_p50_m', np.median(off[surer])),
            ('surer_p90_m', np.quantile(off[surer], 0.9)))}
        if most_m == BANDS[0][0]:
            other = rng.permutation(len(data.world))[:len(a)]
            kept = data.world[other] != data.world[a[:len(other)]]
            unlike = read(data.images[a[:len(other)][kept]], data.images[other[kept]])
            figures['same_place_true'] = float(np.mean(said[:, 6] > 0))
            figures['same_place_false'] = float(np.mean(unlike[:, 6] > 0))
    return figures
