# SPDX-License-Identifier: Apache-2.0
"""The simulator's IMU and the rule about leaning: a drive is no lean, a fall is one."""

from dataclasses import replace

from ami_ros.core.share_directory import share
from ami_ros.core.types import Command, Imu, Situation
from ami_ros.critic.history import History
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules import tilt
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.robots.find_robot import find
import numpy as np
import pytest

pytest.importorskip('pybullet', reason='needs pybullet: make setup')
from ami_ros.sim import furnished_room as worlds  # noqa: E402
from ami_ros.sim.simulator import Simulator  # noqa: E402

ROVER = find('rover')
ROVER = replace(ROVER, sensors=tuple(replace(s, required=True) for s in ROVER.sensors))
STRICT = read(share('config/safety_policy/strict.yaml'))
SPEED = STRICT.shared.max_speed_mps
TICK_S = 0.025


def judged(keeper, rule, now_ns, imu):
    """Return what the rule says; '' where it lets a motion through."""
    keeper.on_imu(imu)
    still = Command(np.zeros(2), 0)
    memory = keeper.look(now_ns, now_ns, still, now_ns)
    seen = Situation(now_ns, now_ns, None, 0, (), None, still, 0, memory=memory)
    try:
        rule.limit(Command(np.array([0.1, 0.0]), now_ns), seen)
        return ''
    except Stop as why:
        return f'{why}{" latch" if why.latch else ""}'


def test_a_drive_with_full_stops_is_no_lean_and_a_reset_is_waited_for():
    """At the policy's speed; a reset puts the rover on its wheels, nothing falls or lands."""
    own = STRICT.rules['tilt']
    rule, keeper = tilt.make(own, STRICT.shared, ROVER), History(ROVER, own.filter_s)
    v, said, leaning = 0.0, [], []
    with Simulator(worlds.draw(7), ROVER, 1) as sim:
        for tick in range(320):
            spin, felt = sim.imu()
            said.append(judged(keeper, rule, sim.time_ns, Imu(spin, felt, sim.time_ns,
                                                              sim.time_ns)))
            leaning.append(abs(felt[2] - 9.81))
            wanted = SPEED * ((tick // 40) % 2) * (1 if tick < 160 else -1)
            gained = min(abs(v) + TICK_S, SPEED)        # 1 m/s^2; it stops at once
            v = np.sign(wanted) * gained
            sim.command(v, 0.0)
            sim.step(TICK_S)
    assert max(leaning[:4]) < 0.5 and max(leaning) < 5
    first = said.index('')
    assert 0.6 <= first * TICK_S < 0.8
    assert all('was listened to' in why for why in said[:first])
    assert not any(said[first:])


def test_a_robot_on_its_side_stands():
    own = STRICT.rules['tilt']
    rule, keeper = tilt.make(own, STRICT.shared, ROVER), History(ROVER, own.filter_s)
    said = []
    for tick in range(80):
        now, side = round(tick * TICK_S * 1e9), tick >= 40
        felt = np.array([0.0, 9.81, 0.0]) if side else np.array([0.0, 0.0, 9.81])
        said.append(judged(keeper, rule, now, Imu(np.zeros(3), felt, now, now)))
    assert said[39] == ''
    assert 'latch' in said[43] and 'latch' in said[79]      # within 0.1 s
