# SPDX-License-Identifier: Apache-2.0
"""What verbs have in common: kinds of arguments, the progress bar, reports."""

import argparse
import json
from pathlib import Path
import sys
import time

from ami_ros.core.errors import AmiError


def bar(done: int, total: int, begun: float, what: str) -> None:
    """Draw a progress bar on a terminal, a line now and then elsewhere."""
    share = done / max(total, 1)
    left = (time.monotonic() - begun) * (1 - share) / share if share > 0 else 0.0
    text = f'{what} [{"#" * int(30 * share):30s}] {done}/{total}  {left:4.0f} s left'
    if sys.stderr.isatty():
        sys.stderr.write('\r' + text + ('\n' if done == total else ''))
    elif done == total or done % max(1, total // 10) == 0:
        sys.stderr.write(text + '\n')
    sys.stderr.flush()


def make_way(path: Path | None) -> None:
    """Find out before the work, not after it, that a report has nowhere to go."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        raise AmiError(f'no report can be written to {path}: {why.strerror}; '
                       'name a file in a folder that can be made') from why
    if path.is_dir():
        raise AmiError(f'no report can be written to {path}, which is a folder; name a file')


def write_report(path: Path | None, report: dict) -> None:
    """Write a report whole or not at all."""
    if path is None:
        return
    make_way(path)
    temporary = path.with_suffix(path.suffix + '.partial')
    temporary.write_text(json.dumps(report, indent=1) + '\n')
    temporary.replace(path)
    print(f'report: {path}')


def cluster(one: argparse.ArgumentParser) -> None:
    """Declare the option of verbs whose work can be done by several machines."""
    one.add_argument(
        '--cluster', default='', metavar='HOST:PORT',
        help='Address of a Ray cluster that does the work instead of processes of this machine; '
             "needs the extra 'cluster'")


def count(text: str) -> int:
    """Read a number of things, at least one."""
    return whole(text, 1)


def whole(text: str, least: int = 0) -> int:
    """Read a whole number that is not negative: a seed."""
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f'{text!r} is not a whole number from {least} on')
    return value


def pair(text: str) -> tuple[str, str]:
    """Read INPUT=TOPIC."""
    need, equals, name = text.partition('=')
    if not (need and equals and name):
        raise argparse.ArgumentTypeError(f'{text!r} is not INPUT=TOPIC, e.g. camera=front/image')
    return need, name


def change(text: str) -> tuple[str, str]:
    """Read GROUP.KEY=VALUE, a setting."""
    name, equals, value = text.partition('=')
    if not (all(name.partition('.')) and equals and value):
        raise argparse.ArgumentTypeError(f'{text!r} is not GROUP.KEY=VALUE, e.g. '
                                         f'energy.time_to_goal=0')
    return name, value
