# SPDX-License-Identifier: Apache-2.0
"""The planners that are compared, each a decision per frame behind one small interface."""

from dataclasses import replace
from typing import Protocol

import numpy as np

from ami_ros.core.types import Command, Frame, Goal, Plan
from ami_ros.mind import Mind
from ami_ros.modules.module import Module
from ami_ros.validation import evaluation_protocol as protocol


class Planner(Protocol):
    """Decides what to do next."""

    def begin(self, seed: int, picture: np.ndarray) -> None:
        """Start an episode towards a goal picture."""

    def decide(self, frame: Frame, commands: tuple[Command, ...]) -> Plan:
        """Plan from a frame and from the commands that went out so far."""


class WorldModelPlanner:
    """The mind itself."""

    def __init__(self, mind: Mind):
        self.mind = mind
        self.goal: Goal | None = None

    def begin(self, seed: int, picture: np.ndarray) -> None:
        """Forget, and look at the goal."""
        self.mind.begin()
        self.goal = self.mind.goal(picture, 1)

    def decide(self, frame: Frame, commands: tuple[Command, ...]) -> Plan:
        """Tick."""
        return self.mind.tick(frame, commands, self.goal).plan


class Borrowed:
    """A planner that sees, believes and arrives as the mind does, and chooses otherwise."""

    def __init__(self, mind: Mind):
        self.mind = mind

    def begin(self, seed: int, picture: np.ndarray) -> None:
        """Forget, and look at the goal."""
        self.mind.begin()
        self.goal, self.arrived = self.mind.goal(picture, 1), False
        self.mind.actor.goal = self.goal

    def decide(self, frame: Frame, commands: tuple[Command, ...]) -> Plan:
        """See and believe; stop when there, else ask the child."""
        latent = self.mind.see(frame)
        belief = self.mind.believe(latent, commands)
        self.mind.actor.arrived = self.arrived = self.mind.actor.at_goal(belief)
        rest = self.mind.actor.rest(belief, self.arrived)
        if self.arrived:
            return rest
        twist = self.choose(latent.z, frame)
        knots = np.tile(twist, (len(rest.knots), 1)).astype(float)
        return replace(rest, knots=knots)

    def choose(self, z: np.ndarray, frame: Frame) -> np.ndarray:
        """Return the twist (2,) for now."""
        raise NotImplementedError


class RandomPlanner(Borrowed):
    """Segments of random twists, as the goal drives are made."""

    def begin(self, seed: int, picture: np.ndarray) -> None:
        """Seed the stream."""
        super().begin(seed, picture)
        self.rng, self.until_ns = np.random.default_rng([seed, 0x4A4D]), -1
        self.twist: np.ndarray = np.zeros(2)

    def choose(self, z: np.ndarray, frame: Frame) -> np.ndarray:
        """Hold a segment, then draw another."""
        if frame.stamp_ns >= self.until_ns:
            self.until_ns = frame.stamp_ns + round(self.rng.uniform(*protocol.SEGMENT_S) * 1e9)
            self.twist = np.array([self.rng.uniform(*protocol.SPEEDS),
                                   self.rng.uniform(*protocol.TURNS)])
        return self.twist


class RetrievalPlanner(Borrowed):
    """Plays what was done between the stored moments that look most like now and the goal.

    AHEAD is as the field does it. HOLD_S and HASTE made it stronger on other seeds than those of
    any report (reached at K = 10: 60 % without haste, 76 % with): a lookup has to be a good one.
    """

    AHEAD = 30      # actions at most between the two moments
    HOLD_S = 0.25   # before looking again; deciding at every frame dithers between two pairs
    HASTE = 0.3     # squared latent distance that an action less is worth

    def __init__(self, mind: Mind, module: Module):
        super().__init__(mind)
        scale = module.array('memory_scale')
        self.latents = module.array('memory_latents').astype(np.float32) * scale
        self.squares = (self.latents ** 2).sum(1)
        self.drive = module.array('memory_drive').astype(int)
        self.action = module.array('memory_action').astype(float)

    def begin(self, seed: int, picture: np.ndarray) -> None:
        """Find, for every stored moment, how goal-like the best of the next moments is."""
        super().begin(seed, picture)
        like = self.distance(self.goal.z)
        best = np.full(len(like), np.inf)
        for ahead in range(1, self.AHEAD + 1):
            same = self.drive[ahead:] == self.drive[:-ahead]
            best[:-ahead] = np.where(same, np.minimum(best[:-ahead],
                                                      like[ahead:] + self.HASTE * ahead),
                                     best[:-ahead])
        self.future, self.until_ns, self.twist = best, -1, np.zeros(2)

    def distance(self, z: np.ndarray) -> np.ndarray:
        """Squared distance of every stored latent."""
        return self.squares - 2 * (self.latents @ z) + float(z @ z)

    def choose(self, z: np.ndarray, frame: Frame) -> np.ndarray:
        """Return the first action of the best pair, and hold it."""
        if frame.stamp_ns >= self.until_ns:
            self.until_ns = frame.stamp_ns + round((self.HOLD_S - 0.01) * 1e9)
            self.twist = self.action[int(np.argmin(self.distance(z) + self.future))]
        return self.twist
