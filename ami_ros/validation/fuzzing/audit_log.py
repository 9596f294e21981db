# SPDX-License-Identifier: Apache-2.0
"""
Corrupts the audit log, verifies it and continues it, and counts undetected corruptions.

    python3 -m ami_ros.validation.fuzzing.audit_log docs/reports/fuzz_audit_log.json --count 100000
    --seed 500

A log of three files and its head are written once, then copied and spoilt: bytes, lines, files,
the head. Each time: reading never crashes, what is not as it was written is told, and the next
critic goes on behind it, in a log whose new lines are good, and in which it is told still.
"""

import argparse
from collections import Counter
import json
import os
from pathlib import Path
import tempfile
import time
import traceback

import numpy as np

from ami_ros.critic.audit import log as audit_log
from ami_ros.critic.audit.hash_chain import HEAD, line
from ami_ros.critic.audit.log import AuditLog
from ami_ros.critic.audit.verify import entries, verify

LINES, LARGEST = 24, 3000
KEPT_CRASHES = 20


def sound(folder: Path) -> dict[str, bytes]:
    """Write a log; return its files."""
    log = AuditLog(folder, largest=LARGEST)
    for number in range(LINES):
        log.note('stop', rule='stop_zone', reason=f'0.{number:02d} m free', v_mps=0.1 * number)
    log.close()
    return {path.name: path.read_bytes() for path in folder.iterdir()
            if path.suffix in ('.jsonl', '.json')}


def spoil(rng: np.random.Generator, good: dict[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """Return how, and the files as they are then."""
    out = dict(good)
    logs = sorted(name for name in good if name != HEAD)
    name = logs[rng.integers(len(logs))]
    content = out[name]
    how = HOW[rng.integers(len(HOW))]
    if how in ('bytes', 'cut', 'append', 'insert'):
        at, size = int(rng.integers(len(content))), int(rng.integers(1, 60))
        made = rng.bytes(size)
        name, at = (logs[-1], len(out[logs[-1]])) if how == 'append' else (name, at)
        content = out[name]
        out[name] = {'bytes': content[:at] + made + content[at + size:],
                     'cut': content[:at] + content[at + size:],
                     'append': content + made,
                     'insert': content[:at] + made + content[at:]}[how]
    elif how == 'bit':
        at = int(rng.integers(len(content)))
        flipped = content[at] ^ (1 << int(rng.integers(8)))
        out[name] = content[:at] + bytes([flipped]) + content[at + 1:]
    elif how == 'truncate':
        out[logs[-1]] = out[logs[-1]][:int(rng.integers(len(out[logs[-1]])))]
    elif how in ('drop', 'twice', 'swap', 'forge'):
        rows = content.splitlines(keepends=True)
        at = int(rng.integers(len(rows)))
        if how == 'drop':
            del rows[at]
        elif how == 'twice':
            rows.insert(int(rng.integers(len(rows) + 1)), rows[at])
        elif how == 'swap':
            other = int(rng.integers(len(rows)))
            rows[at], rows[other] = rows[other], rows[at]
        else:
            said = json.loads(rows[at])
            rows[at] = line(said['n'], int(rng.integers(10**18)), 'stop', {'rule': 'none'},
                            said['before'])[0]
        out[name] = b''.join(rows)
    elif how == 'file':
        del out[name]
    elif how == 'head':
        content = out[HEAD]
        at = int(rng.integers(len(content)))
        out[HEAD] = content[:at] + rng.bytes(int(rng.integers(0, 9))) + content[at + 3:]
    else:
        del out[HEAD]
    return how, out


HOW = ('bytes', 'cut', 'append', 'insert', 'bit', 'truncate', 'drop', 'twice', 'swap', 'forge',
       'file', 'head', 'no head')


def said_of(folder: Path) -> tuple[bool, bool]:
    """Return whether anything wrong is told, and whether anything at all is."""
    found = verify(folder).findings
    return any(one.wrong for one in found), bool(found)


def meaning(files: dict[str, bytes]) -> tuple:
    """Return what tells two states of a log apart: a head says the same with other spaces."""
    try:
        head = json.loads(files[HEAD])
        head = (head['n'], head['hash'], head['first'])
    except (KeyError, ValueError, TypeError, RecursionError):
        head = files.get(HEAD)
    return head, tuple(sorted((name, text) for name, text in files.items() if name != HEAD))


def try_one(folder: Path, how: str, files: dict[str, bytes], good: dict[str, bytes]) -> str:
    """Lay the files there, look, go on, look again; return what came of it."""
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    if meaning(files) == meaning(good):
        return 'nothing was spoilt'
    wrong, _ = said_of(folder)
    if not wrong:
        return 'not told'
    list(entries(folder))
    log = AuditLog(folder, largest=LARGEST)
    log.note('start', at_once=True)
    log.close()
    if log.wrong or not list(entries(folder, ('start',))):
        return f'not gone on with: {log.wrong}'
    still, told = said_of(folder)
    if how == 'append':                 # nothing is missing: it is explained, and that is all
        return 'told, explained' if told and not still else 'told, and told still'
    return 'told, and told still' if still else 'told, and forgotten by a restart'


def main(words: list[str] | None = None) -> int:
    """Spoil, write the report, print; 1 where anything is not as it should be."""
    asked = argparse.ArgumentParser(description=__doc__.strip().split('\n')[0])
    asked.add_argument('report', type=Path, help='Report JSON file')
    asked.add_argument('--count', type=int, default=100000, help='Number of corrupted logs')
    asked.add_argument('--seed', type=int, default=500, help='Random seed')
    args = asked.parse_args(words)
    rng, begun = np.random.default_rng(args.seed), time.time()
    came: Counter = Counter()
    crashes: list = []
    examples: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as home:
        good = sound(Path(home) / 'good')
        folder = Path(home) / 'spoilt'
        folder.mkdir()
        audit_log.GATHER_S, os.fsync = 0.0, lambda fd: None      # no disk is what is tried here
        for number in range(args.count):
            how, files = spoil(rng, good)
            try:
                result = try_one(folder, how, files, good)
            except Exception:
                result = 'crashed'
                if len(crashes) < KEPT_CRASHES:
                    crashes.append({'how': how, 'traceback': traceback.format_exc()[-2000:]})
            came[f'{how}: {result}'] += 1
            examples.setdefault(f'{how}: {result}', str(number))
    bad = sum(count for name, count in came.items()
              if not name.partition(': ')[2].startswith(('told, and told still', 'told, explained',
                                                         'nothing was')))
    said = {'count': args.count, 'seed': args.seed, 'seconds': round(time.time() - begun),
            'bad': bad, 'came': dict(sorted(came.items())), 'first': examples,
            'crashes': crashes}
    args.report.write_text(json.dumps(said, indent=1) + '\n')
    print(json.dumps(said))
    return 1 if bad else 0


if __name__ == '__main__':
    raise SystemExit(main())
