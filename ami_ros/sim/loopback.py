# SPDX-License-Identifier: Apache-2.0
"""A body that does exactly what it is told: no mass, no noise, no delay, nothing to touch."""

from dataclasses import dataclass
import math

import numpy as np

from ami_ros.robots.robot import Robot
from ami_ros.sim.simulator_interface import Truth

STEP_S = 1 / 240        # the same grain of time as the simulator's
GREY = 128
GRID_M, COLUMN_M = 6.0, 0.5         # between columns, and the radius of one
AROUND = np.add.outer(np.arange(-2, 3), 1j * np.arange(-2, 3)).ravel()      # columns of a grid
GRAVITY_MPS2 = 9.81


@dataclass
class Encoders:
    """Wheel angles that are never off."""

    angles: tuple[float, float] = (0.0, 0.0)    # rad, left and right


class Loopback:
    """Pretends to be a rover in an endless grey hall; the same interface as Simulator.

    Its lidar sees round columns, a grid of them, so that scans change as it moves; it does not
    touch them.
    It limits its twist and stops by itself after the base timeout, as every base does.
    """

    def __init__(self, robot: Robot, seed: int = 0, size: tuple[int, int] | None = None):
        self.robot, self.size = robot, size or robot.camera_size
        beams = robot.lidar_beams
        self.angles = -math.pi + 2 * math.pi * np.arange(beams) / beams
        self.reset(np.zeros(3), seed)

    def reset(self, pose, seed: int) -> None:
        """Put it somewhere, at rest, at time zero; nothing is left to chance, nor to the seed."""
        self.pose = self.start = np.array(pose, float)
        self.steps, self.wanted, self.wanted_step = 0, (0.0, 0.0), 0
        self.speed = (0.0, 0.0)
        self.reckoning = Encoders()

    @property
    def time_ns(self) -> int:
        """Simulated time since the reset."""
        return round(self.steps * STEP_S * 1e9)

    def command(self, v_mps: float, w_radps: float) -> None:
        """Ask the base for a twist; it forgets after its own timeout."""
        v, w = (min(max(float(value), -limit), limit)
                for value, limit in zip((v_mps, w_radps), self.robot.limits))
        self.wanted = v, w
        self.wanted_step = self.steps

    def step(self, seconds: float) -> None:
        """Advance by a whole number of steps, on an exact arc for as long as the command holds."""
        steps = round(seconds / STEP_S)
        left = self.wanted_step + round(self.robot.base_timeout_s / STEP_S) - self.steps
        moving = min(steps, max(0, left))
        self.pose = moved(self.pose, self.wanted, moving * STEP_S)
        half, radius = self.robot.body.track_m / 2, self.robot.body.wheel_radius_m
        v, w = self.wanted
        angles = (
            angle + speed / radius * moving * STEP_S
            for angle, speed in zip(self.reckoning.angles, (v - w * half, v + w * half)))
        self.reckoning.angles = next(angles), next(angles)
        self.speed = self.wanted if moving == steps else (0.0, 0.0)
        self.steps += steps

    def truth(self) -> Truth:
        """Tell the pose; there is nothing to touch."""
        return Truth(self.pose.copy(), abs(self.speed[0]), False)

    def truth_pose(self) -> np.ndarray:
        """Return the pose (3,) alone."""
        return self.pose.copy()

    def camera(self) -> np.ndarray:
        """Take a picture of stripes that tell where it is, (H, W, 3) uint8."""
        width, height = self.size
        phase = self.pose[2] + 5 * (self.pose[0] + self.pose[1])
        stripes = GREY + 60 * np.sin(phase + np.linspace(0, 4 * math.pi, width))
        return np.broadcast_to(stripes[None, :, None], (height, width, 3)).astype(np.uint8)

    def scan(self) -> np.ndarray:
        """Sweep over the columns, (R,) float64."""
        x, y, _, _, _, yaw = self.robot.body.mount(self.robot.lidar.link)
        place = complex(*self.pose[:2]) + complex(x, y) * np.exp(1j * self.pose[2])
        nearest = np.round([place.real / GRID_M - 0.5, place.imag / GRID_M - 0.5]) + 0.5
        columns = (nearest @ (1, 1j) + AROUND) * GRID_M - place
        seen = columns[:, None] * np.exp(-1j * (self.angles + yaw + self.pose[2]))
        under = COLUMN_M**2 - seen.imag**2
        away = np.where((under > 0) & (seen.real > 0),
                        seen.real - np.sqrt(np.maximum(under, 0.0)), math.inf).min(axis=0)
        low, high = self.robot.lidar_range_m
        return np.where(away > high, float(self.robot.lidar_no_return), np.maximum(away, low))

    def odometry(self) -> tuple[np.ndarray, np.ndarray]:
        """Return pose (3,) since the start, in odom, and twist (2,) in base_link."""
        dx, dy = self.pose[:2] - self.start[:2]
        c, s = math.cos(self.start[2]), math.sin(self.start[2])
        turn = self.pose[2] - self.start[2]
        return np.array([c * dx + s * dy, c * dy - s * dx, turn]), np.array(self.speed)

    def imu(self) -> tuple[np.ndarray, np.ndarray]:
        """Return angular velocity (3,) and what a level robot at steady speed feels (3,)."""
        return np.array([0.0, 0.0, self.speed[1]]), np.array([0.0, 0.0, GRAVITY_MPS2])

    def close(self) -> None:
        """Nothing to give back."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def moved(pose: np.ndarray, twist: tuple[float, float], seconds: float) -> np.ndarray:
    """Carry a pose (3,) along the arc of a constant twist."""
    v, w = twist
    x, y, yaw = pose
    turn = w * seconds
    chord = v * seconds * (math.sin(turn / 2) / (turn / 2) if turn else 1.0)
    return np.array([x + chord * math.cos(yaw + turn / 2), y + chord * math.sin(yaw + turn / 2),
                     yaw + turn])
