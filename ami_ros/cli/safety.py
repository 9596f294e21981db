# SPDX-License-Identifier: Apache-2.0
"""Check, explain or compare the safety policies of the critic."""

import argparse
from pathlib import Path

from ami_ros.core.errors import AmiError


def add(one: argparse.ArgumentParser) -> None:
    """Declare the sub-commands and their options."""
    what = one.add_subparsers(dest='what', required=True, metavar='WHAT')
    check = what.add_parser('check', help='Check a policy file and whether it fits a robot')
    explain = what.add_parser('explain', help='Explain each rule and parameter of a policy')
    for part in (check, explain):
        part.add_argument('policy', type=Path, metavar='FILE', help='Safety policy file to read')
    check.add_argument('--robot', default='', help='Name or path of a robot file')
    explain.add_argument(
        'rule', nargs='?', default='', metavar='RULE',
        help='Rule to explain; shared explains the parameters used by several rules')
    diff = what.add_parser('diff', help='List what is stricter and what is looser in B than in A')
    diff.add_argument('policy', type=Path, metavar='A', help='Safety policy A to compare')
    diff.add_argument('other', type=Path, metavar='B', help='Safety policy B to compare')
    shown = what.add_parser(
        'hash',
        help='Print the sha256 hash of the rules and parameters; every verdict contains this hash')
    shown.add_argument('policy', type=Path, metavar='FILE', help='Safety policy file to read')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    for line in {'check': check, 'explain': explain, 'diff': diff, 'hash': hashed}[
            args.what](args):
        print(line)
    return 0


def check(args: argparse.Namespace) -> list[str]:
    """Read it all; say what runs."""
    from ami_ros.critic.safety_policy.policy_loader import build_rules, read
    from ami_ros.critic.sensor_age_limits import needs
    from ami_ros.robots.find_robot import find
    policy = read(args.policy)
    if args.robot:
        robot = find(args.robot)
        try:
            build_rules(policy, robot)
            needs(policy.shared, robot)
        except AmiError as wrong:
            raise AmiError(f'{policy.path}: {wrong}') from None
    return [f'rules   {", ".join(policy.rules)}',
            f'numbers {len(policy.numbers)}, each with its source',
            f'hash    {policy.hash}',
            f'good{f" for {robot.name}" if args.robot else ""}']


def explain(args: argparse.Namespace) -> list[str]:
    """Say it in words."""
    from ami_ros.critic.safety_policy.explain import explain as said
    from ami_ros.critic.safety_policy.policy_loader import read
    return said(read(args.policy), args.rule)


def diff(args: argparse.Namespace) -> list[str]:
    """Compare two."""
    from ami_ros.critic.safety_policy.explain import differences
    from ami_ros.critic.safety_policy.policy_loader import read
    return differences(read(args.policy), read(args.other)) or [
        'the same rules with the same numbers']


def hashed(args: argparse.Namespace) -> list[str]:
    """Give the hash."""
    from ami_ros.critic.safety_policy.policy_loader import read
    return [read(args.policy).hash]
