# SPDX-License-Identifier: Apache-2.0
"""
Kills processes and cuts power while a module store is changed, and reports broken stores.

Usage: python -m ami_ros.validation.store_crashes.campaign [--cuts 10] [--kills 100] [--seed 1000]
[--report FILE]

1. `kill -9` before, after and amid every single system call that writes. 2. A power cut after each
of them, on a simulated disk that loses what was not synced: all of it, none, only names, only
contents, and random parts. 3. `kill -9` at random instants of a process that does one after the
other. Each time the store has to be whole: as before or as after, and as after where it said so.
"""

import argparse
import json
import os
from pathlib import Path
import platform
import shutil
import signal
import sys
import tempfile
import time
import traceback

import numpy as np

from ami_ros.validation.store_crashes.failing_disks import Counting, Forgetful, Killed
from ami_ros.validation.store_crashes.store_operations import (
    DEEDS,
    judge,
    Nothing,
    prepare,
    ROVER,
    state,
    StoreWorld,
    world,
)


def fork(do) -> int:
    """Do it in a process of its own; return its number at once."""
    child = os.fork()
    if child == 0:
        try:
            do()
        except BaseException:       # nothing of the parent's may run here
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def whole(made: StoreWorld, work: Path, deed: str) -> tuple:
    """Do a deed undisturbed; return the states before and after, and its calls."""
    folder = work / 'whole'
    shutil.copytree(work / 'first', folder)
    before, disk = state(made, folder), Counting()
    model = load_model(folder)
    DEEDS[deed](made, made.store(folder, disk))
    after = state(made, folder)
    shutil.rmtree(folder)
    return before, after, disk.calls, model(disk.calls)


def load_model(folder: Path):
    """Read the folder now; make the model when the calls are known."""
    model = Forgetful(folder, [])

    def made(calls: list[tuple]) -> Forgetful:
        model.calls = []
        for index, (what, path, *more) in enumerate(calls):
            model.calls.append(model.step(index, what, path, *more))
        return model
    return made


def kills(made: StoreWorld, work: Path, deed: str, before, after, calls: list) -> tuple[int,
                                                                                        list[str]]:
    """Kill a deed around each of its calls."""
    tried, wrong = 0, []
    for n, (what, *_) in enumerate(calls, 1):
        for when in ('before', 'amid', 'after') if what == 'write' else ('before', 'after'):
            folder = work / 'store'
            shutil.copytree(work / 'first', folder)
            store = made.store(folder, Killed(n, when))
            _, status = os.waitpid(fork(lambda s=store: DEEDS[deed](made, s)), 0)
            assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (deed, n)
            if said := judge(made, folder, deed, before, after, False):
                wrong.append(f'{deed}: killed {when} call {n}, {what}: {said}')
            tried += 1
            shutil.rmtree(folder)
    return tried, wrong


def parts(rng, random: int):
    """Yield what may last of what was not synced: name, keep, tear."""
    whole = lambda call: len(call.data)     # noqa: E731
    yield 'nothing', lambda call: False, whole
    yield 'all', lambda call: True, whole
    yield 'names alone', lambda call: call.what != 'write', whole
    yield 'contents alone', lambda call: call.what == 'write', whole
    for index in range(random):
        share = rng.uniform()
        yield (f'part {index}', lambda call, p=share: rng.uniform() < p,
               lambda call: int(rng.integers(len(call.data) + 1)))


def cuts(made: StoreWorld, work: Path, deed: str, before, after, model: Forgetful, random: int,
         rng) -> tuple[int, list[str]]:
    """Cut the power after each call, in many ways."""
    tried, wrong = 0, []
    for k in range(len(model.calls) + 1):
        for name, keep, tear in parts(rng, random):
            folder = work / 'store'
            model.cut(k, folder, keep, tear)
            over = k == len(model.calls) and deed not in ('remove', 'remove the newest')
            if said := judge(made, folder, deed, before, after, over):
                wrong.append(f'{deed}: power cut after {k} of {len(model.calls)} calls, {name} '
                             f'of the rest lasts: {said}')
            tried += 1
            shutil.rmtree(folder)
    return tried, wrong


ROUND = ('install', 'activate', 'remove', 'install', 'activate', 'rollback', 'install',
         'activate', 'rollback')


def busy(made: StoreWorld, folder: Path, seed: int, tell: int) -> None:
    """Do one deed after the other, and tell of each before and after; without end."""
    rng, store = np.random.default_rng(seed), made.store(folder)
    counter = max(n for _, n in store.pointer().minimum.items())
    while True:
        for deed in ROUND:
            version = str(rng.choice(list(made.packed)))
            os.write(tell, b'?')
            try:
                if deed == 'install':
                    store.install(made.packed[version])
                elif deed == 'activate':
                    store.activate([made.names[version]], ROVER, Nothing())
                elif deed == 'rollback':
                    store.rollback(ROVER, Nothing())
                else:
                    store.remove(made.names[version])
            except ValueError:      # it may not: too old, active, not there
                pass
            now = store.pointer()
            counter = max(counter, *now.minimum.values())
            said = json.dumps([now.active.modules[0].id if now.active else '', counter])
            os.write(tell, said.encode() + b'\n')


def strikes(made: StoreWorld, work: Path, count: int, seed: int) -> tuple[int, list[str]]:
    """Kill a busy process at random instants; what it had said is so, or what it was at."""
    rng, wrong, amid = np.random.default_rng(seed), [], 0
    folder = work / 'struck'
    shutil.copytree(work / 'first', folder)
    for index in range(count):
        read, tell = os.pipe()
        child = fork(lambda i=index, t=tell: busy(made, folder, seed + i, t))
        os.close(tell)
        os.read(read, 1)            # it has begun
        time.sleep(rng.uniform(0, 0.2))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        said = b''
        while more := os.read(read, 65536):
            said += more
        os.close(read)
        begun = said.endswith(b'?')
        lines = [line for line in said.decode().replace('?', '').split('\n') if line]
        try:
            now = made.store(folder).pointer()
            if now.active is not None:
                state(made, folder)
            active = now.active.modules[0].id if now.active else ''
            if lines and not begun and active != json.loads(lines[-1])[0]:
                wrong.append(f'kill {index}: {active[:12]} is active, it had said '
                             f'{lines[-1][:14]}')
            if lines and max(now.minimum.values()) < json.loads(lines[-1])[1]:
                wrong.append(f'kill {index}: the minimum was lost')
        except Exception as broken:
            wrong.append(f'kill {index}: {broken!r}')
        amid += begun
    return amid, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[1])
    parser.add_argument('--cuts', type=int, default=10,
                        help='Number of random power cuts at each call')
    parser.add_argument('--kills', type=int, default=100,
                        help='Number of kills at random instants')
    parser.add_argument('--seed', type=int, default=1000, help='Random seed')
    parser.add_argument('--report', type=Path, help='Report JSON file')
    args = parser.parse_args()
    rng, begun, rows, wrong = np.random.default_rng(args.seed), time.monotonic(), {}, []
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        made = world(work)
        prepare(made, work / 'first')
        for deed in DEEDS:
            before, after, calls, model = whole(made, work, deed)
            killed, bad = kills(made, work, deed, before, after, calls)
            cut, worse = cuts(made, work, deed, before, after, model, args.cuts, rng)
            rows[deed] = {'calls': len(calls), 'kills': killed, 'power_cuts': cut,
                          'broken': len(bad) + len(worse)}
            wrong += bad + worse
            print(f'{deed}: {rows[deed]}', flush=True)
        amid, bad = strikes(made, work, args.kills, args.seed)
        rows['random'] = {'kills': args.kills, 'amid_a_deed': amid, 'broken': len(bad)}
        wrong += bad
    report = {'seed': args.seed, 'machine': f'{os.cpu_count()} x {platform.machine()}',
              'python': platform.python_version(), 'deeds': rows, 'broken': wrong,
              'seconds': round(time.monotonic() - begun)}
    if args.report:
        args.report.write_text(json.dumps(report, indent=1) + '\n')
    print(f'random: {rows["random"]}', *wrong[:20], f'{len(wrong)} broken', sep='\n')
    return bool(wrong)


if __name__ == '__main__':
    sys.exit(main())
