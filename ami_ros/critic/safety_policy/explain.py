# SPDX-License-Identifier: Apache-2.0
"""Says policies in words: what each rule does with its numbers, and what differs between two."""

import dataclasses
import inspect

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import right, Settings, unknown
from ami_ros.critic.rules import CORE, RULES
from ami_ros.critic.safety_policy.policy_loader import Policy

SHARED = 'what several rules go by'


def explain(policy: Policy, only: str = '') -> list[str]:
    """Say each rule that runs, or one rule, in lines; ValueError lists those there are."""
    names = ['shared', *policy.rules]
    if only and only not in names:
        if only in RULES:
            raise AmiError(f'{policy.path} does not name {only}, so it does not run; it names: '
                           f'{", ".join(policy.rules)}')
        raise AmiError(f'{policy.path}: {unknown(only, names)}')
    lines = []
    for name in [only] if only else names:
        own = policy.shared if name == 'shared' else policy.rules[name]
        lines += ['', name, *(f'  {line}'.rstrip() for line in about(name))]
        group = name if name == 'shared' else f'rules.{name}'
        for field in dataclasses.fields(own):
            lines += number(field, getattr(own, field.name),
                            policy.sources.get(f'{group}.{field.name}', 'not said'))
    if not only:
        left = [name for name in RULES if name not in policy.rules]
        lines += ['', f'does not run: {", ".join(left) or "nothing, every rule does"}']
    return lines[1:]


def about(name: str) -> list[str]:
    """Say what a rule does, as its file says it."""
    if name == 'shared':
        return [SHARED]
    file = RULES[name]
    rule = next(thing for thing in vars(file).values() if inspect.isclass(thing)
                and thing.__module__ == file.__name__ and hasattr(thing, 'limit'))
    said = [str(inspect.getdoc(file)), *str(inspect.getdoc(rule)).split('\n')]
    return [*said, *([f'No policy may leave it out: {CORE[name]}.'] if name in CORE else [])]


def number(field: dataclasses.Field, value, source: str) -> list[str]:
    """Say a number with its unit, reason, range and source."""
    meta = field.metadata
    unit = '' if meta['unit'] in ('1', '-') else f' {meta["unit"]}'
    return [f'    {field.name} = {shown(value)}{unit}: {meta["reason"]}',
            f'        right: {right(field)}; source: {source}']


def shown(value) -> str:
    """Write a value for a person."""
    return f'{value:g}' if isinstance(value, float) else str(value)


def differences(one: Policy, other: Policy) -> list[str]:
    """Say how the other is stricter or looser than the one; [] where they are the same."""
    lines = []
    for name in RULES:
        if (name in one.rules) != (name in other.rules):
            lines.append(f'{name} runs, stricter' if name in other.rules
                         else f'{name} does not run any more, looser')
    for group, own in one.groups.items():
        if group in other.groups:
            lines += compared(group, own, other.groups[group])
    return lines


def compared(group: str, one: Settings, other: Settings) -> list[str]:
    """Say which numbers of a group differ."""
    lines = []
    for field in dataclasses.fields(one):
        was, now = getattr(one, field.name), getattr(other, field.name)
        if was == now:
            continue
        meta = field.metadata
        unit = '' if meta['unit'] in ('1', '-') else f' {meta["unit"]}'
        if not meta['strict']:
            verdict = 'other'
        else:
            verdict = 'stricter' if (now < was) == (meta['strict'] == 'lower') else 'looser'
        lines.append(f'{group}.{field.name}: {shown(was)} -> {shown(now)}{unit}, {verdict} '
                     f'({meta["reason"]})')
    return lines
