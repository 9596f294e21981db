# SPDX-License-Identifier: Apache-2.0
"""Sweeps a footprint along a constant-twist arc and finds where it first meets a point.

A point is a complex number, x + iy metres in base_link: turning is then a multiplication.
"""

from dataclasses import dataclass
import math

import numpy as np

# a sampled sweep overlooks a dip of at most half of this per unit of relative speed
STEP_M = 0.004
# so many steps at once are tried first
COARSE = 8
# what may be lost to rounding; too little for many motions to add up to anything
ROUNDING_M = 1e-6
TINY_RAD = 1e-20        # instead of 0 as a divisor: sin(x) / x is 1 there
ASKED: list = [(None, None, None)]      # points, box, lower bounds: what was asked for last


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

    def beyond(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far each point is beyond the sides across and along, in metres."""
        seen = points - self.centre
        return np.abs(seen.real) - self.half_length_m, np.abs(seen.imag) - self.half_width_m

    def gap(self, points: np.ndarray) -> np.ndarray:
        """Return the distance of each point in metres; negative inside."""
        x, y = self.beyond(points)
        outside = np.hypot(np.maximum(x, 0.0), np.maximum(y, 0.0))
        return outside + np.minimum(np.maximum(x, y), 0.0)


def arc(along_m, turned_rad) -> tuple:
    """Return the end of an arc and the turn on it, complex; of two numbers or of two arrays.

    The chord is sin(half) / half of the length, which also holds straight ahead.
    """
    half = turned_rad / 2
    chord: float | np.ndarray
    if isinstance(half, float):     # numpy takes many times as long for a single number
        turn = complex(math.cos(half), math.sin(half))
        chord = math.sin(half) / half if half else 1.0
    else:
        turn = np.exp(1j * half)
        some = np.where(half, half, TINY_RAD)
        chord = np.sin(some) / some
    return along_m * chord * turn, turn * turn


def seen_after(points: np.ndarray, along_m, turned_rad) -> np.ndarray:
    """Return where standing points are in base_link once it has moved along an arc.

    `along_m` and `turned_rad` are numbers, or arrays that broadcast with the points.
    """
    moved, turn = arc(along_m, turned_rad)
    return (points - moved) * turn.conjugate()


def pace(v: float, w: float, box: Box) -> float:
    """Return one speed in m/s for a twist: of base_link, or of the farthest corner turning."""
    return max(abs(v), abs(w) * box.radius_m)


def gap_at_least(points: np.ndarray, box: Box) -> np.ndarray:
    """Return lower bounds of box.gap(points); several rules ask of the very same array."""
    known = ASKED[0]
    if known[0] is not points or known[1] != box:
        known = ASKED[0] = points, box, np.maximum(*box.beyond(points))
    return known[2]


def first_contact(points: np.ndarray, box: Box, v: float, w: float,
                  reach_m: float, side_m: float, step_m: float = STEP_M) -> float:
    """Return after how many metres (of `pace`) a point comes closer than `side_m`, or inf.

    Where the box is closer than that already, down to half of it, it may go on as close: it can
    leave along a wall. A point closer still may not come closer at all. So a motion that makes
    nothing worse meets nothing, whatever is near. `step_m` is how finely the arc is sampled.
    """
    speed = pace(v, w, box)
    if speed == 0.0:
        return np.inf
    # A point moves at |v| + |w| * its distance from base_link at most, and that distance is at
    # most radius_m + its gap. Most points are too far away to come within side_m.
    most = (reach_m + step_m) / speed
    near = np.flatnonzero(gap_at_least(points, box) * (1 - most * abs(w))
                          < side_m + most * (abs(v) + abs(w) * box.radius_m))
    if not near.size:
        return np.inf
    points = points[near]
    start = box.gap(points)
    closest = np.minimum(start, min(max(float(start.min()), side_m / 2), side_m)) - ROUNDING_M
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
