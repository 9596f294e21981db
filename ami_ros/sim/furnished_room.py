# SPDX-License-Identifier: Apache-2.0
"""A furnished room drawn from a world seed: what stands where, and what it looks like."""

from dataclasses import dataclass, replace
import math
from typing import Protocol

import numpy as np

SIZE_M = 6.0            # inner side of the square room
WALL_M = 2.0            # height of its walls
FURNITURE = 7           # pieces
GAP_M = 0.85            # least way between two pieces, and between a piece and a wall


class Place(Protocol):
    """A floor with obstacles: a World, or a scene."""

    @property
    def seed(self) -> int:
        """That it was drawn from."""

    @property
    def half_m(self) -> float:
        """Half the side of the square, around the origin, that holds it."""

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Distance (..., ) in m from (..., 2) points to the nearest obstacle."""


@dataclass(frozen=True)
class Piece:
    """A box or a cylinder that stands on the floor."""

    shape: str                      # 'box' or 'cylinder'
    x_m: float
    y_m: float
    yaw_rad: float
    half: tuple[float, float]       # m, along its own x and y; a cylinder's radius twice
    height_m: float
    colour: tuple[float, float, float]

    @property
    def radius_m(self) -> float:
        """Radius of the circle around it."""
        return self.half[0] if self.shape == 'cylinder' else math.hypot(*self.half)


@dataclass(frozen=True)
class Shade:
    """How the light of a room shades it: shares of what the surfaces give back."""

    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    ambient: float = 0.6
    diffuse: float = 0.35


@dataclass(frozen=True)
class World:
    """One room. The same seed draws the same room, textures and light included."""

    seed: int
    pieces: tuple[Piece, ...]
    light: tuple[float, float, float]   # direction that it comes from
    shade: Shade = Shade()

    @property
    def half_m(self) -> float:
        """Half the inner side of the room, whose middle is the origin."""
        return SIZE_M / 2

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Distance (..., ) in m from (..., 2) points to the nearest wall or piece; < 0 inside."""
        points = np.asarray(points, float)
        out = self.half_m - np.abs(points).max(-1)
        for piece in self.pieces:
            out = np.minimum(out, signed_distance(piece, points))
        return out


def signed_distance(piece: Piece, points: np.ndarray) -> np.ndarray:
    """Distance from (..., 2) points to the outline of a piece, negative inside."""
    dx, dy = points[..., 0] - piece.x_m, points[..., 1] - piece.y_m
    if piece.shape == 'cylinder':
        return np.hypot(dx, dy) - piece.half[0]
    c, s = math.cos(piece.yaw_rad), math.sin(piece.yaw_rad)
    qx = np.abs(c * dx + s * dy) - piece.half[0]
    qy = np.abs(-s * dx + c * dy) - piece.half[1]
    return np.hypot(np.maximum(qx, 0), np.maximum(qy, 0)) + np.minimum(np.maximum(qx, qy), 0)


def fits(piece: Piece, others: list[Piece]) -> bool:
    """Tell whether a rover can pass around the piece on all sides."""
    edge = SIZE_M / 2 - max(abs(piece.x_m), abs(piece.y_m)) - piece.radius_m
    return edge >= GAP_M and all(
        math.hypot(piece.x_m - o.x_m, piece.y_m - o.y_m) - piece.radius_m - o.radius_m >= GAP_M
        for o in others)


def colour(rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw a colour: red, green, blue, each from 0 to 1."""
    red, green, blue = map(float, rng.uniform(0.1, 1.0, 3))
    return red, green, blue


def draw_piece(rng: np.random.Generator, others: list[Piece]) -> Piece:
    """Draw a piece that fits between the others; smaller ones when the room is full."""
    for attempt in range(20000):
        shrink = 1.0 - 0.5 * min(1.0, attempt / 10000)
        shape = 'cylinder' if rng.random() < 0.35 else 'box'
        if shape == 'cylinder':
            along = across = rng.uniform(0.15, 0.35) * shrink
        else:
            along, across = rng.uniform(0.15, 0.4, 2) * shrink
        x, y = rng.uniform(-SIZE_M / 2, SIZE_M / 2, 2)
        piece = Piece(shape, float(x), float(y), float(rng.uniform(0, math.pi)),
                      (float(along), float(across)), float(rng.uniform(0.35, 0.9)),
                      colour(rng))
        if fits(piece, others):
            return piece
    raise RuntimeError('no room for another piece of furniture')


def draw(seed: int) -> World:
    """Draw a room from its seed."""
    rng = np.random.default_rng([seed, 0xA31])
    pieces: list[Piece] = []
    while len(pieces) < FURNITURE:
        pieces.append(draw_piece(rng, pieces))
    turn = rng.uniform(0, 2 * math.pi)
    return World(seed, tuple(pieces), (2 * math.cos(turn), 2 * math.sin(turn), 4.0))


def rearranged(world: World, seed: int, share: float = 1 / 3) -> World:
    """Move a share of the furniture (rounded up) to other places; looks stay."""
    rng = np.random.default_rng([world.seed, seed, 0xB0B])
    pieces = list(world.pieces)
    for index in rng.permutation(len(pieces))[:math.ceil(share * len(pieces))]:
        others = pieces[:index] + pieces[index + 1:]
        for _ in range(20000):
            x, y = rng.uniform(-SIZE_M / 2, SIZE_M / 2, 2)
            moved = replace(pieces[index], x_m=float(x), y_m=float(y),
                            yaw_rad=float(rng.uniform(0, math.pi)))
            if fits(moved, others) and math.hypot(x - pieces[index].x_m,
                                                  y - pieces[index].y_m) > 0.5:
                pieces[index] = moved
                break
    return replace(world, pieces=tuple(pieces))


def texture(rng: np.random.Generator, width: int, height: int, base, patches: int) -> np.ndarray:
    """Paint (height, width, 3) uint8: a base colour, coloured patches, stripes and grain."""
    out = np.empty((height, width, 3), float)
    out[:] = np.asarray(base) * 255
    for _ in range(patches):
        w, h = rng.integers(width // 24 + 1, width // 6 + 2), rng.integers(height // 8 + 1,
                                                                          height // 2 + 2)
        x, y = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
        colour = rng.uniform(0, 255, 3)
        if rng.random() < 0.35:     # a striped poster
            out[y:y + h, x:x + w][:, ::2 + rng.integers(0, 3)] = colour
        else:
            out[y:y + h, x:x + w] = colour
    out += rng.normal(0, 6, (height, width, 1))
    return np.clip(out, 0, 255).astype(np.uint8)


def pictures(world: World) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Paint the floor, the four walls (north, east, south, west) and the pieces of a room."""
    rng = np.random.default_rng([world.seed, 0x7E8])    # looks do not depend on where things are
    floor = texture(rng, 512, 512, rng.uniform(0.35, 0.7, 3), 30)
    walls = [texture(rng, 384, 128, rng.uniform(0.5, 0.95, 3), 28) for _ in range(4)]
    return floor, walls, [texture(rng, 64, 64, piece.colour, 5) for piece in world.pieces]
