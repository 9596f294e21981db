# SPDX-License-Identifier: Apache-2.0
"""
Goes through the messages of a recording in the order in which they were written.

A bag of any storage (MCAP, SQLite; compressed by file or by message), a folder without its
metadata.yaml, a single file, one that a kill cut short: all are read, as far as they are whole.
"""

from collections.abc import Iterator
from pathlib import Path
import struct
from typing import NamedTuple

import zstandard

from ami_ros.core.errors import AmiError
from ami_ros.recording import mcap_reader, sqlite_reader
from ami_ros.recording.mcap_reader import Channel, Entry, Wanted
from ami_ros.recording.recording_files import kind_of, listing, MCAP, SQLITE, unpacked, ZSTD

READERS = {MCAP: mcap_reader, SQLITE: sqlite_reader}
CDR = 'cdr'
TEXT = struct.Struct('<I')


class RecordedMessage(NamedTuple):
    """One message."""

    topic: str          # with all its namespaces: '/robot1/odom'
    log_ns: int         # ROS time at which it was recorded
    data: bytes         # cdr


def files(bag: Path) -> list[Path]:
    """List the files of a recording, in order; ValueError where there is none."""
    return list(listing(bag).files)


def reader_of(path: Path):
    """Return what reads a file, and the file unpacked; None for an empty one.

    A recorder that is killed as it begins a file leaves an empty one.
    """
    kind = kind_of(path)
    if kind == ZSTD:
        path = unpacked(path)
        kind = kind_of(path)
    if kind not in READERS:
        if begun(path):
            return None, path
        raise AmiError(f'{path} is neither an MCAP file nor a SQLite database, by its first '
                       'bytes; rosbag2 writes the two, compressed with zstd or not')
    return READERS[kind], path


def begun(path: Path) -> bool:
    """Tell whether a file is empty, or ends in the middle of its first bytes."""
    with open(path, 'rb') as file:
        head = file.read(len(SQLITE))
    return any(magic.startswith(head) for magic in (MCAP, SQLITE))


def messages(bag: Path, names: tuple[str, ...] = (), begin_ns: int = 0, end_ns: int = 2**63,
             damage: list[str] | None = None) -> Iterator[RecordedMessage]:
    """Yield messages of topics by their last parts ('odom' is also '/robot1/odom'); () is all.

    Of the given span of log times; a few around it may come, too, never one that is left out.
    """
    for path in files(bag):
        yield from of_file(path, names, begin_ns, end_ns, damage)


def of_file(path: Path, names: tuple[str, ...], begin_ns: int, end_ns: int,
            damage: list[str] | None = None) -> Iterator[RecordedMessage]:
    """Yield the messages of one file, up to where it is cut or damaged."""
    def wanted(channel: Channel) -> bool:
        return channel.encoding == CDR and (
            not names or any(is_of(channel.topic, name) for name in names))

    for channel, log_ns, data in entries(path, wanted, begin_ns, end_ns,
                                         [] if damage is None else damage):
        yield RecordedMessage(channel.topic, log_ns, data)


def entries(path: Path, wanted: Wanted, begin_ns: int = 0, end_ns: int = 2**63,
            damage: list[str] | None = None) -> Iterator[Entry]:
    """Yield (channel, log time, data) of one file; what cannot be read goes to `damage`."""
    damage = [] if damage is None else damage
    reader, path = reader_of(path)
    if reader is None:
        return
    for channel, log_ns, data in reader.read(path, wanted, begin_ns, end_ns, damage):
        if data[:len(ZSTD)] == ZSTD:        # compressed by message; cdr begins with zeros
            try:
                data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
            except (zstandard.ZstdError, MemoryError) as why:
                damage.append(f'{path.name}: a message on {channel.topic} cannot be unpacked: '
                              f'{why}')
                continue
        yield channel, log_ns, data


def counted(path: Path, damage: list[str]) -> dict[Channel, int]:
    """Return how many messages a file has of each channel."""
    reader, path = reader_of(path)
    return {} if reader is None else reader.counted(path, damage)


def topics(bag: Path) -> set[str]:
    """Return the topics that a recording has messages of."""
    return {channel.topic for path in files(bag) for channel, count in counted(path, []).items()
            if count}


def is_of(topic: str, name: str) -> bool:
    """Tell whether a topic is one of this relative name, in any namespace.

    A name that begins with a slash is that topic alone.
    """
    if name.startswith('/'):
        return topic == name
    return topic.lstrip('/') == name or topic.endswith(f'/{name}')


def text_of(data: bytes) -> str:
    """Read a std_msgs/String from its cdr."""
    length, = TEXT.unpack_from(data, 4)
    return data[8:8 + length - 1].decode()


def span_of(bag: Path) -> tuple[int, int]:
    """Return the first and the last log time; (0, 0) for none."""
    begin, end = 2**63, 0
    for path in files(bag):
        reader, path = reader_of(path)
        if reader is not None:
            begun, ended = reader.span_of(path)
            begin, end = min(begin, begun), max(end, ended)
    return (begin, end) if end else (0, 0)
