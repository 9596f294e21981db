# SPDX-License-Identifier: Apache-2.0
"""What a lidar saw in the last second, of things that move; for the tests that look back."""

from ami_ros.core.types import Scan, Sighting
from closed_loop import square, World
import numpy as np
from rule_contract import NOW, ns, STEADY


def room(*things: np.ndarray) -> np.ndarray:
    """Return the sides of a room, 6 x 6 m, with things in it."""
    return np.concatenate([square(0, 0, 3), *things])


def sighting(sides: np.ndarray, ago_s: float = 0.0, pose=(0.0, 0.0, 0.0), noise_m: float = 0.0,
             rng: np.random.Generator | None = None) -> Sighting:
    """See something, so long ago, from a pose (3,)."""
    x, y, yaw = pose
    seen = World(sides, place=complex(x, y), yaw=yaw, noise_m=noise_m,
                 rng=rng or np.random.default_rng(0)).scan()
    return Sighting(Scan(seen.ranges, seen.angles, seen.mount, NOW - ns(ago_s),
                         STEADY - ns(ago_s)), pose)


def sightings(thing, seconds: float = 1.0, pose=lambda ago_s: (0.0, 0.0, 0.0), **noise
              ) -> tuple[Sighting, ...]:
    """See `thing(ago_s)` now and then, the newest first, from `pose(ago_s)`."""
    times = [ago for ago in (0.0, 0.05, 0.2, 0.25, 0.5, 0.75, 1.0) if ago <= seconds]
    return tuple(sighting(room(thing(ago)), ago, pose(ago), **noise) for ago in times)
