# SPDX-License-Identifier: Apache-2.0
"""Bakes the protocol's room as PyBullet shows it, so that another engine shows the same room.

PyBullet's renderer stretches a texture over a box in sixteen parts, six of them seen, and wraps it
around a cylinder by the direction from its middle. Its light is ambient plus diffuse.
"""

from dataclasses import dataclass
import math

import numpy as np

from ami_ros.sim.furnished_room import pictures, SIZE_M, WALL_M, World
from ami_ros.sim.scenes.baking import atlas_of, Mesh, mesh
from ami_ros.sim.scenes.visible_surfaces import Panel

ROUND = 32              # panels around a cylinder
TEXELS = 16             # of a panel of a cylinder, along its height
SHARP = 4               # texels of the atlas per texel of a texture, so that its edges stay sharp
ALL = (0.0, 1.0, 0.0, 1.0)
X, Y, Z = np.eye(3)


@dataclass(frozen=True)
class Face:
    """A side of a box of which a texture shows one sixteenth; axes are those of the box."""

    normal: np.ndarray          # (3,) outwards
    right: np.ndarray           # (3,) as seen from outside
    up: np.ndarray              # (3,)
    column: int                 # of the sixteenth
    row: int
    turned: bool = False        # columns run down and rows to the right
    columns_left: bool = False  # columns run to the left
    rows_up: bool = False       # rows run upwards


FACES = (
    Face(X, Y, Z, 0, 2, turned=True),
    Face(-X, -Y, Z, 2, 3, columns_left=True),
    Face(Y, -X, Z, 0, 3, columns_left=True),
    Face(-Y, X, Z, 1, 2, rows_up=True),
    Face(Z, X, Y, 3, 3, rows_up=True),
)


def bake_world(world: World) -> Mesh:
    """Bake the room of the protocol."""
    out: list[tuple[Panel, np.ndarray]] = []
    half = SIZE_M / 2
    floor, walls, furnished = pictures(world)
    light = np.asarray(world.light) / np.linalg.norm(world.light)

    def shade(normals: np.ndarray) -> np.ndarray:
        """Return the share (..., 3) of its colour that a surface shows."""
        fall = np.maximum(normals @ light, 0.0)[..., None]
        return world.shade.ambient + world.shade.diffuse * fall * np.asarray(world.shade.colour)

    out += box((0.0, 0.0, -0.05), (half, half, 0.05), 0.0, floor, shade)[4:]
    for side, picture in enumerate(walls):
        x, y = [(0, half + 0.05), (half + 0.05, 0), (0, -half - 0.05), (-half - 0.05, 0)][side]
        size = (0.05, half + 0.1) if side % 2 else (half + 0.1, 0.05)
        out += box((x, y, WALL_M / 2), (*size, WALL_M / 2), 0.0, picture, shade)
    for piece, picture in zip(world.pieces, furnished):
        at, high = (piece.x_m, piece.y_m, piece.height_m / 2), piece.height_m / 2
        out += (cylinder(at, piece.half[0], high, piece.yaw_rad, picture, shade)
                if piece.shape == 'cylinder'
                else box(at, (*piece.half, high), piece.yaw_rad, picture, shade))
    # PyBullet shows white where there is nothing; from inside, a white ceiling looks the same
    out.append((Panel(np.array([-half, half, WALL_M]), 2 * half * X, -2 * half * Y),
                np.full((4, 4, 3), 255, np.uint8)))
    atlas, places = atlas_of([picture for _, picture in out])
    return mesh([(panel, (picture.shape[1], picture.shape[0]), place, ALL)
                 for (panel, picture), place in zip(out, places)], atlas)


def box(at, half, yaw: float, picture: np.ndarray, shade) -> list[tuple[Panel, np.ndarray]]:
    """Return panels and lit pictures of the sides and the top of a box."""
    c, s = math.cos(yaw), math.sin(yaw)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    half, out = np.asarray(half, float), []
    h, w = picture.shape[0] // 4, picture.shape[1] // 4
    for face in FACES:
        part = picture[face.row * h:(face.row + 1) * h, face.column * w:(face.column + 1) * w]
        part = part.transpose(1, 0, 2) if face.turned else part
        part = part[:, ::-1] if face.columns_left else part
        part = part[::-1] if face.rows_up else part
        reach = {name: np.abs(getattr(face, name)) @ half for name in ('normal', 'right', 'up')}
        corner = (face.normal * reach['normal'] - face.right * reach['right']
                  - face.up * reach['up'])
        panel = Panel(np.asarray(at) + turn @ corner, turn @ (2 * reach['right'] * face.right),
                      turn @ (2 * reach['up'] * face.up))
        out.append((panel, lit(part.repeat(SHARP, 0).repeat(SHARP, 1),
                               shade(turn @ face.normal))))
    return out


def cylinder(at, radius: float, high: float, yaw: float, picture: np.ndarray,
             shade) -> list[tuple[Panel, np.ndarray]]:
    """Return panels and lit pictures around a cylinder; no robot sees its top."""
    out = []
    c, s = math.cos(yaw), math.sin(yaw)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    angles = 2 * math.pi * np.arange(ROUND + 1) / ROUND
    ring = np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1)
    rise = (np.arange(TEXELS)[::-1, None, None] + 0.5) / TEXELS
    run = (np.arange(4)[None, :, None] + 0.5) / 4
    for begin, end in zip(ring, ring[1:]):
        low, low_end = np.array([*begin, -high]), np.array([*end, -high])
        # what PyBullet knows at the corners, in between by straight lines
        corners = [p / np.linalg.norm(p) for p in (
            low, low_end, np.array([*begin, high]), np.array([*end, high]))]
        uvs = [np.array([0.5 + math.atan2(p[0], p[2]) / (2 * math.pi), 0.5 - 0.5 * p[1]])
               for p in corners]
        uv, normals = ((1 - rise) * ((1 - run) * a + run * b) + rise * ((1 - run) * d + run * e)
                       for a, b, d, e in (uvs, corners))
        h, w = picture.shape[:2]
        rows = np.clip((uv[..., 1] * h).astype(int), 0, h - 1)
        columns = np.clip((uv[..., 0] * w).astype(int), 0, w - 1)
        normals = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
        panel = Panel(np.asarray(at) + turn @ low, turn @ (low_end - low), 2 * high * Z)
        out.append((panel, lit(picture[rows, columns], shade(normals @ turn.T))))
    return out


def lit(picture: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Darken a picture."""
    return np.clip(picture * share + 0.5, 0, 255).astype(np.uint8)
