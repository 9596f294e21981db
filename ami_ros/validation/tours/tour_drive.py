# SPDX-License-Identifier: Apache-2.0
"""Drives the tour: somebody who knows the plan drives, the planner only looks."""

import numpy as np

from ami_ros.sim.simulator import Simulator
from ami_ros.training.tour import Tour
from ami_ros.validation.evaluate import frame_of, scan_of
from ami_ros.validation.tours.toured_planner import TouredPlanner, Truth
from ami_ros.validation.tours.ways import largest_part

TICK_S = 0.05           # between commands
LOOK_TICKS = 5          # between looks of the planner
RUN = 'tour'
TOUR_PURPOSE = 0x70C4   # salts the stream of the tour


def tour(sim: Simulator, who: TouredPlanner, truth: Truth, minutes: float) -> float:
    """Tour the scene of `truth`; return how many metres the robot drove."""
    rng = np.random.default_rng([truth.scene.seed, TOUR_PURPOSE])
    driver = Tour(truth.scene, sim.robot.limits, rng)
    # a place that is shut off by furniture would be all that a tour shows that begins there
    part = largest_part(driver.grid, driver.grid.free)
    driver.cells = driver.cells[part[tuple(driver.cells.T)]]
    sim.reset(driver.start(), int(rng.integers(2**31)))
    truth.sim, truth.origin = sim, sim.truth_pose()
    sim.watching, driven_m, last = False, 0.0, truth.origin
    for tick in range(round(minutes * 60 / TICK_S)):
        if tick % LOOK_TICKS == 0:
            who.tour(frame_of(sim, tick // LOOK_TICKS + 1, RUN), scan_of(sim, sim.time_ns))
        now = sim.truth()
        driven_m, last = driven_m + float(np.hypot(*(now.pose - last)[:2])), now.pose
        sim.command(*driver.next(now.pose, now.speed_mps, TICK_S))
        sim.step(TICK_S)
    sim.watching = True
    return driven_m
