# SPDX-License-Identifier: Apache-2.0
"""
Reads the messages of one MCAP file in the order in which they were written.

A file that a kill cut short or that is damaged inside is read as far as it is whole; what could
not be read is put on a list. Message definitions are not parsed. Chunks without any message that
is wanted stay packed, so that an hour is seconds.
"""

from collections.abc import Callable, Iterator
import os
from pathlib import Path
import struct
from typing import NamedTuple

from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.records import Chunk
from mcap.stream_reader import get_chunk_data_stream
from mcap.summary import Summary

from ami_ros.core.errors import AmiError

MAGIC = 8               # bytes at the beginning of a file
HEAD = struct.Struct('<BQ')             # of a record: opcode, length
CHUNK = struct.Struct('<QQQII')         # times, size, crc, length of the compression's name
MESSAGE = struct.Struct('<HIQQ')        # channel, sequence, log time, publish time
TEXT = struct.Struct('<I')
IDS = struct.Struct('<HH')              # of a channel and its schema
SHORT = struct.Struct('<H')
COMPRESSIONS = ('', 'lz4', 'zstd')
READ = (Opcode.CHUNK, Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE)


class Channel(NamedTuple):
    """What a file says of some of its messages."""

    topic: str
    kind: str           # 'sensor_msgs/msg/Image'
    encoding: str       # 'cdr', 'json', ...


Wanted = Callable[[Channel], bool]
Entry = tuple[Channel, int, bytes]      # channel, log time in ns, data


class Known:
    """What was learned of the channels so far."""

    def __init__(self, wanted: Wanted):
        self.wanted = wanted
        self.schemas: dict[int, str] = {}
        self.channels: dict[int, Channel] = {}      # that are wanted


def read(path: Path, wanted: Wanted, begin_ns: int, end_ns: int,
         damage: list[str]) -> Iterator[Entry]:
    """Yield the wanted messages of about a span of log times; what is unreadable is told."""
    index, known = indexed(path), Known(wanted)
    with open(path, 'rb') as file:
        if index is not None:
            yield from by_index(file, path.name, index, known, begin_ns, end_ns, damage)
            return
        file.seek(MAGIC)
        for opcode, record in front(file, path.name, damage):
            if opcode == Opcode.CHUNK:
                try:
                    begun, ended, *_ = CHUNK.unpack_from(record)
                    inside = opened(record)
                except (ValueError, struct.error) as why:
                    damage.append(f'{path.name}: a chunk that ends at byte {file.tell()} cannot '
                                  f'be unpacked: {why}')
                    continue
                yield from records(inside, known, ended >= begin_ns and begun <= end_ns,
                                   path.name, damage)
            else:
                yield from records(HEAD.pack(opcode, len(record)) + record, known, True,
                                   path.name, damage)


def front(file, name: str, damage: list[str]) -> Iterator[tuple[int, bytes]]:
    """Yield (opcode, content) of the whole records from here on, up to the end of the data."""
    size = os.fstat(file.fileno()).st_size
    while len(head := file.read(HEAD.size)) == HEAD.size:
        opcode, length = HEAD.unpack(head)
        if opcode == Opcode.DATA_END:
            return
        if length > size - file.tell():
            damage.append(f'{name}: cut short or damaged at byte {file.tell()} of {size}')
            return
        if opcode in READ:
            yield opcode, file.read(length)
        else:
            file.seek(length, 1)


def indexed(path: Path) -> Summary | None:
    """Return what a finished file says of itself at its end; None where it is not finished."""
    try:
        with open(path, 'rb') as file:
            said = make_reader(file).get_summary()
    except Exception:       # mcap lets through whatever a broken file provokes: not finished
        return None
    whole = said is not None and said.statistics is not None and (
        len(said.chunk_indexes) == said.statistics.chunk_count > 0
        and len(said.channels) >= said.statistics.channel_count)
    return said if whole else None


def channels_of(index: Summary) -> dict[int, Channel]:
    """Return the channels that a finished file names at its end."""
    return {number: Channel(channel.topic, kind_of(index, channel.schema_id),
                            channel.message_encoding)
            for number, channel in index.channels.items()}


def kind_of(index: Summary, schema: int) -> str:
    """Return the name of a schema; '' where there is none."""
    return index.schemas[schema].name if schema in index.schemas else ''


def by_index(file, name: str, index: Summary, known: Known, begin_ns: int, end_ns: int,
             damage: list[str]) -> Iterator[Entry]:
    """Yield the messages of a finished file; chunks without any that is wanted stay packed."""
    known.channels = {number: channel for number, channel in channels_of(index).items()
                      if known.wanted(channel)}
    size = os.fstat(file.fileno()).st_size
    for chunk in sorted(index.chunk_indexes, key=lambda one: one.chunk_start_offset):
        if (chunk.message_end_time < begin_ns or chunk.message_start_time > end_ns
                or chunk.message_index_offsets
                and not known.channels.keys() & chunk.message_index_offsets.keys()):
            continue
        try:
            if chunk.chunk_start_offset > size:
                raise AmiError(f'the file ends at byte {size}')
            file.seek(chunk.chunk_start_offset)
            opcode, length = HEAD.unpack(file.read(HEAD.size))
            if opcode != Opcode.CHUNK or length > size - file.tell():
                raise AmiError('no chunk begins there')
            inside = opened(file.read(length))
        except (ValueError, struct.error) as why:
            damage.append(f'{name}: the chunk at byte {chunk.chunk_start_offset} cannot be '
                          f'unpacked: {why}')
            continue
        yield from records(inside, known, True, name, damage)


def opened(record: bytes) -> bytes:
    """Unpack a chunk; ValueError where it is damaged."""
    begun, ended, size, crc, length = CHUNK.unpack_from(record)
    at = CHUNK.size + length + 8
    compression = record[CHUNK.size:CHUNK.size + length].decode('utf-8', 'replace')
    if compression not in COMPRESSIONS:
        raise AmiError(f'its compression {compression[:40]!r} is not read; there are: lz4, zstd '
                       'and none')
    chunk = Chunk(compression=compression, data=record[at:], message_end_time=ended,
                  message_start_time=begun, uncompressed_crc=crc, uncompressed_size=size)
    try:
        stream, inside = get_chunk_data_stream(chunk, validate_crc=True)
        return stream.read(inside)
    except Exception as why:        # lz4, zstd and mcap each raise their own
        raise AmiError(f'{type(why).__name__}: {why}') from None


def records(data: bytes, known: Known, wanted: bool, name: str,
            damage: list[str]) -> Iterator[Entry]:
    """Yield the wanted messages of some records, and learn their channels."""
    at, size, channels = 0, len(data), known.channels
    while at + HEAD.size <= size:
        opcode, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        if length > size - at:
            damage.append(f'{name}: a record of {length} bytes in a chunk that has {size - at} '
                          'left')
            return
        if opcode == Opcode.MESSAGE and length >= MESSAGE.size:
            number, _, log_ns, _ = MESSAGE.unpack_from(data, at)
            if wanted and number in channels:
                yield channels[number], log_ns, data[at + MESSAGE.size:at + length]
        elif opcode in (Opcode.CHANNEL, Opcode.SCHEMA):
            try:
                learn(opcode, data[at:at + length], known)
            except struct.error:
                damage.append(f'{name}: a channel or schema of {length} bytes is no such record')
        at += length


def learn(opcode: int, record: bytes, known: Known) -> None:
    """Learn a schema's name, or a channel; struct.error where the record is too short."""
    if opcode == Opcode.SCHEMA:
        number, = SHORT.unpack_from(record)
        known.schemas[number], _ = text_at(record, SHORT.size)
        return
    number, schema = IDS.unpack_from(record)
    topic, at = text_at(record, IDS.size)
    encoding, _ = text_at(record, at)
    channel = Channel(topic, known.schemas.get(schema, ''), encoding)
    if known.wanted(channel):
        known.channels[number] = channel


def text_at(record: bytes, at: int) -> tuple[str, int]:
    """Read a string of a record; return it, and where the next field begins."""
    length, = TEXT.unpack_from(record, at)
    at += TEXT.size
    return record[at:at + length].decode('utf-8', 'replace'), at + length


def counted(path: Path, damage: list[str]) -> dict[Channel, int]:
    """Return how many messages a file has of each channel, by its index or by going through it."""
    index = indexed(path)
    out: dict[Channel, int] = {}
    if index is None:
        for channel, _, _ in read(path, lambda _: True, 0, 2**63, damage):
            out[channel] = out.get(channel, 0) + 1
        return out
    for number, channel in channels_of(index).items():
        out[channel] = (out.get(channel, 0)
                        + index.statistics.channel_message_counts.get(number, 0))
    return out


def attachments(path: Path) -> dict[str, str]:
    """Return the texts that a finished file holds, by name."""
    try:
        with open(path, 'rb') as file:
            return {one.name: one.data.decode('utf-8', 'replace')
                    for one in make_reader(file).iter_attachments()}
    except Exception:       # mcap lets through whatever a broken file provokes: not finished
        return {}


def ended(path: Path) -> bool:
    """Tell whether a file ends as one that its writer has closed."""
    with open(path, 'rb') as file:
        begin = file.read(MAGIC)
        file.seek(max(MAGIC, os.fstat(file.fileno()).st_size - MAGIC))
        return file.read(MAGIC) == begin


def span_of(path: Path) -> tuple[int, int]:
    """Return the first and the last log time, by the heads of the chunks; (2**63, 0) for none."""
    begin, end = 2**63, 0
    size = path.stat().st_size
    with open(path, 'rb') as file:
        file.seek(MAGIC)
        while len(head := file.read(HEAD.size)) == HEAD.size:
            opcode, length = HEAD.unpack(head)
            if opcode == Opcode.DATA_END or length > size - file.tell():
                break
            if opcode == Opcode.CHUNK and len(said := file.read(16)) == 16:
                begun, ended = struct.unpack('<QQ', said)
                begin, end = min(begin, begun), max(end, ended)
                length -= 16
            file.seek(length, 1)
    return begin, end
