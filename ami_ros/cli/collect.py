# SPDX-License-Identifier: Apache-2.0
"""Drive a simulated robot through random rooms and record training data."""

import argparse
from pathlib import Path
import time

from ami_ros.cli.arguments_and_reports import bar, cluster, count, whole
from ami_ros.core.errors import AmiError


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument('--world-seed', type=whole, default=None,
                     help='Seed of the room of the evaluation protocol to record')
    one.add_argument('--out', type=Path, required=True, help='Output folder for the recordings')
    one.add_argument('--seed', type=whole, default=0, help='Seed of the random drives')
    one.add_argument('--frames', type=count, default=100_000,
                     help='Number of frames to record, with --world-seed')
    one.add_argument(
        '--drive-seconds', type=float, default=60.0,
        help='Duration of each drive in s, with --world-seed')
    one.add_argument(
        '--jobs', type=count, default=2,
        help='Number of worker processes; has no effect with --cluster')
    one.add_argument(
        '--changes', default='', metavar='LIST',
        help='Scene changes drawn anew for each drive, or for each world, e.g. '
             'moved:0.33,objects:1')
    cluster(one)
    many = one.add_argument_group('many worlds', 'With --worlds instead of --world-seed, --out '
                                  'contains one bag per world and a manifest.')
    many.add_argument(
        '--worlds', type=count, default=None, metavar='N',
        help='Number of worlds to record, instead of --world-seed')
    many.add_argument(
        '--generator', default='mixed',
        help='Scene type: room, rooms, building, hall, clutter or mixed')
    many.add_argument(
        '--frames-per-world', type=count, default=250,
        help='Number of frames per world')
    many.add_argument(
        '--first-world-seed', type=whole, default=20_000,
        help='Seed of the first world')
    many.add_argument(
        '--camera', default='clean',
        help='Camera preset; random draws a new camera for each world')
    many.add_argument('--engine', default='pybullet', help='Physics engine, pybullet or mujoco')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    if (args.worlds is None) == (args.world_seed is None):
        raise AmiError('give either --world-seed, for one room, or --worlds, for many')
    return many_worlds(args) if args.worlds is not None else one_room(args)


def one_room(args: argparse.Namespace) -> int:
    """Record in one room of the evaluation protocol."""
    from ami_ros.training.collect import collect as work
    begun = time.monotonic()
    done = work(args.out, args.world_seed, args.seed, args.frames, args.drive_seconds, args.jobs,
                lambda d, n: bar(d, n, begun, 'collecting'), args.cluster, args.changes)
    print(f'{args.out}: {done["drives"]} drives of {args.drive_seconds:g} s in '
          f'{time.monotonic() - begun:.0f} s, sha256 {done["sha256"]}')
    return 0


def many_worlds(args: argparse.Namespace) -> int:
    """Record in many worlds."""
    from ami_ros.training.collect_worlds import Asked, collect
    begun = time.monotonic()
    asked = Asked(args.generator, args.first_world_seed, args.worlds, args.frames_per_world,
                  args.seed, args.changes, args.camera, args.engine)
    done = collect(args.out, asked, args.jobs, lambda d, n: bar(d, n, begun, 'collecting'),
                   args.cluster)
    print(f'{args.out}: {done["frames"]} frames of {len(done["worlds"])} worlds in '
          f'{time.monotonic() - begun:.0f} s')
    return 0
