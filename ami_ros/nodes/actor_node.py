# SPDX-License-Identifier: Apache-2.0
"""Runs the actor in its own process: beliefs, goals and commands in, plans out."""

from time import perf_counter

from sensor_msgs.msg import Image, JointState

from ami_ros.core.types import Belief, Goal
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.lifecycle import Managed
from ami_ros.nodes.mind_settings import GROUPS as ALL
from ami_ros.nodes.mind_settings import open_mind
from ami_ros.nodes.planning import PlanPublisher
from ami_ros.nodes.run import run
from ami_ros.nodes.trace_mind import thought
from ami_ros.nodes.type_narrowing import of_kind, present
from ami_ros.nodes.worker import Input, WantedGoal
from ami_ros.nodes.worker_node import Processor, Said, WorkerNode

GROUPS = ALL['actor']


class ActorProcessor(Processor):
    """Converts in, plans, converts out."""

    def offer(self) -> None:
        """Offer plans."""
        self.plans = self.worker.plans = PlanPublisher(self.worker)

    def listen(self) -> None:
        """Hear orders and beliefs."""
        self.plans.listen()
        # of beliefs whose other half did not come yet
        self.halves: dict[str, Image | JointState] = {}
        hear = self.worker.sensors.hear
        hear(topics.GOAL_LATENT, self.on_goal)
        hear(topics.BELIEF_STATE, lambda msg: self.on_half('state', msg))
        hear(topics.BELIEF, lambda msg: self.on_half('latent', msg))

    def on_goal(self, msg) -> None:
        """Take a goal as perception sees it; an empty one is none."""
        try:
            z, _, name = convert.vector_from(msg)
            run_id, _, number = name.rpartition('/')
            self.worker.queue.put_order(WantedGoal(z if len(z) else None, int(number), run_id))
        except ValueError as wrong:
            self.worker.troubles.refuse('goal', str(wrong))

    def on_half(self, which: str, msg) -> None:
        """Take half a belief; it is one once both halves are of the same frame."""
        self.halves[which] = msg
        if len({convert.nanoseconds(half.header.stamp) for half in self.halves.values()}) != 1 \
                or len(self.halves) < 2:
            return
        try:
            belief = convert.belief_from(self.halves['latent'], self.halves['state'])
            self.worker.queue.put(belief.stamp_ns, belief, belief.run)
        except ValueError as wrong:
            self.worker.troubles.refuse('input', str(wrong))
        self.halves = {}

    def aim(self, order: WantedGoal) -> None:
        """Find the way to a goal."""
        place = present(self.worker.mind).encoder.place

        def goal_of(order: WantedGoal) -> Goal:
            z = present(order.value)
            return Goal(z, place(z), order.number)
        self.plans.aim(order, goal_of)

    def may(self, item: Input) -> bool:
        """A belief of a run before, or of one that is still to come, is no ground for a plan."""
        return item.run == self.worker.episode.run

    def process(self, item: Input) -> Said:
        """Plan."""
        begun = perf_counter()
        belief = of_kind(item.value, Belief)
        commands = self.plans.commands_for(item.stamp_ns)
        plan = self.plans.plan_from(belief, commands, item)
        planned = perf_counter()
        yield self.plans.plans, convert.plan_message(plan)
        yield from self.plans.state_of(plan, item, plan_ms=1e3 * (planned - begun))
        self.worker.tracing.note(thought(self.worker, item, begun, {'actor': planned},
                                         commands=commands, belief=belief, plan=plan))


def actor_node(make_mind=open_mind) -> Managed:
    """Make the node."""
    return WorkerNode('actor', ActorProcessor, make_mind).node


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(actor_node, args)
