# SPDX-License-Identifier: Apache-2.0
"""Places furniture: flush against a wall or free, so that a robot can pass, doors stay clear."""

from dataclasses import replace
import math

import numpy as np

from ami_ros.sim.scenes import furniture
from ami_ros.sim.scenes.elements import Door, Furniture, Room, WALL_M
from ami_ros.sim.scenes.styles import choice

GAP_M = 0.75            # between two pieces, and between a free piece and a wall
DOOR_M = 0.9            # depth that is kept clear before a door
TRIES = 25
FULL = 4                # pieces in a row that found no place: the room is full


def footprint(piece: Furniture, margin_m: float = 0.0) -> np.ndarray:
    """Corners (4, 2) of the ground that a piece takes."""
    c, s = math.cos(piece.yaw_rad), math.sin(piece.yaw_rad)
    x, y = piece.half[0] + margin_m, piece.half[1] + margin_m
    own = np.array([(x, y), (-x, y), (-x, -y), (x, -y)])
    return own @ np.array([[c, s], [-s, c]]) + [piece.x_m, piece.y_m]


def apart(one: np.ndarray, two: np.ndarray) -> float:
    """Gap in m between two rectangles (4, 2) by separating axes; at most the true gap."""
    best = -math.inf
    for first, second, third in (one[:3], two[:3]):     # two edges of a rectangle say all axes
        for x, y in ((second - first).tolist(), (third - second).tolist()):
            length = math.hypot(x, y)
            axis = np.array([x / length, y / length])
            a, b = one @ axis, two @ axis
            best = max(best, a.min() - b.max(), b.min() - a.max())
    return float(best)


def door_zones(room: Room, index: int, doors: tuple[Door, ...]) -> list[np.ndarray]:
    """Outlines of what must stay clear before the doors of a room, leaves included."""
    out = []
    for door in doors:
        if index not in door.rooms:
            continue
        half = door.width_m / 2 + 0.12
        deep = max(DOOR_M, door.width_m + 0.15 if door.has_leaf else 0.0) + WALL_M / 2
        x, y = (half, deep) if door.along == 'x' else (deep, half)
        out.append(np.array([(door.x_m + sx * x, door.y_m + sy * y)
                             for sx, sy in ((1, 1), (-1, 1), (-1, -1), (1, -1))]))
    return out


def fits(piece: Furniture, room: Room, taken: list[np.ndarray], zones: list[np.ndarray],
         flush: bool, gap_m: float) -> bool:
    """Tell whether a piece leaves a robot its way around it."""
    corners = footprint(piece)
    low = corners.min(0) - (room.x0_m, room.y0_m)
    high = (room.x1_m, room.y1_m) - corners.max(0)
    edges = np.concatenate([low, high])
    if edges.min() < -1e-6:
        return False
    near = edges < gap_m
    if near.any() and not (flush and (edges[near] < 0.03).all()):
        return False
    return (all(apart(corners, other) >= gap_m for other in taken if close(piece, other, gap_m))
            and all(apart(corners, zone) >= 0.02 for zone in zones if close(piece, zone, 0.02)))


def close(piece: Furniture, outline: np.ndarray, gap_m: float) -> bool:
    """Tell whether the circles around a piece and a rectangle are nearer than a gap."""
    (ax, ay), (bx, by) = outline[0].tolist(), outline[2].tolist()
    way = math.hypot(piece.x_m - (ax + bx) / 2, piece.y_m - (ay + by) / 2)
    return way < piece.radius_m + math.hypot(ax - bx, ay - by) / 2 + gap_m


def against(rng, piece: Furniture, room: Room) -> Furniture:
    """Put the back of a piece to a random wall."""
    side = int(rng.integers(4))
    corner, ahead = room.side_frame(side)
    length = room.side_length_m(side)
    half = piece.half[0]
    along = rng.uniform(half, max(half, length - half))
    if rng.random() < 0.3:
        along = half if rng.random() < 0.5 else length - half
    inward = np.array([ahead[1], -ahead[0]])
    x, y = corner + ahead * along + inward * (piece.half[1] + 0.01)
    return replace(piece, x_m=float(x), y_m=float(y),
                   yaw_rad=math.atan2(float(ahead[1]), float(ahead[0])))


def free(rng, piece: Furniture, room: Room) -> Furniture:
    """Put a piece anywhere in a room, at any angle or along the walls."""
    yaw = rng.uniform(-math.pi, math.pi) if rng.random() < 0.6 else rng.integers(4) * math.pi / 2
    return replace(piece, x_m=float(rng.uniform(room.x0_m, room.x1_m)),
                   y_m=float(rng.uniform(room.y0_m, room.y1_m)), yaw_rad=float(yaw))


def furnish(rng, room: Room, index: int, doors: tuple[Door, ...], count: int, programme: str,
            standing: tuple[Furniture, ...] = (), gap_m: float = GAP_M) -> list[Furniture]:
    """Draw up to `count` pieces of a programme; fewer where no more fit."""
    zones = door_zones(room, index, doors)
    taken = [footprint(p) for p in standing]
    out: list[Furniture] = []
    misses = 0
    for _ in range(count):
        if misses == FULL:
            break
        kind = choice(rng, furniture.PROGRAMMES[programme])
        drawn = furniture.make(kind, rng)
        placed = find(rng, drawn, room, taken, zones, gap_m)
        if placed is None:
            misses += 1
            continue
        misses = 0
        out.append(placed)
        taken.append(footprint(placed))
    return out


def find(rng, piece: Furniture, room: Room, taken, zones, gap_m: float = GAP_M
         ) -> Furniture | None:
    """Draw a place for a piece; None where it does not fit."""
    flush = furniture.MAKERS[piece.kind][1] if piece.kind in furniture.MAKERS else False
    flush = flush or rng.random() < 0.35
    for _ in range(TRIES):
        placed = (against if flush else free)(rng, piece, room)
        if fits(placed, room, taken, zones, flush, gap_m):
            return placed
    return None
