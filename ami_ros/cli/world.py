# SPDX-License-Identifier: Apache-2.0
"""Draw simulated worlds as images or scene files."""

import argparse
from pathlib import Path

from ami_ros.cli.arguments_and_reports import make_way, whole
from ami_ros.core.errors import AmiError

VIEW_PX = 320
LONGEST_SEED = 18       # digits


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    does = one.add_subparsers(dest='does', required=True, metavar='show|write')
    shape = argparse.ArgumentDefaultsHelpFormatter
    show = does.add_parser(
        'show', formatter_class=shape,
        help='Draw the floor plan and eight camera views into one PNG')
    write = does.add_parser('write', formatter_class=shape, help='Write an editable scene file')
    for verb in (show, write):
        verb.add_argument('world', metavar='SEED', help='World seed, or scene file (.json)')
        verb.add_argument('--generator', default='mixed', help='Scene type of the world')
        verb.add_argument(
            '--changes', default='', metavar='LIST',
            help='List of scene changes, for example moved:0.33,doors:1,evening,person:1')
        verb.add_argument(
            '--changes-seed', type=whole, default=1,
            help='Seed of the random parts of the changes')
        verb.add_argument(
            '--out', type=Path, default=None,
            help='Output file; default: runs/world_GENERATOR_SEED.png, or .json for a scene file')
    show.add_argument('--camera', default='clean', help='Camera preset of the camera model')
    show.add_argument('--engine', default='pybullet', help='Physics engine, pybullet or mujoco')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    return write(args) if args.does == 'write' else show(args)


def scene_of(args: argparse.Namespace, change: str = ''):
    """Draw or read the scene, and change it."""
    from ami_ros.sim import scenes
    from ami_ros.sim.scenes import scene_changes, scene_files
    if args.world.endswith('.json'):
        scene = scene_files.read(Path(args.world))
    elif args.world.isdecimal() and len(args.world) <= LONGEST_SEED:
        scene = scenes.draw(args.generator, int(args.world))
    else:
        raise AmiError(f'{args.world!r} is neither a world seed nor the name of a .json file')
    return scene_changes.apply(scene, ','.join(filter(None, (args.changes, change))),
                               args.changes_seed)


def out_of(args: argparse.Namespace, kind: str) -> Path:
    """Return where to write, after it is clear that something can be written there."""
    path = args.out or Path('runs') / f'world_{args.generator}_{Path(args.world).stem}.{kind}'
    make_way(path)
    return path


def write(args: argparse.Namespace) -> int:
    """Write a scene file."""
    from ami_ros.sim.scenes import scene_files
    scene = scene_of(args)
    out = out_of(args, 'json')
    scene_files.write(out, scene)
    print(f'{out}: {scene.generator} {scene.seed}, rooms: {len(scene.rooms)}')
    return 0


def show(args: argparse.Namespace) -> int:
    """Draw the plan and eight views."""
    from ami_ros.perception.images import draw
    from ami_ros.robots.find_robot import find
    from ami_ros.sim.camera_model import presets
    from ami_ros.sim.scenes import floor_plan_drawing
    from ami_ros.sim.scenes.seed_allocation import use_of
    from ami_ros.sim.sensors import EXACT
    from ami_ros.sim.simulator import Simulator
    preset = presets.find(args.camera)
    scene = scene_of(args, preset.change)
    out = out_of(args, 'png')
    poses, views = floor_plan_drawing.places(scene, 8), []
    with Simulator(scene, find('rover'), 0, (VIEW_PX, VIEW_PX), EXACT, args.engine,
                   preset.camera) as sim:
        for number, pose in enumerate(poses):
            sim.reset(pose, number)
            views.append(sim.camera())
    use = use_of(scene.seed)
    words = [f'{scene.generator} {scene.seed}' + (f' ({use})' if use else ''),
             f'rooms: {len(scene.rooms)}', f'doors: {len(scene.doors)}',
             f'furniture: {len(scene.furniture)}', f'light: {scene.lighting.name}',
             f'changes: {", ".join(scene.changes) or "none"}', f'camera: {args.camera}',
             f'engine: {args.engine}']
    draw.write_png(out, floor_plan_drawing.sheet(scene, views, poses, '; '.join(words)))
    print(f'{out}: {"; ".join(words)}')
    return 0
