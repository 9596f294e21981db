# SPDX-License-Identifier: Apache-2.0
"""Lag and braking from synthetic odometry whose truth is known."""

from ami_ros.operator.calibration.braking import braking, Halt, halt, MOST_MPS2, round_down, slid
from ami_ros.operator.calibration.lag import answer, lag, respond, Response, StepResponse
from ami_ros.operator.calibration.measurement import Unclear
from ami_ros.operator.calibration.odometry_track import track
from fake_base import Fake
import numpy as np
import pytest

WITHIN_S = 0.020        # the error of a single change of speed with the worst odometry here
MIDDLE_S = 0.010        # of the median of sixteen
EXACT_S = 0.005         # with exact odometry
WORST = {'hz': 20.0, 'jitter_s': 0.005, 'lost': 0.2, 'step': 0.004, 'noise': 0.001}


def runs(fake, axis='v', values=(0.15, -0.15, 0.3, -0.3), seed=0):
    """Steps from rest to rest, as long as the motions of the table make them."""
    hold = 0.8 + 5 * (fake.dead_s + fake.tau_s)
    out = []
    for index, value in enumerate(values):
        (told_s, told), odometry = fake.drive([(0.0, 0.5), (value, hold), (0.0, hold)],
                                              100 * seed + index, axis)
        out.append(StepResponse(odometry, told_s, told))
    return out


@pytest.mark.parametrize('dead, tau', [(0.0, 0.02), (0.02, 0.05), (0.03, 0.08), (0.1, 0.1),
                                       (0.05, 0.25), (0.2, 0.2), (0.3, 0.02)])
def test_lags_and_what_odometry_makes_of_them(dead, tau):
    exact = respond(runs(Fake(dead, tau), values=(0.3,)), 'v')
    assert [r.gaining for r in exact] == [True, False]
    for response in exact:
        assert response.lag_s == pytest.approx(dead + tau, abs=EXACT_S)
    found = lag({'v': respond(runs(Fake(dead, tau, **WORST)), 'v')})
    assert found.values['actuation_lag_s'] == pytest.approx(dead + tau, abs=MIDDLE_S)
    assert np.abs(np.array(found.runs) - dead - tau).max() < WITHIN_S
    assert found.good and not found.remarks and len(found.runs) == 8


def test_dead_time_and_lag_are_told_apart():
    for response in respond(runs(Fake(0.2, 0.05)), 'v'):
        assert response.dead_s == pytest.approx(0.2, abs=0.01)
        assert response.tau_s == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize('axis', ['v', 'w'])
def test_either_axis_and_a_base_that_does_less_than_it_is_told(axis):
    for response in respond(runs(Fake(0.04, 0.1, gain=0.9), axis), axis):
        assert response.lag_s == pytest.approx(0.14, abs=EXACT_S)
        assert response.gain == pytest.approx(0.9, abs=0.003)


def test_two_pulses_in_one_record():
    (told_s, told), odometry = Fake(0.04, 0.1).drive(
        [(0.0, 0.5), (0.3, 1.5), (0.0, 1.2), (-0.3, 1.5), (0.0, 1.2)])
    each = respond([StepResponse(odometry, told_s, told)], 'v')
    assert [r.gaining for r in each] == [True, False] * 2
    assert [r.lag_s for r in each] == pytest.approx([0.14] * 4, abs=EXACT_S)


def test_the_slower_axis_is_written_and_both_are_told():
    along = {'v': [Response(0.0, 0.1, 1.0, True)] * 3, 'w': [Response(0.1, 0.1, 1.0, True)] * 3}
    found = lag(along)
    assert found.values == {'actuation_lag_s': 0.2}
    assert 'v: 0.1 s' in found.note and 'w: 0.2 s' in found.note


def test_runs_that_contradict_each_other_are_not_good():
    found = lag({'v': [Response(0.0, lag_s, 1.0, True) for lag_s in (0.05, 0.1, 0.4)]})
    assert not found.good and found.spread == pytest.approx(0.175)


def test_a_base_that_loses_speed_more_slowly_is_told():
    found = lag({'v': respond(runs(Fake(0.0, 0.02, braking=0.3), values=(0.2,)), 'v')})
    assert 'gains speed with a lag of 0.02 s' in found.remarks[0]


@pytest.mark.parametrize('gain, word', [(0.0, 'does not obey'), (-1.0, 'wrong sign')])
def test_a_base_that_does_not_obey(gain, word):
    with pytest.raises(Unclear, match=word):
        respond(runs(Fake(gain=gain)), 'v')


def test_what_is_unclear():
    with pytest.raises(Unclear, match='nobody told the base'):
        respond(runs(Fake(), values=(0.0,)), 'v')
    (told_s, told), odometry = Fake(tau_s=0.8).drive([(0.0, 0.5), (0.3, 1.0), (0.0, 0.6)])
    with pytest.raises(Unclear, match='still moves'):
        respond([StepResponse(odometry, told_s, told)], 'v')
    with pytest.raises(Unclear, match='5 readings'):
        track(np.arange(5.0), np.zeros((5, 3)))
    with pytest.raises(Unclear, match='comes too rarely'):
        respond(runs(Fake(hz=4.0)), 'v')


def test_answer_is_the_integral_of_a_first_order_response():
    at = np.array([-1.0, 0.0, 0.1, 1.0, 5.0])
    way = answer(at, np.array([0.0, 2.0]), np.array([1.0, 0.0]), 0.1)
    assert way[:2].tolist() == [0.0, 0.0]
    assert way[2] == pytest.approx(0.1 - 0.1 * (1 - np.exp(-1)))
    assert way[4] == pytest.approx(2.0)         # what it lacked at first it coasts in the end


def stops(fake, speeds=(0.2, 0.4, 0.6), times=2):
    out = []
    for i, speed in enumerate(speeds * times):
        (told_s, told), odometry = fake.drive([(speed, 1.5), (0.0, 2.5)], seed=i)
        out.append(halt(odometry, told_s[np.flatnonzero(told)[-1] + 1]))
    return out


@pytest.mark.parametrize('odometry', [{}, {**WORST, 'hz': 40.0}], ids=['exact', 'worst'])
@pytest.mark.parametrize('real', [0.5, 1.0, 2.0])
def test_braking_is_never_more_than_the_base_can(real, odometry):
    halts = stops(Fake(0.05, 0.02, braking=real, **odometry))
    found = braking(halts, lag_s=0.07)
    told = found.values['braking_mps2']
    assert found.good and 0.7 * real < told <= real
    for h in halts:             # the worst is covered
        assert h.way_m <= h.speed_mps * 0.07 + h.speed_mps**2 / (2 * told)


def test_a_halt_is_read_as_it_was():
    [h] = stops(Fake(0.05, 0.02, braking=1.0), (0.5,), 1)
    assert h.speed_mps == pytest.approx(0.5, abs=0.005)
    assert h.way_m == pytest.approx(0.05 * 0.5 + 0.125, abs=0.005)
    assert h.seconds == pytest.approx(0.05 + 0.5 - 0.1, abs=0.03)   # the last 5 mm take 0.1 s


def test_where_the_lag_covers_all_there_is_a_ceiling_and_a_word():
    found = braking(stops(Fake(0.03, 0.08)), lag_s=0.11)
    assert found.values['braking_mps2'] <= MOST_MPS2
    more = braking([Halt(0.5, 0.01, 0.2)], lag_s=0.11)
    assert more.values['braking_mps2'] == MOST_MPS2 and 'promise at most' in more.remarks[0]


def test_one_bad_stop_rules_and_is_seen():
    halts = [Halt(0.5, 0.10, 0.3)] * 5 + [Halt(0.5, 0.35, 0.9)]
    found = braking(halts, lag_s=0.1)
    assert not found.good
    assert found.values['braking_mps2'] == pytest.approx(0.25 / (2 * 0.305), abs=0.01)


def test_a_robot_that_crept_or_goes_on_moving_is_unclear():
    (told_s, told), odometry = Fake().drive([(0.03, 1.0), (0.0, 1.0)])
    with pytest.raises(Unclear, match='when it was stopped'):
        halt(odometry, 1.0)
    _, odometry = Fake().drive([(0.3, 3.0)])
    with pytest.raises(Unclear, match='still moves'):
        halt(odometry, 1.0)


def test_a_slide_that_wheels_do_not_feel_is_added():
    stop = Halt(0.5, 0.1, 0.3)
    assert slid(stop, 1.06, 1.0, 1.0).way_m == pytest.approx(0.16)
    assert slid(stop, -1.06, -1.0, 1.03).way_m == pytest.approx(0.13)
    assert slid(stop, 1.015, 1.0, 1.0) is stop is slid(stop, 0.9, 1.0, 1.0)


def test_rounding_down_never_rounds_up():
    assert [round_down(v) for v in (1.499, 0.987, 13.8, 0.0)] == [1.4, 0.98, 13.0, 0.0]
