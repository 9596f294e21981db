# SPDX-License-Identifier: Apache-2.0
"""Shared parts of the two planning nodes: the goal, and the publishing of plans."""

from collections.abc import Callable
from dataclasses import replace
import time

import numpy as np

from ami_ros.core.compute_budget import whole
from ami_ros.core.settings import ActorSettings
from ami_ros.core.types import Belief, Command, Goal, Plan
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.mind_settings import world_settings
from ami_ros.nodes.type_narrowing import of_kind, present
from ami_ros.nodes.worker import Input, WantedGoal
from ami_ros.nodes.worker_node import Said, WorkerNode

BEFORE_NS = 10**9       # commands so long before a frame still count for its belief
SHARE = 0.6             # of a period in which to begin a last round of the search


class PlanPublisher:
    """Plans for the goal of a worker; without one, or in trouble, it plans rest."""

    def __init__(self, worker: WorkerNode):
        self.worker = worker
        self.plans, self.states = worker.offer(topics.PLAN), worker.offer(topics.ACTOR_STATE)

    def listen(self) -> None:
        """Hear commands, and how much a plan may cost."""
        self.worker.sensors.hear_commands()
        self.worker.hear_budget()

    def commands_for(self, stamp_ns: int) -> tuple[Command, ...]:
        """Return the commands that matter to a frame."""
        plan = self.worker.episode.plan
        before_ns = stamp_ns if plan is None else min(stamp_ns, plan.number)
        return present(self.worker.sensors.commands).since(before_ns - BEFORE_NS)

    def plan_from(self, belief: Belief, commands: tuple[Command, ...], item: Input) -> Plan:
        """Search, as long as there is time: until the deadline or the next picture is near."""
        worker, episode, mind = self.worker, self.worker.episode, present(self.worker.mind)
        if worker.own.lock_step:
            episode.plan = plan = mind.plan(belief, commands, episode.goal, None)
            return plan
        settings = of_kind(worker.tuned['actor'], ActorSettings)
        had_s = settings.deadline_s
        if item.period_ns:
            had_s = min(had_s, SHARE * item.period_ns / 1e9)
        begun_s = time.monotonic()
        episode.plan = plan = mind.plan(belief, commands, episode.goal,
                                        item.steady_ns + round(had_s * 1e9))
        if episode.goal is not None and not plan.arrived:
            wanted, done = settings.iterations, plan.iterations
            worker.health_of.cut += done < wanted
            worker.health_of.late += had_s < whole(begun_s - present(worker.health_of.busy_s),
                                                   time.monotonic() - begun_s, done, wanted)
        tell_failure(worker)
        return plan

    def state_of(self, plan: Plan, item: Input, **took_ms: float) -> Said:
        """Yield what people plot, where somebody listens."""
        if self.states.get_subscription_count():
            values = {**took_ms, 'waited_ms': (time.monotonic_ns() - item.steady_ns) / 1e6,
                      'iterations': plan.iterations, 'arrived': float(plan.arrived),
                      'surprise': plan.surprise,
                      **{f'energy.{name}': value for name, value in plan.energies}}
            yield self.states, convert.state_message(values, item.stamp_ns, plan.run)

    def rescue(self, item: Input) -> Said:
        """Plan to stand still: nobody knows what the robot would run into."""
        worker, episode = self.worker, self.worker.episode
        actor = of_kind(worker.made['actor'], ActorSettings)
        latency_s = world_settings(worker.made, present(worker.robot)).latency_s
        episode.plan = plan = Plan(np.zeros((actor.horizon, 2)), actor.control_step_s,
                                   item.stamp_ns + round(latency_s * 1e9), item.stamp_ns,
                                   episode.run, max(episode.number, 0))
        yield self.plans, convert.plan_message(plan)

    def aim(self, order: WantedGoal, goal_of: Callable[[WantedGoal], Goal]) -> None:
        """Take a goal; without one rest at once, not only from the next picture on."""
        episode = self.worker.episode
        episode.goal = episode.order = None
        if order.value is not None and order.number > 0:
            goal = goal_of(order)
            present(self.worker.mind).actor.set_goal(goal)
            episode.goal, episode.order = goal, order
        elif episode.plan is not None and not self.worker.own.lock_step:
            self.rest()

    def rest(self) -> None:
        """Replace the last plan by one that stands still from the same instant on."""
        episode = self.worker.episode
        plan = present(episode.plan)
        episode.plan = plan = replace(plan, knots=np.zeros_like(plan.knots), goal=0,
                                      arrived=False, energies=(), imagined=None)
        self.plans.publish(convert.plan_message(plan))


def tell_failure(worker: WorkerNode) -> None:
    """Tell why the goal cannot be reached, so that the configurator gives it up."""
    failure = present(worker.mind).actor.failure
    if failure:
        worker.troubles.refuse('arrival', failure)
    else:
        worker.troubles.clear('arrival')
