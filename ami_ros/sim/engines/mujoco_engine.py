# SPDX-License-Identifier: Apache-2.0
"""MuJoCo, with OpenGL where it is found, else with rays in numpy."""

import math
import os

import numpy as np

os.environ.setdefault('MUJOCO_GL', 'egl')           # before mujoco: needs no display
os.environ.setdefault('LP_NUM_THREADS', '1')        # Mesa's: threads of small pictures only wait

import mujoco  # noqa: E402

from ami_ros.sim.engines import FAR_M, STEP_S, TORQUE_NM  # noqa: E402
from ami_ros.sim.engines.mujoco_scene import BEAMS_SEE, FLOOR, model_of, person_body  # noqa: E402
from ami_ros.sim.engines.ray_renderer import RayRenderer  # noqa: E402
from ami_ros.sim.scenes.baking import bake, bake_person, density  # noqa: E402
from ami_ros.sim.scenes.protocol_room import of_world  # noqa: E402
from ami_ros.sim.scenes.protocol_room_mesh import bake_world  # noqa: E402
from ami_ros.sim.scenes.scene import Scene  # noqa: E402

SUBSTEPS = 2            # of MuJoCo's in one STEP_S; contacts of small wheels need it
TOUCH_M = 0.001         # nearer is a contact
START_M = 0.001         # above the floor
NEAR_M = 0.02


def open_in(world, robot, size: tuple[int, int]) -> 'MujocoEngine':
    """Build a scene or a World."""
    return MujocoEngine(world, robot, size)


class MujocoEngine:
    """One model with its data. Looks are baked, so that its pictures are those of PyBullet."""

    def __init__(self, world, robot, size: tuple[int, int]):
        scene = world if isinstance(world, Scene) else of_world(world)
        light = scene.lighting
        self.meshes = [bake_world(scene.world) if scene.world else bake(scene, density(size)),
                       *(bake_person(p, light, density(size)) for p in scene.people)]
        self.model = model_of(scene, robot.urdf, self.meshes, STEP_S / SUBSTEPS, TORQUE_NM)
        self.data = mujoco.MjData(self.model)
        names = {mujoco.mj_id2name(self.model, mujoco.mjtObj.mjOBJ_JOINT, j): j
                 for j in range(self.model.njnt)}
        self.driven = [int(self.model.jnt_qposadr[names[f'{side}_wheel_joint']])
                       for side in ('left', 'right')]
        self.rover = mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_BODY, 'base_link')
        self.floor = mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_GEOM, FLOOR)
        bodies = self.model.geom_bodyid
        self.own = self.model.body_rootid[bodies] == self.rover
        self.mocap = [int(self.model.body_mocapid[mujoco.mj_name2id(
            self.model, mujoco.mjtObj.mjOBJ_BODY, person_body(k))])
            for k in range(len(scene.people))]
        self.places: list[np.ndarray] = [np.zeros(3) for _ in scene.people]
        self.size, self.far = size, max(FAR_M, 3 * scene.half_m)
        width, height = size
        self.top = NEAR_M * math.tan(robot.camera_hfov_rad / 2) * height / width
        self.side = NEAR_M * math.tan(robot.camera_hfov_rad / 2)
        self.slow = RayRenderer(size, robot.camera_hfov_rad)
        self.gl = self._open_gl()

    def _open_gl(self):
        """Open OpenGL; None where there is none."""
        if os.environ.get('MUJOCO_GL') in ('', 'disable', 'off', '0'):
            return None
        try:
            self.model.vis.global_.offwidth = max(640, self.size[0])
            self.model.vis.global_.offheight = max(480, self.size[1])
            gl = mujoco.Renderer(self.model, self.size[1], self.size[0])
        except Exception:       # whatever a GL library raises where it finds no device
            return None
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION,
                     mujoco.mjtRndFlag.mjRND_HAZE, mujoco.mjtRndFlag.mjRND_SKYBOX,
                     mujoco.mjtRndFlag.mjRND_FOG):
            gl.scene.flags[flag] = 0
        self.seen = mujoco.MjvOption()
        self.seen.geomgroup[:] = 0
        self.seen.geomgroup[2] = 1
        return gl

    @property
    def renderer(self) -> str:
        """Tell what makes the pictures."""
        return self.slow.name if self.gl is None else 'OpenGL'

    def place(self, x: float, y: float, yaw: float) -> None:
        """Put the rover at rest with its wheels at angle zero."""
        people = self.data.mocap_pos.copy(), self.data.mocap_quat.copy()
        mujoco.mj_resetData(self.model, self.data)
        self.data.mocap_pos[:], self.data.mocap_quat[:] = people
        self.data.qpos[:7] = x, y, START_M, math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)
        mujoco.mj_forward(self.model, self.data)

    def step(self, left_radps: float, right_radps: float) -> None:
        """Advance by STEP_S."""
        self.data.ctrl[:] = left_radps, right_radps
        mujoco.mj_step(self.model, self.data, SUBSTEPS)

    def wheels(self) -> tuple[float, float]:
        """Return the angles of the left and the right wheel, rad."""
        left, right = self.driven
        return float(self.data.qpos[left]), float(self.data.qpos[right])

    def base(self) -> tuple[np.ndarray, np.ndarray]:
        """Return position (3,) and rotation (3, 3) of base_link."""
        rotation = np.empty(9)
        mujoco.mju_quat2Mat(rotation, self.data.qpos[3:7])
        return self.data.qpos[:3].copy(), rotation.reshape(3, 3)

    def velocity(self) -> tuple[np.ndarray, np.ndarray]:
        """Return linear and angular velocity, (3,) each, in the axes of the scene."""
        _, rotation = self.base()
        return self.data.qvel[:3].copy(), rotation @ self.data.qvel[3:6]

    def touching(self) -> bool:
        """Tell whether the rover touches anything but the floor now."""
        pairs = self.data.contact.geom
        if not len(pairs):
            return False
        other = np.where(self.own[pairs[:, 0]], pairs[:, 1], pairs[:, 0])
        return bool(((other != self.floor) & (self.data.contact.dist < TOUCH_M)).any())

    def picture(self, eye, ahead, up) -> np.ndarray:
        """Render, (H, W, 3) uint8."""
        if self.gl is None:
            return self.slow.picture(eye, ahead, up, list(zip(
                self.meshes, [np.zeros(3), *self.places])))
        mujoco.mj_kinematics(self.model, self.data)
        self.gl.update_scene(self.data, scene_option=self.seen)
        for camera in self.gl.scene.camera:
            camera.pos[:], camera.forward[:], camera.up[:] = eye, ahead, up
            camera.frustum_near, camera.frustum_far = NEAR_M, self.far
            camera.frustum_bottom, camera.frustum_top = -self.top, self.top
            camera.frustum_center, camera.frustum_width = 0.0, self.side
        return self.gl.render()

    def beams(self, origin, ends) -> np.ndarray:
        """Return the free share (R,) of each beam."""
        ways = ends - origin
        reach = np.linalg.norm(ways, axis=1)
        rays = np.ascontiguousarray(ways / reach[:, None]).ravel()
        hit, far = np.empty(len(ends), np.int32), np.empty(len(ends))
        mujoco.mj_multiRay(self.model, self.data, np.asarray(origin, float), rays, BEAMS_SEE, True,
                           self.rover, hit, far, None, len(ends), float(reach.max()))
        return np.where((hit < 0) | (far >= reach), 1.0, far / reach)

    def move_person(self, index: int, x: float, y: float, yaw: float) -> None:
        """Put somebody somewhere."""
        mocap = self.mocap[index]
        self.data.mocap_pos[mocap] = x, y, 0.0
        self.data.mocap_quat[mocap] = math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)
        self.places[index] = np.array([x, y, yaw])

    def close(self) -> None:
        """Give the OpenGL context back."""
        if self.gl is not None:
            self.gl.close()
            self.gl = None
