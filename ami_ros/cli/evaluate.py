# SPDX-License-Identifier: Apache-2.0
"""Run goal-driving episodes in one process in lock-step."""

import argparse
from pathlib import Path
import time

from ami_ros.cli import evaluate_tour
from ami_ros.cli.arguments_and_reports import (
    bar,
    change,
    cluster,
    count,
    make_way,
    whole,
    write_report,
)
from ami_ros.core.errors import AmiError

USUAL = {'planner': 'world_model', 'goal_steps': evaluate_tour.GOAL_STEPS, 'camera': 'clean'}


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        '--planner', default=argparse.SUPPRESS,
        choices=['world_model', 'random', 'retrieval', 'oracle', 'general'],
        help='Planner that drives the robot; with --tour oracle, or general and its --module; '
             'default: world_model, with --tour oracle')
    one.add_argument(
        '--goal-steps', type=count, default=argparse.SUPPRESS, metavar='K',
        help='Number of 0.25 s actions between start and goal; default: 20')
    one.add_argument('--episodes', type=count, default=20, help='Number of episodes to run')
    one.add_argument('--seed', type=whole, default=1000, help='Seed of the first episode')
    one.add_argument(
        '--world-seed', type=whole, default=None,
        help='Seed of the scene; default: the room in which the module was trained')
    one.add_argument(
        '--furniture-moved', action='store_true',
        help='Move one third of the furniture')
    one.add_argument(
        '--camera', default=argparse.SUPPRESS,
        help='Camera preset while the robot drives, e.g. evening or brightness_0.6; goal images '
             'are taken with a clean camera; default: clean, with --tour webcam')
    one.add_argument(
        '--changes', default='', metavar='LIST', dest='world_changes',
        help='Scene changes, e.g. moved:1,objects:2,person:1; not the light, which --camera '
             'sets; with --tour they are made after the tour, and the light may be among them')
    one.add_argument(
        '--module', default='',
        help='Folder of the module; empty means the active or shipped module')
    one.add_argument('--robot', default='rover', help='Name or path of a robot file')
    one.add_argument(
        '--set', type=change, nargs='+', default=[], metavar='GROUP.KEY=VALUE', dest='changes',
        help='Override default settings, e.g. energy.time_to_goal=0')
    one.add_argument('--engine', default='pybullet', help='Physics engine, pybullet or mujoco')
    one.add_argument('--backend', default='onnx', help='Backend that runs the networks')
    one.add_argument(
        '--precision', default='float32',
        help='Numeric precision, float32 or float16; float16 emulates the rounding of a GPU')
    one.add_argument(
        '--counterfactual', action='store_true',
        help='Instead of driving to goals, predict the outcome of several motions from each of '
             '--episodes starts, execute each motion in simulation, and compare')
    one.add_argument(
        '--carried', action='store_true',
        help='In each episode, move the robot once to another place without changing its '
             'odometry, and count the false arrivals')
    cluster(one)
    evaluate_tour.add(one)
    one.add_argument('--report', type=Path, default=None,
                     help='JSON file for the results; without it they are only printed')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    if 'tour' in args:
        return evaluate_tour.run(args)
    evaluate_tour.refuse(args)
    for name, value in USUAL.items():
        vars(args).setdefault(name, value)
    from ami_ros.validation.evaluate import evaluate as work
    from ami_ros.validation.evaluate import Trial
    if args.cluster and (args.counterfactual or args.carried):
        raise AmiError('--cluster drives episodes towards goals; --counterfactual and --carried '
                       'run on one machine')
    if args.engine != 'pybullet' and (args.counterfactual or args.carried):
        raise AmiError('--engine chooses the engine of episodes towards goals; --counterfactual '
                       'and --carried run in pybullet')
    make_way(args.report)
    begun, done = time.monotonic(), []
    if args.counterfactual:
        return asked(args, begun)
    trial = Trial(args.planner, args.goal_steps, args.episodes, args.seed, args.world_seed,
                  args.furniture_moved, args.camera, args.world_changes, args.module, args.robot,
                  tuple(args.changes), args.backend, args.precision, args.engine)
    if args.carried:
        return carried(trial, begun, args.report)

    def progress(episode) -> None:
        done.append(episode)
        bar(len(done), args.episodes, begun,
            f'{sum(e.success for e in done)} of {len(done)} succeeded')

    report = work(trial, progress, args.cluster)
    print(f'{args.planner}, K = {args.goal_steps}: success {100 * report["success_rate"]:.1f} %, '
          f'reached {100 * report["reached_rate"]:.1f} %, '
          f'false arrivals {100 * report["false_arrival_rate"]:.1f} %, '
          f'collisions {100 * report["collision_rate"]:.1f} % of {args.episodes}')
    write_report(args.report, report)
    return 0


def asked(args: argparse.Namespace, begun: float) -> int:
    """Compare predicted with executed motions; return the exit status."""
    from ami_ros.validation.counterfactual import counterfactual
    report = counterfactual(args.episodes, args.seed, args.module, args.robot, args.world_seed,
                            lambda done: bar(done, args.episodes, begun, 'starts'))
    for name in ('distance_m', 'clearance_m'):
        said = report[name]
        low, high = said['interval_95']
        print(f'{name}: of {said["pairs"]} pairs {100 * said["share"]:.1f} % in the right order '
              f'({100 * low:.1f} to {100 * high:.1f})')
    print(f'off by {report["off_m"]["p50"]:.3f} m (median), {report["off_m"]["p90"]:.3f} m (p90) '
          f'after {report["protocol"]["seconds"]:g} s')
    write_report(args.report, report)
    return 0


def carried(trial, begun: float, path: Path | None) -> int:
    """Move the robot elsewhere once in each episode; return the exit status."""
    from ami_ros.validation.kidnapped_robot import carried as work
    done: list = []

    def progress(one) -> None:
        done.append(one)
        bar(len(done), trial.episodes, begun,
            f'{sum(one.false_s > 0 for one in done)} of {len(done)} declared a false arrival')

    report = work(trial, progress)
    print(f'carried elsewhere, K = {trial.blocks}: {report["false_arrivals"]} of '
          f'{trial.episodes} declared an arrival more than '
          f'{report["protocol"]["false_m"]:g} m from the goal; {report["arrived"]} arrived in '
          'the end')
    write_report(path, report)
    return 0
