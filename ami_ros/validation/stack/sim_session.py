# SPDX-License-Identifier: Apache-2.0
"""Runs `ami-ros sim`: starts the processes, drives episodes over ROS, and writes the report."""

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
import itertools
import json
import os
from pathlib import Path
import sys
import time
from typing import cast

import numpy as np
import rclpy

from ami_ros.core.robot_processes import planners
from ami_ros.core.share_directory import share
from ami_ros.nodes import topics
from ami_ros.nodes.mind_settings import thinking_with
from ami_ros.robots.find_robot import find
from ami_ros.sim.furnished_room import World
from ami_ros.sim.simulator import Simulator
from ami_ros.sim.simulator_interface import open_body, SimBody, SimRoom
from ami_ros.validation import evaluation_protocol as protocol
from ami_ros.validation.evaluation_protocol import goal_drive, GoalDrive
from ami_ros.validation.stack.episode_runner import Drive, EpisodeRunner, START_S
from ami_ros.validation.stack.processes import claim_domain, Processes, RECORDER
from ami_ros.validation.stack.resource_usage import Usage

STAGES = ('encode', 'plan', 'encode_plan', 'critic', 'camera_to_command')
FILMED = 4              # episodes in the animation
RECORDED = (topics.CAMERA, topics.COMMAND, topics.TRACE_RECORDS, topics.GOAL)


@dataclass(frozen=True)
class Session:
    """Which processes run, in which world, at which pace."""

    logs: Path
    real_time: bool = False
    camera_hz: int = 10
    separate: bool = False          # one process a node, instead of one mind
    image: tuple[int, int] = (64, 64)   # width, height of the camera
    image_hfov_rad: float = 0.0     # across; 0: the module's view
    engine: str = 'pybullet'
    world_seed: int = 0
    module: str = ''                # folder; the shipped one where empty
    thinking: dict[str, str] = field(default_factory=dict)  # of the mind: backend, precision
    params: Path | None = None      # YAML; the shipped one where None
    record: Path | None = None      # folder of a bag to make; None: nothing is recorded
    programs: dict[str, list[str]] = field(default_factory=dict)    # in the place of nodes

    def start(self, processes: Processes) -> None:
        """Start the nodes; the body last, so that somebody is there to see."""
        files = (self.params or share('config/rover_node_parameters.yaml'),)
        pace = {'lock_step': not self.real_time}
        for name in planners(not self.separate):
            processes.start(name, {**pace, **thinking_with(self.module), **self.thinking},
                            files)
        processes.start('critic', pace, files)
        processes.start('configurator', {'use_composition': not self.separate}, files)
        if self.record is not None:
            processes.start(RECORDER, {
                'folder': str(self.record.absolute().parent), 'name': self.record.name,
                'topics': f'{topics.TRUTH_STATE.name},{topics.LATENCY.name}'}, files)
        processes.start('sim', {**pace, 'engine': self.engine, 'world_seed': self.world_seed,
                                'camera_hz': self.camera_hz, 'image_width': self.image[0],
                                'image_height': self.image[1],
                                'image_hfov_rad': self.image_hfov_rad}, files)


@dataclass(frozen=True)
class EpisodeSpec:
    """One episode to drive."""

    seed: int
    drive: GoalDrive
    picture: np.ndarray     # (H, W, 3) uint8, of the goal


def run(session: Session, errands: Iterable[EpisodeSpec],
        done: Callable[[EpisodeSpec, Drive], None]) -> dict:
    """Drive the errands one after another; nothing is left running, however it ends.

    Returns what each process cost.
    """
    domain, lock = claim_domain()
    context = rclpy.Context()
    with lock, Processes(domain, session.logs, session.programs) as processes:
        os.environ.update(processes.settings())
        session.start(processes)
        rclpy.init(context=context, domain_id=domain)
        try:
            usage = Usage(processes.running)

            def check() -> None:
                processes.check()
                usage.look()

            pilot = EpisodeRunner(context, not session.real_time, 1 / session.camera_hz, check)
            if session.record is not None:
                pilot.wait(lambda: pilot.recorded(RECORDED, RECORDER),
                           'that everything is recorded', START_S)
            for errand in errands:
                done(errand, pilot.drive(errand.drive, errand.picture, errand.seed))
            pilot.destroy_node()
            return usage.report()
        finally:
            rclpy.shutdown(context=context)


def percentiles(values: list[float], which: tuple[int, ...] = (50, 95, 99)) -> dict:
    """Say how long something took; None where it was never measured."""
    if not values:
        return {**{f'p{p}': None for p in which}, 'max': None, 'n': 0}
    return {**{f'p{p}': round(float(np.percentile(values, p)), 3) for p in which},
            'max': round(max(values), 3), 'n': len(values)}


def latencies(drives: list[Drive]) -> dict:
    """Put the stages of every frame together; overhead is what is not one of them."""
    took: dict[str, list] = {stage: [] for stage in STAGES}
    over = []
    for tick in (tick for drive in drives for tick in drive.ticks.values()):
        stages = tick.stages_ms
        apart = [stages.get(f'{part}_ms', np.nan) for part in ('encode', 'believe', 'plan')]
        stages.setdefault('encode_plan_ms', float(sum(apart)))      # one process a node
        for stage in STAGES:
            if np.isfinite(stages.get(f'{stage}_ms', np.nan)):
                took[stage].append(stages[f'{stage}_ms'])
        whole, *parts = (stages.get(f'{stage}_ms', np.nan)
                         for stage in ('camera_to_command', 'encode_plan', 'critic'))
        if np.isfinite([whole, *parts]).all():
            over.append(whole - sum(parts))
    return {'latency_ms': {stage: percentiles(values) for stage, values in took.items()},
            'ros_overhead_ms': percentiles(over)}


def punctuality(drives: list[Drive], period_s: float) -> dict:
    """Count the camera periods that brought no new plan, and plans by the level of the budget."""
    due = came = 0
    levels: Counter = Counter()
    for drive in drives:
        frames = list(drive.ticks)
        due += round((frames[-1] - frames[0]) / 1e9 / period_s) + 1
        came += len(frames)
        levels.update(str(tick.level) for tick in drive.ticks.values())
    return {'periods': due, 'missed': due - came,
            'missed_share': (due - came) / due if due else 0.0,
            'by_budget_level': dict(sorted(levels.items()))}


def report(session: Session, drives: list[Drive], asked: dict, seconds: float,
           processes: dict | None = None) -> dict:
    """Make the report of a session; `processes` is what each of them cost."""
    period_s = 1 / session.camera_hz
    asked = {**asked, 'world_seed': session.world_seed, 'frame_s': period_s,
             'lock_step': not session.real_time, 'use_composition': not session.separate}
    return protocol.report(asked, [drive.episode for drive in drives], **latencies(drives),
                           plans=punctuality(drives, period_s), processes=processes or {},
                           seconds=seconds)


def errands(body: SimBody, blocks: int, seed: int,
            more: Callable[[int], bool]) -> Iterator[EpisodeSpec]:
    """Draw episodes of the protocol, with the goal pictures that this body takes, while asked."""
    for index in itertools.takewhile(more, itertools.count()):
        drive = goal_drive(cast(Simulator, body).world, body.robot, blocks, seed + index)
        body.reset(drive.goal, seed + index + 1_000_000)
        yield EpisodeSpec(seed + index, drive, body.camera())


def main(args: argparse.Namespace) -> int:
    """Run `ami-ros sim`; returns the exit status."""
    from ami_ros.modules.module import open_module
    from ami_ros.validation import episode_visualization
    from ami_ros.validation.evaluate import home

    module = open_module(args.module)
    out = args.out or Path('runs') / time.strftime('%Y%m%d-%H%M%S')
    session = Session(
        logs=out / 'logs', real_time=args.wall_clock, camera_hz=round(args.camera_hz),
        separate=args.no_composition, module=args.module, params=args.params, record=args.record,
        world_seed=home(module) if args.world_seed is None else args.world_seed)
    begun, drives, done, cost = time.monotonic(), [], [], {}
    asked = {'goal_steps': args.goal_steps, 'seed': args.seed,
             'module': module.manifest['name'], 'module_version': module.manifest['version']}
    with open_body(session.engine, find('rover'), SimRoom(session.world_seed), 0,
                   find('rover').camera_size) as body:
        world = cast(Simulator, body).world
        assert isinstance(world, World)
        film = episode_visualization.Film(world, episode_visualization.Imagery(module))

        def finished(errand: EpisodeSpec, drive: Drive) -> None:
            drives.append(drive)
            done.append({'poses': drive.poses, 'goal': errand.drive.goal,
                         'label': drive.episode.seed})
            if len(drives) <= FILMED:
                shoot(film, errand, drive)
            for tick in drive.ticks.values():
                tick.view = None
            say(f'{len(drives):3d}  {told(drive.episode)}')

        def more(index: int) -> bool:
            return index < args.episodes or time.monotonic() - begun < args.seconds

        say(f'driving in room {session.world_seed} with {module.manifest["name"]}, '
            f'{"real time" if session.real_time else "lock-step"}; logs: {session.logs}')
        try:
            cost = run(session, errands(body, args.goal_steps, args.seed, more), finished)
        finally:
            if drives:
                said = report(session, drives, asked, time.monotonic() - begun, cost)
                write(args.report or out / 'report.json', said)
                episode_visualization.paths(world, done, out / 'paths.png')
                try:
                    film.write(out / 'drive.gif', 1 / session.camera_hz)
                except Exception as why:        # the drive was good all the same
                    say(f'drive.gif could not be written: {why!r}')
                if args.record is not None:
                    say(f'recorded: {args.record}')
                say(f'{sum(d.episode.success for d in drives)} of {len(drives)} arrived; '
                    f'in {out}: report.json, paths.png, drive.gif')
    good = (sum(d.episode.success for d in drives) >= min(args.min_successes, len(drives))
            and not any(d.episode.collisions for d in drives))
    return 0 if good else 1


def shoot(film, errand: EpisodeSpec, drive: Drive) -> None:
    """Add an episode to the film."""
    film.begin()
    for tick in drive.ticks.values():
        if tick.view is not None and tick.pose is not None and tick.plan is not None:
            text = f'seed {errand.seed}\nsurprise {tick.plan.surprise:.2f}\n{tick.rule}'
            film.add(tick.view, errand.picture, errand.drive.goal, tick.pose, tick.place,
                     tick.plan.imagined, text)


def told(episode: protocol.Episode) -> str:
    """Say in a line what came of an episode."""
    how = ('arrived' if episode.success else 'was there, did not stay' if episode.reached
           else 'did not arrive')
    hit = f', {episode.collisions} collisions' if episode.collisions else ''
    return (f'seed {episode.seed}: {how} after {episode.duration_s:.1f} s, '
            f'{episode.final_distance_m:.2f} m off{hit}')


def say(line: str) -> None:
    """Tell the person in front of the terminal."""
    sys.stdout.write(line + '\n')
    sys.stdout.flush()


def write(path: Path, said: dict) -> None:
    """Write a report whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix('.partial')
    temporary.write_text(json.dumps(said, indent=1) + '\n')
    temporary.replace(path)
