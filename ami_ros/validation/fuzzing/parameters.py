# SPDX-License-Identifier: Apache-2.0
"""
Sets every invalid parameter value on every node, and reports those that are accepted.

    python3 -m ami_ros.validation.fuzzing.parameters        # needs rclpy

Each is given at the start, as a YAML file would, and set while a node runs: by itself, and in an
atomic set between others that are right. It has to be refused in one sentence that names what is
right, and nothing of it may hold afterwards. One JSON line last; exit code 1 where it does.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
import dataclasses
import importlib
import json
import math
import sys

import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import build, Needs, right, Settings
from ami_ros.inference import backend, Options
from ami_ros.modules.module import open_module
from ami_ros.nodes import parameters
from ami_ros.nodes.critic_node import policy
from ami_ros.nodes.sim_node import SimSettings
from ami_ros.robots.find_robot import find
from ami_ros.sim.simulator_interface import open_body
from ami_ros.validation.stack.processes import NODES

Groups = dict[str, type[Settings]]
GROUPS = {name: importlib.import_module(f'ami_ros.nodes.{name}_node').GROUPS for name in NODES}
# the parameters that have no default
NAMED = {'robot': 'rover', 'safety_policy': 'config/safety_policy/rover.yaml'}
MOST = 20               # complaints that are printed
THINGS = (              # parameter, who finds it, what is asked for, what the refusal names
    ('robot', find, ('submarine',), 'rover'), ('backend', backend, ('magic',), 'onnx'),
    ('precision', Options, ('float8',), 'float32, float16'),
    ('module', open_module, ('/nowhere',), 'manifest.json'),
    ('safety_policy', policy, ('none.yaml',)),
    ('engine', open_body, ('airship', None, None, 0, (64, 64)), 'pybullet, mujoco, loopback'),
    ('camera_hz', lambda hz: SimSettings(camera_hz=hz), (7,), '5, 10 or 20'))
OTHERS = (True, 1, 0.5, 'much', [1, 2], [0.5], ['a', 'b'], [True])      # of every type


@dataclasses.dataclass(frozen=True)
class Wrong:
    """Values that are wrong, by full name; more than one where they are so only together."""

    way: str
    values: dict[str, object]
    named: tuple[str, ...]          # what a refusal has to say
    when: str = ''                  # 'start' or 'running', where it is wrong only then


def of_field(field: dataclasses.Field) -> Iterator[tuple[str, object]]:
    """Yield (way, value): every way in which one value can be wrong by itself."""
    low, high = field.metadata['low'], field.metadata['high']
    if field.type is float:
        yield from (('below', low - 1.0), ('just below', math.nextafter(low, -math.inf)),
                    ('above', high + 1.0), ('just above', math.nextafter(high, math.inf)),
                    ('whole, below', math.floor(low) - 1), ('nan', math.nan),
                    ('inf', math.inf), ('-inf', -math.inf))
    elif field.type is int:
        yield from (('below', low - 1), ('above', high + 1), ('far above', 2**63 - 1),
                    ('far below', -2**63), ('not whole', float(low)), ('nan', math.nan))
    for value in OTHERS:        # a whole number serves as a float
        if type(value) is not field.type and (field.type, type(value)) != (float, int):
            yield 'type', value


def of_relation(prefix: str, kind: type[Settings], relation) -> Iterator[Wrong]:
    """Yield what is wrong only together: each value is right by itself."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    one, other = (parameters.join(prefix, name) for name in (relation.one, relation.other))
    named = (relation.one, relation.other, relation.words)
    if isinstance(relation, Needs):
        yield Wrong('clash', {one: True, other: False}, named, 'start')
        return
    ranges = [fields[name].metadata for name in (relation.one, relation.other)]
    low, high = max(r['low'] for r in ranges), min(r['high'] for r in ranges)
    yield Wrong('clash', {one: high, other: low}, named)
    yield Wrong('clash with what is', {one: high}, named)
    yield Wrong('clash with what is', {other: low}, named)
    if not relation.alike:
        yield Wrong('clash', {one: high, other: high}, named)


def wrong_ones(groups: Groups, now: dict) -> Iterator[Wrong]:
    """Yield every wrong set of a node's parameters, given what they are now."""
    for prefix, kind in groups.items():
        for field in dataclasses.fields(kind):
            name = parameters.join(prefix, field.name)
            for way, value in of_field(field):
                yield Wrong(way, {name: value}, (field.name, right(field)))
            for off in (name[:-1], f'{name}s', f'nowhere.{name}'):
                if off not in now:
                    yield Wrong('unknown', {off: now[name]}, ('unknown key', field.name))
            if not field.metadata['live']:
                yield Wrong('read-only', {name: now[name]}, (name, right(field)), 'running')
        for relation in kind.RELATIONS:
            yield from of_relation(prefix, kind, relation)


def complaint(wrong: Wrong, reason: str | None) -> str:
    """Return what is wrong with a refusal; '' where nothing is."""
    if reason is None:
        return f'{wrong.way} {wrong.values} was let through'
    missing = [part for part in wrong.named if part not in reason]
    if missing or '\n' in reason:
        return f'{wrong.way} {wrong.values}: {reason!r} does not say {missing or "it in one line"}'
    return ''


def reason_of(make: Callable, *given) -> str | None:
    """Return why something cannot be made; None where it can."""
    try:
        make(*given)
    except (AmiError, OSError) as why:
        return str(why)
    return None


def at_the_start(groups: Groups, now: dict) -> Iterator[tuple[Wrong, str]]:
    """Give each to the check that a node's constructor makes; yield it with what went wrong."""
    for wrong in wrong_ones(groups, now):
        if wrong.when != 'running':
            yield wrong, complaint(wrong, reason_of(parameters.make, {**now, **wrong.values},
                                                    groups, 'parameters of /node'))


def while_it_runs(node: Node, groups: Groups,
                  more: Iterable[Wrong] = ()) -> Iterator[tuple[Wrong, str]]:
    """Set each, and some more, on a node that runs; yield it with what went wrong."""
    before = {name: p.value for name, p in node.get_parameters_by_prefix('').items()}
    now = {name: before[name] for name in parameters.names(groups)}
    fine = [Parameter(parameters.join(prefix, field.name), value=field.metadata['low'])
            for prefix, kind in groups.items() for field in dataclasses.fields(kind)
            if field.metadata['live'] and field.name in ('drift', 'min_std', 'x_m', 'effort')]
    for wrong in (*wrong_ones(groups, now), *more):
        if wrong.when == 'start':
            continue
        changes = [Parameter(name, value=value) for name, value in wrong.values.items()]
        others = [one for one in fine if one.name not in wrong.values]
        answers = [node.set_parameters_atomically([*others[:1], *changes, *others[1:]])]
        if len(changes) == 1:
            answers += [node.set_parameters_atomically(changes), *node.set_parameters(changes)]
        what = [complaint(wrong, None if answer.successful else answer.reason)
                for answer in answers]
        after = {name: p.value for name, p in node.get_parameters_by_prefix('').items()}
        if after != before:
            what.append(f'{wrong.way} {wrong.values} was half applied')
        yield wrong, '; '.join(filter(None, what))


def shown_policy(node: Node) -> list[Wrong]:
    """Show the policy as the critic does; return the tries to talk it out of a number."""
    chosen = policy(NAMED['safety_policy'])
    for group, numbers in chosen.groups.items():
        parameters.show(node, group, numbers)
    return [Wrong('read-only', {f'{group}.{field.name}': value}, (field.name, right(field)))
            for group, numbers in chosen.groups.items()
            for field in dataclasses.fields(numbers) for value in (
                getattr(numbers, field.name), field.metadata['high'], math.nan, 'off')]


def safety_policy_file() -> Iterator[tuple[Wrong, str]]:
    """Write each into the critic's policy file, and leave out each number."""
    chosen = policy(NAMED['safety_policy'])
    groups = {group: type(own) for group, own in chosen.groups.items()}
    yield from at_the_start(groups, chosen.numbers)
    for name in chosen.numbers:
        group, _, key = name.rpartition('.')
        wrong = Wrong('missing', {name: None}, (key, 'must be given'))
        rest = {other: value for other, value in vars(chosen.groups[group]).items()
                if other != key}
        yield wrong, complaint(wrong, reason_of(build, groups[group], rest))


def no_such_thing() -> Iterator[tuple[Wrong, str]]:
    """Ask for what is not there; the names of what is are in the refusal."""
    for name, find_it, asked, *named in THINGS:
        wrong = Wrong('no such thing', {name: asked[0]}, (str(asked[0]), *named))
        yield wrong, complaint(wrong, reason_of(find_it, *asked))


def everything() -> Iterator[tuple[str, str, Wrong, str]]:
    """Yield (node, when, what, what went wrong) for all there is."""
    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        for name, groups in GROUPS.items():
            named = [Parameter(key, value=NAMED[key]) for key in groups[''].NAMED]
            node = Node(name, context=context, **parameters.FROM_FILE, parameter_overrides=named)
            made = parameters.declare(node, groups)
            now = {full: p.value for full, p in node.get_parameters_by_prefix('').items()
                   if full in parameters.names(groups)}
            yield from ((name, 'start', *trial) for trial in at_the_start(groups, now))
            first = made.now
            more = shown_policy(node) if name == 'critic' else ()
            yield from ((name, 'running', *trial) for trial in while_it_runs(node, groups, more))
            if made.now is not first:
                yield name, 'running', Wrong('all', {}, ()), 'the settings changed'
            node.destroy_node()
        yield from (('critic', 'policy file', *trial) for trial in safety_policy_file())
        yield from (('all', 'start', *trial) for trial in no_such_thing())
    finally:
        rclpy.shutdown(context=context)


def main() -> int:
    """Print the table and the line."""
    failed = []
    tried: Counter = Counter()
    for name, when, wrong, what in everything():
        tried[when, wrong.way] += 1
        if what:
            failed.append(f'{name}, {when}: {what}')
    print('| when | way | tried |\n|---|---|---|')
    for (when, way), count in sorted(tried.items()):
        print(f'| {when} | {way} | {count} |')
    print('\n'.join(failed[:MOST]))
    print(json.dumps({'wrong_parameters_tried': tried.total(), 'not_refused_rightly': len(failed),
                      'half_applied': sum('half applied' in what for what in failed),
                      'nodes': list(GROUPS)}))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
