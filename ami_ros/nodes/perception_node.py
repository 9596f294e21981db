# SPDX-License-Identifier: Apache-2.0
"""Runs perception in its own process: camera frames in, latents out."""

from time import perf_counter

import numpy as np

from ami_ros.core.types import Frame
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.lifecycle import Managed
from ami_ros.nodes.mind_settings import GROUPS as ALL
from ami_ros.nodes.mind_settings import open_mind
from ami_ros.nodes.run import run
from ami_ros.nodes.trace_mind import thought
from ami_ros.nodes.type_narrowing import present
from ami_ros.nodes.worker import Input, WantedGoal
from ami_ros.nodes.worker_node import Processor, Said, WorkerNode

GROUPS = ALL['perception']
NOWHERE = np.zeros(3)       # perception does not ask where the body is


class PerceptionProcessor(Processor):
    """Converts in, sees, converts out."""

    def offer(self) -> None:
        """Offer what the networks make."""
        offer = self.worker.offer
        self.latents, self.goals = offer(topics.LATENT), offer(topics.GOAL_LATENT)
        self.states = offer(topics.SIGHT_STATE)

    def listen(self) -> None:
        """Hear orders and pictures."""
        self.worker.hear_budget()
        self.worker.sensors.hear_goal()
        self.worker.sensors.hear_camera(present(self.worker.mind).encoder.contract)

    def aim(self, order: WantedGoal) -> None:
        """Refuse a goal that cannot be seen."""
        if order.value is not None:
            present(self.worker.sensors.eye).goal(order.value)

    def followed(self, order: WantedGoal) -> None:
        """See a goal, each time that it is asked for: it may be the answer that got lost."""
        z, number = np.zeros(0, np.float32), self.worker.episode.number
        if order.value is not None and order.number == number > 0:
            picture = present(self.worker.sensors.eye).goal(order.value)
            z = present(self.worker.mind).encoder.encode(picture)
        if order.number == number:
            self.goals.publish(convert.vector_message(z, 0, f'{order.run}/{order.number}'))

    def process(self, item: Input) -> Said:
        """See."""
        worker, begun = self.worker, perf_counter()
        picture = present(worker.sensors.eye).view(item.value)
        latent = present(worker.mind).see(Frame(picture, NOWHERE, NOWHERE, item.stamp_ns,
                                                item.stamp_ns, worker.episode.run))
        seen = perf_counter()
        yield self.latents, convert.vector_message(latent.z, item.stamp_ns, worker.episode.run)
        if self.states.get_subscription_count():
            yield self.states, convert.state_message({'encode_ms': 1e3 * (seen - begun)},
                                                     item.stamp_ns, worker.episode.run)
        worker.tracing.note(thought(worker, item, begun, {'perception': seen}, picture=picture,
                                    z=latent.z))


def perception_node(make_mind=open_mind) -> Managed:
    """Make the node."""
    return WorkerNode('perception', PerceptionProcessor, make_mind).node


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(perception_node, args)
