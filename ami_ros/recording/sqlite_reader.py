# SPDX-License-Identifier: Apache-2.0
"""Reads the messages of one SQLite file of rosbag2 (*.db3) in the order they were written."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import sqlite3
from urllib.parse import quote

from ami_ros.core.errors import AmiError
from ami_ros.recording.mcap_reader import Channel, Entry, Wanted

LATEST_NS = 2**63 - 1       # the largest integer of SQLite
DAMAGED = (sqlite3.Error, MemoryError)      # a damaged length may ask for gigabytes


@contextmanager
def opened(path: Path):
    """Open a file to read only; ValueError where it is no rosbag2 database.

    A folder that cannot be written to is no hindrance: then nobody else can write there either,
    and SQLite is told that the file does not change.
    """
    base = f'file:{quote(os.fsencode(path.absolute()))}?mode=ro'
    why: Exception | None = None
    for uri in (base, base + '&immutable=1'):
        try:
            base_file = sqlite3.connect(uri, uri=True)
        except sqlite3.Error as wrong:
            why = wrong
            continue
        try:
            base_file.text_factory = lambda raw: raw.decode('utf-8', 'replace')
            base_file.execute('SELECT id, name, type, serialization_format FROM topics LIMIT 1')
            base_file.execute('SELECT topic_id, timestamp, data FROM messages LIMIT 1')
        except sqlite3.Error as wrong:
            why = wrong
            base_file.close()
            continue
        try:
            yield base_file
        finally:
            base_file.close()
        return
    raise AmiError(f'{path} is no rosbag2 database that can be read: {why}; copy it again from '
                   f'where it was recorded, or save what is whole: sqlite3 {path.name} .recover '
                   '| sqlite3 NEW.db3')


def topics(base_file) -> dict[int, Channel]:
    """Return the channels by their numbers."""
    return {number: Channel(str(name), str(kind), str(encoding)) for number, name, kind, encoding
            in base_file.execute('SELECT id, name, type, serialization_format FROM topics')}


def read(path: Path, wanted: Wanted, begin_ns: int, end_ns: int,
         damage: list[str]) -> Iterator[Entry]:
    """Yield the wanted messages of a span of log times; what is unreadable is told."""
    with opened(path) as base_file:
        try:
            chosen = {number: channel for number, channel in topics(base_file).items()
                      if wanted(channel)}
            marks = ', '.join('?' * len(chosen))
            for number, log_ns, data in base_file.execute(
                    f'SELECT topic_id, timestamp, data FROM messages WHERE topic_id IN ({marks}) '
                    'AND timestamp BETWEEN ? AND ? ORDER BY id',
                    (*chosen, max(begin_ns, -LATEST_NS), min(end_ns, LATEST_NS))):
                if isinstance(data, bytes) and isinstance(log_ns, int):
                    yield chosen[number], log_ns, data
        except DAMAGED as why:
            damage.append(f'{path.name}: SQLite cannot read on: {why!r}')


def counted(path: Path, damage: list[str]) -> dict[Channel, int]:
    """Return how many messages a file has of each channel."""
    out: dict[Channel, int] = {}
    with opened(path) as base_file:
        try:
            numbers = topics(base_file)
            out = dict.fromkeys(numbers.values(), 0)
            for number, count in base_file.execute(
                    'SELECT topic_id, count(*) FROM messages GROUP BY topic_id'):
                if number in numbers:
                    out[numbers[number]] += count
        except DAMAGED as why:
            damage.append(f'{path.name}: SQLite cannot read on: {why!r}')
    return out


def span_of(path: Path) -> tuple[int, int]:
    """Return the first and the last log time; (2**63, 0) for none.

    Of a damaged file those that can be read: its index first, and message by message else.
    """
    begin, end = 2**63, 0
    with opened(path) as base_file:
        for asked in ('SELECT min(timestamp), max(timestamp) FROM messages',
                      'SELECT timestamp, timestamp FROM messages ORDER BY id'):
            try:
                for first, last in base_file.execute(asked):
                    if isinstance(first, int) and isinstance(last, int):
                        begin, end = min(begin, first), max(end, last)
            except DAMAGED:
                continue
            if end:
                break
    return begin, end
