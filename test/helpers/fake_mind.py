# SPDX-License-Identifier: Apache-2.0
"""
A real mind on networks that were not learned: pictures are read by their brightness.

Runs any of the mind's nodes with it: `python fake_mind.py NODE --ros-args ...`. It pretends that
the left of a picture says how far north the robot is, and so on, and that motion is kinematic.
"""

import importlib
import sys
import time

from ami_ros.actor.cem import Actor
from ami_ros.actor.cost_to_go import Map
from ami_ros.core.interfaces import Imagined
from ami_ros.core.settings import ActorSettings, EnergySettings
from ami_ros.mind import Mind
from ami_ros.nodes.mind_settings import world_settings
from ami_ros.nodes.run import run
from ami_ros.perception.camera_contract import CameraContract
from ami_ros.robots.find_robot import find
from ami_ros.world_model.belief_filter import WorldModel
import numpy as np

CELLS, CELL_M = 40, 0.1


class FakeNetworks:
    """Encoder and dynamics: a latent is (x / 2 m, y / 2 m, cos yaw, sin yaw), no unit."""

    contract = CameraContract((64, 64))
    horizons = tuple(range(32, 1, -1))
    size = contract.size

    def encode(self, image):
        left, right = image[:, :32].mean() / 255, image[:, 32:].mean() / 255
        top = image[:32].mean() / 255 * 6
        return np.array([left - 0.5, right - 0.5, np.cos(top), np.sin(top)], np.float32)

    def place(self, z):
        z = np.asarray(z, float)
        return np.stack([2 * z[..., 0], 2 * z[..., 1], np.arctan2(z[..., 3], z[..., 2])], -1)

    def doubt(self, z):
        return 0.1 + 0.01 * abs(float(z[0]))

    def step(self, z, body, twist, dt_s):
        after = moved(np.asarray(z, float)[None], np.asarray(twist, float)[None], dt_s)[0]
        return after.astype(np.float32), np.array([*twist, twist[1]], np.float32), 1.0

    def imagine(self, z, body, knots, goal_z):
        now, seen = np.repeat(np.asarray(z, float)[None], len(knots), 0), []
        for k in range(knots.shape[1]):
            now = moved(now, knots[:, k], 0.25)
            seen.append(now)
        z = np.stack(seen, 1)
        ones = np.ones(z.shape[:2])
        return Imagined(self.place(z), ((z - goal_z) ** 2).mean(-1), ones, ones)


def moved(z, twist, dt_s):
    """Carry latents (N, 4) along twists (N, 2)."""
    yaw = np.arctan2(z[:, 3], z[:, 2]) + dt_s * twist[:, 1]
    c, s = np.cos(yaw), np.sin(yaw)
    return np.stack([z[:, 0] + 0.5 * dt_s * twist[:, 0] * c,
                     z[:, 1] + 0.5 * dt_s * twist[:, 0] * s, c, s], 1)


def fake_mind(made):
    networks = FakeNetworks()
    ground = Map(np.ones((CELLS, CELLS)), np.array([-2.0, -2.0]), CELL_M)
    return Mind(networks, WorldModel(networks, networks, world_settings(made, find('rover')), 0.1),
                Actor(networks, networks.place, ground, find('rover').limits,
                      made.get('actor', ActorSettings()), made.get('energy', EnergySettings()),
                      time.monotonic_ns))


def main(node, args=None):
    module = importlib.import_module(f'ami_ros.nodes.{node}_node')
    make = getattr(module, f'{node}_node')
    return run(lambda: make(fake_mind), args)


if __name__ == '__main__':
    raise SystemExit(main(sys.argv[1], sys.argv))
