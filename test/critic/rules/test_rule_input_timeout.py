# SPDX-License-Identifier: Apache-2.0
"""Missing, too old, or from the future: by either clock it stops the robot."""

from dataclasses import replace
import math

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.input_timeout import InputTimeout, young
from ami_ros.critic.sensor_age_limits import Need
import pytest
from rule_contract import (
    command,
    imu,
    memory,
    NOW,
    ns,
    odometry,
    plan,
    RuleContract,
    scan,
    situation,
    STEADY,
    switch,
)

OLDEST = {'plan': 0.35, 'teleop': 0.15, 'twist': 0.35, 'scan': 0.25, 'odom': 0.20, 'imu': 0.10,
          'front': 0.5}
PLANS = {'plan': 'mind', 'teleop': 'teleop', 'twist': 'twist'}
SENSORS = [name for name in OLDEST if name not in PLANS]
FUTURE, LEAD = 0.05, 0.15


def readings(**changes):
    """Return what the sensors say; None has not come."""
    said = {'scan': scan(), 'odom': odometry(), 'imu': imu(), 'front': switch()} | changes
    filled = {name: () if said[name] is None else (said[name],) for name in ('imu', 'front')}
    return {'scan': said['scan'], 'odometry': said['odom'], 'imus': filled['imu'],
            'switches': filled['front']}


def aged(what: str, by_stamp_ns: int = 0, by_arrival_ns: int = 0):
    stamp, arrival = NOW - by_stamp_ns, STEADY - by_arrival_ns
    if what in PLANS:
        return situation(plan=plan(start_ns=stamp, source=PLANS[what]), plan_steady_ns=arrival,
                         **readings())
    make = {'scan': scan, 'odom': odometry, 'imu': imu, 'front': switch}[what]
    return situation(**readings(**{what: make(stamp_ns=stamp, received_steady_ns=arrival)}))


class TestFresh(RuleContract):

    rule = InputTimeout(OLDEST['plan'], OLDEST['teleop'], FUTURE, LEAD,
                 (Need('scan', True, OLDEST['scan']), Need('odom', True, OLDEST['odom'])))
    strict = InputTimeout(OLDEST['plan'], OLDEST['teleop'], FUTURE, LEAD,
                   tuple(Need(name, True, OLDEST[name]) for name in SENSORS))

    def check(self, seen, fine, match='', rule=None):
        if fine:
            assert (rule or self.strict).limit(command(0.1), seen).reason == ''
        else:
            with pytest.raises(Stop, match=match):
                (rule or self.strict).limit(command(0.1), seen)

    def test_without_a_plan(self):
        self.check(situation(plan=None, **readings()), False, '^no plan has come')

    @pytest.mark.parametrize('what', PLANS)
    def test_why_the_newest_plan_was_refused_stands_beside_the_age_of_the_one_before(self, what):
        seen = replace(aged(what, by_stamp_ns=ns(1)), refused_plan='it was refused')
        end = 'limit [0-9.]* s' + ('$' if what == 'teleop' else '; it was refused$')
        self.check(seen, False, end)
        self.check(replace(aged('scan'), refused_plan='it was refused'), True)

    def test_after_a_pause(self):
        for ago, fine in ((0.0, False), (OLDEST['plan'], False), (OLDEST['plan'] + 1e-9, True)):
            seen = replace(aged('scan'), memory=memory(pauses=((STEADY - ns(ago), 2.0),)))
            self.check(seen, fine, 'the critic read no messages for 2.000 s, until '
                       f'{ago:.3f} s ago; messages that waited count as old after 0.350 s')

    def test_without_a_clock(self):
        self.check(replace(aged('scan'), now_ns=0), False, '^ROS time is 0: .* /clock')

    @pytest.mark.parametrize('what', SENSORS)
    def test_missing(self, what):
        self.check(situation(**readings(**{what: None})), False, f'^no {what} has come')

    @pytest.mark.parametrize('what', SENSORS)
    def test_another_of_the_kind_is_not_the_one(self, what):
        make = {'scan': scan, 'odom': odometry, 'imu': imu, 'front': switch}[what]
        self.check(situation(**readings(**{what: make(name='other')})), False,
                   f'^no {what} has come')

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

    @pytest.mark.parametrize('what', SENSORS)
    def test_what_is_not_required_may_be_missing_or_old(self, what):
        needs = tuple(Need(name, name != what, OLDEST[name]) for name in SENSORS)
        rule = InputTimeout(1.0, 1.0, FUTURE, LEAD, needs)
        self.check(situation(**readings(**{what: None})), True, rule=rule)
        for age in (ns(9), -ns(9)):
            self.check(aged(what, age, age), True, rule=rule)
        for other in SENSORS:
            if other != what:
                self.check(aged(other, ns(9)), False, f'the {other} is', rule)

    def test_a_switch_that_speaks_when_it_changes_has_spoken_once(self):
        rule = InputTimeout(1.0, 1.0, FUTURE, LEAD, (Need('front', True, math.inf),))
        for age in (0, ns(1e6), -ns(1e6)):
            self.check(aged('front', age, age), True, rule=rule)
        self.check(situation(**readings(front=None)), False, 'no front has come', rule)


@pytest.mark.parametrize('more', [-ns(0.1), -1, 0, 1, ns(0.1), ns(1e6)])
def test_young(more):
    for stamp, arrival in ((ns(0.25) + more, 0), (0, ns(0.25) + more), (-ns(0.05) - more, 0),
                           (0, -ns(0.05) - more)):
        reading = scan(stamp_ns=NOW - stamp, received_steady_ns=STEADY - arrival)
        assert young(reading, NOW, STEADY, 0.25, 0.05) == (more <= 0)
