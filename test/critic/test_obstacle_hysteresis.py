# SPDX-License-Identifier: Apache-2.0
"""What stays before the robot holds it, always; what goes away lets it go on, soon."""

from dataclasses import replace

from ami_ros.critic.critic import Critic
from closed_loop import drive, room, square, World
import numpy as np
import pytest
from rule_contract import CHOSEN, ROBOT, STRICT

RESUME_S = 0.4
POLICIES = {'rover': CHOSEN, 'strict': replace(STRICT, rules={
    name: own for name, own in STRICT.rules.items() if name not in ('tilt', 'plan_consistency')})}


def ahead(world):
    return 0.3, 0.0


@pytest.mark.parametrize('policy', POLICIES)
@pytest.mark.parametrize('noise_m', [0.005, 0.01])
@pytest.mark.parametrize('box', [square(0.9, 0.0, 0.15), square(0.8, 0.12, 0.03)],
                         ids=['a box', 'a leg at one side'])
def test_what_stays_holds_it_and_what_goes_lets_it_go_on(policy, noise_m, box):
    """Eight seconds before it, at 20 Hz; the lidar's own noise is 0.01 m."""
    for seed in range(2):
        rng = np.random.default_rng(seed)
        walls = square(0, 0, 4)
        world = World(np.concatenate([walls, box]), noise_m=noise_m, rng=rng)
        critic = Critic(POLICIES[policy], ROBOT)
        _, verdicts = drive(world, critic, ahead, 6.0, 20)
        assert verdicts[-1].action == 'stop', seed
        stood = world.place
        _, verdicts = drive(world, critic, ahead, 8.0, 20)
        assert {v.action for v in verdicts} == {'stop'}, seed
        assert abs(world.place - stood) < 1e-3
        world.sides = walls
        _, verdicts = drive(world, critic, ahead, 1.0, 20)
        first = next(tick for tick, v in enumerate(verdicts) if v.command.values.any())
        assert first / 20 <= RESUME_S, seed


def test_room_is_used():
    """Several boxes; driving on elsewhere is not held by what it stood before."""
    rng = np.random.default_rng(1)
    world = World(room(rng), noise_m=0.01, rng=rng)
    critic = Critic(CHOSEN, ROBOT)
    drive(world, critic, ahead, 8.0, 20)
    was = world.place
    _, verdicts = drive(world, critic, lambda _: (-0.3, 0.0), 1.0, 20)
    assert verdicts[0].action != 'stop' and abs(world.place - was) > 0.1
