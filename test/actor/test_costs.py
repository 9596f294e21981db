# SPDX-License-Identifier: Apache-2.0
"""Every energy term: its sign, its scale, its weight, and what it looks at."""

from dataclasses import fields, replace

from ami_ros.actor.cost_to_go import Map, Way
from ami_ros.actor.costs import energies, Future, TERMS
from ami_ros.core.interfaces import Imagined
from ami_ros.core.settings import EnergySettings
import numpy as np
from perfect_model_world import floor, LIMITS
import pytest

H = 4
GOAL = np.array([1.0, 0.0, 0.0])
WEIGHTS = EnergySettings()


def future(knots=None, place=None, latent=0.0, clearance=1.0, disagreement=1.0,
           last=(0.0, 0.0), refused=(), ground: Map | None = None) -> Future:
    """Make a future of N sequences in which nothing costs but what is named."""
    knots = np.zeros((1, H, 2)) if knots is None else np.asarray(knots, float)
    n = len(knots)
    full = (n, H)
    places = np.broadcast_to(GOAL if place is None else np.asarray(place, float), (*full, 3))
    imagined = Imagined(places, *(np.broadcast_to(np.asarray(x, float), full)
                                  for x in (latent, clearance, disagreement)))
    return Future(knots, imagined, Way(ground or floor(2.0), GOAL, LIMITS), np.array(LIMITS),
                  np.array(last, float), np.array(refused, float).reshape(-1, 2))


def only(name: str, some: Future, weights: EnergySettings = WEIGHTS) -> np.ndarray:
    """Return one term (N, H), and see to it that no other costs anything."""
    for other, term in TERMS.items():
        out = term(some, weights)
        assert out.shape == some.knots.shape[:2]
        assert other == name or np.abs(out).max() < 1e-5, other
    return TERMS[name](some, weights)


def test_at_the_goal_at_rest_nothing_costs():
    assert {name: float(e[0]) for name, e in energies(future(), WEIGHTS).items()} == pytest.approx(
        dict.fromkeys(TERMS, 0.0), abs=1e-5)


def test_way_is_seconds():
    away = future(place=[-1.0, 0, 0])
    assert only('time_to_goal', away) == pytest.approx(2.0 / LIMITS[0], rel=0.01)
    assert only('time_to_goal', away,
                replace(WEIGHTS, time_to_goal=3.0)) == pytest.approx(6 / LIMITS[0], rel=0.01)


def test_latent_is_the_squared_distance():
    assert only('latent', future(latent=[0.0, 1.0, 2.0, 3.0])) == pytest.approx(
        WEIGHTS.latent * np.array([[0, 1, 2, 3]]))


def test_ground_costs_where_it_is_tighter_than_usual():
    ground = floor(2.0)
    ground.cost[:15, :] = 8.0       # x below -0.6
    dear = future(place=[[-1.5, 0, 0], [-1.5, 1, 2], [1, 0, 0], [0, 0, 0]], ground=ground)
    assert TERMS['map'](dear, WEIGHTS) == pytest.approx(WEIGHTS.map * np.array(
        [[6, 6, 0, 0]]), abs=1e-4)      # 7 dearer than free; one is usual


def test_ground_as_tight_as_at_the_goal_costs_nothing():
    ground = floor(2.0)
    ground.cost[:] = 6.0
    assert TERMS['map'](future(ground=ground), WEIGHTS) == pytest.approx(0, abs=1e-5)
    ground.cost[:15, :] = 9.0
    dear = future(place=[-1.5, 0, 0], ground=ground)
    assert TERMS['map'](dear, WEIGHTS) == pytest.approx(WEIGHTS.map * 3, abs=1e-4)


def test_disagreement_costs_beyond_the_ordinary():
    assert only('disagreement', future(disagreement=[0.2, 1.0, 1.5, 3.0])) == pytest.approx(
        WEIGHTS.disagreement * np.array([[0, 0, 0.5, 2]]))


def test_effort_is_the_squared_change_in_shares_of_the_limits():
    v, w = LIMITS
    knots = [[[v, 0], [v, w], [v, w], [-v, w]]]
    assert only('effort', future(knots=knots)) == pytest.approx(
        WEIGHTS.effort * np.array([[1, 1, 0, 4]]))
    assert only('effort', future(knots=knots, last=(v, 0.0))) == pytest.approx(
        WEIGHTS.effort * np.array([[0, 1, 0, 4]]))


def test_refused_costs_at_the_first_knot_and_only_what_is_alike():
    v, w = LIMITS
    first = np.array([[v, 0], [v / 2, 0], [-v, 0], [0, w], [v, 0.2 * w], [0, 0]])
    knots = np.repeat(first[:, None], H, 1)
    out = TERMS['vetoed'](future(knots=knots, refused=[(1.0, 0.0)]), WEIGHTS) / WEIGHTS.vetoed
    assert out[:, 1:] == pytest.approx(0)
    ahead, half, back, turn, nearly, rest = out[:, 0]
    assert 0.85 < ahead <= 1.0 and 0.7 < half <= ahead and 0.7 < nearly < ahead
    assert back == turn == rest == 0


def test_the_worst_of_several_refusals_counts():
    knots = np.repeat(np.array([[[LIMITS[0], 0]]]), H, 1)
    one = TERMS['vetoed'](future(knots=knots, refused=[(1, 0)]), WEIGHTS)
    both = TERMS['vetoed'](future(knots=knots, refused=[(1, 0), (0, 1), (-1, 0)]), WEIGHTS)
    assert one[0, 0] == pytest.approx(both[0, 0]) and one[0, 0] > 0


def test_the_last_knot_weighs_more_and_the_weights_sum_to_one():
    steady = energies(future(latent=1.0), WEIGHTS)['latent']
    assert steady == pytest.approx(WEIGHTS.latent)
    last = energies(future(latent=[0, 0, 0, 1.0]), replace(WEIGHTS, terminal=5.0))['latent']
    assert last == pytest.approx(WEIGHTS.latent * 5 / (H - 1 + 5))


def test_every_term_has_its_weight_and_none_counts_without_it():
    names = {f.name for f in fields(EnergySettings)}
    assert set(TERMS) <= names
    some = future(knots=np.ones((2, H, 2)), place=[-1, 1, 2], latent=2.0,
                  disagreement=3.0, refused=[(1, 1)])
    silent = energies(some, replace(WEIGHTS, **dict.fromkeys(TERMS, 0.0)))
    assert all(np.all(e == 0) for e in silent.values())
