# SPDX-License-Identifier: Apache-2.0
"""Keeps the robot out of forbidden areas and inside its own; where it is wrong it may leave."""

from dataclasses import dataclass
from functools import cache
import math
from typing import ClassVar

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.footprint_sweep import arc, Box, pace
from ami_ros.critic.rule_interface import Answer, scaled, Stop, twist
from ami_ros.critic.rules.input_timeout import check as check_age
from ami_ros.critic.rules.input_validity import check
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot

MOST_CORNERS = 100          # of all polygons together; each costs up to 0.1 ms of a tick
OUTLINE_M = 0.02            # between two points of the footprint's outline
ROUNDING_M = 1e-6
SHARES = (1.0, 0.5, 0.25, 0.1)      # of the command that are tried, the fastest first
MOMENTS = np.linspace(0.0, 1.0, 9)[1:]      # of the way to a standstill


@dataclass(frozen=True)
class FenceParams(Settings):
    """Where, in which frame, and how far from it."""

    frame: str = setting(
        None, 'frame', reason='Frame of the polygon corners; odometry must use the same frame')
    keep_out: tuple = setting(
        None, 'list of polygons',
        reason='Polygons that the robot must not enter, each as [[x, y], ...] in m; [] means '
               'none')
    stay_in: tuple = setting(
        None, 'polygon',
        reason='Polygon that the robot must not leave, as [[x, y], ...] in m; [] means no '
               'boundary')
    fence_margin_m: float = setting(
        None, 'm', 0.02, 5.0, 'Distance kept from every edge of the polygons', strict='higher')

    def __post_init__(self):
        """Check the corners as well."""
        super().__post_init__()
        if not self.frame:
            raise AmiError('frame is empty; name the one that the corners are in')
        count = sum(len(corners(polygon)) for polygon in (
            *self.keep_out, *((self.stay_in,) if self.stay_in else ())))
        if not count <= MOST_CORNERS:
            raise AmiError(f'the polygons have {count} corners together; at most {MOST_CORNERS} '
                           'can be judged in time: leave out corners, or areas out of reach')


@dataclass(frozen=True)
class Fence:
    """No point of the footprint comes nearer than the margin, up to where braking ends.

    Where it is nearer already it may go on, as long as it comes no nearer. Without odometry in
    that frame nothing moves: where the areas are is not known. Keeps the curvature.
    """

    box: Box
    frame: str
    keep_out: tuple             # of polygons, each of (x, y) in metres
    stay_in: tuple              # one polygon, or ()
    margin_m: float
    ahead_s: float              # reaction and lag
    braking_mps2: float
    max_odometry_age_s: float
    max_future_s: float
    name: str = 'fence'
    release: ClassVar[str] = 'another direction, or a robot that knows where it is'

    def limit(self, command: Command, situation: Situation) -> Answer:
        v, w = twist(command)
        here = self.place(situation)
        now = self.worst(here)
        most = max(now, -self.margin_m) + ROUNDING_M
        for share in SHARES:
            if self.reaches(v * share, w * share, here, now) <= most:
                return Answer(command) if share == 1.0 else Answer(scaled(command, share), (
                    f'a fence is {max(-now, 0.0):.3f} m away, {share:.0%} of the speed is left'))
        raise Stop(f'a fence is {-now:.3f} m away, limit {self.margin_m:.3f} m, and this motion '
                   'brings it nearer')

    def place(self, situation: Situation) -> np.ndarray:
        """Return the outline of the footprint in the frame; Stop where it is not known."""
        told = situation.odometry
        if told is None or told.frame != self.frame:
            said = 'no odometry has come' if told is None else f'{told.name} is in {told.frame!r}'
            raise Stop(f'the fence is in frame {self.frame!r}, and nobody says where the robot '
                       f'is in it: {said}')
        check(told.name, told.pose)
        check_age(told.name, told, situation, self.max_odometry_age_s, self.max_future_s)
        x, y, yaw = told.pose
        return np.append(complex(x, y) + outline(self.box) * np.exp(1j * yaw),
                         (complex(x, y), np.exp(1j * yaw)))

    def reaches(self, v: float, w: float, here: np.ndarray, now: float) -> float:
        """Return how deep it comes at most, on the way until it stands."""
        speed = pace(v, w, self.box)
        lasts = self.ahead_s + speed / (2 * self.braking_mps2)
        if speed == 0.0 or now + 2 * speed * lasts < -self.margin_m - ROUNDING_M:
            return now
        base, ahead = here[-2], here[-1]
        local = (here[:-2] - base) / ahead
        gone, turn = arc(v * lasts * MOMENTS, w * lasts * MOMENTS)
        there = gone[:, None] + local * turn[:, None]
        return self.depth(base + there.ravel() * ahead)

    def worst(self, here: np.ndarray) -> float:
        """Return how deep it is now: m inside what is forbidden, below 0 m away from it."""
        return self.depth(here[:-2])

    def depth(self, points: np.ndarray) -> float:
        """Return how deep the deepest of some points is."""
        found = [float(inside(points, area).max()) for area in self.keep_out]
        if self.stay_in:
            found.append(float((-inside(points, self.stay_in)).max()))
        return max(found, default=-math.inf)


def corners(polygon) -> np.ndarray:
    """Make (K,) complex corners; ValueError where that is no polygon."""
    try:
        points = np.array(polygon, float)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 2 or len(points) < 3 or points.shape[1] != 2 or not (
            np.isfinite(points).all()):
        raise AmiError(f'{polygon!r} is no polygon; it needs three or more corners [x, y] in m')
    return points[:, 0] + 1j * points[:, 1]


@cache
def outline(box: Box) -> np.ndarray:
    """Return points along the sides of a box, (N,) complex m in base_link; nobody changes them."""
    length, width = box.half_length_m, box.half_width_m
    sides = [complex(x, y) for x, y in ((length, width), (-length, width), (-length, -width),
                                        (length, -width))]
    parts = [a + (b - a) * np.arange(0.0, 1.0, OUTLINE_M / abs(b - a))
             for a, b in zip(sides, sides[1:] + sides[:1], strict=True)]
    return box.centre + np.concatenate(parts)


@cache
def sides(polygon: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Return where each side begins and ends, (K,) complex; nobody changes them."""
    begin = corners(polygon)
    return begin, np.roll(begin, -1)


def inside(points: np.ndarray, polygon) -> np.ndarray:
    """Return (N,) metres to the nearest side; above 0 inside, below outside."""
    begin, end = sides(polygon)
    side = (end - begin)[:, None]
    seen = points[None, :] - begin[:, None]
    length2 = np.maximum(np.abs(side) ** 2, 1e-12)
    along = np.clip((seen * side.conj()).real / length2, 0.0, 1.0)
    away = np.abs(seen - along * side).min(axis=0)
    above = begin.imag[:, None] > points.imag
    crosses = above != (end.imag[:, None] > points.imag)
    with np.errstate(divide='ignore', invalid='ignore'):
        at = begin.real[:, None] + seen.imag / side.imag * side.real
    odd = np.count_nonzero(crosses & (points.real < at), axis=0) % 2 == 1
    return np.where(odd, away, -away)


def make(own: FenceParams, shared: Shared, robot: Robot) -> Fence:
    """Make the rule of a policy."""
    return Fence(Box.around(robot.body.footprint), own.frame, own.keep_out, own.stay_in,
                 own.fence_margin_m, shared.reaction_s + robot.actuation_lag_s,
                 shared.braking_mps2, shared.max_odometry_age_s, shared.max_future_s)
