# SPDX-License-Identifier: Apache-2.0
"""Draws what rooms look like: walls, floor, ceiling, doors, what hangs on the walls, light."""

import colorsys
import math

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.sim.scenes.collision_solids import openings
from ami_ros.sim.scenes.elements import Colour, Decor, Door, Lamp, Lighting, Look, Room, Rug

WALLS = {       # kind: how often
    'plain': 5, 'concrete': 1, 'stripes': 2, 'dots': 1.3, 'damask': 1.5, 'wainscot': 2,
    'bricks': 1.5, 'tiles': 1, 'panels': 1.2, 'patches': 1, 'marble': 0.5,
}
FLOORS = {'planks': 4, 'tiles': 4, 'carpet': 3, 'concrete': 1.5, 'plain': 1, 'marble': 0.8}
HUNG = {        # kind: how often, width and height in m, lowest and highest lower edge
    'poster': (8, (0.4, 1.3), (0.4, 1.1), (0.5, 1.3)),
    'whiteboard': (1, (1.2, 2.2), (0.8, 1.1), (0.8, 1.0)),
    'sign': (2, (0.2, 0.5), (0.2, 0.5), (0.4, 1.6)),
    'radiator': (2, (0.6, 1.4), (0.4, 0.6), (0.1, 0.15)),
    'screen': (0.7, (0.7, 1.4), (0.45, 0.8), (0.8, 1.1)),
    'door': (1.5, (0.8, 1.0), (1.95, 2.05), (0.0, 0.0)),
    'books': (1, (0.6, 1.6), (0.5, 1.2), (0.5, 1.0)),
}
LIGHTS = ('day', 'day', 'day', 'bright', 'evening', 'lamps', 'side_light')
EDGE_M = 0.15           # kept free between what hangs on a wall


def choice(rng: np.random.Generator, table: dict) -> str:
    """Draw a key by its weight; a weight may be the first of a tuple."""
    weights = np.array([w[0] if isinstance(w, tuple) else w for w in table.values()], float)
    return str(rng.choice(list(table), p=weights / weights.sum()))


def colour(rng, hue=None, saturation=(0.0, 1.0), value=(0.2, 0.95)) -> Colour:
    """Draw a colour; hue in turns."""
    hue = rng.uniform() if hue is None else hue % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, rng.uniform(*saturation), rng.uniform(*value))
    return float(red), float(green), float(blue)


def wood(rng) -> Colour:
    """Draw a colour of wood."""
    return colour(rng, rng.uniform(0.04, 0.11), (0.3, 0.75), (0.25, 0.8))


def seed_of(rng) -> int:
    """Draw the seed of a texture."""
    return int(rng.integers(2**31))


def wall(rng, kind: str | None = None) -> Look:
    """Draw the look of a wall."""
    kind = kind or choice(rng, WALLS)
    if kind in ('plain', 'concrete'):
        saturation = (0.0, 0.12) if kind == 'concrete' or rng.random() < 0.4 else (0.1, 0.6)
        colours: tuple[Colour, ...] = (colour(rng, None, saturation, (0.5, 0.95)),)
        return Look(kind, seed_of(rng), colours, float(rng.uniform(0.25, 0.5)))
    if kind == 'bricks':
        colours = (colour(rng, rng.uniform(0, 0.1), (0.2, 0.7), (0.4, 0.85)),
                   colour(rng, None, (0, 0.1), (0.5, 0.85)))
        return Look(kind, seed_of(rng), colours, float(rng.uniform(0.25, 0.55)))
    if kind == 'panels':
        return Look(kind, seed_of(rng), (wood(rng),), float(rng.uniform(0.15, 0.5)))
    hue = rng.uniform()
    one = colour(rng, hue, (0.05, 0.6), (0.5, 0.95))
    two = colour(rng, hue + rng.choice([0.0, 0.08, 0.5, 0.33]), (0.1, 0.8), (0.25, 0.95))
    three = colour(rng, None, (0.1, 0.9), (0.2, 0.95))
    return Look(kind, seed_of(rng), (one, two, three), float(rng.uniform(0.25, 0.9)))


def floor(rng, kind: str | None = None) -> Look:
    """Draw the look of a floor."""
    kind = kind or choice(rng, FLOORS)
    if kind == 'planks':
        return Look(kind, seed_of(rng), (wood(rng),), float(rng.uniform(0.25, 0.6)))
    if kind == 'tiles':
        hue = rng.uniform()
        base = colour(rng, hue, (0, 0.3), (0.45, 0.9))
        other = base if rng.random() < 0.4 else colour(rng, hue + 0.1, (0, 0.6), (0.15, 0.9))
        return Look(kind, seed_of(rng), (base, other, colour(rng, None, (0, 0.1), (0.2, 0.7))),
                    float(rng.uniform(0.25, 0.8)))
    if kind == 'carpet':
        hue = rng.uniform()
        return Look(kind, seed_of(rng), (colour(rng, hue, (0.1, 0.8), (0.2, 0.7)),
                                         colour(rng, hue + 0.15, (0.1, 0.8), (0.15, 0.8))),
                    float(rng.uniform(0.3, 1.0)))
    return Look(kind, seed_of(rng), (colour(rng, None, (0, 0.25), (0.35, 0.8)),
                                     colour(rng, None, (0, 0.3), (0.2, 0.9))), 0.5)


def ceiling(rng) -> Look:
    """Draw the look of a ceiling: white, rarely of wood or tiles."""
    roll = rng.random()
    if roll < 0.15:
        return Look('panels', seed_of(rng), (wood(rng),), 0.25)
    base = colour(rng, None, (0, 0.08), (0.8, 0.97))
    if roll < 0.45:
        return Look('tiles', seed_of(rng), (base, base, colour(rng, None, (0, 0.05), (0.5, 0.8))),
                    0.6)
    return Look('plain', seed_of(rng), (base,))


def leaf(rng) -> Look:
    """Draw the look of a door; the second colour is its frame's."""
    base = wood(rng) if rng.random() < 0.5 else colour(rng, None, (0.0, 0.8), (0.3, 0.95))
    return Look('door', seed_of(rng), (base, colour(rng, None, (0, 0.3), (0.25, 0.95))))


def room(rng, box: tuple[float, float, float, float], height_m: float) -> Room:
    """Draw a room of given walls (x0, y0, x1, y1); nothing hangs in it yet."""
    main = wall(rng)
    walls = [main] * 4
    roll = rng.random()
    if roll < 0.3:          # one wall of its own
        walls[int(rng.integers(4))] = wall(rng)
    elif roll < 0.45:       # four different ones
        walls = [main, wall(rng), wall(rng), wall(rng)]
    rugs: tuple[Rug, ...] = ()
    w, d = box[2] - box[0], box[3] - box[1]
    if rng.random() < 0.4 and min(w, d) > 2.4:
        along, across = rng.uniform(0.18, 0.36, 2) * (w, d)
        half = float(along), float(across)
        x = float(rng.uniform(box[0] + half[0] + 0.2, box[2] - half[0] - 0.2))
        y = float(rng.uniform(box[1] + half[1] + 0.2, box[3] - half[1] - 0.2))
        look = floor(rng, 'carpet') if rng.random() < 0.7 else Look(
            'poster', seed_of(rng), (colour(rng),))
        rugs = (Rug(look, x, y, half),)
    north, east, south, west = walls
    return Room(*box, height_m, floor(rng), (north, east, south, west), ceiling(rng), (), rugs)


def decor(rng, at: Room, index: int, doors: tuple[Door, ...], outer: tuple[bool, ...],
          density: float) -> tuple[Decor, ...]:
    """Draw what hangs on the walls; windows only in outer ones, things per metre of wall."""
    out = []
    for side in range(4):
        length = at.side_length_m(side)
        taken = [(a - 0.1, b + 0.1) for a, b, _ in openings(at, index, side, doors)]
        wanted = rng.poisson(density * length)
        windows = int(rng.integers(0, 1 + max(1, round(length / 2.5)))) if outer[side] else 0
        frame = colour(rng, None, (0, 0.4), (0.3, 0.95))
        pane = seed_of(rng)
        size = rng.uniform(0.7, 2.0), rng.uniform(0.7, 1.4), rng.uniform(0.5, 1.0)
        for k in range(windows + wanted):
            if k < windows:
                kind, (width, height, up) = 'window', size
            else:
                kind = choice(rng, HUNG)
                _, wide, high, low = HUNG[kind]
                width, height, up = rng.uniform(*wide), rng.uniform(*high), rng.uniform(*low)
            height = min(height, at.height_m - up - 0.1)
            along = place(rng, length, width, taken)
            if along is None or height < 0.2:
                continue
            taken.append((along - EDGE_M, along + width + EDGE_M))
            if kind == 'window':
                look = Look('window', pane + k, (frame,))
            elif kind == 'door':
                look = leaf(rng)
            else:
                look = Look(kind, seed_of(rng), (colour(rng, None, (0, 0.9), (0.1, 0.95)),))
            out.append(Decor(look, side, along, float(up), float(width), float(height)))
    return tuple(out)


def place(rng, length: float, width: float, taken: list) -> float | None:
    """Draw where something of a width fits on a wall; None where nothing does."""
    if length < width + 0.2:
        return None
    for _ in range(12):
        at = float(rng.uniform(0.1, length - width - 0.1))
        if all(at + width < a or at > b for a, b in taken):
            return at
    return None


def lighting(rng, name: str, rooms: tuple[Room, ...]) -> Lighting:
    """Draw the light of a time of day; ValueError lists the names."""
    tint = float(rng.uniform(-0.12, 0.12))

    def tinted(level: float, warm: float = 0.0) -> Colour:
        return level * (1 + tint + warm), level, level * (1 - tint - warm)

    azimuth, elevation = float(rng.uniform(-math.pi, math.pi)), float(rng.uniform(0.25, 0.8))
    if name in ('day', 'bright'):
        level = float(rng.uniform(0.48, 0.68)) * (1.25 if name == 'bright' else 1.0)
        sun = float(rng.uniform(0.2, 0.6)) if rng.random() < 0.4 else 0.0
        lamps = ceiling_lamps(rng, rooms, tinted(1.0, 0.05), float(rng.uniform(0.3, 1.2)),
                              0.4)
        return Lighting(name, tinted(level), tinted(1.0, -0.05), float(rng.uniform(0.4, 1.2)),
                        lamps, azimuth, elevation, sun)
    if name == 'evening':
        return Lighting(name, tinted(float(rng.uniform(0.16, 0.26)), 0.15),
                        (0.05, 0.06, 0.16), 0.1,
                        ceiling_lamps(rng, rooms, tinted(1.0, 0.25), float(rng.uniform(0.8, 1.6)),
                                      0.75))
    if name == 'lamps':
        low = tuple(lamp for r in rooms for lamp in floor_lamps(rng, r, tinted(1.0, 0.2)))
        return Lighting(name, tinted(float(rng.uniform(0.12, 0.22)), 0.1), (0.02, 0.02, 0.06), 0.0,
                        low + ceiling_lamps(rng, rooms, tinted(1.0, 0.15), 0.8, 0.5))
    if name == 'side_light':
        return Lighting(name, tinted(float(rng.uniform(0.28, 0.4))), (1.0, 0.97, 0.9), 0.8,
                        (), azimuth, float(rng.uniform(0.2, 0.5)), float(rng.uniform(0.8, 1.3)))
    raise AmiError(f'no light {name!r}; there are: {", ".join(sorted(set(LIGHTS)))}')


def ceiling_lamps(rng, rooms, tint: Colour, power: float, share: float) -> tuple[Lamp, ...]:
    """Lamps under the ceilings, one for about nine square metres; a share of them is on."""
    out = []
    for at in rooms:
        w, d = at.size_m
        columns, rows = max(1, round(w / 3.2)), max(1, round(d / 3.2))
        lit = rng.random() < share
        for i in range(columns):
            for k in range(rows):
                out.append(Lamp(at.x0_m + (i + 0.5) * w / columns,
                                at.y0_m + (k + 0.5) * d / rows, at.height_m - 0.1, tint,
                                power * max(1.0, at.height_m - 1.4), bool(lit)))
    return tuple(out)


def floor_lamps(rng, at: Room, tint: Colour) -> list[Lamp]:
    """One to three lamps at the height of a table or a shelf, near the walls."""
    out = []
    for _ in range(int(rng.integers(1, 4))):
        x = rng.uniform(at.x0_m + 0.25, at.x1_m - 0.25)
        y = rng.uniform(at.y0_m + 0.25, at.y1_m - 0.25)
        if rng.random() < 0.5:
            x = at.x0_m + 0.25 if rng.random() < 0.5 else at.x1_m - 0.25
        else:
            y = at.y0_m + 0.25 if rng.random() < 0.5 else at.y1_m - 0.25
        out.append(Lamp(float(x), float(y), float(rng.uniform(0.9, 1.8)), tint,
                        float(rng.uniform(0.6, 1.8))))
    return out
