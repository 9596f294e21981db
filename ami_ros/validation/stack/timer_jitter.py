# SPDX-License-Identifier: Apache-2.0
"""
Measures how late the computer wakes a process that only sleeps.

Stands beside every latency, so that a busy machine is not taken for a slow program.
"""

import json
import subprocess
import sys
import time

PERIOD_S = 0.01
ALONE = 'from ami_ros.validation.stack.timer_jitter import main; main()'


def main() -> None:
    """Sleep again and again until the input ends; write how late each sleep was, ms, as JSON."""
    import threading
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    late = []
    while not ended.is_set():
        begun = time.perf_counter()
        time.sleep(PERIOD_S)
        late.append(round(1e3 * (time.perf_counter() - begun - PERIOD_S), 4))
    json.dump(late, sys.stdout)


class Probe:
    """Runs the timer in a process of its own for as long as the context lasts."""

    late_ms: list[float] = []

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, '-c', ALONE], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        self.late_ms = json.loads(self.process.communicate('')[0] or '[]')
