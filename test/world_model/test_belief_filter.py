# SPDX-License-Identifier: Apache-2.0
"""The belief: what was executed, what follows from it, and how far a view is to be trusted."""

import math

from ami_ros.core.settings import WorldModelSettings
from ami_ros.core.types import Latent
from ami_ros.world_model.belief_filter import executed, HOLD_NS, WorldModel
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
from perfect_model_world import arc, belief, command, Flatland, frame, MS
import pytest

TURNED = np.array([5.0, -2.0, 1.0])     # where the learned map puts the origin of Flatland


def model(doubt_m=0.05, scale=1.0, **settings) -> WorldModel:
    world = Flatland(doubt_m)
    return WorldModel(world, world, WorldModelSettings(**settings), scale)


def see(model: WorldModel, pose, ms: int, odometry=None, commands=(), run='a'):
    shot = frame(pose, ms, run=run, odometry=odometry)
    return model.update(Latent(model.encoder.encode(shot.image), shot), commands)


# what was executed

@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900), st.floats(-1, 1), st.floats(-2, 2)), max_size=6,
                unique_by=lambda c: c[0]),
       st.integers(0, 900), st.integers(1, 600))
def test_executed_is_the_mean_over_every_millisecond(sent, begin, length):
    commands = tuple(command(v, w, ms) for ms, v, w in sorted(sent))
    total = np.zeros(2)
    for ms in range(begin, begin + length):
        before = [c for c in commands if c.stamp_ns <= ms * MS]
        if before and ms * MS < before[-1].stamp_ns + HOLD_NS:
            total += before[-1].values
    got = executed(commands, begin * MS, (begin + length) * MS)
    assert got == pytest.approx(total / length, abs=1e-9)


def test_the_base_holds_a_command_for_a_quarter_of_a_second():
    once = (command(0.4, 0.0, 100),)
    assert executed(once, 100 * MS, 350 * MS) == pytest.approx([0.4, 0])
    assert executed(once, 350 * MS, 500 * MS) == pytest.approx([0, 0])
    assert executed(once, 300 * MS, 400 * MS) == pytest.approx([0.2, 0])
    assert executed(once, 0, 100 * MS) == pytest.approx([0, 0])
    assert executed(once, 200 * MS, 200 * MS) == pytest.approx([0, 0])


# prediction

def test_prediction_rolls_over_commands_in_flight():
    sent = (command(0.4, 0.5, 0), command(0.2, -1.0, 100), command(0.6, 0.0, 200))
    ahead = model().predict(belief([1, 2, 0.3]), sent, 300 * MS)
    mean = executed(sent, 0, 300 * MS)
    assert ahead.stamp_ns == 300 * MS
    assert ahead.place == pytest.approx(arc([1, 2, 0.3], mean, 0.3), abs=1e-5)
    assert ahead.body[:2] == pytest.approx(mean, abs=1e-6)


def test_prediction_knows_that_the_base_stops_by_itself():
    ahead = model().predict(belief([0, 0, 0]), (command(0.4, 0.0, 0),), 2000 * MS)
    assert ahead.place == pytest.approx([0.4 * 0.25, 0, 0], abs=1e-5)


def test_prediction_without_a_command_stands_still():
    ahead = model().predict(belief([1, 2, 3]), (), 500 * MS)
    assert ahead.place == pytest.approx([1, 2, 3], abs=1e-5) and ahead.stamp_ns == 500 * MS


def test_prediction_steps_are_no_longer_than_those_that_were_trained():
    class Watched(Flatland):
        longest_s = 0.0

        def step(self, z, body, twist, dt_s):
            self.longest_s = max(self.longest_s, dt_s)
            return super().step(z, body, twist, dt_s)

    world = Watched()
    WorldModel(world, world, WorldModelSettings(), 1.0).predict(belief([0, 0, 0]), (), 1000 * MS)
    assert 0 < world.longest_s <= 0.3


def test_prediction_moves_the_believed_place_not_the_one_that_the_latent_says():
    start = belief([0, 0, 0], place=TURNED)
    ahead = model().predict(start, (command(0.4, 0.6, 0),), 250 * MS)
    assert ahead.place == pytest.approx(arc(TURNED, np.array([0.4, 0.6]), 0.25), abs=1e-5)


# correction

def test_the_first_view_is_believed_as_it_is():
    seen = see(model(), [1, 2, 0.5], 0)
    assert seen.place == pytest.approx([1, 2, 0.5], abs=1e-6)
    assert seen.surprise == 1.0 and seen.stamp_ns == 0


@pytest.mark.parametrize('before', [0, 1])
def test_a_latent_that_is_not_finite_is_told_by_its_surprise_and_not_believed(before):
    mind = model()
    for k in range(before):
        see(mind, [1, 2, 0.5], 100 * k)
    shot = frame([1, 2, 0.5], 100 * before)
    z = mind.encoder.encode(shot.image).copy()
    z[0] = math.nan
    assert math.isnan(mind.update(Latent(z, shot), ()).surprise) and mind.belief is None
    after = see(mind, [1, 2, 0.5], 100 * before + 100)
    assert after.surprise == 1.0 and np.isfinite(after.z).all()


def test_a_share_of_a_new_view_enters_the_latent():
    mind = model(latent_gain=0.25)
    see(mind, [0, 0, 0], 0)
    assert see(mind, [0.4, 0, 0], 100).z == pytest.approx([0.1, 0, 0], abs=1e-6)


def test_surprise_is_the_error_of_the_prediction_in_units_of_the_ordinary():
    mind, sent = model(scale=0.02), (command(0.4, 0.0, 0),)
    see(mind, [0, 0, 0], 0)
    off = 0.05      # of three numbers, beside where the command led
    assert see(mind, [0.04, off, 0], 100, commands=sent).surprise == pytest.approx(
        off / 3 ** 0.5 / 0.02, rel=1e-4)


def test_what_was_predicted_does_not_surprise():
    mind, sent = model(scale=0.02), (command(0.4, 0.8, 0),)
    see(mind, [0, 0, 0], 0)
    there = arc([0, 0, 0], np.array([0.4, 0.8]), 0.1)
    assert see(mind, there, 100, commands=sent).surprise == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize('ms, run', [(100, 'b'), (2000, 'a'), (0, 'a'), (-50, 'a')])
def test_a_new_run_a_gap_or_time_going_back_begin_anew(ms, run):
    mind = model()
    for tick in (-200, -100, 0):
        see(mind, [0, 0, 0], tick)
    fresh = see(mind, [3, 1, 2], ms, run=run)
    assert fresh.place == pytest.approx([3, 1, 2], abs=1e-6)
    assert fresh.z == pytest.approx([3, 1, 2], abs=1e-6) and fresh.surprise == 1.0
    assert fresh.run == run


def test_reset_forgets():
    mind = model()
    see(mind, [0, 0, 0], 0)
    mind.reset()
    assert mind.belief is None
    assert see(mind, [3, 1, 2], 100).place == pytest.approx([3, 1, 2], abs=1e-6)


# the place

def drive(mind, views, doubts=None, step_m=0.02):
    """Show views (x offset from the truth) while odometry drives ahead; return believed errors."""
    errors = []
    for index, off in enumerate(views):
        if doubts is not None:
            mind.encoder.doubt_m = doubts[index]
        true = np.array([step_m * index, 0, 0])
        seen = see(mind, true + [off, 0, 0], 100 * index, odometry=true)
        errors.append(seen.place[0] - true[0])
    return np.array(errors)


def test_dead_reckoning_goes_on_in_the_learned_frame():
    mind = model()
    see(mind, TURNED, 0, odometry=[0, 0, 0])
    moved = see(mind, TURNED + [9.0, 0, 0], 100, odometry=[1, 0, 0.2])
    # one metre ahead in the axes of the learned map, whatever a view claims that is far off
    assert moved.place == pytest.approx(TURNED + [np.cos(1), np.sin(1), 0.2], abs=1e-6)


def test_a_sure_view_weighs_more_than_an_unsure_one():
    sure = drive(model(), [0, 0.2], [0.1, 0.02])[1]
    unsure = drive(model(), [0, 0.2], [0.1, 0.5])[1]
    assert 0.0 <= unsure < 0.05 < sure <= 0.2


def test_no_view_gets_more_than_its_share():
    mind = model(pose_gain=0.3)
    assert drive(mind, [0, 0.2], [0.5, 0.001])[1] == pytest.approx(0.3 * 0.2, abs=1e-6)


def test_many_views_that_agree_are_followed():
    errors = drive(model(), [0.0] + [0.2] * 30)
    assert errors[-1] == pytest.approx(0.2, abs=0.02)
    assert np.all(np.diff(errors) >= -1e-9)


def test_driving_makes_unsure_so_that_sight_counts_more():
    still = drive(model(drift=0.2), [0.0] * 10 + [0.2], [0.01] * 10 + [0.2], step_m=0.0)[-1]
    far = drive(model(drift=0.2), [0.0] * 10 + [0.2], [0.01] * 10 + [0.2], step_m=1.0)[-1]
    assert far > 1.5 * still > 0


@pytest.mark.parametrize('jump', [[2.0, 0, 0], [0, -1.0, 0], [0, 0, 1.5]])
def test_a_sudden_jump_is_doubted(jump):
    mind = model(innovation_gate_m=0.8)
    see(mind, [0, 0, 0], 0, odometry=[0, 0, 0])
    jumped = see(mind, jump, 100, odometry=[0.05, 0, 0])
    assert jumped.place == pytest.approx([0.05, 0, 0], abs=1e-6)


def test_a_view_within_what_it_doubts_itself_is_no_jump():
    assert drive(model(innovation_gate_m=0.3), [0, 0.7], [0.2, 0.2])[1] > 0.05
    assert drive(model(innovation_gate_m=0.3), [0, 0.9], [0.2, 0.2])[1] == pytest.approx(0)


def test_enough_jumped_views_in_a_row_are_believed():
    errors = drive(model(relocalize_frames=4), [0] + [2.0] * 4)
    assert errors[:4] == pytest.approx(0) and errors[4] == pytest.approx(2.0)


def test_one_sound_view_between_begins_the_count_anew():
    errors = drive(model(relocalize_frames=3), [0, 2, 2, 0, 2, 2, 0])
    assert errors == pytest.approx(0, abs=1e-6)


def test_unsure_views_never_move_the_robot_elsewhere():
    errors = drive(model(relocalize_frames=3, innovation_gate_m=0.8), [0] + [2.5] * 8,
                   [0.05] + [0.5] * 8)
    assert errors == pytest.approx(0)


def test_after_finding_itself_elsewhere_the_next_jump_is_doubted_again():
    errors = drive(model(relocalize_frames=3), [0, 2, 2, 2, -1, 2])
    assert errors == pytest.approx([0, 0, 0, 2, 2, 2], abs=1e-6)


def test_heading_is_corrected_the_short_way_round():
    mind = model()
    see(mind, [0, 0, 3.1], 0, odometry=[0, 0, 0])
    turned = see(mind, [0, 0, -3.1], 100, odometry=[0, 0, 0]).place[2]
    assert abs(turned) > 3.1
