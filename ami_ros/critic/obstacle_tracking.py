# SPDX-License-Identifier: Apache-2.0
"""
Tells which of the things that a lidar sees move towards the robot's way, and how fast.

What is seen now where an earlier scan saw through has come there since. So a wall that only comes
into view does not move, and nothing has to be recognised. How far it came is the way from the
nearest thing that was seen then.
"""

from dataclasses import dataclass
import math

import numpy as np

from ami_ros.core.types import Scan, Sighting
from ami_ros.critic.beam_geometry import directions, hits

LOOKS = ((0.25, 0.03), (0.75, 0.045))   # s ago, and m that count: noise and odometry make less
NEIGHBOURS = 2              # beams each way that must agree, by the median
JOINED_M = 0.15             # neighbouring hits nearer than this are one thing
MOST_PAIRS = 1 << 17        # of a point and a dot of an outline that are compared
PIECES = 4                  # that the way between them is cut into


@dataclass(frozen=True)
class Coming:
    """What moves, in base_link at the instant of the scan."""

    points: np.ndarray      # (N,) complex m
    speeds: np.ndarray      # (N,) complex m/s, over the floor


def coming(seen: tuple[Sighting, ...], near_m: float, fastest_mps: float) -> Coming:
    """Say what moves of what the newest scan sees within `near_m` of base_link.

    `seen` is of one sensor, the newest first. Nothing is taken for faster than `fastest_mps`.
    """
    now = seen[0]
    seen_now = hits(now.scan)
    at_hand = np.flatnonzero(np.abs(seen_now.points) < near_m)
    points, speeds = seen_now.points[at_hand], np.zeros(at_hand.size, complex)
    if not points.size:
        return Coming(points, speeds)
    for ago_s, least_m in LOOKS:
        then = at(seen, now.scan.stamp_ns - ago_s * 1e9)
        if then is None:
            break
        passed = (now.scan.stamp_ns - then.scan.stamp_ns) / 1e9
        place, turn = between(then.pose, now.pose)
        here = place + turn * points                        # in base_link of then
        free = seen_through(then.scan, here)
        if np.count_nonzero(free > least_m) <= NEIGHBOURS:
            continue            # too few for a median, and mostly so
        free = smoothed(free, seen_now.beams[at_hand], now.scan.angles.size)
        moved = (free > least_m) & (speeds == 0)
        if moved.any():
            speeds[moved] = came(here[moved], outline(then.scan, near_m + 1.0), passed,
                                 fastest_mps, place) / turn
    moves = speeds != 0
    return Coming(points[moves], speeds[moves])


def at(seen: tuple[Sighting, ...], stamp_ns: float) -> Sighting | None:
    """Return the newest that is at least so old; None where none is."""
    return next((one for one in seen if one.scan.stamp_ns <= stamp_ns), None)


def between(one: tuple[float, float, float], other: tuple[float, float, float]
            ) -> tuple[complex, complex]:
    """Return where another pose is in the axes of the one: its place and its turn."""
    turn = complex(math.cos(one[2]), -math.sin(one[2]))
    angle = other[2] - one[2]
    return (complex(other[0] - one[0], other[1] - one[1]) * turn,
            complex(math.cos(angle), math.sin(angle)))


def seen_through(scan: Scan, points: np.ndarray) -> np.ndarray:
    """Return how far a scan saw beyond each point, m: the less of the two beams beside it.

    Below 0 it saw less far; an invalid beam saw nothing.
    """
    x, y, yaw = scan.mount
    there = (points - complex(x, y)) * complex(math.cos(yaw), -math.sin(yaw))
    order, angles = directions(scan.angles).around
    far = np.where(scan.ranges > 0, scan.ranges, 0.0)[order]
    after = np.searchsorted(angles, np.mod(np.angle(there), 2 * math.pi)) % angles.size
    return np.minimum(far[after], far[after - 1]) - np.abs(there)


def smoothed(values: np.ndarray, beams: np.ndarray, count: int) -> np.ndarray:
    """Return the median of each beam's value and its neighbours'; who has none counts as -inf."""
    table = np.full(count, -np.inf)
    table[beams] = values
    shifts = range(-NEIGHBOURS, NEIGHBOURS + 1)
    return np.sort([np.roll(table, shift) for shift in shifts], axis=0)[NEIGHBOURS][beams]


def outline(scan: Scan, near_m: float) -> np.ndarray:
    """Return the outline of what a scan saw, as dots that lie close: complex in base_link."""
    seen = hits(scan)
    points, beams = seen.points, seen.beams
    if points.size < 2:
        return points
    following = np.roll(points, -1)
    joined = (np.abs(following - points) < JOINED_M) & (
        np.mod(np.roll(beams, -1) - beams, scan.angles.size) == 1)
    parts = np.arange(1, PIECES) / PIECES
    dots = points[joined, None] + (following - points)[joined, None] * parts
    dots = np.concatenate([points, dots.ravel()])
    return dots[np.abs(dots) < near_m]


def came(points: np.ndarray, outline: np.ndarray, passed_s: float, fastest_mps: float,
         robot: complex) -> np.ndarray:
    """Return (N,) complex m/s with which points came from the nearest of an outline.

    What comes from nowhere, or too fast, is taken to come straight at the robot.
    """
    straight = (robot - points) / np.maximum(np.abs(robot - points), 1e-9) * fastest_mps
    if not outline.size:
        return straight
    every = max(1, math.ceil(points.size * outline.size / MOST_PAIRS))
    outline = outline[::every]          # fewer dots lie farther apart: it seems to come faster
    ways = points[:, None] - outline
    ways = ways[np.arange(points.size), np.abs(ways).argmin(1)] / passed_s
    return np.where(np.abs(ways) <= fastest_mps, ways, straight)
