# SPDX-License-Identifier: Apache-2.0
"""Tells what processes cost: share of a core and memory, read from /proc now and then."""

from collections.abc import Mapping
import os
from pathlib import Path
import subprocess
import time

import numpy as np

EVERY_S = 1.0
TICK_S = 1 / os.sysconf('SC_CLK_TCK')
PARTS = 60              # of the time, of which memory is told one by one
EARLY, LATE = (0.1, 0.2), (0.9, 1.0)    # shares of the time between which memory is compared


def cpu_s(pid: int) -> float:
    """Return processor seconds of a process so far; OSError where it is gone."""
    words = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(words[11]) + int(words[12])) * TICK_S


def memory_mb(pid: int) -> float:
    """Return what a process has written to memory of its own, MB; OSError where it is gone.

    Clean pages are left out: those of a library count as private as soon as the last other
    process that uses it ends, and a process seemed to grow by 20 MB that way.
    """
    said = Path(f'/proc/{pid}/smaps_rollup').read_text().split('\n')
    return sum(int(line.split()[1]) for line in said
               if line.startswith(('Private_Dirty', 'Swap:'))) / 1024


class Usage:
    """Samples processes by name; those that are started again count on under their name."""

    def __init__(self, running: Mapping[str, subprocess.Popen]):
        self.running, self.last_s = running, -EVERY_S
        self.samples: dict[str, list[tuple[float, int, float, float]]] = {}

    def look(self) -> None:
        """Take a sample of each, if it is time."""
        now_s = time.monotonic()
        if now_s - self.last_s < EVERY_S:
            return
        self.last_s = now_s
        for name, process in list(self.running.items()):
            try:
                sample = now_s, process.pid, cpu_s(process.pid), memory_mb(process.pid)
            except (OSError, IndexError):
                continue        # it has just ended
            self.samples.setdefault(name, []).append(sample)

    def report(self) -> dict[str, dict]:
        """Say per process: share of a core, and memory early, late, at most and grown by."""
        return {name: told(samples) for name, samples in self.samples.items()
                if len(samples) >= 2}


def told(samples: list[tuple[float, int, float, float]]) -> dict:
    """Sum up samples of (time s, pid, processor s, memory MB) of one name."""
    at, pids, cpu, memory = (np.array(column) for column in zip(*samples))
    same = pids[1:] == pids[:-1]
    spent = np.diff(cpu)[same].sum() / max(np.diff(at)[same].sum(), 1e-9)
    share = (at - at[0]) / (at[-1] - at[0])
    early, late = (float(np.median(memory[(share >= a) & (share <= b)]))
                   for a, b in (EARLY, LATE)) if len(at) >= 20 else (memory[0], memory[-1])
    return {'cores': round(float(spent), 4), 'memory_mb': {
        'early': round(float(early), 2), 'late': round(float(late), 2),
        'most': round(float(memory.max()), 2),
        'over_time': [round(float(part.mean()), 2) for part in np.array_split(memory, PARTS)
                      if len(part)]},
        'memory_growth': round(float(late / early - 1), 5), 'samples': len(at),
        'lives': int(len(set(pids.tolist())))}
