# SPDX-License-Identifier: Apache-2.0
"""Open halls of 8 to 18 m with rows of pillars and little else."""

from dataclasses import replace

import numpy as np

from ami_ros.sim.scenes import furniture, furniture_placement, styles
from ami_ros.sim.scenes.elements import Room
from ami_ros.sim.scenes.scene import check, Scene

SIDE_M = (8.0, 18.0)


def draw(seed: int) -> Scene:
    """Draw a hall from its seed."""
    rng = np.random.default_rng([seed, 0x4A11])
    w, d = (float(v) for v in rng.uniform(*SIDE_M, 2))
    room = styles.room(rng, (-w / 2, -d / 2, w / 2, d / 2), float(rng.uniform(2.8, 4.5)))
    room = replace(room, decor=styles.decor(rng, room, 0, (), (True,) * 4,
                                            float(rng.uniform(0.1, 0.5))))
    standing = pillars(rng, room)
    count = int(rng.integers(0, 14))
    more = furniture_placement.furnish(rng, room, 0, (), count,
                                       str(rng.choice(['blocks', 'store', 'kitchen',
                                                                   'living'])), tuple(standing))
    light = styles.lighting(rng, str(rng.choice(styles.LIGHTS)), (room,))
    return check(Scene('hall', seed, (room,), (), (*standing, *more), light))


def pillars(rng, room: Room) -> list[furniture.Furniture]:
    """A grid of equal pillars, some missing, each with its own look in a quarter of the halls."""
    model = furniture.pillar(rng, room.height_m)
    own = rng.random() < 0.25
    w, d = room.size_m
    columns, rows = (max(1, round(v / rng.uniform(2.8, 4.5))) for v in (w, d))
    out = []
    for i in range(columns):
        for k in range(rows):
            if rng.random() < 0.15:
                continue
            one = furniture.pillar(rng, room.height_m) if own else model
            x = room.x0_m + (i + 0.5) * w / columns + rng.uniform(-0.2, 0.2)
            y = room.y0_m + (k + 0.5) * d / rows + rng.uniform(-0.2, 0.2)
            out.append(replace(one, x_m=float(x), y_m=float(y)))
    return out
