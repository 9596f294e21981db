# SPDX-License-Identifier: Apache-2.0
"""Stops a motion towards where no beam of a lidar says anything, however many others do."""

from dataclasses import dataclass, field
from functools import lru_cache
import math
from typing import ClassVar

import numpy as np

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Scan, Situation
from ami_ros.critic.beam_geometry import directions, hits
from ami_ros.critic.footprint_sweep import arc, Box, pace
from ami_ros.critic.obstacle_points import ObstacleExtractor, sight
from ami_ros.critic.rule_interface import Answer, scaled, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot

LEAST_APART_M = 0.03     # of the points of the outline
STEP_M = 0.05           # along the arc, at which the outline is looked at
TURN_RAD = 2 * math.pi


@lru_cache(maxsize=8)
def outline(box: Box, apart_m: float) -> np.ndarray:
    """Return points on the sides of a box, (N, 1) complex, at most so far apart."""
    sides = []
    for half, other, turn in ((box.half_length_m, box.half_width_m, 1.0),
                              (box.half_width_m, box.half_length_m, 1j)):
        along = np.linspace(-half, half, 2 + math.ceil(2 * half / apart_m)) * turn
        sides += [along + 1j * turn * other, along - 1j * turn * other]
    return (box.centre + np.concatenate(sides))[:, None]


@dataclass(frozen=True)
class UnseenPathParams(Settings):
    """How wide a gap may be, and what is left towards a wider one."""

    max_unseen_m: float = setting(
        None, 'm', 0.01, 0.5,
        'Maximum gap between two valid beams in the path of the robot; a wider '
        'gap may hide an obstacle', strict='lower')
    unseen_speed: float = setting(
        None, '1', 0.0, 1.0,
        'Share of the speed limits that remains when driving towards a wider gap', strict='lower')


@dataclass(frozen=True)
class UnseenPath:
    """Where the outline comes before the robot stands, gaps between valid beams <= max_unseen_m.

    A gap is as wide as the angle between two neighbouring valid beams times the distance from the
    lidar. What lies outside the field of view is a gap, too. Of several required lidars it is
    enough that one of them sees. The speed is what braking allows before the gap, at least
    unseen_speed of the limits. Keeps the curvature.
    """

    box: Box
    reaction_s: float
    braking_mps2: float
    stop_distance_m: float
    max_speed_mps: float
    max_turn_radps: float
    max_unseen_m: float
    unseen_speed: float         # share of the limits
    names: tuple[str, ...]      # of the required planar lidars
    sight: ObstacleExtractor
    name: str = 'unseen_path'
    release: ClassVar[str] = 'another direction, or its beams say something again'
    # the newest scan of each lidar and its valid directions: ticks are more often than scans
    found: dict[str, tuple[Scan, np.ndarray, float]] = field(
        default_factory=dict, init=False, compare=False, repr=False)

    def limit(self, command: Command, situation: Situation) -> Answer:
        v, w = twist(command)
        self.sight.obstacles(situation)         # who sees nothing may not go
        speed = pace(v, w, self.box)
        lidars = [scan for scan in situation.scans if scan.name in self.names]
        if not lidars or speed == 0.0:
            return Answer(command)
        needed = speed * self.reaction_s + speed**2 / (2 * self.braking_mps2)
        reach = self.box.radius_m + needed + self.stop_distance_m + STEP_M
        if any(self.gaps(scan)[1] * (reach + math.hypot(*scan.mount[:2])) <= self.max_unseen_m
               for scan in lidars):
            return Answer(command)              # no gap of this one is wide enough anywhere
        travel = np.arange(1, math.ceil((needed + self.stop_distance_m) / STEP_M) + 1) * STEP_M
        places = outline(self.box, max(self.max_unseen_m, LEAST_APART_M))
        moved, turn = arc(travel * (v / speed), travel * (w / speed))
        places = moved + places * turn
        unseen = self.box.gap(places) > 0.0
        for scan in lidars:
            unseen &= self.wide(scan, places)
        if not unseen.any():
            return Answer(command)
        first = travel[unseen.any(axis=0).argmax()]
        return self.slowed(command, speed, first, first - STEP_M - self.stop_distance_m)

    def slowed(self, command: Command, speed: float, first: float, free: float) -> Answer:
        """Leave what braking allows before a gap, or the share of the limits that is allowed."""
        v, w = twist(command)
        brake, react = self.braking_mps2, self.reaction_s
        allowed = 0.0
        if free > 0:
            allowed = brake * (math.sqrt(react**2 + 2 * free / brake) - react)
        share = max(allowed / speed, self.unseen_speed * min(
            self.max_speed_mps / max(abs(v), 1e-9), self.max_turn_radps / max(abs(w), 1e-9)))
        if share >= 1.0:
            return Answer(command)
        reason = (f'no valid beam sees what is {first:.2f} m ahead on this arc: a gap there is '
                  f'wider than {self.max_unseen_m:.3f} m')
        if not share > 0.0:
            raise Stop(reason)
        return Answer(scaled(command, share), reason)

    def gaps(self, scan: Scan) -> tuple[np.ndarray, float]:
        """Return where the valid beams of a scan look, 0 to 2 pi, sorted, and the widest gap."""
        known = self.found.get(scan.name)
        if known is None or known[0] is not scan:
            order, looks = directions(scan.angles).around
            looks = looks[hits(scan).valid[order]]
            widest = TURN_RAD
            if looks.size:
                widest = max((looks[1:] - looks[:-1]).max(initial=0.0),
                             looks[0] + TURN_RAD - looks[-1])
            known = self.found[scan.name] = scan, looks, float(widest)
        return known[1:]

    def wide(self, scan: Scan, places: np.ndarray) -> np.ndarray:
        """Tell of which places (complex, in base_link) the gap that they lie in is too wide."""
        looks = self.gaps(scan)[0]
        if looks.size < 2:
            return np.ones(places.shape, bool)
        x, y, yaw = scan.mount
        there = (places - complex(x, y)) * complex(math.cos(yaw), -math.sin(yaw))
        after = np.searchsorted(looks, np.mod(np.angle(there), TURN_RAD)) % looks.size
        gap = np.mod(looks[after] - looks[after - 1], TURN_RAD)
        return gap * np.abs(there) > self.max_unseen_m


def make(own: UnseenPathParams, shared: Shared, robot: Robot) -> UnseenPath:
    """Make the rule of a policy."""
    names = tuple(sensor.name for sensor in robot.sensors_of('LaserScan') if sensor.required)
    return UnseenPath(Box.around(robot.body.footprint), shared.reaction_s, shared.braking_mps2,
                      shared.stop_distance_m, shared.max_speed_mps, shared.max_turn_radps,
                      own.max_unseen_m, own.unseen_speed, names, sight(shared, robot))
