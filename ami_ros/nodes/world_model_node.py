# SPDX-License-Identifier: Apache-2.0
"""Runs the world model in its own process: latents, odometry, IMU, commands in; beliefs out."""

from time import perf_counter

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.types import Frame, Latent
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.lifecycle import Managed
from ami_ros.nodes.mind_settings import GROUPS as ALL
from ami_ros.nodes.mind_settings import open_mind
from ami_ros.nodes.planning import BEFORE_NS
from ami_ros.nodes.run import run
from ami_ros.nodes.trace_mind import thought
from ami_ros.nodes.type_narrowing import of_kind, present
from ami_ros.nodes.worker import Input
from ami_ros.nodes.worker_node import Processor, Said, WorkerNode

GROUPS = ALL['world_model']
UNSEEN = np.zeros((0, 0, 3), np.uint8)      # the world model does not ask for the picture


class WorldModelProcessor(Processor):
    """Converts in, believes, converts out."""

    def offer(self) -> None:
        """Offer beliefs."""
        self.beliefs = self.worker.offer(topics.BELIEF)
        self.belief_states = self.worker.offer(topics.BELIEF_STATE)

    def listen(self) -> None:
        """Hear commands, body and latents."""
        self.worker.sensors.hear_commands()
        self.worker.sensors.hear_body()
        self.worker.sensors.hear(topics.LATENT, self.on_latent)

    def on_latent(self, msg) -> None:
        """Take a latent."""
        try:
            z, stamp_ns, run_id = convert.vector_from(msg)
            self.worker.queue.put(stamp_ns, z, run_id)
        except ValueError as wrong:
            self.worker.troubles.refuse('input', str(wrong))

    def may(self, item: Input) -> bool:
        """A new run waits for no command of the one before."""
        if item.run != self.worker.episode.run:
            self.worker.begin(item.run)
        return True

    def process(self, item: Input) -> Said:
        """Believe."""
        worker, begun = self.worker, perf_counter()
        z, mind, body = (of_kind(item.value, np.ndarray), present(worker.mind),
                         present(worker.sensors.body))
        reading = body.at(item.stamp_ns)
        if reading is None:
            raise AmiError(body.missing(item.stamp_ns))
        old = mind.world_model.belief
        before_ns = item.stamp_ns if old is None else min(item.stamp_ns, old.stamp_ns)
        frame = Frame(UNSEEN, *reading, item.stamp_ns, item.stamp_ns, item.run)
        commands = present(worker.sensors.commands).since(before_ns - BEFORE_NS)
        belief = mind.believe(Latent(z, frame), commands)
        worker.health_of.believed(belief)
        believed = perf_counter()
        yield from zip((self.beliefs, self.belief_states),
                       convert.belief_messages(belief, believe_ms=1e3 * (believed - begun)))
        worker.tracing.note(thought(worker, item, begun, {'world_model': believed},
                                    reading=reading, commands=commands, z=z,
                                    belief=belief))


def world_model_node(make_mind=open_mind) -> Managed:
    """Make the node."""
    return WorkerNode('world_model', WorldModelProcessor, make_mind).node


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(world_model_node, args)
