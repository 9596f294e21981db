# SPDX-License-Identifier: Apache-2.0
"""Draws the plan of a scene for people, and picks places from which to look at it."""

import math

import numpy as np

from ami_ros.perception.images import draw
from ami_ros.sim.scenes.collision_solids import furniture_solids, leaf_solid, segments
from ami_ros.sim.scenes.elements import Solid
from ami_ros.sim.scenes.lighting import windows_of
from ami_ros.sim.scenes.scene import Scene

WALL = (70, 70, 70)
LEAF, SHUT, WINDOW = (150, 95, 40), (190, 40, 30), (90, 160, 230)
LAMP, DARK_LAMP, PERSON, VIEW = (240, 190, 40), (170, 170, 170), (200, 50, 160), (20, 90, 170)
EDGE_M = 0.4
TRIES = 600


def outline(solid: Solid) -> np.ndarray:
    """Corners (P, 2) of a solid from above."""
    if solid.shape == 'cylinder':
        turn = np.linspace(0, 2 * math.pi, 20, endpoint=False)
        own = solid.half[0] * np.stack([np.cos(turn), np.sin(turn)], -1)
    else:
        own = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * solid.half[:2]
    c, s = math.cos(solid.yaw_rad), math.sin(solid.yaw_rad)
    return own @ np.array([[c, s], [-s, c]]) + solid.at[:2]


def shade(colour, least: float = 90.0) -> tuple[int, int, int]:
    """Bring a colour of a look to one of the plan."""
    red, green, blue = (int(least + (255 - least) * c) for c in colour)
    return red, green, blue


def plan(scene: Scene, pixels: int = 640) -> draw.Canvas:
    """Draw rooms, doors, windows, furniture, lamps and the ways of people."""
    canvas = draw.Canvas(scene.half_m + EDGE_M, pixels)
    canvas.picture[:] = 225
    for room in scene.rooms:
        canvas.polygon(np.array([(room.x0_m, room.y0_m), (room.x1_m, room.y0_m),
                                 (room.x1_m, room.y1_m), (room.x0_m, room.y1_m)]),
                       shade(room.floor.colours[0], 170))
    for index, room in enumerate(scene.rooms):
        for side in range(4):
            corner, ahead = room.side_frame(side)
            for begin, end, low, _ in segments(room, index, side, scene.doors):
                if low == 0:
                    canvas.line(np.array([corner + ahead * begin, corner + ahead * end]), WALL, 3)
        for middle, _, along, width, _ in windows_of(room):
            half = along[:2] * width / 2
            canvas.line(np.array([middle[:2] - half, middle[:2] + half]), WINDOW, 4)
    for piece in scene.furniture:
        for solid, part in sorted(zip(furniture_solids(piece), piece.parts),
                                  key=lambda both: both[0].at[2]):
            canvas.polygon(outline(solid), shade(part.look.colours[0], 60))
    for door in scene.doors:
        leaf = leaf_solid(door, scene.rooms)
        if leaf is not None:
            canvas.polygon(outline(leaf), SHUT if door.closed else LEAF)
    for lamp in scene.lighting.lamps:
        canvas.disc((lamp.x_m, lamp.y_m), 0.07, LAMP if lamp.on else DARK_LAMP)
    for person in scene.people:
        canvas.line(np.array(person.path), PERSON, 2)
        canvas.disc(person.path[0], 0.2, PERSON)
    return canvas


def places(scene: Scene, count: int, clear_m: float = 0.4) -> np.ndarray:
    """Pick poses (count, 3) far from each other, each along the longest free view of twelve."""
    rng = np.random.default_rng([scene.seed, 0x100C])
    points = rng.uniform(-scene.half_m, scene.half_m, (TRIES, 2))
    away = scene.distance(points)
    points = points[away > min(clear_m, float(np.sort(away)[-count]) - 1e-9)]
    chosen = [points[0]]
    while len(chosen) < count:
        far = np.linalg.norm(points[:, None] - np.array(chosen), axis=-1).min(1)
        chosen.append(points[int(far.argmax())])
    return np.array([[*p, best_view(scene, p, rng)] for p in chosen])


def best_view(scene: Scene, point: np.ndarray, rng) -> float:
    """Return the bearing of the longest free way."""
    bearings = rng.uniform(0, 2 * math.pi / 12) + 2 * math.pi * np.arange(12) / 12
    steps = np.arange(0.2, 8.0, 0.2)
    rays = point + steps[None, :, None] * np.stack(
        [np.cos(bearings), np.sin(bearings)], -1)[:, None]
    free = scene.distance(rays) > 0
    longest = np.where(free.all(1), len(steps), free.argmin(1)).argmax()
    return math.remainder(bearings[longest], 2 * math.pi)


def sheet(scene: Scene, views: list[np.ndarray], poses: np.ndarray, title: str) -> np.ndarray:
    """Put the plan and eight views into one picture, (H, W, 3) uint8."""
    side = views[0].shape[0]
    canvas = plan(scene, 2 * side)
    for number, pose in enumerate(poses):
        canvas.arrow(pose, VIEW, 0.08 * scene.half_m + 0.2)
        draw.mark(canvas, pose[:2], str(number + 1))
    shown = [draw.label(view.copy(), str(number + 1)) for number, view in enumerate(views)]
    rows = [np.concatenate(shown[:4], 1), np.concatenate(shown[4:], 1)]
    both = np.concatenate([canvas.picture, np.concatenate(rows, 0)], 1)
    head = np.full((20, both.shape[1], 3), 255, np.uint8)
    return np.concatenate([draw.label(head, title), both], 0)
