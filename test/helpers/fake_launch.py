# SPDX-License-Identifier: Apache-2.0
"""
Stands in for launch and launch_ros, which are not among the wheels: enough to see what is started.

It pretends that a description is done from top to bottom at once, that every substitution is a
launch argument, and that the system has all packages. It starts no process and knows no events;
what happens when a process ends is tried by calling the action's `on_exit`. What it takes is less
than what the real ones take, never more, and a test compares the two where the real ones are.
"""

import sys
from types import ModuleType


class LaunchConfiguration:
    """An argument, when it is asked for."""

    def __init__(self, variable_name):
        self.variable_name = variable_name

    def perform(self, context) -> str:
        """Return what was given; the real one raises another class of the same name."""
        if self.variable_name not in context.launch_configurations:
            raise KeyError(f'launch configuration {self.variable_name!r} does not exist')
        return context.launch_configurations[self.variable_name]


class Action:
    """Something to be done; by itself nothing but to be seen."""

    def do(self, context) -> list:
        """Return what it leads to."""
        return []


class LaunchDescription(Action):
    def __init__(self, initial_entities=()):
        self.entities = list(initial_entities)

    def do(self, context):
        return self.entities


class DeclareLaunchArgument(Action):
    def __init__(self, name, *, default_value=None, description=None, choices=None):
        self.name, self.default_value, self.description = name, default_value, description
        self.choices = choices

    def do(self, context):
        if self.default_value is None and self.name not in context.launch_configurations:
            raise RuntimeError(f'required launch argument {self.name!r} was not provided')
        said = context.launch_configurations.setdefault(self.name, self.default_value)
        if self.choices is not None and said not in self.choices:
            raise RuntimeError(f'argument {self.name!r} is not in {self.choices}')
        return []


class OpaqueFunction(Action):
    def __init__(self, *, function, args=()):
        self.function, self.args = function, args

    def do(self, context):
        return self.function(context, *self.args) or []


class GroupAction(Action):
    def __init__(self, actions):
        self.actions = actions

    def do(self, context):
        return self.actions


class SetParameter(Action):
    def __init__(self, name, value):
        self.name, self.value = name, value

    def do(self, context):
        context.global_parameters[self.name] = self.value
        return []


class LogInfo(Action):
    def __init__(self, *, msg):
        self.msg = msg


class ExecuteProcess(Action):
    def __init__(self, *, cmd, name=None, output='log', additional_env=None, respawn=False,
                 respawn_delay=None, on_exit=None, sigterm_timeout=None):
        self.cmd, self.name, self.output, self.additional_env = cmd, name, output, additional_env
        self.respawn, self.respawn_delay, self.on_exit = respawn, respawn_delay, on_exit
        self.sigterm_timeout = sigterm_timeout


class Node(ExecuteProcess):
    def __init__(self, *, executable, package, name=None, namespace=None, parameters=None,
                 remappings=None, ros_arguments=None, arguments=None, **process):
        super().__init__(cmd=[executable], name=name, **process)
        self.node_executable, self.node_package, self.namespace = executable, package, namespace
        self.parameters, self.remappings = parameters or [], remappings or []
        self.ros_arguments, self.arguments = ros_arguments or [], arguments or []


class ParameterFile:
    def __init__(self, param_file, *, allow_substs=False):
        self.param_file, self.allow_substs = param_file, allow_substs


class Context:
    """What is known while a launch goes on: its arguments, and the parameters of all nodes."""

    def __init__(self, **given):
        self.launch_configurations: dict[str, str] = given
        self.global_parameters: dict[str, object] = {}


MODULES = {
    'launch': (LaunchDescription,),
    'launch.actions': (DeclareLaunchArgument, ExecuteProcess, GroupAction, LogInfo,
                       OpaqueFunction),
    'launch.substitutions': (LaunchConfiguration,),
    'launch_ros': (),
    'launch_ros.actions': (Node, SetParameter),
    'launch_ros.parameter_descriptions': (ParameterFile,),
}


def pretend(patch) -> None:
    """Be there in the place of the real ones, until `patch` (a MonkeyPatch) is undone."""
    for name, classes in MODULES.items():
        module = ModuleType(name)
        for one in classes:
            setattr(module, one.__name__, one)
        patch.setitem(sys.modules, name, module)


def processes(description: LaunchDescription, **given) -> tuple[list[ExecuteProcess], Context]:
    """Do all that a description says with these arguments; return what would be started."""
    context, started = Context(**given), []

    def do(action):
        if isinstance(action, ExecuteProcess):
            started.append(action)
        for below in action.do(context):
            do(below)
    do(description)
    return started, context
