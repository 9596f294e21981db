# SPDX-License-Identifier: Apache-2.0
"""A room as exact outlines, standing or moving: how far it is to each, what a lidar sees of it.

Places are complex, x + iy metres in the room. What moves does so on an ellipse,
centre + p e^(i rate t) + q e^(-i rate t): a circle, or to and fro on a line. So the future of the
room is known exactly, and nothing turns at once.
"""

from dataclasses import dataclass
import math

import numpy as np

from ami_ros.critic.footprint_sweep import Box
from ami_ros.sim.furnished_room import Piece, SIZE_M, World

DOT_M = 0.03            # spacing of the dots that planners aim at
WALLS = ('wall east', 'wall north', 'wall west', 'wall south')


@dataclass(frozen=True)
class Path:
    """Where a piece goes, around the place where the world has it."""

    p: complex = 0j         # m
    q: complex = 0j         # m
    rate: float = 0.0       # rad/s

    def at(self, times) -> np.ndarray:
        """Return how far it is from its place, complex, for (T,) s."""
        turn = np.exp(1j * self.rate * np.asarray(times, float))
        return self.p * turn + self.q / turn

    @property
    def fastest_mps(self) -> float:
        """The most that its speed can be."""
        return (abs(self.p) + abs(self.q)) * abs(self.rate)


STANDS = Path()


class Ground:
    """Boxes, cylinders and the four walls of a room, in this order."""

    def __init__(self, world: World, box: Box, paths: dict[int, Path] | None = None):
        """`box` is the rover's footprint; `paths` says which pieces move, by their index."""
        paths = paths or {}
        order = sorted(range(len(world.pieces)), key=lambda i: world.pieces[i].shape)
        pieces = [world.pieces[i] for i in order]
        assert [p.shape for p in pieces] == sorted(p.shape for p in pieces)
        self.boxes = sum(piece.shape == 'box' for piece in pieces)
        self.rover, self.half_m = box, world.half_m
        self.corners = np.array([complex(x, y) for x in (-1, 1) for y in (-1, 1)])
        self.corners = box.centre + (self.corners.real * box.half_length_m
                                     + 1j * self.corners.imag * box.half_width_m)
        self.places = np.array([complex(p.x_m, p.y_m) for p in pieces])
        self.turns = np.exp(1j * np.array([p.yaw_rad for p in pieces[:self.boxes]]))
        self.halves = np.array([p.half for p in pieces[:self.boxes]]).reshape(-1, 2)
        self.radii = np.array([p.half[0] for p in pieces[self.boxes:]])
        self.paths = [paths.get(i, STANDS) for i in order]
        self.moving = [path.rate != 0 for path in self.paths]
        self.p, self.q = (np.array([getattr(path, key) for path in self.paths]) for key in 'pq')
        self.rates = np.array([path.rate for path in self.paths])
        self.names = (*(f'{p.shape} {i}' for p, i in zip(pieces, order, strict=True)), *WALLS)
        self.fastest_mps = max((path.fastest_mps for path in self.paths), default=0.0)
        signs = np.array([complex(x, y) for x, y in ((1, 1), (1, -1), (-1, 1), (-1, -1))])
        self.box_corners = self.turns[:, None] * (self.halves[:, :1] * signs.real
                                                  + 1j * self.halves[:, 1:] * signs.imag)
        self.dots, self.of = outlines(pieces, self.half_m)

    def where(self, times) -> np.ndarray:
        """Return (T, N) complex: the middle of each piece at each time, s."""
        if not any(self.moving):
            return np.broadcast_to(self.places, (np.size(times), self.places.size))
        turn = np.exp(1j * np.multiply.outer(np.atleast_1d(times), self.rates))
        return self.places + self.p * turn + self.q / turn

    def speeds(self, time_s: float) -> np.ndarray:
        """Return (N + 4,) m/s: how fast each piece and wall goes."""
        turn = np.exp(1j * self.rates * time_s)
        moved = np.abs(self.rates * (self.p * turn - self.q / turn))
        return np.concatenate([moved, np.zeros(len(WALLS))])

    def clearance(self, places: np.ndarray, yaws: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Return (T, N + 4) m from the footprint to each piece and wall; below 0 they overlap.

        Of two boxes that do not overlap, a corner of one is nearest to the other.
        """
        turns = np.exp(1j * yaws)[:, None]
        middles = self.where(times)
        mine = places[:, None] + turns * self.corners                           # (T, 4)
        out = np.empty((places.size, self.places.size + 4))
        b = self.boxes
        if b:
            seen = (mine[:, None] - middles[:, :b, None]) * self.turns.conj()[:, None]
            there = self.box_corners + middles[:, :b, None]                     # (T, B, 4)
            here = (there - places[:, None, None]) * turns.conj()[:, :, None]
            out[:, :b] = np.minimum(
                outside(seen, self.halves[:, None, 0], self.halves[:, None, 1]).min(-1),
                self.rover.gap(here).min(-1))
        here = (middles[:, b:] - places[:, None]) * turns.conj()
        out[:, b:-4] = self.rover.gap(here) - self.radii
        out[:, -4], out[:, -2] = (self.half_m - mine.real.max(1), self.half_m + mine.real.min(1))
        out[:, -3], out[:, -1] = (self.half_m - mine.imag.max(1), self.half_m + mine.imag.min(1))
        return out

    def rays(self, origin: complex, angles: np.ndarray, time_s: float
             ) -> tuple[np.ndarray, np.ndarray]:
        """Return the true ranges (R,) m along angles (R,) of the room, and what each meets."""
        beams = np.exp(1j * angles)
        middles, b = self.where(time_s)[0], self.boxes
        ranges = np.full((self.places.size + 4, angles.size), np.inf)
        with np.errstate(divide='ignore', invalid='ignore'):
            if b:
                start = ((origin - middles[:b]) * self.turns.conj())[:, None]
                way = beams * self.turns.conj()[:, None]
                one, two = ((sign * self.halves[:, :1] - start.real) / way.real
                            for sign in (-1, 1))
                three, four = ((sign * self.halves[:, 1:] - start.imag) / way.imag
                               for sign in (-1, 1))
                enter = np.maximum(np.minimum(one, two), np.minimum(three, four))
                leave = np.minimum(np.maximum(one, two), np.maximum(three, four))
                ranges[:b] = np.where((enter <= leave) & (enter > 0), enter, np.inf)
            away = (middles[b:] - origin)[:, None] * beams.conj()       # along the beam, beside it
            root = self.radii[:, None]**2 - away.imag**2
            near = away.real - np.sqrt(root)
            ranges[b:-4] = np.where((root >= 0) & (near > 0), near, np.inf)
            sides = ((self.half_m - origin.real) / beams.real,
                     (self.half_m - origin.imag) / beams.imag,
                     (-self.half_m - origin.real) / beams.real,
                     (-self.half_m - origin.imag) / beams.imag)
            for row, side in zip(ranges[-4:], sides, strict=True):
                row[:] = np.where(side > 0, side, np.inf)
        who = ranges.argmin(0)
        return ranges[who, np.arange(angles.size)], who

    def dots_at(self, time_s: float) -> np.ndarray:
        """Return dots on all outlines, complex, of the room."""
        if not any(self.moving):
            return self.dots
        gone = np.concatenate([self.where(time_s)[0] - self.places, np.zeros(len(WALLS))])
        return self.dots + gone[self.of]


def outside(points: np.ndarray, half_x, half_y) -> np.ndarray:
    """Return the distance of points to a box around the origin; below 0 inside."""
    x, y = np.abs(points.real) - half_x, np.abs(points.imag) - half_y
    return np.hypot(np.maximum(x, 0), np.maximum(y, 0)) + np.minimum(np.maximum(x, y), 0)


def outlines(pieces: list[Piece], half_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return dots along all outlines, complex, and of which piece or wall each is."""
    def polygon(corners: list[complex]) -> np.ndarray:
        ends = corners[1:] + corners[:1]
        return np.concatenate([np.linspace(a, b, max(2, int(abs(b - a) / DOT_M)))
                               for a, b in zip(corners, ends, strict=True)])
    found = []
    for piece in pieces:
        middle = complex(piece.x_m, piece.y_m)
        if piece.shape == 'cylinder':
            n = max(8, int(2 * math.pi * piece.half[0] / DOT_M))
            found.append(middle + piece.half[0] * np.exp(2j * np.pi * np.arange(n) / n))
        else:
            x, y = piece.half
            turn = complex(math.cos(piece.yaw_rad), math.sin(piece.yaw_rad))
            found.append(polygon([middle + turn * complex(a * x, b * y)
                                  for a, b in ((1, 1), (-1, 1), (-1, -1), (1, -1))]))
    n = int(SIZE_M / DOT_M)
    along = np.linspace(-half_m, half_m, n)
    found += [half_m + 1j * along, along + 1j * half_m, -half_m + 1j * along, along - 1j * half_m]
    return np.concatenate(found), np.concatenate([np.full(len(f), i)
                                                  for i, f in enumerate(found)])
