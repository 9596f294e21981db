# SPDX-License-Identifier: Apache-2.0
"""Show the chain of causes of one recorded command, from wheels to camera pixels."""

import argparse
from pathlib import Path

from ami_ros.cli.arguments_and_reports import count
from ami_ros.core.errors import AmiError

WIDE = 64           # of a column, where two moments stand side by side


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        'bag', type=Path, metavar='BAG',
        help='Bag made by ami-ros record or sim --record')
    which = one.add_mutually_exclusive_group(required=True)
    which.add_argument(
        '--at', type=float, metavar='TIME',
        help='Time in seconds since the start of the recording')
    which.add_argument('--stop', type=count, metavar='N', help='Show the N-th stop by a rule')
    which.add_argument('--slowest', type=count, metavar='N', help='Show the N-th slowest frame')
    which.add_argument(
        '--worst-surprise', type=count, metavar='N',
        help='Show the frame with the N-th largest surprise')
    one.add_argument(
        '--compare', type=float, metavar='TIME',
        help='Time in seconds of a second command to compare with')
    one.add_argument(
        '--picture', type=Path, default=None, metavar='FILE',
        help='Output PNG file for the camera image')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.cli.arguments_and_reports import make_way
    from ami_ros.perception.images.draw import enlarge, write_png
    from ami_ros.recording.replay.event_index import index
    from ami_ros.recording.replay.moment_explanation import moment
    from ami_ros.recording.replay.trace_reader import abouts
    make_way(args.picture)
    found, said = index(args.bag), abouts(args.bag)
    told = moment(args.bag, found, chosen(args, found), said)
    rows = told.rows
    if args.compare is None:
        for label, value in rows:
            print(f'{label:24s}{value}')
    else:
        other = moment(args.bag, found, found.at(args.compare), said)
        for line in beside(rows, other.rows):
            print(line)
    if args.picture is not None:
        if told.picture is None:
            raise AmiError('there is no image of this moment to be written')
        size = max(told.picture.shape[:2])
        write_png(args.picture, enlarge(told.picture, max(1, 320 // size) * size))
        print(f'{"image in":24s}{args.picture}')
    return 0


def chosen(args: argparse.Namespace, found):
    """Return the moment that is asked for; ValueError says how many there are."""
    if args.at is not None:
        return found.at(args.at)
    number, what, there = (
        (args.stop, 'stops', found.stops()) if args.stop is not None else
        (args.slowest, 'frames', [one for _, one in found.slowest()])
        if args.slowest is not None else
        (args.worst_surprise, 'frames', [one for _, one in found.surprises()]))
    if number > len(there):
        raise AmiError(f'the recording has {len(there)} {what}; there is no number {number}')
    return there[number - 1]


def beside(rows: list[tuple[str, str]], others: list[tuple[str, str]]) -> list[str]:
    """Put two moments side by side; what is not the same is marked."""
    there = dict(others)
    labels = [label for label, _ in rows]
    labels += [label for label, _ in others if label not in dict(rows)]
    out = []
    for label in labels:
        one, other = dict(rows).get(label, '-'), there.get(label, '-')
        mark = ' ' if one == other else '*'
        out.append(f'{mark} {label:24s}{one[:WIDE]:{WIDE + 2}s}{other[:WIDE]}')
    return out
