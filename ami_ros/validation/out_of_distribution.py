# SPDX-License-Identifier: Apache-2.0
"""
Measures how soon a module tells that it is in another room or light, and how often wrongly.

    python -m ami_ros.validation.out_of_distribution --report FILE --jobs 2

False alarms: drives of a minute in the module's own room, with seeds that no recording has. An
alarm is a stretch in which `out_of_distribution` stays above 1, with gaps of at most 2 s. Told:
the same figure exceeds 1 within 2 s of the first image, in rooms that the module never saw, and in
its own room under another light or camera. The world model runs as on the robot, in lock-step;
what drives is the driver of the recordings, which also drives into walls.
"""

import argparse
from collections.abc import Callable
import json
import multiprocessing
from pathlib import Path
import time

import numpy as np

from ami_ros.core.types import Command
from ami_ros.inference.encoder_and_dynamics import mind
from ami_ros.modules.module import open_module
from ami_ros.robots.find_robot import find
from ami_ros.sim import scenes
from ami_ros.sim.camera_model import presets
from ami_ros.sim.scenes.scene import Scene
from ami_ros.sim.simulator import Simulator
from ami_ros.training.exploration_driver import Driver, free_pose
from ami_ros.training.tour_driver import Tour
from ami_ros.validation.evaluate import (
    frame_of,
    FRAME_S,
    home,
    LOOK_S,
    places,
    policy,
    REMEMBERED,
    settings,
    Trial,
)
from ami_ros.validation.report_fingerprint import measured
from ami_ros.validation.robustness import CONDITIONS

FIGURES = ('out_of_distribution', 'disagreement', 'surprise', 'contradiction')
TOLD_S, TRY_S, DRIVE_S = 2.0, 3.0, 60.0
GAP_S = 2.0                     # between two alarms
FIRST_WORLD = 100_200           # world seeds of published figures; from 61000 on: for tuning
ROOMS = {'room': 20, 'building': 10}
SCENES_A_JOB = 4                # a process ends after so many, and PyBullet's memory with it
PURPOSE = 0x00D                 # salts the stream


def watch(sim: Simulator, module_path: str, tries: int, seconds: float, first_seed: int,
          who_of: Callable) -> list[list[list[float]]]:
    """Drive; returns the figures of each image of each try. `who_of(rng)` gives pose and driver.

    A driver takes nothing and returns a twist (2,).
    """
    module = open_module(module_path)
    own, out = mind(module, sim.robot, *settings(), lambda: 0), []
    for seed in range(first_seed, first_seed + tries):
        pose, begin = who_of(np.random.default_rng([seed, PURPOSE]))
        sim.reset(pose, seed)
        drive, said = begin(), []
        commands: tuple[Command, ...] = ()
        own.begin()
        for number in range(1, round(seconds / FRAME_S) + 1):
            belief = own.believe(own.see(frame_of(sim, number, str(seed))), commands)
            said.append([float(getattr(belief, name)) for name in FIGURES])
            for _ in range(round(FRAME_S / LOOK_S)):
                twist = np.array(drive(), float)
                sim.command(*twist)
                commands = (*commands, Command(twist, sim.time_ns))[-REMEMBERED:]
                sim.step(LOOK_S)
        out.append(said)
    return out


def at_home(module_path: str, name: str, tries: int, seconds: float, first_seed: int) -> list:
    """Drive in the module's own room under a condition, by its name."""
    robot, changed = find('rover'), CONDITIONS[name]
    world, driven, preset = places(Trial(camera=changed.camera, world_changes=changed.changes),
                                   home(open_module(module_path)))
    with Simulator(driven, robot, 0, camera=preset.camera) as sim:
        def who_of(rng):
            def begin():
                driver = Driver(sim, rng)
                return lambda: driver.next(sim.scan(), LOOK_S)
            return free_pose(world, rng, robot.radius_m + 0.03), begin
        return watch(sim, module_path, tries, seconds, first_seed, who_of)


def unseen(module_path: str, generator: str, seed: int, tries: int) -> list:
    """Drive in a scene that the module never saw."""
    robot, scene = find('rover'), scenes.draw(generator, seed)
    assert isinstance(scene, Scene)
    with Simulator(scene, robot, 0, camera=presets.find('clean').camera) as sim:
        def who_of(rng):
            tour = Tour(scene, robot.limits, rng)

            def drive():
                truth = sim.truth()
                return tour.next(truth.pose, truth.speed_mps, LOOK_S)
            return tour.start(), lambda: drive
        return watch(sim, module_path, tries, TRY_S, 0, who_of)


def told(tries: list, column: int = 0, limit: float = 1.0) -> dict:
    """Say in which share of the tries, and how soon at the median, a figure exceeded a limit."""
    after = []
    for said in tries:
        above = np.flatnonzero(np.array(said)[:, column] > limit)
        after.append(above[0] * FRAME_S if len(above) else np.inf)
    largest = [max(row[column] for row in said[:round(TOLD_S / FRAME_S) + 1]) for said in tries]
    return {'tries': len(tries), 'told': round(float(np.mean(np.array(after) <= TOLD_S)), 4),
            'median_s': round(float(np.median(after)), 2) if np.isfinite(np.median(after))
            else None, 'least_largest': round(float(min(largest)), 3)}


def alarms(drives: list, column: int = 0, limit: float = 1.0) -> dict:
    """Count the false alarms of drives."""
    count, above_s, largest, frames = 0, 0.0, 0.0, 0
    for said in drives:
        values = np.array(said)[:, column]
        above = np.flatnonzero(values > limit)
        count += int(len(above) > 0) + int((np.diff(above) * FRAME_S > GAP_S).sum())
        above_s += len(above) * FRAME_S
        largest, frames = max(largest, float(values.max())), frames + len(values)
    hours = frames * FRAME_S / 3600
    return {'hours': round(hours, 3), 'alarms': count, 'per_hour': round(count / hours, 2),
            'above_s': round(above_s, 1), 'largest': round(largest, 3)}


def shares(groups: dict[str, list], policy_limits: dict[str, float]) -> dict:
    """Say for each figure the share of images above the limit of the policy."""
    return {name: {figure: round(float(np.mean([
        row[FIGURES.index(figure)] > limit for said in tries for row in said])), 4)
        for figure, limit in policy_limits.items()} for name, tries in groups.items()}


def measure(module_path: str, tries: int, minutes: int, jobs: int, write: Callable[[dict], None],
            first_world: int = FIRST_WORLD, say=print) -> None:
    """Drive everywhere; `write` takes the report of what is finished."""
    context = multiprocessing.get_context('spawn')
    conditions = [name for name, one in CONDITIONS.items()
                  if name != 'unchanged' and one.engine == 'pybullet']
    with context.Pool(jobs, maxtasksperchild=SCENES_A_JOB) as pool:
        rooms = {generator: [pool.apply_async(unseen, (module_path, generator, seed, tries))
                             for seed in range(first_world, first_world + count)]
                 for generator, count in ROOMS.items()}
        changed = {name: pool.apply_async(at_home, (module_path, name, tries, TRY_S, 800_000))
                   for name in conditions}
        own = [pool.apply_async(at_home, (module_path, 'unchanged', min(5, minutes - first),
                                          DRIVE_S, 900_000 + first))
               for first in range(0, minutes, 5)]
        groups = {f'unseen {generator}': [one for work in works for one in work.get()]
                  for generator, works in rooms.items()}
        say(json.dumps({name: told(group) for name, group in groups.items()}), flush=True)
        groups |= {name: work.get() for name, work in changed.items()}
        say(json.dumps({name: told(groups[name]) for name in conditions}), flush=True)
        drives: list = []
        for work in own:
            drives += work.get()
            say(json.dumps(alarms(drives)), flush=True)
            write(report_of(groups, drives))


def report_of(groups: dict[str, list], drives: list) -> dict:
    """Put the report together."""
    limits = {'out_of_distribution': 1.0, 'disagreement': 1.2, 'surprise': 2.0}
    return {'own_room': alarms(drives), 'told_within_s': TOLD_S,
            'told': {name: told(tries) for name, tries in groups.items()},
            'disagreement': {
                'limit': limits['disagreement'],
                'told': {name: told(tries, 1, limits['disagreement'])['told']
                         for name, tries in groups.items()}},
            'share_of_images_above': {'limits': limits, **shares(
                {'own room': drives, **groups}, limits)}}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=(
        argparse.RawDescriptionHelpFormatter))
    parser.add_argument('--module', default='', help='Module folder (default: the shipped module)')
    parser.add_argument('--tries', type=int, default=10,
                        help='Starts in each unseen room and under each condition')
    parser.add_argument('--minutes', type=int, default=60,
                        help='Length of the drives in the own room, min')
    parser.add_argument('--first-world', type=int, default=FIRST_WORLD,
                        help='World seed of the first unseen room and building')
    parser.add_argument('--jobs', type=int, default=1, help='Processes')
    parser.add_argument('--report', type=Path, default=Path('runs/out_of_distribution.json'),
                        help='Report JSON file')
    args = parser.parse_args()
    module, begun = open_module(args.module), time.monotonic()
    if 'out_of_distribution' not in module.manifest:
        parser.error(f'{module.path} has no threshold; python -m '
                     'ami_ros.training.out_of_distribution_threshold measures it')
    asked = {'asked': {'module': module.said, 'first_world': args.first_world, 'rooms': ROOMS,
                        'tries': args.tries, 'minutes': args.minutes,
                        'threshold': module.manifest['out_of_distribution']},
             'measured': measured('out_of_distribution', policy().hash, module)}
    args.report.parent.mkdir(parents=True, exist_ok=True)

    def write(report: dict) -> None:
        args.report.write_text(json.dumps({
            **asked, **report, 'seconds': round(time.monotonic() - begun)}, indent=1) + '\n')

    measure(args.module, args.tries, args.minutes, args.jobs, write, args.first_world)
    print(f'report: {args.report}')


if __name__ == '__main__':
    main()
