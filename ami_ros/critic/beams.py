# SPDX-License-Identifier: Apache-2.0
"""Computes once what follows from the directions of a lidar's beams: they rarely change.

Arrays are known by identity. Whoever reads messages gives the same array for the same beams, and
nobody writes into it; another array with the same directions is computed anew.
"""

from functools import cached_property
import math

import numpy as np

TURN_RAD = 2 * math.pi
KEPT = 8                # arrays; there are few lidars


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


known: list[Directions] = []


def directions(angles: np.ndarray) -> Directions:
    """Return the Directions of an array, the same for the same array."""
    for one in known:
        if one.angles is angles:
            return one
    made = Directions(angles)
    known.insert(0, made)
    del known[KEPT:]
    return made
