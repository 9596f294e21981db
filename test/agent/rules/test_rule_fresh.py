# SPDX-License-Identifier: Apache-2.0
"""Missing, too old, or from the future: by either clock it stops the robot."""

from ami_ros.agent.rules.fresh import Fresh
from ami_ros.agent.rules.rule import Stop
import pytest
from rule_contract import command, NOW, ns, odometry, plan, RuleContract, scan, situation, STEADY

OLDEST = {'plan': 0.35, 'hand': 0.15, 'twist': 0.35, 'scan': 0.25, 'odometry': 0.20}
PLANS = {'plan': 'mind', 'hand': 'hand', 'twist': 'twist'}
FUTURE, LEAD = 0.05, 0.15


def aged(what: str, by_stamp_ns: int = 0, by_arrival_ns: int = 0):
    stamp, arrival = NOW - by_stamp_ns, STEADY - by_arrival_ns
    if what in PLANS:
        return situation(plan=plan(start_ns=stamp, source=PLANS[what]), plan_steady_ns=arrival)
    make = {'scan': scan, 'odometry': odometry}[what]
    return situation(**{what: make(stamp_ns=stamp, received_steady_ns=arrival)})


class TestFresh(RuleContract):

    rule = Fresh(OLDEST['plan'], OLDEST['hand'], OLDEST['scan'], OLDEST['odometry'], FUTURE, LEAD)

    def check(self, seen, fine, match=''):
        if fine:
            assert self.rule.limit(command(0.1), seen).reason == ''
        else:
            with pytest.raises(Stop, match=match):
                self.rule.limit(command(0.1), seen)

    @pytest.mark.parametrize('what', ['plan', 'scan', 'odometry'])
    def test_missing(self, what):
        self.check(situation(**{what: None}), False, f'^no {what} has come')

    @pytest.mark.parametrize('what', OLDEST)
    @pytest.mark.parametrize('more', [-ns(0.1), -1, 0, 1, 1000, ns(0.1), ns(1e6)])
    def test_oldest(self, what, more):
        age = ns(OLDEST[what]) + more
        self.check(aged(what, by_stamp_ns=age), more <= 0, f'the {what} is .* s old by its stamp')
        self.check(aged(what, by_arrival_ns=age), more <= 0, f'the {what} is .* by its arrival')

    @pytest.mark.parametrize('what', OLDEST)
    @pytest.mark.parametrize('more', [-ns(0.05), -1, 0, 1, 1000, ns(0.1), ns(1e6)])
    def test_future(self, what, more):
        lead = LEAD if what == 'plan' else FUTURE
        self.check(aged(what, by_stamp_ns=-ns(lead) - more), more <= 0,
                   f'the {what} is .* from the future by its stamp')
        self.check(aged(what, by_arrival_ns=-ns(FUTURE) - more), more <= 0,
                   f'the {what} is .* from the future by its arrival')

    def test_both_ages_are_judged(self):
        late = ns(0.3)
        self.check(aged('scan', by_stamp_ns=-ns(0.01), by_arrival_ns=late), False, 'arrival')
        self.check(aged('scan', by_stamp_ns=late, by_arrival_ns=-ns(0.01)), False, 'stamp')

    def test_the_reason_has_value_and_limit(self):
        self.check(aged('scan', by_stamp_ns=ns(0.4)), False, r'is 0\.400 s old .* 0\.250 s')
        self.check(aged('plan', by_stamp_ns=-ns(0.4)), False, r'is 0\.400 s from .* 0\.150 s')
