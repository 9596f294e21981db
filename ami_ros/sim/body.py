# SPDX-License-Identifier: Apache-2.0
"""What every simulated body offers; Simulator and Loopback obey the same contract test."""

from dataclasses import dataclass
import importlib
from typing import Protocol

import numpy as np

from ami_ros.agent.robots.robot import Robot
from ami_ros.sim import world as worlds

CLEAR_M = 0.05          # kept free around a robot that is put somewhere


@dataclass(frozen=True)
class Truth:
    """What only the simulator knows; reports and gates may look, the mind never."""

    pose: np.ndarray        # (3,) x m, y m, yaw rad, room frame
    speed_mps: float
    touching: bool          # anything but the floor, since the last look


class Wheels(Protocol):
    """What the encoders say."""

    angles: tuple[float, float]     # rad, left and right, since the reset or before


class Body(Protocol):
    """A robot with sensors, and time that passes only by `step`."""

    robot: Robot
    size: tuple[int, int]           # of the picture: width, height
    angles: np.ndarray              # (R,) rad, of the lidar's beams
    reckoning: Wheels

    @property
    def time_ns(self) -> int:
        """Simulated time since the reset."""

    def reset(self, pose, seed: int) -> None:
        """Put the robot somewhere, (3,), at rest, with fresh sensors and time zero."""

    def command(self, v_mps: float, w_radps: float) -> None:
        """Ask the base for a twist; it forgets after the robot's base timeout."""

    def step(self, seconds: float) -> None:
        """Let time pass."""

    def camera(self) -> np.ndarray:
        """Take a picture, (H, W, 3) uint8 rgb."""

    def scan(self) -> np.ndarray:
        """Sweep the lidar, (R,) float64 m along `angles`."""

    def odometry(self) -> tuple[np.ndarray, np.ndarray]:
        """Return pose (3,) in odom and twist (2,) in base_link."""

    def imu(self) -> tuple[np.ndarray, np.ndarray]:
        """Return angular velocity rad/s (3,) and acceleration m/s^2 (3,), imu_link axes."""

    def truth(self) -> Truth:
        """Tell the true pose, speed, and whether anything was touched since the last call."""

    def close(self) -> None:
        """Give back what it holds."""


BODIES = {      # name: (module, what to install)
    'pybullet': ('ami_ros.sim.simulator', 'pip install pybullet'),
    'loopback': ('ami_ros.sim.loopback', 'nothing'),
}


@dataclass(frozen=True)
class Room:
    """Which room, and how much of its furniture stands elsewhere."""

    world_seed: int = 0
    moved_share: float = 0.0
    moved_seed: int = 1


def open_body(name: str, robot: Robot, room: Room, seed: int, size: tuple[int, int]) -> Body:
    """Open a body by name; ValueError lists those there are, ImportError says what to install."""
    if name not in BODIES:
        raise ValueError(f'no body {name!r}; there are: {", ".join(BODIES)}')
    module, install = BODIES[name]
    try:
        opened = importlib.import_module(module)
    except ImportError as missing:
        raise ImportError(f'body {name!r}: {missing.name} is not installed ({install})') from None
    if name == 'loopback':
        return opened.Loopback(robot, seed, size)
    world = worlds.draw(room.world_seed)
    if room.moved_share > 0:
        world = worlds.rearranged(world, room.moved_seed, room.moved_share)
    return opened.Simulator(world, robot, seed, size)


def somewhere(body: Body, seed: int) -> np.ndarray:
    """Draw a pose (3,) at which the robot touches nothing; where nothing is, the origin."""
    world = getattr(body, 'world', None)
    if world is None:
        return np.zeros(3)
    rng = np.random.default_rng([world.seed, seed, 0x57A7])
    while True:
        x, y = rng.uniform(-world.half_m, world.half_m, 2)
        if world.distance(np.array([x, y])) > body.robot.radius_m + CLEAR_M:
            return np.array([x, y, rng.uniform(-np.pi, np.pi)])
