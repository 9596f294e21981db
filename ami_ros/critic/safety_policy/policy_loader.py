# SPDX-License-Identifier: Apache-2.0
"""A policy: the rules that run on a robot, and every number that they go by, with its source."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
import hashlib
import json
from pathlib import Path
from typing import Any

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import build, Settings, unknown
from ami_ros.critic.rule_interface import Rule
from ami_ros.critic.rules import CORE, params, RULES
from ami_ros.critic.safety_policy.number_sources import sources
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots import strict_yaml
from ami_ros.robots.robot import Robot

PARTS = ('shared', 'rules')
OF_THE_ROBOT = {'max_speed_mps': 'm/s', 'max_turn_radps': 'rad/s', 'braking_mps2': 'm/s^2'}


@dataclass(frozen=True)
class Policy:
    """Read-only while the robot runs. Two of the same numbers are the same policy."""

    shared: Shared                      # what several rules go by
    rules: Mapping[str, Any]            # the numbers of each rule that runs, in their order
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    path: str = field(default='', compare=False)

    @cached_property
    def groups(self) -> dict[str, Settings]:
        """
        Name each group of numbers as it stands in the file: shared,
        rules.input_validity, ...
        """
        return {'shared': self.shared, **{f'rules.{name}': own
                                          for name, own in self.rules.items()}}

    @cached_property
    def numbers(self) -> dict[str, Any]:
        """Every number by its dotted name."""
        return {f'{group}.{key}': value for group, own in self.groups.items()
                for key, value in asdict(own).items()}

    @cached_property
    def hash(self) -> str:
        """sha256 of the rules and their numbers, 64 hex digits; comments do not count."""
        said = {group: asdict(own) for group, own in self.groups.items()}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def changed(policy: Policy, numbers: Mapping[str, object]) -> Policy:
    """Return a policy with other numbers, by their dotted names; ValueError as `read`."""
    groups = {group: asdict(own) for group, own in policy.groups.items()}
    for name, value in numbers.items():
        if name not in policy.numbers:
            raise AmiError(f'{policy.path}: {unknown(name, policy.numbers)}')
        group, _, key = name.rpartition('.')
        groups[group][key] = value
    shared = groups.pop('shared')
    return chosen({'shared': shared, 'rules': {group.removeprefix('rules.'): own
                                               for group, own in groups.items()}}, policy.path)


def read(path: Path) -> Policy:
    """Read a policy file; ValueError says in one sentence what is wrong, and what is right."""
    try:
        text = Path(path).read_text(encoding='utf-8')
    except OSError as why:
        raise AmiError(f'{path} cannot be read: {why.strerror}') from why
    except UnicodeDecodeError as why:
        raise AmiError(f'{path} is not text in UTF-8: {why.reason} at byte {why.start}') from why
    return parse(text, str(path))


def parse(text: str, where: str) -> Policy:
    """Make a policy of a file's text; ValueError as `read`."""
    said = strict_yaml.read(text, where)
    made = chosen(said, where)
    return Policy(made.shared, made.rules, sources(text, where), where)


def chosen(said: Mapping, where: str) -> Policy:
    """Make a policy of plain values, without sources; ValueError as `read`."""
    for key in said:
        if key not in PARTS:
            raise AmiError(f'{where}: {unknown(key, PARTS)}')
    shared = build(Shared, said.get('shared') or {}, f'{where}, shared')
    named = said.get('rules')
    if not isinstance(named, Mapping):
        raise AmiError(f'{where}: rules must name the rules that run, each with its numbers; '
                       f'there are: {", ".join(RULES)}')
    for name in named:
        if name not in RULES:
            raise AmiError(f'{where}, rules: {unknown(name, RULES)}')
    for name, reason in CORE.items():
        if name not in named:
            raise AmiError(f'{where}, rules: {name} cannot be left out: {reason}')
    return Policy(shared, {name: build(params(name),
                                       {} if named[name] is None else named[name],
                                       f'{where}, rules.{name}')
                           for name in RULES if name in named}, path=where)


def build_rules(policy: Policy, robot: Robot) -> tuple[Rule, ...]:
    """Make the rules of a policy for a robot; ValueError where the two contradict."""
    for key, unit in OF_THE_ROBOT.items():
        asked, most = getattr(policy.shared, key), getattr(robot, key)
        if not asked <= most:
            raise AmiError(f'{key} = {asked} is beyond what {robot.name} can do, {most} {unit}; '
                           'a policy may be stricter, never looser')
    made = {name: RULES[name].make(own, policy.shared, robot)
            for name, own in policy.rules.items()}
    if 'fence' in made:
        if 'odometry_jump' not in made:
            raise AmiError('fence needs odometry_jump: when odometry leapt, nobody knows where '
                           'the areas '
                           'are; name both, or none')
        made['odometry_jump'] = replace(made['odometry_jump'], latches=True)
    return tuple(made.values())
