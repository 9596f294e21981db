# SPDX-License-Identifier: Apache-2.0
"""Procedural textures of whole object faces: doors, windows, shelves, lamps, signs, posters.

Each has an outline and parts at fixed places; materials without either are in textures.py.
Each painter returns the albedo, (H, W, 3) float32 from 0 to 1, row 0 at the upper edge.
"""

from dataclasses import replace
import math

import cv2
import numpy as np

from ami_ros.sim.scenes.elements import Look
from ami_ros.sim.scenes.textures import blend, filled, grain, noise


def box(out: np.ndarray, x0: float, y0: float, x1: float, y1: float, colour) -> None:
    """Fill a rectangle given in shares of the picture, from the upper left corner."""
    h, w = out.shape[:2]
    out[round(y0 * h):max(round(y1 * h), round(y0 * h) + 1),
        round(x0 * w):max(round(x1 * w), round(x0 * w) + 1)] = colour


def poster(rng, h, w, look):
    """A picture in a frame: shapes, a landscape, lines of text, or noise in colours."""
    kind = rng.integers(5)
    palette = rng.uniform(0, 1, (6, 3)).astype(np.float32)
    if kind == 0:
        out = blend(0.5 + noise(rng, h, w, max(h, w) / 3, 3), palette[0], palette[1])
        for colour in palette[2:]:
            centre = int(rng.integers(0, w)), int(rng.integers(0, h))
            radius = int(rng.uniform(0.08, 0.3) * min(h, w)) + 1
            cv2.circle(out, centre, radius, colour.tolist(), -1)
    elif kind == 1:         # hills under a sky
        out = blend(np.linspace(0, 1, h, dtype=np.float32)[:, None] * np.ones((1, w)),
                    palette[0], palette[1])
        for layer in range(3):
            edge = h * (0.45 + 0.17 * layer) + 0.3 * h * noise(rng, 1, w, w / 2, 3)[0]
            out[np.arange(h)[:, None] > edge[None]] = palette[2 + layer] * (0.4 + 0.2 * layer)
    elif kind == 2:         # a title and lines
        out = filled(h, w, 0.75 + 0.25 * palette[0])
        box(out, 0.1, 0.06, 0.9, 0.22, palette[1])
        for row in np.arange(0.3, 0.92, 0.09).tolist():
            box(out, 0.1, row, rng.uniform(0.5, 0.9), row + 0.035, 0.25 * palette[2])
        if rng.random() < 0.6:
            box(out, 0.12, 0.5, 0.5, 0.85, palette[3])
    elif kind == 3:         # stripes or a grid at an angle
        y, x = np.mgrid[:h, :w] / max(h, w)
        turn, k = rng.uniform(0, math.pi), rng.uniform(3, 9)
        wave = np.sin(2 * math.pi * k * (math.cos(turn) * x + math.sin(turn) * y))
        if rng.random() < 0.5:
            wave = wave * np.sin(2 * math.pi * k * (math.cos(turn) * y - math.sin(turn) * x))
        out = blend(wave > 0, palette[0], palette[1])
    else:                   # rectangles
        out = filled(h, w, palette[0])
        for colour in (*palette[1:], *palette[1:4]):
            x, y = rng.uniform(0, 0.8, 2)
            box(out, x, y, x + rng.uniform(0.1, 0.5), y + rng.uniform(0.1, 0.5), colour)
    return framed(out, look.colours[0], 0.04)


def framed(out: np.ndarray, colour, share: float) -> np.ndarray:
    """Paint a frame around a picture."""
    h, w = out.shape[:2]
    t = max(1, round(share * min(h, w)))
    for edge in (np.s_[:t], np.s_[-t:], np.s_[:, :t], np.s_[:, -t:]):
        out[edge] = colour
    return out


def window(rng, h, w, look):
    """A frame with bars; the panes carry the outlines of what is outside, the sky is white."""
    y = np.linspace(0, 1, h, dtype=np.float32)[:, None] * np.ones((1, w), np.float32)
    out = blend(y, (0.75, 0.87, 1.0), (1.0, 1.0, 1.0))
    skyline = rng.uniform(0.5, 0.9) + 0.25 * noise(rng, 1, w, w / rng.uniform(2, 6), 2)[0]
    ground = np.float32(rng.uniform(0.15, 0.6, 3))
    out[y > skyline[None]] = ground
    for _ in range(int(rng.integers(0, 4))):        # houses
        x = rng.uniform(0, 0.8)
        box(out, x, rng.uniform(0.25, 0.6), x + rng.uniform(0.12, 0.4), 1.0,
            rng.uniform(0.2, 0.7, 3))
    bars = int(rng.integers(1, 4))
    for bar in range(1, bars):
        box(out, bar / bars - 0.02, 0, bar / bars + 0.02, 1, look.colours[0])
    if rng.random() < 0.5:
        box(out, 0, 0.32, 1, 0.36, look.colours[0])
    if rng.random() < 0.3:      # a blind, half down
        down = rng.uniform(0.2, 0.6)
        rows = np.arange(round(down * h))
        out[rows] = np.where((rows % 3 == 0)[:, None, None], 0.45, 0.7)
    return framed(out, look.colours[0], 0.06)


def door(rng, h, w, look):
    """A door with its frame, panels or a pane, and a handle."""
    base = np.float32(look.colours[0])
    out = filled(h, w, base) * (1 + 0.04 * grain(rng, h, w))[..., None]
    kind = rng.integers(4)
    if kind == 0:
        for y0, y1 in ((0.08, 0.45), (0.52, 0.92)):
            box(out, 0.16, y0, 0.84, y1, base * 0.78)
            box(out, 0.20, y0 + 0.02, 0.80, y1 - 0.02, base * 0.95)
    elif kind == 1:
        box(out, 0.25, 0.1, 0.75, 0.5, (0.75, 0.85, 0.9))
    elif kind == 2:
        for x in np.arange(0.2, 0.95, 0.2).tolist():
            box(out, x, 0, x + 0.02, 1, base * 0.7)
    if rng.random() < 0.5:      # a sign
        box(out, 0.35, 0.2, 0.65, 0.28, rng.uniform(0, 1, 3))
    box(out, 0.84, 0.50, 0.92, 0.54, (0.75, 0.75, 0.72))
    return framed(out, look.colours[1], 0.07)


def books(rng, h, w, look):
    """Shelves with the backs of books, or with boxes and gaps."""
    out = filled(h, w, np.float32(look.colours[0]) * 0.35)
    shelves = max(2, round(h / max(6, 0.1 * w + 6)))
    for shelf in range(shelves):
        y0, y1 = shelf / shelves, (shelf + 1) / shelves
        x = 0.03
        while x < 0.95:
            wide = rng.uniform(0.03, 0.13)
            if rng.random() < 0.82:
                box(out, x, y1 - (y1 - y0) * rng.uniform(0.55, 0.9), min(x + wide, 0.97), y1,
                    rng.uniform(0.05, 0.95, 3))
            x += wide + 0.01
        box(out, 0, y1 - 0.025, 1, y1, look.colours[0])
    return framed(out, look.colours[0], 0.04)


def cupboard(rng, h, w, look):
    """Doors and drawers with handles."""
    base = np.float32(look.colours[0])
    out = filled(h, w, base) * (1 + 0.06 * noise(rng, h, w, w / 2, 3))[..., None]
    columns = int(rng.integers(1, 4))
    for column in range(columns):
        x0, x1 = column / columns, (column + 1) / columns
        rows = int(rng.integers(1, 5))
        for row in range(rows):
            y0, y1 = row / rows, (row + 1) / rows
            box(out, x0, y0, x0 + 0.02, y1, base * 0.5)
            box(out, x0, y0, x1, y0 + 0.02, base * 0.5)
            middle = (x0 + x1) / 2
            box(out, middle - 0.06, (y0 + y1) / 2 - 0.015, middle + 0.06, (y0 + y1) / 2 + 0.02,
                look.colours[1])
    return framed(out, base * 0.6, 0.03)


def radiator(rng, h, w, look):
    """Ribs."""
    x = np.arange(w)
    return np.repeat(blend(((x // 2) % 2)[None] * 1.0, look.colours[0],
                           np.float32(look.colours[0]) * 0.6), h, 0)


def whiteboard(rng, h, w, look):
    """White with a few strokes of a pen."""
    out = filled(h, w, (0.93, 0.94, 0.95))
    for _ in range(int(rng.integers(3, 10))):
        points = np.stack([rng.uniform(0.08, 0.92, 4) * w, rng.uniform(0.1, 0.9, 4) * h], 1)
        cv2.polylines(out, [points.astype(np.int32)], False, rng.uniform(0, 0.6, 3).tolist(), 1)
    return framed(out, (0.5, 0.5, 0.52), 0.04)


def sign(rng, h, w, look):
    """A plate of one strong colour with a light symbol."""
    out = filled(h, w, look.colours[0])
    if rng.random() < 0.5:
        cv2.circle(out, (w // 2, h // 2), max(1, min(h, w) // 3), (0.95, 0.95, 0.95), -1)
    else:
        box(out, 0.2, 0.4, 0.8, 0.6, (0.95, 0.95, 0.95))
    return out


def carton(rng, h, w, look):
    """Cardboard with tape and a label."""
    out = filled(h, w, look.colours[0]) * (1 + 0.08 * noise(rng, h, w, w / 2, 3))[..., None]
    box(out, 0.44, 0, 0.56, 1, np.float32(look.colours[0]) * 1.25)
    if rng.random() < 0.7:
        x, y = rng.uniform(0.05, 0.6, 2)
        box(out, x, y, x + 0.28, y + 0.22, (0.92, 0.92, 0.9))
        box(out, x + 0.04, y + 0.06, x + 0.22, y + 0.1, (0.1, 0.1, 0.1))
    return out


def screen(rng, h, w, look):
    """A dark display with a bright picture on it."""
    out = poster(rng, h, w, look) * 0.8
    return framed(out, (0.05, 0.05, 0.06), 0.1)


def lamp(rng, h, w, look):
    """A luminous panel in a ceiling."""
    return framed(filled(h, w, (1.0, 1.0, 1.0)), (0.7, 0.7, 0.7), 0.1)


def leaves(rng, h, w, look):
    """Foliage."""
    out = blend(0.5 + noise(rng, h, w, max(3, w / 3), 3), look.colours[0], look.colours[1])
    return out * (0.55 + 0.45 * rng.uniform(0, 1, (h, w, 1)).astype(np.float32))


PAINTERS = {
    'poster': poster, 'window': window, 'door': door, 'books': books, 'cupboard': cupboard,
    'radiator': radiator, 'whiteboard': whiteboard, 'sign': sign, 'carton': carton,
    'screen': screen, 'lamp': lamp, 'leaves': leaves,
}
GLOWS = {'window', 'lamp'}      # their brightness is their own, not that of what lights them


def paint(look: Look, h: int, w: int) -> np.ndarray:
    """Paint a picture from its recipe."""
    rng = np.random.default_rng([look.seed, 0xB1C])
    look = replace(look, colours=(*look.colours, *look.colours[:1]))    # as many as any needs
    return np.clip(PAINTERS[look.kind](rng, h, w, look), 0, 1).astype(np.float32)
