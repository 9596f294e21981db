# SPDX-License-Identifier: Apache-2.0
"""How long the way still is: seconds from every place to the goal, around what is not free.

The map is the module's own: cells where the robot has driven while it learned, in the learned
frame. What it runs into later is remembered for a while and driven around.
"""

import numpy as np

from ami_ros.agent.poses import wrap

# One move a heading, in cells: sixteen directions that a square grid has.
MOVES = np.array([(1, 0), (2, 1), (1, 1), (1, 2), (0, 1), (-1, 2), (-1, 1), (-2, 1),
                  (-1, 0), (-2, -1), (-1, -1), (-1, -2), (0, -1), (1, -2), (1, -1), (2, -1)])
HEADINGS = np.arctan2(MOVES[:, 1], MOVES[:, 0])
STRAIGHT_M = np.hypot(MOVES[:, 0], MOVES[:, 1])
FAR_S = 60.0


class Map:
    """Which cells are free, and how dear the others are.

    cost is (X, Y) float32: 1 where driving is free, more where it is not; cell (i, j) is
    centred on origin + cell_m * (i, j), metres in the learned frame.
    """

    def __init__(self, cost: np.ndarray, origin: np.ndarray, cell_m: float):
        self.cost = np.asarray(cost, np.float32)
        self.origin, self.cell_m = np.asarray(origin, float), float(cell_m)

    def cells(self, places: np.ndarray) -> np.ndarray:
        """Fractional cell (..., 2) of places (..., 2 or 3)."""
        return (places[..., :2] - self.origin) / self.cell_m


def shifted(table: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Value at (i + dx, j + dy), FAR_S beyond the edge."""
    out = np.full_like(table, FAR_S)
    x, y = table.shape
    out[max(0, -dx):x - max(0, dx), max(0, -dy):y - max(0, dy)] = \
        table[max(0, dx):x - max(0, -dx), max(0, dy):y - max(0, -dy)]
    return out


class Way:
    """Seconds to the goal, (16, X, Y), by value iteration over drive, back up and turn."""

    def __init__(self, ground: Map, goal: np.ndarray, limits: tuple[float, float],
                 reverse: float = 2.0):
        self.ground, self.goal, self.limits = ground, np.asarray(goal, float), limits
        self.table = self._solve(reverse)

    def _solve(self, reverse: float) -> np.ndarray:
        """Relax until nothing changes. A cell's cost multiplies the time to enter it."""
        ground, (v, w) = self.ground, self.limits
        shape = ground.cost.shape
        table = np.full((16, *shape), FAR_S, np.float32)
        x, y = np.clip(np.round(ground.cells(self.goal)).astype(int), 0, np.array(shape) - 1)
        table[:, x, y] = np.abs(wrap(HEADINGS - self.goal[2])) / w
        step_s = STRAIGHT_M * ground.cell_m / v
        turn_s = [abs(wrap(HEADINGS[h] - HEADINGS[h - 1])) / w for h in range(16)]
        for _ in range(400):
            before = table.copy()
            for h, (dx, dy) in enumerate(MOVES):
                ahead = shifted(table[h], dx, dy) + step_s[h] * ground.cost
                back = shifted(table[h], -dx, -dy) + reverse * step_s[h] * ground.cost
                table[h] = np.minimum(table[h], np.minimum(ahead, back))
            for h in list(range(16)) * 2:
                np.minimum(table[h], table[h - 1] + turn_s[h], out=table[h])
            for h in list(range(15, -1, -1)) * 2:
                np.minimum(table[h - 1], table[h] + turn_s[h], out=table[h - 1])
            if np.max(before - table) < 1e-3:
                break
        return table

    def seconds(self, places: np.ndarray) -> np.ndarray:
        """Time to go (...,) from places (..., 3), smooth between cells and headings."""
        cell = self.ground.cells(places)
        top = np.array(self.ground.cost.shape) - 1.001
        inside = np.clip(cell, 0, top)
        outside = np.abs(cell - inside).sum(-1) * self.ground.cell_m
        low = inside.astype(int)
        part = inside - low
        turn = (places[..., 2] % (2 * np.pi))
        order = HEADINGS_UP
        h = np.searchsorted(order, turn, 'right') - 1
        span = (ORDER_NEXT[h] - order[h])
        share = (turn - order[h]) / span
        out = 0.0
        for dh, wh in ((0, 1 - share), (1, share)):
            heading = (h + dh) % 16
            for dx, wx in ((0, 1 - part[..., 0]), (1, part[..., 0])):
                for dy, wy in ((0, 1 - part[..., 1]), (1, part[..., 1])):
                    out = out + wh * wx * wy * self.table[heading, low[..., 0] + dx,
                                                          low[..., 1] + dy]
        return out + 10 * outside

    def cost(self, places: np.ndarray) -> np.ndarray:
        """Seconds to go, replaced near the goal by what the cells are too coarse for."""
        d = np.hypot(places[..., 0] - self.goal[0], places[..., 1] - self.goal[1])
        turn = np.abs(wrap(places[..., 2] - self.goal[2]))
        near = d / self.limits[0] + turn / self.limits[1]
        blend = np.clip((d - 0.25) / 0.25, 0.0, 1.0)
        return np.where(d < 0.5, blend * self.seconds(places) + (1 - blend) * near,
                        self.seconds(places))


# MOVES run counter-clockwise from heading 0, so that this is in order
HEADINGS_UP = HEADINGS % (2 * np.pi)
ORDER_NEXT = np.append(HEADINGS_UP[1:], 2 * np.pi)
