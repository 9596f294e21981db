# SPDX-License-Identifier: Apache-2.0
"""
Declares settings as ROS parameters: description, unit, range, read-only.

rclpy drops a parameter that nobody declared without a word, so a typo in the YAML file would be
obeyed by silence. A node that is made with **FROM_FILE has everything that it was given declared
first; `declare` then takes each one, checks it, declares it properly, and refuses what is left.
"""

import dataclasses
import difflib

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node
import yaml

from ami_ros.agent.settings import build

FROM_FILE = {'automatically_declare_parameters_from_overrides': True}   # for Node.__init__
OF_RCLPY = ('use_sim_time', 'start_type_description_service', 'qos_overrides.')


def declare(node: Node, groups: dict[str, type], live: tuple[str, ...] = ()) -> dict:
    """Declare dataclasses of settings; return the same dict with the settings made.

    The key is the prefix: {'': MindSettings, 'actor': ActorSettings} declares `lock_step` and
    `actor.candidates`. Groups named in `live` may be set while the node runs, the others are
    read-only. ValueError says in one sentence which parameter is wrong and which are right.
    """
    given = {name: p.value for name, p in node.get_parameters_by_prefix('').items()
             if not name.startswith(OF_RCLPY)}
    where = f'parameters of {node.get_fully_qualified_name()}'
    by_group: dict[str, dict] = {prefix: {} for prefix in groups}
    for name, value in given.items():
        prefix, key = group_of(name, groups)
        if prefix is None:
            close = difflib.get_close_matches(name, names(groups), 1)
            hint = f'; did you mean {close[0]!r}?' if close else ''
            raise ValueError(f'{where}: unknown key {name!r}{hint} (there are: '
                             f'{", ".join(sorted(names(groups)))})')
        by_group[prefix][key] = list(value) if isinstance(value, (tuple, list)) else value
    made = {prefix: build(kind, by_group[prefix], f'{where}, {prefix}' if prefix else where)
            for prefix, kind in groups.items()}
    for name in given:
        node.undeclare_parameter(name)
    for prefix, settings in made.items():
        for field in dataclasses.fields(settings):
            name = f'{prefix}.{field.name}' if prefix else field.name
            node.declare_parameter(name, getattr(settings, field.name),
                                   descriptor(field, prefix not in live), ignore_override=True)
    return made


def show(node: Node, prefix: str, settings) -> None:
    """Declare settings that come from elsewhere, to be read and never given."""
    for field in dataclasses.fields(settings):
        node.declare_parameter(f'{prefix}.{field.name}', getattr(settings, field.name),
                               descriptor(field, True), ignore_override=True)


def current(node: Node, prefix: str, kind: type):
    """Read a live group again, as it was set last."""
    values = {name: p.value for name, p in node.get_parameters_by_prefix(prefix).items()}
    return build(kind, values, f'parameters of {node.get_fully_qualified_name()}, {prefix}')


def names(groups: dict[str, type]) -> list[str]:
    """List every parameter that the groups make, as it stands in the YAML file."""
    return [f'{prefix}.{field.name}' if prefix else field.name
            for prefix, kind in groups.items() for field in dataclasses.fields(kind)]


def group_of(name: str, groups: dict[str, type]) -> tuple[str | None, str]:
    """Split 'actor.candidates' into the group that it belongs to and the key within."""
    prefix, dot, key = name.rpartition('.')
    if prefix in groups:
        return prefix, key
    return None, name


def descriptor(field: dataclasses.Field, read_only: bool) -> ParameterDescriptor:
    """Say to rqt and `ros2 param describe` what the field's declaration says."""
    meta = field.metadata
    out = ParameterDescriptor(name=field.name, read_only=read_only,
                              description=f'{meta["reason"]} [{meta["unit"]}]')
    if meta['low'] is not None and field.type is float:
        out.floating_point_range = [FloatingPointRange(from_value=float(meta['low']),
                                                       to_value=float(meta['high']))]
    elif meta['low'] is not None and field.type is int:
        out.integer_range = [IntegerRange(from_value=meta['low'], to_value=meta['high'], step=1)]
    return out


def block(node: str, groups: dict[str, type]) -> str:
    """Write a node's block of the YAML file: every default, with its unit, range and reason.

    `/**/` makes it hold in every namespace.
    """
    lines = [f'/**/{node}:', '  ros__parameters:']
    for prefix, kind in groups.items():
        if prefix:
            lines.append(f'    {prefix}:')
        for field in dataclasses.fields(kind):
            meta, indent = field.metadata, ' ' * (6 if prefix else 4)
            span = '' if meta['low'] is None else f'{meta["low"]} to {meta["high"]}'
            unit = '' if meta['unit'] in ('1', '-') else meta['unit']
            shown = f'[{" ".join(filter(None, (span, unit)))}] ' if span or unit else ''
            value = yaml.safe_dump(field.default, default_flow_style=True).split('\n')[0]
            lines.append(f'{indent}{field.name}: {value}'.ljust(40)
                         + f'  # {shown}{meta["reason"]}')
    return '\n'.join(lines) + '\n'
