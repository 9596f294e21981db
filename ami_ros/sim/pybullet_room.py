# SPDX-License-Identifier: Apache-2.0
"""Puts a world into PyBullet: walls, floor, furniture, each with its painted texture."""

from pathlib import Path
import tempfile

import numpy as np
import pybullet

from ami_ros.perception.images import codec
from ami_ros.sim.furnished_room import pictures, Piece, SIZE_M, WALL_M, World

THICK_M = 0.05


def build(client: int, world: World) -> list[int]:
    """Build the room and return the bodies that a rover must not touch."""
    floor_picture, walls, furnished = pictures(world)
    half = SIZE_M / 2
    with tempfile.TemporaryDirectory() as folder:
        def paint(body: int, picture: np.ndarray) -> int:
            path = Path(folder) / f'{body}.png'
            path.write_bytes(codec.to_png(picture))
            pybullet.changeVisualShape(body, -1, physicsClientId=client, textureUniqueId=(
                pybullet.loadTexture(str(path), physicsClientId=client)))
            return body

        def block(half_extents, position, yaw=0.0) -> int:
            return solid(client, pybullet.GEOM_BOX, position, yaw, halfExtents=half_extents)

        floor = paint(block([half, half, THICK_M], [0, 0, -THICK_M]), floor_picture)
        pybullet.changeDynamics(floor, -1, lateralFriction=0.9, physicsClientId=client)
        bodies = []
        for side, picture in enumerate(walls):
            along = [half + 2 * THICK_M, THICK_M, WALL_M / 2]
            x, y = [(0, half + THICK_M), (half + THICK_M, 0),
                    (0, -half - THICK_M), (-half - THICK_M, 0)][side]
            if side % 2:
                along = [along[1], along[0], along[2]]
            bodies.append(paint(block(along, [x, y, WALL_M / 2]), picture))
        for piece, picture in zip(world.pieces, furnished):
            bodies.append(paint(furniture(client, piece), picture))
    return bodies


def furniture(client: int, piece: Piece) -> int:
    """Stand one piece on the floor; return its body."""
    position = [piece.x_m, piece.y_m, piece.height_m / 2]
    if piece.shape == 'cylinder':
        return solid(client, pybullet.GEOM_CYLINDER, position, piece.yaw_rad,
                     radius=piece.half[0], height=piece.height_m)
    return solid(client, pybullet.GEOM_BOX, position, piece.yaw_rad,
                 halfExtents=[*piece.half, piece.height_m / 2])


def solid(client: int, kind: int, position, yaw: float, **shape) -> int:
    """Make a body without mass that collides and is seen as the same shape."""
    seen = dict(shape)
    if 'height' in seen:        # PyBullet names the same length differently for sight
        seen['length'] = seen.pop('height')
    return pybullet.createMultiBody(
        0, pybullet.createCollisionShape(kind, physicsClientId=client, **shape),
        pybullet.createVisualShape(kind, rgbaColor=[1, 1, 1, 1], physicsClientId=client, **seen),
        position, pybullet.getQuaternionFromEuler([0, 0, yaw]), physicsClientId=client)
