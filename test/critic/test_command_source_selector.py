# SPDX-License-Identifier: Apache-2.0
"""Who drives: a hand that lives outranks a plan, and lives by both clocks."""

from collections import Counter
from dataclasses import replace
import math

from ami_ros.core.types import Command, MODES
from ami_ros.critic.command_source_selector import CommandSourceSelector, Limits, TAKEOVER_PLANS
from ami_ros.critic.rule_interface import NO_CLOCK
import numpy as np
import pytest
from rule_contract import NOW, ns, NUMBERS, permit, plan, STEADY

DEADMAN, FUTURE = ns(NUMBERS.teleop_timeout_s), ns(NUMBERS.max_future_s)


def drivers() -> CommandSourceSelector:
    made = CommandSourceSelector(NUMBERS, Counter())
    made.on_permit(permit())
    assert made.on_plan(plan(), STEADY)
    return made


def wish(v: float = 0.2, w: float = 0.1, stamp_ns: int = NOW) -> Command:
    return Command(np.array([v, w]), stamp_ns)


def who(made: CommandSourceSelector, later_ns: int = 0, later_steady_ns: int | None = None) -> str:
    arrival = STEADY + (later_ns if later_steady_ns is None else later_steady_ns)
    return made.pick(NOW + later_ns, arrival)[0].source


def test_nobody_drives_before_anybody_spoke():
    made = CommandSourceSelector(NUMBERS, Counter())
    assert made.pick(NOW, STEADY) == (None, 0) and made.refused == ''


def test_a_plan_that_was_overtaken_is_ignored():
    made = CommandSourceSelector(NUMBERS, Counter())
    assert made.on_plan(plan(), STEADY) is True
    assert made.on_plan(plan(start_ns=NOW - 1), STEADY + 1) is False
    assert made.pick(NOW, STEADY + 1)[1] == STEADY
    assert made.on_plan(plan(number=8), STEADY + 2) is True     # as new: the later one counts
    assert made.pick(NOW, STEADY + 2) == (made.plan, STEADY + 2) and made.plan.number == 8
    assert made.on_plan(plan(start_ns=NOW + 1), STEADY) is True
    assert made.counts == {'plan': 3, 'plan_older': 1}
    assert made.refused_plan == ''
    made.forget_ahead(NOW)
    assert made.pick(NOW, STEADY)[0] is None
    assert made.on_plan(plan(), STEADY) is True                 # then any is the newest


def test_a_new_run_starts_anew_and_ends_the_one_before():
    made = CommandSourceSelector(NUMBERS, Counter())
    assert made.on_plan(plan(run='', start_ns=NOW + 9), STEADY)
    assert made.on_plan(plan(run='a'), STEADY) is True
    assert made.on_plan(plan(run='', start_ns=NOW + 1), STEADY) is True    # ends no run
    assert made.on_plan(plan(run='a', start_ns=NOW + 2), STEADY) is True
    made.on_permit(permit(run='b'))
    assert made.on_plan(plan(run='b'), STEADY) is True
    assert made.on_plan(plan(run='a', start_ns=NOW + 9), STEADY) is False
    assert made.refused_plan == "a plan of run 'a' was refused: that run is over"
    assert made.plan.run == 'b'
    assert made.on_plan(plan(run='b', start_ns=NOW - 1), STEADY) is False
    assert made.counts == {'permit': 1, 'plan': 5, 'plan_older': 1, 'plan_of_past_run': 1}


def test_the_last_64_runs_are_known():
    made = CommandSourceSelector(NUMBERS, Counter())
    for run in range(66):       # the newest drives, and 64 of those before it are known
        made.on_permit(permit(run=f'run {run}'))
        assert made.on_plan(plan(run=f'run {run}'), STEADY)
    made.on_permit(permit(run=''))
    for run, count in (('run 1', 0), ('run 0', 1)):
        taken = sum(made.on_plan(plan(run=run), STEADY) for _ in range(TAKEOVER_PLANS))
        assert taken == count


def test_a_single_plan_of_another_run_ends_no_run():
    made = drivers()
    assert not made.on_plan(plan(run='stray', start_ns=NOW + 5), STEADY + 1)
    assert made.refused_plan == ("a plan of run 'stray' was refused: the permit names run 'a'")
    assert made.pick(NOW, STEADY + 1) == (made.plan, STEADY) and made.plan.run == 'a'
    assert made.on_plan(plan(start_ns=NOW + 6), STEADY + 2) and made.refused_plan == ''
    for _ in range(2 * TAKEOVER_PLANS):         # nor do many, while the permit names the run
        assert not made.on_plan(plan(run='stray', start_ns=NOW + 7), STEADY)
    assert made.counts['plan_of_other_run'] == 2 * TAKEOVER_PLANS + 1


@pytest.mark.parametrize('named', [None, '', 'third'])
def test_without_a_permit_for_either_several_plans_in_a_row_begin_a_run(named):
    made = CommandSourceSelector(NUMBERS, Counter())
    if named is not None:
        made.on_permit(permit(run=named))
    assert made.on_plan(plan(), STEADY)
    for _ in range(TAKEOVER_PLANS - 1):
        assert not made.on_plan(plan(run='b'), STEADY)
    says = f'the permit names run {named!r}' if named else "the plans are of 'a'"
    assert made.refused_plan == f"a plan of run 'b' was refused: {says}"
    assert made.on_plan(plan(), STEADY)         # one between them: it begins to count anew
    for _ in range(TAKEOVER_PLANS - 1):
        assert not made.on_plan(plan(run='b'), STEADY)
    assert not made.on_plan(plan(run='c'), STEADY)
    for _ in range(TAKEOVER_PLANS):
        assert not made.on_plan(plan(math.nan, run='b'), STEADY)    # what is not sound never does
    for count in range(TAKEOVER_PLANS):
        assert made.on_plan(plan(run='b', start_ns=NOW - 9), STEADY) == (
            count == TAKEOVER_PLANS - 1)
    assert made.plan.run == 'b' and not made.on_plan(plan(start_ns=NOW + 9), STEADY)
    made.on_permit(permit(run='a'))             # the permit names it: it was no end after all
    assert made.on_plan(plan(), STEADY) and made.plan.run == 'a'


UNSOUND = [plan(math.nan, start_ns=NOW + ns(2e8)), plan(math.inf), plan(knot_s=math.nan),
           plan(surprise=math.nan), plan(knots=np.zeros((0, 2))), plan(knots=np.zeros((11, 2))),
           plan(knots=np.zeros(4)), plan(knots=None)]


@pytest.mark.parametrize('unsound', UNSOUND)
def test_a_plan_that_is_not_sound_stands_until_the_next_sound_one(unsound):
    made = CommandSourceSelector(NUMBERS, Counter(), Limits(max_knots=10))
    assert made.on_plan(unsound, STEADY) and made.plan is unsound       # it begins no run
    assert made.on_plan(plan(run='b'), STEADY) and made.plan.run == 'b'
    assert made.on_plan(plan(run='b', start_ns=NOW + 5), STEADY)
    assert not made.on_plan(unsound, STEADY)                            # of another run
    for run in ('', 'b'):
        assert made.on_plan(replace(unsound, run=run), STEADY + 1)
    assert made.pick(NOW, STEADY + 1)[1] == STEADY + 1 and made.counts['plan_unsound'] == 3
    assert not made.on_plan(plan(run='b', start_ns=NOW + 4), STEADY)    # the order is kept
    assert made.on_plan(plan(run='b', start_ns=NOW + 6), STEADY)


def test_a_plan_from_the_future_makes_no_other_one_old():
    made, lead = CommandSourceSelector(NUMBERS, Counter(), Limits(max_plan_lead_s=0.15)), ns(0.15)
    assert made.on_plan(plan(run='b', start_ns=NOW + lead + 1), STEADY, NOW)
    assert made.plan.run == 'b' and made.counts == {'plan': 1}      # it stops, and begins no run
    made.forget_ahead(NOW)
    assert made.plan is None and made.refused_plan == (
        'a plan was refused: it is 0.150 s from the future by its stamp, limit 0.150 s')
    assert made.on_plan(plan(start_ns=NOW + lead), STEADY, NOW) and made.refused_plan == ''
    assert made.on_plan(plan(start_ns=NOW + lead + 1), STEADY, NOW)
    assert not made.on_plan(plan(), STEADY, NOW)            # older than the sound one
    assert made.refused_plan == 'a plan was refused: it begins 0.150 s before the newest'
    assert not made.on_plan(plan(run='b', start_ns=NOW + lead + 1), STEADY, NOW)
    assert made.on_plan(plan(start_ns=NOW - 5), STEADY, NOW - 1)        # the clock jumped back
    assert made.counts['plan_unsound'] == 0


def test_a_twist_from_the_future_makes_no_other_one_old():
    made = CommandSourceSelector(NUMBERS, Counter())
    assert made.on_twist(wish(stamp_ns=NOW + FUTURE + 1), STEADY, NOW)
    assert made.on_twist(wish(stamp_ns=NOW + FUTURE), STEADY, NOW)
    assert not made.on_twist(wish(), STEADY, NOW)
    made.on_twist(wish(stamp_ns=NOW + FUTURE + 1), STEADY, NOW)
    made.forget_ahead(NOW)
    assert made.refused_plan.startswith('a twist was refused: it is 0.050 s from the future')
    made.on_twist(wish(), STEADY, 0)
    made.forget_ahead(0)
    assert made.refused_plan == NO_CLOCK


OLDEST = ns(0.32)


def permitted(mode='idle', stamp_ns=NOW, now_ns=NOW, made=None):
    """Say a mode; return the drivers, and the mode that counts."""
    made = made or CommandSourceSelector(NUMBERS, Counter(), Limits(max_permit_age_s=0.32))
    made.on_permit(permit(mode, stamp_ns=stamp_ns), now_ns)
    return made, made.permit.mode


@pytest.mark.parametrize('mode', [m for m in MODES if m != 'stopped'])
def test_a_permit_that_was_recorded_does_not_leave_stopped(mode):
    made, _ = permitted('stopped')
    hour = ns(3600)
    assert permitted(mode, NOW - hour, NOW, made)[1] == 'stopped'
    assert made.refused_permit == ('a motion enable was refused: '
                                   'its stamp is 3600.000 s before that of '
                                   'the newest')
    assert permitted(mode, NOW, NOW, made)[1] == 'stopped'
    assert 'not after that of the stop' in made.refused_permit
    assert permitted(mode, NOW + 1, NOW + OLDEST + 2, made)[1] == 'stopped'
    assert 'it is 0.320 s old by its stamp, limit 0.320 s' in made.refused_permit
    assert permitted(mode, NOW + hour, NOW, made)[1] == 'stopped'
    assert 'from the future by its stamp, limit 0.050 s' in made.refused_permit
    assert permitted(mode, NOW + hour, 0, made)[1] == 'stopped'
    assert NO_CLOCK in made.refused_permit
    assert made.counts == {'permit': 1, 'permit_older': 2, 'permit_untimely': 3}
    assert permitted(mode, NOW + 1, NOW + OLDEST + 1, made)[1] == mode
    assert made.refused_permit == ''


@pytest.mark.parametrize('ahead', [0, 1, ns(9e8)])
def test_a_stop_of_any_stamp_is_one_and_does_not_make_a_later_word_old(ahead):
    made, _ = permitted('manual')
    assert permitted('stopped', NOW - ns(9), NOW, made)[1] == 'stopped'
    assert permitted('stopped', NOW + FUTURE + ahead, NOW, made)[1] == 'stopped'
    later = NOW + FUTURE + 1
    assert permitted('manual', later, later, made)[1] == 'manual'


def test_an_older_permit_is_refused_and_after_a_jump_of_the_clock_none_is():
    made, _ = permitted('autonomous')
    assert permitted('idle', NOW - 1, NOW, made)[1] == 'autonomous'
    assert permitted('idle', NOW, NOW, made)[1] == 'idle'       # as new: the later one counts
    assert permitted('manual', NOW - ns(9), NOW - FUTURE, made)[1] == 'idle'
    assert permitted('manual', NOW - ns(9), NOW - FUTURE - 1, made)[1] == 'manual'
    made.on_permit(permit('idle', stamp_ns=NOW - ns(99)))       # in lock-step nobody asks
    assert made.permit.mode == 'idle'


@pytest.mark.parametrize(('stamp_ns', 'arms'), [
    (NOW - OLDEST, True), (NOW - OLDEST - 1, False), (NOW + FUTURE, True),
    (NOW + FUTURE + 1, False)])
def test_a_permit_that_is_not_young_arms_nobody_anew(stamp_ns, arms):
    made, _ = permitted('autonomous', NOW - ns(1))
    made.on_teleop(wish(), NOW, STEADY)
    assert permitted('manual', stamp_ns, NOW, made)[1] == 'manual'
    later = max(stamp_ns, NOW)
    assert permitted('autonomous', later, later, made)[1] == ('autonomous' if arms else 'teleop')


def test_without_a_clock_a_hand_is_told_so():
    made = drivers()
    assert not made.on_teleop(wish(), 0, STEADY) and made.refused == NO_CLOCK


def test_permits_are_counted():
    made = CommandSourceSelector(NUMBERS, Counter())
    made.on_permit(permit())
    made.on_permit(permit('idle'))
    assert made.counts == {'permit': 2}


def test_a_hand_is_a_plan_of_one_knot_that_ends_in_rest():
    made = drivers()
    assert made.on_teleop(wish(), NOW, STEADY + 5)
    hand, arrived = made.pick(NOW, STEADY + 5)
    assert (hand.source, hand.start_ns, arrived) == ('teleop', NOW, STEADY + 5)
    assert hand.knots.tolist() == [[0.2, 0.1]] and hand.knot_s == NUMBERS.teleop_timeout_s
    assert hand.at(NOW + DEADMAN - 1) == (0.2, 0.1) and hand.at(NOW + DEADMAN) == (0, 0)


@pytest.mark.parametrize('more', [-ns(0.1), -1, 0, 1, ns(0.1), ns(1e6)])
def test_it_lives_by_its_stamp_and_by_its_arrival(more):
    lives = 'teleop' if more <= 0 else 'mind'
    for by_stamp, by_arrival in ((DEADMAN + more, 0), (0, DEADMAN + more)):
        made = drivers()
        assert made.on_teleop(wish(), NOW, STEADY)
        assert who(made, by_stamp, by_arrival) == lives


@pytest.mark.parametrize('more', [-ns(0.02), -1, 0, 1, ns(0.1), ns(1e6)])
def test_a_hand_that_comes_too_old_or_too_young_is_none(more):
    for stamp, why in ((NOW - DEADMAN - more, 's old by its stamp, limit 0.25 s'),
                       (NOW + FUTURE + more, 's from the future by its stamp, limit 0.05 s')):
        made = drivers()
        assert made.on_teleop(wish(stamp_ns=stamp), NOW, STEADY) == (more <= 0)
        assert who(made) == ('teleop' if more <= 0 else 'mind')
        assert made.refused == '' if more <= 0 else why in made.refused
        assert made.counts['teleop_refused'] == (more > 0) and made.counts['teleop'] == (more <= 0)


def test_a_hand_that_was_overtaken_is_none_but_one_at_rest_is_always_taken():
    """A motion that comes late must not undo the rest that was sent after it."""
    made = drivers()
    assert made.on_teleop(wish(0.0, 0.0), NOW, STEADY)
    assert not made.on_teleop(wish(stamp_ns=NOW - ns(0.1)), NOW, STEADY + 1)
    assert made.refused == 'a teleop command was refused: it was sent 0.100 s before the newest'
    assert made.counts['teleop_refused'] == 1 and not made.pick(NOW, STEADY)[0].knots.any()
    assert made.on_teleop(wish(stamp_ns=NOW), NOW, STEADY + 2)
    assert made.on_teleop(wish(0.0, 0.0, stamp_ns=NOW - ns(0.1)), NOW, STEADY + 3)
    assert not made.pick(NOW, STEADY)[0].knots.any() and made.refused == ''


@pytest.mark.parametrize(('later_ns', 'steady_ns'), [(-DEADMAN, 0), (0, DEADMAN + 1)])
def test_a_hand_that_is_dead_overtakes_none(later_ns, steady_ns):
    made = drivers()
    made.on_teleop(wish(), NOW, STEADY)
    assert made.on_teleop(wish(stamp_ns=NOW + later_ns - 1), NOW + later_ns, STEADY + steady_ns)


def test_why_it_is_none_has_value_and_limit():
    made = drivers()
    made.on_teleop(wish(stamp_ns=NOW - ns(1.5)), NOW, STEADY)
    assert made.refused == 'the teleop is 1.500 s old by its stamp, limit 0.25 s'
    made.on_teleop(wish(stamp_ns=NOW + ns(1.5)), NOW, STEADY)
    assert made.refused == 'the teleop is 1.500 s from the future by its stamp, limit 0.05 s'


def test_one_that_is_none_does_not_end_one_that_lives():
    made = drivers()
    made.on_teleop(wish(), NOW, STEADY)
    assert not made.on_teleop(wish(0.5, stamp_ns=NOW - ns(9)), NOW, STEADY) and made.refused
    assert made.pick(NOW, STEADY)[0].knots.tolist() == [[0.2, 0.1]]
    assert made.on_teleop(wish(0.3), NOW, STEADY) and made.refused == ''
    assert made.pick(NOW, STEADY)[0].knots.tolist() == [[0.3, 0.1]]


@pytest.mark.parametrize('back', [0, DEADMAN])
def test_a_dead_hand_does_not_wake_when_the_clock_jumps_back(back):
    made = drivers()
    made.on_teleop(wish(), NOW, STEADY)
    assert who(made, DEADMAN + 1, 0) == 'mind'
    assert who(made, DEADMAN + 1 - back, 0) == 'mind'


def test_a_hand_ends_what_the_plan_was_allowed():
    made = drivers()
    made.on_teleop(wish(), NOW, STEADY)
    assert made.permit.mode == 'teleop' and made.permit.run == 'a'
    made.on_permit(permit())            # said before the configurator saw it, or by a hung one
    assert who(made, ns(10)) == 'mind' and made.permit.mode == 'teleop'
    made.on_permit(permit('manual'))
    assert made.permit.mode == 'manual'
    made.on_permit(permit())            # armed anew
    assert made.permit.mode == 'autonomous'
    made.on_teleop(wish(), NOW, STEADY)
    assert made.permit.mode == 'teleop'


@pytest.mark.parametrize('mode', [m for m in MODES if m != 'autonomous'])
def test_in_another_mode_there_is_nothing_to_end(mode):
    made = drivers()
    made.on_permit(permit(mode))
    made.on_teleop(wish(), NOW, STEADY)
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
    made = CommandSourceSelector(NUMBERS, Counter())
    made.disarm('reset')
    for mode, counts in (('autonomous', 'reset'), ('idle', 'idle'), ('autonomous', 'autonomous')):
        made.on_permit(permit(mode))
        assert made.permit.mode == counts


def test_a_hand_that_is_none_ends_nothing():
    made = drivers()
    made.on_teleop(wish(stamp_ns=NOW - ns(9)), NOW, STEADY)
    assert made.permit.mode == 'autonomous'


def test_without_a_permit_a_hand_is_one_too():
    made = CommandSourceSelector(NUMBERS, Counter())
    assert made.on_teleop(wish(), NOW, STEADY)
    made.on_permit(permit())
    assert made.permit.mode == 'autonomous' and who(made) == 'teleop'


def test_a_foreign_twist_takes_the_place_of_a_plan():
    made = CommandSourceSelector(NUMBERS, Counter())
    assert made.on_twist(wish(), STEADY + 3)
    got, arrived = made.pick(NOW, STEADY + 3)
    assert (got.source, got.run, got.knots.tolist(), arrived) == ('twist', '', [[0.2, 0.1]],
                                                                  STEADY + 3)
    assert got.at(NOW + ns(NUMBERS.max_plan_age_s)) == (0, 0) and got.at(NOW) == (0.2, 0.1)
    assert not made.on_twist(wish(stamp_ns=NOW - 1), STEADY)        # overtaken
    made.on_teleop(wish(), NOW, STEADY)
    assert who(made) == 'teleop' and who(made, DEADMAN + 1) == 'twist'
    assert made.counts == {'twist': 1, 'teleop': 1, 'plan_older': 1}
