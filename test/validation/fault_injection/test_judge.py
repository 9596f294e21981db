# SPDX-License-Identifier: Apache-2.0
"""What is measured of a fault, on traces whose truth is known."""

import math

from ami_ros.validation.fault_injection.fault_definitions import Named, Row
from ami_ros.validation.fault_injection.judge import (
    GAP_S,
    impossible,
    judge,
    Outcome,
    summed,
    Unseen,
)
import pytest
from synthetic_traces import acted, FULL_MPS, health, HOLD_S, LAG_S, until, verdict

NUMBERS = {'tick_s': 0.02, 'window_s': 0.3, 'top_mps': 0.6}       # bound 0.36 s
BOUND_S = 0.36
FRESH = verdict(0.31, 'input_timeout', 'the plan is 0.351 s old by its stamp, limit 0.350 s')


def row(**more):
    return Row(**{'name': 'gone', 'expected': 'stop', 'why': 'so', 'window': 'window_s',
                  'strike': {'by': 'busy'}, **more})


def seen(told, one=None, **more):
    return judge(acted(told, **more), one or row(), NUMBERS)


@pytest.mark.parametrize('stop_s', [0.0, 0.004, 0.1, 0.31, 0.355])
@pytest.mark.parametrize('phase_s', [0.0, 0.011, 0.024])
def test_time_to_zero_is_exact_to_the_millisecond(stop_s, phase_s):
    out = seen(until(stop_s), phase_s=phase_s)
    assert out.time_to_zero_s == pytest.approx(stop_s, abs=0.0015)
    assert out.why_not == []


@pytest.mark.parametrize('stop_s, good', [(BOUND_S - 0.005, True), (BOUND_S + 0.005, False)])
def test_the_bound_is_where_it_says(stop_s, good):
    assert (seen(until(stop_s)).why_not == []) == good


def test_rest_that_does_not_last_is_no_rest():
    out = seen(lambda s: 0.0 if 0.1 <= s < 0.2 or s >= 0.8 else FULL_MPS)
    assert out.time_to_zero_s == pytest.approx(0.8, abs=0.002)
    assert out.time_to_pause_s == pytest.approx(0.1, abs=0.002)
    assert 'later than' in out.why_not[0]


def test_a_robot_that_is_driving_when_the_cause_ends_never_stopped():
    out = seen(lambda s: FULL_MPS if s < 0.1 or s >= HOLD_S - 0.1 else 0.0)
    assert out.time_to_zero_s is None and out.why_not == ['the wheels are told rest for good: '
                                                          'never']
    assert out.goes_on and out.latched is None


def test_standing_and_the_way_there_follow_the_lag_of_the_body():
    out = seen(until(0.2))
    assert out.time_to_stand_s == pytest.approx(0.2 + LAG_S * math.log(FULL_MPS / 0.02), abs=0.01)
    assert out.distance_after_m == pytest.approx(FULL_MPS * (0.2 + LAG_S), abs=0.003)
    assert out.speed_at_strike_mps == pytest.approx(FULL_MPS, abs=1e-3)


@pytest.mark.parametrize('phase_s', [0.0, 0.013])
def test_the_way_counts_from_the_strike_not_from_the_first_look(phase_s):
    assert seen(until(0.2), phase_s=phase_s).distance_after_m == pytest.approx(
        FULL_MPS * (0.2 + LAG_S), abs=0.003)


@pytest.mark.parametrize('touches, count', [
    ([], 0), ([(0.3, 0.5)], 1), ([(0.3, 0.5), (0.6, 0.7)], 2), ([(-0.5, -0.3)], 0),
    ([(-0.2, 0.4)], 0), ([(2.2, 2.4)], 1)])
def test_touches_count_from_the_strike_until_the_watch_ends(touches, count):
    out = seen(until(0.1), touches=touches)
    assert out.collisions == count and ('it touched something' in out.why_not) == (count > 0)


@pytest.mark.parametrize('again_s, latched', [(math.inf, True), (HOLD_S + 0.5, False)])
@pytest.mark.parametrize('demanded', [None, True, False])
def test_who_drives_on_by_itself_did_not_latch(again_s, latched, demanded):
    out = seen(until(0.1, again_s), row(latches=demanded))
    assert out.latched == latched
    assert (out.why_not == []) == (demanded in (None, latched))


def test_a_gap_in_the_truth_is_told():
    out = seen(until(0.1), drop=lambda s: 0.5 < s < 0.5 + GAP_S + 0.1)
    assert out.truth_gap_s > GAP_S and any('gap' in why for why in out.why_not)
    late = seen(until(0.1), drop=lambda s: HOLD_S - 0.8 < s < HOLD_S)
    assert any('gap' in why for why in late.why_not)


def test_without_truth_there_is_no_judgement():
    with pytest.raises(Unseen, match='gone: the truth of 40 looks'):
        seen(until(0.1), drop=lambda s: s > 0)
    with pytest.raises(Unseen, match='does not reach from before the strike'):
        seen(until(0.1), drop=lambda s: s < 0)


def test_degrade_is_never_faster_from_the_bound_on():
    one = row(expected='degrade', at_most_mps='top_mps / 2')
    assert seen(lambda s: 0.6 if s < 0.2 else 0.3, one).why_not == []
    slow = seen(lambda s: 0.6 if s < 0.2 else 0.3, one)
    assert slow.time_to_slow_s == pytest.approx(0.2, abs=0.027) and slow.goes_on
    again = seen(lambda s: 0.6 if s < 0.2 or 1.0 < s < 1.2 else 0.3, one)
    assert again.time_to_slow_s == pytest.approx(1.2, abs=0.027)
    assert again.why_not == ['the wheels are told 0.300 m/s or less for good: later than 0.360 s']
    assert seen(lambda s: 0.3, one).time_to_slow_s == 0.0
    assert seen(lambda s: -0.6, one).time_to_slow_s is None     # backwards is a speed as well


def test_degrade_with_a_pause_may_drive_on():
    one = row(expected='degrade', pauses=True)
    assert seen(lambda s: 0.0 if 0.3 < s < 1.0 else 0.6, one).why_not == []
    assert seen(lambda s: 0.0 if 0.4 < s < 1.0 else 0.6, one).why_not == [
        'the wheels are told rest: later than 0.360 s']
    assert seen(lambda s: 0.6, one).why_not == ['the wheels are told rest: never']


def test_degrade_without_a_window_promises_no_time():
    assert seen(lambda s: 0.6, row(expected='degrade', window=None)).why_not == []


@pytest.mark.parametrize('said, named', [
    ([FRESH], True),
    ([], False),
    ([verdict(-0.1, 'input_timeout', 'the plan is old')], False),           # of before
    ([verdict(HOLD_S + 0.1, 'input_timeout', 'the plan is old')], False),   # when it is over
    ([verdict(0.3, 'motion_enable', 'the plan is old')], False),        # another rule
    ([verdict(0.3, 'input_timeout', 'the scan is old')], False),            # another cause
    ([health(0.3, 'critic', 'the plan is old')], False),            # somebody else
])
def test_the_cause_is_named_by_whom_the_row_asks(said, named):
    one = row(named=Named('verdict', 'input_timeout', 'the plan is'))
    out = seen(until(0.3), one, said=said)
    assert out.verdict_named_the_cause == named
    assert out.why_not == ([] if named else ['the cause was not named (verdict: rule '
                                             'input_timeout, /the plan is/)'])
    if named:
        assert out.named.startswith('input_timeout: the plan is 0.351 s')
        assert out.time_to_named_s == pytest.approx(0.31)


def test_what_the_critic_said_instead_is_kept():
    said = [verdict(0.2, 'input_timeout', 'the scan is old'),
            verdict(2.5, 'motion_enable', 'later')]
    assert seen(until(0.2), row(named=Named('mind', says='lens')), said=said).named == (
        'input_timeout: the scan is old')


def test_a_cause_may_be_named_by_a_value_or_by_a_count_that_grows():
    waits = health(0.4, 'configurator', 'idle', waits_for='/critic is gone')
    out = seen(until(0.1), row(named=Named('configurator', says='critic is')), said=[waits])
    assert out.named == '/critic is gone'
    one = row(named=Named('critic', grows='count.old'))
    before = health(-0.2, 'critic', **{'count.old': '3'})
    for value, named in (('3', False), ('4', True)):
        said = [before, health(0.2, 'critic', **{'count.old': value})]
        assert seen(until(0.1), one, said=said).verdict_named_the_cause == named
    assert seen(until(0.1), one, said=[health(0.2, 'critic', **{'count.old': '1'})]
                ).named == 'count.old 1'
    assert not seen(until(0.1), one, said=[health(0.2, 'critic')]).verdict_named_the_cause


@pytest.mark.parametrize('at_s, good', [(0.35, True), (0.37, False)])
def test_a_report_is_in_time_by_the_name(at_s, good):
    one = row(expected='report', named=Named('critic', says='past'))
    out = seen(lambda s: 0.6, one, said=[health(at_s, 'critic', 'past the critic')])
    assert (out.why_not == []) == good
    assert seen(lambda s: 0.6, one).why_not == ['it is named (critic: /past/): never']


def test_going_on_may_be_demanded():
    assert seen(until(0.1), row(goes_on=True)).why_not == ['it did not go on']
    assert seen(lambda s: 0.6, row(expected='degrade', goes_on=True)).why_not == []


def outcome(**more) -> Outcome:
    out = seen(until(more.pop('stop_s', 0.2)))
    out.recovered = True
    for key, value in more.items():
        setattr(out, key, value)
    return out


def test_a_fault_passes_when_every_repeat_does():
    entry = summed(row(), [outcome(stop_s=s) for s in (0.1, 0.2, 0.3)], NUMBERS)
    assert entry['passed'] and entry['why_not'] == [] and entry['repeats'] == 3
    assert entry['time_to_zero_s']['p50'] == pytest.approx(0.2, abs=0.002)
    assert entry['time_to_zero_s']['max'] == pytest.approx(0.3, abs=0.002)
    assert entry['bound_s'] == BOUND_S and entry['collisions'] == 0
    assert entry['latched'] is True and entry['recovered'] is True
    assert len(entry['outcomes']) == 3


def test_one_bad_repeat_is_enough():
    entry = summed(row(), [outcome(), outcome(stop_s=0.5)], NUMBERS)
    assert not entry['passed']
    assert entry['why_not'] == ['the wheels are told rest for good: later than 0.360 s (1 of 2)']
    entry = summed(row(), [outcome(), outcome(recovered=False)], NUMBERS)
    assert entry['why_not'] == ['it did not come back (1 of 2)']
    assert entry['recovered'] is None       # they do not agree


def test_one_that_never_stops_is_not_hidden_by_those_that_do():
    entry = summed(row(), [outcome(), outcome(time_to_zero_s=None)], NUMBERS)
    assert entry['time_to_zero_s']['never'] == 1


def test_what_is_not_possible_yet_never_passes():
    entry = impossible(row(needs='a latch'), NUMBERS)
    assert entry['passed'] is False and entry['needs'] == 'a latch'
    assert entry['why_not'] == ['not possible yet: needs a latch']
    assert not summed(row(), [], NUMBERS)['passed']
