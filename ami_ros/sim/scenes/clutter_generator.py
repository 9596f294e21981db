# SPDX-License-Identifier: Apache-2.0
"""Rooms full of boxes, chairs with legs, and tables whose top a planar lidar cannot see."""

from dataclasses import replace

import numpy as np

from ami_ros.sim.scenes import furniture_placement, styles
from ami_ros.sim.scenes.scene import check, Scene

SIDE_M = (4.0, 9.0)
GAP_M = 0.62            # a rover is 0.44 m across its corners


def draw(seed: int) -> Scene:
    """Draw a cluttered room from its seed."""
    rng = np.random.default_rng([seed, 0xC107])
    w, d = (float(v) for v in rng.uniform(*SIDE_M, 2))
    room = styles.room(rng, (-w / 2, -d / 2, w / 2, d / 2), float(rng.uniform(2.2, 3.0)))
    room = replace(room, decor=styles.decor(rng, room, 0, (), (True,) * 4,
                                            float(rng.uniform(0.1, 0.7))))
    programme = str(rng.choice(['office', 'kitchen', 'store', 'blocks']))
    furniture = furniture_placement.furnish(rng, room, 0, (), round(w * d / 1.3), programme,
                                            gap_m=GAP_M)
    light = styles.lighting(rng, str(rng.choice(styles.LIGHTS)), (room,))
    return check(Scene('clutter', seed, (room,), (), tuple(furniture), light))
