# SPDX-License-Identifier: Apache-2.0
"""Record a training bag, or repair and check a bag."""

import argparse
from pathlib import Path
import signal
import time

from ami_ros.cli.common import bar, pair
from ami_ros.nodes import cli_arguments

UNFIT = 3       # exit status: the bag was recorded and is whole, but cannot be trained on
EPILOG = ('Exit status: 0 success; 1 failure, or with --check: the bag is unfit for training; '
          '3 the bag was recorded and is complete, but is unfit for training for the '
          'printed reasons')


def positive(text: str) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0.0:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number above 0')
    return value


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.epilog = EPILOG
    what = one.add_mutually_exclusive_group(required=True)
    what.add_argument('--out', type=Path, metavar='BAG', help='New folder for the recording')
    what.add_argument(
        '--repair', type=Path, metavar='BAG',
        help='Repair a bag whose recorder was killed')
    what.add_argument(
        '--check', type=Path, metavar='BAG',
        help='Check whether a bag is suitable for training')
    one.add_argument(
        '--robot', default='', metavar='ROBOT',
        help='Robot file whose topics are recorded and checked; default: the rover, or with '
             '--check the robot of the bag')
    one.add_argument(
        '--seconds', type=positive, default=float('inf'),
        help='Stop recording after this many seconds')
    one.add_argument(
        '--topics', nargs='+', default=[], metavar='NAME',
        help='Additional topics besides those of the robot')
    one.add_argument(
        '--max-gb', type=positive, default=None, metavar='GB',
        help='Stop recording when the bag reaches this size')
    one.add_argument(
        '--keep-gb', type=positive, default=None, metavar='GB',
        help='Record continuously and delete the oldest files beyond this size')
    one.add_argument(
        '--no-trace', action='store_true',
        help='Omit the trace; the bag is then suitable for training, not for replay')
    one.add_argument(
        '--split-gb', type=positive, default=2.0, metavar='GB',
        help='Start a new file when the current file reaches this size')
    one.add_argument(
        '--split-minutes', type=positive, default=10.0, metavar='MIN',
        help='Start a new file after this many minutes')
    one.add_argument(
        '--topic', type=pair, action='append', default=[], metavar='INPUT=TOPIC',
        help='Topic of camera, odom, command, scan or imu for the check; scan=none and imu=none '
             'omit the sensor')
    cli_arguments.add(one, '-p use_sim_time:=true')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    if args.repair is not None:
        return mend(args.repair)
    if args.check is not None:
        return check(args.check, args)
    from ami_ros.nodes import recording_node
    args.robot = args.robot or 'rover'
    status = recording_node.main(args)
    if status == 0:
        for number in (signal.SIGINT, signal.SIGTERM):      # the bag is closed: either will do
            signal.signal(number, signal.default_int_handler)
        try:
            return UNFIT if check(args.out, args) else 0
        except KeyboardInterrupt:
            print(f'\nnot checked to the end; `ami-ros record --check {args.out}` does it')
    return status


def mend(bag: Path) -> int:
    """Make a bag of what a killed recorder left behind."""
    from ami_ros.recording.repair import repair
    mended = repair(bag)
    for name, dropped in mended.rewritten.items():
        print(f'{bag / name}: was cut short or damaged; {dropped} bytes of it are dropped')
    for name in mended.kept:
        print(f'{bag / name}: the original; remove it once the bag is what you want')
    for name in mended.unreadable:
        print(f'{bag / name}: nothing in it can be read; it is left as it is')
    print(f'{bag}: a bag of {mended.messages} messages in {len(mended.parts)} files')
    return 0


def check(bag: Path, args: argparse.Namespace) -> int:
    """Say whether a bag can be trained on; status 1 where it cannot."""
    from ami_ros.robots.find import find
    from ami_ros.training import bag_quality
    begun = time.monotonic()
    found = bag_quality.check(bag, find(args.robot) if args.robot else None, dict(args.topic),
                              lambda done, total: bar(done, total, begun, 'checking'))
    for kind, lines in (('', found.figures), ('worth knowing: ', found.warnings),
                        ('in the way: ', found.failures)):
        for line in lines:
            print(f'  {kind}{line}')
    print(f'{bag} {"cannot" if found.failures else "can"} be trained on')
    return int(bool(found.failures))
