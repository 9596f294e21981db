# SPDX-License-Identifier: Apache-2.0
"""
Defines the launch arguments, checks their values and starts the nodes, for all launch files.

Arguments have the names of nav2 where nav2 has the argument. An empty argument keeps the value in
params_file. An invalid value gives one sentence before any process is started. No other file of
the package imports launch.

Launch starts and restarts processes; it never requests a lifecycle transition. The configurator is
level-triggered and brings a restarted node to the state that it should have.
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

from ami_ros.core import renamed_public_names as renamed
from ami_ros.core.errors import AmiError
from ami_ros.core.robot_processes import GUARDS, PLANNERS, planners, RESPAWN_S, THREADS
from ami_ros.core.share_directory import share
from ami_ros.robots import find_robot as robots
from ami_ros.robots import parameter_file_nodes

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
SHIPPED = 'config/rover_node_parameters.yaml'     # parameters of the simulated rover
LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')
QUIET = {**THREADS, 'RCUTILS_LOGGING_BUFFERED_STREAM': '1'}
REMAPS = [          # tf by namespace, as nav2 has it; diagnostics of all robots in one place
    ('/tf', 'tf'), ('/tf_static', 'tf_static'), ('diagnostics', '/diagnostics'),
]
CLOSE_S = '30.0'    # time that a recorder has to close and check its bag
REFUSED_S = 30.0    # a node that exits with code 1 sooner than this refused its parameters


def text(value: str) -> str:
    """Take any text."""
    return value


def flag(value: str) -> bool:
    """Take true or false, in the spellings that launch files use."""
    if value.lower() not in ('true', '1', 'false', '0'):
        raise AmiError('it is neither true nor false')
    return value.lower() in ('true', '1')


def said_flag(value: str) -> bool | str:
    """Take true, false, or nothing."""
    return flag(value) if value else value


def topic(value: str) -> str:
    """Take the name of a topic."""
    if not re.fullmatch(r'/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', value, re.ASCII):
        raise AmiError('a topic is made of letters, digits, _ and /, no part begins with a '
                       'digit')
    return value


def level(value: str) -> str:
    """Take a severity."""
    if value.lower() not in LEVELS:
        raise AmiError(f'no such log level; there are: {", ".join(LEVELS)}')
    return value.lower()


def space(value: str) -> str:
    """Take a namespace without the slashes around it."""
    tokens = value.strip('/')
    if tokens and not all(re.fullmatch(r'[A-Za-z_]\w*', part, re.ASCII)
                          for part in tokens.split('/')):
        raise AmiError('a namespace is made of letters, digits and _, no part begins with a '
                       'digit')
    return tokens


def path(value: str) -> str:
    """Take a path, absolute from here on: a node may be started elsewhere."""
    return str(Path(value).expanduser().resolve()) if value else ''


def file(value: str) -> str:
    """Take the path of a file that is there."""
    if value and not Path(path(value)).is_file():
        raise AmiError('there is no such file')
    return path(value)


def folder(value: str) -> str:
    """Take the path of a folder that is there."""
    if value and not Path(path(value)).is_dir():
        raise AmiError('there is no such folder')
    return path(value)


def new(value: str) -> str:
    """Take the path of a folder that does not exist yet."""
    if value and Path(path(value)).exists():
        raise AmiError('the path exists already; a recording never overwrites a file')
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
    'namespace': Argument('', 'Namespace of every node and topic; only /diagnostics is shared',
                          space),
    'params_file': Argument('', 'Parameter file of every node; empty means params.yaml beside '
                            'robot_file if it exists, otherwise '
                            'config/rover_node_parameters.yaml of the package',
                            file),
    'robot_file': Argument('', 'Name of a robot, or path of its robot file; empty means the '
                           'robot that params_file names', robot),
    'safety_policy_file': Argument('', 'Safety policy of the critic; empty means the policy that '
                                   'params_file names, otherwise safety_policy.yaml beside '
                                   'robot_file', file),
    'module': Argument('', 'Folder of the trained module; empty means the module that '
                       'params_file names', folder),
    'use_composition': Argument('true', 'Run the planner as one process, mind; false runs '
                                'perception, world_model and actor as separate processes', flag),
    'use_respawn': Argument('true', 'Restart a process that exited', flag),
    'use_sim_time': Argument('false', 'Use the time of /clock; the simulator stamps wall time '
                             'except in lock-step', flag),
    'autostart': Argument('true', 'Activate the configurator at start without a lifecycle '
                          'request', flag),
    'log_level': Argument('info', f'Log level: {", ".join(LEVELS)}', level),
    'enable_stamped_cmd_vel': Argument('', 'Message type of velocity commands: true for '
                                       'TwistStamped, false for Twist; empty means the value in '
                                       'params_file', said_flag),
    'record': Argument('', 'New folder to record a bag to; empty records nothing', new),
    'cmd_vel_in_topic': Argument('cmd_vel_smoothed', 'Topic of the velocity commands that the '
                                 'critic filters', topic),
    'cmd_vel_out_topic': Argument('cmd_vel', 'Topic that the robot base subscribes to', topic),
    'lock_step': Argument('false', 'Advance simulated time only when the last frame was answered',
                          flag),
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
    """Check the arguments, then make the actions; launch prints the text of a RuntimeError."""
    given = {}
    for old, new in renamed.ARGUMENTS.items():
        if old in context.launch_configurations:
            raise RuntimeError(f'{old}:= was renamed to {new}:=')
    for name in names:
        said = LaunchConfiguration(name).perform(context)
        try:
            given[name] = ARGUMENTS[name].take(said)
        except AmiError as wrong:
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
    """Raise RuntimeError if no robot is named: the policy of the rover would apply to it."""
    if not (simulated or given['params_file'] or given['robot_file']):
        raise RuntimeError('no robot was named; write robot_file:=PATH, or params_file:=PATH of '
                           'a file that names the robot (robot_file:=rover for the simulated '
                           'rover)')


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
                               'safety_policy.yaml is beside it, and the policy of the rover is '
                               'for the rover only; write safety_policy_file:=PATH or '
                               'params_file:=PATH')
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
    """End the launch if a node refuses its parameters: a restart would refuse them again."""
    def on_exit(event, context):
        if event.returncode == 1 and time.monotonic() - begun_s < REFUSED_S:
            raise RuntimeError(f'{name} did not start; its error message is in the log above')
    return on_exit


def robot_nodes(given: dict) -> list:
    """Describe all nodes that run on a robot beside its drivers."""
    return [node(given, name) for name in (*GUARDS, *planners(given['use_composition']))]


def recorder(given: dict, file_says: dict[str, dict]) -> list:
    """Describe the recorder of the robot's topics, if a recording is requested."""
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
    """Raise RuntimeError if params_file names one of these nodes in another namespace.

    ROS would start that node with its defaults and report nothing.
    """
    for one in nodes:           # each is called as its executable
        name = one.node_executable
        full = f'{given["namespace"].rstrip("/")}/{name}'
        strays = parameter_file_nodes.misses(file_says, full)
        if strays:
            raise RuntimeError(f'params_file:={given["params_file"]} has parameters of '
                               f'{", ".join(strays)}, but the node is {full}; write /**/{name}')


def parameters(params_file: str) -> dict[str, dict]:
    """Read the parameters of a file by node name: '/robot1/critic' or '/**/critic'."""
    try:
        return parameter_file_nodes.parameters(params_file)
    except AmiError as wrong:
        raise RuntimeError(f'params_file:={wrong}') from wrong
