# SPDX-License-Identifier: Apache-2.0
"""Write a recorded drive as one HTML page: path, stops, surprise, times, slow frames, cost."""

import argparse
from pathlib import Path

from ami_ros.cli.arguments_and_reports import make_way, whole


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        'bag', type=Path, metavar='BAG',
        help='Bag made by ami-ros record or sim --record')
    one.add_argument(
        '--out', type=Path, default=None, metavar='FILE',
        help='Output HTML file; default: report.html in the bag folder, or beside a bag file')
    one.add_argument(
        '--slowest', type=whole, default=10, metavar='N',
        help='Number of slowest frames to list')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    from ami_ros.recording.replay.drive_summary import summed
    from ami_ros.recording.replay.html_report import page
    from ami_ros.recording.replay.moment_explanation import moment
    from ami_ros.recording.replay.trace_reader import abouts
    out = args.out or (args.bag / 'report.html' if args.bag.is_dir()
                       else args.bag.with_suffix('.html'))
    make_way(out)
    nodes = abouts(args.bag)
    said, found = summed(args.bag)
    slowest = [(ms, found.seconds(one), moment(args.bag, found, one, nodes))
               for ms, one in found.slowest()[:args.slowest]]
    temporary = out.with_suffix('.partial')
    temporary.write_text(page(said, slowest, nodes))
    temporary.replace(out)
    print(f'{said.seconds:.1f} s, {said.metres:.1f} m, {len(said.stops)} stops, '
          f'{said.decisions} decisions\nreport: {out}')
    return 0
