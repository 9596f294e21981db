# SPDX-License-Identifier: Apache-2.0
"""Who drives: a hand that lives outranks a plan, and lives by both clocks."""

from collections import Counter

from ami_ros.agent.drivers import Drivers
from ami_ros.agent.types import Command, MODES
import numpy as np
import pytest
from rule_contract import NOW, ns, NUMBERS, permit, plan, STEADY

DEADMAN, FUTURE = ns(NUMBERS.hand_deadman_s), ns(NUMBERS.max_future_s)


def drivers() -> Drivers:
    made = Drivers(NUMBERS, Counter())
    made.on_permit(permit())
    assert made.on_plan(plan(), STEADY)
    return made


def wish(v: float = 0.2, w: float = 0.1, stamp_ns: int = NOW) -> Command:
    return Command(np.array([v, w]), stamp_ns)


def who(made: Drivers, later_ns: int = 0, later_steady_ns: int | None = None) -> str:
    arrival = STEADY + (later_ns if later_steady_ns is None else later_steady_ns)
    return made.pick(NOW + later_ns, arrival)[0].source


def test_nobody_drives_before_anybody_spoke():
    made = Drivers(NUMBERS, Counter())
    assert made.pick(NOW, STEADY) == (None, 0) and made.refused == ''


def test_a_plan_that_was_overtaken_is_ignored():
    made = Drivers(NUMBERS, Counter())
    assert made.on_plan(plan(), STEADY) is True
    assert made.on_plan(plan(start_ns=NOW - 1), STEADY + 1) is False
    assert made.pick(NOW, STEADY + 1)[1] == STEADY
    assert made.on_plan(plan(number=8), STEADY + 2) is True     # as new: the later one counts
    assert made.pick(NOW, STEADY + 2) == (made.plan, STEADY + 2) and made.plan.number == 8
    assert made.on_plan(plan(start_ns=NOW + 1), STEADY) is True
    assert made.counts == {'plan': 3, 'plan_older': 1}
    made.forget_plan()
    assert made.pick(NOW, STEADY)[0] is None
    assert made.on_plan(plan(), STEADY) is True                 # then any is the newest


def test_a_new_run_starts_anew_and_ends_the_one_before():
    made = Drivers(NUMBERS, Counter())
    assert made.on_plan(plan(run='', start_ns=NOW + 9), STEADY)
    assert made.on_plan(plan(run='a'), STEADY) is True
    assert made.on_plan(plan(run='', start_ns=NOW + 1), STEADY) is True    # ends no run
    assert made.on_plan(plan(run='a', start_ns=NOW + 2), STEADY) is True
    assert made.on_plan(plan(run='b'), STEADY) is True
    assert made.on_plan(plan(run='a', start_ns=NOW + 9), STEADY) is False
    assert made.plan.run == 'b'
    assert made.on_plan(plan(run='b', start_ns=NOW - 1), STEADY) is False
    assert made.counts == {'plan': 5, 'plan_older': 1, 'plan_of_past_run': 1}


def test_the_last_64_runs_are_known():
    made = Drivers(NUMBERS, Counter())
    for run in range(66):       # the newest drives, and 64 of those before it are known
        assert made.on_plan(plan(run=f'run {run}'), STEADY)
    assert not made.on_plan(plan(run='run 1'), STEADY)
    assert made.on_plan(plan(run='run 0'), STEADY)


def test_permits_are_counted():
    made = Drivers(NUMBERS, Counter())
    made.on_permit(permit())
    made.on_permit(permit('idle'))
    assert made.counts == {'permit': 2}


def test_a_hand_is_a_plan_of_one_knot_that_ends_in_rest():
    made = drivers()
    assert made.on_hand(wish(), NOW, STEADY + 5)
    hand, arrived = made.pick(NOW, STEADY + 5)
    assert (hand.source, hand.start_ns, arrived) == ('hand', NOW, STEADY + 5)
    assert hand.knots.tolist() == [[0.2, 0.1]] and hand.knot_s == NUMBERS.hand_deadman_s
    assert hand.at(NOW + DEADMAN - 1) == (0.2, 0.1) and hand.at(NOW + DEADMAN) == (0, 0)


@pytest.mark.parametrize('more', [-ns(0.1), -1, 0, 1, ns(0.1), ns(1e6)])
def test_it_lives_by_its_stamp_and_by_its_arrival(more):
    lives = 'hand' if more <= 0 else 'mind'
    for by_stamp, by_arrival in ((DEADMAN + more, 0), (0, DEADMAN + more)):
        made = drivers()
        assert made.on_hand(wish(), NOW, STEADY)
        assert who(made, by_stamp, by_arrival) == lives


@pytest.mark.parametrize('more', [-ns(0.02), -1, 0, 1, ns(0.1), ns(1e6)])
def test_a_hand_that_comes_too_old_or_too_young_is_none(more):
    for stamp, why in ((NOW - DEADMAN - more, 's old by its stamp, limit 0.25 s'),
                       (NOW + FUTURE + more, 's from the future by its stamp, limit 0.05 s')):
        made = drivers()
        assert made.on_hand(wish(stamp_ns=stamp), NOW, STEADY) == (more <= 0)
        assert who(made) == ('hand' if more <= 0 else 'mind')
        assert made.refused == '' if more <= 0 else why in made.refused
        assert made.counts['hand_refused'] == (more > 0) and made.counts['hand'] == (more <= 0)


def test_why_it_is_none_has_value_and_limit():
    made = drivers()
    made.on_hand(wish(stamp_ns=NOW - ns(1.5)), NOW, STEADY)
    assert made.refused == 'the hand is 1.500 s old by its stamp, limit 0.25 s'
    made.on_hand(wish(stamp_ns=NOW + ns(1.5)), NOW, STEADY)
    assert made.refused == 'the hand is 1.500 s from the future by its stamp, limit 0.05 s'


def test_one_that_is_none_does_not_end_one_that_lives():
    made = drivers()
    made.on_hand(wish(), NOW, STEADY)
    assert not made.on_hand(wish(0.5, stamp_ns=NOW - ns(9)), NOW, STEADY) and made.refused
    assert made.pick(NOW, STEADY)[0].knots.tolist() == [[0.2, 0.1]]
    assert made.on_hand(wish(0.3), NOW, STEADY) and made.refused == ''
    assert made.pick(NOW, STEADY)[0].knots.tolist() == [[0.3, 0.1]]


@pytest.mark.parametrize('back', [0, DEADMAN])
def test_a_dead_hand_does_not_wake_when_the_clock_jumps_back(back):
    made = drivers()
    made.on_hand(wish(), NOW, STEADY)
    assert who(made, DEADMAN + 1, 0) == 'mind'
    assert who(made, DEADMAN + 1 - back, 0) == 'mind'


def test_a_hand_ends_what_the_plan_was_allowed():
    made = drivers()
    made.on_hand(wish(), NOW, STEADY)
    assert made.permit.mode == 'hand' and made.permit.run == 'a'
    made.on_permit(permit())            # said before the configurator saw it, or by a hung one
    assert who(made, ns(10)) == 'mind' and made.permit.mode == 'hand'
    made.on_permit(permit('manual'))
    assert made.permit.mode == 'manual'
    made.on_permit(permit())            # armed anew
    assert made.permit.mode == 'autonomous'
    made.on_hand(wish(), NOW, STEADY)
    assert made.permit.mode == 'hand'


@pytest.mark.parametrize('mode', [m for m in MODES if m != 'autonomous'])
def test_in_another_mode_there_is_nothing_to_end(mode):
    made = drivers()
    made.on_permit(permit(mode))
    made.on_hand(wish(), NOW, STEADY)
    assert made.permit.mode == mode
    made.on_permit(permit())
    assert made.permit.mode == 'autonomous'


@pytest.mark.parametrize('mode', MODES)
def test_to_disarm_ends_what_the_plan_was_allowed_and_nothing_else(mode):
    made = drivers()
    made.on_permit(permit(mode))
    made.disarm('reset')
    assert made.permit.mode == ('reset' if mode == 'autonomous' else mode)


def test_who_is_disarmed_before_any_permit_came_is_armed_anew_as_well():
    made = Drivers(NUMBERS, Counter())
    made.disarm('reset')
    for mode, counts in (('autonomous', 'reset'), ('idle', 'idle'), ('autonomous', 'autonomous')):
        made.on_permit(permit(mode))
        assert made.permit.mode == counts


def test_a_hand_that_is_none_ends_nothing():
    made = drivers()
    made.on_hand(wish(stamp_ns=NOW - ns(9)), NOW, STEADY)
    assert made.permit.mode == 'autonomous'


def test_without_a_permit_a_hand_is_one_too():
    made = Drivers(NUMBERS, Counter())
    assert made.on_hand(wish(), NOW, STEADY)
    made.on_permit(permit())
    assert made.permit.mode == 'autonomous' and who(made) == 'hand'


def test_a_foreign_twist_takes_the_place_of_a_plan():
    made = Drivers(NUMBERS, Counter())
    assert made.on_twist(wish(), STEADY + 3)
    got, arrived = made.pick(NOW, STEADY + 3)
    assert (got.source, got.run, got.knots.tolist(), arrived) == ('twist', '', [[0.2, 0.1]],
                                                                  STEADY + 3)
    assert got.at(NOW + ns(NUMBERS.max_plan_age_s)) == (0, 0) and got.at(NOW) == (0.2, 0.1)
    assert not made.on_twist(wish(stamp_ns=NOW - 1), STEADY)        # overtaken
    made.on_hand(wish(), NOW, STEADY)
    assert who(made) == 'hand' and who(made, DEADMAN + 1) == 'twist'
    assert made.counts == {'twist': 1, 'hand': 1, 'plan_older': 1}
