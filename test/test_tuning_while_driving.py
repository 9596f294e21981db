# SPDX-License-Identifier: Apache-2.0
"""Numbers that change while the robot drives: as if they had been so, from the same state on."""

import copy
from dataclasses import fields, replace

from ami_ros.core.settings import ActorSettings, EnergySettings, WorldModelSettings
from ami_ros.mind import Mind
from ami_ros.world_model.belief_filter import WorldModel
import numpy as np
from perfect_model_world import actor, command, Flatland, frame, mind, MS, picture
import pytest

# what makes an actor and a world model, besides their settings, and what they come to know
MADE = {'dynamics', 'place', 'ground', 'limits', 'steady_ns', 'encoder', 'surprise_scale',
        'latent_tolerance', 'familiar'}
NUMBERS = {'settings', 'weights', 'always'}
KNOWN = {'way', 'goal', 'arrived', 'plan', 'settling_ns', 'refused', 'refusals',
         'belief', 'doubts', 'unsure_m', 'second', 'other', 'contradiction', 'contradicted_ns',
         'unlike_ns', 'failure', 'distances'}
OTHERS = {      # one other number for each field that may change
    WorldModelSettings: {'latent_gain': 0.3, 'pose_gain': 0.1, 'drift': 0.5,
                         'innovation_gate_m': 0.1,
                         'place_gate_rad': 0.05, 'relocalize_frames': 1, 'latency_s': 0.2},
    ActorSettings: {'candidates': 30, 'iterations': 6, 'elites': 5, 'elites_kept': 1,
                    'min_std': 0.3, 'deadline_s': 0.01},
    EnergySettings: {'time_to_goal': 3.0, 'latent': 2.0,
                     'map': 2.0, 'disagreement': 5.0, 'effort': 1.0, 'vetoed': 2.0,
                     'vetoed_s': 0.3, 'terminal': 20.0, 'arrive_m': 0.03, 'arrive_rad': 0.05,
                     'settle_m': 0.3, 'settle_rad': 0.5, 'settle_s': 0.1, 'leave_m': 0.9,
                     'confirm_s': 1.0, 'arrive_latent': 2.0, 'look_around_s': 1.0},
}
TOGETHER = {    # the ends of the ranges, of numbers that only go together
    ActorSettings: ({'candidates': 8, 'elites': 8, 'elites_kept': 7},
                    {'candidates': 1024, 'elites': 256, 'elites_kept': 64},
                    {'elites': 2, 'elites_kept': 0}),
    EnergySettings: tuple(dict.fromkeys(('arrive_m', 'arrive_rad', 'settle_m', 'settle_rad'), end)
                          | {'leave_m': leave_m} for end, leave_m in ((0.02, 0.05), (1.0, 5.0))),
}
ENDS = [(kind, values) for kind in OTHERS for values in (
    *TOGETHER.get(kind, ()),
    *({f.name: f.metadata[end]} for f in fields(kind) for end in ('low', 'high')
      if f.metadata['live'] and not any(f.name in both for both in TOGETHER.get(kind, ()))))]
START, TURN, END = 0, 12, 30        # ticks


def ticks(robot, first, end, goal):
    """Look along a way that it does not choose, so that two minds can see the same; plans."""
    plans = []
    for number in range(first, end):
        pose = [0.03 * number, 0.004 * number, 0.01 * number]
        sent = tuple(command(0.3, 0.1, 100 * n) for n in range(max(0, number - 5), number))
        plans.append(robot.tick(frame(pose, 100 * number, number), sent, goal).plan)
    return plans


def said(plans):
    return [(plan.knots.tobytes(), plan.start_ns, plan.iterations, plan.arrived,
             plan.energies) for plan in plans]


def hand_over(old, new):
    """Give a new part all that the old one has come to know, and nothing of how it was made."""
    assert set(vars(old)) <= MADE | NUMBERS | KNOWN, 'say which of the three the new one is'
    for name in KNOWN & set(vars(old)):
        setattr(new, name, copy.deepcopy(getattr(old, name)))


@pytest.mark.parametrize('kind, changed', [
    *((kind, {name: value}) for kind, values in OTHERS.items() for name, value in values.items()),
    *OTHERS.items()])
def test_tuned_at_a_tick_is_made_so_and_given_the_same_state(kind, changed):
    old = {WorldModelSettings: WorldModelSettings(latency_s=0.05), ActorSettings: ActorSettings(),
           EnergySettings: EnergySettings()}
    new = {**old, kind: replace(old[kind], **changed)}

    def made(settings):
        world = Flatland()
        one = actor(world, weights=settings[EnergySettings], **vars(settings[ActorSettings]))
        return Mind(world, WorldModel(world, world, settings[WorldModelSettings], 1.0), one)

    tuned, other, untouched = made(old), made(new), made(old)
    goal = tuned.goal(picture([1.2, 0.2, 0.3]), 1)
    before = ticks(tuned, START, TURN, goal)
    assert said(before) == said(ticks(untouched, START, TURN, goal))
    hand_over(tuned.actor, other.actor)
    hand_over(tuned.world_model, other.world_model)
    tuned.tune(*new.values())
    after = said(ticks(tuned, TURN, END, goal))
    assert after == said(ticks(other, TURN, END, goal))
    if len(changed) > 1:        # and it is not all the same
        assert after != said(ticks(untouched, TURN, END, goal))


def test_every_number_that_may_change_is_changed_here():
    for kind, values in OTHERS.items():
        assert set(values) == {f.name for f in fields(kind) if f.metadata['live']}
        assert all(value != f.default for f in fields(kind) if (value := values.get(f.name)))


@pytest.mark.parametrize('kind, values', ENDS)
def test_it_plans_at_the_ends_of_every_range(kind, values):
    robot = mind()
    goal = robot.goal(picture([1.2, 0.2, 0.3]), 1)
    robot.tick(frame([0, 0, 0], 0, 1), (), goal)
    name = {WorldModelSettings: 'world_model', ActorSettings: 'actor', EnergySettings: 'energy'}
    robot.tune(**{name[kind]: kind(**values)})
    for number in (2, 3):
        plan = robot.tick(frame([0.03 * number, 0, 0], 100 * number, number),
                          (command(0.3, 0.1, 100 * number - 100),), goal).plan
        assert np.isfinite(plan.knots).all()
        assert (np.abs(plan.knots) <= robot.actor.limits + 1e-9).all()


def test_what_is_not_given_remains():
    robot = mind()
    robot.tune(energy=EnergySettings(time_to_goal=3.0))
    assert robot.actor.settings == ActorSettings() and robot.actor.weights.time_to_goal == 3.0
    robot.tune(actor=ActorSettings(seed=3))
    assert robot.actor.settings.seed == 3 and robot.actor.weights.time_to_goal == 3.0
    assert robot.world_model.settings == WorldModelSettings(latency_s=0.0)


@pytest.mark.parametrize('horizon', [4, 12])
def test_a_plan_of_another_length_is_gone_on_from(horizon):
    robot = mind()
    goal = robot.goal(picture([2, 0, 0]), 1)
    robot.tick(frame([0, 0, 0], 0, 1), (), goal)
    last = robot.actor.plan
    robot.tune(actor=ActorSettings(horizon=horizon))
    later = robot.tick(frame([0, 0, 0], 100, 2), (), goal).plan
    assert later.knots.shape == (horizon, 2) and later.start_ns == 100 * MS
    begun = robot.actor.begin(robot.world_model.belief)
    assert begun.shape == (horizon, 2) and np.isfinite(begun).all()
    robot.actor.plan = last
    first = robot.actor.begin(robot.world_model.belief)[0] * robot.actor.limits
    assert first == pytest.approx(0.6 * last.knots[0] + 0.4 * last.knots[1])
