# SPDX-License-Identifier: Apache-2.0
"""A switch of several publishers is free when each has said so; whatever one of them repeats."""

from ami_ros.critic.multi_publisher_switch import MultiPublisherSwitch
from hypothesis import given, settings
from hypothesis import strategies as st
import pytest


def heard(*messages, publishers=(2,)):
    """Hear (pressed, number); return what counts after each."""
    made = MultiPublisherSwitch()
    return [made.hear(*one, 0, publishers) for one in messages], made


def test_of_one_publisher_each_message_counts():
    said, made = heard((False, 1), (True, 2), (True, 3), (False, 4), (False, 5), publishers=(1,))
    assert said == [False, True, True, False, False] and made.missing == ''


def test_the_last_that_is_left_counts():
    made = MultiPublisherSwitch()
    assert made.hear(True, 7, 0, (2,)) and made.hear(False, 1, 0, (2,))
    assert made.missing == '1 of 2 publishers are known to have said since that it is free'
    assert not made.hear(False, 2, 0, (1,)) and made.missing == ''


def test_a_second_publisher_that_repeats_itself_frees_nothing():
    said, made = heard((True, 4), *((False, number) for number in range(1, 5000)))
    assert all(said) and 'known' in made.missing


@pytest.mark.parametrize('numbers', [(9, 9), (9, 5), (5, 9, 6), (1, 2, 3, 9, 4)])
def test_two_that_both_say_so_free_it(numbers):
    said, made = heard((True, 4), *((False, number) for number in numbers))
    assert said == [True] * len(numbers) + [False] and not made.pressed


def test_one_that_starts_again_does_not_count_as_two():
    there = [frozenset('ab')]
    made = MultiPublisherSwitch(lambda: there[0])
    assert made.hear(True, 4, 0, (2,)) and made.hear(False, 9, 0, (2,))
    there[0] = frozenset('ac')
    assert made.hear(False, 1, 0, (2,)) and made.missing.startswith('0 of 2')
    assert made.hear(False, 2, 0, (2,)) and not made.hear(False, 2, 0, (2,))


def test_pressed_again_it_is_asked_anew():
    said, _ = heard((True, 4), (False, 9), (True, 5), (False, 6), (False, 10), (False, 7))
    assert said == [True] * 5 + [False]


def test_without_numbers_only_a_single_publisher_frees_it():
    said, _ = heard((True, None), *[(False, None)] * 9)
    assert all(said)
    assert heard((True, None), (False, None), publishers=(1,))[0] == [True, False]


def test_only_the_first_queue_that_has_all_publishers_frees_it():
    for publishers, counts in (((2, 0, 2), 0), ((1, 0, 2), 2), ((0, 2, 2), 1)):
        for queue in range(3):
            made = MultiPublisherSwitch()
            assert made.hear(True, 5, 2 - queue, publishers)    # pressed counts by any
            assert made.missing == ''
            assert made.hear(False, 9, queue, publishers)
            assert made.hear(False, 8, queue, publishers) == (queue != counts)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_as_long_as_one_of_them_is_silent_it_stays_pressed(data):
    """Whatever the others say, whatever is lost: any mix of fewer publishers frees nothing."""
    publishers = data.draw(st.integers(2, 5))
    last = [data.draw(st.integers(0, 6)) for _ in range(publishers - 1)]
    made = MultiPublisherSwitch()
    made.hear(True, data.draw(st.integers(0, 6)), 0, (publishers,))
    for who in data.draw(st.lists(st.integers(0, publishers - 2), max_size=40)):
        last[who] += data.draw(st.integers(1, 3))
        assert made.hear(False, last[who], 0, (publishers,))
