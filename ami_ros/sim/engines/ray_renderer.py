# SPDX-License-Identifier: Apache-2.0
"""Renders a baked mesh by rays in numpy: slow, but it needs no GL and no display."""

import math

import numpy as np

from ami_ros.sim.scenes.baking import Mesh

NEAR_M = 0.02
WHITE = 255
PIXELS = 1024           # at a time, to bound the memory


class RayRenderer:
    """Pictures of rectangles; the mesh comes as two triangles for each, as `baking` makes it."""

    name = 'numpy rays'

    def __init__(self, size: tuple[int, int], hfov_rad: float):
        width, height = size
        tangent = math.tan(hfov_rad / 2)
        x = ((np.arange(width) + 0.5) / width * 2 - 1) * tangent
        y = (1 - (np.arange(height) + 0.5) / height * 2) * tangent * height / width
        self.size, self.across, self.up = size, x, y

    def picture(self, eye, ahead, up, meshes: list[tuple[Mesh, np.ndarray]]) -> np.ndarray:
        """Render meshes, each moved by (x, y, yaw), as seen from a place along a direction."""
        right = np.cross(ahead, up)
        rays = (ahead + self.across[None, :, None] * right
                + self.up[:, None, None] * up).reshape(-1, 3)
        out = np.full((len(rays), 3), WHITE, np.uint8)
        nearest = np.full(len(rays), np.inf)
        for mesh, (x, y, yaw) in meshes:
            c, s = math.cos(yaw), math.sin(yaw)
            turn = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
            for begin in range(0, len(rays), PIXELS):
                part = slice(begin, begin + PIXELS)
                draw(mesh, turn @ (eye - [x, y, 0]), rays[part] @ turn.T, nearest[part],
                     out[part])
        return out.reshape(self.size[1], self.size[0], 3)

    def close(self) -> None:
        """Nothing to give back."""


def draw(mesh: Mesh, eye, rays, nearest, out) -> None:
    """Write into `out` (N, 3) the colours of what is nearer along rays than `nearest` (N,)."""
    corners, uvs = mesh.vertices.reshape(-1, 4, 3), mesh.uvs.reshape(-1, 4, 2)
    origin, normal = corners[:, 0], mesh.normals[::4]
    u, v = corners[:, 1] - origin, corners[:, 3] - origin
    height = ((eye - origin) * normal).sum(1)
    front = height > 0                      # what is seen from behind is not drawn
    origin, normal, u, v, height = (a[front] for a in (origin, normal, u, v, height))
    uvs = uvs[front]
    with np.errstate(all='ignore'):
        far = -height / (rays @ normal.T)                   # (N, Q)
        base = ((eye - origin) * u).sum(1), ((eye - origin) * v).sum(1)
        a = (base[0] + far * (rays @ u.T)) / (u * u).sum(1)
        b = (base[1] + far * (rays @ v.T)) / (v * v).sum(1)
        hit = (far > NEAR_M) & (a >= 0) & (a <= 1) & (b >= 0) & (b <= 1)
    far = np.where(hit, far, np.inf)
    best = far.argmin(1)
    row = np.arange(len(rays))
    closer = far[row, best] < nearest
    row, best = row[closer], best[closer]
    nearest[row] = far[row, best]
    low, right, top = uvs[best, 0], uvs[best, 1], uvs[best, 3]
    at = low + a[row, best, None] * (right - low) + b[row, best, None] * (top - low)
    h, w = mesh.picture.shape[:2]
    x = np.clip((at[:, 0] * w).astype(int), 0, w - 1)
    y = np.clip(((1 - at[:, 1]) * h).astype(int), 0, h - 1)
    out[row] = mesh.picture[y, x]
