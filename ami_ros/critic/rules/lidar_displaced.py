# SPDX-License-Identifier: Apache-2.0
"""Stops, until somebody resets it, when a lidar sees everything elsewhere at once."""

from dataclasses import dataclass, field
import math
from typing import ClassVar, Literal

import numpy as np

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Scan, Sighting, Situation
from ami_ros.critic import beam_geometry
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot

MOST_BEAMS = 180            # are compared, evenly chosen
LEAST_BEAMS = 20            # fewer say nothing: an open field
MOST_NEAR = 64              # beams near the direction of a hit, evenly chosen where there are more
DENSE = 0.5                 # share of the beams that hit something: less is a view of a few things
MOST_NEW = 8                # scans between two questions; there is one a tick
TURN_RAD = 2 * math.pi


@dataclass(frozen=True)
class LidarDisplacedParams(Settings):
    """How much of a scan may be elsewhere."""

    max_shifted: float = setting(
        None, '1', 0.1, 0.9,
        'Maximum share of beams that may hit elsewhere than in the previous scan', strict='lower')
    shift_m: float = setting(
        None, 'm', 0.02, 2.0,
        'Range change, beyond the distance travelled between scans, that counts '
        'as a displaced hit', strict='lower')
    shift_deg: float = setting(
        None, 'deg', 1.0, 45.0,
        'Bearing change, beyond the turn between scans, that counts as a '
        'displaced hit', strict='lower')


@dataclass(frozen=True)
class LidarDisplaced:
    """Of what a scan hit, the next one misses no more than max_shifted.

    The way between them, by odometry, is taken off; and as much again is allowed for, so that
    wheels that slip explain it, too. People who walk by fill a small share. It latches: a lidar
    that was turned agrees with itself again at once. Where nobody asks for a motion it is not
    asked: a robot at rest may be carried, a simulated one put elsewhere.

    Where fewer than half of the beams hit something, as in a hall, one thing may be all that there
    is. That it is gone is then no reason; the next scan must also show as large a share where the
    first saw through. Even so the thing may just have moved, so it stops without a latch, and
    `scan_odometry` tells what it was.
    """

    max_shifted: float
    shift_m: float
    shift_deg: float
    name: str = 'lidar_displaced'
    release: ClassVar[str] = 'somebody looks at the lidar, and calls critic/reset'
    # the newest scan of each sensor and its answer: ticks are more often than scans
    found: dict[str, tuple[Scan, float, bool]] = field(
        default_factory=dict, init=False, compare=False, repr=False)

    def limit(self, command: Command, situation: Situation) -> Answer:
        if not any(twist(command)):
            return Answer(command)
        for seen in situation.memory.sightings:
            scan = seen[0].scan
            if not scan.required:
                continue
            share, dense = self.worst(seen)
            if not share <= self.max_shifted:
                raise Stop(f'{share:.0%} of what the {scan.name} hit is elsewhere in the next '
                           f'scan, limit {self.max_shifted:.0%}; was it turned or knocked?',
                           latch=dense)
        return Answer(command)

    def worst(self, seen: tuple[Sighting, ...]) -> tuple[float, bool]:
        """Return the largest share since the scan that was asked about last, and if it latches.

        Where that is long ago only of the newest: what was while it rested is past.
        """
        scan = seen[0].scan
        known, share, dense = self.found.get(scan.name, (None, 0.0, True))
        if known is not scan:
            new = []
            for after, before in zip(seen[:MOST_NEW], seen[1:], strict=False):
                if after.scan is known:
                    break
                new.append((before, after))
            else:
                new = new[:1]
            share, dense = max((self.displaced(*pair) for pair in new), default=(0.0, True))
            self.found[scan.name] = scan, share, dense
        return share, dense

    def displaced(self, before: Sighting, after: Sighting) -> tuple[float, bool]:
        """Return the share that is elsewhere, and whether that many beams hit something at all."""
        off = self.shift_m, math.radians(self.shift_deg)
        share, ranges = shifted(before, after, *off), before.scan.ranges
        hits = np.count_nonzero((ranges > 0) & (ranges < math.inf))
        if share <= self.max_shifted or hits >= DENSE * ranges.size:
            return share, True
        return min(share, shifted(after, before, *off, through=True)), False


def shifted(before: Sighting, after: Sighting, off_m: float, off_rad: float,
            through: bool = False) -> float:
    """Return the share of what the first scan hit that the second shows elsewhere.

    A hit is where it was when any beam near its direction ends about as far; so edges, which one
    beam sees and the next does not, count as seen. 0 where too few can be compared. With `through`
    only those hits count beyond which the second saw; the two may be given in either order.
    """
    (x, y, yaw), (x2, y2, yaw2) = before.pose, after.pose
    moved, turned = complex(x2 - x, y2 - y) * np.exp(-1j * yaw), yaw2 - yaw
    turned = math.remainder(turned, TURN_RAD)
    hits, scan = landed(before.scan, after.scan, moved, turned), after.scan
    order, angles = beam_geometry.directions(scan.angles).centred
    spacing = (angles[-1] - angles[0]) / max(1, angles.size - 1)
    if hits.size < LEAST_BEAMS or not spacing > 0:
        return 0.0
    away, bearing = np.abs(hits), np.angle(hits)
    reach = math.ceil((off_rad + abs(turned)) / spacing)
    beside = (np.arange(-reach, reach) if 2 * reach <= MOST_NEAR
              else np.linspace(-reach, reach - 1, MOST_NEAR).astype(int))
    beyond: Literal['wrap', 'clip'] = 'wrap'
    if angles[-1] - angles[0] + 2 * spacing < TURN_RAD:     # it does not look all around
        inside = (bearing >= angles[0]) & (bearing <= angles[-1])
        away, bearing, beyond = away[inside], bearing[inside], 'clip'
    near = np.searchsorted(angles, bearing) + beside[:, None]
    ranges = np.asarray(scan.ranges)[order]
    valid = ranges > 0
    nearest = np.where(valid, ranges, math.inf).take(near, mode=beyond).min(axis=0)
    farthest = np.where(valid, ranges, -math.inf).take(near, mode=beyond).max(axis=0)
    known, off = farthest > 0, off_m + abs(moved)
    missed = known & (away < nearest - off)
    if not through:
        missed |= known & (away > farthest + off)
    count = np.count_nonzero(known)
    return np.count_nonzero(missed) / count if count >= LEAST_BEAMS else 0.0


def landed(before: Scan, after: Scan, moved: complex, turned_rad: float) -> np.ndarray:
    """Return what the first scan hit, complex x + iy m in the axes of the sensor at the second."""
    points = beam_geometry.hits(before).points
    points = points[::max(1, math.ceil(points.size / MOST_BEAMS))]
    x, y, yaw = after.mount
    there = (points - moved) * np.exp(-1j * turned_rad)
    return (there - complex(x, y)) * np.exp(-1j * yaw)


def make(own: LidarDisplacedParams, shared: Shared, robot: Robot) -> LidarDisplaced:
    """Make the rule of a policy."""
    return LidarDisplaced(own.max_shifted, own.shift_m, own.shift_deg)
