# SPDX-License-Identifier: Apache-2.0
"""The catalogue of furniture: each maker draws one piece at the origin, its front to -y."""

import numpy as np

from ami_ros.sim.scenes.elements import Furniture, Look, Part
from ami_ros.sim.scenes.styles import colour, seed_of, wood


def material(rng) -> Look:
    """Draw the material of a simple body."""
    kind = str(rng.choice(['plain', 'panels', 'cloth', 'patches', 'stripes', 'tiles', 'damask']))
    return Look(kind, seed_of(rng), (wood(rng) if kind == 'panels' else colour(rng),
                                     colour(rng), colour(rng)), float(rng.uniform(0.12, 0.35)))


def block(x: float, y: float, z: float, look: Look, at_z: float = 0.0, at=(0.0, 0.0)) -> Part:
    """A box of full extents x, y, z whose lower side is at at_z."""
    return Part('box', (float(at[0]), float(at[1]), float(at_z + z / 2)),
                (float(x / 2), float(y / 2), float(z / 2)), look)


def piece(kind: str, x: float, y: float, *parts: Part) -> Furniture:
    """A piece at the origin that takes x by y metres."""
    return Furniture(kind, 0.0, 0.0, 0.0, (float(x / 2), float(y / 2)), parts)


def legs(rng, x: float, y: float, height: float, look: Look, thick: float = 0.05) -> list[Part]:
    """Four legs at the corners."""
    out = []
    for sx in (-1, 1):
        for sy in (-1, 1):
            at = sx * (x / 2 - thick), sy * (y / 2 - thick)
            out.append(block(thick, thick, height, look, 0.0, at))
    return out


def crate(rng) -> Furniture:
    """A box of any material, as high as a stool or as a person."""
    x, y = rng.uniform(0.3, 0.8, 2)
    z = rng.uniform(0.35, 1.1)
    return piece('crate', x, y, block(x, y, z, material(rng)))


def carton(rng) -> Furniture:
    """A cardboard box, or two on each other."""
    x, y, z = rng.uniform(0.3, 0.6, 3)
    look = Look('carton', seed_of(rng), (colour(rng, 0.09, (0.3, 0.5), (0.5, 0.75)),))
    parts = [block(x, y, z, look)]
    if rng.random() < 0.35:
        small = Look('carton', seed_of(rng), look.colours)
        parts.append(block(0.7 * x, 0.8 * y, 0.8 * z, small, z))
    return piece('carton', x, y, *parts)


def bin_(rng) -> Furniture:
    """A round bin or barrel."""
    radius, high = rng.uniform(0.14, 0.32), rng.uniform(0.4, 0.9)
    part = Part('cylinder', (0.0, 0.0, float(high / 2)),
                (float(radius), float(radius), float(high / 2)), material(rng))
    return piece('bin', 2 * radius, 2 * radius, part)


def plant(rng) -> Furniture:
    """A pot with foliage."""
    radius, pot, high = rng.uniform(0.14, 0.22), rng.uniform(0.32, 0.45), rng.uniform(0.5, 1.1)
    green = colour(rng, rng.uniform(0.2, 0.42), (0.4, 0.9), (0.2, 0.6))
    foliage = Look('leaves', seed_of(rng), (green, colour(rng, 0.3, (0.5, 0.9), (0.1, 0.35))))
    crown = radius * rng.uniform(1.1, 1.7)
    return piece('plant', 2 * crown, 2 * crown,
                 Part('cylinder', (0.0, 0.0, float(pot / 2)),
                      (float(radius), float(radius), float(pot / 2)),
                      Look('plain', seed_of(rng), (colour(rng),))),
                 Part('cylinder', (0.0, 0.0, float(pot + high / 2)),
                      (float(crown), float(crown), float(high / 2)), foliage))


def table(rng) -> Furniture:
    """A table on four legs, whose top a planar lidar cannot see."""
    x, y, z = rng.uniform(0.8, 1.8), rng.uniform(0.6, 0.95), rng.uniform(0.66, 0.78)
    look = Look('panels', seed_of(rng), (wood(rng),), 0.3) if rng.random() < 0.6 else material(rng)
    leg = Look('plain', seed_of(rng), (colour(rng, None, (0, 0.4), (0.1, 0.8)),))
    return piece('table', x, y, block(x, y, 0.05, look, z), *legs(rng, x, y, z, leg))


def chair(rng) -> Furniture:
    """A chair on four legs with a back."""
    side, seat = rng.uniform(0.40, 0.5), rng.uniform(0.42, 0.48)
    look = material(rng)
    leg = Look('plain', seed_of(rng), (colour(rng, None, (0, 0.5), (0.1, 0.8)),))
    return piece('chair', side, side, block(side, side, 0.05, look, seat),
                 block(side, 0.05, 0.45, look, seat + 0.05, (0.0, side / 2 - 0.03)),
                 *legs(rng, side, side, seat, leg, 0.04))


def sofa(rng) -> Furniture:
    """A seat with a back and two arms."""
    x, y = rng.uniform(1.2, 2.1), rng.uniform(0.75, 0.95)
    look = Look('cloth', seed_of(rng), (colour(rng, None, (0.1, 0.9), (0.15, 0.85)), colour(rng)),
                float(rng.uniform(0.1, 0.3)))
    return piece('sofa', x, y, block(x, y, 0.42, look),
                 block(x, 0.2, 0.4, look, 0.42, (0.0, y / 2 - 0.1)),
                 block(0.16, y, 0.2, look, 0.42, (x / 2 - 0.08, 0.0)),
                 block(0.16, y, 0.2, look, 0.42, (0.08 - x / 2, 0.0)))


def bed(rng) -> Furniture:
    """A bed with a head."""
    x, y = rng.uniform(0.9, 1.7), 2.0
    cover = Look('cloth', seed_of(rng), (colour(rng, None, (0.1, 0.9), (0.3, 0.95)), colour(rng)),
                 float(rng.uniform(0.15, 0.5)))
    frame = Look('panels', seed_of(rng), (wood(rng),), 0.4)
    return piece('bed', x, y, block(x, y, 0.45, cover),
                 block(x, 0.06, 0.9, frame, 0.0, (0.0, y / 2 - 0.03)))


def shelf(rng) -> Furniture:
    """A high shelf with books."""
    x, y, z = rng.uniform(0.6, 1.6), rng.uniform(0.28, 0.4), rng.uniform(0.9, 2.0)
    return piece('shelf', x, y, block(x, y, z, Look('books', seed_of(rng), (wood(rng),))))


def cupboard(rng) -> Furniture:
    """A cupboard or chest with doors and drawers."""
    x, y, z = rng.uniform(0.5, 1.6), rng.uniform(0.35, 0.6), rng.uniform(0.5, 2.0)
    base = wood(rng) if rng.random() < 0.5 else colour(rng, None, (0.0, 0.8), (0.3, 0.95))
    return piece('cupboard', x, y, block(x, y, z, Look(
        'cupboard', seed_of(rng), (base, colour(rng, None, (0, 0.3), (0.1, 0.9))))))


def desk(rng) -> Furniture:
    """A desk with side panels and a screen on it."""
    x, y, z = rng.uniform(1.1, 1.7), rng.uniform(0.6, 0.8), 0.72
    top = Look('panels', seed_of(rng), (wood(rng),), 0.5)
    shine = Look('screen', seed_of(rng), (colour(rng),))
    return piece('desk', x, y, block(x, y, 0.04, top, z),
                 block(0.04, y, z, top, 0.0, (x / 2 - 0.02, 0.0)),
                 block(0.04, y, z, top, 0.0, (0.02 - x / 2, 0.0)),
                 block(x - 0.08, 0.03, 0.45, top, 0.27, (0.0, y / 2 - 0.1)),
                 block(0.55, 0.06, 0.36, shine, z + 0.1, (float(rng.uniform(-0.25, 0.25)), 0.1)))


def counter(rng) -> Furniture:
    """A long counter."""
    x, y, z = rng.uniform(1.2, 2.6), rng.uniform(0.5, 0.65), rng.uniform(0.85, 1.1)
    return piece('counter', x, y, block(x, y, z, Look('cupboard', seed_of(rng), (
        colour(rng, None, (0.0, 0.7), (0.3, 0.95)), colour(rng)))))


def pillar(rng, height_m: float) -> Furniture:
    """A round or square pillar up to the ceiling; it is never moved."""
    half = float(rng.uniform(0.15, 0.35))
    shape = 'cylinder' if rng.random() < 0.5 else 'box'
    kind = str(rng.choice(['concrete', 'tiles', 'bricks', 'plain', 'marble', 'stripes']))
    look = Look(kind, seed_of(rng), (colour(rng, None, (0, 0.5)), colour(rng), colour(rng)), 0.4)
    return Furniture('pillar', 0.0, 0.0, 0.0, (half, half), (
        Part(shape, (0.0, 0.0, height_m / 2), (half, half, height_m / 2), look),), True)


MAKERS = {      # kind: (maker, against a wall)
    'crate': (crate, False), 'carton': (carton, False), 'bin': (bin_, False),
    'plant': (plant, False), 'table': (table, False), 'chair': (chair, False),
    'sofa': (sofa, True), 'bed': (bed, True), 'shelf': (shelf, True),
    'cupboard': (cupboard, True), 'desk': (desk, True), 'counter': (counter, True),
}
PROGRAMMES = {  # use of a room: how often each piece
    'office': {'desk': 4, 'chair': 4, 'shelf': 2, 'cupboard': 2, 'plant': 1, 'bin': 1,
               'table': 1},
    'living': {'sofa': 3, 'table': 2, 'shelf': 2, 'plant': 2, 'cupboard': 2, 'chair': 2},
    'bedroom': {'bed': 4, 'cupboard': 3, 'chair': 1, 'plant': 1, 'crate': 1, 'shelf': 1},
    'kitchen': {'counter': 4, 'table': 2, 'chair': 4, 'cupboard': 2, 'bin': 1},
    'store': {'carton': 5, 'crate': 4, 'shelf': 3, 'bin': 2},
    'blocks': {'crate': 5, 'bin': 3},
}


def make(kind: str, rng: np.random.Generator) -> Furniture:
    """Draw a piece; ValueError lists the kinds."""
    if kind not in MAKERS:
        raise ValueError(f'no furniture {kind!r}; there are: {", ".join(MAKERS)}')
    return MAKERS[kind][0](rng)
