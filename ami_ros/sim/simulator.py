# SPDX-License-Identifier: Apache-2.0
"""The rover in its scene: physics, sensors, truth. Bit-identical for the same seed and commands.

The same code on every engine; what an engine does is in ami_ros/sim/engines.
"""

import math

import numpy as np

from ami_ros.robots.robot import Robot
from ami_ros.sim.camera_model.model import Camera
from ami_ros.sim.camera_model.settings import CameraSettings
from ami_ros.sim.engines import open_engine, STEP_S
from ami_ros.sim.furnished_room import World
from ami_ros.sim.scenes.scene import Scene
from ami_ros.sim.sensors import DeadReckoning, Noise
from ami_ros.sim.simulator_interface import Truth
from ami_ros.sim.walking_people import Walk

WALK_STEPS = 4          # people move 60 times a second


class Simulator:
    """A differential-drive rover, driven by its wheels, in a scene or in the protocol's World.

    The camera's picture is (H, W, 3) uint8 rgb; the scan is in metres along `angles`.
    """

    def __init__(self, world: World | Scene, robot: Robot, seed: int,
                 size: tuple[int, int] | None = None, noise: Noise | None = None,
                 engine: str = 'pybullet', camera: CameraSettings | None = None):
        self.world, self.robot, self.size = world, robot, size or robot.camera_size
        self.noise = Noise() if noise is None else noise
        self.lens = Camera(camera or CameraSettings(), self.size, robot.camera_hfov_rad)
        self.engine = open_engine(engine, world, robot, self.size)
        self.walks = [Walk(person) for person in getattr(world, 'people', ())]
        self.watching = True    # for contacts; costs a tenth of the time
        self.blend = 1 - math.exp(-STEP_S / robot.actuation_lag_s)
        beams = robot.lidar_beams
        self.angles = -math.pi + 2 * math.pi * np.arange(beams) / beams
        self.reset(np.zeros(3), seed)

    def reset(self, pose, seed: int) -> None:
        """Put the rover somewhere, at rest, with fresh sensors and time zero."""
        self.rng = np.random.default_rng([seed, 0x5EED])
        self.engine.place(*map(float, pose))
        body = self.robot.body
        self.steps, self.touched = 0, False
        self.target, self.wanted, self.wanted_step = (0.0, 0.0), (0.0, 0.0), -10**9
        self.reckoning = DeadReckoning(body.wheel_radius_m, body.track_m, self.noise, self.rng)
        self.reckoned_step = 0
        self.moved: tuple[np.ndarray, np.ndarray] = (np.zeros(3), np.zeros(3))
        self.lens.reset(seed)
        for index, walk in enumerate(self.walks):
            walk.reset()
            self.engine.move_person(index, *walk.pose)
        for _ in range(48):     # let it settle on its wheels before time begins
            self._physics()
        self.steps, self.touched = 0, False
        self._reckon()

    def carry(self, pose) -> None:
        """Put the rover down at another pose, at rest, while time and odometry go on."""
        self.engine.place(*map(float, pose))
        self.reckoning.angles = self.engine.wheels()        # placing turns the wheels back to 0
        self.target = (0.0, 0.0)
        self.command(0.0, 0.0)

    @property
    def time_ns(self) -> int:
        """Simulated time since the reset."""
        return round(self.steps * STEP_S * 1e9)

    def command(self, v_mps: float, w_radps: float) -> None:
        """Ask the base for a twist; it forgets after its own timeout."""
        v_max, w_max = self.robot.limits
        self.wanted = (min(max(float(v_mps), -v_max), v_max),
                       min(max(float(w_radps), -w_max), w_max))
        self.wanted_step = self.steps

    def step(self, seconds: float) -> None:
        """Advance by a whole number of physics steps."""
        for _ in range(round(seconds / STEP_S)):
            self._physics()
        self._reckon()

    def _physics(self) -> None:
        late = (self.steps - self.wanted_step) * STEP_S >= self.robot.base_timeout_s
        half, radius = self.robot.body.track_m / 2, self.robot.body.wheel_radius_m
        # plain floats: this runs 240 times a second, and numpy costs more than the physics
        v, w = (now + self.blend * ((0.0 if late else wanted) - now)
                for now, wanted in zip(self.target, self.wanted))
        self.target = v, w
        self.engine.step((v - w * half) / radius, (v + w * half) / radius)
        self.steps += 1
        if self.walks and self.steps % WALK_STEPS == 0:
            self._walk()
        if self.watching and not self.touched:
            self.touched = self.engine.touching()

    def _walk(self) -> None:
        here = self.engine.base()[0][:2]
        for index, walk in enumerate(self.walks):
            if walk.step(WALK_STEPS * STEP_S, here, self.robot.radius_m):
                self.engine.move_person(index, *walk.pose)

    def _reckon(self) -> None:
        left, right = self.engine.wheels()
        self.reckoning.update(left, right, (self.steps - self.reckoned_step) * STEP_S)
        self.reckoned_step = self.steps

    def truth(self) -> Truth:
        """Tell the true pose, speed, and whether anything was touched since the last call."""
        velocity, _ = self.engine.velocity()
        touched, self.touched = self.touched, False
        return Truth(self.truth_pose(), float(math.hypot(*velocity[:2])), touched)

    def truth_pose(self) -> np.ndarray:
        """Return the true pose (3,) alone."""
        position, rotation = self.engine.base()
        return np.array([*position[:2], math.atan2(rotation[1, 0], rotation[0, 0])])

    def camera(self) -> np.ndarray:
        """Take a picture, (H, W, 3) uint8 rgb."""
        position, rotation = self.engine.base()
        mount = self.robot.camera_mount
        eye = position + rotation @ mount[:3]
        pitch, yaw = mount[4], mount[5]
        ahead = rotation @ [math.cos(yaw) * math.cos(pitch), math.sin(yaw) * math.cos(pitch),
                            -math.sin(pitch)]
        picture = self.engine.picture(eye, ahead, rotation @ [0, 0, 1])
        if self.lens.on:
            picture = self.lens.take(picture, self.time_ns, self._twist())
        if self.noise.pixel:
            grain = self.rng.integers(-128, 128, picture.shape, np.int8) * (self.noise.pixel / 74)
            picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(picture)

    def _twist(self) -> tuple[float, float]:
        """Return the true speed m/s along the camera's view, and the turning rate rad/s."""
        _, rotation = self.engine.base()
        linear, angular = self.engine.velocity()
        return float(rotation[:, 0] @ linear), float(angular[2])

    def scan(self) -> np.ndarray:
        """Sweep the lidar, (R,) float64 m; no return is what the robot file says."""
        position, rotation = self.engine.base()
        mount = self.robot.body.mount(self.robot.lidar.link)
        origin = position + rotation @ mount[:3]
        angles = self.angles + mount[5]
        rays = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], 1) @ rotation.T
        reach = self.robot.lidar_range_m[1]
        share = self.engine.beams(origin, origin + reach * rays)
        ranges = share * reach + self.rng.normal(0, self.noise.lidar_m, len(share))
        return np.where(share >= 1.0, self.robot.lidar_no_return,
                        np.maximum(ranges, self.robot.lidar_range_m[0]))

    def odometry(self) -> tuple[np.ndarray, np.ndarray]:
        """Return pose (3,) in odom and twist (2,) in base_link, as the wheels tell."""
        return self.reckoning.pose.copy(), self.reckoning.twist.copy()

    def imu(self) -> tuple[np.ndarray, np.ndarray]:
        """Return angular velocity rad/s (3,) and acceleration m/s^2 (3,), imu_link axes."""
        _, rotation = self.engine.base()
        velocity, spin = self.engine.velocity()
        before, self.moved = self.moved, (velocity, np.array([self.steps]))
        dt_s = max((self.steps - before[1][0]) * STEP_S, STEP_S)
        accel = rotation.T @ ((velocity - before[0]) / dt_s + [0, 0, 9.81])
        return (rotation.T @ spin + self.rng.normal(0, self.noise.gyro_radps, 3),
                accel + self.rng.normal(0, self.noise.accel_mps2, 3))

    def close(self) -> None:
        """Give back what the engine holds."""
        self.engine.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
