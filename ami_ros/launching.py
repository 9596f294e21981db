# SPDX-License-Identifier: Apache-2.0
"""
What the launch files share: their arguments, what is checked of them, and how a node is started.

Arguments have nav2's names where it has one. One that is empty leaves the parameter as params_file
says. What is wrong is one sentence, before any process is started. The only place with launch.

Launch starts processes and starts them again; it never asks for a lifecycle transition. Whoever
came back is brought to where it should be by the configurator, which is level-triggered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import re
import time

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, SetParameter
from launch_ros.parameter_descriptions import ParameterFile
import yaml

from ami_ros.agent import robots
from ami_ros.share import share

LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')
QUIET = {           # two spinning threads on two busy cores cost ten times
    'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1', 'OMP_WAIT_POLICY': 'PASSIVE',
    'RCUTILS_LOGGING_BUFFERED_STREAM': '1',
}
REMAPS = [          # tf by namespace, as nav2 has it; diagnostics of all robots in one place
    ('/tf', 'tf'), ('/tf_static', 'tf_static'), ('diagnostics', '/diagnostics'),
]
RESPAWN_S = 0.5     # until a process that ended is started again
REFUSED_S = 30.0    # who ends with code 1 so soon after the start, refused its parameters


def text(value: str) -> str:
    """Take it as it is."""
    return value


def flag(value: str) -> bool:
    """Take true or false, in the spellings that launch files use."""
    if value.lower() not in ('true', '1', 'false', '0'):
        raise ValueError('it is neither true nor false')
    return value.lower() in ('true', '1')


def level(value: str) -> str:
    """Take a severity."""
    if value.lower() not in LEVELS:
        raise ValueError(f'no such log level; there are: {", ".join(LEVELS)}')
    return value.lower()


def space(value: str) -> str:
    """Take a namespace without the slashes around it."""
    tokens = value.strip('/')
    if tokens and not all(re.fullmatch(r'[A-Za-z_]\w*', part, re.ASCII)
                          for part in tokens.split('/')):
        raise ValueError('a namespace is made of letters, digits and _, no part begins with a '
                         'digit')
    return tokens


def path(value: str) -> str:
    """Take a path, absolute from here on: a node may be started elsewhere."""
    return str(Path(value).expanduser().resolve()) if value else ''


def file(value: str) -> str:
    """Take the path of a file that is there."""
    if value and not Path(path(value)).is_file():
        raise ValueError('there is no such file')
    return path(value)


def folder(value: str) -> str:
    """Take the path of a folder that is there."""
    if value and not Path(path(value)).is_dir():
        raise ValueError('there is no such folder')
    return path(value)


def robot(value: str) -> str:
    """Take a robot that can be opened: a name, or the path of its file."""
    named = value if '/' not in value and not value.endswith('.yaml') else path(value)
    if named:
        robots.find(named)
    return named


@dataclass(frozen=True)
class Argument:
    """One launch argument; `take` returns what is meant, or raises what is wrong with it."""

    default: str
    about: str
    take: Callable[[str], object] = text


ARGUMENTS = {
    'namespace': Argument('', 'of every node and topic; /diagnostics alone is shared', space),
    'params_file': Argument(str(share('config/rover.yaml')), 'parameters of every node', file),
    'robot_file': Argument('', 'name of a robot, or path of its file; empty: as params_file says',
                           robot),
    'policy_file': Argument('', "the critic's numbers; empty: as params_file says", file),
    'module': Argument('', 'folder of the trained module; empty: as params_file says', folder),
    'use_composition': Argument('true', 'the mind is one process; false: perception, '
                                'world_model and actor', flag),
    'use_respawn': Argument('true', 'start a process again that ended', flag),
    'use_sim_time': Argument('false', 'follow /clock; the simulator stamps wall time but in '
                             'lock-step', flag),
    'autostart': Argument('true', 'the configurator brings itself and the mind up', flag),
    'log_level': Argument('info', ', '.join(LEVELS), level),
    'lock_step': Argument('false', 'time passes only when a frame was answered', flag),
}
COMMON = ('namespace', 'params_file', 'robot_file', 'use_respawn', 'use_sim_time', 'log_level')
MIND = ('module', 'use_composition', 'autostart')
ROBOT = (*COMMON, 'policy_file', *MIND)


def describe(make: Callable[[dict], list], names: tuple[str, ...]) -> LaunchDescription:
    """Describe a launch: the named arguments, then what `make` makes of what was given."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=ARGUMENTS[name].default,
                                description=ARGUMENTS[name].about) for name in names),
        OpaqueFunction(function=start, args=[make, names]),
    ])


def start(context, make: Callable[[dict], list], names: tuple[str, ...]) -> list:
    """Check what was given, then make the actions; launch says the sentence of a RuntimeError."""
    given = {}
    for name in names:
        said = LaunchConfiguration(name).perform(context)
        try:
            given[name] = ARGUMENTS[name].take(said)
        except ValueError as wrong:
            raise RuntimeError(f'{name}:={said}: {wrong}') from wrong
    outer = context.launch_configurations.get('ros_namespace', '')
    given['namespace'] = '/' + '/'.join(filter(None, (outer.strip('/'), given['namespace'])))
    actions = make(given)
    check_addressees(given, [action for action in actions if isinstance(action, Node)])
    return [GroupAction([SetParameter('use_sim_time', given['use_sim_time']), *actions])]


def node(given: dict, name: str, **parameters) -> Node:
    """Describe a node; a parameter that is empty is left as params_file says."""
    if 'lock_step' in given and name != 'configurator':
        parameters['lock_step'] = given['lock_step']
    return Node(
        package='ami_ros', executable=name, name=name, namespace=given['namespace'],
        output='screen', additional_env=QUIET, remappings=REMAPS,
        parameters=[ParameterFile(given['params_file'], allow_substs=True),
                    {key: value for key, value in
                     {'robot': given['robot_file'], **parameters}.items() if value != ''}],
        ros_arguments=['--log-level', given['log_level']],
        respawn=given['use_respawn'], respawn_delay=RESPAWN_S,
        on_exit=refusal(name, time.monotonic()))


def refusal(name: str, begun_s: float) -> Callable:
    """End the launch where a node would only refuse the same parameters again and again."""
    def on_exit(event, context):
        if event.returncode == 1 and time.monotonic() - begun_s < REFUSED_S:
            raise RuntimeError(f'{name} did not start; why stands above, in its own words')
    return on_exit


def robot_nodes(given: dict) -> list:
    """Describe all that runs on a robot beside its drivers."""
    return [node(given, 'critic', policy=given['policy_file']), *mind_nodes(given)]


def mind_nodes(given: dict) -> list:
    """Describe the configurator and whom it watches."""
    names = ('mind',) if given['use_composition'] else ('perception', 'world_model', 'actor')
    return [
        node(given, 'configurator', composed=given['use_composition'],
             autostart=given['autostart']),
        *(node(given, name, module=given['module']) for name in names)]


def check_addressees(given: dict, nodes: list[Node]) -> None:
    """RuntimeError where params_file speaks to one of these nodes by a name that is not its own.

    ROS would start that node with its defaults, without a word.
    """
    names = [one.node_executable for one in nodes]      # each is called as its executable
    full = {name: f'{given["namespace"].rstrip("/")}/{name}' for name in names}
    for key in addressees(given['params_file']):
        name = key.rpartition('/')[2]
        pattern = re.escape(key).replace(r'/\*\*', r'(/\w+)*').replace(r'/\*', r'/\w+')
        if name in full and not re.fullmatch(pattern, full[name]):
            raise RuntimeError(f'params_file:={given["params_file"]} has parameters of {key}, but '
                               f'the node is {full[name]}; write /**/{name}')


def addressees(params_file: str) -> list[str]:
    """List whom a parameter file speaks to, as '/robot1/critic' or '/**/critic'."""
    def walk(tree, above: str):
        for key, below in tree.items() if isinstance(tree, dict) else ():
            if key == 'ros__parameters':
                yield above
            else:
                yield from walk(below, f'{above}/{str(key).strip("/")}')
    try:
        return list(walk(yaml.safe_load(Path(params_file).read_text()), ''))
    except (yaml.YAMLError, UnicodeDecodeError) as wrong:
        said = ' '.join(str(wrong).split())
        raise RuntimeError(f'params_file:={params_file} is not YAML: {said}') from wrong
