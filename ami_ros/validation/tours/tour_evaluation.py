# SPDX-License-Identifier: Apache-2.0
"""Tours a robot through worlds that its model never saw, then drives it to goal pictures.

Worlds are the items of work: each is toured once, and the memory serves all its legs.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
import time

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.critic.critic import Critic
from ami_ros.parallel.pool import outcomes
from ami_ros.robots.find_robot import find, Robot
from ami_ros.sim.simulator import Simulator
from ami_ros.validation import evaluation_protocol as protocol
from ami_ros.validation.evaluate import FRAME_S, policy
from ami_ros.validation.report_fingerprint import measured
from ami_ros.validation.robustness import keep, kept
from ami_ros.validation.tours import planners, tour_report
from ami_ros.validation.tours.asked import Asked
from ami_ros.validation.tours.leg_drive import Ride, Ticks
from ami_ros.validation.tours.legs import drawn, FINDING_S, from_here, Leg
from ami_ros.validation.tours.places import Places, places
from ami_ros.validation.tours.tour_drive import LOOK_TICKS, TICK_S, tour
from ami_ros.validation.tours.toured_planner import TouredPlanner, Truth
from ami_ros.validation.tours.ways import Ways

PICTURE_SEED = 1_000_000        # on top of an episode's, for the noise of its goal picture


def world(asked: Asked, seed: int) -> dict:
    """Tour one world and drive all its legs; return the row of it, which is JSON."""
    robot, seeds = find(asked.robot), range(asked.seed, asked.seed + asked.episodes)
    try:        # a change that cannot be made, such as a door that is not there, or no such leg
        where = places(asked, seed)
        ways = Ways(where.driven, robot, where.toured)
        legs = [drawn(asked, ways, robot, one) for one in seeds]
    except ValueError as why:
        return {'world_seed': seed, 'left_out': str(why)}
    truth = Truth(where.toured)
    who = planners.known(asked.planner)[0](asked, planners.module_of(asked), robot, truth)
    with ExitStack() as stack:
        sim = stack.enter_context(opened(asked, robot, where, toured=True))
        begun = time.monotonic()
        driven_m = tour(sim, who, truth, asked.minutes)
        toured = time.monotonic()
        who.finish_tour()
        finished = time.monotonic()
        if not where.same:
            stack.close()
            sim = stack.enter_context(opened(asked, robot, where, toured=False))
        truth.scene, truth.sim = where.driven, sim
        row = driven(asked, truth, who, ways, list(zip(
            seeds, legs, pictures(asked, robot, where, seeds, legs))))
    return {'world_seed': seed, 'rooms': len(where.driven.rooms),
            'tour_driven_m': round(driven_m, 1), 'tour_s': toured - begun,
            'finish_tour_s': finished - toured, **row}


def opened(asked: Asked, robot: Robot, where: Places, toured: bool) -> Simulator:
    """Open the simulator of the tour or of the legs."""
    scene, preset = ((where.toured, where.tour_camera) if toured
                     else (where.driven, where.camera))
    return Simulator(scene, robot, asked.seed, engine=asked.engine, camera=preset.camera)


def pictures(asked: Asked, robot: Robot, where: Places, seeds: range,
             legs: list[list[Leg]]) -> list[list[np.ndarray]]:
    """Take the goal pictures by a clean camera, in the scene as it stands after the changes."""
    out: list[list[np.ndarray]] = []
    with Simulator(where.pictured, robot, asked.seed, engine=asked.engine) as sim:
        for seed, some in zip(seeds, legs):
            out.append([])
            for index, leg in enumerate(some):
                sim.reset(leg.goal, seed + PICTURE_SEED * (index + 1))
                out[-1].append(sim.camera())
    return out


def driven(asked: Asked, truth: Truth, who: TouredPlanner, ways: Ways, work: list) -> dict:
    """Drive the legs of one world; `work` has (seed, legs, goal pictures) of each episode."""
    sim, records, missions, ticks = truth.sim, [], [], Ticks()
    assert sim is not None
    for seed, legs, images in work:
        sim.reset(legs[0].start, seed)
        ride = Ride(truth, who, Critic(policy(), sim.robot), f'{truth.scene.seed}-{seed}')
        for index, (leg, picture) in enumerate(zip(legs, images)):
            if index:
                leg = from_here(leg, ways, sim.truth_pose())
            record, measured_ = ride.leg(leg, picture, seed)
            records.append({'world_seed': truth.scene.seed, 'leg': index, **record})
            ticks.add(measured_)
        if asked.mission:
            missions.append(all(r['success'] for r in records[-len(legs):]))
    return {'episodes': records, 'missions': missions, 'ticks': asdict(ticks)}


def evaluate(asked: Asked, jobs: int = 1, ledger: Path | None = None,
             progress: Callable[[dict, int, int], None] = lambda row, done, total: None) -> dict:
    """Drive all worlds in `jobs` processes; return the report.

    Worlds that the file `ledger` has from a run of the same, with the same code, safety policy
    and module, are not driven again.
    """
    with_what = measured('tours', policy().hash, planners.module_of(asked))
    key = repr((asked, sorted(with_what.items())))
    rows = kept(ledger, key)
    left = [(seed,) for seed in asked.seeds if str(seed) not in rows]
    for index, row in outcomes(world, left, jobs, common=(asked,)):
        rows[str(left[index][0])] = row
        keep(ledger, key, rows)
        progress(row, len(rows), asked.worlds)
    whole = [rows[str(seed)] for seed in asked.seeds]
    left_out = [row for row in whole if 'left_out' in row]
    if len(left_out) == len(whole):
        raise AmiError(f'no world can be driven: {left_out[0]["left_out"]}')
    return {**tour_report.report(said(asked), [r for r in whole if 'left_out' not in r],
                                 left_out), 'measured': with_what}


def said(asked: Asked) -> dict:
    """Return what a report says about the protocol."""
    return {**asdict(asked), 'tour_camera': asked.tour_camera or asked.camera,
            'legs': None if asked.goal_steps else list(asked.legs),
            'settings': dict(asked.settings), 'finding_s': 0.0 if asked.goal_steps else FINDING_S,
            'budget': protocol.BUDGET,
            'action_s': protocol.CONTROL_STEP_S, 'reached_m': protocol.REACHED_M,
            'reached_rad': protocol.REACHED_RAD, 'rest_s': protocol.REST_S, 'frame_s': FRAME_S,
            'tour_look_s': LOOK_TICKS * TICK_S, 'lock_step': True}
