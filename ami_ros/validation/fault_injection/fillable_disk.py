# SPDX-License-Identifier: Apache-2.0
"""A small disk for logs that can be filled: a tmpfs, or a quota on files where none may be."""

from collections.abc import Iterable
import errno
import os
from pathlib import Path
import resource
import shutil
import subprocess

SIZE = '4m'


class SmallDisk:
    """Logs go to `path`; while it is full no file on it, or of these processes, can grow."""

    def __init__(self, path: Path):
        self.path, self.mounted = path, False

    def mount(self) -> None:
        """Make it; who may not mount gets a folder. What a killed campaign left is taken away."""
        self.path.mkdir(parents=True, exist_ok=True)
        while os.path.ismount(self.path) and self._umount():
            pass
        self.mounted = subprocess.run(
            ['mount', '-t', 'tmpfs', '-o', f'size={SIZE}', 'ami_ros_faults', str(self.path)],
            capture_output=True).returncode == 0

    def unmount(self) -> None:
        """Take it away; logs are kept beside it."""
        if self.mounted:
            for log in self.path.glob('*.log'):
                shutil.copy(log, self.path.parent)
            self._umount()
            self.mounted = False

    def _umount(self) -> bool:
        return subprocess.run(['umount', '-l', str(self.path)],
                              capture_output=True).returncode == 0

    @property
    def kind(self) -> str:
        """Say what it is."""
        return f'tmpfs of {SIZE}' if self.mounted else 'RLIMIT_FSIZE'

    def fill(self, pids: Iterable[int]) -> None:
        """Leave no room."""
        if not self.mounted:
            self._limit(pids, 1)
            return
        with open(self.path / 'filler', 'wb', buffering=0) as filler:
            size = 2**16
            while size:
                try:
                    filler.write(b'\0' * size)
                except OSError as full:
                    if full.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def empty(self, pids: Iterable[int]) -> None:
        """Give the room back."""
        if not self.mounted:
            self._limit(pids, resource.RLIM_INFINITY)
            return
        (self.path / 'filler').unlink()

    def _limit(self, pids: Iterable[int], most: int) -> None:
        for pid in pids:
            if os.path.exists(f'/proc/{pid}'):
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))
