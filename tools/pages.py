# SPDX-License-Identifier: Apache-2.0
"""
Writes the pages of the nodes and their parameters: python3 tools/pages.py.

It writes config/rover.yaml, docs/parameters.md and one page per node in docs/nodes. Parameters are
read from their declarations, topics and services from nodes that are started for this. It needs
rclpy and a module.
"""

from collections.abc import Iterable, Iterator
import dataclasses
import importlib
import inspect
import os
from pathlib import Path
import sys
import tempfile

from ami_ros.core.settings import right, Settings, why
from ami_ros.nodes import lifecycle, parameters, topics
from ami_ros.nodes.critic_node import policy
from ami_ros.nodes.mind_settings import open_mind
from ami_ros.validation.stack.processes import NODES, RECORDER
import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

ROOT = Path(__file__).resolve().parents[1]
YAML = 'config/rover.yaml'
MODULES = {name: importlib.import_module(f'ami_ros.nodes.{name}_node')
           for name in (*NODES, RECORDER)}
GROUPS = {name: module.GROUPS for name, module in MODULES.items()}
MINDS = ('mind', 'perception', 'world_model', 'actor')      # they are made with `make_mind`
BAGS = tempfile.TemporaryDirectory()        # of a recorder that has nothing to record
# the parameters that have no default
NAMED = {'robot': 'rover', 'safety_policy': 'config/safety_policy/rover.yaml'}
STARTED = ['--ros-args', *(word for name in NODES if name != 'sim' for word in (
               '-p', f'{name}:robot:={NAMED["robot"]}')),
           '-p', f'recorder:robot:={NAMED["robot"]}',
           '-p', f'critic:safety_policy:={NAMED["safety_policy"]}',
           '-p', 'sim:engine:=loopback', '-p', f'recorder:folder:={BAGS.name}',
           '--log-level', 'fatal']
OF_RCLPY = ('rosout', 'parameter_events', 'transition_event', 'describe_parameters',
            'get_parameter_types', 'get_parameters', 'list_parameters', 'set_parameters',
            'set_parameters_atomically', 'get_type_description', 'change_state', 'get_state',
            'get_available_states', 'get_available_transitions', 'get_transition_graph')
SHOWN = ('shared.', 'rules.')        # parameters that come from elsewhere, to be read only
WHERE_INSTALLED = ('tf', 'tf_static')       # tf2_msgs is not among the wheels
ROWS = {row.name.lstrip('/'): row for row in topics.TOPICS}
PEOPLE = {'': 'any node', 'body': "the robot's drivers, or sim", 'person': 'a person'}
HEAD = """# SPDX-License-Identifier: Apache-2.0
# All parameters of the nodes, with the defaults for the simulated rover. In brackets: range and
# unit. A parameter marked `live` may change while the robot drives; the others are read at the
# start. An unknown name or a value out of range is refused, and the message states what is valid.
# The numbers of the critic's rules are in its safety policy file. Written by tools/pages.py.

"""


def table(heads: Iterable[str], rows: Iterable[Iterable]) -> str:
    """Write a table."""
    lines = [list(heads), *([str(cell).replace('|', '/') for cell in row] for row in rows)]
    lines.insert(1, ['---'] * len(lines[0]))
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def section(head: str, heads: Iterable[str], rows: Iterable[Iterable]) -> str:
    """Write a section with a table, or nothing where there are no rows."""
    rows = list(rows)
    return f'\n## {head}\n\n{table(heads, rows)}' if rows else ''


def type_of(kind: type) -> str:
    """Name a message or service as the command line does."""
    package, what = kind.__module__.split('.')[:2]
    return f'{package}/{what}/{kind.__name__}'


def quality(qos: QoSProfile) -> str:
    """Say a quality of service in words."""
    words = ['best effort' if qos.reliability == ReliabilityPolicy.BEST_EFFORT else 'reliable',
             f'depth {qos.depth}']
    if qos.durability == DurabilityPolicy.TRANSIENT_LOCAL:
        words.append('transient local')
    return ', '.join(words)


def own(names_and_things: Iterable[tuple[str, object]]) -> list[tuple[str, object]]:
    """Leave out what rclpy makes, and what only some installations have; in order of name."""
    return sorted(((name.lstrip('/'), thing) for name, thing in names_and_things
                   if name.rpartition('/')[2] not in (*OF_RCLPY, *WHERE_INSTALLED)),
                  key=lambda pair: pair[0])


def started(name: str, make_mind=open_mind) -> Node:
    """Start a node in this process, active where it has states."""
    make = getattr(MODULES[name], f'{name}_node', None) or getattr(MODULES[name],
                                                                   f'{name.title()}Node')
    node = make(make_mind) if name in MINDS else make()
    declared = {full for full in node.get_parameters_by_prefix('')
                if not full.startswith((*parameters.OF_RCLPY, *SHOWN))}
    if declared != set(parameters.names(GROUPS[name])):
        raise RuntimeError(f'{name} declares other parameters than its GROUPS: '
                           f'{declared ^ set(parameters.names(GROUPS[name]))}')
    if isinstance(node, lifecycle.Managed):
        for state, step in (('unconfigured', node.trigger_configure),
                            ('inactive', node.trigger_activate)):
            if node.state == state:
                step()
        if node.state != 'active':
            raise RuntimeError(f'{name} did not become active: {node.failed}')
    return node


def doors(node: Node) -> str:
    """Write what a node publishes, hears, serves and asks."""
    published, heard = ([(row.name if (row := ROWS.get(topic)) else topic, row, entity)
                         for topic, entity in own((one.topic_name, one) for one in entities)]
                        for entities in (node.publishers, node.subscriptions))
    text = section('Publishes', ('topic', 'type', 'Hz', 'quality of service'), (
        (f'`{topic}`', type_of(entity.msg_type),
         f'{row.hz:g}' if row and row.hz else 'on event',
         quality(entity.qos_profile)) for topic, row, entity in published))
    if node.get_name() == 'sim':
        text += f'\nWhere tf2_msgs is installed, also {" and ".join(WHERE_INSTALLED)}.\n'
    return (
        text + section('Subscribes to', ('topic', 'type', 'from', 'quality of service'), (
            (f'`{topic}`', type_of(entity.msg_type),
             PEOPLE.get(row.owner, row.owner) if row else 'what the robot file names',
             quality(entity.qos_profile)) for topic, row, entity in heard))
        + section('Provides services', ('service', 'type'), (
            (f'`{service}`', type_of(entity.srv_type)) for service, entity in
            own((one.srv_name, one) for one in node.services)))
        + section('Calls services', ('service', 'type'), (
            (f'`{one.srv_name.lstrip("/")}`', type_of(one.srv_type)) for one in node.clients)))


def life(node: Node) -> str:
    """Write what happens in each transition of a node's life."""
    if not isinstance(node, lifecycle.Managed):
        return ('\n## Lifecycle\n\nA plain node without lifecycle states: it works from its start '
                'to its end.\n')
    steps = [(step, inspect.getdoc(getattr(type(node.work), step))) for step in lifecycle.STEPS]
    told = [line for line in inspect.getdoc(lifecycle).split('\n') if line.startswith('|')]
    return (section('Lifecycle', ('transition', 'what it does'), steps)
            + '\nIf a transition raises an error, `diagnostics` reports the reason:\n\n'
            + '\n'.join(told) + '\n')


def relations(groups: Iterable[tuple[str, type[Settings]]]) -> str:
    """Write what has to hold between parameters."""
    lines = [f'- `{parameters.join(prefix, one.one)}` {one.words} '
             f'`{parameters.join(prefix, one.other)}`: {one.reason}\n'
             for prefix, kind in groups for one in kind.RELATIONS]
    return ''.join(dict.fromkeys(lines))


def fields(groups: dict[str, type[Settings]]) -> Iterator[tuple]:
    """Yield (full name, class, field) of every parameter."""
    for prefix, kind in groups.items():
        for field in dataclasses.fields(kind):
            yield parameters.join(prefix, field.name), kind, field


def node_page(name: str, node: Node) -> str:
    """Write the page of a node."""
    groups = GROUPS[name]
    rows = ((f'`{full}`', field.type.__name__, f'`{parameters.in_yaml(field.default)}`'
             if full not in groups[''].NAMED else 'must be given',
             right(field), field.metadata['reason'],
             ('**yes**: ' if field.metadata['live'] else 'no: ') + why(kind, field))
            for full, kind, field in fields(groups))
    text = f'# {name}\n\n{inspect.getdoc(MODULES[name])}\n' + doors(node) + life(node)
    text += section('Parameters', ('name', 'type', 'default', 'range', 'what it is',
                                   'while driving'), rows)
    if between := relations(groups.items()):
        text += f'\n{between}'
    if name == 'critic':
        now = policy(NAMED['safety_policy'])
        text += section(
            'The policy', ('number', "the rover's", 'range', 'what it is'),
            ((f'`{full}`', f'{now.numbers[full]:g}', right(field), field.metadata['reason'])
             for full, _, field in fields({part: type(own) for part, own in now.groups.items()})))
        text += ('\nThese numbers are set only in the safety policy file, each with its source. '
                 'The node shows them as\nread-only parameters of these names.\n')
    return text + f'\n## In YAML\n\n```yaml\n{parameters.block(name, groups, NAMED)}```\n'


PARAMETERS = """# Parameters

Each parameter is declared once in the code, with its default, unit, range and reason. The output
of `ros2 param describe`, the sliders of rqt, [config/rover.yaml](../config/rover.yaml), these
pages and the error messages are generated from this declaration.

**At the start**: `--params-file my.yaml`, or `-p actor.candidates:=48`. All parameters are
checked before the node is created. If a parameter is unknown, of another type, out of range, NaN,
or contradicts another parameter, the node exits with one sentence that states what is valid. A
name that does not exist (`robot: submarine`) is detected when the node is configured, and is
reported on `diagnostics`.

**While the robot drives**: `ros2 param set /mind energy.map 0.3`, or rqt. The change is checked
together with all other parameters of the node. If it is refused, nothing changes, and the answer
states what is valid. An accepted change applies from the next plan or image on, never in the
middle of one. It is lost when the node ends; write permanent changes into the YAML file.

- Parameters that are valid only together must be set at once, with the service
  `set_parameters_atomically`: it sets all of them or none. The service `set_parameters` sets its
  parameters one by one, as in every ROS node: those before an invalid one stay set.
- If perception, world model and actor run as separate processes, set `world_model.*` at
  `/world_model` **and** at `/actor`: the actor uses `world_model.latency_s` for the start of its
  plans.
- The critic accepts no changes of the rules while it runs: their numbers are in its safety policy
  file.
- `use_sim_time`, `qos_overrides.*` and some others are declared by rclpy, as in every ROS node.
"""


def parameters_page() -> str:
    """Write docs/parameters.md."""
    rows: dict[tuple, list[str]] = {}
    for name, groups in GROUPS.items():
        for full, kind, field in fields(groups):
            key = (field.metadata['live'], f'`{full}`', right(field), why(kind, field))
            rows.setdefault(key, []).append(name)
    by_live = {live: [(full, ', '.join(names), span, reason) for (now, full, span, reason), names
                      in rows.items() if now == live] for live in (True, False)}
    text = PARAMETERS + section('Parameters that may change while driving',
                                ('parameter', 'node', 'range', 'takes effect'), by_live[True])
    text += section('Parameters that may not change while driving',
                    ('parameter', 'node', 'valid', 'reason'), by_live[False])
    every = [item for groups in GROUPS.values() for item in groups.items()]
    text += f'\n## Relations between parameters\n\n{relations(every)}'
    pages = ', '.join(f'[{name}](nodes/{name}.md)' for name in GROUPS)
    return f'{text}\nEach node has a page: {pages}.\n'


def files(make_mind=open_mind) -> dict[str, str]:
    """Return every file that is written here; starts each node in turn, in rclpy's context."""
    out = {YAML: HEAD + '\n'.join(parameters.block(*item, NAMED) for item in GROUPS.items()),
           'docs/parameters.md': parameters_page()}
    for name in GROUPS:
        node = started(name, make_mind)
        out[f'docs/nodes/{name}.md'] = node_page(name, node)
        getattr(node, 'stop', lambda: None)()
        node.destroy_node()
    return out


def main() -> int:
    """Write them."""
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    rclpy.init(args=STARTED)
    try:
        for path, text in files().items():
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text)
    finally:
        rclpy.shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
