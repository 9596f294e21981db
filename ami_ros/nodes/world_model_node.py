# SPDX-License-Identifier: Apache-2.0
"""Runs the world model in its own process: latents, body readings and commands in, beliefs out."""

from time import perf_counter

import numpy as np

from ami_ros.core.types import Frame, Latent
from ami_ros.nodes import convert, topics
from ami_ros.nodes.mind_settings import GROUPS as ALL
from ami_ros.nodes.mind_settings import open_mind
from ami_ros.nodes.planning import BEFORE_NS
from ami_ros.nodes.run import run
from ami_ros.nodes.trace_mind import thought
from ami_ros.nodes.worker_node import Input, Said, WorkerNode

GROUPS = ALL['world_model']
UNSEEN = np.zeros((0, 0, 3), np.uint8)      # the world model does not ask for the picture


class WorldModelNode(WorkerNode):
    """Converts in, believes, converts out."""

    def __init__(self, make_mind=open_mind):
        super().__init__('world_model', make_mind)
        self.start()

    def configure(self) -> None:
        """Open the networks, and offer what they make."""
        super().configure()
        self.beliefs = self.offer(topics.BELIEF)
        self.belief_states = self.offer(topics.BELIEF_STATE)

    def listen(self) -> None:
        """Hear commands, body and latents."""
        self.hear_commands()
        self.hear_body()
        self.hear(topics.LATENT, self.on_latent)

    def on_latent(self, msg) -> None:
        """Take a latent."""
        try:
            z, stamp_ns, run_id = convert.vector_from(msg)
            self.take_in(stamp_ns, z, run_id)
        except ValueError as wrong:
            self.refuse('input', str(wrong))

    def may(self, item: Input) -> bool:
        """A new run waits for no command of the one before."""
        if item.run != self.run:
            self.begin(item.run)
        return super().may(item)

    def think(self, item: Input) -> Said:
        """Believe."""
        begun = perf_counter()
        reading = self.body.at(item.stamp_ns)
        if reading is None:
            raise ValueError(self.body.missing(item.stamp_ns))
        old = self.mind.world_model.belief
        before_ns = item.stamp_ns if old is None else min(item.stamp_ns, old.stamp_ns)
        frame = Frame(UNSEEN, *reading, item.stamp_ns, item.stamp_ns, item.run)
        commands = self.commands.since(before_ns - BEFORE_NS)
        belief = self.mind.believe(Latent(item.value, frame), commands)
        self.surprises.append(belief.surprise)
        believed = perf_counter()
        yield from zip((self.beliefs, self.belief_states),
                       convert.belief_messages(belief, believe_ms=1e3 * (believed - begun)))
        self.tracing.note(thought(self, item, begun, {'world_model': believed}, reading=reading,
                                  commands=commands, z=item.value, belief=belief))


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(WorldModelNode, args)
