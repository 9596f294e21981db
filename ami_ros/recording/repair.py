# SPDX-License-Identifier: Apache-2.0
"""
Mends a bag whose recorder was killed: keeps each whole chunk, drops what was cut or damaged.

A killed recorder leaves files without an index and no metadata.yaml, and nothing opens that. A
file that is whole stays untouched, byte for byte. One that is not is written anew beside itself,
read back, and only then takes its place; the original stays in the folder as NAME.original.
Nothing is repaired that somebody still writes: a recording in progress looks just like one whose
recorder was killed.
"""

from collections.abc import Iterator
import contextlib
from dataclasses import dataclass
import os
from pathlib import Path
import re
import shutil

from mcap.reader import make_reader
from mcap.records import Attachment, Channel, Chunk, McapRecord, Message, Schema
from mcap.stream_reader import breakup_chunk, StreamReader
from mcap.writer import CompressionType, Writer
import yaml

from ami_ros.core.errors import AmiError
from ami_ros.recording.bag_metadata import NAME, Part, TopicMetadata, write_metadata
from ami_ros.recording.in_use import refuse_while_written

TEMPORARY, ORIGINAL = '.mending', '.original'


@dataclass(frozen=True)
class Mended:
    """What `repair` found and did."""

    parts: list[Part]
    rewritten: dict[str, int]       # file that was cut or damaged: bytes that were dropped
    unreadable: list[str]           # files without one message that could be read; left alone
    kept: tuple[str, ...] = ()      # what was replaced, under its new name

    @property
    def messages(self) -> int:
        """Return how many messages the bag has now."""
        return sum(sum(part.counts.values()) for part in self.parts)


def repair(folder: Path) -> Mended:
    """Make a folder of MCAP files a bag; ValueError where it is one already, or none can be."""
    if not folder.is_dir():
        raise AmiError(f'{folder} is no folder; --repair wants the folder that was recorded to')
    refuse_while_written(folder, 'repair it if it needs that', watch=True)
    files = sorted((path for path in folder.glob('*.mcap') if path.is_file()), key=in_order)
    if said(folder / NAME) and all(summary(path) is not None for path in files):
        raise AmiError(f'{folder} has its {NAME}, each of its files has its index, and it needs '
                       'no repair')
    if not files:
        raise AmiError(none_to_mend(folder))
    parts, topics, rewritten, unreadable, kept = [], {}, {}, [], []
    for path in files:
        found = summary(path)
        if found is None:
            dropped = rewrite(path)
            if dropped is None:
                unreadable.append(path.name)
                continue
            rewritten[path.name] = dropped
            kept.append(path.name + ORIGINAL)
            found = summary(path)
            assert found is not None        # it was just written
        part, offered = found
        parts.append(part)
        topics.update({topic.name: topic for topic in offered if topic.name not in topics})
    if not parts:
        raise AmiError(f'{folder} has no file with a message that can be read')
    if (folder / NAME).exists():
        (folder / NAME).replace(folder / (NAME + ORIGINAL))
        kept.append(NAME + ORIGINAL)
    write_metadata(folder, list(topics.values()), parts)
    return Mended(parts, rewritten, unreadable, tuple(kept))


def said(path: Path) -> bool:
    """Tell whether a metadata.yaml is there and says which files the bag has."""
    try:
        return bool(yaml.safe_load(path.read_text())['rosbag2_bagfile_information'][
            'relative_file_paths'])
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return False


def none_to_mend(folder: Path) -> str:
    """Say why a folder without MCAP files is not mended, and what helps instead."""
    names = sorted(path.name for path in folder.iterdir())
    holds = f'it holds: {", ".join(names) or "nothing"}'
    if any('.db3' in name for name in names):
        return (f'{folder} has no *.mcap files, and SQLite files (*.db3) are not mended here: '
                'SQLite mends its files by itself when they are opened. --check, train and replay '
                f'read them without {NAME}; `ros2 bag reindex -s sqlite3 FOLDER` makes one; '
                f'{holds}')
    if any(name.endswith('.mcap.zstd') for name in names):
        return (f'{folder} has compressed files, which are whole or not to be saved; they are '
                f'read as they are, or unpack them with `zstd -d` and repair again; {holds}')
    return f'{folder} has no *.mcap files to make a bag of; {holds}'


def in_order(path: Path) -> list:
    """Sort bag_2 before bag_10."""
    return [int(piece) if piece.isdigit() else piece for piece in re.split(r'(\d+)', path.name)]


def summary(path: Path) -> tuple[Part, list[TopicMetadata]] | None:
    """Read what a file says of itself at its end; None where it is not whole."""
    try:
        with open(path, 'rb') as file:
            said = make_reader(file).get_summary()
        numbers = said.statistics
    except Exception:       # mcap lets through whatever a broken file provokes: not whole
        return None
    if numbers is None:
        return None
    counts: dict[str, int] = {}
    topics = []
    for channel in said.channels.values():
        counts[channel.topic] = (counts.get(channel.topic, 0)
                                 + numbers.channel_message_counts.get(channel.id, 0))
        schema = said.schemas.get(channel.schema_id)
        topics.append(TopicMetadata(channel.topic, schema.name if schema else '',
                            channel.metadata.get('topic_type_hash', ''),
                            qos_of(channel.metadata.get('offered_qos_profiles', ''))))
    return Part(path.name, numbers.message_start_time, numbers.message_end_time, counts), topics


def qos_of(text: str) -> tuple[dict, ...]:
    """Read the QoS profiles that a channel was offered with; none where they cannot be read."""
    try:
        found = yaml.safe_load(text) or ()
    except yaml.YAMLError:
        return ()
    return tuple(found) if isinstance(found, list) else ()


def rewrite(path: Path) -> int | None:
    """Write a file anew without what was cut off or damaged; the original is kept beside it.

    Return the bytes dropped, None where nothing could be read. OSError where the copy cannot be
    written: then all is as before.
    """
    temporary = path.with_suffix(TEMPORARY)
    size, free = path.stat().st_size, shutil.disk_usage(path.parent).free
    if free < size:
        raise OSError(f'{path} is mended by writing it anew beside itself, and the original is '
                      f'kept; that needs {size / 1e9:.2f} GB, and the disk has {free / 1e9:.2f} '
                      'GB free: make room, or copy the folder to another disk and repair it there')
    try:
        with open(path, 'rb') as source, open(temporary, 'wb') as target:
            messages, good = copy(source, target)
            target.flush()
            os.fsync(target.fileno())
        if messages == 0:
            return None
        found = summary(temporary)
        if found is None or sum(found[0].counts.values()) != messages:
            raise OSError(f'{temporary} could not be read back as it was written; {path} is left '
                          'as it was')
        keep(path)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return size - good


def keep(path: Path) -> None:
    """Give a file a second name, the one of an original, and never replace an earlier one."""
    original = path.with_name(path.name + ORIGINAL)
    if original.exists():
        raise AmiError(f'{original} is there already, the original of an earlier repair; move '
                       'it away and repair again')
    with contextlib.suppress(OSError):
        os.link(path, original)         # so that at no instant the file lacks its name
        return
    shutil.copyfile(path, original)     # a file system without links


def copy(source, target) -> tuple[int, int]:
    """Copy all records that are whole; return how many messages, and of how many bytes."""
    writer = Writer(target, compression=CompressionType.LZ4)
    writer.start(profile='ros2', library='ami_ros')
    schemas, channels, messages, good = {0: 0}, {}, 0, 0
    for size, records in readable(source):
        for record in records:
            if isinstance(record, Schema) and record.id not in schemas:
                schemas[record.id] = writer.register_schema(record.name, record.encoding,
                                                            record.data)
            elif isinstance(record, Channel) and record.id not in channels:
                channels[record.id] = writer.register_channel(
                    record.topic, record.message_encoding, schemas.get(record.schema_id, 0),
                    record.metadata)
            elif isinstance(record, Attachment):
                writer.add_attachment(record.create_time, record.log_time, record.name,
                                      record.media_type, record.data)
            elif isinstance(record, Message) and record.channel_id in channels:
                writer.add_message(channels[record.channel_id], record.log_time, record.data,
                                   record.publish_time, record.sequence)
                messages += 1
        good += size
    writer.finish()
    return messages, good


def readable(source) -> Iterator[tuple[int, list[McapRecord]]]:
    """Yield what can be read from the front: of how many bytes it was made, and its records.

    A chunk that is damaged inside is left out, and those behind it are read.
    """
    reader = StreamReader(source, emit_chunks=True)
    records, before = reader.records, 0
    while True:
        try:
            record = next(records)
        except Exception:   # cut in the middle of a record, or the end: mcap has many kinds
            return
        size, before = source.tell() - before, source.tell()
        try:
            inside = breakup_chunk(record, validate_crc=True) if isinstance(record, Chunk) \
                else [record]
        except Exception:   # lz4, zstd and mcap each raise their own: damaged inside
            continue
        yield size, inside
