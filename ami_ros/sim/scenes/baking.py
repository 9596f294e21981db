# SPDX-License-Identifier: Apache-2.0
"""Paints and lights the surfaces of a scene into one picture and one mesh, for any engine."""

from dataclasses import dataclass

import cv2
import numpy as np

from ami_ros.sim.scenes import lighting, object_textures, textures
from ami_ros.sim.scenes.elements import Colour, Lighting, Look, Person
from ami_ros.sim.scenes.scene import Scene
from ami_ros.sim.scenes.visible_surfaces import Canvas, of_person, of_scene, Surfaces

TEXELS_PER_M = 32.0     # a picture of 64 pixels across 110 degrees has 22 at a distance of 1 m
LEAST = 3               # texels of a side
MOST = 1024
ATLAS = 2048            # width of the picture that holds all pictures
MARGIN = 2              # texels around each, so that neighbours do not shine through
CEILING_SHARE = 0.5     # of the density: it has little to show
SPREAD_M = 0.3          # between two samples of light
UNLIT: Colour = (0.0, 0.0, 0.0)     # sky of what is baked without a scene: it has no windows


def density(size: tuple[int, int]) -> float:
    """Texels per metre for pictures of a size: no finer than what they show, for they alias."""
    return TEXELS_PER_M * min(4.0, max(1.0, size[0] / 96))


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with a texture; colours are final, an engine adds no light of its own."""

    vertices: np.ndarray        # (V, 3) float64 m
    normals: np.ndarray         # (V, 3)
    uvs: np.ndarray             # (V, 2), 0 to 1, v up
    triangles: np.ndarray       # (T, 3) int
    picture: np.ndarray         # (H, W, 3) uint8 rgb


def bake(scene: Scene, texels_per_m: float = TEXELS_PER_M) -> Mesh:
    """Bake everything of a scene that stands still."""
    return baked(of_scene(scene), scene, texels_per_m)


def bake_person(person: Person, light: Lighting, texels_per_m: float = TEXELS_PER_M) -> Mesh:
    """Bake somebody at the origin, under the average light of a scene."""
    level = np.asarray(light.ambient, np.float32)
    level = level + 0.3 * light.window_power * np.asarray(light.sky, np.float32)
    for lamp in light.lamps:
        if lamp.on:
            level = level + 0.35 * lamp.power / len(light.lamps) * np.asarray(
                lamp.colour, np.float32)
    return baked(of_person(person)[0], level, texels_per_m)


def baked(surfaces: Surfaces, lit, texels_per_m: float) -> Mesh:
    """Paint all canvases, pack them, and make the mesh; `lit` is a scene or one colour."""
    sizes = [canvas_size(c, texels_per_m) for c in surfaces.canvases]
    if isinstance(lit, Scene):
        lights = light_grids(surfaces.canvases, lit)
    else:
        lights = [[np.broadcast_to(np.asarray(lit, np.float32), (2, 2, 3)) for _ in c.panels]
                  for c in surfaces.canvases]
    glow = lit.lighting.sky if isinstance(lit, Scene) else UNLIT
    atlas, places = atlas_of([developed(painted(canvas, w, h, grids, glow))
                              for canvas, (w, h), grids in zip(surfaces.canvases, sizes, lights)])
    where = {id(c): (s, p) for c, s, p in zip(surfaces.canvases, sizes, places)}
    return mesh([(quad.panel, *where[id(quad.canvas)],
                  (quad.left, quad.right, quad.low, quad.high)) for quad in surfaces.quads], atlas)


def canvas_size(canvas: Canvas, texels_per_m: float) -> tuple[int, int]:
    """Width and height of a canvas in texels."""
    wide, high = canvas.size_m
    if canvas.panels[0].normal[2] < -0.5:
        texels_per_m *= CEILING_SHARE
    least = LEAST * len(canvas.panels)
    return (min(MOST, max(least, round(wide * texels_per_m))),
            min(MOST, max(LEAST, round(high * texels_per_m))))


def light_grids(canvases: list[Canvas], scene: Scene) -> list[list[np.ndarray]]:
    """Light on a coarse grid of each panel of each canvas, row 0 above; all of a room at once."""
    out: list = [[None] * len(c.panels) for c in canvases]
    for index, room in enumerate(scene.rooms):
        mine = [(i, k, p, c.floor) for i, c in enumerate(canvases) if c.room == index
                for k, p in enumerate(c.panels)]
        if not mine:
            continue
        shapes, points, normals, floors = [], [], [], []
        for _, _, panel, floor in mine:
            spread = SPREAD_M / 2 if floor else SPREAD_M
            w, h = panel.size_m
            nw, nh = max(1, round(w / spread)) + 1, max(1, round(h / spread)) + 1
            a = (np.arange(nw) + 0.5) / nw
            b = (np.arange(nh)[::-1] + 0.5) / nh
            grid = (panel.origin + a[None, :, None] * panel.u + b[:, None, None] * panel.v)
            shapes.append((nh, nw))
            points.append(grid.reshape(-1, 3))
            normals.append(np.broadcast_to(panel.normal, (nh * nw, 3)))
            floors.append(np.full(nh * nw, floor))
        places, on_floor = np.concatenate(points), np.concatenate(floors)
        light = lighting.irradiance(scene, room, places, np.concatenate(normals)).astype(
            np.float32)
        light[on_floor] *= lighting.contact_shadow(scene, places[on_floor])[:, None]
        at = 0
        for (i, k, _, _), (nh, nw) in zip(mine, shapes):
            out[i][k] = light[at:at + nh * nw].reshape(nh, nw, 3)
            at += nh * nw
    return out


def painted(canvas: Canvas, w: int, h: int, grids, sky: Colour) -> np.ndarray:
    """Paint a canvas and light it, (H, W, 3) float32."""
    wide, high = canvas.size_m
    tpm_x, tpm_y = w / wide, h / high
    out = paint(canvas.look, h, w, tpm_y)
    edges = np.round(np.cumsum([0, *(p.size_m[0] for p in canvas.panels)]) * tpm_x).astype(int)
    for index, look in canvas.fronts.items():
        a, b = edges[index], max(edges[index] + 1, edges[index + 1])
        out[:, a:b] = paint(look, h, b - a, tpm_y)
    later = []
    for over in canvas.overlays:
        x0, x1 = (round(min(max(x * tpm_x, 0), w)) for x in (over.x_m, over.x_m + over.width_m))
        y0, y1 = (round(min(max(h - y * tpm_y, 0), h)) for y in (over.y_m + over.height_m,
                                                                  over.y_m))
        if x1 <= x0 or y1 <= y0:
            continue
        picture = paint(over.look, y1 - y0, x1 - x0, tpm_y)
        if over.look.kind in object_textures.GLOWS:
            later.append((y0, y1, x0, x1, picture, over.look))
        else:
            out[y0:y1, x0:x1] = picture
    for index, grid in enumerate(grids):
        a, b = edges[index], max(edges[index] + 1, edges[index + 1])
        if b > a and a < w:
            out[:, a:b] *= cv2.resize(grid, (min(b, w) - a, h), interpolation=cv2.INTER_LINEAR)
    for y0, y1, x0, x1, picture, look in later:
        own = np.array(look.colours[0] if look.kind == 'lamp' else sky, np.float32)
        out[y0:y1, x0:x1] = picture * own * 1.25
    return out


def paint(look: Look, h: int, w: int, texels_per_m: float) -> np.ndarray:
    """Paint any recipe."""
    if look.kind in object_textures.PAINTERS:
        return object_textures.paint(look, h, w)
    return textures.paint(look, h, w, texels_per_m)


def developed(radiance: np.ndarray) -> np.ndarray:
    """Bring radiance to 8 bits; what is bright is compressed softly instead of being cut."""
    shoulder = 0.75
    over = np.maximum(radiance - shoulder, 0)
    out = np.minimum(radiance, shoulder) + (1 - shoulder) * (1 - np.exp(-over / (1 - shoulder)))
    return np.clip(255 * out + 0.5, 0, 255).astype(np.uint8)


def pack(sizes: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], int]:
    """Place rectangles in rows, tall ones first; return their corners and the height of all."""
    places: list = [None] * len(sizes)
    x = y = row = 0
    for index in sorted(range(len(sizes)), key=lambda i: -sizes[i][1]):
        w, h = (n + 2 * MARGIN for n in sizes[index])
        if x + w > ATLAS:
            x, y, row = 0, y + row, 0
        places[index] = x, y
        x, row = x + w, max(row, h)
    return places, max(16, y + row)


def atlas_of(parts: list[np.ndarray]) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Copy pictures (H, W, 3) uint8 into one; return it and their corners, margins included."""
    sizes = [(part.shape[1], part.shape[0]) for part in parts]
    places, height = pack(sizes)
    atlas = np.zeros((height, ATLAS, 3), np.uint8)
    for part, (w, h), (x, y) in zip(parts, sizes, places):
        atlas[y:y + h + 2 * MARGIN, x:x + w + 2 * MARGIN] = cv2.copyMakeBorder(
            part, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    return atlas, places


def mesh(quads, atlas: np.ndarray) -> Mesh:
    """Make two triangles of every quad: (panel, size, corner in the atlas, shares of it)."""
    n = len(quads)
    vertices, uvs = np.empty((n, 4, 3)), np.empty((n, 4, 2))
    normals = np.empty((n, 4, 3))
    height, width = atlas.shape[:2]
    for k, (panel, (w, h), (x, y), (left, right, low, high)) in enumerate(quads):
        o, u, v = panel.origin, panel.u, panel.v
        vertices[k] = o, o + u, o + u + v, o + v
        normals[k] = panel.normal
        left, right = x + MARGIN + left * w, x + MARGIN + right * w
        low, high = y + MARGIN + (1 - low) * h, y + MARGIN + (1 - high) * h
        uvs[k] = (left, low), (right, low), (right, high), (left, high)
    uvs[..., 0] /= width
    uvs[..., 1] = 1 - uvs[..., 1] / height
    corner = 4 * np.arange(n)[:, None]
    triangles = np.concatenate([corner + [0, 1, 2], corner + [0, 2, 3]], 1).reshape(-1, 3)
    return Mesh(vertices.reshape(-1, 3), normals.reshape(-1, 3), uvs.reshape(-1, 2), triangles,
                atlas)
