# SPDX-License-Identifier: Apache-2.0
"""
Attacks signed modules with flipped bytes and structural changes, and counts accepted attacks.

Usage: python -m ami_ros.validation.module_attacks.tampering [--flips 10000] [--seed 1000]
[--report FILE]

Bytes are flipped in the shipped module as it lies installed, in the archive that it packs to, and
in the pointer of the active set. Each time the very door that a robot uses is asked, and the store
has to be afterwards as it was. The attacks themselves are in ami_ros/validation/module_attacks.
"""

import argparse
from collections import Counter
import json
import os
from pathlib import Path
import platform
import shutil
import sys
import tempfile
import time

import numpy as np

from ami_ros.modules import active_set, archive
from ami_ros.modules import signature_envelope as envelope
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.module import open_folder, open_module, shipped
from ami_ros.modules.module_store import Store
from ami_ros.modules.trusted_keys import packaged
from ami_ros.robots.find_robot import find
from ami_ros.validation.module_attacks import ATTACKS, Bench


class Nothing:
    """Proves nothing, quickly: here it is about bytes."""

    device = 'none'

    def __call__(self, module):
        return {'device': self.device}


def refused(ask) -> str:
    """Return the reason; '' where it was taken. Anything but a ModuleError is no refusal."""
    try:
        ask()
    except ModuleError as why:
        return str(why)
    return ''


def listing(folder: Path) -> list:
    """List all that lies in a folder, with its bytes' size and time."""
    return sorted((str(p), p.lstat().st_size, p.lstat().st_mtime_ns) for p in folder.rglob('*'))


def flip(path: Path, at: int, by: int) -> None:
    """Change one byte in place; again, and it is as before."""
    with open(path, 'r+b') as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ by]))


def places(files: dict[str, int], count: int, rng) -> list[tuple[str, int]]:
    """Choose bytes: half spread over all bytes, half the same number for each file."""
    names, sizes = list(files), np.array(list(files.values()))
    out = []
    for k in range(count):
        name = names[k // 2 % len(names)] if k % 2 else names[
            rng.choice(len(names), p=sizes / sizes.sum())]
        out.append((name, int(rng.integers(files[name]))))
    return out


def flips(work: Path, count: int, seed: int, say=print) -> dict:
    """Flip bytes one at a time; return how many were refused, by what they were in."""
    rng, trust = np.random.default_rng(seed), packaged()
    store = Store(work / 'store', trust, True)
    store.install(shipped())
    made = store.activate(store.names(), find('rover'), Nothing())
    there = store.folder / made.modules[0].folder
    packed = work / 'packed.tar'
    packed.write_bytes(archive.pack(archive.contents(open_folder(there, trust, True))))
    empty = Store(work / 'empty', trust, True)
    empty.disk.folders(empty.folder)
    with empty.alone():
        pass
    bare = listing(empty.folder)
    targets = {f'installed/{p.name}': (p, lambda: open_module(None, True, store.folder, trust))
               for p in sorted(there.iterdir())}
    targets[active_set.FILE] = (store.folder / active_set.FILE,
                             lambda: open_module(None, True, store.folder, trust))
    targets['archive'] = (packed, lambda: empty.install(packed))
    sizes = {name: path.stat().st_size for name, (path, _) in targets.items()}
    chosen = [(name, at) for name in (f'installed/{envelope.FILE}', active_set.FILE)
              for at in range(sizes[name])]             # each byte of these
    chosen += [('archive', at) for at in edges(packed, rng, min(1000, count // 5))]
    chosen = chosen[:count // 2] + places(sizes, count - len(chosen[:count // 2]), rng)
    taken, begun = [], time.monotonic()
    said: Counter = Counter()
    for index, (name, at) in enumerate(chosen):
        path, ask = targets[name]
        by = int(rng.integers(1, 256))
        flip(path, at, by)
        if not refused(ask):
            taken.append(f'{name} byte {at} xor {by}')
        flip(path, at, by)
        said[name] += 1
        if index % 1000 == 999:
            say(f'{index + 1} of {len(chosen)} flips, {len(taken)} taken, '
                f'{time.monotonic() - begun:.0f} s')
    left = listing(empty.folder) != bare
    for _, ask in targets.values():         # and what is whole is taken
        assert not refused(ask)
    return {'flips': len(chosen), 'refused': len(chosen) - len(taken), 'taken': taken,
            'left_behind': left, 'by_file': dict(said),
            'seconds': round(time.monotonic() - begun)}


def edges(path: Path, rng, count: int) -> list[int]:
    """Choose bytes of an archive that are no content: headers, padding, the end."""
    data, out, at = path.read_bytes(), [], 0
    while data[at:at + archive.BLOCK] != bytes(archive.BLOCK):
        size = int(data[at + 124:at + 135], 8)
        end = at + archive.BLOCK + size
        after = end + -size % archive.BLOCK
        out += [*range(at, at + archive.BLOCK), *range(end, after)]
        at = after
    out += range(at, len(data))
    return [int(one) for one in rng.choice(out, min(count, len(out)), replace=False)]


def structural(work: Path) -> dict:
    """Try every structural attack; return which were not refused, or left something behind."""
    taken, reasons = [], {}
    for name, attack in ATTACKS.items():
        bench = Bench(work / 'bench')
        before = listing(bench.watched)
        try:
            why = refused(lambda: attack(bench))    # noqa: B023, it is called here
        except Exception as crash:      # no refusal either
            taken.append(f'{name}: {crash!r}')
            why = ''
        if not why:
            taken.append(name)
        elif not bench.inside and listing(bench.watched) != before:
            taken.append(f'{name}: left something behind')
        reasons[name] = why.replace(str(work), '')
        shutil.rmtree(work / 'bench')
    return {'attacks': len(ATTACKS), 'refused': len(ATTACKS) - len(taken), 'taken': taken,
            'reasons': reasons}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[1])
    parser.add_argument('--flips', type=int, default=10_000, help='Number of flipped bytes')
    parser.add_argument('--seed', type=int, default=1000, help='Random seed')
    parser.add_argument('--report', type=Path, help='Report JSON file')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        report = {'seed': args.seed, 'module': open_module(shipped()).said,
                  'machine': f'{os.cpu_count()} x {platform.machine()}',
                  'python': platform.python_version(),
                  'structural': structural(Path(work)),
                  'bytes': flips(Path(work), args.flips, args.seed)}
    if args.report:
        args.report.write_text(json.dumps(report, indent=1) + '\n')
    for part in ('structural', 'bytes'):
        print(f'{part}: {report[part]["refused"]} of '
              f'{report[part].get("flips", report[part].get("attacks"))} refused; taken: '
              f'{report[part]["taken"] or "none"}')
    return bool(report['structural']['taken'] or report['bytes']['taken']
                or report['bytes']['left_behind'])


if __name__ == '__main__':
    sys.exit(main())
