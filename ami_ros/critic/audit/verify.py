# SPDX-License-Identifier: Apache-2.0
"""Reads and verifies the audit log: whether it was altered, and what it contains."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
import re

from ami_ros.core.errors import AmiError
from ami_ros.critic.audit.hash_chain import (
    Entry,
    FIRST,
    Head,
    head,
    lines,
    LogLine,
    mark,
    number_of,
    stamp,
)

SPANS = {'s': timedelta(seconds=1), 'm': timedelta(minutes=1), 'h': timedelta(hours=1),
         'd': timedelta(days=1)}


@dataclass(frozen=True)
class LogDefect:
    """Something about a log that a person should know."""

    wrong: bool         # false: it is explained, nothing is missing that was written
    where: str          # file:line
    what: str           # changed, removed, reordered, torn, cut, head
    text: str

    def __str__(self):
        return f'{self.where}: {self.what}: {self.text}'


class Verifier:
    """Goes through a log line by line; `findings` are in the order of the lines."""

    def __init__(self, known: Head | None, noted: tuple[int, str] | None = None,
                 numbers: tuple[int, ...] = ()):
        self.known = known
        self.points = {} if noted is None else {noted[0]: (noted[1], 'that was noted elsewhere')}
        if known is not None:
            self.points.setdefault(known.number, (known.hash, 'of the head file'))
        self.findings: list[LogDefect] = []
        self.count = self.number = 0        # of lines as they were written; of the newest
        self.hash: str | None = FIRST       # None: not known, the line before was not readable
        self.numbers = numbers              # of all good lines, in rising order
        self._spoilt: list[LogLine] = []
        self._last: LogLine | None = None

    def take(self, one: LogLine) -> None:
        """Look at the next line."""
        if self._last is None:
            self._begin(one)
        self._last = one
        if one.entry is None:
            self._spoilt.append(one)
            return
        self._explain(one, one.entry)
        self._follow(one, one.entry)

    def _begin(self, one: LogLine) -> None:
        """See with which entry the log begins; older ones than the head says were rotated away."""
        first = number_of(one.file)
        self.number, self.hash = first - 1, FIRST if first == 1 else None
        oldest = 1 if self.known is None else self.known.first
        if first > oldest:
            self._find(True, one, 'removed', f'entries {oldest} to {first - 1}, the oldest, are '
                       'missing')

    def _explain(self, one: LogLine, entry: Entry) -> None:
        """Say what the unreadable lines before this one are: torn and noted, or changed."""
        spoilt, self._spoilt = self._spoilt, []
        if not spoilt:
            return
        content = b''.join(line.raw + b'\n' * line.whole for line in spoilt)
        if entry.kind == 'torn' and entry.what == mark(content):
            self._find(False, spoilt[0], 'torn', f'{entry.what["bytes"]} bytes that were '
                       f'not written to their end; entry {entry.number} says so')
            return
        for line in spoilt:
            self._find(True, line, 'changed', 'it is not as it was written')
        self.number += len(spoilt)
        self.hash = None

    def _follow(self, one: LogLine, entry: Entry) -> None:
        """Compare a good line with the one before."""
        due = self.number + 1
        if entry.number > due:
            elsewhere = (bisect_left(self.numbers, entry.number)
                         - bisect_left(self.numbers, due))
            if elsewhere >= entry.number - due:
                self._find(True, one, 'reordered', f'entry {entry.number} stands before entry '
                           f'{due}')
            else:
                self._find(True, one, 'removed', f'entries {due} to {entry.number - 1} are '
                           'missing before it')
        elif entry.number < due:
            self._find(True, one, 'reordered', f'entry {entry.number} stands behind entry '
                       f'{self.number}')
        elif self.hash is not None and entry.before != self.hash:
            self._find(True, one, 'changed', f'entry {entry.number} was written behind another '
                       f'entry {self.number} than the one that is there now')
        if entry.kind == 'cut':
            self._find(True, one, 'cut', f'when it was written the log ended at entry '
                       f'{entry.what.get("last")}, and its head said {entry.what.get("head")}')
        self._compare(one, entry)
        self.count, self.number, self.hash = self.count + 1, entry.number, entry.hash

    def _compare(self, one: LogLine, entry: Entry) -> None:
        due, whose = self.points.get(entry.number, (None, ''))
        if due is not None and due != entry.hash:
            self._find(True, one, 'changed', f'entry {entry.number} has another hash than the one '
                       f'{whose}')

    def end(self) -> None:
        """Look at the end: is it torn, or was more there?"""
        last = self._last
        if last is not None and self._spoilt and not last.whole:
            self._find(True, self._spoilt.pop(), 'torn', 'the last line was not written to its '
                       'end; nothing before it is lost')
        for line in self._spoilt:
            self._find(True, line, 'changed', 'it is not as it was written')
        where = 'the log' if last is None else f'{last.file.name}:{last.row}'
        most = max((number for number in self.points), default=0)
        if most > self.number + len(self._spoilt):
            whose = self.points[most][1]
            self.findings.append(LogDefect(True, where, 'removed', f'entries {self.number + 1} to '
                                 f'{most} are missing at the end, says the hash {whose}'))
        if self.known is None and last is not None:
            self.findings.append(LogDefect(True, where, 'head', 'there is no head file, so nobody '
                                 'can tell whether the end was cut off'))

    def _find(self, wrong: bool, line: LogLine, what: str, text: str) -> None:
        self.findings.append(LogDefect(wrong, f'{line.file.name}:{line.row}', what, text))


def verify(folder: Path, noted: tuple[int, str] | None = None) -> Verifier:
    """Verify a log; `noted` is a number and hash that somebody wrote down elsewhere.

    The head is read first: a critic may be writing meanwhile. OSError where it cannot be read.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'there is no audit log in {folder}')
    wrong = None
    try:
        known = head(folder)
    except ValueError as why:
        known, wrong = Head(0, FIRST, 1), LogDefect(True, 'head.json', 'head', str(why))
    numbers = sorted(one.entry.number for one in lines(folder) if one.entry is not None)
    out = Verifier(known, noted, tuple(numbers))
    for one in lines(folder):
        out.take(one)
    out.end()
    if wrong is not None:
        out.findings.insert(0, wrong)
    return out


def moment(said: str, now: datetime | None = None) -> str:
    """Return a time in the words of `at`: '30m' is half an hour ago, else it is ISO 8601 in UTC.

    ValueError where it is neither.
    """
    span = re.fullmatch(r'(\d{1,9})([smhd])', said)
    try:
        if span:
            when = (now or datetime.now(timezone.utc)) - int(span[1]) * SPANS[span[2]]
        else:
            when = datetime.fromisoformat(said.replace('Z', '+00:00'))
    except (ValueError, OverflowError):
        raise AmiError(f'{said!r} is no time; 90s, 30m, 12h, 7d are, and '
                       '2026-01-31T12:00') from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    return stamp(when)


def entries(folder: Path, kinds: tuple[str, ...] = (), since: str = '') -> Iterator[Entry]:
    """Go through what can be read; `since` is a time in the words of `at`."""
    for one in lines(folder):
        entry = one.entry
        if entry is not None and entry.at >= since and (not kinds or entry.kind in kinds):
            yield entry
