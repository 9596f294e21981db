# SPDX-License-Identifier: Apache-2.0
"""A critic that is kept busy: a rover with a fine lidar wanders through rooms full of furniture.

It pretends: no slip, exact odometry, no dead time. It is there to make the rules work, not to
judge them.
"""

from dataclasses import replace
import math

import numpy as np

from ami_ros.core.image_stats import view_of
from ami_ros.core.share_directory import share
from ami_ros.core.types import Imu, Odometry, Permit, Plan, Scan
from ami_ros.critic.critic import Critic
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.robots.find_robot import find

TICK_NS = 20_000_000
UP = np.array([0.0, 0.0, 9.80665])
ROOM_M = 4.0


def fine(beams: int = 360, imu: bool = True):
    """Return the rover with a finer lidar, whose IMU is required."""
    rover = find('rover')
    return replace(rover, sensors=tuple(
        replace(s, beams=beams) if s.kind == 'LaserScan'
        else replace(s, required=imu) if s.kind == 'Imu' else s for s in rover.sensors))


class FurnishedRoom:
    """Walls and round furniture; free around the middle."""

    def __init__(self, rng: np.random.Generator, beams: int):
        self.rng, self.angles = rng, np.linspace(-np.pi, np.pi, beams, endpoint=False)
        self.things = rng.uniform(-ROOM_M, ROOM_M, (14, 2)) @ (1, 1j)      # x + iy m
        self.radii = rng.choice([0.03, 0.1, 0.3], 14)
        free = np.abs(self.things) > 0.8 + self.radii
        self.things, self.radii = self.things[free], self.radii[free]

    def ranges(self, place: complex, yaw: float) -> np.ndarray:
        """Look around, with a centimetre of noise."""
        beams, (x, y) = np.exp(1j * (self.angles + yaw)), (place.real, place.imag)
        with np.errstate(divide='ignore'):
            walls = np.minimum(np.where(beams.real > 0, ROOM_M - x, -ROOM_M - x) / beams.real,
                               np.where(beams.imag > 0, ROOM_M - y, -ROOM_M - y) / beams.imag)
        seen = (self.things - place)[:, None] * beams.conj()
        under = self.radii[:, None]**2 - seen.imag**2
        hits = np.where((under > 0) & (seen.real > 0),
                        seen.real - np.sqrt(np.maximum(under, 0.0)), np.inf)
        out = np.minimum(walls, hits.min(axis=0)) + self.rng.normal(0, 0.01, beams.size)
        out[self.rng.random(beams.size) < 0.02] = np.nan
        return np.where(out > 8.0, np.inf, np.maximum(out, 0.08))


class Wander:
    """A body, what it sees, and a plan that does not look where it goes."""

    def __init__(self, policy: str, seed: int):
        self.robot = fine(imu=policy == 'strict')
        self.critic = Critic(read(share(f'config/safety_policy/{policy}.yaml')), self.robot)
        self.rng = np.random.default_rng(seed)
        self.room = FurnishedRoom(self.rng, self.robot.lidar_beams)
        self.place, self.yaw, self.v, self.w = 0j, 0.0, 0.0, 0.0
        self.now, self.ticks, self.wish = 10**12, 0, np.zeros(2)

    def scan(self) -> Scan:
        """Look around."""
        return Scan(self.room.ranges(self.place, self.yaw), self.room.angles,
                    self.robot.body.mount('laser')[:2] + (0.0,), self.now, self.now)

    def tick(self) -> tuple[int, int]:
        """Return the time of the next tick, by both clocks, once everything of it has come."""
        critic, now, wish = self.critic, self.now, self.wish
        if self.ticks % 40 == 0:
            slowest = -0.1 if critic.last.values.any() else -0.6        # back out of a corner
            wish[:] = self.rng.uniform(slowest, 0.6), self.rng.normal(0, 0.6)
        if self.ticks % 5 == 0:
            critic.on_permit(Permit('autonomous', 'a', now, now))
            critic.on_plan(Plan(np.tile(wish, (8, 1)) + self.rng.normal(0, 0.02, (8, 2)), 0.25,
                                now, now, 'a', 1), now)
            picture = self.rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
            critic.on_view(view_of(picture, self.robot.camera.name, now, now))
        if self.ticks % 2 == 0:
            critic.on_scan(self.scan())
        critic.on_odometry(Odometry(np.array([self.place.real, self.place.imag, self.yaw]),
                                    np.array([self.v, self.w]), now, now))
        if 'tilt' in critic.policy.rules:
            turn = np.array([0.0, 0.0, self.w])
            critic.on_imu(Imu(turn, UP + self.rng.normal(0, 0.1, 3), now, now))
        self.ticks += 1
        return now, now

    def obey(self, command) -> None:
        """Go on for 20 ms; a latch is reset, since nobody is near."""
        v, w = command.values
        fade = math.exp(-TICK_NS / 1e9 / self.robot.actuation_lag_s)
        self.v, self.w = v + (self.v - v) * fade, w + (self.w - w) * fade
        self.yaw += self.w * TICK_NS / 1e9
        self.place += self.v * TICK_NS / 1e9 * np.exp(1j * self.yaw)
        self.now += TICK_NS
        if self.critic.latch.closed:
            self.critic.latch.open()
            self.critic.keeper.stops.clear()
