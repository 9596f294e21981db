# SPDX-License-Identifier: Apache-2.0
"""The square room of the protocol: seven pieces in 6 m by 6 m, the same as ever.

PyBullet builds it from its World, so that pictures, beams and poses of a seed stay bit-identical.
Rooms, furniture and looks say the same as data, for the other engine and for other light.
"""

import numpy as np

from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.scenes.elements import Furniture, Lighting, Look, Part, Room
from ami_ros.sim.scenes.scene import check, Scene

LIGHT = Lighting('engine', (0.85, 0.85, 0.85), (1.0, 1.0, 1.0), 0.0)


def draw(seed: int) -> Scene:
    """Draw the room of a seed."""
    return of_world(worlds.draw(seed))


def of_world(world: worlds.World) -> Scene:
    """Tell a World as a scene."""
    rng = np.random.default_rng([world.seed, 0x7E8])

    def look(colour, k: int) -> Look:
        red, green, blue = map(float, colour)
        return Look('patches', world.seed * 16 + k, ((red, green, blue),))

    floor = look(rng.uniform(0.35, 0.7, 3), 0)
    north, east, south, west = (look(rng.uniform(0.5, 0.95, 3), 1 + k) for k in range(4))
    half = world.half_m
    room = Room(-half, -half, half, half, worlds.WALL_M, floor,
                (north, east, south, west),
                Look('plain', world.seed, ((0.8, 0.8, 0.8),)))
    return check(Scene('room', world.seed, (room,), (),
                       tuple(furniture(p, k, world) for k, p in enumerate(world.pieces)), LIGHT,
                       world=world))


def furniture(piece: worlds.Piece, index: int, world: worlds.World) -> Furniture:
    """Tell a Piece as furniture."""
    high = piece.height_m / 2
    part = Part(piece.shape, (0.0, 0.0, high), (*piece.half, high),
                Look('patches', world.seed * 16 + 5 + index, (piece.colour,)))
    return Furniture(piece.shape, piece.x_m, piece.y_m, piece.yaw_rad, piece.half, (part,))
