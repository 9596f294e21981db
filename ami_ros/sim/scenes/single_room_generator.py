# SPDX-License-Identifier: Apache-2.0
"""Single rooms of 3 to 12 m with any number of pieces of furniture."""

from dataclasses import replace

import numpy as np

from ami_ros.sim.scenes import furniture_placement, styles
from ami_ros.sim.scenes.furniture import PROGRAMMES
from ami_ros.sim.scenes.scene import check, Scene

SIDE_M = (3.0, 12.0)


def draw(seed: int) -> Scene:
    """Draw a room from its seed."""
    rng = np.random.default_rng([seed, 0x5006])
    w, d = rng.uniform(*SIDE_M), rng.uniform(*SIDE_M)
    if rng.random() < 0.5:      # as often small as large
        w, d = min(w, 3.0 + 0.5 * (w - 3.0)), min(d, 3.0 + 0.5 * (d - 3.0))
    box = float(-w / 2), float(-d / 2), float(w / 2), float(d / 2)
    room = styles.room(rng, box, float(rng.uniform(2.1, 3.4)))
    density = rng.uniform(0.0, 0.1) if rng.random() < 0.15 else rng.uniform(0.15, 0.8)
    room = replace(room, decor=styles.decor(rng, room, 0, (), (True,) * 4, float(density)))
    count = int(rng.integers(0, max(2, round(w * d / 2))))
    furniture = furniture_placement.furnish(rng, room, 0, (), count,
                                            str(rng.choice(list(PROGRAMMES))))
    light = styles.lighting(rng, str(rng.choice(styles.LIGHTS)), (room,))
    return check(Scene('rooms', seed, (room,), (), tuple(furniture), light))
