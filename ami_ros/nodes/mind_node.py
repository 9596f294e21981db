# SPDX-License-Identifier: Apache-2.0
"""Runs perception, world model and actor in one process: camera frames in, plans out.

The plan goes out first, before what people and recorders may want to know of how it was made.
"""

from time import perf_counter

from ami_ros.core.types import Frame, Goal
from ami_ros.mind import Mind
from ami_ros.nodes import convert, topics
from ami_ros.nodes.hot_swap import HotSwap
from ami_ros.nodes.mind_settings import GROUPS as ALL
from ami_ros.nodes.mind_settings import open_mind
from ami_ros.nodes.planning import Planning
from ami_ros.nodes.run import run
from ami_ros.nodes.trace_mind import taken_up, thought
from ami_ros.nodes.worker_node import Input, Said, WantedGoal
from ami_ros.perception.camera_preprocessor import CameraPreprocessor

GROUPS = ALL['mind']


class MindNode(Planning):
    """Converts in, ticks, converts out."""

    def __init__(self, make_mind=open_mind):
        self.swap: HotSwap | None = None
        super().__init__('mind', make_mind)
        self.start()

    def configure(self) -> None:
        """Open the networks, and offer what they make; look from now on whether others are wanted.

        In lock-step, and where a module is named, it is always the same.
        """
        self.swap = None if self.own.module or self.own.lock_step else HotSwap(self)
        super().configure()
        self.latents, self.beliefs = self.offer(topics.LATENT), self.offer(topics.BELIEF)
        self.belief_states = self.offer(topics.BELIEF_STATE)

    def between(self) -> None:
        """Take up another set, if one is ready."""
        if self.swap is not None:
            self.swap.look()
            self.swap.take()

    def adopt(self, mind: Mind, eye: CameraPreprocessor, goal: Goal | None) -> None:
        """Think with another mind from the next picture on; it goes for the same goal."""
        self.mind, self.eye, self.target = mind, eye, goal
        self.tuned_to = (None, None)
        taken_up(self)

    def notes(self) -> list[str]:
        """Say also why an active set is not what thinks."""
        wrong = [self.swap.wrong] if self.swap is not None and self.swap.wrong else []
        return super().notes() + wrong

    def listen(self) -> None:
        """Hear body, orders and pictures; these last, so that what came with one is there."""
        super().listen()
        self.hear_body()
        self.hear(topics.GOAL, self.on_goal)
        self.hear_camera()

    def on_goal(self, msg) -> None:
        """Take an order of the configurator."""
        try:
            self.take_order(WantedGoal(*convert.goal_from(msg)))
        except ValueError as wrong:
            self.refuse('goal', str(wrong))

    def goal_of(self, order: WantedGoal) -> Goal:
        """See the picture of a goal, and find the way there."""
        goal = self.mind.goal(self.eye.goal(order.value), order.number)
        self.mind.actor.set_goal(goal)
        return goal

    def think(self, item: Input) -> Said:
        """See, believe, plan; the plan goes out first."""
        begun = perf_counter()
        reading = self.body.at(item.stamp_ns)
        if reading is None:
            raise ValueError(self.body.missing(item.stamp_ns))
        commands = self.commands_for(item.stamp_ns)
        picture = self.eye.view(item.value)
        latent = self.mind.see(Frame(picture, *reading, item.stamp_ns, item.stamp_ns, self.run))
        seen = perf_counter()
        belief = self.mind.believe(latent, commands)
        self.surprises.append(belief.surprise)
        believed = perf_counter()
        plan = self.plan_from(belief, commands, item)
        planned = perf_counter()
        self.stages_s = {'perception': seen - begun, 'world_model': believed - seen,
                         'actor': planned - believed}
        yield self.plans, convert.plan_message(plan)
        said = perf_counter()
        yield from self.state_of(
            plan, item, encode_ms=1e3 * (seen - begun), believe_ms=1e3 * (believed - seen),
            plan_ms=1e3 * (planned - believed), encode_plan_ms=1e3 * (planned - begun),
            publish_ms=1e3 * (said - planned))
        if self.latents.get_subscription_count():
            yield self.latents, convert.vector_message(latent.z, item.stamp_ns, self.run)
        if (self.beliefs.get_subscription_count()
                or self.belief_states.get_subscription_count()):
            yield from zip((self.beliefs, self.belief_states), convert.belief_messages(belief))
        self.tracing.note(thought(
            self, item, begun, {'perception': seen, 'world_model': believed, 'actor': planned},
            picture=picture, reading=reading, commands=commands, z=latent.z, belief=belief,
            plan=plan))


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(MindNode, args)
