# SPDX-License-Identifier: Apache-2.0
"""
Feeds the critic with what nobody should send.

python3 tools/fuzz.py --count 100000 --seed 1 --report docs/reports/fuzz.json

Of the count, 90 % are messages to every input of a real critic node (two robots and policies, and
another planner's input), among sound ones, at times that are made up; the rest are policy files,
robot files and what a latch finds on disk. Nothing may crash but with the ValueError that is
declared, nothing may take long, and nothing may move that a small oracle, which knows messages
and files alone, does not allow.
"""

import argparse
from collections import Counter
import json
import os
from pathlib import Path
import sys
import tempfile
import time

for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
    os.environ[name] = '1'

import fuzz_desk  # noqa: E402
import fuzz_files  # noqa: E402
import numpy as np  # noqa: E402

CHUNK = 5000            # messages of one desk: each has a seed of its own
MOST = 6                # spoilt messages within 20 ms
SHOWN = 20              # of each kind of failure


def messages(name: str, count: int, seed: int, folder: Path) -> dict:
    """Send so many spoilt messages to one desk; return what came of it."""
    desk = fuzz_desk.Desk(name, seed, folder)
    try:
        while desk.sent < count and len(desk.crashes) + len(desk.wrong) < SHOWN:
            desk.tick(MOST)
    finally:
        desk.end()
    return {'sent': desk.sent, 'by_topic': desk.spoilt, 'not_sendable': desk.refused,
            'moved': desk.moved, 'crashes': desk.crashes, 'motions': desk.wrong,
            'slow': desk.slowest, 'took': desk.took}


def chunks(count: int, seed: int):
    """Yield desk, messages and seed, until there are enough."""
    share = {'rover': 0.45, 'everything': 0.45, 'foreign': 0.1}
    for name, part in share.items():
        left = round(count * part)
        for number in range(-(-left // CHUNK)):
            yield name, min(CHUNK, left - number * CHUNK), (seed, len(name), number)


def main() -> int:
    """Run; the exit status is 1 where something crashed, moved, or took too long."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[1])
    parser.add_argument('--count', type=int, default=100_000, help='messages and files together')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--report', type=Path, help='where it is told, as JSON')
    args = parser.parse_args()
    files = args.count // 10
    total, begun = Counter(), time.monotonic()
    told = {'by_topic': Counter(), 'crashes': [], 'motions': [], 'slow': []}
    took = []
    with tempfile.TemporaryDirectory(dir='/dev/shm' if Path('/dev/shm').is_dir() else None) as at:
        for name, count, seed in chunks(args.count - files, args.seed):
            said = messages(name, count, np.random.SeedSequence(seed).generate_state(1)[0],
                            Path(at))
            total.update({key: said[key] for key in ('sent', 'not_sendable', 'moved')})
            total[f'desk {name}'] += said['sent']
            told['by_topic'].update(said['by_topic'])
            for kind in ('crashes', 'motions', 'slow'):
                told[kind] += said[kind]
            took += said['took']
            print(f'{time.monotonic() - begun:6.0f} s  {total["sent"]} messages, '
                  f'{total["moved"]} commands that move, {len(told["crashes"])} crashes, '
                  f'{len(told["motions"])} motions that nobody allowed, {len(told["slow"])} slow',
                  flush=True)
        on_disk = fuzz_files.run(files, args.seed, Path(at))
    ms = 1e3 * np.percentile(took, (50, 99, 99.9, 100))
    report = {
        'command': f'python3 tools/fuzz.py --count {args.count} --seed {args.seed}',
        'count': total['sent'] + on_disk['count'], 'messages': dict(total),
        'by_topic': dict(told['by_topic']), 'files': on_disk['kinds'],
        'cpu_ms_a_message': dict(zip(('p50', 'p99', 'p999', 'max'), ms.round(3).tolist())),
        'crashes': told['crashes'] + on_disk['crashes'], 'motions': told['motions'],
        'slow': told['slow'] + on_disk['slow'], 'seconds': round(time.monotonic() - begun)}
    if args.report:
        args.report.parent.mkdir(parents=True, exist_ok=True)
        args.report.write_text(json.dumps(report, indent=1) + '\n')
    counts = {kind: len(report[kind]) for kind in ('crashes', 'motions', 'slow')}
    print(json.dumps({'count': report['count'], **counts, 'seconds': report['seconds']}))
    return 1 if any(counts.values()) else 0


if __name__ == '__main__':
    sys.exit(main())
