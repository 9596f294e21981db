# SPDX-License-Identifier: Apache-2.0
"""A mind's outside without learning: the picture is the pose, and every forecast comes true.

It pretends that perception is perfect and that the base has neither lag nor slip. What the real
networks do not: the latent is the place itself, so that a test can say what must come out.
"""

from ami_ros.actor.cem import Actor
from ami_ros.actor.cost_to_go import Map
from ami_ros.core.geometry import compose
from ami_ros.core.interfaces import Imagined
from ami_ros.core.settings import ActorSettings, EnergySettings, WorldModelSettings
from ami_ros.core.types import Belief, Command, Frame, Goal
from ami_ros.mind import Mind
from ami_ros.world_model.belief_filter import WorldModel
import numpy as np

LIMITS = (0.6, 1.5)
MS = 1_000_000


def picture(pose) -> np.ndarray:
    """Take a picture (1, 8, 3) uint8 at a pose (3,)."""
    return np.array(pose, np.float64).view(np.uint8).reshape(1, 8, 3)


def arc(pose: np.ndarray, twist: np.ndarray, seconds: float) -> np.ndarray:
    """Carry poses (..., 3) along constant twists (..., 2)."""
    pose, twist = np.asarray(pose, float), np.asarray(twist, float)
    turn = twist[..., 1] * seconds
    chord = twist[..., 0] * seconds * np.sinc(turn / 2 / np.pi)
    return compose(pose, np.stack([chord * np.cos(turn / 2), chord * np.sin(turn / 2), turn], -1))


class Flatland:
    """Encoder and Dynamics whose latent (3,) float32 is the pose."""

    def __init__(self, doubt_m: float = 0.05):
        self.doubt_m = doubt_m
        self.imagined = 0       # calls

    def encode(self, image: np.ndarray) -> np.ndarray:
        return image.reshape(-1).view(np.float64).astype(np.float32)

    def place(self, z: np.ndarray) -> np.ndarray:
        return np.array(z, float)

    def doubt(self, z: np.ndarray) -> float:
        return self.doubt_m

    def step(self, z, body, twist, dt_s):
        moved = arc(z, twist, dt_s).astype(np.float32)
        return moved, np.array([*twist, twist[1]], np.float32), 1.0

    def imagine(self, z, body, knots, goal_z) -> Imagined:
        self.imagined += 1
        n, h, _ = knots.shape
        pose, places = np.tile(np.asarray(z, float), (n, 1)), np.empty((n, h, 3))
        for k in range(h):
            pose = places[:, k] = arc(pose, knots[:, k], 0.25)
        latent = ((places - goal_z) ** 2).mean(-1)
        return Imagined(places, latent, np.full((n, h), 1.0), np.ones((n, h)))


def floor(half_m: float = 3.0, cell_m: float = 0.1) -> Map:
    """Make a free square floor."""
    cells = round(2 * half_m / cell_m) + 1
    return Map(np.ones((cells, cells)), np.array([-half_m, -half_m]), cell_m)


def actor(world: Flatland | None = None, ground: Map | None = None, steady_ns=lambda: 0,
          weights: EnergySettings | None = None, **settings) -> Actor:
    """Make an actor for Flatland."""
    world = world or Flatland()
    return Actor(world, world.place, ground or floor(), LIMITS, ActorSettings(**settings),
                 weights or EnergySettings(), steady_ns)


def mind(world: Flatland | None = None, latency_s: float = 0.0, **settings) -> Mind:
    """Put a mind together in Flatland."""
    world = world or Flatland()
    model = WorldModel(world, world, WorldModelSettings(latency_s=latency_s), 1.0)
    return Mind(world, model, actor(world, **settings))


def frame(pose, ms: int, number: int = 1, run: str = 'a', odometry=None) -> Frame:
    """Take a frame; odometry is the pose itself where nothing else is given."""
    pose = np.array(pose, float)
    return Frame(picture(pose), np.zeros(3, np.float32),
                 pose if odometry is None else np.array(odometry, float), ms * MS, number, run)


def belief(pose, ms: int = 0, number: int = 1, run: str = 'a', place=None) -> Belief:
    """Believe to be at a pose; `place` where the learned map says otherwise."""
    pose = np.array(pose, float)
    return Belief(pose.astype(np.float32), np.zeros(3, np.float32),
                  pose if place is None else np.array(place, float), pose, ms * MS, 1.0, 1.0,
                  number, run)


def goal(pose, number: int = 1) -> Goal:
    """Wish to be at a pose."""
    return Goal(np.array(pose, np.float32), np.array(pose, float), number)


def command(v: float, w: float, ms: int) -> Command:
    """Send a twist."""
    return Command(np.array([v, w]), ms * MS)
