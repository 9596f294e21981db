# SPDX-License-Identifier: Apache-2.0
"""Create the files of a new robot, check a robot file, or list the robots."""

import argparse
from pathlib import Path

from ami_ros.core.errors import AmiError


def add(one: argparse.ArgumentParser) -> None:
    """Declare the sub-commands and their options."""
    what = one.add_subparsers(dest='what', required=True, metavar='WHAT')
    new = what.add_parser('new', help='Create a folder with all files of a new robot')
    new.add_argument('name', help='Robot name of a-z, 0-9 and _; modules are trained for it')
    new.add_argument(
        '--out', type=Path, default=Path(), metavar='FOLDER',
        help='Parent folder of the new folder (default: the current folder)')
    new.add_argument(
        '--like', default='', metavar='ROBOT',
        help='Name or robot file of the robot to copy')
    check = what.add_parser('check', help='Check a robot file, its URDF and its safety policy')
    check.add_argument('robot', metavar='FILE', help='Path or name of a robot file')
    check.add_argument(
        '--safety-policy', type=Path, default=None, metavar='FILE',
        help='Safety policy file; default: safety_policy.yaml beside the robot file')
    check.add_argument(
        '--params', type=Path, default=None, metavar='FILE',
        help='Parameter file of the nodes; default: params.yaml beside the robot file')
    what.add_parser('list', help='List the robots of the package')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    for line in {'new': new, 'check': check, 'list': listed}[args.what](args):
        print(line)
    return 0


def new(args: argparse.Namespace) -> list[str]:
    """Make the folder; say what is in it."""
    from ami_ros.operator.new_robot_files import make
    path = make(args.name, args.out, args.like)
    return [f'made {path.parent}:', *(f'  {file.name}' for file in sorted(path.parent.iterdir())),
            f'begin with {path.parent / "README.md"}']


def check(args: argparse.Namespace) -> list[str]:
    """Read all; say what each sensor is, what limits hold, and what does not fit together."""
    from ami_ros.core import findings
    from ami_ros.critic.safety_policy.consistency import together, wrong
    from ami_ros.operator.new_robot_files import left, policy_of
    from ami_ros.robots.find_robot import find
    robot = find(args.robot)
    path, policy = policy_of(robot, args.safety_policy)
    params, said = parameters_of(robot, args.params)
    compared = together(robot, policy, said)
    found = [one for one in compared if one.level != findings.OK]
    if findings.status(found):
        raise AmiError(wrong(found))
    length, width = robot.body.footprint.max(0) - robot.body.footprint.min(0)
    todo = left(robot)
    return [
        f'{robot.name}: {robot.path}, {robot.urdf}, {path}' + (f', {params}' if params else ''),
        *(sensor_line(sensor, robot) for sensor in robot.sensors),
        f'body    {length:.3f} m long, {width:.3f} m wide; {robot.command_type} on cmd_vel',
        f'limits  {robot.max_speed_mps} m/s, {robot.max_turn_radps} rad/s; the policy allows '
        f'{policy.shared.max_speed_mps} m/s, {policy.shared.max_turn_radps} rad/s',
        *unchecked(robot),
        *([f'still to be measured: {", ".join(todo)}'] if todo else []),
        *findings.table(found),
        f'{len(compared) - len(found)} of {len(compared)} comparisons of these files are ok',
        'good']


def parameters_of(robot, path: Path | None) -> tuple[Path | None, dict | None]:
    """Read the parameters of the nodes: the file named, or the one beside the robot file."""
    from ami_ros.critic.safety_policy.consistency import same_file
    from ami_ros.robots import parameter_file_nodes
    if path is None:
        path = robot.path.parent / 'params.yaml'
        if not path.is_file():
            return None, None
    out: dict[str, dict] = {}
    for key, values in parameter_file_nodes.parameters(path).items():
        named = str(values.get('robot', ''))
        another = '/' in named and not same_file(named, str(robot.path)) and Path(named).is_file()
        if not another:         # a file may hold the parameters of several robots
            out.setdefault(key.rpartition('/')[2], {}).update(parameter_file_nodes.flat(values))
    everybody = out.pop('**', {})
    return path, {node: {**everybody, **out.get(node, {})}      # these two always run
                  for node in {**dict.fromkeys(('critic', 'mind')), **out}}


def unchecked(robot) -> list[str]:
    """Say of which lidars the robot file does not say where their beams look."""
    return [f'{sensor.name}: no angle_min_rad and angle_max_rad are given, so its scans are '
            'compared with its first one alone, and with nothing that is known to be right'
            for sensor in robot.sensors_of('LaserScan') if sensor.angle_min_rad is None]


def sensor_line(sensor, robot) -> str:
    """Say of a sensor what, where, how often."""
    line = (f'{sensor.name:14s}{sensor.kind:16s}{sensor.topic:24s}'
            + ('on change' if sensor.hz == 0.0 else f'{sensor.hz:g} Hz').ljust(10)
            + ('required  ' if sensor.required else '          '))
    if sensor.link is not None:
        place = robot.body.mount(sensor.link)
        line += f'{sensor.link} at {place[0]:.3f} {place[1]:.3f} {place[2]:.3f} m'
    return line.rstrip()


def listed(_: argparse.Namespace) -> list[str]:
    """Name the robots with what they sense."""
    from ami_ros.robots.find_robot import find, names
    return [f'{name}: {", ".join(s.kind for s in find(name).sensors)}; {find(name).path}'
            for name in names()]
