# SPDX-License-Identifier: Apache-2.0
"""Send a goal image to the robot, or capture one."""

import argparse
from pathlib import Path

from ami_ros.core.errors import AmiError
from ami_ros.nodes import ros_arguments


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = one.add_mutually_exclusive_group(required=True)
    what.add_argument(
        'picture', nargs='?', type=Path, metavar='IMAGE',
        help="PNG or JPEG image taken by a camera like the robot's")
    what.add_argument(
        '--from-camera', action='store_true',
        help='Send the current camera image as the goal')
    what.add_argument(
        '--take', type=Path, metavar='IMAGE',
        help='Save the current camera image as a PNG for later use')
    what.add_argument('--cancel', action='store_true', help='Cancel the current goal')
    what.add_argument(
        '--new-episode', action='store_true',
        help='Report that the robot was carried elsewhere: the goal is cleared and the robot '
             'relocalizes; the mode does not change')
    one.add_argument(
        '--wait', action='store_true',
        help='Wait until the configurator completes the goal: arrived and stayed, or failed')
    one.add_argument('--robot', default='rover', help='Robot file that names the camera')
    ros_arguments.add(one, '-p use_sim_time:=true')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status: 0 when it is taken, or with --wait when it is there."""
    from ami_ros.perception.images import codec
    from ami_ros.robots.find_robot import find
    ros, robot = ros_arguments.given(args), find(args.robot)
    if args.take is not None and args.take.exists():
        raise AmiError(f'{args.take} is there already and nothing is overwritten')
    picture = None
    if args.picture is not None:
        if not args.picture.is_file():
            raise AmiError(f'there is no image {args.picture}; `ami-ros goal --take '
                           f'{args.picture.name}` takes one with the camera of the robot')
        picture = codec.from_compressed(args.picture.read_bytes())
    from ami_ros.operator import mode, send_goal
    if args.cancel:
        print(mode.ask('cancel', ros)[1])
        return 0
    if args.new_episode:
        print(f'episode {mode.ask("new episode", ros)[1]} began; there is no goal any more')
        return 0
    if picture is None:
        picture = send_goal.look(robot, ros)
    if args.take is not None:
        args.take.write_bytes(codec.to_png(picture))
        print(f'{args.take}: {picture.shape[1]}x{picture.shape[0]}')
        return 0
    print(send_goal.give(picture, args.wait, lambda news: print(news, flush=True), ros))
    return 0
