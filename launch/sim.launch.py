# SPDX-License-Identifier: Apache-2.0
"""
Starts the simulated rover and its mind.

Three processes guard each other: the critic, the configurator and the mind; the simulator stands
in for the robot's drivers. `composed:=false` runs one node a process over the very same topics.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, SetEnvironmentVariable
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, PushROSNamespace, SetParameter
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue

HERE = Path(__file__).resolve().parents[1]      # share/ami_ros, or a checkout
ARGUMENTS = {       # name: (default, description)
    'namespace': ('', 'of every node and topic'),
    'params_file': (str(HERE / 'config' / 'rover.yaml'), 'parameters of every node'),
    'module': ('', 'folder of the trained module; empty: the shipped one'),
    'composed': ('true', 'perception, world model and actor in one process'),
    'lock_step': ('false', 'time passes only when a frame was answered'),
    'use_sim_time': ('false', 'follow /clock; the simulator stamps wall time but in lock-step'),
    'respawn': ('true', 'start again what ended'),
    'log_level': ('info', 'debug, info, warn, error or fatal'),
}
QUIET = {           # two spinning threads on two busy cores cost ten times
    'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1', 'OMP_WAIT_POLICY': 'PASSIVE',
    'RCUTILS_LOGGING_BUFFERED_STREAM': '1',
}
TF = [('/tf', 'tf'), ('/tf_static', 'tf_static')]       # so that namespaces hold for them too


def node(name: str, condition=None, **parameters) -> Node:
    """Describe a node, respawned where that is asked for."""
    return Node(
        package='ami_ros', executable=name, name=name, output='screen', condition=condition,
        parameters=[ParameterFile(LaunchConfiguration('params_file'), allow_substs=True),
                    parameters],
        remappings=TF, respawn=LaunchConfiguration('respawn'), respawn_delay=2.0,
        arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')])


def given(name: str, kind: type) -> ParameterValue:
    """Take a parameter from the launch argument of the same name."""
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def generate_launch_description() -> LaunchDescription:
    """Describe the whole robot."""
    composed = LaunchConfiguration('composed')
    pace = {'lock_step': given('lock_step', bool)}
    thinking = {**pace, 'module': given('module', str)}
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=text)
          for name, (default, text) in ARGUMENTS.items()),
        *(SetEnvironmentVariable(name, value) for name, value in QUIET.items()),
        GroupAction([
            PushROSNamespace(LaunchConfiguration('namespace')),
            SetParameter('use_sim_time', given('use_sim_time', bool)),
            node('critic', **pace),
            node('configurator'),
            node('mind', IfCondition(composed), **thinking),
            node('perception', UnlessCondition(composed), **thinking),
            node('world_model', UnlessCondition(composed), **thinking),
            node('actor', UnlessCondition(composed), **thinking),
            node('sim', **pace),
        ]),
    ])
