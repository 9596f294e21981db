# SPDX-License-Identifier: Apache-2.0
"""
Tells how unlike its training data a module finds what the robot sees now.

The figure is the distance of a latent to the nearest remembered latent of the module, averaged
over the last second and divided by a threshold. Its threshold comes from held-out drives alone:
in ordinary driving the figure exceeds 1 about once in `RARE_S`.
"""

import math
from typing import Any

import numpy as np

WINDOW_NS = 1_000_000_000   # the figure is a mean over so long
MOST = 48_000               # remembered latents that are compared; more cost time at every image
# Axes along which the latents vary little count more, but noise must not dominate: 0 would be the
# plain distance, 0.5 the Mahalanobis distance.
WHITENING = 0.2
FLOOR = 1e-4                # of a variance
RARE_S = 6 * 3600.0         # ordinary driving in which one second exceeds the threshold
BLOCK_S = 1.0               # the largest figures of such stretches count as one
LEAST = 50                  # blocks; a threshold from fewer means nothing
TAIL = 0.9                  # quantile above which the tail is taken to be exponential
Distances = list[tuple[int, float]]     # stamp ns, distance


class Familiar:
    """The remembered latents (N, D) of a module, and the threshold of their distance."""

    def __init__(self, latents: np.ndarray, threshold: float = 1.0):
        latents = np.asarray(latents, np.float32)
        few = latents[::max(1, -(-len(latents) // MOST))]
        variance, axes = np.linalg.eigh(np.cov(few.T.astype(np.float64)))
        self.mean = few.mean(0)
        self.axes = (axes * np.maximum(variance, FLOOR) ** -WHITENING).astype(np.float32)
        self.known = np.ascontiguousarray((few - self.mean) @ self.axes)
        self.half = 0.5 * (self.known ** 2).sum(1)
        self.threshold = threshold

    def distance(self, z: np.ndarray, among: np.ndarray | None = None) -> float:
        """Return the distance of a latent (D,) to the nearest, over the threshold.

        `among` (N,) names those of `known` that count.
        """
        here = (np.asarray(z, np.float32) - self.mean) @ self.axes
        near = self.half - self.known @ here
        if among is not None:
            near = np.where(among, near, np.inf)
        apart = self.known[int(np.argmin(near))] - here
        return math.sqrt(float((apart ** 2).sum())) / self.threshold


def lately(before: Distances, stamp_ns: int, distance: float) -> Distances:
    """Add a distance; those older than the window are left out."""
    return [one for one in before if stamp_ns - one[0] < WINDOW_NS] + [(stamp_ns, distance)]


def figure(distances: Distances) -> float:
    """Return the mean of the distances."""
    return sum(distance for _, distance in distances) / len(distances)


def calibrated(maxima: np.ndarray) -> dict[str, Any] | None:
    """Return the threshold from the largest figures (B,) of held-out blocks; None for too few.

    With enough blocks it is the quantile of split conformal prediction. With fewer, the tail is
    taken to be exponential and goes on as far as needed, never below the largest held-out figure.
    """
    if len(maxima) < LEAST:
        return None
    rate = BLOCK_S / RARE_S
    rank = math.ceil((len(maxima) + 1) * (1 - rate))
    if rank <= len(maxima):
        threshold = float(np.sort(maxima)[rank - 1])
    else:
        begin = float(np.quantile(maxima, TAIL))
        beyond = float((maxima[maxima > begin] - begin).mean()) if (maxima > begin).any() else 0.0
        threshold = max(begin + beyond * math.log((1 - TAIL) / rate), float(maxima.max()))
    return {'threshold': threshold, 'blocks': len(maxima), 'method':
            'conformal' if rank <= len(maxima) else 'conformal, exponential tail',
            'p50': float(np.median(maxima)) / threshold, 'most': float(maxima.max()) / threshold}


def maxima(drive: list[tuple[int, float]]) -> list[float]:
    """Return the largest figure of each block of a drive, given (stamp ns, figure) in order."""
    largest: dict[int, float] = {}
    for stamp_ns, value in drive:
        block = int((stamp_ns - drive[0][0]) // round(BLOCK_S * 1e9))
        largest[block] = max(value, largest.get(block, 0.0))
    return list(largest.values())


def of_module(manifest: dict, array, files) -> Familiar | None:
    """Make it of what a module remembers; None where the module has no threshold.

    `array` reads an array of the module by its name, `files` are the names of its files.
    """
    said = manifest.get('out_of_distribution')
    if not said or 'memory_latents.npy' not in files or 'memory_scale.npy' not in files:
        return None
    return Familiar(array('memory_latents').astype(np.float32) * array('memory_scale'),
                    float(said['threshold']))
