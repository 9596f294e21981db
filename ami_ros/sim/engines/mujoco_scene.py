# SPDX-License-Identifier: Apache-2.0
"""Builds a scene and a rover in MuJoCo: geometry that collides, meshes that are seen."""

import math

import mujoco
import numpy as np

from ami_ros.sim.scenes.baking import Mesh
from ami_ros.sim.scenes.elements import Solid
from ami_ros.sim.scenes.scene import Scene
from ami_ros.sim.scenes.visible_surfaces import person_parts

FLOOR = 'floor'
SEEN, SOLID, OWN = 2, 3, 4                          # groups of geometry
BEAMS_SEE = np.array([0, 0, 0, 1, 0, 0], np.uint8)
GRIP, SLIDE, SIDE_GRIP = 0.9, 0.018, 0.25           # friction, as PyBullet multiplies it
TOUCH_M = 0.001                                     # contacts are listed from this gap on
WHEEL_GAIN = 5.0        # Nm s/rad: a wheel follows its speed within 5 ms, up to its torque


def person_body(index: int) -> str:
    """Name the body of somebody."""
    return f'person_{index}'


def model_of(scene: Scene, urdf: str, meshes: list[Mesh], step_s: float,
             torque_nm: float) -> mujoco.MjModel:
    """Compile the model; the first mesh is the scene's, the others are people."""
    spec = mujoco.MjSpec.from_file(str(urdf))
    option = spec.option
    option.timestep, option.integrator = step_s, mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone, option.impratio = mujoco.mjtCone.mjCONE_ELLIPTIC, 10
    spec.visual.headlight.ambient = spec.visual.headlight.diffuse = np.zeros(3)
    spec.visual.headlight.specular = np.zeros(3)
    rover(spec, torque_nm)
    world = spec.worldbody
    world.add_geom(name=FLOOR, type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1], group=SOLID,
                   contype=2, conaffinity=1, friction=[GRIP, 0, 0])
    for solid in scene.solids:
        add_solid(world, solid)
    add_mesh(spec, world, 'scene', meshes[0])
    for index, (person, mesh) in enumerate(zip(scene.people, meshes[1:])):
        body = world.add_body(name=person_body(index), mocap=True,
                              pos=[*person.path[0], 0.0])
        for part in person_parts(person):
            add_solid(body, Solid(part.shape, part.at, part.half))
        add_mesh(spec, body, person_body(index), mesh)
    model = spec.compile()
    for name, mesh in zip(('scene', *map(person_body, range(len(scene.people)))), meshes):
        paint(model, name, mesh.picture)
    return model


def paint(model: mujoco.MjModel, name: str, picture: np.ndarray) -> None:
    """Put a picture into a texture of its size; row 0 of a texture is the lower edge."""
    texture = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_TEXTURE, name)
    at = model.tex_adr[texture]
    model.tex_data[at:at + picture.size] = picture[::-1].ravel()


def rover(spec: mujoco.MjSpec, torque_nm: float) -> None:
    """Free the base, give the wheels motors and grip."""
    spec.compiler.fusestatic = spec.compiler.discardvisual = False
    base = spec.body('base_link')
    base.add_freejoint(name='base')
    for body in spec.bodies:
        for geom in body.geoms:
            wheel = 'wheel' in body.name
            grip = GRIP if wheel else SLIDE if 'caster' in body.name else SIDE_GRIP
            geom.contype, geom.conaffinity, geom.group = 1, 2, OWN
            geom.priority, geom.friction = 1, [grip, 0, 0]
            geom.margin = geom.gap = 0.0
            if wheel and geom.type == mujoco.mjtGeom.mjGEOM_CYLINDER:
                # rolls on one point: on two edges it would turn about the outer one
                radius, half = geom.size[:2]
                geom.type, geom.size = mujoco.mjtGeom.mjGEOM_ELLIPSOID, [radius, radius, half]
    for side in ('left', 'right'):
        motor = spec.add_actuator(name=f'{side}_motor', target=f'{side}_wheel_joint',
                                  trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.set_to_velocity(kv=WHEEL_GAIN)
        motor.forcelimited, motor.forcerange = True, [-torque_nm, torque_nm]


def add_solid(body, solid: Solid) -> None:
    """Add what collides and stops a beam."""
    box = solid.shape == 'box'
    size = list(solid.half) if box else [solid.half[0], solid.half[2], 0.0]
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX if box else mujoco.mjtGeom.mjGEOM_CYLINDER,
                  size=size, pos=list(solid.at), group=SOLID, contype=2, conaffinity=1,
                  quat=[math.cos(solid.yaw_rad / 2), 0.0, 0.0, math.sin(solid.yaw_rad / 2)],
                  margin=TOUCH_M, gap=TOUCH_M)


def add_mesh(spec, body, name: str, mesh: Mesh) -> None:
    """Add what is seen; its colours are final, so it shines by itself."""
    height, width = mesh.picture.shape[:2]
    spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=width, height=height,
                     nchannel=3, builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT)
    material = spec.add_material(name=name, emission=1.0, specular=0.0, shininess=0.0)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    faces = mesh.triangles.astype(np.int32).ravel()
    spec.add_mesh(name=name, uservert=mesh.vertices.astype(np.float32).ravel(), userface=faces,
                  usertexcoord=mesh.uvs.astype(np.float32).ravel(), userfacetexcoord=faces,
                  inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, material=name, group=SEEN,
                  contype=0, conaffinity=0, mass=0.0)
