# SPDX-License-Identifier: Apache-2.0
"""Remembers the scans of the last second, and where odometry says that each was taken."""

from collections import deque
import math

import numpy as np

from ami_ros.core.types import Odometry, Scan, Sighting

REMEMBERED_S = 1.0
EVERY_S = 0.04              # a quicker lidar is remembered as often as this
MOST_AHEAD_S = 0.2          # a place is told no further ahead of odometry than this


class ScanHistory:
    """Notes each scan with its place; forgets all where odometry leaps."""

    def __init__(self):
        self.seen: dict[str, deque[Sighting]] = {}      # by sensor, the newest first
        self.odometry: Odometry | None = None

    def on_odometry(self, odometry: Odometry, goes_on: bool) -> None:
        """Know where the robot is; not `goes_on`: it cannot have come there."""
        known = np.isfinite(odometry.pose).all() and np.isfinite(odometry.twist).all()
        if not (goes_on and known):
            self.seen.clear()
        self.odometry = odometry if known else None

    def on_scan(self, scan: Scan) -> None:
        """Note it, if it can be said from where it was taken."""
        past = self.seen[scan.name] = deque(self.seen.get(scan.name, ()))   # a tuple, restored
        if self.odometry is None or past and scan.stamp_ns < past[0].scan.stamp_ns:
            past.clear()        # a clock that jumped back; or it is not known where that was
            return
        if past and scan.stamp_ns == past[0].scan.stamp_ns:     # sent twice: no time passed
            return
        if len(past) > 1 and past[0].scan.stamp_ns - past[1].scan.stamp_ns < EVERY_S * 1e9:
            past.popleft()      # too soon after the one before it to be kept
        told = self.odometry
        passed = (scan.stamp_ns - told.stamp_ns) / 1e9
        passed = min(max(passed, -MOST_AHEAD_S), MOST_AHEAD_S)
        (x, y, yaw), (v, w) = map(float, told.pose), map(float, told.twist)
        middle = yaw + w * passed / 2
        past.appendleft(Sighting(scan, (x + v * passed * math.cos(middle),
                                        y + v * passed * math.sin(middle), yaw + w * passed)))
        while past[-1].scan.stamp_ns < scan.stamp_ns - REMEMBERED_S * 1e9:
            past.pop()

    def look(self) -> tuple[tuple[Sighting, ...], ...]:
        """Return those of each sensor, the newest first."""
        return tuple(tuple(past) for past in self.seen.values() if past)
