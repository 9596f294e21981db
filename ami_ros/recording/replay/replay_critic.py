# SPDX-License-Identifier: Apache-2.0
"""
Tells a critic again all that the critic of a drive was told, and compares its answers.

Every call is on record with its times, so that each situation is made again exactly. Under
another policy the sensors still say what they said: it is what this critic would have said then.
"""

from dataclasses import replace
import json
from typing import Any, cast

from ami_ros.core.types import Plan, Verdict
from ami_ros.critic.critic import Critic
from ami_ros.recording import critic_call_recorder, lossless_json
from ami_ros.recording.replay import trace_reader
from ami_ros.recording.replay.differences import First
from ami_ros.recording.replay.replay_overrides import Changes, policy_of
from ami_ros.recording.trace_records import SAID, Told

UNLIKE = ('ages', 'reason')         # of a verdict: ages follow, a reason is words


class CriticAgain:
    """The critic of a recorded drive; `do` takes what it put on record, in order."""

    def __init__(self, said: dict, changes: Changes, plans: dict | None = None):
        """`plans`, by run and frame, stand for those that came, where the mind thought anew."""
        self.policy, self.robot = policy_of(said, changes), trace_reader.robot_of(said)
        self.plans = plans
        self.critic: Critic | None = None
        self.state: list[Told] | None = None        # is being read
        self.number, self.process = 0, ''
        self.first = First()
        self.begin_ns, self.end_ns = 2**63, 0
        self.compared = self.different = self.reasons = self.answers = self.lost = 0
        self.unsure = 0
        self.stops = {'gained': 0, 'lost': 0}       # stretches
        self.ticks = {'gained': 0, 'lost': 0}
        self.now = ''                               # in which of the two it is
        self.rules: dict[str, dict[str, int]] = {}

    def do(self, line: trace_reader.TraceLine) -> None:
        """Tell it again, or ask it again."""
        told: Told = line.what
        if line.process != self.process or line.number != self.number + 1:
            self.lost += 0 if line.process != self.process else line.number - self.number - 1
            self.critic, self.state = None, None
        self.process, self.number = line.process, line.number
        if told.call == 'state_begins':
            self.state = []
        elif told.call == 'state':
            if self.state is not None:
                self.state.append(told)
        elif told.call == 'state_ends':
            if self.critic is None and self.state is not None:
                self.critic = Critic(self.policy, self.robot)
                critic_call_recorder.restore(self.critic, self.state)
            self.state = None
        elif told.call == SAID:
            pass
        elif self.critic is None:
            self.unsure += told.call == 'judge'
        else:
            self.ask(told)

    def ask(self, told: Told) -> None:
        """Make a call again; compare the answer to a question."""
        if told.call == 'on_plan' and self.plans is not None:
            told = replace(told, given=(self.instead(told.given[0]), *told.given[1:]))
        assert self.critic is not None
        now: Any = critic_call_recorder.again(self.critic, told)
        if told.call == 'judge':
            self.judged(cast(Verdict, told.answer), now)
        elif (told.call in critic_call_recorder.QUESTIONS
              and lossless_json.text(told.answer) != lossless_json.text(now)):
            self.answers += 1

    def instead(self, plan: Plan) -> Plan:
        """Return the plan that the mind made now, where it made one of the same frame."""
        now = (self.plans or {}).get((plan.run, plan.number))
        return plan if now is None or plan.goal != now.goal else replace(
            plan, knots=now.knots, arrived=now.arrived, surprise=now.surprise,
            disagreement=now.disagreement, out_of_distribution=now.out_of_distribution)

    def judged(self, then: Verdict, now: Verdict) -> None:
        """Compare two verdicts."""
        self.compared += 1
        at_ns = then.command.stamp_ns
        self.begin_ns, self.end_ns = min(self.begin_ns, at_ns), max(self.end_ns, at_ns)
        other = differences(then, now)
        if other and set(other) <= set(UNLIKE):
            self.reasons += 1
        elif other:
            self.different += 1
            what = next(name for name in ('action', 'rule', *other) if name in other)
            self.first.put(at_ns, 'critic', what, *said(then, now, what))
        state = ('' if (then.action == 'stop') == (now.action == 'stop')
                 else 'lost' if then.action == 'stop' else 'gained')
        if state:
            self.ticks[state] += 1
            self.stops[state] += state != self.now
            by = self.rules.setdefault(then.rule if state == 'lost' else now.rule,
                                       {'gained': 0, 'lost': 0})
            by[state] += state != self.now
        self.now = state

    def report(self) -> dict:
        """Say how it went."""
        return {'compared': self.compared, 'different': self.different,
                'reasons_different': self.reasons, 'answers_different': self.answers,
                'not_replayed': self.unsure,
                'stops': {**self.stops, 'by_rule': self.rules}, 'ticks_stopped': self.ticks}


def differences(then: Verdict, now: Verdict) -> list[str]:
    """Name the fields in which two verdicts differ, but for their ages."""
    one, other = (lossless_json.frozen(replace(v, ages=())) for v in (then, now))
    return [name for name in one if json.dumps(one[name]) != json.dumps(other[name])]


def said(then: Verdict, now: Verdict, what: str) -> tuple:
    """Say a difference for people: what went out, and why."""
    return tuple({what: str(getattr(v, what)) if what != 'command' else v.command.values.tolist(),
                  'action': v.action, 'rule': v.rule, 'reason': v.reason,
                  'v_mps': float(v.command.values[0]), 'w_radps': float(v.command.values[1])}
                 for v in (then, now))
