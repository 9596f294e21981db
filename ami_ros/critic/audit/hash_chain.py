# SPDX-License-Identifier: Apache-2.0
"""
The lines of the audit log: each bears its own hash and that of the line before.

So a line that was changed, removed or put elsewhere does not fit any more, and which one it is can
be said. It is JSON, one object a line, in files that are called by their first number. The head
file beside them has the number and hash of the newest line: a chain alone cannot tell that its end
was cut off.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
import hashlib
import json
import math
from pathlib import Path
import re

from ami_ros.core.errors import AmiError

FIRST = '0' * 64                # what the very first line has for the hash of the one before
HEAD = 'head.json'
FILES = 'audit-*.jsonl'
SHAPE = re.compile(rb'(\{"n":\d+,.*),"hash":"([0-9a-f]{64})"\}', re.DOTALL)
LONGEST = 400                   # characters of a text in a line
MOST, DEEPEST = 40, 3           # things in a collection, collections in one another


@dataclass(frozen=True)
class Entry:
    """One line that is as it was written."""

    number: int         # from 1 on
    at: str             # UTC of the machine's clock, ISO 8601
    kind: str
    what: dict
    before: str         # hash of the line before
    hash: str


def line(number: int, at_ns: int, kind: str, what: Mapping, before: str) -> tuple[bytes, str]:
    """Return a line with its end, and its hash."""
    at = stamp(datetime.fromtimestamp(at_ns // 1000 / 1e6, timezone.utc))
    body = json.dumps({'n': number, 'at': at, 'kind': kind, 'what': plain(what),
                       'before': before}, separators=(',', ':'))[:-1].encode()
    found = hashlib.sha256(body).hexdigest()
    return body + f',"hash":"{found}"}}\n'.encode(), found


def stamp(when: datetime) -> str:
    """Return a moment in UTC, in words that sort as time does."""
    said = when.astimezone(timezone.utc).isoformat(timespec='microseconds')
    return said.replace('+00:00', 'Z')


def plain(value, depth: int = 0):
    """Return what JSON has, of a bounded size, whatever comes: no entry is refused."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)[:LONGEST]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else repr(value)
    if depth < DEEPEST and isinstance(value, Mapping):
        return {str(key)[:LONGEST]: plain(one, depth + 1)
                for key, one in list(value.items())[:MOST]}
    if depth < DEEPEST and isinstance(value, (list, tuple, set)):
        return [plain(one, depth + 1) for one in list(value)[:MOST]]
    try:
        text = str(value)
    except Exception as bug:        # even this is no reason to write nothing
        text = repr(bug)
    return text if len(text) <= LONGEST else text[:LONGEST - 3] + '...'


def entry(raw: bytes) -> Entry | None:
    """Read a line without its end; None where it is not as it was written."""
    shape = SHAPE.fullmatch(raw)
    if shape is None or hashlib.sha256(shape[1]).hexdigest().encode() != shape[2]:
        return None
    try:
        said = json.loads(raw)
        out = Entry(said['n'], said['at'], said['kind'], said['what'], said['before'],
                    said['hash'])
    except (ValueError, KeyError, RecursionError):
        return None
    right = (int, str, str, dict, str, str)
    return out if all(map(isinstance, vars(out).values(), right)) else None


def files(folder: Path) -> list[Path]:
    """Return the files of a log, oldest first."""
    return sorted(folder.glob(FILES))


def name(first: int) -> str:
    """Return what a file is called whose first line has this number."""
    return FILES.replace('*', f'{first:012d}')


def number_of(file: Path) -> int:
    """Return the number of the first line of a file, by its name; 1 where that is none."""
    said = file.stem.rpartition('-')[2]
    return int(said) if said.isdigit() else 1


@dataclass(frozen=True)
class LogLine:
    """A line as it lies there."""

    file: Path
    row: int                # from 1 on
    raw: bytes              # without its end
    whole: bool             # it has an end
    entry: Entry | None     # None where it is not as it was written


def lines(folder: Path) -> Iterator[LogLine]:
    """Go through a log, oldest first; OSError where a file cannot be read."""
    for file in files(folder):
        with open(file, 'rb') as content:
            for row, raw in enumerate(content, 1):
                bare = raw.removesuffix(b'\n')
                yield LogLine(file, row, bare, raw != bare, entry(bare) if raw != bare else None)


@dataclass(frozen=True)
class Head:
    """What the head file says."""

    number: int             # of the newest line
    hash: str
    first: int              # number of the oldest line that is kept


def head(folder: Path) -> Head | None:
    """Read the head file; None where there is none, ValueError where it is none."""
    try:
        said = json.loads((folder / HEAD).read_text(encoding='utf-8'))
        return Head(int(said['n']), str(said['hash']), int(said['first']))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError) as why:
        raise AmiError(f'{folder / HEAD} cannot be read: {why!r}') from None


@dataclass
class Tail:
    """Where a log goes on."""

    number: int = 0         # of its last good line; 0: there is none
    hash: str = FIRST
    file: Path | None = None    # the newest; None where a new one is to be made
    torn: bytes = b''       # what lies behind the last good line


def tail(folder: Path) -> Tail:
    """Find the last good line; what lies behind it in its file, or in newer ones, is torn."""
    out = Tail()
    for file in reversed(files(folder)):
        content = file.read_bytes()
        out.file = out.file or file
        end = len(content)
        while end > 0:
            begin = content.rfind(b'\n', 0, max(0, end - 1)) + 1
            good = entry(content[begin:end - 1]) if content[end - 1:end] == b'\n' else None
            if good is not None:
                out.number, out.hash = good.number, good.hash
                out.torn = content[end:] + out.torn
                return out
            end = begin
        out.torn = content + out.torn
    return out


def mark(torn: bytes) -> dict:
    """Return what tells torn bytes from others."""
    bare = torn.strip(b'\n')
    return {'bytes': len(bare), 'sha256': hashlib.sha256(bare).hexdigest()}
