# SPDX-License-Identifier: Apache-2.0
"""Measures a way against a flat wall ahead: the lidar is the tape."""

from dataclasses import dataclass
import math

import numpy as np

from ami_ros.operator.calibration.measurement import Unclear

AHEAD_RAD = math.radians(25)    # beams this far to either side are looked at
FEWEST = 7                      # of them on the wall
ON_IT_M = 0.04                  # so near to the line a point is of the wall
MOST_OFF_M = 0.025              # root mean square of a flat wall; a lidar's noise is below
SHARE = 0.5                     # of the beams ahead that must be on the wall
SLANT_RAD = math.radians(35)    # a wall more aslant tells a way badly


@dataclass(frozen=True)
class Wall:
    """A straight line in base_link: points p with cos(slant) x + sin(slant) y = distance."""

    distance_m: float       # from base_link, along the wall's normal
    slant_rad: float        # of the normal against straight ahead
    off_m: float            # root mean square of its points

    def ahead_m(self) -> float:
        """Return the way to it, straight ahead."""
        return self.distance_m / math.cos(self.slant_rad)


def wall(points: np.ndarray) -> Wall:
    """Find the wall ahead among (N, 2) points, base_link; Unclear where none is flat enough.

    The line that most points agree with, then least squares over those.
    """
    points = np.asarray(points, float).reshape(-1, 2)
    x, y = points[np.isfinite(points).all(1)].T
    inside = (x > 0) & (np.abs(np.arctan2(y, x)) <= AHEAD_RAD)
    x, y = x[inside], y[inside]
    if len(x) < FEWEST:
        raise Unclear(f'{len(x)} beams hit something within {math.degrees(AHEAD_RAD):.0f} degrees '
                      f'of straight ahead, {FEWEST} are needed; face a flat wall within range')
    i, j = np.triu_indices(len(x), 1)
    dx, dy = x[j] - x[i], y[j] - y[i]
    long = np.hypot(dx, dy)
    i, dx, dy, long = (a[long > 0.1] for a in (i, dx, dy, long))
    if not len(i):
        raise Unclear('what is ahead is smaller than 0.1 m; face a flat wall')
    off = np.abs((x - x[i, None]) * dy[:, None] - (y - y[i, None]) * dx[:, None]) / long[:, None]
    on = off[np.argmax((off < ON_IT_M).sum(1))] < ON_IT_M
    for _ in range(3):
        middle = np.array([x[on].mean(), y[on].mean()])
        spread = np.cov(np.stack([x[on], y[on]]))
        normal = np.linalg.eigh(spread)[1][:, 0]
        normal = normal if normal @ middle > 0 else -normal
        rest = np.stack([x, y], 1) @ normal - normal @ middle
        on = np.abs(rest) < ON_IT_M
    slant, off_m = math.atan2(normal[1], normal[0]), float(np.sqrt(np.mean(rest[on]**2)))
    if np.count_nonzero(on) < max(FEWEST, SHARE * len(x)) or off_m > MOST_OFF_M:
        raise Unclear(f'{np.count_nonzero(on)} of {len(x)} beams ahead agree on a wall, to '
                      f'{100 * off_m:.1f} cm; face one flat wall with nothing before it')
    if abs(slant) > SLANT_RAD:
        raise Unclear(f'the wall ahead is {math.degrees(slant):.0f} degrees aslant, '
                      f'{math.degrees(SLANT_RAD):.0f} at most tell a way; face it squarely')
    return Wall(float(normal @ middle), slant, off_m)


def approached(before: Wall, after: Wall, odometry: np.ndarray) -> tuple[float, float]:
    """Return the way towards the wall, m: by the wall, and by odometry.

    odometry (3,) is the pose after as seen from the pose before. Both are taken along the wall's
    normal as it was before, so that a path that bends a little measures the same.
    """
    real = before.distance_m - after.distance_m
    told = odometry[0] * math.cos(before.slant_rad) + odometry[1] * math.sin(before.slant_rad)
    return real, float(told)
