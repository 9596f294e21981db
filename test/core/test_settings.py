# SPDX-License-Identifier: Apache-2.0
"""A wrong setting is an error that names the wrong thing and the right ones."""

from dataclasses import dataclass, fields
import math
from typing import ClassVar

from ami_ros.core.settings import (
    ActorSettings,
    build,
    EnergySettings,
    Needs,
    Order,
    right,
    setting,
    Settings,
    why,
    WorldModelSettings,
)
import pytest

KINDS = (WorldModelSettings, ActorSettings, EnergySettings)


@dataclass(frozen=True)
class Example(Settings):
    speed: float = setting(0.5, 'm/s', 0.0, 2.0, 'as fast as that')
    tries: int = setting(3, '1', 1, 9, 'so often')
    loud: bool = setting(False, '1', reason='for people')
    guard_m: float = setting(None, 'm', 0.1, 1.0, 'keeps somebody safe')


GIVEN = {'guard_m': 0.3}


def test_defaults_and_what_is_given():
    made = build(Example, {**GIVEN, 'tries': 5})
    assert (made.speed, made.tries, made.loud, made.guard_m) == (0.5, 5, False, 0.3)


def test_a_whole_number_serves_as_a_float():
    made = build(Example, {**GIVEN, 'speed': 1})
    assert made.speed == 1.0 and type(made.speed) is float


@pytest.mark.parametrize('values, parts', [
    ({**GIVEN, 'sped': 0.5}, ("unknown key 'sped'", "did you mean 'speed'?",
                              'guard_m, loud, speed, tries')),
    ({**GIVEN, 'xyzzy': 1}, ("unknown key 'xyzzy' (there are:", 'guard_m, loud, speed, tries')),
    ({**GIVEN, 7: 1}, ('unknown key 7 (there are:',)),
    ({}, ('guard_m must be given', 'has no default')),
    ({**GIVEN, 'speed': 2.1}, ('speed = 2.1 is outside 0.0 to 2.0 m/s', 'as fast as that')),
    ({**GIVEN, 'speed': -0.1}, ('speed = -0.1 is outside',)),
    ({**GIVEN, 'speed': math.nan}, ('speed = nan is outside',)),
    ({**GIVEN, 'speed': math.inf}, ('speed = inf is outside',)),
    ({**GIVEN, 'speed': True}, ('speed = True is not of type float',
                                'right is 0.0 to 2.0 m/s (as fast as that)')),
    ({**GIVEN, 'tries': True}, ('tries = True is not of type int',)),
    ({**GIVEN, 'tries': 2.0}, ('tries = 2.0 is not of type int',)),
    ({**GIVEN, 'speed': '0.5'}, ("speed = '0.5' is not of type float",)),
    ({**GIVEN, 'speed': None}, ('speed = None is not of type float',)),
    ({**GIVEN, 'loud': 1}, ('loud = 1 is not of type bool', 'right is true or false')),
    ({'guard_m': 0.09}, ('guard_m = 0.09 is outside 0.1 to 1.0 m', 'keeps somebody safe')),
    ({**GIVEN, 'speed': 10**400}, ('int too large to convert to float',)),
    (None, ('file.yaml: ', 'key: value')),
    (['speed'], ('file.yaml: ', 'key: value')),
])
def test_wrong_values(values, parts):
    with pytest.raises(ValueError) as wrong:
        build(Example, values, 'file.yaml')
    sentence = str(wrong.value)
    assert sentence.startswith('file.yaml: ')
    assert all(part in sentence for part in parts), sentence


@pytest.mark.parametrize('name, value', [('speed', 0.0), ('speed', 2.0), ('tries', 1),
                                         ('tries', 9), ('guard_m', 0.1), ('guard_m', 1.0)])
def test_the_ends_of_a_range_are_allowed(name, value):
    assert getattr(build(Example, {**GIVEN, name: value}), name) == value


@pytest.mark.parametrize('kind', KINDS)
def test_every_number_has_unit_range_and_reason(kind):
    for field in fields(kind):
        meta = field.metadata
        assert meta['unit'] and meta['reason'], field.name
        assert meta['low'] <= meta['high'], field.name


def test_there_is_something_to_turn_for_the_mind():
    for kind in KINDS:
        assert build(kind, {}) == kind()


@dataclass(frozen=True)
class Related(Settings):
    LIVE: ClassVar[str] = 'it can'
    FIXED: ClassVar[str] = 'it cannot'
    RELATIONS: ClassVar[tuple] = (
        Order('low', 'middle', 'so it is'),
        Order('middle', 'high', 'and so', alike=False),
        Needs('brave', 'careful', 'or it hurts'))

    low: float = setting(1.0, 'm', 0.0, 9.0, 'one', live=True)
    middle: float = setting(2.0, 'm', 0.0, 9.0, 'two', live=True, because='why not')
    high: float = setting(3.0, '1', 0.0, 9.0, 'three')
    brave: bool = setting(False, '-', reason='to go ahead')
    careful: bool = setting(False, '-', reason='to look ahead', because='it is always so')
    name: str = setting('x', 'name', reason='of it')
    one: int = setting(4, 'legs', 4, 4, 'of a table')


@pytest.mark.parametrize('values, sentence', [
    ({'low': 2.5}, 'low = 2.5 must be at most middle = 2.0 (so it is)'),
    ({'middle': 3.0}, 'middle = 3.0 must be less than high = 3.0 (and so)'),
    ({'middle': 5.0}, 'middle = 5.0 must be less than high = 3.0 (and so)'),
    ({'brave': True}, 'brave = True needs careful = True (or it hurts)'),
    ({'low': math.nan}, 'low = nan is outside 0.0 to 9.0 m (one)'),
])
def test_what_does_not_go_together_names_both(values, sentence):
    with pytest.raises(ValueError) as wrong:
        build(Related, values)
    assert str(wrong.value) == f'settings: {sentence}'


@pytest.mark.parametrize('values', [
    {'low': 2.0}, {'middle': 1.0}, {'middle': 2.99}, {'brave': True, 'careful': True},
    {'careful': True}])
def test_what_goes_together(values):
    assert build(Related, values) == Related(**values)


def test_what_is_right_and_why_it_may_change():
    said = {f.name: (right(f), why(Related, f)) for f in fields(Related)}
    assert said == {
        'low': ('0.0 to 9.0 m', 'it can'), 'middle': ('0.0 to 9.0 m', 'why not'),
        'high': ('0.0 to 9.0', 'it cannot'), 'brave': ('true or false', 'it cannot'),
        'careful': ('true or false', 'it is always so'), 'name': ('a name', 'it cannot'),
        'one': ('only 4 legs', 'it cannot')}


@pytest.mark.parametrize('kind', KINDS)
def test_each_relation_is_of_two_of_its_numbers(kind):
    names = {field.name for field in fields(kind)}
    for relation in kind.RELATIONS:
        assert {relation.one, relation.other} < names and relation.reason


@pytest.mark.parametrize('kind', KINDS)
def test_what_may_change_while_driving_says_why(kind):
    assert all(why(kind, field) for field in fields(kind))
