# SPDX-License-Identifier: Apache-2.0
"""The search: seeded, in time, warm-started by time; arriving, resting, and being refused."""

from dataclasses import replace
import math

from ami_ros.actor.cem import carry, guesses, smooth_noise
from ami_ros.core.geometry import between
from ami_ros.core.settings import EnergySettings
from ami_ros.core.types import Plan
import numpy as np
from perfect_model_world import actor, arc, belief, Flatland, goal, LIMITS, MS
import pytest

WEIGHTS = EnergySettings()
HERE = [0.0, 0.0, 0.0]
FAR = [1.5, 0.5, 0.3]
KNOT_NS = 250 * MS


def energy(plan: Plan) -> float:
    return sum(value for _, value in plan.energies)


# the plan

def test_a_plan_begins_where_its_belief_stands_and_names_what_it_is_for():
    start = replace(belief(HERE, 700, number=12, run='r'), surprise=1.7)
    plan = actor().act(start, start, goal(FAR, 4))
    assert (plan.start_ns, plan.number, plan.run, plan.goal) == (700 * MS, 12, 'r', 4)
    assert plan.surprise == 1.7 and not plan.arrived and plan.iterations == 3
    assert plan.knots.shape == (8, 2) and plan.imagined.shape == (8, 3)


def test_a_plan_keeps_the_limits_and_leads_towards_the_goal():
    for pose in (FAR, [-1.5, 0, 3], [0, 2, 0], [-1, -1, 0.5]):
        start = belief(HERE)
        plan = actor().act(start, start, goal(pose))
        assert np.all(np.abs(plan.knots) <= np.array(LIMITS) + 1e-12)
        end = arc(HERE, plan.knots[0], 0.25)
        for knot in plan.knots[1:]:
            end = arc(end, knot, 0.25)
        assert plan.imagined[-1] == pytest.approx(end, abs=1e-4)
        searched = actor()
        searched.set_goal(goal(pose))
        assert searched.way.cost(end) < searched.way.cost(np.array(HERE)) - 0.8


def test_a_plan_says_stop_after_its_last_knot_and_is_never_renewed_by_lateness():
    knots = np.arange(1.0, 7.0).reshape(3, 2)
    plan = Plan(knots, 0.25, 1000 * MS)
    assert plan.at(0) == plan.at(1000 * MS) == plan.at(1250 * MS - 1) == (1, 2)
    assert plan.at(1250 * MS) == (3, 4) and plan.at(1750 * MS - 1) == (5, 6)
    assert plan.at(1750 * MS) == plan.at(10**15) == (0, 0)
    assert plan.at(1400 * MS) == (3, 4)     # asked late, it does not begin later


def test_imagined_places_are_carried_to_where_the_belief_stands():
    turned = np.array([4.0, -1.0, 2.0])
    start = belief(HERE, place=turned)
    plan = actor().act(start, start, goal([2.0, 0.0, 0.0]))
    assert plan.imagined[0] == pytest.approx(arc(turned, plan.knots[0], 0.25), abs=1e-4)


def test_carry_moves_rigidly():
    rng = np.random.default_rng(0)
    places, origin, to = rng.normal(size=(5, 4, 3)), rng.normal(size=3), rng.normal(size=3)
    moved = places.copy()
    carry(moved, origin, to)
    assert between(to, moved) == pytest.approx(between(origin, places))


# the search

def test_the_same_seed_plans_the_same_and_another_another():
    start = belief(HERE, number=5)
    plans = [actor(seed=seed).act(start, start, goal(FAR)) for seed in (3, 3, 4)]
    assert plans[0].knots.tobytes() == plans[1].knots.tobytes()
    assert plans[0].energies == plans[1].energies
    assert plans[0].knots.tobytes() != plans[2].knots.tobytes()


def test_every_frame_searches_elsewhere():
    one, other = (actor().act(b, b, goal(FAR)) for b in (belief(HERE, number=5),
                                                        belief(HERE, number=6)))
    assert one.knots.tobytes() != other.knots.tobytes()


def test_more_rounds_never_end_worse():
    start, found = belief(HERE), []
    for rounds in (1, 2, 3, 6):
        plan = actor(iterations=rounds).act(start, start, goal(FAR))
        assert plan.iterations == rounds
        found.append(energy(plan))
    assert found == sorted(found, reverse=True) and found[-1] < found[0]


def test_the_energies_are_those_of_the_plan_that_was_chosen():
    start, searched = belief(HERE), actor()
    plan = searched.act(start, start, goal(FAR))
    terms, _ = searched.judge(start, np.array(HERE), plan.knots[None] / LIMITS)
    assert dict(plan.energies) == pytest.approx({n: float(e[0]) for n, e in terms.items()},
                                                rel=1e-6)


class Slow(Flatland):
    """Takes so many milliseconds to imagine."""

    def __init__(self, ms: int):
        super().__init__()
        self.ms, self.now_ns = ms, 0

    def imagine(self, *given):
        self.now_ns += self.ms * MS
        return super().imagine(*given)


@pytest.mark.parametrize('deadline_ms, rounds', [(0, 1), (25, 2), (10_000, 6), (None, 6)])
def test_the_deadline_returns_the_best_so_far(deadline_ms, rounds):
    world, start = Slow(20), belief(HERE)
    searched = actor(world, steady_ns=lambda: world.now_ns, iterations=6)
    plan = searched.act(start, start, goal(FAR),
                        None if deadline_ms is None else deadline_ms * MS)
    assert plan.iterations == world.imagined == rounds
    assert plan.knots.tobytes() == actor(iterations=rounds).act(
        start, start, goal(FAR)).knots.tobytes()


def test_one_call_a_round_imagines_all_candidates():
    class Counted(Flatland):
        sizes = ()

        def imagine(self, z, body, knots, goal_z):
            self.sizes += (len(knots),)
            return super().imagine(z, body, knots, goal_z)

    world, start = Counted(), belief(HERE)
    actor(world, candidates=40, iterations=2).act(start, start, goal(FAR))
    assert world.sizes == (40, 40)


def test_smooth_noise_is_of_unit_variance_and_neighbours_are_alike():
    noise = smooth_noise(np.random.default_rng(0), 20_000, 6)
    assert noise.std((0, 2)) == pytest.approx(1.0, abs=0.02)
    for k in range(5):
        assert (noise[:, k] * noise[:, k + 1]).mean() == pytest.approx(0.6, abs=0.02)
    assert smooth_noise(np.random.default_rng(0), -3, 6).shape == (0, 6, 2)


def test_rest_and_full_speed_are_always_thought_of():
    always = guesses(8)
    assert always.shape[1:] == (8, 2) and np.abs(always).max() == 1.0
    for steady in ([0, 0], [1, 0], [0, 1], [0, -1]):
        assert any(np.all(g == steady) for g in always)


# the warm start

def planned(knots, start_ms: int = 0, run: str = 'a'):
    """Make an actor that has planned knots (8, 2) in shares of the limits."""
    made = actor()
    made.goal = goal(FAR)
    made.plan = Plan(np.asarray(knots) * LIMITS, 0.25, start_ms * MS, run=run)
    return made


RAMP = np.stack([np.linspace(0, 0.7, 8), np.linspace(0.7, 0, 8)], 1)


@pytest.mark.parametrize('passed_ms, shift', [(0, 0), (250, 1), (100, 0.4), (600, 2.4)])
def test_the_last_plan_is_shifted_by_the_time_that_passed(passed_ms, shift):
    begun = planned(RAMP, 1000).begin(belief(HERE, 1000 + passed_ms))
    at = np.minimum(np.arange(8) + shift, 7)
    assert begun == pytest.approx(np.stack([0.1 * at, 0.7 - 0.1 * at], 1))


def test_nothing_is_left_of_a_plan_long_past_but_its_end():
    assert planned(RAMP).begin(belief(HERE, 60_000)) == pytest.approx(np.tile(RAMP[-1], (8, 1)))


def test_another_run_begins_at_rest():
    assert planned(RAMP, run='a').begin(belief(HERE, 100, run='b')) == pytest.approx(0)
    assert actor().begin(belief(HERE)) == pytest.approx(0)


# goals

def test_without_a_goal_it_rests():
    start, made = belief(HERE), actor()
    assert made.act(start, start, goal(FAR)).knots.any()
    rest = made.act(start, start, None)
    assert not rest.knots.any() and not rest.arrived and rest.start_ns == start.stamp_ns
    assert made.goal is None and made.plan is None and made.way is None


def test_a_new_goal_replaces_the_old_one_and_its_arrival():
    start, made = belief(HERE), actor()
    assert made.act(start, start, goal(HERE, 1)).arrived
    plan = made.act(start, start, goal(FAR, 2))
    assert not plan.arrived and plan.goal == 2 and plan.knots.any()
    assert made.way.goal == pytest.approx(FAR)


def test_a_goal_that_was_cancelled_and_given_again_is_driven_to_again():
    start, made = belief(HERE), actor()
    made.act(start, start, goal(HERE, 1))
    made.act(start, start, None)
    assert made.act(start, start, goal(HERE, 1)).arrived


# arriving

def arrive(made, pose, ms: int, number: int = 1) -> bool:
    b = belief(pose, ms)
    plan = made.act(b, b, goal(HERE, number))
    assert plan.arrived == (not plan.knots.any())
    return plan.arrived


def test_close_is_there_at_once():
    assert arrive(actor(), [WEIGHTS.arrive_m - 0.01, 0, WEIGHTS.arrive_rad - 0.01], 0)


@pytest.mark.parametrize('pose', [[WEIGHTS.arrive_m + 0.01, 0, 0], [0, 0, WEIGHTS.arrive_rad + .1],
                                  [0, 0, math.pi]])
def test_not_close_enough_is_not_there(pose):
    assert not arrive(actor(), pose, 0)


NEARLY = [WEIGHTS.settle_m - 0.01, 0, WEIGHTS.settle_rad - 0.01]
SETTLE_MS = round(WEIGHTS.settle_s * 1000)


def test_close_enough_for_a_while_is_there_too():
    made = actor()
    for ms in range(0, SETTLE_MS, 100):
        assert not arrive(made, NEARLY, ms)
    assert arrive(made, NEARLY, SETTLE_MS)


@pytest.mark.parametrize('out', [[WEIGHTS.settle_m + 0.01, 0, 0], [0, 0, WEIGHTS.settle_rad + .1]])
def test_patience_begins_anew_after_leaving(out):
    made = actor()
    assert not arrive(made, NEARLY, 0)
    assert not arrive(made, out, SETTLE_MS - 100)
    assert not arrive(made, NEARLY, SETTLE_MS)
    assert not arrive(made, NEARLY, 2 * SETTLE_MS - 1)
    assert arrive(made, NEARLY, 2 * SETTLE_MS)


def test_an_arrival_lasts_until_it_is_clearly_wrong():
    made = actor()
    assert arrive(made, HERE, 0)
    assert arrive(made, [WEIGHTS.leave_m - 0.01, 0, 1.0], 100)
    assert not arrive(made, [WEIGHTS.leave_m + 0.01, 0, 0], 200)
    assert not arrive(made, NEARLY, 300)        # and has to be earned again
    assert arrive(made, HERE, 400)


# an arrival must look like the goal

def unlike(ms: int):
    """Believe to be at the goal, and see something else."""
    return replace(belief([3.0, 3.0, 1.0], ms), place=np.array(HERE))


LOOK_MS = round(WEIGHTS.look_around_s * 1000)


def strict():
    """Make an actor whose module says how far latents of one place lie apart."""
    made = actor()
    made.latent_tolerance = 0.6
    return made


def test_a_goal_that_looks_different_is_looked_for_around_and_then_fails():
    made, turns = strict(), []
    for ms in range(0, LOOK_MS + 1, 100):
        here = unlike(ms)
        plan = made.act(here, here, goal(HERE))
        assert not plan.arrived and not plan.knots[:, 0].any() and not made.failure
        turns.append(np.sign(plan.knots[0, 1]))
    assert {-1.0, 1.0} == set(turns)
    late = unlike(LOOK_MS + 100)
    plan = made.act(late, late, goal(HERE))
    assert made.failure == 'goal does not look like here'
    assert not plan.arrived and not plan.knots.any()
    here = belief(HERE, LOOK_MS + 200)          # what failed stays so, until there is another goal
    assert not made.act(here, here, goal(HERE)).arrived and made.failure
    assert made.act(here, here, goal(HERE, 2)).arrived and not made.failure


def test_a_view_that_looks_like_the_goal_ends_the_looking_around():
    made = strict()
    for ms in range(0, LOOK_MS, 100):
        made.act(unlike(ms), unlike(ms), goal(HERE))
    assert arrive(made, HERE, LOOK_MS) and made.unlike_ns is None


def test_somewhere_else_the_looking_around_begins_anew():
    made = strict()
    made.act(unlike(0), unlike(0), goal(HERE))
    assert not arrive(made, [1.0, 0, 0], 100) and made.unlike_ns is None


def test_without_a_bound_the_place_alone_decides_and_a_number_outranks_the_module():
    assert actor().act(unlike(0), unlike(0), goal(HERE)).arrived
    made = actor()
    made.tune(made.settings, replace(made.weights, arrive_latent=0.6))
    assert not made.act(unlike(0), unlike(0), goal(HERE)).arrived
    made = strict()
    made.tune(made.settings, replace(made.weights, arrive_latent=100.0))
    assert made.act(unlike(0), unlike(0), goal(HERE)).arrived


# what the critic refuses

STRAIGHT = [1.5, 0.0, 0.0]
AHEAD = np.tile([1.0, 0.0], (8, 1))


def answered(made, answers) -> list[Plan]:
    """Plan ten times a second; `answers` are the twists that the critic let through."""
    plans = []
    for tick, let in enumerate(answers):
        here = belief(HERE, 100 * tick, number=tick)
        plans.append(made.act(here, here, goal(STRAIGHT), let_through=np.array(let)))
    return plans


STOPPED, FREE = (0.0, 0.0), (LIMITS[0], 0.0)


def test_what_is_refused_thrice_in_a_row_is_remembered_and_left():
    made = actor()
    plans = answered(made, [STOPPED] * 4)       # at the first nothing had been asked for
    assert all(plan.knots[0, 0] > 0.5 * LIMITS[0] for plan in plans[:3])
    (when_ns, what), = made.refused
    assert when_ns == 300 * MS and what[0] > 0.5
    first = plans[3].knots[0] / LIMITS
    assert first @ what < 0.6 * np.linalg.norm(first) * np.linalg.norm(what)


def test_what_was_let_through_is_no_refusal():
    made = actor()
    answered(made, [(0.5 * LIMITS[0], 0.0)] * 8)
    assert not made.refused


def test_one_tick_let_through_begins_the_count_anew():
    made = actor()
    answered(made, [STOPPED] * 3 + [FREE] + [STOPPED] * 2)
    assert not made.refused and made.refusals == 2


@pytest.mark.parametrize('asked, let, refused', [
    (1.0, 0.19, True), (1.0, 0.21, False), (0.5, 0.09, True), (0.5, 0.11, False),
    (0.16, 0.0, True), (0.14, 0.0, False), (-0.5, 0.0, True)])
def test_refused_is_what_was_asked_for_and_hardly_let_through(asked, let, refused):
    made = planned(asked * AHEAD)
    for ms in (0, 100, 200):
        made.notice(belief(HERE, ms), np.array([let * LIMITS[0], 0.0]))
    assert bool(made.refused) == refused


def test_what_was_let_through_lately_answers_what_was_asked_lately():
    knots = 0 * AHEAD
    knots[1] = AHEAD[1]         # from 250 ms on
    made = planned(knots)
    made.notice(belief(HERE, 290), np.zeros(2))
    assert made.refusals == 0
    made.notice(belief(HERE, 310), np.zeros(2))
    assert made.refusals == 1


def test_resting_is_never_refused():
    made = planned(np.zeros((8, 2)))
    for tick in range(6):
        made.notice(belief(HERE, 100 * tick), np.zeros(2))
    assert not made.refused


def test_a_refusal_is_forgotten_after_a_while():
    made = planned(AHEAD)
    for ms in (0, 100, 200):
        made.notice(belief(HERE, ms), np.zeros(2))
    assert len(made.refused) == 1
    made.plan = None
    made.notice(belief(HERE, 200 + round(1000 * WEIGHTS.vetoed_s) - 1), np.zeros(2))
    assert len(made.refused) == 1
    made.notice(belief(HERE, 200 + round(1000 * WEIGHTS.vetoed_s)), np.zeros(2))
    assert not made.refused


def test_a_new_goal_forgets_what_was_refused():
    made = planned(AHEAD)
    for ms in (0, 100, 200):
        made.notice(belief(HERE, ms), np.zeros(2))
    made.set_goal(goal(FAR, 7))
    assert not made.refused and made.refusals == 0
