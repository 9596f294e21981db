# SPDX-License-Identifier: Apache-2.0
"""Measure the gates and the place error of a module on a bag that it was not trained on."""

import argparse
from pathlib import Path

from ami_ros.cli.common import make_way, pair, whole, write_report


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.epilog = 'Exit status: 0 if all gates pass; 1 if a gate fails or an error occurs.'
    one.add_argument(
        'module', metavar='MODULE',
        help='Module folder, or the .checkpoint file of a training that wrote no module')
    one.add_argument(
        '--bag', type=Path, required=True, metavar='BAG',
        help='Bag on which the gates and the place error are measured')
    one.add_argument(
        '--robot', default='', metavar='ROBOT',
        help='Name or path of a robot file whose topics are read; default: the robot of the bag, '
             'otherwise the rover')
    one.add_argument('--seed', type=whole, default=0, help='Seed of the random choice of windows')
    one.add_argument(
        '--topic', type=pair, action='append', default=[], metavar='INPUT=TOPIC',
        help='Topic of camera, odom, command, scan or imu; scan=none and imu=none omit the sensor')
    one.add_argument('--report', type=Path, default=None,
                     help='JSON file for the results; without it they are only printed')


def run(args: argparse.Namespace) -> int:
    """Measure and print; return 1 if a gate fails."""
    from ami_ros.robots.find import find
    from ami_ros.training import gate_bag, gates
    make_way(args.report)
    gated, fitted = gate_bag.measure(
        args.module, args.bag, find(args.robot) if args.robot else None, dict(args.topic),
        args.seed, lambda line: print(line, flush=True))
    failed = {line.split()[0] for line in gated.failures}
    for name, (bound, side, _) in gates.GATES.items():
        print(f'gate {name}: {gated.figures[name]:.3f} (must be {side} {bound})'
              + (' FAILED' if name in failed else ''))
    print(f'place error within 40 frames of a drive: median '
          f'{gated.figures["place_error_m"]:.2f} m, '
          f'95 % {gated.figures["place_error_p95_m"]:.2f} m; heading '
          f'{gated.figures["heading_error_rad"]:.2f} rad')
    print('place error in the whole bag, after the best rigid fit to its odometry: median '
          f'{fitted["fitted_place_error_m"]:.2f} m, '
          f'95 % {fitted["fitted_place_error_p95_m"]:.2f} m; heading '
          f'{fitted["fitted_heading_error_rad"]:.2f} rad')
    print('place error of a baseline that always estimates the middle of the odometry: median '
          f'{fitted["spread_m"]:.2f} m')
    write_report(args.report, {'gates': gated.figures, 'failed': sorted(failed), **fitted})
    return int(bool(failed))
