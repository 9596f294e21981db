# SPDX-License-Identifier: Apache-2.0
"""Draw simulated worlds."""

import argparse
from pathlib import Path

from ami_ros.verbs.common import make_way, whole

VIEW_PX = 320


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    does = one.add_subparsers(dest='does', required=True, metavar='show')
    show = does.add_parser('show', help='draw the plan and eight camera views into one PNG',
                           formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    show.add_argument('seed', type=whole, metavar='SEED', help='world seed')
    show.add_argument('--generator', default='mixed', help='kind of scene')
    show.add_argument('--changes', default='', metavar='LIST',
                      help='for example moved:0.33,doors:1,evening,person:1')
    show.add_argument('--changes-seed', type=whole, default=1, help='of what the changes leave '
                      'open')
    show.add_argument('--camera', default='clean', help='preset of the camera model')
    show.add_argument('--engine', default='pybullet', help='pybullet or mujoco')
    show.add_argument('--out', type=Path, default=None, metavar='PNG',
                      help='default: runs/world_GENERATOR_SEED.png')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.agent.robots import find
    from ami_ros.images import draw
    from ami_ros.sim import scenes
    from ami_ros.sim.camera_model import presets
    from ami_ros.sim.scenes import changes, drawing
    from ami_ros.sim.scenes.seeds import use_of
    from ami_ros.sim.sensors import EXACT
    from ami_ros.sim.simulator import Simulator
    out = args.out or Path('runs') / f'world_{args.generator}_{args.seed}.png'
    preset = presets.find(args.camera)
    scene = scenes.draw(args.generator, args.seed)
    scene = changes.apply(scene, ','.join(filter(None, (args.changes, preset.change))),
                          args.changes_seed)
    make_way(out)
    poses, views = drawing.places(scene, 8), []
    with Simulator(scene, find('rover'), 0, (VIEW_PX, VIEW_PX), EXACT, args.engine,
                   preset.camera) as sim:
        for number, pose in enumerate(poses):
            sim.reset(pose, number)
            views.append(sim.camera())
    use = use_of(args.seed)
    words = [f'{scene.generator} {scene.seed}' + (f' ({use})' if use else ''),
             f'rooms: {len(scene.rooms)}', f'doors: {len(scene.doors)}',
             f'furniture: {len(scene.furniture)}', f'light: {scene.lighting.name}',
             f'changes: {", ".join(scene.changes) or "none"}', f'camera: {args.camera}',
             f'engine: {args.engine}']
    draw.write_png(out, drawing.sheet(scene, views, poses, '; '.join(words)))
    print(f'{out}: {"; ".join(words)}')
    return 0
