# SPDX-License-Identifier: Apache-2.0
"""Builds a scene in PyBullet: one mesh that is seen, compound shapes that collide."""

import math
from pathlib import Path
import tempfile

import cv2
import pybullet

from ami_ros.sim.scenes.baking import bake, bake_person, Mesh
from ami_ros.sim.scenes.elements import Lighting, Person, Solid
from ami_ros.sim.scenes.scene import Scene
from ami_ros.sim.scenes.visible_surfaces import person_parts

FLOOR_M = 0.05          # half its thickness
FLOOR_GRIP = 0.9        # friction, as in the protocol's room
MOST_PARTS = 16         # MAX_COMPOUND_COLLISION_SHAPES of PyBullet


def build_scene(client: int, scene: Scene, texels_per_m: float) -> list[int]:
    """Build everything that stands still; return the bodies that a rover must not touch."""
    x0, y0, x1, y1 = scene.bounds
    unseen = nothing(client)
    shape = pybullet.createCollisionShape(
        pybullet.GEOM_BOX, halfExtents=[(x1 - x0) / 2 + 1, (y1 - y0) / 2 + 1, FLOOR_M],
        physicsClientId=client)
    floor = pybullet.createMultiBody(
        0, shape, unseen, [(x0 + x1) / 2, (y0 + y1) / 2, -FLOOR_M], physicsClientId=client)
    pybullet.changeDynamics(floor, -1, lateralFriction=FLOOR_GRIP, physicsClientId=client)
    mesh = bake(scene, texels_per_m)
    painted(client, pybullet.createMultiBody(0, -1, seen(client, mesh), physicsClientId=client),
            mesh)
    return [pybullet.createMultiBody(
        0, compound(client, scene.solids[begin:begin + MOST_PARTS]), unseen,
        physicsClientId=client)
        for begin in range(0, len(scene.solids), MOST_PARTS)]


def build_person(client: int, person: Person, light: Lighting) -> int:
    """Build somebody at the start of the path; return the body."""
    mesh = bake_person(person, light)
    solids = [Solid(part.shape, part.at, part.half) for part in person_parts(person)]
    body = pybullet.createMultiBody(0, compound(client, solids), seen(client, mesh),
                                    [*person.path[0], 0.0], physicsClientId=client)
    return painted(client, body, mesh)


def seen(client: int, mesh: Mesh) -> int:
    """Make the visual shape of a mesh."""
    return pybullet.createVisualShape(
        pybullet.GEOM_MESH, vertices=mesh.vertices.tolist(),
        indices=mesh.triangles.reshape(-1).tolist(), uvs=mesh.uvs.tolist(),
        normals=mesh.normals.tolist(), physicsClientId=client)


def nothing(client: int) -> int:
    """Make a visual shape that is never seen; without one PyBullet draws what collides."""
    return pybullet.createVisualShape(
        pybullet.GEOM_MESH, vertices=[[0, 0, -9], [0.001, 0, -9], [0, 0.001, -9]],
        indices=[0, 1, 2], uvs=[[0, 0]] * 3, normals=[[0, 0, -1]] * 3, physicsClientId=client)


def painted(client: int, body: int, mesh: Mesh) -> int:
    """Give a body the picture of its mesh; PyBullet reads it from a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / 'atlas.bmp')      # not compressed: it lives for a moment
        if not cv2.imwrite(path, mesh.picture[..., ::-1]):
            raise OSError(f'{path} could not be written')
        texture = pybullet.loadTexture(path, physicsClientId=client)
    pybullet.changeVisualShape(body, -1, textureUniqueId=texture, physicsClientId=client)
    return body


def compound(client: int, solids) -> int:
    """Make one collision shape of several solids."""
    kinds = {'box': pybullet.GEOM_BOX, 'cylinder': pybullet.GEOM_CYLINDER}
    return pybullet.createCollisionShapeArray(
        shapeTypes=[kinds[s.shape] for s in solids],
        halfExtents=[list(s.half) for s in solids],
        radii=[s.half[0] for s in solids], lengths=[2 * s.half[2] for s in solids],
        collisionFramePositions=[list(s.at) for s in solids],
        collisionFrameOrientations=[[0.0, 0.0, math.sin(s.yaw_rad / 2), math.cos(s.yaw_rad / 2)]
                                    for s in solids],
        physicsClientId=client)
