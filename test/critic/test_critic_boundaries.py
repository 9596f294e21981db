# SPDX-License-Identifier: Apache-2.0
"""The critic's bookkeeping, and what it calls rounding: said again in plain numbers."""

from dataclasses import dataclass, field, replace

from ami_ros.core.types import Command
from ami_ros.critic.critic import Critic, guard
from ami_ros.critic.rule_interface import Answer, scaled, Stop
from ami_ros.critic.rules.tilt import Tilt
from ami_ros.critic.safety_policy.policy_loader import changed
import numpy as np
import pytest
from rule_contract import (
    CHOSEN,
    imu,
    NOW,
    ns,
    odometry,
    permit,
    plan,
    ROBOT,
    scan,
    sensor,
    situation,
    STEADY,
    STRICT,
    switch,
    view,
)

QUICK = changed(CHOSEN, {name: 0.0 for name in CHOSEN.numbers if name.endswith('.release_s')})


@dataclass
class Rule:
    """Answers with other values, or raises; notes what it was asked."""

    answer: object = None           # (v, w), a share, an exception, or None: as it was asked
    name: str = 'rule'
    asked: list = field(default_factory=list)

    def limit(self, command, situation):
        self.asked.append(tuple(command.values.tolist()))
        if isinstance(self.answer, Exception):
            raise self.answer
        if isinstance(self.answer, tuple):
            return Answer(Command(np.array(self.answer), NOW), 'because')
        return Answer(scaled(command, 1.0 if self.answer is None else self.answer), 'because')


def asked(answer, v, w=0.0):
    """Judge a wanted twist by one rule."""
    return guard(situation(), (Rule(answer),), (v, w))


def critic(*rules, robot=ROBOT):
    """Make one that has been told all it needs, and a plan; with these rules alone, if any."""
    made = Critic(QUICK, robot)
    made.rules = rules or made.rules
    for on, said in ((made.on_scan, scan()), (made.on_odometry, odometry(0.2, 0.1)),
                     (made.on_view, view()), (made.on_permit, permit())):
        on(said)
    made.on_plan(plan(0.1), STEADY)
    return made


@pytest.mark.parametrize(('answer', 'v', 'action'), [
    (1 - 3e-9, 0.3, 'go'), (1 - 5e-9, 0.3, 'slow'), (1 + 3e-9, 0.3, 'go'),
    (1 + 5e-9, 0.3, 'stop'), (1 - 5e-9, -0.3, 'slow'), (1 + 5e-9, -0.3, 'stop'),
    ((0.0, 0.0), 1e-9, 'go'), ((0.0, 0.0), 2e-9, 'stop'), ((1e-9, 0.0), 0.0, 'go'),
    ((2e-9, 0.0), 0.0, 'stop'), ((-1e-9, 0.0), 0.3, 'slow'), ((-2e-9, 0.0), 0.3, 'stop')])
def test_a_billionth_is_rounding_and_two_are_not(answer, v, action):
    assert asked(answer, v).action == action


@pytest.mark.parametrize('sign', [1, -1])
def test_weaker_and_stronger_both_ways(sign):
    assert asked((sign * 0.15, 0.0), sign * 0.3).action == 'slow'
    assert asked((sign * 0.15, sign * 0.5), sign * 0.3, sign * 0.5).touched == ('rule',)
    for stronger in ((sign * 0.6, 0.0), (-sign * 0.1, 0.0), (sign * 0.3, 0.1)):
        assert 'stronger' in asked(stronger, sign * 0.3).reason


def test_what_would_let_it_go_again_is_said_where_the_rule_knows():
    assert asked(Stop('no'), 0.1).release == ''
    assert guard(situation(plan=None), (Rule(),)).release == ''
    free = guard(situation(permit=permit('idle')), critic().rules)
    assert free.release == next(r.release for r in critic().rules
                                if r.name == 'motion_enable') != ''


def test_only_a_stop_that_latches_latches():
    assert [asked(why, 0.1).latch for why in (Stop('no', latch=True), Stop('no'), ValueError())
            ] == [True, False, False]


def test_where_nothing_can_be_read_there_is_no_time_either():
    assert guard(None, ()).command.stamp_ns == 0


def test_which_motions_are_tried_to_say_what_is_allowed():
    rule = Rule()
    assert critic(rule).allowed(NOW, STEADY) == ('forward', 'back', 'left', 'right')
    assert rule.asked == [(0.05, 0.0), (-0.05, 0.0), (0.0, 0.2), (0.0, -0.2)]


def test_to_say_what_is_allowed_latches_nothing():
    made = critic(Rule(Stop('no', latch=True)))
    assert made.allowed(NOW, STEADY) == () and made.latch.closed == {}
    assert made.judge(NOW, STEADY).latch and made.latch.closed == {'rule': 'no'}


def test_before_anything_came_nothing_is_allowed_and_it_stands():
    made = Critic(QUICK, ROBOT)
    assert made.allowed(NOW, STEADY) == ()
    assert (made.last.values.tolist(), made.last.stamp_ns, made.last_steady_ns) == ([0, 0], 0, 0)
    assert made.situation(NOW, STEADY).last_steady_ns == 0


def test_a_wanted_twist_where_no_plan_has_come():
    made = Critic(QUICK, ROBOT)
    assert made.judge(NOW, STEADY,
                      (0.1, 0.0)).rule == 'input_timeout' and made.counts == {'stop': 1}


@pytest.mark.parametrize(('policy', 'filter_s'), [
    (STRICT, STRICT.rules['tilt'].filter_s), (CHOSEN, 0.0)])
def test_an_imu_is_smoothed_as_the_rule_of_tilt_says(policy, filter_s):
    assert 'tilt' in STRICT.rules and Tilt.name == 'tilt' and STRICT.rules['tilt'].filter_s > 0
    made = Critic(policy, replace(ROBOT, sensors=(*ROBOT.sensors, sensor('Imu', 'gyro'))))
    assert made.keeper.filter_s == filter_s
    made.on_imu(imu(name='gyro', acceleration=np.array([0.0, 0.0, 9.8])))
    assert made.situation(NOW, STEADY).memory.leans[0].up == pytest.approx((0.0, 0.0, 9.8))


def test_odometry_that_tells_the_truth_is_taken_as_it_is():
    told = odometry(0.2)
    for scale in ((1.0, 1.0), (1.0, 2.0), (2.0, 1.0)):
        made = Critic(QUICK, replace(ROBOT, odometry_scale=scale))
        made.on_odometry(told)
        assert (made.odometry is told) == (scale == (1.0, 1.0))
        assert made.odometry.twist[0] == 0.2 * scale[0]


@pytest.mark.parametrize(('kind', 'active', 'latches'), [
    ('e_stop', True, True), ('e_stop', None, True), ('e_stop', False, False),
    ('bumper', True, False), ('bumper', None, False)])
def test_which_switch_latches_when_it_speaks(kind, active, latches):
    made = critic()
    made.on_switch(switch(active, kind=kind, name='button'))
    assert made.latch.closed == ({'bumper_cliff_estop': 'e_stop button is active'} if latches
                                 else {})


def test_at_what_speed_it_was_stopped_and_what_was_asked_is_remembered(monkeypatch):
    made, noted = critic(), []
    monkeypatch.setattr(made.keeper, 'judged', lambda *said: noted.append(said))
    verdict = made.judge(NOW, STEADY + 5)
    made.forget('odom')
    made.judge(NOW + 1, STEADY + 6)
    assert noted[0] == (verdict, STEADY + 5, 0.2, (0.1, 0.0))
    assert noted[1][2:] == (0.0, (0.1, 0.0))


def test_a_plan_is_kept_where_something_else_is_too_old():
    made = critic()
    made.on_scan(scan(stamp_ns=NOW - ns(9)))
    assert made.judge(NOW, STEADY).rule == 'input_timeout'
    assert made.drivers.plan is not None and 'plan_from_the_future' not in made.counts
    made.on_plan(plan(0.1, start_ns=NOW + ns(9)), STEADY)
    assert made.judge(NOW, STEADY).rule == 'input_timeout'
    assert made.drivers.plan is None and made.counts['plan_from_the_future'] == 1


def test_a_reset_of_nothing_disarms_nobody():
    made = critic()
    assert made.reset(NOW, STEADY) == '' and made.drivers.permit.mode == 'autonomous'
    made.latch.close('bumper_cliff_estop', 'x')
    assert made.reset(NOW, STEADY) == '' and made.drivers.permit.mode == 'reset'


def test_a_reset_asks_the_rule_that_latched_and_no_other():
    made = critic(Rule(Stop('it leans'), 'tilt'), Rule(Stop('no'), 'other'))
    made.latch.close('other', 'x')
    assert made.reset(NOW, STEADY) == 'other: no' and made.rules[0].asked == []
    assert made.rules[1].asked == [(0.0, 0.0)] and made.latch.closed


def test_what_was_taken_is_remembered_and_what_was_ignored_is_not():
    made = Critic(QUICK, ROBOT)
    for start, arrived, taken in ((0, 1, True), (-9, 2, False), (9, 3, True)):
        assert made.on_plan(plan(start_ns=NOW + start), STEADY + arrived) is taken
    wish = Command(np.array([0.1, 0.0]), NOW + 10)
    for stamp, arrived, taken in ((10, 4, True), (0, 5, False), (11, 6, True)):
        assert made.on_twist(replace(wish, stamp_ns=NOW + stamp), STEADY + arrived) is taken
    assert made.situation(NOW, STEADY + 9).memory.arrivals == tuple(
        STEADY + arrived for arrived in (1, 3, 4, 6))


def test_a_hand_that_lies_ahead_takes_no_plan_along():
    made = critic()
    assert made.on_teleop(Command(np.array([0.1, 0.0]), NOW + ns(0.04)), NOW, STEADY)
    made.forget('scan')
    verdict = made.judge(NOW, STEADY)
    assert (verdict.rule, verdict.source) == ('input_timeout',
                                              'teleop') and made.drivers.plan is not None
