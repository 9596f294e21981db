# SPDX-License-Identifier: Apache-2.0
"""The rover in its room: physics, sensors, truth. Bit-identical for the same seed and commands."""

import math

import numpy as np
import pybullet

from ami_ros.agent.robots.robot import Robot
from ami_ros.sim import room
from ami_ros.sim.body import Truth
from ami_ros.sim.sensors import DeadReckoning, Noise
from ami_ros.sim.world import World

STEP_S = 1 / 240        # PyBullet's own; contacts of small wheels need it
TORQUE_NM = 0.6         # at a wall the wheels stall before they slip, as on a small real base
FAR_M = 20.0


class Simulator:
    """A differential-drive rover, driven by its wheels, in a furnished room.

    The camera's picture is (H, W, 3) uint8 rgb; the scan is in metres along `angles`.
    """

    def __init__(self, world: World, robot: Robot, seed: int, size: tuple[int, int] | None = None,
                 noise: Noise | None = None):
        self.world, self.robot, self.size = world, robot, size or robot.camera_size
        self.noise = Noise() if noise is None else noise
        self.client = pybullet.connect(pybullet.DIRECT)
        at = {'physicsClientId': self.client}
        pybullet.setGravity(0, 0, -9.81, **at)
        pybullet.setPhysicsEngineParameter(deterministicOverlappingPairs=1, **at)
        self.solids = set(room.build(self.client, world))
        self.rover = pybullet.loadURDF(robot.urdf, [0, 0, 0.005], **at)
        joints = {pybullet.getJointInfo(self.rover, j, **at)[1].decode(): j
                  for j in range(pybullet.getNumJoints(self.rover, **at))}
        self.wheels = [joints['left_wheel_joint'], joints['right_wheel_joint']]
        for name, joint in joints.items():
            grip = 1.0 if 'wheel' in name else 0.02
            pybullet.changeDynamics(self.rover, joint, lateralFriction=grip, **at)
        width, height = self.size
        fov = 2 * math.atan(math.tan(robot.camera_hfov_rad / 2) * height / width)
        self.projection = pybullet.computeProjectionMatrixFOV(
            math.degrees(fov), width / height, 0.02, FAR_M)
        self.blend = 1 - math.exp(-STEP_S / robot.actuation_lag_s)
        beams = robot.lidar_beams
        self.angles = -math.pi + 2 * math.pi * np.arange(beams) / beams
        self.reset(np.zeros(3), seed)

    def reset(self, pose, seed: int) -> None:
        """Put the rover somewhere, at rest, with fresh sensors and time zero."""
        at = {'physicsClientId': self.client}
        self.rng = np.random.default_rng([seed, 0x5EED])
        x, y, yaw = map(float, pose)
        pybullet.resetBasePositionAndOrientation(
            self.rover, [x, y, 0.001], pybullet.getQuaternionFromEuler([0, 0, yaw]), **at)
        pybullet.resetBaseVelocity(self.rover, [0, 0, 0], [0, 0, 0], **at)
        for wheel in self.wheels:
            pybullet.resetJointState(self.rover, wheel, 0.0, 0.0, **at)
        body = self.robot.body
        self.steps, self.touched = 0, False
        self.target, self.wanted, self.wanted_step = (0.0, 0.0), (0.0, 0.0), -10**9
        self.reckoning = DeadReckoning(body.wheel_radius_m, body.track_m, self.noise, self.rng)
        self.reckoned_step, self.moved = 0, (np.zeros(3), np.zeros(3))
        for _ in range(48):     # let it settle on its wheels before time begins
            self._physics()
        self.steps, self.touched = 0, False
        self._reckon()

    def carry(self, pose) -> None:
        """Put the rover down at another pose, at rest, while time and odometry go on."""
        at = {'physicsClientId': self.client}
        x, y, yaw = map(float, pose)
        pybullet.resetBasePositionAndOrientation(
            self.rover, [x, y, 0.001], pybullet.getQuaternionFromEuler([0, 0, yaw]), **at)
        pybullet.resetBaseVelocity(self.rover, [0, 0, 0], [0, 0, 0], **at)
        for wheel in self.wheels:
            pybullet.resetJointState(self.rover, wheel,
                                     pybullet.getJointState(self.rover, wheel, **at)[0], 0.0, **at)
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
        pybullet.setJointMotorControlArray(
            self.rover, self.wheels, pybullet.VELOCITY_CONTROL,
            targetVelocities=((v - w * half) / radius, (v + w * half) / radius),
            forces=(TORQUE_NM, TORQUE_NM), physicsClientId=self.client)
        pybullet.stepSimulation(physicsClientId=self.client)
        self.steps += 1
        if not self.touched:
            self.touched = self._touching()

    def _touching(self) -> bool:
        contacts = pybullet.getContactPoints(self.rover, physicsClientId=self.client)
        return any(c[2] in self.solids and c[8] < 0.001 for c in contacts)

    def _reckon(self) -> None:
        (left, *_), (right, *_) = pybullet.getJointStates(self.rover, self.wheels,
                                                          physicsClientId=self.client)
        self.reckoning.update(left, right, (self.steps - self.reckoned_step) * STEP_S)
        self.reckoned_step = self.steps

    def _pose(self) -> tuple[np.ndarray, np.ndarray]:
        position, quaternion = pybullet.getBasePositionAndOrientation(
            self.rover, physicsClientId=self.client)
        rotation = np.array(pybullet.getMatrixFromQuaternion(quaternion)).reshape(3, 3)
        # base_link lies on the floor; PyBullet reports the centre of mass, 7 cm above it
        return np.array(position) - rotation @ [0, 0, 0.07], rotation

    def truth(self) -> Truth:
        """Tell the true pose, speed, and whether anything was touched since the last call."""
        velocity, _ = pybullet.getBaseVelocity(self.rover, physicsClientId=self.client)
        touched, self.touched = self.touched, False
        return Truth(self.truth_pose(), float(math.hypot(*velocity[:2])), touched)

    def truth_pose(self) -> np.ndarray:
        """Return the true pose (3,) alone."""
        position, rotation = self._pose()
        return np.array([*position[:2], math.atan2(rotation[1, 0], rotation[0, 0])])

    def camera(self) -> np.ndarray:
        """Take a picture, (H, W, 3) uint8 rgb."""
        position, rotation = self._pose()
        mount = self.robot.camera_mount
        eye = position + rotation @ mount[:3]
        pitch, yaw = mount[4], mount[5]
        ahead = rotation @ [math.cos(yaw) * math.cos(pitch), math.sin(yaw) * math.cos(pitch),
                            -math.sin(pitch)]
        view = pybullet.computeViewMatrix(eye.tolist(), (eye + ahead).tolist(),
                                          (rotation @ [0, 0, 1]).tolist())
        width, height = self.size
        pixels = pybullet.getCameraImage(
            width, height, view, self.projection, lightDirection=self.world.light, shadow=0,
            flags=pybullet.ER_NO_SEGMENTATION_MASK, renderer=pybullet.ER_TINY_RENDERER,
            physicsClientId=self.client)[2]
        picture = np.asarray(pixels, np.uint8).reshape(height, width, 4)[..., :3]
        if self.noise.pixel:
            grain = self.rng.integers(-128, 128, picture.shape, np.int8) * (self.noise.pixel / 74)
            picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(picture)

    def scan(self) -> np.ndarray:
        """Sweep the lidar, (R,) float64 m; no return is what the robot file says."""
        position, rotation = self._pose()
        mount = self.robot.body.mounts[self.robot.lidar.link]
        origin = position + rotation @ mount[:3]
        angles = self.angles + mount[5]
        rays = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], 1) @ rotation.T
        reach = self.robot.lidar_range_m[1]
        hits = pybullet.rayTestBatch(
            np.repeat(origin[None], len(rays), 0).tolist(), (origin + reach * rays).tolist(),
            physicsClientId=self.client)
        share = np.array([h[2] for h in hits])
        ranges = share * reach + self.rng.normal(0, self.noise.lidar_m, len(share))
        return np.where(share >= 1.0, self.robot.lidar_no_return,
                        np.maximum(ranges, self.robot.lidar_range_m[0]))

    def odometry(self) -> tuple[np.ndarray, np.ndarray]:
        """Return pose (3,) in odom and twist (2,) in base_link, as the wheels tell."""
        return self.reckoning.pose.copy(), self.reckoning.twist.copy()

    def imu(self) -> tuple[np.ndarray, np.ndarray]:
        """Return angular velocity rad/s (3,) and acceleration m/s^2 (3,), imu_link axes."""
        _, rotation = self._pose()
        velocity, spin = (np.array(v) for v in pybullet.getBaseVelocity(
            self.rover, physicsClientId=self.client))
        before, self.moved = self.moved, (velocity, np.array([self.steps]))
        dt_s = max((self.steps - before[1][0]) * STEP_S, STEP_S)
        accel = rotation.T @ ((velocity - before[0]) / dt_s + [0, 0, 9.81])
        return (rotation.T @ spin + self.rng.normal(0, self.noise.gyro_radps, 3),
                accel + self.rng.normal(0, self.noise.accel_mps2, 3))

    def close(self) -> None:
        """Give the physics client back."""
        pybullet.disconnect(self.client)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
