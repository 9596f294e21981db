# SPDX-License-Identifier: Apache-2.0
"""Sweeps a footprint along a constant-twist arc and finds where it first meets a point.

A point is a complex number, x + iy metres in base_link: turning is then a multiplication.
"""

from dataclasses import dataclass

import numpy as np

# a sampled sweep overlooks a dip of at most half of this per unit of relative speed
STEP_M = 0.004
# so many steps at once are tried first
COARSE = 8
# what may be lost to rounding; too little for many motions to add up to anything
ROUNDING_M = 1e-6
ASKED: list = [(None, None, None)]      # points, box, gaps: what was asked for last


@dataclass(frozen=True)
class Box:
    """The rectangle around a footprint, in base_link."""

    centre: complex
    half_length_m: float
    half_width_m: float
    radius_m: float     # of the circle around base_link that holds it

    @classmethod
    def around(cls, footprint: np.ndarray) -> 'Box':
        """Make the box of (P, 2) corners; it holds a footprint of any shape."""
        low, high = np.min(footprint, axis=0), np.max(footprint, axis=0)
        (cx, cy), (length, width) = (low + high) / 2, (high - low) / 2
        return cls(complex(cx, cy), float(length), float(width),
                   float(np.hypot(abs(cx) + length, abs(cy) + width)))

    def gap(self, points: np.ndarray) -> np.ndarray:
        """Return the distance of each point in metres; negative inside."""
        seen = points - self.centre
        x = np.abs(seen.real) - self.half_length_m
        y = np.abs(seen.imag) - self.half_width_m
        outside = np.hypot(np.maximum(x, 0.0), np.maximum(y, 0.0))
        return outside + np.minimum(np.maximum(x, y), 0.0)


def seen_after(points: np.ndarray, along_m, turned_rad) -> np.ndarray:
    """Return where standing points are in base_link once it has moved along an arc.

    `along_m` and `turned_rad` are numbers, or arrays that broadcast with the points.
    """
    half = np.asarray(turned_rad) / 2
    moved = along_m * np.sinc(half / np.pi) * np.exp(1j * half)     # sinc: also straight ahead
    return (points - moved) * np.exp(-2j * half)


def pace(v: float, w: float, box: Box) -> float:
    """Return one speed in m/s for a twist: of base_link, or of the farthest corner turning."""
    return max(abs(v), abs(w) * box.radius_m)


def gap_at_rest(points: np.ndarray, box: Box) -> np.ndarray:
    """Return box.gap(points); several rules ask for it of the very same array, one by one."""
    known = ASKED[0]
    if known[0] is not points or known[1] != box:
        known = ASKED[0] = points, box, box.gap(points)
    return known[2]


def first_contact(points: np.ndarray, box: Box, v: float, w: float,
                  reach_m: float, side_m: float, step_m: float = STEP_M) -> float:
    """Return after how many metres (of `pace`) a point comes closer than `side_m`, or inf.

    Where the box is closer than that already, down to half of it, it may go on as close: it can
    leave along a wall. A point closer still may not come closer at all. So a motion that makes
    nothing worse meets nothing, whatever is near. `step_m` is how finely the arc is sampled.
    """
    speed = pace(v, w, box)
    if not points.size or speed == 0.0:
        return np.inf
    start = gap_at_rest(points, box)
    closest = np.minimum(start, np.clip(start.min(), side_m / 2, side_m)) - ROUNDING_M
    # a point circles the centre of the arc, its speed in base_link stays what it is now
    rate = np.abs(v + 1j * w * points) / speed
    near = start - rate * (reach_m + step_m) < closest
    if not near.any():
        return np.inf
    points, closest, rate = points[near, None], closest[near, None], rate[near, None]
    travel = np.arange(0.0, reach_m + step_m, step_m)
    if travel.size > 2 * COARSE:    # most points are not met, which a few steps show as well
        rough = travel[::COARSE]
        gaps = box.gap(seen_after(points, rough * (v / speed), rough * (w / speed)))
        near = (gaps - rate * (COARSE * step_m) < closest).any(axis=1)
        if not near.any():
            return np.inf
        points, closest = points[near], closest[near]
    gaps = box.gap(seen_after(points, travel * (v / speed), travel * (w / speed)))
    met = gaps < closest
    if not met.any():
        return np.inf
    step = int(met.any(axis=0).argmax())        # at least 1: at the start nothing is closer
    who = met[:, step]
    before, after, closest = gaps[who, step - 1], gaps[who, step], closest[who, 0]
    return float(travel[step - 1] + step_m * np.min((before - closest) / (before - after)))
