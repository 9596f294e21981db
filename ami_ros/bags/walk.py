# SPDX-License-Identifier: Apache-2.0
"""
Goes through the messages of a recording in the order in which they were written.

A bag, a folder without its metadata.yaml, a single file, one that a kill cut short: all are read,
as far as they are whole. What nobody asks for is not even copied, so that an hour is seconds.
"""

from collections.abc import Iterator
import mmap
from pathlib import Path
import struct
from typing import NamedTuple

from mcap.opcode import Opcode
from mcap.records import Chunk
from mcap.stream_reader import get_chunk_data_stream
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
    with open(path, 'rb') as file:
        if path.stat().st_size <= MAGIC:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at, size = MAGIC, len(data)
            while at + HEAD.size <= size:
                opcode, length = HEAD.unpack_from(data, at)
                at += HEAD.size
                if opcode == Opcode.DATA_END or at + length > size:
                    return
                if opcode == Opcode.CHUNK:
                    begun, ended, *_ = CHUNK.unpack_from(data, at)
                    wanted = ended >= begin_ns and begun <= end_ns
                    inside = opened(data[at:at + length])
                    if inside is None:
                        return
                    yield from records(inside, topics, names, wanted)
                elif opcode in (Opcode.CHANNEL, Opcode.MESSAGE):
                    yield from records(data[at - HEAD.size:at + length], topics, names, True)
                at += length


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
