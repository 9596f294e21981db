# SPDX-License-Identifier: Apache-2.0
"""Verify the critic's audit log, or show its entries: stops, releases, resets, modes, policy."""

import argparse
import json
from pathlib import Path


def add(one: argparse.ArgumentParser) -> None:
    """Declare the sub-commands and their options."""
    what = one.add_subparsers(dest='what', required=True, metavar='WHAT')
    check = what.add_parser(
        'verify',
        help='Verify the log and report the first line that was altered')
    show = what.add_parser('show', help='Show the events, one per line')
    for part in (check, show):
        part.add_argument(
            '--state-dir', default='', metavar='FOLDER',
            help="Folder of the critic's parameter state_dir; if absent, the default folder of "
                 'the robot')
        part.add_argument(
            '--namespace', default='', metavar='NAME',
            help='Namespace of the robot, e.g. robot1')
    check.add_argument(
        '--head', type=noted, default=None, metavar='NUMBER:HASH',
        help='Entry number and hash that were recorded outside the robot, e.g. `audit` of the '
             'diagnostics in a bag; the log must contain this entry')
    show.add_argument(
        '--since', type=since, default=None, metavar='WHEN',
        help='Time before now, e.g. 90s, 30m, 12h or 7d, or a UTC time in the format of the log')
    show.add_argument(
        '--kind', nargs='+', default=[], metavar='KIND',
        help='Event kinds to show: stop, release, latch, reset, mode, policy, company, start, '
             'end, ...')
    show.add_argument('--json', action='store_true', help='Print the log lines unchanged')


def noted(said: str) -> tuple[int, str]:
    """Take NUMBER:HASH."""
    number, _, found = said.partition(':')
    if not number.isdigit() or len(found) != 64:
        raise argparse.ArgumentTypeError('it is a number, a colon and a hash of 64 hex digits')
    return int(number), found


def since(said: str) -> str:
    """Take a time span or a time; return it in the words of the log."""
    from ami_ros.critic.audit.verify import moment
    try:
        return moment(said)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status: 1 where the log is not as it was written."""
    from ami_ros.core.durable_state import state_folder
    from ami_ros.critic.audit.log import FOLDER
    folder = state_folder(args.state_dir, args.namespace) / FOLDER
    return {'verify': verified, 'show': shown}[args.what](folder, args)


def verified(folder: Path, args: argparse.Namespace) -> int:
    """Say what is wrong, or that nothing is."""
    from ami_ros.critic.audit.verify import verify
    log = verify(folder, args.head)
    for finding in log.findings:
        print(finding)
    wrong = [finding for finding in log.findings if finding.wrong]
    first = f'first wrong: {wrong[0].where}' if wrong else 'as it was written'
    print(f'{log.count} entries up to {log.number} in {folder}: {first}')
    return 1 if wrong else 0


def shown(folder: Path, args: argparse.Namespace) -> int:
    """Print the entries that are wanted; what cannot be read is left to verify."""
    from ami_ros.critic.audit.verify import entries
    if not folder.is_dir():
        raise FileNotFoundError(f'there is no audit log in {folder}; which robot? '
                                '--state-dir or --namespace says')
    for entry in entries(folder, tuple(args.kind), args.since or ''):
        print(json.dumps(vars(entry)) if args.json else
              f'{entry.number:6d}  {entry.at[:23]}Z  {entry.kind:8s}  {words(entry.what)}')
    return 0


def words(what: dict) -> str:
    """Say in a line what an entry holds; what is empty is left out."""
    return '  '.join(f'{key}={value if isinstance(value, str) else json.dumps(value)}'
                     for key, value in what.items()
                     if value is False or value not in ('', None, [], {}, 0))
