# SPDX-License-Identifier: Apache-2.0
"""The protocol's room, baked for another engine, looks as PyBullet shows it."""

import math

from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.engines.ray_renderer import RayRenderer
from ami_ros.sim.scenes.protocol_room_mesh import bake_world
import numpy as np
import pytest

SIZE = 64, 64
UP = np.array([0.0, 0.0, 1.0])
EYES = ((1.5, 1.2, 0.3), (-1.6, 0.5, 2.0), (0.3, -2.0, 4.4), (2.2, -2.2, 2.4))
FAR_AWAY = 50.0, 0.0, 0.0       # of the rover, which would be in the pictures


def views(picture):
    out = []
    for x, y, yaw in EYES:
        ahead = np.array([math.cos(yaw), math.sin(yaw), 0.0])
        out.append(picture(np.array([x, y, 0.2]), ahead, UP).astype(int))
    return np.stack(out)


def baked(world):
    rays, mesh = RayRenderer(SIZE, find('rover').camera_hfov_rad), bake_world(world)
    return views(lambda *at: rays.picture(*at, [(mesh, np.zeros(3))]))


def alike(one, other):
    """Return the share of the pixels that differ by at most 20 of 255 levels."""
    return (np.abs(one - other).max(-1) <= 20).mean()


@pytest.mark.parametrize('light', [None, worlds.Shade((0.9, 0.7, 0.4), 0.3, 0.2)])
def test_it_looks_as_in_pybullet(light):
    pytest.importorskip('pybullet', reason='needs pybullet')
    from ami_ros.sim.engines.pybullet_engine import PyBulletEngine
    world = worlds.draw(7)
    if light:
        world = worlds.replace(world, shade=light)
    engine = PyBulletEngine(world, find('rover'), SIZE)
    try:
        engine.place(*FAR_AWAY)
        shown = views(engine.picture)
    finally:
        engine.close()
    assert alike(shown, baked(world)) > 0.85            # edges differ by part of a pixel
    assert alike(shown, baked(worlds.draw(8))) < 0.4    # another room
