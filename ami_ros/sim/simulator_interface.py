# SPDX-License-Identifier: Apache-2.0
"""The interface of every simulated robot; Simulator and Loopback obey the same contract test."""

from dataclasses import dataclass
import importlib
from typing import Protocol

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.robots.robot import Robot
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.camera_model import presets
from ami_ros.sim.scenes import draw
from ami_ros.sim.scenes.scene import Scene
from ami_ros.sim.scenes.scene_changes import apply

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


class SimBody(Protocol):
    """A robot with sensors, and time that passes only by `step`."""

    robot: Robot
    size: tuple[int, int]           # of the picture: width, height
    angles: np.ndarray              # (R,) rad, of the lidar's beams

    @property
    def reckoning(self) -> Wheels:
        """What the wheels tell."""

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

    def __enter__(self) -> 'SimBody':
        """Return it; it is closed at the end."""

    def __exit__(self, *_) -> None:
        """Close it."""


ENGINES = {     # name: module of the body; what an engine needs is said by sim.engines
    'pybullet': 'ami_ros.sim.simulator',
    'mujoco': 'ami_ros.sim.simulator',
    'loopback': 'ami_ros.sim.loopback',
}


@dataclass(frozen=True)
class SimRoom:
    """Which scene, what of it has changed since, and through which camera it is seen."""

    world_seed: int = 0
    moved_share: float = 0.0
    moved_seed: int = 1             # also of the changes
    generator: str = 'room'
    changes: str = ''               # as `scenes.changes.parse` reads them
    camera: str = 'clean'           # a name of camera_model.presets


def open_body(name: str, robot: Robot, room: SimRoom, seed: int, size: tuple[int, int]) -> SimBody:
    """Open a body in an engine; ValueError lists those there are, RuntimeError what to install."""
    if name not in ENGINES:
        raise AmiError(f'no engine {name!r}; there are: {", ".join(ENGINES)}')
    module = importlib.import_module(ENGINES[name])
    if name == 'loopback':
        return module.Loopback(robot, seed, size)
    preset = presets.find(room.camera)
    world = placed(room, ','.join(filter(None, (room.changes, preset.change))))
    return module.Simulator(world, robot, seed, size, engine=name, camera=preset.camera)


def placed(room: SimRoom, changes: str) -> worlds.World | Scene:
    """Draw the place; the protocol's room stays a World where only its furniture was moved."""
    if room.moved_share > 0:
        changes = ','.join(filter(None, (f'moved:{room.moved_share}', changes)))
    scene = apply(draw(room.generator, room.world_seed), changes, room.moved_seed)
    return scene if scene.world is None or scene.people else scene.world


def somewhere(body: SimBody, seed: int) -> np.ndarray:
    """Draw a pose (3,) at which the robot touches nothing; where nothing is, the origin."""
    world = getattr(body, 'world', None)
    if world is None:
        return np.zeros(3)
    rng = np.random.default_rng([world.seed, seed, 0x57A7])
    while True:
        x, y = rng.uniform(-world.half_m, world.half_m, 2)
        if world.distance(np.array([x, y])) > body.robot.radius_m + CLEAR_M:
            return np.array([x, y, rng.uniform(-np.pi, np.pi)])
