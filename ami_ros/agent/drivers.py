# SPDX-License-Identifier: Apache-2.0
"""Remembers who wants to drive and who may, and picks one: a hand that lives outranks a plan.

A hand and a foreign twist become plans of one knot, so that every rule sees one kind of thing.
"""

from collections import Counter, deque
from dataclasses import replace

import numpy as np

from ami_ros.agent.rules.shared import Shared
from ami_ros.agent.types import Command, Permit, Plan


class Drivers:
    """The newest plan (or foreign twist), hand and permit.

    A hand lives for `hand_deadman_s` after its stamp and after its arrival, so a sender with a
    wrong clock keeps nothing moving. One that drove while plans were allowed ends that: until
    the configurator has named another mode, its permit counts as 'hand'. So a configurator that
    is slow, or gone, does not give the robot back to the plan when the hand lets go. The same
    holds for a latch that was opened: the permit of before counts as 'reset'.
    """

    def __init__(self, shared: Shared, counts: Counter[str]):
        self.shared, self.counts = shared, counts
        self.plan: Plan | None = None
        self.hand: Plan | None = None
        self.permit: Permit | None = None
        self.refused = ''           # why the last hand was none; '' where it was one
        self._plan_steady_ns = self._hand_steady_ns = 0
        # why `autonomous` does not count until another mode was named: 'hand', 'reset', or ''
        self._taken = ''
        self._run: str | None = None
        self._past_runs: deque[str] = deque(maxlen=64)

    def on_plan(self, plan: Plan, steady_ns: int) -> bool:
        """
        Take a plan; return whether it was: one of a past run, or an older one, is ignored.

        A mind that has just come up has no run yet: what it says then ends nobody's run.
        """
        if plan.run in self._past_runs:
            self.counts['plan_of_past_run'] += 1
            return False
        if plan.run and plan.run != self._run:
            if self._run is not None:
                self._past_runs.append(self._run)
            self._run = plan.run
        elif self.plan is not None and plan.start_ns < self.plan.start_ns:
            self.counts['plan_older'] += 1
            return False
        self.plan, self._plan_steady_ns = plan, steady_ns
        self.counts[plan.called] += 1
        return True

    def on_twist(self, twist: Command, steady_ns: int) -> bool:
        """Take a foreign twist in the place of a plan; return whether it was taken."""
        return self.on_plan(one_knot(twist, 'twist', self.shared.max_plan_age_s), steady_ns)

    def on_hand(self, hand: Command, now_ns: int, steady_ns: int) -> bool:
        """Take a hand; return whether it is one: neither stale nor from the future."""
        plan = one_knot(hand, 'hand', self.shared.hand_deadman_s)
        self.refused = self._dead(plan, steady_ns, now_ns, steady_ns)
        if self.refused:
            self.counts['hand_refused'] += 1
            return False
        self.hand, self._hand_steady_ns = plan, steady_ns
        self.counts['hand'] += 1
        if self.permit is not None and self.permit.mode == 'autonomous':
            self.disarm('hand')
        return True

    def disarm(self, why: str) -> None:
        """Have the permit count as `why` until the configurator has named another mode."""
        self._taken = why
        if self.permit is not None and self.permit.mode == 'autonomous':
            self.permit = replace(self.permit, mode=why)

    def on_permit(self, permit: Permit) -> None:
        """Take what the configurator says."""
        self.counts['permit'] += 1
        self._taken = self._taken if permit.mode == 'autonomous' else ''
        self.permit = replace(permit, mode=self._taken) if self._taken else permit

    def pick(self, now_ns: int, steady_ns: int) -> tuple[Plan | None, int]:
        """Return what the one who drives now wants, and when it arrived."""
        if self.hand is not None:
            if not self._dead(self.hand, self._hand_steady_ns, now_ns, steady_ns):
                return self.hand, self._hand_steady_ns
            self.hand = None        # for good: a clock that jumps back wakes no dead hand
        return self.plan, self._plan_steady_ns

    def forget_plan(self) -> None:
        """Have no plan, so that any later one is the newest."""
        self.plan = None

    def _dead(self, hand: Plan, arrived_ns: int, now_ns: int, steady_ns: int) -> str:
        """Say why this is no hand, or ''."""
        oldest, ahead = self.shared.hand_deadman_s, self.shared.max_future_s
        for age_ns, clock in ((now_ns - hand.start_ns, 'stamp'),
                              (steady_ns - arrived_ns, 'arrival')):
            if age_ns > oldest * 1e9:
                return f'the hand is {age_ns / 1e9:.3f} s old by its {clock}, limit {oldest} s'
            if age_ns < -ahead * 1e9:
                return (f'the hand is {-age_ns / 1e9:.3f} s from the future by its {clock}, '
                        f'limit {ahead} s')
        return ''


def one_knot(wish: Command, source: str, seconds: float) -> Plan:
    """Make a plan that holds a twist for a while from its stamp on, and then says stop."""
    return Plan(np.asarray(wish.values, float).reshape(1, -1), seconds, wish.stamp_ns,
                source=source)
