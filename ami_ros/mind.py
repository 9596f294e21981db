# SPDX-License-Identifier: Apache-2.0
"""One tick on one page: frame > latent > belief > plan > verdict > command. Read this first."""

from dataclasses import dataclass

import numpy as np

from ami_ros.actor.cem import Actor
from ami_ros.core.settings import ActorSettings, EnergySettings, WorldModelSettings
from ami_ros.core.types import Belief, Command, Frame, Goal, Latent, Plan
from ami_ros.perception.camera_contract import CameraEncoder
from ami_ros.world_model.belief_filter import executed, WorldModel


@dataclass(frozen=True, slots=True, eq=False)
class Tick:
    """What one tick made, in flow order."""

    latent: Latent
    belief: Belief
    plan: Plan


class Mind:
    """Perception, world model, actor; the critic is elsewhere and nothing here overrules it."""

    def __init__(self, encoder: CameraEncoder, world_model: WorldModel, actor: Actor):
        self.encoder, self.world_model, self.actor = encoder, world_model, actor

    def begin(self) -> None:
        """Forget the run before: belief, plan and goal."""
        self.world_model.reset()
        self.actor.act_nothing()

    def go_on_from(self, other: 'Mind', same_space: bool) -> None:
        """Go on where another mind was; what it believes counts in the same latent space alone."""
        if same_space:
            self.world_model.go_on_from(other.world_model)
        self.actor.go_on_from(other.actor)

    def tune(self, world_model: WorldModelSettings | None = None,
             actor: ActorSettings | None = None, energy: EnergySettings | None = None) -> None:
        """Go on with other numbers; to be called between two ticks, by whoever ticks."""
        self.world_model.tune(world_model or self.world_model.settings)
        self.actor.tune(actor or self.actor.settings, energy or self.actor.weights)

    def goal(self, image: np.ndarray, number: int) -> Goal:
        """See a goal picture, (H, W, 3) uint8 rgb, as the modules see it."""
        z = self.encoder.encode(image)
        return Goal(z, self.encoder.place(z), number, image)

    def see(self, frame: Frame) -> Latent:
        """Perception."""
        return Latent(self.encoder.encode(frame.image), frame)

    def believe(self, latent: Latent, commands: tuple[Command, ...]) -> Belief:
        """World model: predict with what was executed, correct with what was seen."""
        return self.world_model.update(latent, commands)

    def plan(self, belief: Belief, commands: tuple[Command, ...], goal: Goal | None,
             deadline_ns: int | None = None) -> Plan:
        """Actor: search from where the robot will be when the plan can first take hold."""
        start_ns = belief.stamp_ns + round(max(0.0, self.world_model.settings.latency_s) * 1e9)
        ahead = self.world_model.predict(belief, commands, start_ns)
        lately = executed(commands, belief.stamp_ns - 100_000_000, belief.stamp_ns)
        return self.actor.act(ahead, belief, goal, deadline_ns, lately)

    def tick(self, frame: Frame, commands: tuple[Command, ...], goal: Goal | None,
             deadline_ns: int | None = None) -> Tick:
        """Frame > latent > belief > plan. The verdict is the critic's: `critic.guard`."""
        latent = self.see(frame)
        belief = self.believe(latent, commands)
        return Tick(latent, belief, self.plan(belief, commands, goal, deadline_ns))
