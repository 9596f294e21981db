# SPDX-License-Identifier: Apache-2.0
"""
Goes through the messages of a recording in the order in which they were written.

A bag, a folder without its metadata.yaml, a single file, one that a kill cut short: all are read,
as far as they are whole. What nobody asks for is not even copied, so that an hour is seconds.
"""

from collections.abc import Iterator
from pathlib import Path
import struct
from typing import NamedTuple

from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.records import Chunk
from mcap.stream_reader import get_chunk_data_stream
from mcap.summary import Summary
import yaml

from ami_ros.bags.metadata import NAME
from ami_ros.bags.repair import in_order

MAGIC = 8               # bytes at the beginning of a file
HEAD = struct.Struct('<BQ')             # of a record: opcode, length
CHUNK = struct.Struct('<QQQII')         # times, size, crc, length of the compression's name
MESSAGE = struct.Struct('<HIQQ')        # channel, sequence, log time, publish time
TEXT = struct.Struct('<I')


class Heard(NamedTuple):
    """One message."""

    topic: str          # with all its namespaces: '/robot1/odom'
    log_ns: int         # ROS time at which it was recorded
    data: bytes         # cdr


def files(bag: Path) -> list[Path]:
    """List the files of a recording, in order; ValueError where there is none."""
    if bag.is_file():
        return [bag]
    said = bag / NAME
    if said.is_file():
        try:
            info = yaml.safe_load(said.read_text())['rosbag2_bagfile_information']
            found = [bag / name for name in info['relative_file_paths']]
        except (yaml.YAMLError, KeyError, TypeError) as wrong:
            raise ValueError(f'{said} cannot be read: {wrong!r}; remove it and '
                             f'`ami-ros record --repair {bag}`') from None
        if lacking := [path.name for path in found if not path.is_file()]:
            raise ValueError(f'{bag} lacks {", ".join(lacking)}, which its {NAME} names')
        return found
    found = sorted(bag.glob('*.mcap'), key=in_order) if bag.is_dir() else []
    if not found:
        raise ValueError(f'there is no recording at {bag}; a folder with *.mcap files is one, '
                         'or such a file')
    return found


def messages(bag: Path, names: tuple[str, ...] = (), begin_ns: int = 0,
             end_ns: int = 2**63) -> Iterator[Heard]:
    """Yield messages of topics by their last parts ('odom' is also '/robot1/odom'); () is all.

    Of the given span of log times; a few around it may come, too, never one that is left out.
    """
    for path in files(bag):
        yield from of_file(path, names, begin_ns, end_ns)


def of_file(path: Path, names: tuple[str, ...], begin_ns: int, end_ns: int) -> Iterator[Heard]:
    """Yield the messages of one file, up to where it is cut or damaged."""
    topics: dict[int, str] = {}         # channels that are wanted
    index = indexed(path)
    with open(path, 'rb') as file:
        if index is not None:
            yield from by_index(file, index, names, begin_ns, end_ns)
            return
        file.seek(MAGIC)
        for opcode, record in front(file):
            if opcode == Opcode.CHUNK:
                begun, ended, *_ = CHUNK.unpack_from(record)
                inside = opened(record)
                if inside is None:
                    return
                yield from records(inside, topics, names,
                                   ended >= begin_ns and begun <= end_ns)
            elif opcode in (Opcode.CHANNEL, Opcode.MESSAGE):
                yield from records(HEAD.pack(opcode, len(record)) + record, topics, names, True)


def front(file) -> Iterator[tuple[int, bytes]]:
    """Yield (opcode, content) of the whole records from here on, up to the end of the data."""
    while len(head := file.read(HEAD.size)) == HEAD.size:
        opcode, length = HEAD.unpack(head)
        if opcode == Opcode.DATA_END:
            return
        if opcode not in (Opcode.CHUNK, Opcode.CHANNEL, Opcode.MESSAGE):
            file.seek(length, 1)
            continue
        record = file.read(length)
        if len(record) < length:
            return
        yield opcode, record


def indexed(path: Path) -> Summary | None:
    """Return what a finished file says of itself at its end; None where it is not finished."""
    try:
        with open(path, 'rb') as file:
            said = make_reader(file).get_summary()
    except Exception:       # mcap lets through whatever a broken file provokes: not finished
        return None
    whole = said is not None and said.statistics is not None and (
        len(said.chunk_indexes) == said.statistics.chunk_count > 0)
    return said if whole else None


def by_index(file, index: Summary, names: tuple[str, ...], begin_ns: int,
             end_ns: int) -> Iterator[Heard]:
    """Yield the messages of a finished file; chunks without any that is wanted stay packed."""
    topics = {number: channel.topic for number, channel in index.channels.items()
              if not names or any(is_of(channel.topic, name) for name in names)}
    for chunk in sorted(index.chunk_indexes, key=lambda one: one.chunk_start_offset):
        if (chunk.message_end_time < begin_ns or chunk.message_start_time > end_ns
                or chunk.message_index_offsets
                and not topics.keys() & chunk.message_index_offsets.keys()):
            continue
        file.seek(chunk.chunk_start_offset)
        _, length = HEAD.unpack(file.read(HEAD.size))
        inside = opened(file.read(length))
        if inside is not None:
            yield from records(inside, topics, names, True)


def opened(record: bytes) -> bytes | None:
    """Unpack a chunk; None where it is damaged."""
    begun, ended, size, crc, length = CHUNK.unpack_from(record)
    at = CHUNK.size + length + 8
    try:
        chunk = Chunk(compression=record[CHUNK.size:CHUNK.size + length].decode(),
                      data=record[at:], message_end_time=ended, message_start_time=begun,
                      uncompressed_crc=crc, uncompressed_size=size)
        stream, inside = get_chunk_data_stream(chunk, validate_crc=True)
        return stream.read(inside)
    except Exception:       # lz4, zstd and mcap each raise their own: here it ends
        return None


def records(data: bytes, topics: dict[int, str], names: tuple[str, ...],
            wanted: bool) -> Iterator[Heard]:
    """Yield the wanted messages of some records, and learn their channels."""
    at, size = 0, len(data)
    while at + HEAD.size <= size:
        opcode, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        if opcode == Opcode.MESSAGE:
            channel, _, log_ns, _ = MESSAGE.unpack_from(data, at)
            if wanted and channel in topics:
                yield Heard(topics[channel], log_ns, data[at + MESSAGE.size:at + length])
        elif opcode == Opcode.CHANNEL:
            channel, = struct.unpack_from('<H', data, at)
            long, = TEXT.unpack_from(data, at + 4)
            topic = data[at + 8:at + 8 + long].decode()
            if not names or any(is_of(topic, name) for name in names):
                topics[channel] = topic
        at += length


def is_of(topic: str, name: str) -> bool:
    """Tell whether a topic is one of this relative name, in any namespace."""
    return topic.lstrip('/') == name or topic.endswith(f'/{name}')


def text_of(data: bytes) -> str:
    """Read a std_msgs/String from its cdr."""
    length, = TEXT.unpack_from(data, 4)
    return data[8:8 + length - 1].decode()


def span_of(bag: Path) -> tuple[int, int]:
    """Return the first and the last log time, by the heads of the chunks; (0, 0) for none."""
    begin, end = 2**63, 0
    for path in files(bag):
        with open(path, 'rb') as file:
            file.seek(MAGIC)
            while len(head := file.read(HEAD.size)) == HEAD.size:
                opcode, length = HEAD.unpack(head)
                if opcode == Opcode.DATA_END:
                    break
                if opcode == Opcode.CHUNK and len(said := file.read(16)) == 16:
                    begun, ended = struct.unpack('<QQ', said)
                    begin, end = min(begin, begun), max(end, ended)
                    length -= 16
                file.seek(length, 1)
    return (begin, end) if end else (0, 0)
