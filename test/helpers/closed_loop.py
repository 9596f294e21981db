# SPDX-License-Identifier: Apache-2.0
"""Drives an ideal rover with a first-order lag through walls and furniture, judged by a critic.

It pretends: no slip, no dead time, exact odometry, a lidar without noise unless asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
import math

from ami_ros.core.types import Odometry, Permit, Plan, Scan, Verdict, View
from ami_ros.critic.critic import Critic
from ami_ros.critic.footprint_sweep import Box, seen_after
from ami_ros.robots.find_robot import find
import numpy as np

ROBOT = find('rover')
BOX = Box.around(ROBOT.body.footprint)
STEP_S = 0.01
SPACING_M = 0.004       # of the points that touching is measured with


def square(x: float, y: float, half: float, yaw: float = 0.0) -> np.ndarray:
    """Return the 4 sides of a square, (4, 2) complex."""
    corners = complex(x, y) + half * math.sqrt(2) * np.exp(1j * (yaw + np.pi / 4 * (1 + 2 *
                                                                 np.arange(4))))
    return np.stack([corners, np.roll(corners, -1)], axis=1)


def room(rng: np.random.Generator, pieces: int = 8) -> np.ndarray:
    """Return 6 x 6 m with furniture from thin legs to cupboards; free around the middle."""
    sides = [square(0, 0, 3)]
    while len(sides) <= pieces:
        x, y = rng.uniform(-2.8, 2.8, 2)
        half = rng.choice([0.02, 0.1, 0.3])
        if math.hypot(x, y) > 0.35 + 1.5 * half:
            sides.append(square(x, y, half, rng.uniform(0, np.pi)))
    return np.concatenate(sides)


@dataclass
class World:
    """A rover among line segments."""

    sides: np.ndarray           # (S, 2) complex, metres
    lag_s: float = ROBOT.actuation_lag_s
    noise_m: float = 0.0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    place: complex = 0j
    yaw: float = 0.0
    v: float = 0.0
    w: float = 0.0
    now_ns: int = 10**9

    def __post_init__(self):
        lengths = np.abs(self.sides[:, 1] - self.sides[:, 0])
        self.dots = np.concatenate([
            np.linspace(a, b, max(2, int(length / SPACING_M)))
            for (a, b), length in zip(self.sides, lengths, strict=True)])

    def step(self, v: float, w: float) -> None:
        """Obey for 10 ms."""
        fade = math.exp(-STEP_S / self.lag_s)
        self.v, self.w = v + (self.v - v) * fade, w + (self.w - w) * fade
        self.yaw += self.w * STEP_S / 2
        self.place += self.v * STEP_S * np.exp(1j * self.yaw)
        self.yaw += self.w * STEP_S / 2
        self.now_ns += round(STEP_S * 1e9)

    def clearance(self) -> float:
        """Return the distance from the true footprint to the nearest thing; negative inside."""
        near = self.dots[np.abs(self.dots - self.place) < 0.6]
        return float(BOX.gap((near - self.place) * np.exp(-1j * self.yaw)).min(initial=0.6))

    def scan(self) -> Scan:
        angles = np.linspace(-np.pi, np.pi, ROBOT.lidar_beams, endpoint=False)
        beams = np.exp(1j * (angles + self.yaw))[:, None]
        a = self.sides[:, 0] - self.place
        d = self.sides[:, 1] - self.sides[:, 0]
        cross = (beams.conj() * d).imag
        with np.errstate(divide='ignore', invalid='ignore'):
            along = (a.conj() * d).imag / cross
            part = (a.conj() * beams).imag / cross
        along[~((part >= 0) & (part <= 1) & (along > 0))] = np.inf
        ranges = along.min(axis=1) + self.noise_m * self.rng.normal(size=angles.size)
        ranges[ranges < ROBOT.lidar_range_m[0]] = np.nan
        ranges[ranges > ROBOT.lidar_range_m[1]] = np.inf
        return Scan(ranges, angles, (0.0, 0.0, 0.0), self.now_ns, self.now_ns)

    def odometry(self) -> Odometry:
        return Odometry(np.array([self.place.real, self.place.imag, self.yaw]),
                        np.array([self.v, self.w]), self.now_ns, self.now_ns)


    def view(self) -> View:
        """A picture is another one wherever it is taken, and at each time."""
        content = f'{self.place} {self.yaw} {self.now_ns}'
        return View('camera', self.now_ns, self.now_ns, (64, 64), content, 60.0)


Driver = Callable[[World], tuple[float, float]]


def drive(world: World, critic: Critic, driver: Driver, seconds: float, hertz: int,
          look_late: int = 0) -> tuple[float, list[Verdict]]:
    """Return the least clearance and the verdicts; scans come `look_late` steps late."""
    least, verdicts, looks = world.clearance(), [], []
    every = round(1 / hertz / STEP_S)
    for step in range(round(seconds / STEP_S)):
        looks.append((world.scan(), world.odometry(), world.view()) if step % 5 == 0 else None)
        seen = step - look_late if step else 0      # nothing comes twice
        arrived = looks[seen] if seen >= 0 else None
        if arrived is not None:
            critic.on_scan(arrived[0])
            critic.on_odometry(arrived[1])
            critic.on_view(arrived[2])
        if step % every == 0:
            knots = np.tile(driver(world), (2, 1))
            critic.on_permit(Permit('autonomous', '', world.now_ns, world.now_ns))
            critic.on_plan(Plan(knots, 0.25, world.now_ns), world.now_ns)
            verdicts.append(critic.judge(world.now_ns, world.now_ns))
        world.step(*verdicts[-1].command.values)
        least = min(least, world.clearance())
    return least, verdicts


def at_the_nearest(rng: np.random.Generator) -> Driver:
    """Full speed at the nearest thing, forward or backward, whatever is said."""
    def driver(world: World) -> tuple[float, float]:
        dots = (world.dots - world.place) * np.exp(-1j * world.yaw)
        bearing = float(np.angle(dots[BOX.gap(dots).argmin()]))
        back = abs(bearing) > np.pi / 2
        turn = bearing - np.sign(bearing) * np.pi if back else bearing
        return (-0.6 if back else 0.6), float(np.clip(4 * turn, -1.5, 1.5))
    return driver


def at_random(rng: np.random.Generator) -> Driver:
    """Hold a random twist for a random while; often both at the limit."""
    held = {'until_ns': 0, 'twist': (0.0, 0.0)}

    def driver(world: World) -> tuple[float, float]:
        if world.now_ns >= held['until_ns']:
            held['until_ns'] = world.now_ns + int(rng.uniform(0.05, 1.5) * 1e9)
            twist = rng.uniform(-1, 1, 2) if rng.random() < 0.5 else rng.choice([-1, 0, 1], 2)
            held['twist'] = (0.6 * twist[0], 1.5 * twist[1])
        return held['twist']
    return driver


def at_the_corner(rng: np.random.Generator) -> Driver:
    """The one of 15 twists that, if obeyed, comes closest to something within 0.6 s."""
    choices = [(v, w) for v in (-0.6, -0.3, 0.0, 0.3, 0.6) for w in (-1.5, 0.0, 1.5) if v or w]

    def driver(world: World) -> tuple[float, float]:
        dots = (world.dots - world.place) * np.exp(-1j * world.yaw)
        dots = dots[np.abs(dots) < 1.0][::4]
        if not dots.size:
            return 0.6, float(rng.uniform(-1, 1))
        ahead = np.array([0.1, 0.2, 0.3, 0.45, 0.6])
        least = [BOX.gap(seen_after(dots[:, None], v * ahead, w * ahead)).min()
                 for v, w in choices]
        return choices[int(np.argmin(least))] if rng.random() < 0.8 else choices[
            rng.integers(len(choices))]
    return driver


def spinning(rng: np.random.Generator) -> Driver:
    """Spins, first near something: drives, then turns at the limit, and so on."""
    def driver(world: World) -> tuple[float, float]:
        phase = (world.now_ns // 700_000_000) % 4
        return ((0.6, 0.0), (0.0, 1.5), (-0.6, 0.3), (0.0, -1.5))[phase]
    return driver
