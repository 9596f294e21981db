# SPDX-License-Identifier: Apache-2.0
"""Computes once what several rules ask of a scan, and of the directions of its beams.

Directions rarely change. Arrays and scans are known by identity. Whoever reads messages gives the
same array for the same beams, and nobody writes into it, nor into a scan; another array with the
same directions is computed anew.
"""

from functools import cached_property
import math

import numpy as np

from ami_ros.core.types import Scan

TURN_RAD = 2 * math.pi
KEPT = 8                # arrays, and scans; there are few lidars


class Directions:
    """What rules ask of the directions of the beams of a scan, (R,) rad, in its own axes."""

    def __init__(self, angles: np.ndarray):
        self.angles = np.asarray(angles)
        self.units: dict[float, np.ndarray] = {}

    def unit(self, yaw: float) -> np.ndarray:
        """Return (R,) complex directions in base_link, where the sensor is turned by yaw."""
        if yaw not in self.units:
            self.units.clear()          # a sensor has one mount
            self.units[yaw] = np.exp(1j * (self.angles + yaw))
        return self.units[yaw]

    @cached_property
    def finite(self) -> np.ndarray:
        """Tell which are directions, (R,) bool."""
        return np.isfinite(self.angles)

    @cached_property
    def around(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the order of the beams by direction from 0 to 2 pi, and the directions so."""
        return ordered(np.mod(self.angles, TURN_RAD))

    @cached_property
    def centred(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the same from -pi to pi."""
        return ordered(np.mod(self.angles + math.pi, TURN_RAD) - math.pi)


def ordered(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an order and the sorted values; what is no number comes last."""
    order = np.argsort(angles)
    return order, angles[order]


class Hits:
    """What the beams of a scan say: `valid` (R,) bool, and the indices `beams` of those that hit.

    No return within the range is +inf and valid; NaN is not.
    """

    def __init__(self, scan: Scan):
        self.scan = scan
        ranges, self.directions = np.asarray(scan.ranges), directions(scan.angles)
        self.valid = (ranges > 0) & self.directions.finite
        self.beams = np.flatnonzero(self.valid & (ranges < math.inf))

    @cached_property
    def count(self) -> int:
        """Return how many beams are valid."""
        return int(np.count_nonzero(self.valid))

    @cached_property
    def points(self) -> np.ndarray:
        """Return what `beams` hit, (N,) complex x + iy m, base_link at the time of the scan."""
        x, y, yaw = self.scan.mount
        unit = self.directions.unit(yaw)
        return complex(x, y) + self.scan.ranges[self.beams] * unit[self.beams]


known: list[Directions] = []
known_hits: list[Hits] = []


def directions(angles: np.ndarray) -> Directions:
    """Return the Directions of an array, the same for the same array."""
    for one in known:
        if one.angles is angles:
            return one
    made = Directions(angles)
    known.insert(0, made)
    del known[KEPT:]
    return made


def hits(scan: Scan) -> Hits:
    """Return the Hits of a scan, the same for the same scan."""
    for one in known_hits:
        if one.scan is scan:
            return one
    made = Hits(scan)
    known_hits.insert(0, made)
    del known_hits[KEPT:]
    return made
