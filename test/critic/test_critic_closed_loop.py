# SPDX-License-Identifier: Apache-2.0
"""Whatever is asked for, an ideal rover under the policy touches nothing, and still moves."""

from ami_ros.critic.critic import Critic
from ami_ros.critic.safety_policy.policy_loader import chosen
from closed_loop import (
    at_random,
    at_the_corner,
    at_the_nearest,
    BOX,
    drive,
    room,
    spinning,
    square,
    World,
)
import numpy as np
import pytest
from rule_contract import CHOSEN, NUMBERS, ROBOT, STRICT


def made() -> Critic:
    return Critic(CHOSEN, ROBOT)


def rules_of(verdicts, proven_after: int | None = None) -> set[str]:
    """Return who had the last word. Until scans and odometry agreed once the robot is slower.

    So `scan_odometry` may slow, but stop nothing; and none of the verdicts after `proven_after`.
    """
    unproven = [at for at, v in enumerate(verdicts) if v.rule == 'scan_odometry']
    assert all(verdicts[at].action == 'slow' for at in unproven)
    assert proven_after is None or not unproven or unproven[-1] <= proven_after
    return {v.rule for v in verdicts} - {'scan_odometry'}


@pytest.mark.parametrize('hertz', [10, 20])
@pytest.mark.parametrize(('noise_m', 'look_late'), [(0.0, 0), (0.01, 8)])
@pytest.mark.parametrize('hostile', [at_the_nearest, at_random, at_the_corner, spinning])
def test_it_never_touches(hostile, hertz, noise_m, look_late):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        world = World(room(rng), noise_m=noise_m, rng=rng, yaw=rng.uniform(-3, 3))
        least, verdicts = drive(world, made(), hostile(rng), 5.0, hertz, look_late)
        assert least > NUMBERS.side_distance_m / 2, f'seed {seed}'
        assert sum(v.command.values.any() for v in verdicts) > 10


@pytest.mark.parametrize('hostile', [at_the_nearest, at_random, at_the_corner, spinning])
def test_under_every_rule_it_never_touches_and_still_moves(hostile):
    """A tilt needs an IMU, and this world has none."""
    rules = {name: vars(own) for name, own in STRICT.rules.items() if name != 'tilt'}
    policy = chosen({'shared': vars(STRICT.shared), 'rules': rules}, 'strict')
    for seed in range(2):
        rng = np.random.default_rng(seed)
        world = World(room(rng), noise_m=0.01, rng=rng, yaw=rng.uniform(-3, 3))
        least, verdicts = drive(world, Critic(policy, ROBOT), hostile(rng), 5.0, 10)
        assert least > policy.shared.side_distance_m / 2, f'seed {seed}'
        assert sum(v.command.values.any() for v in verdicts) > 5
        assert rules_of(verdicts) <= {
            '', 'acceleration', 'jerk', 'speed', 'plan_consistency', 'oscillation', 'slow_zone',
            'stop_zone', 'time_to_collision', 'stuck'}


def test_under_every_rule_an_honest_drive_is_none_of_their_business():
    """Through a door and up to a wall, with noise: no rule but those of the way."""
    rules = {name: vars(own) for name, own in STRICT.rules.items() if name != 'tilt'}
    policy = chosen({'shared': vars(STRICT.shared), 'rules': rules}, 'strict')
    posts = [square(0, y * 0.75, 0.3) for y in (-1, 1)]
    world = World(np.concatenate([square(0, 0, 3), *posts]), place=-1.5 + 0.02j, noise_m=0.005)
    _, verdicts = drive(world, Critic(policy, ROBOT),
                        lambda w: (0.3, -w.yaw - 0.5 * w.place.imag), 15.5, 10)
    assert world.place.real > 1
    assert rules_of(verdicts, 8) <= {'', 'acceleration', 'jerk', 'slow_zone', 'time_to_collision'}
    assert sum(v.rule == 'slow_zone' for v in verdicts) > 5


@pytest.mark.parametrize('seed', range(4))
def test_it_leaves_where_it_was_driven_into(seed):
    rng = np.random.default_rng(seed)
    world, critic = World(room(rng), rng=rng, yaw=rng.uniform(-3, 3)), made()
    drive(world, critic, at_the_nearest(rng), 5.0, 10)
    assert world.clearance() < 0.15
    was = world.place
    held = {'until_ns': 0, 'twist': (0.0, 0.0), 'far': 0.0}

    def wander(world):
        held['far'] = max(held['far'], abs(world.place - was))
        if world.now_ns >= held['until_ns']:
            held['until_ns'] = world.now_ns + 800_000_000
            held['twist'] = rng.uniform(-0.4, 0.4), rng.choice([-1.0, -0.4, 0.0, 0.4, 1.0])
        return held['twist']
    drive(world, critic, wander, 15.0, 10)
    assert held['far'] > 0.3


@pytest.mark.parametrize('hertz', [10, 20])
def test_it_stops_before_a_wall_at_the_stop_distance(hertz):
    world = World(square(0, 0, 3), place=1.5 + 0j)
    least, verdicts = drive(world, made(), lambda _: (0.6, 0.0), 8.0, hertz)
    assert max(v.command.values[0] for v in verdicts) == 0.6
    assert least == pytest.approx(NUMBERS.stop_distance_m, abs=0.006)


@pytest.mark.parametrize('gap_m', [0.5, 0.9])
def test_a_door_is_no_reason_to_slow_down(gap_m):
    posts = [square(0, y * (gap_m + 0.6) / 2, 0.3) for y in (-1, 1)]
    world = World(np.concatenate([square(0, 0, 3), *posts]), place=-1.5 + 0.02j, noise_m=0.005)
    least, verdicts = drive(world, made(), lambda w: (0.6, -2 * w.yaw - w.place.imag), 5.0, 10)
    assert world.place.real > 1
    assert rules_of(verdicts, 4) == {'', 'acceleration'}
    assert least > gap_m / 2 - BOX.half_width_m - 0.03
