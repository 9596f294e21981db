# SPDX-License-Identifier: Apache-2.0
"""PyBullet with its TinyRenderer: the reference engine, bit-identical for the same commands."""

import math
from typing import Any

import numpy as np
import pybullet

from ami_ros.sim import pybullet_room
from ami_ros.sim.engines import FAR_M, TORQUE_NM
from ami_ros.sim.engines.pybullet_scene import build_person, build_scene
from ami_ros.sim.furnished_room import Shade, World
from ami_ros.sim.scenes.baking import density
from ami_ros.sim.scenes.scene import Scene

COM_M = 0.07            # base_link lies on the floor; PyBullet reports the centre of mass above it
START_M = COM_M + 0.001         # of the centre of mass of a robot that is put on the floor
TOUCH_M = 0.001         # nearer is a contact
# Of the solver in scenes: half the time of 50. After 6 s of turns to and fro the pose differs by
# up to 15 mm and 0.09 rad, as it does between 50 and 10; after a straight drive by 0.3 mm.
ITERATIONS = 20
OWN_LIGHT = {'lightAmbientCoeff': 1.0, 'lightDiffuseCoeff': 0.0, 'lightSpecularCoeff': 0.0}


def shading(world: World) -> dict:
    """Return PyBullet's arguments for the light of the protocol's room."""
    usual = {'lightDirection': world.light}
    if world.shade == Shade():
        return usual
    return usual | {'lightColor': world.shade.colour, 'lightAmbientCoeff': world.shade.ambient,
                    'lightDiffuseCoeff': world.shade.diffuse}


def open_in(world, robot, size: tuple[int, int]) -> 'PyBulletEngine':
    """Build a scene or a World."""
    return PyBulletEngine(world, robot, size)


class PyBulletEngine:
    """One physics client of its own."""

    def __init__(self, world, robot, size: tuple[int, int]):
        self.client = pybullet.connect(pybullet.DIRECT)
        self.at = {'physicsClientId': self.client}
        try:
            self._build(world, robot, size)
        except BaseException:
            self.close()
            raise

    def _build(self, world, robot, size) -> None:
        at = self.at
        pybullet.setGravity(0, 0, -9.81, **at)
        pybullet.setPhysicsEngineParameter(deterministicOverlappingPairs=1, **at)
        scene = world if isinstance(world, Scene) else None
        plain: Any = world if scene is None else scene.world
        far = FAR_M
        self.shade: dict = OWN_LIGHT
        if plain is not None:
            self.solids = set(pybullet_room.build(self.client, plain))
            self.shade = shading(plain)
        elif scene is not None:
            self.solids = set(build_scene(self.client, scene, density(size)))
            pybullet.setPhysicsEngineParameter(numSolverIterations=ITERATIONS, **at)
            far = max(far, 3 * scene.half_m)
        self.rover = pybullet.loadURDF(robot.urdf, [0, 0, 0.005], **at)
        joints = {pybullet.getJointInfo(self.rover, j, **at)[1].decode(): j
                  for j in range(pybullet.getNumJoints(self.rover, **at))}
        self.driven = [joints['left_wheel_joint'], joints['right_wheel_joint']]
        for name, joint in joints.items():
            grip = 1.0 if 'wheel' in name else 0.02
            pybullet.changeDynamics(self.rover, joint, lateralFriction=grip, **at)
        self.people = [build_person(self.client, person, scene.lighting)
                       for person in scene.people] if scene is not None else []
        self.solids.update(self.people)
        self.size = size
        width, height = size
        fov = 2 * math.atan(math.tan(robot.camera_hfov_rad / 2) * height / width)
        self.projection = pybullet.computeProjectionMatrixFOV(
            math.degrees(fov), width / height, 0.02, far)

    def place(self, x: float, y: float, yaw: float) -> None:
        """Put the rover at rest with its wheels at angle zero."""
        pybullet.resetBasePositionAndOrientation(
            self.rover, [x, y, START_M], pybullet.getQuaternionFromEuler([0, 0, yaw]),
            **self.at)
        pybullet.resetBaseVelocity(self.rover, [0, 0, 0], [0, 0, 0], **self.at)
        for wheel in self.driven:
            pybullet.resetJointState(self.rover, wheel, 0.0, 0.0, **self.at)

    def step(self, left_radps: float, right_radps: float) -> None:
        """Advance by STEP_S, which is PyBullet's own."""
        pybullet.setJointMotorControlArray(
            self.rover, self.driven, pybullet.VELOCITY_CONTROL,
            targetVelocities=(left_radps, right_radps),
            forces=(TORQUE_NM, TORQUE_NM), physicsClientId=self.client)
        pybullet.stepSimulation(physicsClientId=self.client)

    def wheels(self) -> tuple[float, float]:
        """Return the angles of the left and the right wheel, rad."""
        (left, *_), (right, *_) = pybullet.getJointStates(self.rover, self.driven, **self.at)
        return left, right

    def base(self) -> tuple[np.ndarray, np.ndarray]:
        """Return position (3,) and rotation (3, 3) of base_link."""
        position, quaternion = pybullet.getBasePositionAndOrientation(self.rover, **self.at)
        rotation = np.array(pybullet.getMatrixFromQuaternion(quaternion)).reshape(3, 3)
        return np.array(position) - rotation @ [0, 0, COM_M], rotation

    def velocity(self) -> tuple[np.ndarray, np.ndarray]:
        """Return linear and angular velocity, (3,) each."""
        linear, angular = pybullet.getBaseVelocity(self.rover, **self.at)
        return np.array(linear), np.array(angular)

    def touching(self) -> bool:
        """Tell whether the rover touches anything but the floor now."""
        contacts = pybullet.getContactPoints(self.rover, physicsClientId=self.client)
        return any(c[2] in self.solids and c[8] < TOUCH_M for c in contacts)

    def picture(self, eye, ahead, up) -> np.ndarray:
        """Render by TinyRenderer, (H, W, 3) uint8."""
        view = pybullet.computeViewMatrix(eye.tolist(), (eye + ahead).tolist(), up.tolist())
        width, height = self.size
        pixels = pybullet.getCameraImage(
            width, height, view, self.projection, shadow=0,
            flags=pybullet.ER_NO_SEGMENTATION_MASK, renderer=pybullet.ER_TINY_RENDERER,
            **self.shade, **self.at)[2]
        return np.asarray(pixels, np.uint8).reshape(height, width, 4)[..., :3]

    def beams(self, origin, ends) -> np.ndarray:
        """Return the free share (R,) of each beam."""
        hits = pybullet.rayTestBatch(
            np.repeat(origin[None], len(ends), 0).tolist(), ends.tolist(), **self.at)
        return np.array([h[2] for h in hits])

    def move_person(self, index: int, x: float, y: float, yaw: float) -> None:
        """Put somebody somewhere."""
        pybullet.resetBasePositionAndOrientation(
            self.people[index], [x, y, 0.0], [0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)],
            **self.at)

    def close(self) -> None:
        """Give the physics client back."""
        if pybullet.isConnected(self.client):
            pybullet.disconnect(self.client)
