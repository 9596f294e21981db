# SPDX-License-Identifier: Apache-2.0
"""What a process costs is what it costs: a busy one a core, one that hoards its memory."""

import subprocess
import sys
import time

from ami_ros.validation.stack.resource_usage import told, Usage
import pytest

BUSY = 'while True: pass'
HOARD = """
import sys, time
kept = []
for _ in range(5):
    kept.append(bytearray(b'x' * 4_000_000)); print(len(kept), flush=True); sys.stdin.readline()
"""


def test_a_busy_and_an_idle_process(tmp_path):
    busy = subprocess.Popen([sys.executable, '-c', BUSY])
    idle = subprocess.Popen([sys.executable, '-c', 'print(flush=True); input()'], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    idle.stdout.readline()              # what it costs to start is over
    usage = Usage({'busy': busy, 'idle': idle})
    try:
        for _ in range(3):
            usage.last_s = -9.0
            usage.look()
            time.sleep(0.3)
        report = usage.report()
        assert report['busy']['cores'] > 5 * report['idle']['cores'] + 0.05
        assert report['busy']['lives'] == 1 and report['busy']['memory_mb']['most'] > 1
    finally:
        for process in (busy, idle):
            process.kill()
            process.wait()
    usage.last_s = -9.0
    usage.look()                        # they are gone: nothing is added, nothing is wrong
    assert usage.report()['busy']['samples'] == 3


def test_memory_that_grows_is_seen():
    hoard = subprocess.Popen([sys.executable, '-c', HOARD], stdin=subprocess.PIPE, text=True,
                             stdout=subprocess.PIPE)
    usage = Usage({'hoard': hoard})
    try:
        for _ in range(5):
            hoard.stdout.readline()
            usage.last_s = -9.0
            usage.look()
            hoard.stdin.write('\n')
            hoard.stdin.flush()
    finally:
        hoard.kill()
        hoard.wait()
    memory = usage.report()['hoard']['memory_mb']
    assert 14 < memory['late'] - memory['early'] < 20


def test_growth_is_of_early_memory_and_restarts_are_not_counted_as_work():
    samples = [(float(n), 1 if n < 50 else 2, 0.5 * (n % 50), 100.0 + 0.1 * n)
               for n in range(100)]
    said = told(samples)
    assert said['cores'] == pytest.approx(0.5, abs=0.01) and said['lives'] == 2
    over = said['memory_mb'].pop('over_time')
    assert over == sorted(over) and len(over) == 60 and over[0] == pytest.approx(100, abs=0.2)
    assert said['memory_mb'] == {'early': 101.45, 'late': 109.45, 'most': 109.9}
    assert said['memory_growth'] == pytest.approx(8 / 101.45, abs=1e-4)
