# SPDX-License-Identifier: Apache-2.0
"""Replay a recorded drive, unchanged or with changes, and report the differences."""

import argparse
from pathlib import Path

from ami_ros.cli.arguments_and_reports import make_way, write_report


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        'bag', type=Path, metavar='BAG',
        help='Bag made by ami-ros record or sim --record')
    one.add_argument(
        '--report', type=Path, default=None, metavar='FILE',
        help='JSON file for the results')
    one.add_argument(
        '--modules', default='', metavar='FOLDER',
        help='Folder of the module to replay with')
    one.add_argument(
        '--params', type=Path, default=None, metavar='FILE',
        help='Parameter file to replay with')
    one.add_argument(
        '--what-if', default='', metavar='"t=12.5 v=0.3 w=-0.5"',
        help='Predict the outcome of another motion with the world model')
    one.add_argument(
        '--safety-policy', type=Path, default=None, metavar='FILE',
        help='Safety policy file to evaluate with')


def run(args: argparse.Namespace) -> int:
    """Do it; status 1 where the same did not come out the same."""
    from ami_ros.perception.camera_preprocessor import CameraPreprocessor
    from ami_ros.recording.replay.replay_drive import replay, the_same
    from ami_ros.recording.replay.replay_overrides import Changes, settings_of
    make_way(args.report)
    changes = Changes(args.modules, args.safety_policy,
                      {} if args.params is None else settings_of(args.params))
    if args.what_if:
        from ami_ros.recording.replay import what_if
        asked = what_if.question(args.what_if)
        for line in what_if.words(asked,
                                  what_if.ask(args.bag, asked, changes, CameraPreprocessor)):
            print(line)
        return 0
    report = replay(args.bag, changes, CameraPreprocessor)
    for line in words(report):
        print(line)
    write_report(args.report, report)
    return int(report['same_is_wanted'] and not the_same(report))


def words(report: dict) -> list[str]:
    """Say it for people."""
    v, mind = report['verdicts'], report['mind']
    out = [f'{report["seconds_of_drive"]:.1f} s of driving, replayed in '
           f'{report["seconds_taken"]:.1f} s ({report["times_real_time"]:.1f} times real time)']
    for what in ('latents', 'beliefs', 'plans'):
        gap = report[what]
        out.append(f'{what:9s} {gap["compared"]} compared, '
                   + ('bit-identical' if gap['bit_identical'] else
                      f'{gap["different"]} different, by {gap["max_abs_difference"]:.3g} at most'
                      if gap['different'] else 'equal but for rounding (another CPU), by '
                      f'{gap["max_abs_difference"]:.1e} at most'))
    out.append(f'verdicts  {v["compared"]} compared, {v["different"]} different; stops gained: '
               f'{v["stops"]["gained"]}, lost: {v["stops"]["lost"]}')
    for rule, by in v['stops']['by_rule'].items():
        out.append(f'          {rule}: {by["gained"]} gained, {by["lost"]} lost')
    chain = report['chains']
    out.append(f'chains    {chain["complete"]} of {chain["commands"]} commands go back to their '
               'pixels' + ''.join(f'; {n} lack the {what}'
                                  for what, n in chain['missing'].items()))
    for what, name in (('frames_not_replayed', 'frames were not replayed: something is lost'),
                       ('pictures_missing', 'images are not in the recording'),
                       ('pictures_other', 'images are not those that the network saw'),
                       ('frames_that_failed_then', 'frames led to no plan then')):
        if mind[what]:
            out.append(f'          {mind[what]} {name}')
    first = report['first_difference']
    out.append('first difference: none' if first is None else
               f'first difference: {first["at_s"]:.3f} s, {first["stage"]}, {first["what"]}: '
               f'{first["recorded"]} then, {first["replayed"]} now')
    return out
