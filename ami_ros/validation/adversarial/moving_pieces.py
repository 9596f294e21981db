# SPDX-License-Identifier: Apache-2.0
"""Lets some of a room's pieces move, and adds people who walk: all slower than the rover."""

from dataclasses import replace
import math

import numpy as np

from ami_ros.sim.furnished_room import Piece, signed_distance, World
from ami_ros.validation.adversarial.room_geometry import Path

SPEED_MPS = (0.05, 0.5)     # of the fastest moment of each; the rover drives 0.6 m/s
FASTEST_TURN_MPS2 = 0.6     # nothing changes its course faster than that
PIECES, WALKERS = 3, 2      # how many pieces go to and fro, how many people walk
WALKER_M = (0.08, 0.2)      # radius
REACH_M = (0.25, 2.5)       # half of a way
APART_M = 0.1               # what moves passes everything else by this
TRIES = 150
LOOK_S = 0.2                # how often two are compared


def set_moving(world: World, rng: np.random.Generator, seconds: float
               ) -> tuple[World, dict[int, Path]]:
    """Return the world with walkers, and the path of each piece that moves, by its index."""
    times = np.arange(0.0, seconds, LOOK_S)
    paths: dict[int, Path] = {}
    for index in rng.permutation(len(world.pieces))[:PIECES].tolist():
        path = drawn(world, paths, index, rng, times, 0.6)
        if path is not None:
            paths[index] = path
    for _ in range(WALKERS):
        x, y = rng.uniform(-world.half_m / 2, world.half_m / 2, 2).tolist()
        radius = float(rng.uniform(*WALKER_M))
        walker = Piece('cylinder', x, y, 0.0, (radius, radius), 1.7, (0.5, 0.5, 0.5))
        more = replace(world, pieces=(*world.pieces, walker))
        path = drawn(more, paths, len(world.pieces), rng, times, REACH_M[1])
        if path is not None:
            world, paths = more, {**paths, len(world.pieces): path}
    return world, paths


def drawn(world: World, paths: dict[int, Path], index: int, rng: np.random.Generator,
          times: np.ndarray, farthest_m: float) -> Path | None:
    """Draw a path for a piece that meets nothing else; None where none is found."""
    for _ in range(TRIES):
        length = rng.uniform(REACH_M[0], farthest_m)
        speed = min(rng.uniform(*SPEED_MPS), math.sqrt(FASTEST_TURN_MPS2 * length))
        share = rng.choice([0.5, rng.uniform(0.5, 1.0)])    # half: a line; 1: a circle
        starts = np.exp(1j * rng.uniform(-math.pi, math.pi, 2))
        path = Path(complex(length * share * starts[0]), complex(length * (1 - share) * starts[1]),
                    float(rng.choice([-1, 1]) * speed / length))
        if free(world, paths, index, path, times):
            return path
    return None


def free(world: World, paths: dict[int, Path], index: int, path: Path, times: np.ndarray) -> bool:
    """Tell whether a piece on a path meets neither wall nor piece."""
    piece = world.pieces[index]
    way = path.at(times)
    x, y = piece.x_m + way.real, piece.y_m + way.imag
    if np.maximum(np.abs(x), np.abs(y)).max() > world.half_m - piece.radius_m - APART_M:
        return False
    for other, one in enumerate(world.pieces):
        if other == index:
            continue
        gone = paths[other].at(times) if other in paths else np.zeros(times.size)
        seen = np.stack([x - gone.real, y - gone.imag], axis=-1)
        if (signed_distance(one, seen) < piece.radius_m + APART_M).any():
            return False
    return True
