# SPDX-License-Identifier: Apache-2.0
"""Less thought when plans come late, more again after calm, and no seesaw."""

from ami_ros.core.compute_budget import (
    Budget,
    CALM_S,
    LATE_SHARE,
    Level,
    LEVELS,
    TRIED_S,
    whole,
    WINDOW,
    within,
)
from ami_ros.core.settings import ActorSettings
import pytest


class Machine:
    """A machine that is late at levels below `able`; counts plans at 10 Hz."""

    def __init__(self, able):
        self.able, self.budget, self.thoughts, self.late, self.now_s = able, Budget(), 0, 0, 0.0
        self.changes = []

    def run(self, seconds):
        for _ in range(round(seconds * 10)):
            self.now_s += 0.1
            self.thoughts += 1
            self.late += self.budget.level < self.able
            if self.budget.on_count(self.thoughts, self.late, self.now_s):
                self.changes.append((round(self.now_s, 1), self.budget.level))


def test_the_levels_only_ever_spend_less():
    for more, less in zip(LEVELS, LEVELS[1:]):
        assert less.candidates <= more.candidates and less.horizon <= more.horizon
        assert less.every >= more.every and less != more
    assert LEVELS[0] == type(LEVELS[0])(1.0, 1.0, 1)


def test_a_machine_in_time_spends_all():
    machine = Machine(0)
    machine.run(100)
    assert machine.budget.level == 0 and machine.changes == []


def test_a_late_machine_goes_down_within_a_second_a_level_and_stays_where_it_is_able():
    machine = Machine(2)
    machine.run(3)
    assert machine.changes == [(1.0, 1), (2.0, 2)]
    machine.run(TRIED_S - 3)
    assert machine.budget.level == 2            # what failed is not tried again yet


def test_it_grows_back_when_the_machine_is_able_again():
    machine = Machine(2)
    machine.run(3)
    machine.able = 0
    machine.run(TRIED_S + 3 * CALM_S + 3 * WINDOW / 10)
    assert machine.budget.level == 0
    assert [level for _, level in machine.changes] == [1, 2, 1, 0]


def test_it_ends_at_the_lowest_level():
    machine = Machine(99)
    machine.run(60)
    assert machine.budget.level == len(LEVELS) - 1


def test_a_few_late_ones_are_borne():
    budget, late = Budget(), 0
    for n in range(1, 1001):
        late += n % round(1 / LATE_SHARE) == 0
        assert not budget.on_count(n, late, n / 10)
    assert budget.level == 0


def test_counting_begins_anew_with_another_process():
    budget = Budget()
    for n in range(1, WINDOW):
        budget.on_count(n, n, n / 10)
    assert not budget.on_count(1, 0, 2.0)       # it counts from the start: nothing is carried over
    assert not budget.on_count(WINDOW, 0, 3.0) and budget.level == 0


@pytest.mark.parametrize('level', LEVELS)
@pytest.mark.parametrize('horizons', [(8,), (8, 4), (32, 8, 6, 2)])
def test_what_a_level_leaves_can_be_imagined_and_is_no_more_than_was_asked_for(level, horizons):
    for settings in (ActorSettings(), ActorSettings(candidates=16, elites=8, elites_kept=4)):
        left = within(level, settings, horizons)
        assert left.horizon in horizons
        assert level.horizon * settings.horizon <= left.horizon <= settings.horizon
        assert settings.elites <= left.candidates <= settings.candidates
        assert (left.iterations, left.seed) == (settings.iterations, settings.seed)


def test_half_the_horizon_is_taken_where_there_is_one():
    half = Level(0.5, 0.5, 1)
    assert within(half, ActorSettings(), (8, 4)).horizon == 4
    assert within(half, ActorSettings(), (8,)).horizon == 8
    assert within(half, ActorSettings(), (8, 4)).candidates == 32
    assert within(LEVELS[0], ActorSettings(), (8, 4)) == ActorSettings()


@pytest.mark.parametrize(('before_s', 'search_s', 'done', 'wanted', 'took_s'), [
    (0.01, 0.03, 3, 3, 0.04),       # all of it was done: that is what it took
    (0.01, 0.02, 2, 3, 0.04),       # the round that was cut would have taken as long as the others
    (0.01, 0.02, 0, 3, 0.07),       # not even one: at least as long as that for each
])
def test_a_search_that_was_cut_is_counted_as_if_it_had_not_been(before_s, search_s, done, wanted,
                                                               took_s):
    assert whole(before_s, search_s, done, wanted) == pytest.approx(took_s)
