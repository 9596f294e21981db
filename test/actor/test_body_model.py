# SPDX-License-Identifier: Apache-2.0
"""The body model: straight, in place, with a lag, and for many candidates at once."""

from ami_ros.actor.body_model import BodyModel
import numpy as np
import pytest


def roll(model: BodyModel, twist, knots: int = 4) -> np.ndarray:
    commands = np.tile(np.asarray(twist, float), (1, knots, 1))
    return model.imagine(np.zeros(3), np.zeros(3), commands, np.zeros(3)).place[0]


def test_straight_and_in_place():
    model = BodyModel(0.0)
    assert roll(model, (0.4, 0.0))[-1] == pytest.approx([0.4, 0.0, 0.0])
    assert roll(model, (0.0, 1.0))[-1] == pytest.approx([0.0, 0.0, 1.0])


def test_an_arc_is_a_part_of_a_circle():
    x, y, yaw = roll(BodyModel(0.0), (0.5, 1.0), 6)[-1]
    assert yaw == pytest.approx(1.5)
    assert (x, y) == pytest.approx((0.5 * np.sin(1.5), 0.5 * (1 - np.cos(1.5))), abs=1e-3)


def test_a_lag_makes_it_start_slowly_and_go_on():
    quick, slow = roll(BodyModel(0.0), (0.4, 0.0)), roll(BodyModel(0.3), (0.4, 0.0))
    assert slow[0, 0] < 0.6 * quick[0, 0]
    assert quick[-1, 0] - slow[-1, 0] == pytest.approx(0.4 * 0.3, abs=0.03)


def test_candidates_do_not_disturb_each_other():
    rng, model = np.random.default_rng(0), BodyModel(0.1)
    knots = rng.uniform(-1, 1, (5, 3, 2))
    body = np.array([0.2, 0.1, 0.1])
    both = model.imagine(np.ones(3), body, knots, np.zeros(3)).place
    for k in range(5):
        alone = model.imagine(np.ones(3), body, knots[k:k + 1], np.zeros(3)).place
        assert both[k] == pytest.approx(alone[0])
