# SPDX-License-Identifier: Apache-2.0
"""Selects the command source: a valid teleop command has priority over a plan.

A hand and a foreign twist become plans of one knot, so that every rule sees one kind of thing.
"""

from collections import Counter, deque
from dataclasses import dataclass, replace
import math

import numpy as np

from ami_ros.core.types import Command, Permit, Plan
from ami_ros.critic.rule_interface import NO_CLOCK
from ami_ros.critic.rules.input_validity import check_plan
from ami_ros.critic.shared_rule_params import Shared

TAKEOVER_PLANS = 3      # sound plans in a row of another run that no permit names: a new run


@dataclass(frozen=True)
class Limits:
    """What rules of the policy say about plans and permits; without them nothing is refused."""

    max_plan_lead_s: float = math.inf       # as in `input_timeout`
    max_knots: int = 10**9                  # as in `input_validity`
    max_permit_age_s: float = math.inf      # as in `motion_enable`


class CommandSourceSelector:
    """The newest plan (or foreign twist), hand and permit.

    A hand lives for `teleop_timeout_s` after its stamp and after its arrival, so a sender with a
    wrong clock keeps nothing moving. One that drove while plans were allowed ends that: until
    the configurator has named another mode, its permit counts as 'teleop'. So a configurator that
    is slow, or gone, does not give the robot back to the plan when the hand lets go. The same
    holds for a latch that was opened: the permit of before counts as 'reset'.

    Methods that take `now_ns` (ROS time) refuse by it what is from the future or replayed. Without
    it, in lock-step, stamps are compared with each other alone.
    """

    def __init__(self, shared: Shared, counts: Counter[str], limits: Limits | None = None):
        self.shared, self.counts = shared, counts
        self.limits_s = limits or Limits()
        self.plan: Plan | None = None
        self.hand: Plan | None = None
        self.permit: Permit | None = None
        self.refused = ''           # why the last hand was none; '' where it was one
        # why the newest plan, and the newest permit, was not taken; '' where it was
        self.refused_plan = self.refused_permit = ''
        self._plan_steady_ns = self._hand_steady_ns = 0
        # start of the newest sound plan, stamp of the newest permit: older ones are refused
        self._plan_ns: int | None = None
        self._permit_ns: int | None = None
        # why `autonomous` does not count until another mode was named: 'teleop', 'reset', or ''
        self._taken = ''
        self._run: str | None = None
        self._past_runs: deque[str] = deque(maxlen=64)
        self._challenger = ('', 0)  # another run, and how many of its plans came in a row

    def on_plan(self, plan: Plan, steady_ns: int, now_ns: int | None = None) -> bool:
        """
        Take a plan; return whether it was: one of another run, or an older one, is not.

        One that is invalid, or from the future, stops the robot at once by the rules
        `input_validity` and `input_timeout`. Any valid plan may follow it: it begins no run, and
        its stamp makes no other plan old.
        A mind that has just come up has no run yet: what it says then ends nobody's run.
        """
        sound = self._sound(plan) and not self._ahead(plan.start_ns, plan, now_ns)
        if self._plan_ns is not None and self._ahead(self._plan_ns, plan, now_ns):
            self._plan_ns = None        # the clock jumped back
        what, self.refused_plan = (self._of_another_run(plan, sound)
                                   or self._overtaken(plan, sound) or ('', ''))
        if what:
            self.counts[what] += 1
            return False
        if sound:
            self._challenger = '', 0
            if plan.run and plan.run != self._run:
                self._begin(plan.run)
            self._plan_ns = plan.start_ns
        elif not self._ahead(plan.start_ns, plan, now_ns):
            self.counts['plan_unsound'] += 1
        self.plan, self._plan_steady_ns = plan, steady_ns
        self.counts[plan.called] += 1
        return True

    def _sound(self, plan: Plan) -> bool:
        try:
            check_plan(plan, self.limits_s.max_knots)
            return True
        except Exception:       # whatever it is: the rule `input_validity` says what
            return False

    def _of_another_run(self, plan: Plan, sound: bool) -> tuple[str, str] | None:
        """Say why the plan is not of the run that counts, or None.

        The permit names the run that counts. Where it names neither, or there is none, several
        sound plans in a row of a run that was never ended make it the one that counts.
        """
        if not plan.run or plan.run == self._run or self._run is None and sound:
            return None
        named = self.permit.run if self.permit is not None else ''
        if named == plan.run and sound:
            return None
        if plan.run in self._past_runs:
            return 'plan_of_past_run', f'a plan of run {plan.run!r} was refused: that run is over'
        if self._run is None:       # not sound: it stops, and begins no run
            return None
        if named != self._run and sound:
            run, count = self._challenger
            count = count + 1 if run == plan.run else 1
            self._challenger = plan.run, count
            if count >= TAKEOVER_PLANS:
                return None
        says = f'the permit names run {named!r}' if named else f'the plans are of {self._run!r}'
        return 'plan_of_other_run', f'a plan of run {plan.run!r} was refused: {says}'

    def _begin(self, run: str) -> None:
        """Have another run count from now on; plans of the one before are over."""
        if run in self._past_runs:
            self._past_runs.remove(run)
        if self._run is not None:
            self._past_runs.append(self._run)
        self._run, self._plan_ns = run, None

    def _overtaken(self, plan: Plan, sound: bool) -> tuple[str, str] | None:
        """Say that the plan is older than the newest, or None."""
        begins = plan.run and plan.run != self._run
        if sound and not begins and self._plan_ns is not None and plan.start_ns < self._plan_ns:
            return 'plan_older', (f'a {plan.called} was refused: it begins '
                                  f'{(self._plan_ns - plan.start_ns) / 1e9:.3f} s before the '
                                  'newest')
        return None

    def _ahead(self, start_ns: int, plan: Plan, now_ns: int | None) -> bool:
        """Tell whether a start lies further ahead than such a plan may begin."""
        return now_ns is not None and (start_ns - now_ns) / 1e9 > self._lead_s(plan)

    def _lead_s(self, plan: Plan) -> float:
        """Return how far ahead it may begin, as in the rule `input_timeout`."""
        return (self.limits_s.max_plan_lead_s if plan.source == 'mind'
                else self.shared.max_future_s)

    def _from_the_future(self, plan: Plan, now_ns: int) -> str:
        """Say that it is, and by how much."""
        if now_ns == 0:
            return NO_CLOCK
        return (f'a {plan.called} was refused: it is {(plan.start_ns - now_ns) / 1e9:.3f} s from '
                f'the future by its stamp, limit {self._lead_s(plan):.3f} s')

    def on_twist(self, twist: Command, steady_ns: int, now_ns: int | None = None) -> bool:
        """Take a foreign twist in the place of a plan; return whether it was taken."""
        return self.on_plan(one_knot(twist, 'twist', self.shared.max_plan_age_s), steady_ns,
                            now_ns)

    def on_teleop(self, hand: Command, now_ns: int, steady_ns: int) -> bool:
        """Take a hand; return whether it is one: not stale, from the future or overtaken."""
        plan = one_knot(hand, 'teleop', self.shared.teleop_timeout_s)
        self.refused = (self._dead(plan, steady_ns, now_ns, steady_ns)
                        or self._late_hand(plan, now_ns, steady_ns))
        if self.refused:
            self.counts['teleop_refused'] += 1
            return False
        self.hand, self._hand_steady_ns = plan, steady_ns
        self.counts['teleop'] += 1
        if self.permit is not None and self.permit.mode == 'autonomous':
            self.disarm('teleop')
        return True

    def _late_hand(self, hand: Plan, now_ns: int, steady_ns: int) -> str:
        """Say that a hand is older than the newest, or ''; one at rest is always taken."""
        if (self.hand is None or not hand.knots.any() or hand.start_ns >= self.hand.start_ns
                or self._dead(self.hand, self._hand_steady_ns, now_ns, steady_ns)):
            return ''
        return (f'a teleop command was refused: it was sent '
                f'{(self.hand.start_ns - hand.start_ns) / 1e9:.3f} s before the newest')

    def disarm(self, why: str) -> None:
        """Have the permit count as `why` until the configurator has named another mode."""
        self._taken = why
        if self.permit is not None and self.permit.mode == 'autonomous':
            self.permit = replace(self.permit, mode=why)

    def on_permit(self, permit: Permit, now_ns: int | None = None) -> None:
        """Take what the configurator says, but no older word after a newer one.

        The mode stopped is left by a permit that is newer and young: one that was recorded and is
        sent again leaves nothing. A word that says stopped is always taken.
        """
        what, self.refused_permit = self._replayed(permit, now_ns) or ('', '')
        if what:
            self.counts[what] += 1
            return
        self.counts['permit'] += 1
        if permit.mode != 'autonomous' and not self._untimely(permit, now_ns):
            self._taken = ''
        if now_ns is None or self._ahead_s(permit.stamp_ns, now_ns) <= self.shared.max_future_s:
            self._permit_ns = permit.stamp_ns
        takes = self._taken and permit.mode == 'autonomous'
        self.permit = replace(permit, mode=self._taken) if takes else permit

    def _replayed(self, permit: Permit, now_ns: int | None) -> tuple[str, str] | None:
        """Say why a permit is not taken, or None."""
        if permit.mode == 'stopped' or now_ns is None or self._permit_ns is None:
            return None
        before_s = (self._permit_ns - permit.stamp_ns) / 1e9
        back = self._ahead_s(self._permit_ns, now_ns) > self.shared.max_future_s    # clock jumped
        if before_s > 0 and not back:
            return 'permit_older', ('a motion enable was refused: '
                                    f'its stamp is {before_s:.3f} s before '
                                    'that of the newest')
        if self.permit is not None and self.permit.mode == 'stopped':
            if before_s == 0:
                return 'permit_older', ('a motion enable was refused: '
                                        'its stamp is not after that of the '
                                        'stop')
            why = self._untimely(permit, now_ns)
            if why:
                return 'permit_untimely', f'a motion enable was refused: {why}'
        return None

    def _untimely(self, permit: Permit, now_ns: int | None) -> str:
        """Say that a permit is old or from the future by its stamp; '' where it is young."""
        if now_ns is None:
            return ''
        ahead_s, oldest_s = self._ahead_s(permit.stamp_ns, now_ns), self.limits_s.max_permit_age_s
        if ahead_s > self.shared.max_future_s:
            return NO_CLOCK if now_ns == 0 else (
                f'it is {ahead_s:.3f} s from the future by its stamp, limit '
                f'{self.shared.max_future_s:.3f} s')
        if not -ahead_s <= oldest_s:
            return f'it is {-ahead_s:.3f} s old by its stamp, limit {oldest_s:.3f} s'
        return ''

    @staticmethod
    def _ahead_s(stamp_ns: int, now_ns: int) -> float:
        return (stamp_ns - now_ns) / 1e9

    def pick(self, now_ns: int, steady_ns: int) -> tuple[Plan | None, int]:
        """Return what the one who drives now wants, and when it arrived."""
        if self.hand is not None:
            if not self._dead(self.hand, self._hand_steady_ns, now_ns, steady_ns):
                return self.hand, self._hand_steady_ns
            self.hand = None        # for good: a clock that jumps back wakes no dead hand
        return self.plan, self._plan_steady_ns

    def forget_ahead(self, now_ns: int) -> None:
        """Have no plan, since the newest lies ahead, so that any later one is the newest."""
        assert self.plan is not None
        self.refused_plan = self._from_the_future(self.plan, now_ns)
        self.plan = self._plan_ns = None

    def _dead(self, hand: Plan, arrived_ns: int, now_ns: int, steady_ns: int) -> str:
        """Say why this is no hand, or ''."""
        oldest, ahead = self.shared.teleop_timeout_s, self.shared.max_future_s
        for age_ns, clock in ((now_ns - hand.start_ns, 'stamp'),
                              (steady_ns - arrived_ns, 'arrival')):
            if age_ns > oldest * 1e9:
                return f'the teleop is {age_ns / 1e9:.3f} s old by its {clock}, limit {oldest} s'
            if age_ns < -ahead * 1e9:
                return NO_CLOCK if now_ns == 0 else (
                    f'the teleop is {-age_ns / 1e9:.3f} s from the future by its {clock}, '
                    f'limit {ahead} s')
        return ''


def one_knot(wish: Command, source: str, seconds: float) -> Plan:
    """Make a plan that holds a twist for a while from its stamp on, and then says stop."""
    return Plan(np.asarray(wish.values, float).reshape(1, -1), seconds, wish.stamp_ns,
                source=source)
