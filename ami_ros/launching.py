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
from typing import Any

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, SetParameter
from launch_ros.parameter_descriptions import ParameterFile

from ami_ros.core import renamed
from ami_ros.core.share import share
from ami_ros.core.stack import GUARDS, PLANNERS, planners, RESPAWN_S, THREADS
from ami_ros.robots import addressed
from ami_ros.robots import find as robots

TELLS = {           # argument: the parameter that it sets, and the nodes that have it
    'robot_file': ('robot', (*PLANNERS, 'critic', 'configurator', 'sim')),
    'safety_policy_file': ('safety_policy', ('critic',)),
    'module': ('module', PLANNERS),
    'use_composition': ('use_composition', ('configurator',)),
    'autostart': ('autostart', ('configurator',)),
    'enable_stamped_cmd_vel': ('enable_stamped_cmd_vel',
                               ('critic', 'mind', 'world_model', 'actor', 'sim')),
    'lock_step': ('lock_step', (*PLANNERS, 'critic', 'sim')),
}
SHIPPED = 'config/rover.yaml'     # parameters of the simulated rover
LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')
QUIET = {**THREADS, 'RCUTILS_LOGGING_BUFFERED_STREAM': '1'}
REMAPS = [          # tf by namespace, as nav2 has it; diagnostics of all robots in one place
    ('/tf', 'tf'), ('/tf_static', 'tf_static'), ('diagnostics', '/diagnostics'),
]
CLOSE_S = '30.0'    # a recorder has to close and check its bag
REFUSED_S = 30.0    # who ends with code 1 so soon after the start, refused its parameters


def text(value: str) -> str:
    """Take it as it is."""
    return value


def flag(value: str) -> bool:
    """Take true or false, in the spellings that launch files use."""
    if value.lower() not in ('true', '1', 'false', '0'):
        raise ValueError('it is neither true nor false')
    return value.lower() in ('true', '1')


def said_flag(value: str) -> bool | str:
    """Take true, false, or nothing."""
    return flag(value) if value else value


def topic(value: str) -> str:
    """Take the name of a topic."""
    if not re.fullmatch(r'/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', value, re.ASCII):
        raise ValueError('a topic is made of letters, digits, _ and /, no part begins with a '
                         'digit')
    return value


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


def new(value: str) -> str:
    """Take the path of something that is to be made."""
    if value and Path(path(value)).exists():
        raise ValueError('it is there already, and a recording never overwrites one')
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
    take: Callable[[str], Any] = text


ARGUMENTS = {
    'namespace': Argument('', 'of every node and topic; /diagnostics alone is shared', space),
    'params_file': Argument('', 'parameters of every node; empty: params.yaml beside robot_file, '
                            'where there is one, else config/rover.yaml of the package', file),
    'robot_file': Argument('', 'name of a robot, or path of its file; empty: as params_file says',
                           robot),
    'safety_policy_file': Argument('', "the critic's numbers; empty: as params_file says", file),
    'module': Argument('', 'folder of the trained module; empty: as params_file says', folder),
    'use_composition': Argument('true', 'the mind is one process; false: perception, '
                                'world_model and actor', flag),
    'use_respawn': Argument('true', 'start a process again that ended', flag),
    'use_sim_time': Argument('false', 'follow /clock; the simulator stamps wall time but in '
                             'lock-step', flag),
    'autostart': Argument('true', 'the configurator is active without being asked to', flag),
    'log_level': Argument('info', ', '.join(LEVELS), level),
    'enable_stamped_cmd_vel': Argument('', 'true: TwistStamped, false: Twist; empty: as '
                                       'params_file says', said_flag),
    'record': Argument('', 'folder of a bag to record to, a new one; empty: none', new),
    'cmd_vel_in_topic': Argument('cmd_vel_smoothed', 'where the velocities come from that are '
                                 'to be guarded', topic),
    'cmd_vel_out_topic': Argument('cmd_vel', 'what the base listens to', topic),
    'lock_step': Argument('false', 'time passes only when a frame was answered', flag),
}
FOR_ALL = ('namespace', 'params_file', 'robot_file', 'enable_stamped_cmd_vel', 'use_respawn',
 'use_sim_time', 'log_level', 'record')
FOR_MIND = ('module', 'use_composition', 'autostart')
FOR_ROBOT = (*FOR_ALL, 'safety_policy_file', *FOR_MIND)


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
    for old, new in renamed.ARGUMENTS.items():
        if old in context.launch_configurations:
            raise RuntimeError(f'{old}:= was renamed to {new}:=')
    for name in names:
        said = LaunchConfiguration(name).perform(context)
        try:
            given[name] = ARGUMENTS[name].take(said)
        except ValueError as wrong:
            raise RuntimeError(f'{name}:={said}: {wrong}') from wrong
    check_named(given, simulated='lock_step' in names)
    given = own_files(given)
    outer = context.launch_configurations.get('ros_namespace', '')
    given['namespace'] = '/' + '/'.join(filter(None, (outer.strip('/'), given['namespace'])))
    nodes = make(given)
    file_says = parameters(given['params_file'])
    check_addressees(given, nodes, file_says)
    return [GroupAction([SetParameter('use_sim_time', given['use_sim_time']), *nodes,
                         *recorder(given, file_says)])]


def check_named(given: dict, simulated: bool) -> None:
    """RuntimeError where nobody said which robot it is: it would be guarded as the rover is."""
    if not (simulated or given['params_file'] or given['robot_file']):
        raise RuntimeError('no robot was named; write robot_file:=PATH, or params_file:=PATH of '
                           'parameters that name it (robot_file:=rover for the simulated rover)')


def own_files(given: dict) -> dict:
    """Find the parameter file and the policy where they were not named: beside the robot file.

    A robot that has a file of its own is never guarded by the policy of the rover.
    """
    if given['params_file']:
        return given
    robot_file, shipped = given['robot_file'], str(share(SHIPPED))
    if '/' not in robot_file:       # the rover
        return {**given, 'params_file': shipped}
    folder = Path(robot_file).parent
    if (folder / 'params.yaml').is_file():
        return {**given, 'params_file': str(folder / 'params.yaml')}
    given = {**given, 'params_file': shipped}
    if 'safety_policy_file' in given and not given['safety_policy_file']:
        if not (folder / 'safety_policy.yaml').is_file():
            raise RuntimeError(f'robot_file:={robot_file}: neither params.yaml nor '
                               f'safety_policy.yaml is '
                               "beside it, and the rover's policy is not its own; write "
                               'safety_policy_file:=PATH or params_file:=PATH')
        given['safety_policy_file'] = str(folder / 'safety_policy.yaml')
    return given


def node(given: dict, name: str, remaps: tuple = (), **known) -> Node:
    """Describe a node; an argument that is empty leaves its parameter as params_file says."""
    for argument, (parameter, nodes) in TELLS.items():
        if name in nodes and given.get(argument, '') != '':
            known[parameter] = given[argument]
    return Node(
        package='ami_ros', executable=name, name=name, namespace=given['namespace'],
        output='screen', additional_env=QUIET, remappings=[*REMAPS, *remaps],
        parameters=[ParameterFile(given['params_file'], allow_substs=True), known],
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
    return [node(given, name) for name in (*GUARDS, *planners(given['use_composition']))]


def recorder(given: dict, file_says: dict[str, dict]) -> list:
    """Describe who records the topics of the robot, where that is asked for."""
    if not given['record']:
        return []
    said = [values['robot'] for values in file_says.values() if values.get('robot')]
    if not given['robot_file'] and not said:
        raise RuntimeError(f'params_file:={given["params_file"]} names no robot to record; write '
                           'robot_file:=PATH')
    robot_file = given['robot_file'] or said[0]
    return [Node(
        package='ami_ros', executable='ami-ros', namespace=given['namespace'], output='screen',
        arguments=['record', '--out', given['record'], '--robot', robot_file],
        ros_arguments=['--log-level', given['log_level']],
        additional_env=QUIET, remappings=REMAPS,
        sigterm_timeout=CLOSE_S, on_exit=refusal('record', time.monotonic()))]


def check_addressees(given: dict, nodes: list[Node], file_says: dict[str, dict]) -> None:
    """RuntimeError where params_file speaks to one of these nodes by a name that is not its own.

    ROS would start that node with its defaults, without a word.
    """
    for one in nodes:           # each is called as its executable
        name = one.node_executable
        full = f'{given["namespace"].rstrip("/")}/{name}'
        strays = addressed.misses(file_says, full)
        if strays:
            raise RuntimeError(f'params_file:={given["params_file"]} has parameters of '
                               f'{", ".join(strays)}, but the node is {full}; write /**/{name}')


def parameters(params_file: str) -> dict[str, dict]:
    """Read what a parameter file says, by whom it speaks to: '/robot1/critic' or '/**/critic'."""
    try:
        return addressed.parameters(params_file)
    except ValueError as wrong:
        raise RuntimeError(f'params_file:={wrong}') from wrong
