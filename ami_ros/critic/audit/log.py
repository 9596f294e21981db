# SPDX-License-Identifier: Apache-2.0
"""
Writes the audit log in its own thread: what stopped the robot, what released it, who asked.

`note` never waits and never raises. What is noted is on disk within a second, and at once where it
must be. A disk that is full, gone or slow stops nothing: it is told in `wrong`, what is noted
meanwhile waits, and what found no place is counted in the log when it can be written again.
"""

from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
import json
import os
from pathlib import Path
import threading
import time

from ami_ros.core.durable_state import claim, settle, write_whole
from ami_ros.critic.audit.hash_chain import (
    files,
    FIRST,
    HEAD,
    Head,
    head,
    line,
    mark,
    name,
    number_of,
    Tail,
    tail,
)

FOLDER, LOCK = 'audit', 'audit.lock'
GATHER_S = 0.5          # entries that come in so short a time are written together
AGAIN_S = 1.0           # a disk that could not be written is tried again
END_S = 1.0             # at the end: so long a hanging disk is waited for
LARGEST = 1 << 20       # bytes of a file; then comes the next
KEPT = 64               # files
WAITING = 1000          # entries that wait for the disk


class AuditLog:
    """An append-only log in files of a bounded size and number; several threads may note."""

    def __init__(self, folder: Path, largest: int = LARGEST, kept: int = KEPT,
                 waiting: int = WAITING, begin: Callable[[], object] = lambda: None):
        self.folder, self.largest, self.kept, self.room = folder, largest, kept, waiting
        self.wrong = ''             # why it cannot be written; '' where it can
        self.head = Head(0, FIRST, 1)       # what is safely on disk
        self.waiting: deque[tuple[int, str, dict]] = deque()
        self.lost: Counter[str] = Counter()     # by kind, ever
        self._told: Counter[str] = Counter()    # of these, what the log says
        self._why = ''
        self._tail = Tail()
        self._file: int | None = None
        self._held: int | None = None           # the lock of the folder
        self._first = 1
        self._size = 0
        self._news, self._now, self._ending = threading.Event(), threading.Event(), False
        self._writer = threading.Thread(target=self._write_on, args=(begin,), name='audit',
                                        daemon=True)
        self._writer.start()

    def note(self, kind: str, at_once: bool = False, **what) -> None:
        """Have something written."""
        if len(self.waiting) < self.room:
            self.waiting.append((time.time_ns(), kind, what))
        else:
            self.lost[kind] += 1
        self._news.set()
        if at_once:
            self._now.set()

    def known(self) -> str:
        """Return NUMBER:HASH of the newest line on disk; who keeps it elsewhere can tell a cut."""
        return f'{self.head.number}:{self.head.hash}'

    def close(self) -> None:
        """Write what waits and end; a disk that hangs is not waited for."""
        self._ending = True
        self._news.set()
        self._now.set()
        self._writer.join(END_S)

    def _write_on(self, begin: Callable[[], object]) -> None:
        begin()
        ending = False
        while not ending:
            self._news.wait(AGAIN_S if self.wrong else None)
            self._now.wait(GATHER_S)
            self._news.clear()
            self._now.clear()
            ending = self._ending
            self._flush()
        self._let_go()
        if self._held is not None:
            os.close(self._held)        # another may write now

    def _flush(self) -> None:
        """Write what waits, have it safe, and say so in the head."""
        try:
            self._open()
            while self.waiting:
                if self._size >= self.largest:
                    self._turn()
                self._append(*self.waiting[0])
                self.waiting.popleft()
            lost = Counter(self.lost)
            more = lost - self._told
            if more:
                self._append(time.time_ns(), 'lost', {'count': sum(more.values()),
                                                      'kinds': dict(more), 'why': self._why})
                self._told = lost
            if self._tail.number != self.head.number:
                assert self._file is not None
                os.fsync(self._file)
                self._say_head()
            self.wrong = ''
        except Exception as why:        # also one that nobody thought of: it must go on trying
            self.wrong = self._why = (f'the audit log cannot be written to {self.folder}: '
                                      f'{getattr(why, "strerror", None) or repr(why)}')
            self._let_go()

    def _open(self) -> None:
        """Find where the log goes on, and note what is wrong there; OSError where it cannot."""
        if self._file is not None:
            return
        if self._held is None:
            self._held = claim(self.folder / LOCK)
            if self._held is None:
                raise OSError(0, 'another critic writes it; this one needs a parameter state of '
                              'its own')
        found = tail(self.folder)
        known = files(self.folder)
        self._first = number_of(known[0]) if known else 1
        path = found.file or self.folder / name(found.number + 1)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        settle(self.folder)
        self._tail, self._size = found, os.fstat(self._file).st_size
        missing = self._missing(found)
        if found.torn:
            if not found.torn.endswith(b'\n'):
                self._put(b'\n')
            self._append(time.time_ns(), 'torn', mark(found.torn))
        if missing:
            self._append(time.time_ns(), 'cut', missing)

    def _missing(self, found: Tail) -> dict:
        """Say what the head knows and the log has not; {} where they agree.

        The head is written after its line is safe: a crash leaves the log longer, never shorter.
        """
        try:
            known = head(self.folder)
        except ValueError as why:
            return {'last': found.number, 'head': str(why)}
        if known is None and found.number:
            return {'last': found.number, 'head': 'missing'}
        if known is None:
            self._say_head()        # there is one from the first line on
            return {}
        self._first = min(known.first, found.number + 1)
        if known.number > found.number or (known.number == found.number
                                           and known.hash != found.hash):
            return {'last': found.number, 'head': known.number, 'hash': known.hash}
        return {}

    def _append(self, at_ns: int, kind: str, what: dict) -> None:
        """Write one line; OSError where it cannot be, and then all is looked at anew."""
        content, own = line(self._tail.number + 1, at_ns, kind, what, self._tail.hash)
        self._put(content)
        self._tail.number, self._tail.hash = self._tail.number + 1, own

    def _put(self, content: bytes) -> None:
        assert self._file is not None
        while content:
            count = os.write(self._file, content)
            content, self._size = content[count:], self._size + count

    def _say_head(self) -> None:
        now = Head(self._tail.number, self._tail.hash, self._first)
        write_whole(self.folder / HEAD, json.dumps({'n': now.number, 'hash': now.hash,
                                                    'first': now.first}))
        self.head = now

    def _turn(self) -> None:
        """Begin the next file, and remove those that are too many."""
        assert self._file is not None
        os.fsync(self._file)
        path = self.folder / name(self._tail.number + 1)
        new = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        os.close(self._file)
        self._file, self._size = new, 0
        settle(self.folder)
        known = files(self.folder)
        old = known[:-self.kept]
        if old:
            self._first = number_of(known[len(old)])
            self._say_head()        # before they go: else they would look stolen
            for one in old:
                one.unlink()

    def _let_go(self) -> None:
        """Close the file; the next one who writes looks where the log goes on."""
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
        self._file, self._tail = None, Tail()
