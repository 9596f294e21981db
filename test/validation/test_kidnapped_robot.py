# SPDX-License-Identifier: Apache-2.0
"""A robot that is carried elsewhere declares no arrival there, finds itself, and arrives."""

import pytest

pytest.importorskip('pybullet', reason='needs pybullet')
from ami_ros.robots.find_robot import find  # noqa: E402
from ami_ros.sim import furnished_room as worlds  # noqa: E402
from ami_ros.sim.simulator import Simulator  # noqa: E402
from ami_ros.sim.simulator_interface import somewhere  # noqa: E402
from ami_ros.validation.evaluate import Trial  # noqa: E402
from ami_ros.validation.kidnapped_robot import carried, LEAST_M  # noqa: E402
import numpy as np  # noqa: E402

SEED = 602      # for tuning; a filter that trusted odometry declared false arrivals on these


def test_carrying_moves_the_robot_and_leaves_time_and_odometry_alone():
    with Simulator(worlds.draw(7), find('rover'), 1) as sim:
        sim.command(0.4, 0.2)
        sim.step(0.5)
        pose, now_ns = sim.odometry()[0], sim.time_ns
        there = somewhere(sim, 3)
        sim.carry(there)
        assert sim.truth_pose() == pytest.approx(there, abs=0.01)
        assert np.array_equal(sim.odometry()[0], pose) and sim.time_ns == now_ns
        sim.step(0.3)
        assert sim.truth_pose()[:2] == pytest.approx(there[:2], abs=0.02)


def test_it_declares_no_arrival_elsewhere_and_arrives_in_the_end():
    told = []
    report = carried(Trial(blocks=20, episodes=4, seed=SEED), told.append)
    assert [one.seed for one in told] == list(range(SEED, SEED + 4))
    assert report['false_arrivals'] == 0, report['tries']
    assert report['arrived'] == 4
    for one in told:
        assert one.success and one.goal_m >= LEAST_M and one.carried_m > 0
        assert one.final_distance_m < 0.3
