# SPDX-License-Identifier: Apache-2.0
"""Whatever is said by whom and when: who may not move the robot does not."""

from dataclasses import dataclass, field
import math

from ami_ros.core.types import Command, MODES
from ami_ros.critic.critic import Critic
from ami_ros.critic.safety_policy.policy_loader import changed
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from rule_contract import (
    CHOSEN,
    NOW,
    ns,
    NUMBERS,
    odometry,
    permit,
    plan,
    ROBOT,
    scan,
    STEADY,
    view,
)

DEADMAN, FUTURE = NUMBERS.teleop_timeout_s, NUMBERS.max_future_s
UNHURRIED = changed(CHOSEN, {    # pictures may come as they like, and nothing waits
    'rules.camera_rate.min_rate': 0.0,
    **{name: 0.0 for name in CHOSEN.numbers if name.endswith('.release_s')}})
ANY = st.floats(allow_nan=True, allow_infinity=True)
MOVING = st.floats(-3, 3).filter(lambda v: abs(v) > 1e-3)


def critic(now_ns: int = 0, steady_ns: int = 0) -> Critic:
    """Make one that sees all it needs; nobody drives."""
    made = Critic(UNHURRIED, ROBOT)
    look(made, now_ns, steady_ns)
    return made


def look(made: Critic, now_ns: int, steady_ns: int) -> None:
    when = {'stamp_ns': NOW + now_ns, 'received_steady_ns': STEADY + steady_ns}
    made.on_scan(scan(**when))
    made.on_odometry(odometry(**when))
    made.on_view(view(fingerprint=str(when), **when))


def wish(v: float, w: float, stamp_ns: int = 0) -> Command:
    return Command(np.array([v, w]), NOW + stamp_ns)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(ANY, ANY), min_size=1, max_size=8))
def test_a_hand_gets_no_more_than_it_asks_for_and_than_the_limits(wishes):
    made, last = critic(), np.zeros(2)
    for tick, (v, w) in enumerate(wishes):
        late = ns(0.02 * tick)
        look(made, late, late)
        made.on_teleop(wish(v, w, late), NOW + late, STEADY + late)
        verdict = made.judge(NOW + late, STEADY + late)
        got = verdict.command.values
        assert verdict.source == 'teleop'
        if not (math.isfinite(v) and math.isfinite(w)):
            assert verdict.rule == 'input_validity' and 'in the teleop' in verdict.reason
            assert not got.any()
        else:
            assert (np.abs(got) <= np.minimum(np.abs((v, w)), ROBOT.limits) + 1e-9).all()
            assert (got * (v, w) >= 0).all()
        gain = [*vars(CHOSEN.rules['acceleration']).values()]
        passed = 0.1 if tick == 0 else 0.02
        assert (np.abs(got) <= np.abs(last) + np.multiply(gain, passed) + 1e-9).all()
        last = got


@settings(max_examples=200, deadline=None)
@given(MOVING, MOVING, st.one_of(st.floats(DEADMAN + 1e-6, 1e6), st.floats(-1e6, -FUTURE - 1e-6)))
def test_a_hand_that_comes_stale_or_from_the_future_moves_nothing(v, w, age_s):
    made = critic()
    assert not made.on_teleop(wish(v, w, -ns(age_s)), NOW, STEADY)
    verdict = made.judge(NOW, STEADY)
    assert not verdict.command.values.any() and verdict.source == ''
    assert ' by its stamp' in made.drivers.refused


@settings(max_examples=200, deadline=None)
@given(MOVING, MOVING, st.floats(-FUTURE, DEADMAN), st.floats(0, 1), st.floats(-1, 1))
def test_a_hand_moves_only_as_long_as_both_clocks_allow(v, w, age_s, passed_s, jump_s):
    """`jump_s`: what ROS time does besides passing."""
    made = critic()
    assert made.on_teleop(wish(v, w, -ns(age_s)), NOW, STEADY)
    now, steady = ns(passed_s) + ns(jump_s), ns(passed_s)
    look(made, now, steady)
    by_stamp = (now + ns(age_s)) / 1e9
    verdict = made.judge(NOW + now, STEADY + steady)
    if verdict.command.values.any():
        assert verdict.source == 'teleop'
        assert -FUTURE <= by_stamp < DEADMAN and steady / 1e9 <= DEADMAN
    elif 0 < now and -FUTURE <= by_stamp < DEADMAN and steady / 1e9 <= DEADMAN:
        assert verdict.source == 'teleop'     # it drives, and some rule lets nothing through
        raise AssertionError(verdict.reason)


@dataclass
class Model:
    """Who may move the robot, said again in the plainest words."""

    permits: list = field(default_factory=list)     # (mode, run, stamp, when it came) of taken
    stamps: list = field(default_factory=list)      # of permits that were taken, not of later
    run: str = ''                                   # whose plans count
    row: str = ''                                   # one run that wants to count: a letter each
    over: set = field(default_factory=set)          # runs that are over
    hands: list = field(default_factory=list)       # (stamp, when it came) of those that count
    plans: list = field(default_factory=list)       # run

    def young(self, stamp: int, now: int) -> bool:
        return -ns(FUTURE) <= now - stamp <= ns(CHOSEN.rules['motion_enable'].max_permit_age_s)

    def takes_permit(self, mode: str, run: str, stamp: int, now: int) -> None:
        if mode != 'stopped' and self.stamps:
            if stamp < self.stamps[-1]:
                return
            if self.stopped and not (stamp > self.stamps[-1] and self.young(stamp, now)):
                return
        self.permits.append((mode, run, stamp, now))
        if now - stamp >= -ns(FUTURE):
            self.stamps.append(stamp)

    def takes_plan(self, run: str) -> bool:
        named = self.permits[-1][1] if self.permits else ''
        if run not in (self.run, named) and self.run:
            if run in self.over or named == self.run:
                return False
            self.row = (self.row if set(self.row) <= {run} else '') + run
            if len(self.row) < 3:
                return False
        self.row = ''
        if run != self.run:
            self.over = (self.over | {self.run}) - {run, ''}
        self.run = run
        return True

    def hand_lives(self, now: int) -> bool:
        return any(-ns(FUTURE) <= now - stamp <= ns(DEADMAN) and now - came <= ns(DEADMAN)
                   for stamp, came in self.hands[-1:])

    def plan_may(self, now: int, run: str) -> bool:
        if not self.permits:
            return False
        mode, of, stamp, came = self.permits[-1]
        young = all(self.young(at, now) for at in (stamp, came))
        # a hand that drove in autonomous ends it until another mode was named
        named = max((p[3] for p in self.permits
                     if p[0] != 'autonomous' and self.young(p[2], p[3])), default=-1)
        taken = any(came >= named and any(p[0] == 'autonomous' and named <= p[3] <= came
                                          for p in self.permits) for _, came in self.hands)
        return mode == 'autonomous' and of == run and young and not taken

    @property
    def stopped(self) -> bool:
        return bool(self.permits) and self.permits[-1][0] == 'stopped'


STEP = st.one_of(
    st.tuples(st.just('permit'), st.sampled_from([*MODES, 'autonomous', 'autonomous']),
              st.sampled_from('aab'), st.sampled_from([0.0, 0.0, 0.0, 0.3, 0.4, -0.04, -0.06])),
    st.tuples(st.just('plan'), st.sampled_from('aab')),
    st.tuples(st.just('teleop'), st.sampled_from([0.0, 0.0, 0.2, 0.3, -0.04, -0.06, 9.0])),
    st.tuples(st.just('wait'), st.sampled_from([0.05, 0.1, 0.2, 0.3, 0.4])))


@settings(max_examples=500, deadline=None)
@given(st.lists(STEP, max_size=25))
def test_nobody_moves_it_who_may_not_and_everybody_who_may(steps):
    made, model, now = critic(), Model(), 0
    for step in steps:
        now += 1_000_000        # no two things happen at once
        if step[0] == 'permit':
            _, mode, run, age_s = step
            made.on_permit(permit(mode, run=run, stamp_ns=NOW + now - ns(age_s),
                                  received_steady_ns=STEADY + now), NOW + now)
            model.takes_permit(mode, run, now - ns(age_s), now)
        elif step[0] == 'plan':
            taken = made.on_plan(plan(0.2, run=step[1], start_ns=NOW + now), STEADY + now,
                                 NOW + now)
            assert taken == model.takes_plan(step[1])
            if taken:
                model.plans.append((step[1], now))
        elif step[0] == 'teleop':
            took = made.on_teleop(wish(-0.1, 0.0, now - ns(step[1])), NOW + now, STEADY + now)
            overtaken = model.hand_lives(now) and now - ns(step[1]) < model.hands[-1][0]
            assert took == (-FUTURE <= step[1] <= DEADMAN and not overtaken)
            if took:
                model.hands.append((now - ns(step[1]), now))
        else:
            now += ns(step[1])
        look(made, now, now)
        # judged a little later, so that acceleration leaves something
        verdict = made.judge(NOW + now, STEADY + now)
        v = verdict.command.values[0]
        if model.hand_lives(now):
            assert verdict.source == 'teleop'
            assert (v < 0) == (not model.stopped and now < model.hands[-1][0] + ns(DEADMAN))
        elif model.plans:
            run, came = model.plans[-1]
            young = now - came <= ns(NUMBERS.max_plan_age_s)
            assert verdict.source == 'mind' and v >= 0
            assert (v > 0) == (young and model.plan_may(now, run))
        else:
            assert v == 0


@pytest.mark.parametrize('mode', MODES)
def test_a_hand_needs_no_permit_but_no_stop_either(mode):
    made = critic()
    made.on_permit(permit(mode, stamp_ns=0, received_steady_ns=0))
    made.on_teleop(wish(0.1, 0.0), NOW, STEADY)
    assert (made.judge(NOW, STEADY).command.values[0] > 0) == (mode != 'stopped')


def test_a_twist_of_another_planner_is_remembered_as_a_plan():
    made = critic()
    assert made.on_twist(wish(0.1, 0.0, 0.1), STEADY)
    assert not made.on_twist(wish(0.1, 0.0, 0.0), STEADY)
    assert made.situation(NOW, STEADY).memory.arrivals == (STEADY,)
