# SPDX-License-Identifier: Apache-2.0
"""
Finds out whether somebody still writes to a recording.

Three signs: the lock that our own recorder holds on the folder for as long as it records (the
kernel releases it when the process dies), a process that has a file of the folder open for
writing (any recorder, by /proc), and a file that grows (a recorder that /proc does not show: in
another container, or on another computer that shares the disk).
"""

import fcntl
import os
from pathlib import Path
import time

from ami_ros.core.errors import AmiError

FRESH_S = 20.0      # only a file that was changed so recently is watched for growth
WATCH_S = 1.5       # for so long; recorders write at least about once a second
PROC = Path('/proc')


def hold(folder: Path) -> int:
    """Lock a folder for a recorder; return the descriptor that holds the lock until it is closed.

    The lock is advisory. Where the file system has no locks the descriptor holds none.
    """
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pass
    return held


def writer_of(bag: Path, watch: bool = False) -> str:
    """Say who writes to a recording (a folder or a single file) now; '' where nobody is seen.

    With `watch` a file that was changed a moment ago is watched for growth, which takes a while.
    """
    holder = opened_by(bag)
    if holder:
        return holder
    if bag.is_dir() and locked(bag):
        return 'a recorder that holds the lock of the folder'
    return growing(bag) if watch else ''


def refuse_while_written(bag: Path, deed: str, watch: bool = False) -> None:
    """Raise ValueError where somebody writes to a recording; `deed` is what is refused."""
    if who := writer_of(bag, watch):
        raise AmiError(f'{bag} is being recorded at this moment by {who}; end that recording '
                       f'first (Ctrl-C in its terminal), then {deed}')


def locked(folder: Path) -> bool:
    """Tell whether a recorder holds the lock of a folder."""
    try:
        mine = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(mine, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:         # a file system without locks
        return False
    finally:
        os.close(mine)      # which releases what was locked
    return False


def opened_by(bag: Path) -> str:
    """Name a process that has a file of a recording open for writing; '' where none is seen."""
    wanted = {identity(path) for path in parts(bag)} - {None}
    for process in PROC.glob('[0-9]*') if wanted else ():
        try:
            links = list((process / 'fd').iterdir())
        except OSError:     # of another user, or gone meanwhile
            continue
        if any(identity(link) in wanted and writes(process, link.name) for link in links):
            return f'process {process.name} ({command_of(process)})'
    return ''


def parts(bag: Path) -> list[Path]:
    """List the files that a recorder may have open."""
    try:
        return [path for path in bag.iterdir() if path.is_file()] if bag.is_dir() else [bag]
    except OSError:
        return []


def identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode, of what a link leads to; None where nothing is there."""
    try:
        said = path.stat()
    except OSError:
        return None
    return said.st_dev, said.st_ino


def writes(process: Path, descriptor: str) -> bool:
    """Tell whether a process may write through a descriptor."""
    try:
        said = (process / 'fdinfo' / descriptor).read_text()
    except OSError:
        return False
    flags = next((line.split()[1] for line in said.splitlines() if line.startswith('flags:')), '0')
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY


def command_of(process: Path) -> str:
    """Return the command line of a process, shortened."""
    try:
        words = (process / 'cmdline').read_bytes().split(b'\0')
    except OSError:
        return 'unknown'
    return b' '.join(filter(None, words)).decode('utf-8', 'replace')[:120] or 'unknown'


def growing(bag: Path) -> str:
    """Say which file of a recording grows, after a while of watching; '' where none does."""
    def sizes() -> dict[Path, int]:
        return {path: said.st_size for path in parts(bag)
                if (said := path.stat()).st_mtime > time.time() - FRESH_S}

    before = sizes()
    if not before:
        return ''
    end = time.monotonic() + WATCH_S
    while time.monotonic() < end:
        time.sleep(min(0.1, WATCH_S))
        for path, size in sizes().items():
            if size != before.get(path, -1):
                return f'an unknown process: {path.name} grows'
    return ''
