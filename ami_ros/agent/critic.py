# SPDX-License-Identifier: Apache-2.0
"""Has the last word before the wheels: every rule in order over a Situation; no answer is a stop.

Nothing upstream can talk it out of a stop, and no broken rule can: one that raises, answers
nonsense or asks for more than it was given stops the robot as well.
"""

from collections import Counter, deque

import numpy as np

from ami_ros.agent.rules.fresh import ages
from ami_ros.agent.rules.rule import Rule, Stop, twist
from ami_ros.agent.types import Command, Odometry, Plan, Scan, Situation, STILL, Verdict

# differences between commands up to this are rounding
ROUNDING = 1e-9


def guard(situation: Situation, rules: tuple[Rule, ...],
          wanted: tuple[float, float] | None = None) -> Verdict:
    """Judge what the plan says for now, or another wanted (v, w). Never raises.

    A wanted twist is judged in the same situation, with the same inputs.
    """
    try:
        return judged(situation, rules, wanted)
    except Exception as bug:    # not even the question can be read: that is no permission
        return Verdict(still(0), 'stop', 'guard', f'the situation cannot be read: {bug!r}')


def judged(situation: Situation, rules: tuple[Rule, ...],
           wanted: tuple[float, float] | None) -> Verdict:
    """Run the rules; whatever goes wrong in them is a stop with their name."""
    name, reason, touched = 'guard', '', []
    try:
        command = asked(situation, wanted)
        if not rules:
            raise Stop('the policy has no rules')
        last_word = ''
        for rule in rules:
            name = rule.name
            answer = rule.limit(command, situation)
            was, now = command.values.tolist(), twist(answer.command)
            if not all(map(weaker, now, was)):
                raise Stop(f'the rule made {was} stronger: {list(now)}')
            if max(abs(n - w) for n, w in zip(now, was, strict=True)) > ROUNDING:
                touched.append(name)
                last_word, reason = name, answer.reason
            command = Command(np.array(now) + 0.0, situation.now_ns)    # + 0.0: no -0.0
        action = 'go' if not touched else 'slow' if command.values.any() else 'stop'
        return verdict(situation, command, action, last_word, reason, touched)
    except Stop as why:
        reason = str(why)
    except Exception as bug:    # a broken rule is not a permission
        reason = f'crashed: {bug!r}'
    return verdict(situation, still(situation.now_ns), 'stop', name, reason, touched)


def asked(situation: Situation, wanted: tuple[float, float] | None) -> Command:
    """Return what is to be judged; Stop where nobody asks for anything."""
    if wanted is None:
        if situation.plan is None:
            raise Stop('no plan has come')
        wanted = situation.plan.at(situation.now_ns)
    v, w = wanted
    return Command(np.array((float(v), float(w))), situation.now_ns)


def weaker(now: float, was: float) -> bool:
    """Tell whether an axis is no faster than it was and has not changed direction."""
    return abs(now) <= abs(was) + ROUNDING and (now * was >= 0 or abs(now) <= ROUNDING)


def still(now_ns: int) -> Command:
    """Return the command that never needs a permission."""
    return Command(np.array(STILL), now_ns)


def verdict(situation: Situation, command: Command, action: str, rule: str, reason: str,
            touched: list[str]) -> Verdict:
    """Put on record what was decided, about which plan, on how old a view."""
    seconds = []
    for what in ('plan', 'scan', 'odometry'):
        value = getattr(situation, what)
        if value is not None:
            by_stamp, by_arrival = ages(value, situation)
            seconds += [(what, by_stamp), (f'{what}_arrival', by_arrival)]
    record = Verdict(command, action, rule, reason, tuple(touched), tuple(seconds))
    plan = situation.plan
    if plan is None:
        return record
    return Verdict(command, action, rule, reason, tuple(touched), tuple(seconds),
                   plan.number, plan.start_ns, plan.goal, plan.run)


class Critic:
    """Remembers the newest of each input and the last command, so that a tick can be judged.

    Real time: `steady_ns` is the steady clock. Lock-step: pass ROS time for both, or the
    machine's pace decides what is stale.
    """

    def __init__(self, rules: tuple[Rule, ...]):
        self.rules = rules
        self.plan: Plan | None = None
        self.scan: Scan | None = None
        self.odometry: Odometry | None = None
        self.last, self.last_steady_ns = still(0), 0
        self.counts: Counter[str] = Counter()   # inputs taken and ignored, verdicts by action
        self._plan_steady_ns = 0
        self._run: str | None = None
        self._past_runs: deque[str] = deque(maxlen=64)
        self._before = self.last, self.last_steady_ns   # what went out before this instant

    def on_plan(self, plan: Plan, steady_ns: int) -> bool:
        """Take a plan; return whether it was: one of a past run, or an older one, is ignored."""
        if plan.run != self._run and plan.run in self._past_runs:
            self.counts['plan_of_past_run'] += 1
            return False
        if plan.run != self._run:
            if self._run is not None:
                self._past_runs.append(self._run)
            self._run = plan.run
        elif self.plan is not None and plan.start_ns < self.plan.start_ns:
            self.counts['plan_older'] += 1
            return False
        self.plan, self._plan_steady_ns = plan, steady_ns
        self.counts['plan'] += 1
        return True

    def on_scan(self, scan: Scan) -> None:
        self.scan = scan
        self.counts['scan'] += 1

    def on_odometry(self, odometry: Odometry) -> None:
        self.odometry = odometry
        self.counts['odometry'] += 1

    def judge(self, now_ns: int, steady_ns: int,
              wanted: tuple[float, float] | None = None) -> Verdict:
        """Say what goes out now. A second answer at the same instant replaces the first."""
        if now_ns != self.last.stamp_ns:
            self._before = self.last, self.last_steady_ns
        answer = guard(Situation(now_ns, steady_ns, self.plan, self._plan_steady_ns, self.scan,
                                 self.odometry, *self._before), self.rules, wanted)
        self.last, self.last_steady_ns = answer.command, steady_ns
        self.counts[answer.action] += 1
        if answer.rule == 'fresh' and self.plan is not None and self.plan.start_ns > now_ns:
            # it lies ahead (or the clock jumped back): it must not pass for the newest for ever
            self.plan = None
            self.counts['plan_from_the_future'] += 1
        return answer
