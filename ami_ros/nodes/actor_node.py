# SPDX-License-Identifier: Apache-2.0
"""Runs the actor in its own process: beliefs, goals and commands in, plans out."""

from time import perf_counter

from ami_ros.core.types import Goal
from ami_ros.nodes import convert, topics
from ami_ros.nodes.mind_settings import GROUPS as ALL
from ami_ros.nodes.mind_settings import open_mind
from ami_ros.nodes.planning import Planning
from ami_ros.nodes.run import run
from ami_ros.nodes.trace_mind import thought
from ami_ros.nodes.worker_node import Input, Said, WantedGoal

GROUPS = ALL['actor']


class ActorNode(Planning):
    """Converts in, plans, converts out."""

    def __init__(self, make_mind=open_mind):
        super().__init__('actor', make_mind)
        self.start()

    def listen(self) -> None:
        """Hear orders and beliefs."""
        super().listen()
        self.halves = {}        # of beliefs whose other half did not come yet
        self.hear(topics.GOAL_LATENT, self.on_goal)
        self.hear(topics.BELIEF_STATE, lambda msg: self.on_half('state', msg))
        self.hear(topics.BELIEF, lambda msg: self.on_half('latent', msg))

    def on_goal(self, msg) -> None:
        """Take a goal as perception sees it; an empty one is none."""
        try:
            z, _, name = convert.vector_from(msg)
            run_id, _, number = name.rpartition('/')
            self.take_order(WantedGoal(z if len(z) else None, int(number), run_id))
        except ValueError as wrong:
            self.refuse('goal', str(wrong))

    def on_half(self, which: str, msg) -> None:
        """Take half a belief; it is one once both halves are of the same frame."""
        self.halves[which] = msg
        if len({convert.nanoseconds(half.header.stamp) for half in self.halves.values()}) != 1 \
                or len(self.halves) < 2:
            return
        try:
            belief = convert.belief_from(self.halves['latent'], self.halves['state'])
            self.take_in(belief.stamp_ns, belief, belief.run)
        except ValueError as wrong:
            self.refuse('input', str(wrong))
        self.halves = {}

    def goal_of(self, order: WantedGoal) -> Goal:
        """Find the way to a goal."""
        goal = Goal(order.value, self.mind.encoder.place(order.value), order.number)
        self.mind.actor.set_goal(goal)
        return goal

    def may(self, item: Input) -> bool:
        """A belief of a run before, or of one that is still to come, is no ground for a plan."""
        return item.run == self.run and super().may(item)

    def think(self, item: Input) -> Said:
        """Plan."""
        begun = perf_counter()
        commands = self.commands_for(item.stamp_ns)
        plan = self.plan_from(item.value, commands, item)
        planned = perf_counter()
        yield self.plans, convert.plan_message(plan)
        yield from self.state_of(plan, item, plan_ms=1e3 * (planned - begun))
        self.tracing.note(thought(self, item, begun, {'actor': planned}, commands=commands,
                                  belief=item.value, plan=plan))


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(ActorNode, args)
