# SPDX-License-Identifier: Apache-2.0
"""A hand drives while it holds, rests when it lets go, and is never faster than the robot."""

import math

from ami_ros.core.settings import build
from ami_ros.operator.teleop_input import (
    DRIVING,
    Keys,
    KeySettings,
    Outlet,
    STICK,
    Stick,
    StickSettings,
)
from hypothesis import given
from hypothesis import strategies as st
import pytest

LIMITS = 0.6, 1.5
RATE_S = 0.05


@pytest.fixture
def keys():
    return Keys(LIMITS, 0.3, 0.75)


def held(keys, times, until, key='w'):
    """Send a key at some times; when it counted, in twentieths of a second."""
    times, counted = list(times), []
    for tick in range(round(until / RATE_S)):
        now = tick * RATE_S
        while times and times[0] <= now:
            keys.press(key, times.pop(0))
        if keys.wanted(now) is not None:
            counted.append(now)
    return counted


def terminal(delay_s, until_s, rate_hz=30.0):
    """When a terminal sends a key that is held from 0 on."""
    repeats = max(0, math.ceil((until_s - delay_s) * rate_hz))
    return [0.0, *(delay_s + i / rate_hz for i in range(repeats))]


# keys

@pytest.mark.parametrize('delay_s', [0.25, 0.5, 0.59])
def test_a_key_that_is_held_drives_without_a_gap(keys, delay_s):
    counted = held(keys, terminal(delay_s, 2.0), 4.0)
    assert counted == pytest.approx([i * RATE_S for i in range(len(counted))])
    assert 2.0 < counted[-1] + RATE_S <= 2.0 + 0.25 + RATE_S


def test_a_terminal_that_is_slow_to_repeat_leaves_a_gap_and_goes_on(keys):
    counted = held(keys, terminal(0.8, 2.0), 3.0)
    assert not any(0.6 <= now < 0.8 for now in counted)
    assert any(now < 0.6 for now in counted) and max(counted) > 1.9


def test_a_tap_is_a_step_that_ends(keys):
    counted = held(keys, [0.0], 3.0)
    assert len(counted) == 12 and counted[-1] < 0.6


def test_letting_go_is_felt_sooner_than_a_tap(keys):
    counted = held(keys, terminal(0.3, 1.0), 3.0)
    assert counted[-1] < 1.0 + keys.settings.held_s < 1.0 + keys.settings.first_s


@pytest.mark.parametrize('key', DRIVING)
def test_where_each_key_drives(keys, key):
    keys.press(key, 0.0)
    v, w = keys.wanted(0.1)
    ahead, left = DRIVING[key]
    assert (v, w) == (0.3 * ahead, 0.75 * left)
    assert {'up': v > 0, 'left': w > 0, 'right': w < 0, 'down': v < 0}.get(key, True)


def test_another_key_takes_over_and_is_new(keys):
    for now in terminal(0.3, 1.0):
        keys.press('w', now)
    keys.press('a', 1.0)
    assert keys.wanted(1.01) == (0.0, 0.75) and keys.wanted(1.59) is not None
    assert keys.wanted(1.6) is None


def test_space_asks_for_rest_and_outlasts_a_lost_message(keys):
    keys.press('w', 0.0)
    keys.press(' ', 0.1)
    assert keys.wanted(0.1) == (0.0, 0.0) == keys.wanted(0.65) and keys.wanted(0.75) is None


def test_what_does_not_drive_is_not_a_hand(keys):
    assert not any(keys.press(key, 0.0) for key in ('x', 'q', 'm', '\x1b', 'f5', '', '+'))
    assert keys.wanted(0.0) is None
    keys.press('w', 0.0)
    keys.let_go()
    assert keys.wanted(0.0) is None


def test_a_key_that_comes_when_the_last_one_is_over_is_new(keys):
    keys.press('w', 0.0)
    keys.press('w', 0.6)
    assert keys.wanted(1.19) is not None


@given(st.lists(st.integers(-3, 3), max_size=40), st.sampled_from(sorted(DRIVING)))
def test_no_key_is_faster_than_the_robot(steps, key):
    keys = Keys(LIMITS, *LIMITS)
    for step in steps:
        keys.change(step)
    keys.press(key, 0.0)
    v, w = keys.wanted(0.0)
    assert abs(v) <= LIMITS[0] and abs(w) <= LIMITS[1]
    assert all(0.1 * limit - 1e-12 <= speed <= limit for speed, limit in zip(keys.speeds, LIMITS))


def test_a_step_is_a_tenth_of_the_limit(keys):
    keys.change(1)
    assert keys.speeds == pytest.approx((0.36, 0.9))
    keys.change(-2)
    assert keys.speeds == pytest.approx((0.24, 0.6))


@pytest.mark.parametrize('speeds', [(0.61, 1.0), (0.3, 1.51), (0.0, 1.0), (-0.1, 1.0),
                                    (math.nan, 1.0)])
def test_speeds_that_the_robot_does_not_have(speeds):
    with pytest.raises(ValueError, match="is not above 0 and at most .*, the robot's limit"):
        Keys(LIMITS, *speeds)


def test_other_terminals_may_need_other_times():
    keys = Keys(LIMITS, 0.3, 0.75, KeySettings(first_s=0.2, held_s=0.1))
    keys.press('w', 0.0)
    assert keys.wanted(0.19) is not None and keys.wanted(0.2) is None


# stick

def stick(**groups):
    made = {prefix: build(kind, groups.get(prefix, {})) for prefix, kind in STICK.items()}
    return Stick(LIMITS, made)


def pad(x=0.0, y=0.0, *held):
    """Return axes and buttons of an Xbox pad: left stick, which buttons are held."""
    return [x, y, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0], [int(i in held) for i in range(11)]


def test_an_xbox_pad_drives_with_its_button():
    hand = stick()
    hand.move(*pad(0.5, 0.4, 2), 0.0)
    assert hand.wanted(0.1) == pytest.approx((0.28, 0.2)) and hand.why(0.1) == ''


def test_without_its_button_it_is_no_hand():
    hand = stick()
    hand.move(*pad(1.0, 1.0), 0.0)
    assert hand.wanted(0.0) is None and hand.why(0.0) == 'button 2 is not held'
    hand.move(*pad(0.0, 0.0, 2), 0.1)
    assert hand.wanted(0.1) == (0.0, 0.0)       # a hand that asks for rest
    hand.move(*pad(1.0, 1.0), 0.2)
    assert hand.wanted(0.2) is None


def test_no_stick_is_faster_than_the_robot():
    hand = stick()
    hand.move(*pad(-1.0, 1.0, 2), 0.0)
    assert hand.wanted(0.0) == pytest.approx((0.6, -0.4))
    hand.move(*pad(-1.0, -1.0, 5), 0.0)         # the button for fast
    assert hand.wanted(0.0) == pytest.approx((-0.6, -1.0))
    hand.move(*pad(1e9, -1e9, 5), 0.0)          # a driver that counts to 32767
    assert hand.wanted(0.0) == (-0.6, 1.5)


def test_a_silent_joystick_is_no_hand():
    hand = stick()
    assert hand.wanted(0.0) is None and 'is silent' in hand.why(0.0)
    hand.move(*pad(0.0, 1.0, 2), 10.0)
    assert hand.wanted(10.24) is not None
    assert hand.wanted(10.25) is None and 'is silent; is joy_node running?' in hand.why(10.25)


@pytest.mark.parametrize('bad', [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize('axis', [0, 1])
def test_axes_that_are_no_numbers_are_no_hand(bad, axis):
    hand = stick()
    axes, buttons = pad(0.5, 0.5, 2)
    axes[axis] = bad
    hand.move(axes, buttons, 0.0)
    assert hand.wanted(0.0) is None and 'the joystick says' in hand.why(0.0)
    axes, buttons = pad(0.5, 0.5, 2)
    axes[7] = bad                               # an axis that nobody asked
    hand.move(axes, buttons, 0.0)
    assert hand.wanted(0.0) is not None


@pytest.mark.parametrize('groups, part', [
    ({'': {'enable_button': 11}}, '11 of what enable_button = 11 names'),
    ({'axis_linear': {'x': 8}}, '8 of what axis_linear.x = 8 names'),
    ({'axis_angular': {'yaw': 9}}, '8 of what axis_angular.yaw = 9 names')])
def test_a_joystick_of_another_make_is_said(groups, part):
    hand = stick(**groups)
    hand.move(*pad(1.0, 1.0, 2), 0.0)
    assert hand.wanted(0.0) is None and part in hand.why(0.0)


def test_axes_and_buttons_may_be_other_ones():
    hand = stick(**{'': {'enable_button': 4, 'enable_turbo_button': -1},
                    'axis_linear': {'x': 4}, 'axis_angular': {'yaw': -1},
                    'scale_linear': {'x': -0.5}})
    axes, buttons = pad(1.0, 1.0, 4)
    axes[4] = 0.5
    hand.move(axes, buttons, 0.0)
    assert hand.wanted(0.0) == (-0.25, 0.0)
    hand.move(axes, pad(0, 0, 10)[1], 0.0)      # -1 is no button from the end of the list
    assert hand.wanted(0.0) is None


def test_a_pad_without_the_button_for_fast_drives_slowly():
    hand = stick()
    hand.move([0.0, 1.0], [0, 0, 1, 0, 0], 0.0)         # buttons 0 to 4, and 5 is for fast
    assert hand.wanted(0.0) == (0.6, 0.0)
    hand = stick(**{'': {'enable_turbo_button': 0}, 'scale_linear': {'x': 0.1}})
    hand.move([0.0, 0.5], [1, 0, 0], 0.0)
    assert hand.wanted(0.0) == (0.6, 0.0)


def test_the_dead_mans_button_cannot_be_done_without():
    with pytest.raises(ValueError, match='require_enable_button = False is not done here'):
        StickSettings(require_enable_button=False)


# what goes out

def test_one_rest_when_the_hand_lets_go_and_then_silence():
    outlet = Outlet()
    assert outlet.next(None) is None
    assert [outlet.next(t) for t in ((0.3, 0.0), (0.3, 0.1))] == [(0.3, 0.0), (0.3, 0.1)]
    assert [outlet.next(None) for _ in range(3)] == [(0.0, 0.0), None, None]
    assert outlet.next((0.0, 0.0)) == (0.0, 0.0) and outlet.next(None) == (0.0, 0.0)


def test_a_message_that_comes_again_with_the_same_stamp_is_silence():
    """A driver that lost its joystick repeats what was held last."""
    hand = stick()
    hand.move(*pad(0.5, 0.4, 2), 0.0, 7)
    assert hand.wanted(0.0) is None         # of the first nobody knows whether it is a repetition
    assert hand.why(0.0).startswith('the joystick is silent')
    hand.move(*pad(0.5, 0.4, 2), 0.1, 8)
    assert hand.wanted(0.1) is not None and hand.why(0.1) == ''
    for now in (0.15, 0.2, 0.3):
        hand.move(*pad(0.5, 0.4, 2), now, 8)
    assert hand.wanted(0.34) is not None and hand.wanted(0.36) is None
    assert hand.why(0.36) == ('the joystick repeats its last message with the same stamp; is it '
                              'connected?')
    hand.move(*pad(0.5, 0.4, 2), 0.4, 3)    # its clock was set back
    assert hand.wanted(0.4) is not None


def test_a_joystick_without_stamps_is_as_old_as_its_arrival():
    hand = stick()
    for now in (0.0, 0.2):
        hand.move(*pad(0.5, 0.4, 2), now)
        assert hand.wanted(now) is not None
