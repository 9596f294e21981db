# SPDX-License-Identifier: Apache-2.0
"""
Declares settings as ROS parameters: description, unit, range, and which may change while driving.

rclpy drops a parameter that nobody declared without a word, so a typo in the YAML file would be
obeyed by silence. A node that is made with **FROM_FILE has everything that it was given declared
first; `declare` then takes each one, checks it, declares it properly, and refuses what is left.

While the node runs, a change is checked together with all that it belongs to, before anything is
set. rclpy looks at types, ranges and read-only before it asks anybody, in words that do not always
name what is right (of an unknown name it says '[]'), so the same check also stands before it.
"""

from collections.abc import Mapping
import dataclasses
import json
import sys
import traceback
from types import MappingProxyType

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter
import yaml

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import build, right, Settings, unknown, why
from ami_ros.robots import parameter_file_nodes

FROM_FILE = {'automatically_declare_parameters_from_overrides': True}   # for Node.__init__
SIM_TIME = 'use_sim_time'
OF_RCLPY = (SIM_TIME, 'start_type_description_service', 'qos_overrides.')


class Made(Mapping):
    """The settings of a node by prefix, always the newest that are valid as a whole.

    `now` is one mapping that is never changed, only replaced by the next: any thread may read it,
    and see by `is` whether there is another.
    """

    def __init__(self, groups: Mapping[str, type[Settings]], now: dict[str, Settings], where: str):
        self.groups, self.now, self.where = groups, MappingProxyType(now), where

    def __getitem__(self, prefix: str) -> Settings:
        """Return the newest settings of a group."""
        return self.now[prefix]

    def __iter__(self):
        """Go through the prefixes."""
        return iter(self.now)

    def __len__(self) -> int:
        """Count the groups."""
        return len(self.now)

    def with_changes(self, changes: list[Parameter]) -> dict[str, Settings]:
        """Return what would be with them; ValueError names what is wrong and what is right.

        Parameters of others than these groups are left to who declared them.
        """
        by_group: dict[str, dict] = {}
        for change in changes:
            prefix, field = field_of(change.name, self.groups)
            if prefix is None or field is None:
                continue
            now = getattr(self.now[prefix], field.name)
            if not field.metadata['live']:
                raise AmiError(
                    f'{self.where}: {change.name} is {now!r} for as long as the node runs '
                    f'({why(self.groups[prefix], field)}); give it at the start ({right(field)})')
            by_group.setdefault(prefix, {})[field.name] = plain(change.value)
        return {**self.now,
                **{prefix: build(self.groups[prefix], {**vars(self.now[prefix]), **values},
                                 within(self.where, prefix))
                   for prefix, values in by_group.items()}}

    def take(self, changes: list[Parameter]) -> None:
        """Make changes that were checked."""
        if any(field_of(change.name, self.groups)[1] for change in changes):
            self.now = MappingProxyType(self.with_changes(changes))


def declare(node: Node, groups: Mapping[str, type[Settings]]) -> Made:
    """Declare dataclasses of settings; return what they were made into.

    The key is the prefix: {'': MindSettings, 'actor': ActorSettings} declares `lock_step` and
    `actor.candidates`. Fields that are declared `live` may be set while the node runs, the others
    are read-only. ValueError says in one sentence which parameter is wrong and which are right.
    """
    given = {name: p.value for name, p in node.get_parameters_by_prefix('').items()
             if not name.startswith(OF_RCLPY)}
    full = node.get_fully_qualified_name()
    where = f'parameters of {full}'
    made = Made(groups, make(given, groups, where), where)
    check_named(full, given, groups)
    for name in given:
        node.undeclare_parameter(name)
    for prefix, settings in made.items():
        for field in dataclasses.fields(settings):
            node.declare_parameter(join(prefix, field.name), getattr(settings, field.name),
                                   descriptor(type(settings), field), ignore_override=True)
    watch(node, made)
    return made


def check_named(full: str, given: Mapping[str, object], groups: Mapping[str, type[Settings]],
                arguments: list[str] | None = None) -> None:
    """Refuse a parameter file that means another node, and a robot that nobody named."""
    files = parameter_file_nodes.given_files(sys.argv if arguments is None else arguments)
    missing = [name for name in (groups[''].NAMED if '' in groups else ()) if not given.get(name)]
    if missing:
        raise AmiError(parameter_file_nodes.unnamed(full, missing, files))
    for file in files:
        strays = parameter_file_nodes.misses(parameter_file_nodes.parameters(file), full)
        if strays:
            raise AmiError(f'{file} has parameters of {", ".join(strays)}, but this node is '
                           f'{full}; write /**/{full.rpartition("/")[2]}')


def make(given: dict, groups: Mapping[str, type[Settings]], where: str) -> dict[str, Settings]:
    """Make settings of parameters by their full names; ValueError in one sentence."""
    by_group: dict[str, dict] = {prefix: {} for prefix in groups}
    for name, value in given.items():
        prefix, key = group_of(name, groups)
        if prefix is None:
            raise AmiError(f'{where}: {unknown(name, names(groups))}')
        by_group[prefix][key] = plain(value)
    return {prefix: build(kind, by_group[prefix], within(where, prefix))
            for prefix, kind in groups.items()}


def watch(node: Node, made: Made) -> None:
    """Refuse what is wrong and take what is right, from now on."""
    takes_after = hasattr(node, 'add_post_set_parameters_callback')     # Humble has none

    def refused(wrong: str) -> SetParametersResult:
        return SetParametersResult(successful=False, reason=wrong)

    def check(changes: list[Parameter]) -> SetParametersResult:
        try:
            made.with_changes(changes)
            return SetParametersResult(successful=True)
        except ValueError as wrong:         # a node that runs goes on
            if not isinstance(wrong, AmiError):
                node.get_logger().error(traceback.format_exc())
            return refused(str(wrong))

    node.add_on_set_parameters_callback(check)
    if takes_after:
        node.add_post_set_parameters_callback(made.take)

    of_rclpy = node.set_parameters_atomically

    def atomically(changes: list[Parameter]) -> SetParametersResult:
        changes = [as_declared(change, made.groups) for change in changes]
        for change in changes:      # half of what it remembers would be of another clock
            if change.name == SIM_TIME and change.value != node.get_parameter(SIM_TIME).value:
                return refused(f'{made.where}: {SIM_TIME} is {node.get_parameter(SIM_TIME).value} '
                               'for as long as the node runs; give it at the start')
        for change in changes:
            if not node.has_parameter(change.name):
                known = node.get_parameters_by_prefix('')
                return refused(f'{made.where}: {unknown(change.name, known)}')
            said = node.describe_parameter(change.name)
            if field_of(change.name, made.groups)[1] is None and said.read_only:
                return refused(f'{made.where}: {change.name} is read-only: {said.description}')
        result = check(changes)
        if result.successful:
            result = of_rclpy(changes)
            if result.successful and not takes_after:
                made.take(changes)
        return result

    node.set_parameters_atomically = atomically
    node.set_parameters = lambda changes: [atomically([change]) for change in changes]


def as_declared(change: Parameter, groups: Mapping[str, type[Settings]]) -> Parameter:
    """Take a whole number for a float where one is wanted, as the YAML file may say it, too."""
    _, field = field_of(change.name, groups)
    if field is not None and field.type is float and change.type_ == Parameter.Type.INTEGER:
        return Parameter(change.name, Parameter.Type.DOUBLE, float(change.value))
    return change


def show(node: Node, prefix: str, settings: Settings) -> None:
    """Declare settings that come from elsewhere, to be read and never given."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, tuple):        # a parameter cannot hold corners
            value = json.dumps(value)
        node.declare_parameter(join(prefix, field.name), value,
                               descriptor(type(settings), field, False), ignore_override=True)


def plain(value):
    """Return a list as a list; rclpy has several kinds."""
    return list(value) if hasattr(value, '__iter__') and not isinstance(value, str) else value


def within(where: str, prefix: str) -> str:
    """Name a group within a node's parameters."""
    return f'{where}, {prefix}' if prefix else where


def join(prefix: str, key: str) -> str:
    """Return the full name of a parameter."""
    return f'{prefix}.{key}' if prefix else key


def names(groups: Mapping[str, type[Settings]]) -> list[str]:
    """List every parameter that the groups make, as it stands in the YAML file."""
    return [join(prefix, field.name) for prefix, kind in groups.items()
            for field in dataclasses.fields(kind)]


def group_of(name: str, groups: Mapping[str, type[Settings]]) -> tuple[str | None, str]:
    """Split 'actor.candidates' into the group that it belongs to and the key within."""
    prefix, _, key = name.rpartition('.')
    return (prefix, key) if prefix in groups else (None, name)


def field_of(name: str, groups: Mapping[str, type[Settings]]
             ) -> tuple[str | None, dataclasses.Field | None]:
    """Find the group and the declaration of a parameter; None where it is not of these groups."""
    prefix, key = group_of(name, groups)
    fields = {field.name: field for field in dataclasses.fields(groups[prefix])} \
        if prefix is not None else {}
    return prefix, fields.get(key)


def descriptor(kind: type[Settings], field: dataclasses.Field,
               may_live: bool = True) -> ParameterDescriptor:
    """Say to rqt and `ros2 param describe` what the field's declaration says."""
    meta = field.metadata
    live = meta['live'] and may_live
    relations = [f'{one.one} {one.words} {one.other}' for one in kind.RELATIONS
                 if field.name in (one.one, one.other)]
    out = ParameterDescriptor(
        name=field.name, read_only=not live, description=f'{meta["reason"]} [{right(field)}]',
        additional_constraints='; '.join(relations))
    if meta['low'] is not None and field.type is float:
        out.floating_point_range = [FloatingPointRange(from_value=float(meta['low']),
                                                       to_value=float(meta['high']))]
    elif meta['low'] is not None and field.type is int:
        out.integer_range = [IntegerRange(from_value=meta['low'], to_value=meta['high'], step=1)]
    return out


def in_yaml(value) -> str:
    """Write a value as it stands in a YAML file."""
    return yaml.safe_dump(value, default_flow_style=True).split('\n')[0]


def block(node: str, groups: Mapping[str, type[Settings]], named: Mapping[str, str]) -> str:
    """Write a node's block of the YAML file: every default, with what is right, and its reason.

    `/**/` makes it hold in every namespace. `named`: what has no default, by its name.
    """
    lines = [f'/**/{node}:', '  ros__parameters:']
    for prefix, kind in groups.items():
        if prefix:
            lines.append(f'    {prefix}:')
        for field in dataclasses.fields(kind):
            meta, indent = field.metadata, ' ' * (6 if prefix else 4)
            span = right(field) if meta['low'] is not None else meta['unit'].strip('-')
            said = ', '.join(filter(None, (span, 'live' if meta['live'] else '')))
            value = named[field.name] if not prefix and field.name in kind.NAMED else field.default
            lines.append(f'{indent}{field.name}: {in_yaml(value)}'.ljust(40)
                         + f'  # {f"[{said}] " if said else ""}{meta["reason"]}')
    return '\n'.join(lines) + '\n'
