# SPDX-License-Identifier: Apache-2.0
"""
Every write to the store, one system call after the other, through one method.

So a test can die at each of them, and a simulated disk can lose what was not synced. What is here
is all that `store` does to a disk; a test holds that.
"""

from collections.abc import Iterator, Mapping
import contextlib
import fcntl
import os
from pathlib import Path

CHUNK = 2**20           # bytes that one write takes
LOCK = '.lock'


class Disk:
    """The real one. `do` is the seam: operation, path, and what belongs to it."""

    def do(self, what: str, path: Path, *more) -> None:
        """Make one system call."""
        getattr(self, f'_{what}')(path, *more)

    def _mkdir(self, path: Path) -> None:
        os.mkdir(path, 0o755)

    def _create(self, path: Path) -> None:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))

    def _write(self, path: Path, data: bytes) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            while data:
                data = data[os.write(handle, data):]
        finally:
            os.close(handle)

    def _sync(self, path: Path) -> None:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _rename(self, path: Path, to: Path) -> None:
        os.rename(path, to)

    def _unlink(self, path: Path) -> None:
        os.unlink(path)

    def _rmdir(self, path: Path) -> None:
        os.rmdir(path)

    # what is made of them

    def file(self, path: Path, data: bytes) -> None:
        """Write a new file, down to the disk; its name is not there yet."""
        self.do('create', path)
        for at in range(0, len(data), CHUNK):
            self.do('write', path, data[at:at + CHUNK])
        self.do('sync', path)

    def folder(self, path: Path, files: Mapping[str, bytes]) -> None:
        """Write a new folder, down to the disk; its name is not there yet."""
        self.do('mkdir', path)
        for name, data in files.items():
            self.file(path / name, data)
        self.do('sync', path)

    def name(self, path: Path, to: Path) -> None:
        """Give what is on the disk its name, down to the disk: all of it or none."""
        self.do('rename', path, to)
        self.do('sync', to.parent)

    def put(self, path: Path, data: bytes) -> None:
        """Write a file over the one that is there: all of it or none, down to the disk."""
        fresh = path.with_name(f'.{path.name}.new')
        if fresh.is_file():             # of one who died
            self.do('unlink', fresh)
        self.file(fresh, data)
        self.name(fresh, path)

    def remove(self, path: Path) -> None:
        """Remove a file, or a folder of files; half of it may remain if this dies."""
        if path.is_dir() and not path.is_symlink():
            for one in sorted(path.iterdir()):
                self.remove(one)
            self.do('rmdir', path)
        else:
            self.do('unlink', path)

    def folders(self, path: Path) -> None:
        """Make a folder and those above it where they are missing, down to the disk."""
        missing = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for one in reversed(missing):
            self.do('mkdir', one)
            self.do('sync', one.parent)


@contextlib.contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold a store alone; who dies lets go."""
    with open(store / LOCK, 'a') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
