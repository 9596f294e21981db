# SPDX-License-Identifier: Apache-2.0
"""
Sends invalid messages and files to the critic, and reports crashes, delays and unsafe motion.

python3 -m ami_ros.validation.fuzzing.critic --count 100000 --seed 1 --report
docs/reports/fuzz_critic.json

Of the count, 90 % are messages to every input of a real critic node (two robots and policies, and
another planner's input), among sound ones, at times that are made up; the rest are policy files,
robot files and what a latch finds on disk. Nothing may crash but with the AmiError that is
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
from typing import Any

from ami_ros.core.robot_processes import THREADS

os.environ.update(THREADS)

import numpy as np  # noqa: E402

from ami_ros.validation.fuzzing import critic_node_harness  # noqa: E402
from ami_ros.validation.fuzzing import files as fuzz_files  # noqa: E402

CHUNK = 20_000          # messages of all desks in turn: each part has a seed of its own
SHARES = {'rover': 0.45, 'everything': 0.45, 'foreign': 0.1}
FAILURES = ('crashes', 'motions', 'slow')
MOST = 6                # spoilt messages within 20 ms
SHOWN = 20              # of each kind of failure


def messages(name: str, count: int, seed: int, folder: Path) -> dict:
    """Send so many spoilt messages to one desk; return what came of it."""
    desk = critic_node_harness.Desk(name, seed, folder)
    try:
        while desk.sent < count and len(desk.crashes) + len(desk.wrong) < SHOWN:
            desk.tick(MOST)
    finally:
        desk.end()
    return {'sent': desk.sent, 'by_topic': desk.spoilt, 'not_sendable': desk.refused,
            'moved': desk.moved, 'crashes': desk.crashes, 'motions': desk.wrong,
            'slow': desk.slowest, 'took': desk.took}


def chunks(count: int, seed: int):
    """Yield desk, messages and seed, desk by desk in turn, until there are enough."""
    left = {name: round(count * part) for name, part in SHARES.items()}
    number = 0
    while any(left.values()):
        for place, name in enumerate(SHARES):
            now = min(round(CHUNK * SHARES[name]), left[name])
            left[name] -= now
            if now:
                yield name, now, int(np.random.SeedSequence(
                    (seed, place, number)).generate_state(1)[0])
        number += 1


def report(told: dict, took: list[float], args: argparse.Namespace, begun: float) -> dict:
    """Say what came of it so far."""
    ms = 1e3 * np.percentile(took or [0.0], (50, 99, 99.9, 100))
    return {
        'command':
        f'python3 -m ami_ros.validation.fuzzing.critic --count {args.count} --seed {args.seed}',
        'count': told['messages']['sent'] + told['files']['count'],
        'messages': dict(told['messages']), 'by_topic': dict(told['by_topic']),
        'files': told['files'],
        'cpu_ms_a_message': dict(zip(('p50', 'p99', 'p999', 'max'), ms.round(3).tolist())),
        **{kind: told[kind] for kind in FAILURES}, 'seconds': round(time.monotonic() - begun)}


def main() -> int:
    """Run; the exit status is 1 where something crashed, moved, or took too long."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[1])
    parser.add_argument('--count', type=int, default=100_000,
                        help='Total number of messages and files')
    parser.add_argument('--seed', type=int, default=1, help='Random seed')
    parser.add_argument('--report', type=Path, help='Report JSON file, rewritten during the run')
    args = parser.parse_args()
    files, begun, took = args.count // 10, time.monotonic(), []
    told: dict[str, Any] = {
        'messages': Counter(sent=0), 'by_topic': Counter(),
            'files': {'count': 0, 'kinds': {}}, **{kind: [] for kind in FAILURES}}
    with tempfile.TemporaryDirectory(dir='/dev/shm' if Path('/dev/shm').is_dir() else None) as at:
        for name, count, seed in chunks(args.count - files, args.seed):
            said = messages(name, count, seed, Path(at))
            told['messages'].update({key: said[key] for key in ('sent', 'not_sendable', 'moved')})
            told['messages'][f'desk {name}'] += said['sent']
            told['by_topic'].update(said['by_topic'])
            took += said['took']
            due = round(files * told['messages']['sent'] / (args.count - files))
            more = fuzz_files.run(due - told['files']['count'], seed, Path(at))
            told['files']['count'] += more['count']
            for kind, outcomes in more['kinds'].items():
                told['files']['kinds'][kind] = dict(
                    Counter(told['files']['kinds'].get(kind, {})) + Counter(outcomes))
            for kind in FAILURES:
                told[kind] += said[kind] + more.get(kind, [])
            out = report(told, took, args, begun)
            if args.report:
                args.report.parent.mkdir(parents=True, exist_ok=True)
                args.report.write_text(json.dumps(out, indent=1) + '\n')
            print(json.dumps({'count': out['count'], 'moving': out['messages']['moved'],
                              **{kind: len(out[kind]) for kind in FAILURES},
                              'seconds': out['seconds']}), flush=True)
    return 1 if any(told[kind] for kind in FAILURES) else 0


if __name__ == '__main__':
    sys.exit(main())
