# SPDX-License-Identifier: Apache-2.0
"""Runs perception in its own process: camera frames in, latents out."""

from time import perf_counter

import numpy as np

from ami_ros.core.types import Frame
from ami_ros.nodes import convert, topics
from ami_ros.nodes.mind_settings import GROUPS as ALL
from ami_ros.nodes.mind_settings import open_mind
from ami_ros.nodes.run import run
from ami_ros.nodes.trace_mind import thought
from ami_ros.nodes.worker_node import Input, Said, WantedGoal, WorkerNode

GROUPS = ALL['perception']
NOWHERE = np.zeros(3)       # perception does not ask where the body is


class PerceptionNode(WorkerNode):
    """Converts in, sees, converts out."""

    def __init__(self, make_mind=open_mind):
        super().__init__('perception', make_mind)
        self.start()

    def configure(self) -> None:
        """Open the networks, and offer what they make."""
        super().configure()
        self.latents, self.goals = self.offer(topics.LATENT), self.offer(topics.GOAL_LATENT)
        self.states = self.offer(topics.SIGHT_STATE)

    def listen(self) -> None:
        """Hear orders and pictures."""
        self.hear_budget()
        self.hear(topics.GOAL, self.on_goal)
        self.hear_camera()

    def on_goal(self, msg) -> None:
        """Take an order of the configurator."""
        try:
            self.take_order(WantedGoal(*convert.goal_from(msg)))
        except ValueError as wrong:
            self.refuse('goal', str(wrong))

    def follow(self, order: WantedGoal) -> None:
        """See a goal, each time that it is asked for: it may be the answer that got lost."""
        super().follow(order)
        z = np.zeros(0, np.float32)
        if order.value is not None and order.number == self.goal > 0:
            z = self.mind.encoder.encode(self.eye.goal(order.value))
        if order.number == self.goal:
            self.goals.publish(convert.vector_message(z, 0, f'{order.run}/{order.number}'))

    def aim(self, order: WantedGoal) -> None:
        """Refuse a goal that cannot be seen."""
        if order.value is not None:
            self.eye.goal(order.value)

    def think(self, item: Input) -> Said:
        """See."""
        begun = perf_counter()
        picture = self.eye.view(item.value)
        latent = self.mind.see(Frame(picture, NOWHERE, NOWHERE, item.stamp_ns, item.stamp_ns,
                                     self.run))
        seen = perf_counter()
        yield self.latents, convert.vector_message(latent.z, item.stamp_ns, self.run)
        if self.states.get_subscription_count():
            yield self.states, convert.state_message({'encode_ms': 1e3 * (seen - begun)},
                                                     item.stamp_ns, self.run)
        self.tracing.note(thought(self, item, begun, {'perception': seen}, picture=picture,
                                  z=latent.z))


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(PerceptionNode, args)
