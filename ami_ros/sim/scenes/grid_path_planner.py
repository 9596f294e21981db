# SPDX-License-Identifier: Apache-2.0
"""Free ground of a scene as a grid, and shortest ways through it. Knows the plan; a robot may not.

For scripted drivers, for the lengths of legs, and for tests of what can be reached.
"""

import heapq
import math

import numpy as np

from ami_ros.sim.scenes.scene import Scene

CELL_M = 0.15
WIDE_M = 0.5            # nearer to an obstacle than this a way costs more
NARROW = 2.0            # how much more, per metre of missing distance
STEPS = [(dx, dy, math.hypot(dx, dy)) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]


class Grid:
    """Cells whose middle is at least clear_m from every obstacle."""

    def __init__(self, scene: Scene, clear_m: float, cell_m: float = CELL_M):
        x0, y0, x1, y1 = scene.bounds
        self.cell_m, self.low = cell_m, np.array([x0, y0])
        self.shape = (math.ceil((x1 - x0) / cell_m) + 1, math.ceil((y1 - y0) / cell_m) + 1)
        cells = np.stack(np.meshgrid(*(np.arange(n) for n in self.shape), indexing='ij'), -1)
        self.away = scene.distance(self.point(cells))
        self.free = self.away >= clear_m
        cost = 1 + NARROW * np.maximum(0, WIDE_M - self.away)
        self.cost = np.where(self.free, cost, np.inf)

    def point(self, cell) -> np.ndarray:
        """Middle (..., 2) of cells (..., 2)."""
        return self.low + np.asarray(cell) * self.cell_m

    def cell(self, point) -> tuple[int, int]:
        """The cell that holds a point; outside of the plan the nearest."""
        at = np.rint((np.asarray(point)[:2] - self.low) / self.cell_m).astype(int)
        x, y = np.clip(at, 0, np.array(self.shape) - 1)
        return int(x), int(y)

    def near(self, point) -> tuple[int, int] | None:
        """The nearest free cell; None where nothing is free."""
        cells = np.argwhere(self.free)
        if not len(cells):
            return None
        away = np.linalg.norm(self.point(cells) - np.asarray(point)[:2], axis=1)
        x, y = cells[away.argmin()]
        return int(x), int(y)

    def path(self, start, goal) -> np.ndarray | None:
        """Shortest way (P, 2) between two points by A*, preferring wide ones; None: no way."""
        first, last = self.near(start), self.near(goal)
        if first is None or last is None:
            return None
        best, closed = {first: 0.0}, set()
        parent: dict[tuple[int, int], tuple[int, int]] = {}
        heap = [(0.0, first)]
        cost, (w, h) = self.cost, self.shape
        while heap:
            _, at = heapq.heappop(heap)
            if at == last:
                return self.point(self._back(parent, last))
            if at in closed:
                continue
            closed.add(at)
            x, y = at
            for dx, dy, length in STEPS:
                other = x + dx, y + dy
                if not (0 <= other[0] < w and 0 <= other[1] < h) or other in closed:
                    continue
                total = best[at] + length * cost[other]
                if total < best.get(other, math.inf):
                    best[other], parent[other] = total, at
                    ahead = math.hypot(other[0] - last[0], other[1] - last[1])
                    heapq.heappush(heap, (total + ahead, other))
        return None

    @staticmethod
    def _back(parent: dict, cell) -> list:
        out = [cell]
        while cell in parent:
            cell = parent[cell]
            out.append(cell)
        return out[::-1]

    def reached(self, start) -> np.ndarray:
        """Which cells (W, H) bool can be reached from a point."""
        out = np.zeros(self.shape, bool)
        first = self.near(start)
        if first is None:
            return out
        out[first] = True
        stack = [first]
        while stack:
            x, y = stack.pop()
            for dx, dy, _ in STEPS:
                other = x + dx, y + dy
                if 0 <= other[0] < self.shape[0] and 0 <= other[1] < self.shape[1] \
                        and self.free[other] and not out[other]:
                    out[other] = True
                    stack.append(other)
        return out


def length_m(path: np.ndarray) -> float:
    """Length of a way (P, 2)."""
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())
