# SPDX-License-Identifier: Apache-2.0
"""Procedural materials of floors, walls and furniture, painted from a recipe and its seed.

A material has no outline and fills any surface; faces of objects are in object_textures.py.
Each painter returns the albedo, (H, W, 3) float32 from 0 to 1, row 0 at the upper edge.
"""

from dataclasses import replace
import math

import cv2
import numpy as np

from ami_ros.sim.scenes.elements import Look


def noise(rng: np.random.Generator, h: int, w: int, cell: float, octaves: int = 2) -> np.ndarray:
    """Smooth noise (H, W) around 0, about -1 to 1; `cell` is its coarsest grain in pixels."""
    out = np.zeros((h, w), np.float32)
    for octave in range(octaves):
        size = max(1.0, cell / 2 ** octave)
        grid = rng.uniform(-1, 1, (max(1, math.ceil(h / size)) + 1,
                                   max(1, math.ceil(w / size)) + 1)).astype(np.float32)
        out += cv2.resize(grid, (w, h), interpolation=cv2.INTER_LINEAR) / 2 ** octave
    return out


def grain(rng: np.random.Generator, h: int, w: int) -> np.ndarray:
    """White noise (H, W) from -1 to 1, cheap: a tile that repeats."""
    side_h, side_w = min(h, 97), min(w, 97)
    tile = rng.uniform(-1, 1, (side_h, side_w)).astype(np.float32)
    return np.tile(tile, (-(-h // side_h), -(-w // side_w)))[:h, :w]


def filled(h: int, w: int, colour) -> np.ndarray:
    """One colour, (H, W, 3)."""
    return np.broadcast_to(np.asarray(colour, np.float32), (h, w, 3)).copy()


def blend(share: np.ndarray, one, two) -> np.ndarray:
    """Mix two colours by a share (H, W) of the second."""
    one, two = (np.asarray(c, np.float32) for c in (one, two))
    return one + np.clip(share, 0, 1)[..., None].astype(np.float32) * (two - one)


def axes(h: int, w: int, texels_per_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Metres from the left edge (1, W) and from the lower edge (H, 1)."""
    x = (np.arange(w, dtype=np.float32) + 0.5)[None] / texels_per_m
    y = (np.arange(h, dtype=np.float32)[::-1] + 0.5)[:, None] / texels_per_m
    return x, y


def plain(rng, h, w, tpm, look):
    """Paint, with slight stains."""
    stain = 0.05 * noise(rng, h, w, 0.8 * tpm, 3) + 0.012 * grain(rng, h, w)
    return filled(h, w, look.colours[0]) * (1 + stain[..., None])


def concrete(rng, h, w, tpm, look):
    """Blotchy grey with the seams of its formwork."""
    out = filled(h, w, look.colours[0]) * (
        1 + 0.16 * noise(rng, h, w, 1.1 * tpm, 4) + 0.04 * grain(rng, h, w))[..., None]
    x, y = axes(h, w, tpm)
    seam = (np.mod(x, 4 * look.scale_m) < 1 / tpm) | (np.mod(y, 2.5 * look.scale_m) < 1 / tpm)
    out[seam] *= 0.75
    return out


def stripes(rng, h, w, tpm, look):
    """Wallpaper of vertical stripes of two colours and a thin third one."""
    x, _ = axes(1, w, tpm)
    phase = np.mod(x / look.scale_m, 1.0)
    row = np.where((phase < rng.uniform(0.3, 0.7))[..., None], np.float32(look.colours[0]),
                   np.float32(look.colours[1]))
    row = np.where((phase > 0.93)[..., None], np.float32(look.colours[2]), row)
    return np.repeat(row, h, 0) * (1 + 0.02 * grain(rng, h, w))[..., None]


def dots(rng, h, w, tpm, look):
    """Wallpaper of a repeated round motif, every second row shifted."""
    x, y = axes(h, w, tpm)
    row = np.floor(y / look.scale_m)
    u = np.mod(x / look.scale_m + 0.5 * np.mod(row, 2), 1) - 0.5
    v = np.mod(y / look.scale_m, 1) - 0.5
    away = np.sqrt(u * u + v * v) * (1 + 0.3 * np.cos(5 * np.arctan2(v, u)))
    out = blend((away < 0.30) * 1.0, look.colours[0], look.colours[1])
    return blend_at(out, away < 0.12, look.colours[2]) * (1 + 0.02 * grain(rng, h, w))[..., None]


def blend_at(out: np.ndarray, where: np.ndarray, colour) -> np.ndarray:
    """Set a colour where a mask (H, W) is true."""
    out[np.broadcast_to(where, out.shape[:2])] = np.asarray(colour, np.float32)
    return out


def damask(rng, h, w, tpm, look):
    """Wallpaper of interfering waves, an ornament that repeats."""
    x, y = axes(h, w, tpm)
    k = 2 * math.pi / look.scale_m
    a, b, c = rng.uniform(0, 6.28, 3)
    wave = (np.sin(k * x + a) * np.cos(k * y + b) + 0.6 * np.sin(2 * k * x) * np.sin(k * y + c)
            + 0.4 * np.cos(k * (x + y)))
    return blend(1 / (1 + np.exp(-6 * wave)), look.colours[0], look.colours[1])


def wainscot(rng, h, w, tpm, look):
    """Two colours, one above the other, with a rail between them and panels below."""
    x, y = axes(h, w, tpm)
    rail = 0.55 + 1.2 * look.scale_m
    out = blend((y < rail) * np.ones_like(x), look.colours[0], look.colours[1])
    panel = (np.mod(x, 2 * look.scale_m) < 1.2 / tpm) & (y < rail)
    blend_at(out, panel, np.float32(look.colours[1]) * 0.7)
    blend_at(out, (np.abs(y - rail) < 0.03) & (x > -1), look.colours[2])
    return out * (1 + 0.03 * noise(rng, h, w, 0.5 * tpm, 2))[..., None]


def bricks(rng, h, w, tpm, look):
    """Running bond; each brick has its own shade."""
    x, y = axes(h, w, tpm)
    high, long = 0.4 * look.scale_m, 1.2 * look.scale_m
    row = np.floor(y / high)
    along = x / long + 0.5 * np.mod(row, 2)
    shade = shades(rng, np.floor(along), row, 0.25)
    out = filled(h, w, look.colours[0]) * (1 + shade + 0.05 * grain(rng, h, w))[..., None]
    joint = (np.mod(y, high) < 1.3 / tpm) | (np.mod(along, 1) * long < 1.3 / tpm)
    return blend_at(out, joint, look.colours[1])


def shades(rng, column: np.ndarray, row: np.ndarray, spread: float) -> np.ndarray:
    """One random shade from -spread to spread for each cell of integer coordinates."""
    table = rng.uniform(-spread, spread, (53, 59)).astype(np.float32)
    return table[np.mod(row.astype(int), 53), np.mod(column.astype(int), 59)]


def tiles(rng, h, w, tpm, look):
    """Square tiles with joints, plain or as a chessboard."""
    x, y = axes(h, w, tpm)
    column, row = np.floor(x / look.scale_m), np.floor(y / look.scale_m)
    other = np.mod(column + row, 2) if rng.random() < 0.5 else (
        shades(rng, column, row, 1.0) > 0.6) * 1.0
    out = blend(other, look.colours[0], look.colours[1])
    out *= (1 + shades(rng, column, row, 0.07))[..., None]
    out *= (1 + 0.04 * noise(rng, h, w, 0.2 * tpm, 2))[..., None]
    joint = np.minimum(np.mod(x, look.scale_m), np.mod(y, look.scale_m)) < 1.2 / tpm
    return blend_at(out, joint, look.colours[2])


def planks(rng, h, w, tpm, look):
    """Wooden boards along x with their own shade and grain."""
    x, y = axes(h, w, tpm)
    wide, long = 0.45 * look.scale_m, 4 * look.scale_m
    row = np.floor(y / wide)
    start = shades(rng, np.zeros_like(row), row, 1.0)
    board = np.floor(x / long + start)
    shade = shades(rng, board, row, 0.22)
    fibres = cv2.resize(rng.uniform(-1, 1, (h, max(2, w // 14 + 1))).astype(np.float32), (w, h),
                        interpolation=cv2.INTER_LINEAR)
    out = filled(h, w, look.colours[0]) * (1 + shade + 0.12 * fibres)[..., None]
    joint = (np.mod(y, wide) < 1 / tpm) | (np.mod(x / long + start, 1) * long < 1 / tpm)
    out[joint] *= 0.6
    return out


def carpet(rng, h, w, tpm, look):
    """Woven pile, flecked or with a repeated pattern."""
    out = filled(h, w, look.colours[0])
    kind = rng.random()
    if kind < 0.4:
        out = blend(1.2 * noise(rng, h, w, 0.3 * tpm, 3), look.colours[0], look.colours[1])
    elif kind < 0.7:
        x, y = axes(h, w, tpm)
        lozenge = np.abs(np.mod(x / look.scale_m, 1) - 0.5) + np.abs(
            np.mod(y / look.scale_m, 1) - 0.5)
        out = blend((lozenge < 0.3) * 1.0, look.colours[0], look.colours[1])
    return out * (1 + 0.14 * grain(rng, h, w))[..., None]


def panels(rng, h, w, tpm, look):
    """Vertical wooden or metal panels."""
    x, _ = axes(h, w, tpm)
    column = np.floor(x / look.scale_m)
    shade = shades(rng, column, np.zeros_like(column), 0.12)
    fibres = cv2.resize(rng.uniform(-1, 1, (max(2, h // 20 + 1), w)).astype(np.float32), (w, h),
                        interpolation=cv2.INTER_LINEAR)
    out = filled(h, w, look.colours[0]) * (1 + shade + 0.08 * fibres)[..., None]
    out[np.broadcast_to(np.mod(x, look.scale_m) < 1.2 / tpm, (h, w))] *= 0.55
    return out


def patches(rng, h, w, tpm, look):
    """A coloured ground with rectangles of other colours, as in the room of the protocol."""
    out = filled(h, w, look.colours[0])
    for _ in range(max(3, round(h * w / tpm ** 2 / 0.5))):
        wide, high = (int(rng.integers(2, max(3, n // 4))) for n in (w, h))
        x, y = int(rng.integers(0, max(1, w - wide))), int(rng.integers(0, max(1, h - high)))
        out[y:y + high, x:x + wide] = rng.uniform(0, 1, 3)
    return out * (1 + 0.03 * grain(rng, h, w))[..., None]


def cloth(rng, h, w, tpm, look):
    """Fabric in one colour with a weave, plain or checked."""
    out = filled(h, w, look.colours[0])
    if rng.random() < 0.35:
        x, y = axes(h, w, tpm)
        check = (np.mod(x, look.scale_m) < 0.5 * look.scale_m) * 0.5 + (
            np.mod(y, look.scale_m) < 0.5 * look.scale_m) * 0.5
        out = blend(check, look.colours[0], look.colours[1])
    return out * (1 + 0.07 * grain(rng, h, w) + 0.08 * noise(rng, h, w, 0.2 * tpm))[..., None]


def marble(rng, h, w, tpm, look):
    """Stone with veins."""
    veins = np.abs(noise(rng, h, w, 0.9 * tpm, 4))
    return blend(np.exp(-9 * veins), look.colours[0], look.colours[1])


PAINTERS = {
    'plain': plain, 'concrete': concrete, 'stripes': stripes, 'dots': dots, 'damask': damask,
    'wainscot': wainscot, 'bricks': bricks, 'tiles': tiles, 'planks': planks, 'carpet': carpet,
    'panels': panels, 'patches': patches, 'cloth': cloth, 'marble': marble,
}


def paint(look: Look, h: int, w: int, texels_per_m: float) -> np.ndarray:
    """Paint a material; ValueError lists the kinds there are."""
    if look.kind not in PAINTERS:
        raise ValueError(f'no texture {look.kind!r}; there are: {", ".join(sorted(PAINTERS))}')
    rng = np.random.default_rng([look.seed, 0x7E8])
    look = replace(look, colours=(*look.colours, *look.colours[:1] * 2))    # as many as any needs
    return np.clip(PAINTERS[look.kind](rng, h, w, texels_per_m, look), 0, 1).astype(np.float32)
