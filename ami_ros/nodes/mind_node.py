# SPDX-License-Identifier: Apache-2.0
"""Runs perception, world model and actor in one process: camera frames in, plans out.

The plan is published first; the diagnostics and the trace of its computation follow.
"""

from time import perf_counter

from ami_ros.core.errors import AmiError
from ami_ros.core.types import Frame, Goal
from ami_ros.mind import Mind
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.hot_swap import HotSwap
from ami_ros.nodes.lifecycle import Managed
from ami_ros.nodes.mind_settings import GROUPS as ALL
from ami_ros.nodes.mind_settings import open_mind
from ami_ros.nodes.planning import PlanPublisher
from ami_ros.nodes.run import run
from ami_ros.nodes.trace_mind import taken_up, thought
from ami_ros.nodes.type_narrowing import present
from ami_ros.nodes.worker import Input, WantedGoal
from ami_ros.nodes.worker_node import Processor, Said, WorkerNode
from ami_ros.perception.camera_preprocessor import CameraPreprocessor

GROUPS = ALL['mind']


class MindProcessor(Processor):
    """Converts in, ticks, converts out."""

    def __init__(self, worker: WorkerNode):
        """Look from now on whether other modules are wanted.

        In lock-step, and where a module is named, it is always the same.
        """
        super().__init__(worker)
        fixed = worker.own.module or worker.own.lock_step
        self.swap = None if fixed else HotSwap(worker, self.adopt)

    def offer(self) -> None:
        """Offer plans, and what they are made of."""
        offer = self.worker.offer
        self.plans = self.worker.plans = PlanPublisher(self.worker)
        self.latents, self.beliefs = offer(topics.LATENT), offer(topics.BELIEF)
        self.belief_states = offer(topics.BELIEF_STATE)

    def between(self) -> None:
        """Take up another set, if one is ready."""
        if self.swap is not None:
            self.swap.look()
            self.swap.take()

    def adopt(self, mind: Mind, eye: CameraPreprocessor, goal: Goal | None) -> None:
        """Think with another mind from the next picture on; it goes for the same goal."""
        worker = self.worker
        worker.mind, worker.sensors.eye, worker.episode.goal = mind, eye, goal
        worker.tuned_to = (None, None)
        taken_up(worker)

    def notes(self) -> list[str]:
        """Say why an active set is not what thinks."""
        return [self.swap.wrong] if self.swap is not None and self.swap.wrong else []

    def listen(self) -> None:
        """Hear body, orders and pictures; these last, so that what came with one is there."""
        sensors = self.worker.sensors
        self.plans.listen()
        sensors.hear_body()
        sensors.hear_goal()
        sensors.hear_camera(present(self.worker.mind).encoder.contract)

    def aim(self, order: WantedGoal) -> None:
        """See the picture of a goal, and find the way there."""
        mind, eye = present(self.worker.mind), present(self.worker.sensors.eye)
        self.plans.aim(order, lambda order: mind.goal(eye.goal(present(order.value)),
                                                      order.number))

    def process(self, item: Input) -> Said:
        """See, believe, plan; the plan goes out first."""
        worker, begun = self.worker, perf_counter()
        mind, sensors, run_id = present(worker.mind), worker.sensors, worker.episode.run
        body = present(sensors.body)
        reading = body.at(item.stamp_ns)
        if reading is None:
            raise AmiError(body.missing(item.stamp_ns))
        commands = self.plans.commands_for(item.stamp_ns)
        picture = present(sensors.eye).view(item.value)
        latent = mind.see(Frame(picture, *reading, item.stamp_ns, item.stamp_ns, run_id))
        seen = perf_counter()
        belief = mind.believe(latent, commands)
        worker.health_of.believed(belief)
        believed = perf_counter()
        plan = self.plans.plan_from(belief, commands, item)
        planned = perf_counter()
        worker.health_of.stages_s = {
            'perception': seen - begun, 'world_model': believed - seen,
            'actor': planned - believed}
        yield self.plans.plans, convert.plan_message(plan)
        said = perf_counter()
        yield from self.plans.state_of(
            plan, item, encode_ms=1e3 * (seen - begun), believe_ms=1e3 * (believed - seen),
            plan_ms=1e3 * (planned - believed), encode_plan_ms=1e3 * (planned - begun),
            publish_ms=1e3 * (said - planned))
        if self.latents.get_subscription_count():
            yield self.latents, convert.vector_message(latent.z, item.stamp_ns, run_id)
        if (self.beliefs.get_subscription_count()
                or self.belief_states.get_subscription_count()):
            yield from zip((self.beliefs, self.belief_states), convert.belief_messages(belief))
        worker.tracing.note(thought(
            worker, item, begun,
            {'perception': seen, 'world_model': believed, 'actor': planned}, picture=picture,
            reading=reading, commands=commands, z=latent.z, belief=belief, plan=plan))


def mind_node(make_mind=open_mind) -> Managed:
    """Make the node."""
    return WorkerNode('mind', MindProcessor, make_mind).node


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(mind_node, args)
