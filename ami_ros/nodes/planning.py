# SPDX-License-Identifier: Apache-2.0
"""Shared parts of the two planning nodes: the goal, and the publishing of plans."""

from dataclasses import replace
import time

import numpy as np

from ami_ros.core.compute_budget import Level, whole, within
from ami_ros.core.types import Belief, Command, Goal, Plan
from ami_ros.nodes import convert, topics
from ami_ros.nodes.mind_settings import world_settings
from ami_ros.nodes.worker_node import Input, NS, Said, WantedGoal, WorkerNode

BEFORE_NS = NS          # commands so long before a frame still count for its belief
SHARE = 0.6             # of a period in which to begin a last round of the search


class Planning(WorkerNode):
    """Plans for a goal; without one, or in trouble, it plans rest."""

    def configure(self) -> None:
        """Open the networks, and offer plans."""
        super().configure()
        self.plans, self.states = self.offer(topics.PLAN), self.offer(topics.ACTOR_STATE)

    def within(self, made: dict, level: Level) -> dict:
        """Imagine fewer and shorter futures where the machine is late."""
        return {**made, 'actor': within(level, made['actor'], self.mind.actor.dynamics.horizons)}

    def afresh(self) -> None:
        """Know nothing of what was before: no goal, no plan."""
        super().afresh()
        self.target: Goal | None = None
        self.order: WantedGoal | None = None             # that it was made of
        self.plan: Plan | None = None               # the last that was said

    def listen(self) -> None:
        """Hear commands, and how much a plan may cost."""
        self.hear_commands()
        self.hear_budget()

    def deactivate(self) -> None:
        """End; the robot does not have to wait until its last plan is too old."""
        try:
            super().deactivate()
        finally:
            if self.plan is not None:
                self.rest()

    def commands_for(self, stamp_ns: int) -> tuple[Command, ...]:
        """Return the commands that matter to a frame."""
        before_ns = stamp_ns if self.plan is None else min(stamp_ns, self.plan.number)
        return self.commands.since(before_ns - BEFORE_NS)

    def plan_from(self, belief: Belief, commands: tuple[Command, ...], item: Input) -> Plan:
        """Search, as long as there is time: until the deadline or the next picture is near."""
        if self.own.lock_step:
            self.plan = self.mind.plan(belief, commands, self.target, None)
            return self.plan
        had_s = self.tuned['actor'].deadline_s
        if item.period_ns:
            had_s = min(had_s, SHARE * item.period_ns / 1e9)
        begun_s = time.monotonic()
        self.plan = self.mind.plan(belief, commands, self.target,
                                   item.steady_ns + round(had_s * 1e9))
        if self.target is not None and not self.plan.arrived:
            wanted, done = self.tuned['actor'].iterations, self.plan.iterations
            self.cut += done < wanted
            self.late += had_s < whole(begun_s - self.busy_s, time.monotonic() - begun_s, done,
                                       wanted)
        return self.plan

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
        actor = self.made['actor']
        start_ns = item.stamp_ns + round(world_settings(self.made, self.robot).latency_s * 1e9)
        self.plan = Plan(np.zeros((actor.horizon, 2)), actor.control_step_s, start_ns,
                         item.stamp_ns,
                         self.run, max(self.goal, 0))
        yield self.plans, convert.plan_message(self.plan)

    def forget(self) -> None:
        """Forget the last plan as well."""
        super().forget()
        self.plan = None

    def begin(self, run: str) -> None:
        """Forget the goal as well."""
        super().begin(run)
        self.target = self.order = None

    def aim(self, order: WantedGoal) -> None:
        """Take a goal; without one rest at once, not only from the next picture on."""
        self.target = self.order = None
        if order.value is not None and order.number > 0:
            self.target = self.goal_of(order)
            self.order = order
        elif self.plan is not None and not self.own.lock_step:
            self.rest()

    def goal_of(self, order: WantedGoal) -> Goal:
        """Make a goal of an order."""
        raise NotImplementedError

    def rest(self) -> None:
        """Replace the last plan by one that stands still from the same instant on."""
        self.plan = replace(self.plan, knots=np.zeros_like(self.plan.knots), goal=0,
                            arrived=False, energies=(), imagined=None)
        self.plans.publish(convert.plan_message(self.plan))
