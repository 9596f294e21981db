# SPDX-License-Identifier: Apache-2.0
"""A wedged robot can leave: from where it touches, each zone forbids only what makes it worse."""

from dataclasses import replace

from ami_ros.core.types import Track
from ami_ros.critic.critic import Critic
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.safety_policy.policy_loader import build_rules, changed
from closed_loop import BOX, drive, square, World
import numpy as np
import pytest
from rule_contract import (
    CHOSEN,
    command,
    memory,
    ns,
    odometry,
    points,
    ROBOT,
    sensor,
    situation,
    STEADY,
    STRICT,
    switch,
)

FRONT, SIDE = BOX.half_length_m, BOX.half_width_m
RULES = {rule.name: rule for rule in build_rules(STRICT, replace(ROBOT, sensors=(
    *ROBOT.sensors, sensor('Imu', 'gyro'))))}
ZONES = ('stop_zone', 'time_to_collision', 'slow_zone')
# Beside it the way along is free down to half of the side distance; nearer than that every way
# brings a corner nearer, or runs along what is there: then somebody has to pull it off.
BESIDE = SIDE + STRICT.shared.side_distance_m / 2 + 0.004
# where it touches: what is there, a motion that makes it worse, motions that do not
TOUCHES = {
    'ahead': ([(FRONT, y) for y in np.linspace(-1, 1, 41)], (0.2, 0.0), [(-0.2, 0.0)]),
    'behind': ([(-FRONT, y) for y in np.linspace(-1, 1, 41)], (-0.2, 0.0), [(0.2, 0.0)]),
    'on the left': ([(x, BESIDE) for x in np.linspace(-1, 1, 41)], (0.0, 0.5),
                    [(0.2, 0.0), (-0.2, 0.0)]),
    'a leg ahead': ([(FRONT, 0.05)], (0.2, 0.0), [(-0.2, 0.0), (-0.2, 0.5), (-0.2, -0.5)]),
    'both sides': ([(x, y) for x in np.linspace(-1, 1, 41) for y in (-BESIDE, BESIDE)], (0.0, 0.5),
                   [(0.2, 0.0), (-0.2, 0.0)]),
}


def let_through(rule, motion, seen) -> bool:
    try:
        return bool(rule.limit(command(*motion), seen).command.values.any())
    except Stop:
        return False


@pytest.mark.parametrize('gap', [0.0, -0.003, 0.005])
@pytest.mark.parametrize('touch', TOUCHES)
@pytest.mark.parametrize('zone', ZONES)
def test_from_where_it_touches(zone, touch, gap):
    """Also a little deeper, as noise has it, and where the zone has stopped it already."""
    places, worse, ways_out = TOUCHES[touch]
    grown = [(x + np.sign(x) * gap * (abs(x) == FRONT),
              y + np.sign(y) * gap * (abs(y) == BESIDE)) for x, y in places]
    stood = memory(standing=((zone, worse),))
    for past in (memory(), stood):
        seen = situation(scan=points(*grown), memory=past)
        if zone != 'slow_zone':         # it slows, and stops nothing
            assert not let_through(RULES[zone], worse, seen)
        for way in ways_out:
            assert let_through(RULES[zone], way, seen), way


@pytest.mark.parametrize('side', ['front', 'back', 'left', 'right'])
def test_from_where_a_bumper_is_pressed(side):
    seen = situation(switches=(switch(True, side=side),))
    free = {way for way in ((0.2, 0.0), (-0.2, 0.0), (0.0, 0.5))
            if let_through(RULES['bumper_cliff_estop'], way, seen)}
    assert free == {'front': {(-0.2, 0.0), (0.0, 0.5)}, 'back': {(0.2, 0.0), (0.0, 0.5)},
                    'left': {(0.2, 0.0), (-0.2, 0.0)}, 'right': {(0.2, 0.0), (-0.2, 0.0)}}[side]


def test_from_where_it_pushed_in_vain():
    pushed = tuple(Track(STEADY - ns(1.0 - 0.1 * i), 0.03 * i, 0.0, 0.0, 0.0) for i in range(11))
    seen = situation(memory=memory(tracks=pushed))
    assert not let_through(RULES['stuck'], (0.2, 0.0), seen)
    for way in ((-0.2, 0.0), (0.0, 0.5), (-0.2, 0.5)):
        assert let_through(RULES['stuck'], way, seen)


@pytest.mark.parametrize('over', [0.0, 0.1])
def test_from_outside_of_a_fence(over):
    x = 20.0 - FRONT + over
    seen = situation(odometry=odometry(pose=np.array([x, 0.0, 0.0])))
    assert not let_through(RULES['fence'], (0.2, 0.0), seen)
    assert let_through(RULES['fence'], (-0.2, 0.0), seen)


@pytest.mark.parametrize('noise_m', [0.0, 0.01])
@pytest.mark.parametrize('yaw', [0.0, 0.3, -1.2])
def test_it_drives_away_from_a_wall_that_it_was_pushed_against(yaw, noise_m):
    """Under the whole policy; it tries forward for a second, then one way after another."""
    ahead = np.exp(1j * yaw)
    depth = max((abs((corner * ahead).real)) for corner in (FRONT + 1j * SIDE, FRONT - 1j * SIDE))
    world = World(square(0, 0, 3), place=complex(3 - depth, 0.3), yaw=yaw, noise_m=noise_m)
    assert world.clearance() < 0.01
    policy = changed(CHOSEN, {'rules.camera_rate.min_rate': 0.0})
    critic, least = Critic(policy, ROBOT), world.clearance()
    drive(world, critic, lambda _: (0.3, 0.0), 1.0, 20)
    assert world.clearance() > least - 0.005
    drive(world, critic, lambda _: (-0.3, 0.0), 3.0, 20)
    assert world.clearance() > 0.2
