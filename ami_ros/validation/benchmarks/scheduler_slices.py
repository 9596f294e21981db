# SPDX-License-Identifier: Apache-2.0
"""
Measures the effect of short time slices without a real-time priority.

    python3 -m ami_ros.validation.benchmarks.scheduler_slices --report
    docs/reports/scheduler_slices.json

A process that works for a millisecond every 20 ms, as the critic does, and says how late it woke;
with ordinary turns and with short ones in turn, beside a process a core that only computes, all of
one priority.
"""

import argparse
import json
import os
from pathlib import Path
import platform
import subprocess
import sys
import time

import numpy as np

from ami_ros.host.realtime_priority import SHORT_NS, take_short_turns

PERIOD_S, WORK_S = 0.02, 0.001
SAY = (50, 99, 99.9, 100)


def late(seconds: float, short: bool) -> list[float]:
    """Wake and work; how late each time, ms."""
    refused = take_short_turns() if short else ''
    if refused:
        raise SystemExit(f'no short turns here: {refused}')
    out, due = [], time.monotonic()
    for _ in range(round(seconds / PERIOD_S)):
        due += PERIOD_S
        time.sleep(max(0.0, due - time.monotonic()))
        out.append(1e3 * (time.monotonic() - due))
        until = time.process_time() + WORK_S
        while time.process_time() < until:
            pass
    return out


def main() -> None:
    """Measure, in turn."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n\n')[0])
    parser.add_argument('--seconds', type=float, default=10.0,
                        help='Duration of each stretch, in seconds')
    parser.add_argument('--rounds', type=int, default=3, help='Number of rounds')
    parser.add_argument('--one', choices=('ordinary', 'short'), help=argparse.SUPPRESS)
    parser.add_argument('--report', type=Path, help='Report JSON file')
    args = parser.parse_args()
    if args.one:
        print(json.dumps(late(args.seconds, args.one == 'short')))
        return
    busy = [subprocess.Popen([sys.executable, '-c', 'while True: pass'])
            for _ in range(os.cpu_count() or 1)]
    found: dict[str, list] = {'ordinary': [], 'short': []}
    try:
        for _ in range(args.rounds):
            for kind, values in found.items():
                said = subprocess.run([sys.executable, '-m',
                                       'ami_ros.validation.benchmarks.scheduler_slices', '--one',
                                       kind, '--seconds',
                                       str(args.seconds)], check=True, capture_output=True)
                values.append(json.loads(said.stdout))
    finally:
        for one in busy:
            one.kill()
    report = {'kernel': platform.release(), 'turns_ns': SHORT_NS, 'seconds': args.seconds,
              'load_after': os.getloadavg()[0], **{kind: [
                  {f'p{p:g}': round(float(np.percentile(one, p)), 3) for p in SAY}
                  for one in values] for kind, values in found.items()}}
    print(json.dumps(report, indent=1))
    if args.report:
        args.report.write_text(json.dumps(report, indent=1) + '\n')


if __name__ == '__main__':
    main()
