# SPDX-License-Identifier: Apache-2.0
"""A robot that is carried elsewhere sees that it is, and declares no arrival there."""

from ami_ros.core.settings import EnergySettings, WorldModelSettings
from ami_ros.core.types import Latent
from ami_ros.world_model.belief_filter import WorldModel
import numpy as np
from perfect_model_world import actor, belief, Flatland, frame, goal
import pytest

LOST = WorldModelSettings().relocalize_frames
GATE_M, GATE_RAD = WorldModelSettings().innovation_gate_m, WorldModelSettings().place_gate_rad
CONFIRM_MS = round(EnergySettings().confirm_s * 1000)


def see(model, pose, ms, odometry=(0, 0, 0), doubt_m=0.05):
    model.encoder.doubt_m = doubt_m
    shot = frame(pose, ms, odometry=odometry)
    return model.update(Latent(model.encoder.encode(shot.image), shot), ())


@pytest.fixture
def model() -> WorldModel:
    world = Flatland()
    made = WorldModel(world, world, WorldModelSettings(), 1.0)
    see(made, [0, 0, 0], 0)
    return made


def believed(model, poses, begin=1, **more) -> np.ndarray:
    return np.array([see(model, pose, 100 * (begin + index), **more).place
                     for index, pose in enumerate(poses)])


def test_a_view_that_agrees_does_not_contradict(model):
    assert see(model, [0.1, 0, 0.05], 100).contradiction < 0.5


@pytest.mark.parametrize('pose, share', [
    ([2 * GATE_M, 0, 0], 2), ([0, 0, 3 * GATE_RAD], 3), ([GATE_M / 2, 0, 0], 0.5)])
def test_contradiction_is_told_in_shares_of_the_gates(model, pose, share):
    assert see(model, pose, 100).contradiction == pytest.approx(share, rel=1e-3)


def test_a_view_that_is_turned_too_far_is_doubted_however_near_its_place_is(model):
    """Turned where it stood, by half a radian: odometry knows nothing of it."""
    assert believed(model, [[0, 0, 0.5]])[0] == pytest.approx([0, 0, 0])


def test_views_that_contradict_the_belief_and_agree_with_one_another_are_believed(model):
    places = believed(model, [[2, 1, 1.5]] * LOST)
    assert places[:-1] == pytest.approx(np.zeros((LOST - 1, 3)))
    assert places[-1] == pytest.approx([2, 1, 1.5])
    assert model.belief.contradiction < 0.5


def test_views_that_contradict_one_another_move_the_robot_nowhere(model):
    """Each of a place of its own, as of pictures that mean nothing to the module."""
    wild = [[2, 0, 0], [-2, 0, 0], [0, 2, 0], [0, -2, 0]] * LOST
    assert believed(model, wild) == pytest.approx(np.zeros((len(wild), 3)))
    assert model.belief.contradiction > 1


def test_one_sure_view_after_many_unsure_ones_is_not_enough(model):
    believed(model, [[2.9, 0, 0]] * 2 * LOST, doubt_m=0.6)
    assert believed(model, [[-2, 0, 0]], 1 + 2 * LOST)[0] == pytest.approx([0, 0, 0])


def test_an_unsure_view_does_not_begin_the_count_anew(model):
    """A bare wall between two sure views says nothing about where the robot is."""
    views = [([2, 0, 0], 0.05), ([1.0, 0, 0], 0.6)] * (LOST - 1) + [([2, 0, 0], 0.05)]
    for index, (pose, doubt_m) in enumerate(views):
        last = see(model, pose, 100 * (1 + index), doubt_m=doubt_m)
    assert last.place[0] == pytest.approx(2, abs=0.05)


def test_what_contradicted_is_not_forgotten_for_a_view_that_is_unsure(model):
    see(model, [2, 0, 0], 100)
    assert see(model, [0.2, 0, 0], 200, doubt_m=0.6).contradiction > 1


def test_the_other_place_is_carried_along_by_odometry(model):
    for index in range(LOST):
        last = see(model, [2 + 0.3 * index, 1, 0], 100 * (1 + index), [0.3 * index, 0, 0])
    assert last.place == pytest.approx([2 + 0.3 * (LOST - 1), 1, 0], abs=1e-6)


# arriving

def declares(made, contradiction, ms, pose=(0, 0, 0)) -> bool:
    seen = belief(pose, ms)
    seen = type(seen)(seen.z, seen.body, seen.place, seen.odometry, seen.stamp_ns, 1.0, 1.0,
                      seen.number, seen.run, contradiction)
    return made.act(seen, seen, goal([0, 0, 0])).arrived


def test_no_arrival_where_the_view_contradicts_the_believed_place():
    assert declares(actor(), 0.9, 0)
    assert not declares(actor(), 1.1, 0)


def test_a_number_that_is_none_is_no_agreement():
    assert not declares(actor(), float('nan'), 0)


def test_an_arrival_is_taken_back_at_once_where_the_view_contradicts():
    made = actor()
    assert declares(made, 0, 0) and not declares(made, 1.5, 100)


def test_after_a_contradiction_the_views_have_to_agree_for_a_while():
    made = actor()
    assert not declares(made, 1.5, 0)
    assert not declares(made, 0.1, CONFIRM_MS - 100)
    assert declares(made, 0.1, CONFIRM_MS)


def test_a_contradiction_of_another_goal_does_not_count_for_ever():
    made = actor()
    declares(made, 1.5, 10_000)
    assert declares(made, 0.1, 0)       # time went back: another run
