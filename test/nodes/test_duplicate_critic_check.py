# SPDX-License-Identifier: Apache-2.0
"""Of two critics that hear each other one yields, and both agree on which."""

from ami_ros.nodes.duplicate_critic_check import LOST_S, OtherCritics
from ami_ros.nodes.message_conversions import Health
import pytest

ONE, OTHER = {'host': 'a/1', 'pid': '7'}, {'host': 'a/1', 'pid': '8'}


def life(made, name='/critic', **changes):
    """Return the sign of life of a critic."""
    who = {'host': made.mine.host, 'pid': made.mine.pid}
    return Health(name, values={**who, **made.said(True), **changes})


def test_the_one_that_began_first_is_the_same_for_both():
    first, second = OtherCritics('/critic', ONE), OtherCritics('/critic', OTHER)
    first.hear(life(second), 1.0)
    second.hear(life(first), 1.0)
    assert first.began_first() and not second.began_first()
    assert first.other(1.0) == '/critic (process 8 on a)'
    assert second.other(1.0) == '/critic (process 7 on a)'


@pytest.mark.parametrize('changes', [{'commands': '0'}, {'commands': ''}])
def test_one_that_commands_nothing_is_none(changes):
    made = OtherCritics('/critic', ONE)
    made.hear(life(OtherCritics('/critic', OTHER), **changes), 1.0)
    assert made.other(1.0) == '' and made.began_first()


def test_neither_itself_nor_that_of_another_robot_is_another():
    made = OtherCritics('/critic', ONE)
    made.hear(life(made), 1.0)
    made.hear(life(OtherCritics('/critic', OTHER), name='/robot/critic'), 1.0)
    made.hear(Health('/mind'), 1.0)
    assert made.other(1.0) == ''


def test_one_that_says_nothing_any_more_has_ended():
    made = OtherCritics('/critic', ONE)
    made.hear(life(OtherCritics('/critic', OTHER)), 1.0)
    assert made.other(1.0 + LOST_S - 0.01) and made.other(1.0 + LOST_S) == ''


@pytest.mark.parametrize('born', ['', '-1', 'x', '1e9'])
def test_one_that_does_not_say_when_it_began_began_first(born):
    made = OtherCritics('/critic', ONE)
    made.hear(life(OtherCritics('/critic', OTHER), born_ns=born), 1.0)
    assert not made.began_first()
