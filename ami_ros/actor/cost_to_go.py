# SPDX-License-Identifier: Apache-2.0
"""How long the way still is: seconds from every place to the goal, around what is not free.

The map is the module's own: cells where the robot has driven while it learned, in the learned
frame. It does not change: what stands in the way later is for the critic, and for the actor's
memory of what was refused.
"""

import numpy as np

from ami_ros.core.geometry import wrap

# One move a heading, in cells: sixteen directions that a square grid has.
MOVES = np.array([(1, 0), (2, 1), (1, 1), (1, 2), (0, 1), (-1, 2), (-1, 1), (-2, 1),
                  (-1, 0), (-2, -1), (-1, -1), (-1, -2), (0, -1), (1, -2), (1, -1), (2, -1)])
HEADINGS = np.arctan2(MOVES[:, 1], MOVES[:, 0])
STRAIGHT_M = np.hypot(MOVES[:, 0], MOVES[:, 1])
FAR_S = 600.0


class Map:
    """Which cells are free, and how dear the others are.

    cost is (X, Y) float32: 1 where driving is free, more where it is not; cell (i, j) is
    centred on origin + cell_m * (i, j), metres in the learned frame.
    """

    def __init__(self, cost: np.ndarray, origin: np.ndarray, cell_m: float):
        self.cost = np.asarray(cost, np.float32)
        self.origin, self.cell_m = np.asarray(origin, float), float(cell_m)
        self._flat, self._top = self.cost.ravel(), np.array([*self.cost.shape])[:, None] - 1.001
        self._corners = np.array([dx * self.cost.shape[1] + dy for dx in (0, 1)
                                  for dy in (0, 1)])[:, None]      # low and high, y the quicker

    def dear(self, places: np.ndarray) -> np.ndarray:
        """How much dearer than free ground (...,) places (..., 2 or 3) are, between cells too."""
        cell = np.clip(self.cells(places.reshape(-1, places.shape[-1])).T, 0, self._top)
        low = cell.astype(np.intp)
        x_part, y_part = cell - low
        four = self._flat.take(low[0] * self.cost.shape[1] + low[1] + self._corners)
        two = four[0::2] + y_part * (four[1::2] - four[0::2])
        return (two[0] + x_part * (two[1] - two[0]) - 1.0).reshape(places.shape[:-1])

    def cells(self, places: np.ndarray) -> np.ndarray:
        """Fractional cell (..., 2) of places (..., 2 or 3)."""
        return (places[..., :2] - self.origin) / self.cell_m


class Way:
    """Seconds to the goal, (17, X, Y), by value iteration over drive, back up and turn."""

    def __init__(self, ground: Map, goal: np.ndarray, limits: tuple[float, float],
                 reverse: float = 2.0):
        self.ground, self.goal, self.limits = ground, np.asarray(goal, float), limits
        self.table = self._solve(reverse)
        x_cells, y_cells = ground.cost.shape
        self._flat, self._top = self.table.ravel(), np.array([[x_cells], [y_cells]]) - 1.001
        self._corners = np.array([(dh * x_cells + dx) * y_cells + dy for dh in (0, 1)
                                  for dx in (0, 1) for dy in (0, 1)])[:, None]

    def _solve(self, reverse: float) -> np.ndarray:
        """Relax until nothing changes. A cell's cost multiplies the time to leave it."""
        ground, (v, w) = self.ground, self.limits
        x_cells, y_cells = ground.cost.shape
        # A rim two cells wide, as far as a move goes, that nobody can enter: with it a move is a
        # shift of the flat table, many times quicker than one of its rows.
        wide = y_cells + 4
        cost = np.full((x_cells + 4, wide), np.inf, np.float32)
        cost[2:-2, 2:-2] = ground.cost
        rim = np.full((16, *cost.shape), FAR_S, np.float32)
        flat, table = rim.reshape(16, -1), rim[:, 2:-2, 2:-2]
        x, y = np.clip(np.round(ground.cells(self.goal)).astype(int), 0,
                       np.array(ground.cost.shape) - 1)
        table[:, x, y] = np.abs(wrap(HEADINGS - self.goal[2])) / w
        low, high = 2 * wide + 2, flat.shape[1] - 2 * wide - 2
        moves = []
        for h, shift in enumerate(MOVES[:, 0] * wide + MOVES[:, 1]):
            step_s = np.float32(STRAIGHT_M[h] * ground.cell_m / v) * cost.ravel()[low:high]
            moves.append((flat[h, low:high], flat[h, low + shift:high + shift], step_s,
                          flat[h, low - shift:high - shift], np.float32(reverse) * step_s))
        turn_s = [np.float32(abs(wrap(HEADINGS[h] - HEADINGS[h - 1])) / w) for h in range(16)]
        turns = [(flat[h], flat[h - 1], turn_s[h]) for h in list(range(16)) * 2]
        turns += [(flat[h - 1], flat[h], turn_s[h]) for h in list(range(15, -1, -1)) * 2]
        turned = np.empty_like(flat[0])
        one, other = np.empty_like(step_s), np.empty_like(step_s)
        for _ in range(400):
            before = flat.copy()
            for here, ahead, ahead_s, back, back_s in moves:
                np.add(ahead, ahead_s, out=one)
                np.add(back, back_s, out=other)
                np.minimum(one, other, out=one)
                np.minimum(here, one, out=here)
            for here, there, seconds in turns:
                np.add(there, seconds, out=turned)
                np.minimum(here, turned, out=here)
            if np.max(before - flat) < 1e-3:
                break
        return np.concatenate([table, table[:1]])       # once around, for between the last two

    def seconds(self, places: np.ndarray) -> np.ndarray:
        """Time to go (...,) from places (..., 3), smooth between cells and headings."""
        flat = places.reshape(-1, 3)
        cell = self.ground.cells(flat).T
        inside = np.clip(cell, 0, self._top)
        low = inside.astype(np.intp)
        turn = flat[:, 2] % (2 * np.pi)
        h = np.searchsorted(HEADINGS_UP, turn, 'right') - 1
        x_part, y_part = inside - low
        turn_part = (turn - HEADINGS_UP[h]) / SPANS[h]
        x_cells, y_cells = self.ground.cost.shape
        corner = (h * x_cells + low[0]) * y_cells + low[1]
        eight = self._flat.take(corner + self._corners)     # (8, M): heading, x, y, each low, high
        four = eight[0::2] + y_part * (eight[1::2] - eight[0::2])
        two = four[0::2] + x_part * (four[1::2] - four[0::2])
        out = two[0] + turn_part * (two[1] - two[0])
        outside = np.abs(cell - inside).sum(0) * self.ground.cell_m
        return (out + 10 * outside).reshape(places.shape[:-1])

    def cost(self, places: np.ndarray) -> np.ndarray:
        """Seconds to go, replaced near the goal by what the cells are too coarse for."""
        seconds = self.seconds(places)
        d = np.hypot(places[..., 0] - self.goal[0], places[..., 1] - self.goal[1])
        close = d < 0.5
        if close.any():
            d = d[close]
            blend = np.clip((d - 0.25) / 0.25, 0.0, 1.0)
            seconds[close] = (blend * seconds[close]
                              + (1 - blend) * self.near(places[close], d))
        return seconds

    def near(self, places: np.ndarray, d: np.ndarray) -> np.ndarray:
        """Seconds to turn towards the goal, drive (or back up) d metres and turn to its heading.

        Within a hand's breadth only the heading is left: a goal beside the robot must look as
        far as it is for a base that cannot drive sideways, or it would rest there for ever.
        """
        v, w = self.limits
        bearing = np.arctan2(self.goal[1] - places[..., 1], self.goal[0] - places[..., 0])
        straight = np.abs(wrap(places[..., 2] - self.goal[2]))
        first, last = np.abs(wrap(bearing - places[..., 2])), np.abs(wrap(self.goal[2] - bearing))
        ahead = (first + last) / w + d / v
        back = (2 * np.pi - first - last) / w + 2 * d / v
        off = np.clip((d - 0.08) / 0.10, 0.0, 1.0)
        return off * np.minimum(ahead, back) + (1 - off) * (straight / w + d / v)


# MOVES run counter-clockwise from heading 0, so that this is in order
HEADINGS_UP = HEADINGS % (2 * np.pi)
SPANS = np.diff(HEADINGS_UP, append=2 * np.pi)
