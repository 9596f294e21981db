# SPDX-License-Identifier: Apache-2.0
"""What a person sees of a run: paths from above, and a film of view, goal and imagination."""

import math
from pathlib import Path

import numpy as np

from ami_ros.core.geometry import between, compose
from ami_ros.modules.module import Module
from ami_ros.perception.images import codec, draw
from ami_ros.sim.furnished_room import Piece, World

PIXELS = 400
PANEL = 180
COLOURS = [(36, 113, 163), (202, 111, 30), (35, 155, 86), (125, 60, 152), (192, 57, 43),
           (23, 165, 137), (127, 140, 141), (183, 149, 11)]
DREAM = (214, 51, 132)


def outline(piece: Piece) -> np.ndarray:
    """Corners (P, 2) of a piece of furniture, m."""
    if piece.shape == 'cylinder':
        turn = np.linspace(0, 2 * math.pi, 24, endpoint=False)
        return np.stack([piece.x_m + piece.half[0] * np.cos(turn),
                         piece.y_m + piece.half[0] * np.sin(turn)], -1)
    corners = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * piece.half
    c, s = math.cos(piece.yaw_rad), math.sin(piece.yaw_rad)
    return corners @ np.array([[c, s], [-s, c]]) + [piece.x_m, piece.y_m]


def room(world: World, pixels: int = PIXELS) -> draw.Canvas:
    """Draw the empty room with its furniture in its own colours."""
    canvas = draw.Canvas(world.half_m + 0.1, pixels)
    h = world.half_m + 0.1
    canvas.polygon(np.array([(-h, -h), (h, -h), (h, h), (-h, h)]), (150, 150, 150))
    h = world.half_m
    canvas.polygon(np.array([(-h, -h), (h, -h), (h, h), (-h, h)]), (255, 255, 255))
    for piece in world.pieces:
        canvas.polygon(outline(piece), tuple(int(110 + 120 * c) for c in piece.colour))
    return canvas


def paths(world: World, drives: list[dict], path: Path) -> None:
    """Draw every episode: start disc, path, goal arrow. A drive has poses (T, 3) and goal (3,)."""
    canvas = room(world, 640)
    for index, drive in enumerate(drives):
        colour = COLOURS[index % len(COLOURS)]
        poses = np.asarray(drive['poses'])
        canvas.line(poses, colour, 2)
        canvas.disc(poses[0], 0.06, colour)
        canvas.arrow(np.asarray(drive['goal']), colour)
    words = ', '.join(str(d.get('label', i)) for i, d in enumerate(drives))
    draw.write_png(path, draw.label(canvas.picture, f'from above: disc = start, arrow = goal; '
                                                    f'{words}'))


class Imagery:
    """Remembered pictures, looked up by the place that was imagined: the model has no decoder."""

    def __init__(self, module: Module):
        ends = module.array('picture_ends')
        data = module.array('picture_bytes').tobytes()
        self.pieces = [data[b:e] for b, e in zip([0, *ends[:-1]], ends, strict=True)]
        places = module.array('picture_places').astype(float)
        self.places = np.column_stack([places[:, :2], np.arctan2(places[:, 3], places[:, 2])])

    def nearest(self, place: np.ndarray) -> np.ndarray:
        """Return the picture taken nearest to a place (3,) of the learned map."""
        off = between(np.asarray(place, float)[None], self.places)
        return codec.from_compressed(self.pieces[int(np.argmin(
            np.hypot(off[:, 0], off[:, 1]) + 0.8 * np.abs(off[:, 2])))])


class Film:
    """Collects the frames of an animation, tick by tick."""

    def __init__(self, world: World, imagery: Imagery, every: int = 2):
        self.background = room(world, PIXELS)
        self.imagery, self.every, self.count = imagery, every, 0
        self.frames: list = []
        self.past: list[np.ndarray] = []

    def begin(self) -> None:
        """Start another episode."""
        self.past, self.count = [], 0

    def add(self, view: np.ndarray, goal: np.ndarray, goal_pose: np.ndarray, pose: np.ndarray,
            place: np.ndarray | None, imagined: np.ndarray | None, text: str) -> None:
        """Add a tick: true pose (3,), believed place (3,) and imagined places (H, 3)."""
        self.past.append(np.asarray(pose))
        self.count += 1
        if (self.count - 1) % self.every:
            return
        canvas = draw.Canvas(self.background.half_m, PIXELS)
        canvas.picture = self.background.picture.copy()
        canvas.line(np.array(self.past), COLOURS[0], 2)
        canvas.arrow(goal_pose, COLOURS[2])
        dreamt = np.zeros((PANEL, PANEL, 3), np.uint8) + 255
        if place is not None and imagined is not None and len(imagined):
            ahead = compose(np.asarray(pose, float), between(place, np.asarray(imagined)))
            canvas.line(np.vstack([pose[None], ahead]), DREAM, 2)
            dreamt = draw.enlarge(self.imagery.nearest(imagined[-1]), PANEL)
        canvas.arrow(pose, COLOURS[0], 0.22)
        panels = [draw.label(draw.enlarge(p, PANEL), t) for p, t in
                  ((view, 'camera'), (goal, 'goal image'))]
        panels.append(draw.label(dreamt, 'imagined, 2 s ahead'))
        side = np.vstack([np.hstack(panels[:2]),
                          np.hstack([panels[2], np.full_like(panels[2], 255)])])
        note = side[PANEL:, PANEL:]
        for line, part in enumerate(text.split('\n')):
            draw.label(note, part, line + 1)
        side = np.vstack([side, np.full((PIXELS - 2 * PANEL, 2 * PANEL, 3), 255, np.uint8)])
        self.frames.append(np.hstack([canvas.picture, side]))

    def write(self, path: Path, tick_s: float) -> None:
        """Write the animation."""
        if self.frames:
            draw.write_gif(path, self.frames, tick_s * self.every)
