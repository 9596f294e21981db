# SPDX-License-Identifier: Apache-2.0
"""
Mends a bag whose recorder was killed: keeps each whole chunk, drops what was cut in the middle.

A killed recorder leaves files without an index and no metadata.yaml, and nothing opens that. A
file that is whole stays untouched, byte for byte. One that is not is written anew beside itself
and then takes its place, so that a kill in the middle of the mending costs nothing either.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import re

from mcap.reader import make_reader
from mcap.records import Attachment, Channel, Chunk, McapRecord, Message, Schema
from mcap.stream_reader import breakup_chunk, StreamReader
from mcap.writer import CompressionType, Writer
import yaml

from ami_ros.bags.metadata import NAME, Part, Topic, write_metadata

TEMPORARY = '.mending'


@dataclass(frozen=True)
class Mended:
    """What `repair` found and did."""

    parts: list[Part]
    rewritten: dict[str, int]       # file that was cut short: bytes that were dropped
    unreadable: list[str]           # files without one message that could be read; left alone

    @property
    def messages(self) -> int:
        """Return how many messages the bag has now."""
        return sum(sum(part.counts.values()) for part in self.parts)


def repair(folder: Path) -> Mended:
    """Make a folder of MCAP files a bag; ValueError where it is one already, or none can be."""
    if not folder.is_dir():
        raise ValueError(f'{folder} is no folder; --repair wants the folder that was recorded to')
    if (folder / NAME).exists():
        raise ValueError(f'{folder} has its {NAME} and needs no repair; if one of its files is '
                         f'damaged, remove {NAME} and repair again')
    files = sorted(folder.glob('*.mcap'), key=in_order)
    if not files:
        holds = ', '.join(sorted(p.name for p in folder.iterdir())) or 'nothing'
        raise ValueError(f'{folder} has no *.mcap files to make a bag of; it holds: {holds}')
    parts, topics, rewritten, unreadable = [], {}, {}, []
    for path in files:
        found = summary(path)
        if found is None:
            dropped = rewrite(path)
            if dropped is None:
                unreadable.append(path.name)
                continue
            rewritten[path.name] = dropped
            found = summary(path)
        part, offered = found
        parts.append(part)
        topics.update({topic.name: topic for topic in offered if topic.name not in topics})
    if not parts:
        raise ValueError(f'{folder} has no file with a message that can be read')
    write_metadata(folder, list(topics.values()), parts)
    return Mended(parts, rewritten, unreadable)


def in_order(path: Path) -> list:
    """Sort bag_2 before bag_10."""
    return [int(piece) if piece.isdigit() else piece for piece in re.split(r'(\d+)', path.name)]


def summary(path: Path) -> tuple[Part, list[Topic]] | None:
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
        kind = said.schemas[channel.schema_id].name if channel.schema_id else ''
        qos = yaml.safe_load(channel.metadata.get('offered_qos_profiles', '')) or ()
        topics.append(Topic(channel.topic, kind, channel.metadata.get('topic_type_hash', ''),
                            tuple(qos)))
    return Part(path.name, numbers.message_start_time, numbers.message_end_time, counts), topics


def rewrite(path: Path) -> int | None:
    """Write a file anew without what was cut off; return the bytes dropped, None if all were."""
    temporary = path.with_suffix(TEMPORARY)
    with open(path, 'rb') as source, open(temporary, 'wb') as target:
        writer = Writer(target, compression=CompressionType.LZ4)
        writer.start(profile='ros2', library='ami_ros')
        schemas, channels, messages = {0: 0}, {}, 0
        good = 0
        for position, records in readable(source):
            for record in records:
                if isinstance(record, Schema) and record.id not in schemas:
                    schemas[record.id] = writer.register_schema(record.name, record.encoding,
                                                                record.data)
                elif isinstance(record, Channel) and record.id not in channels:
                    channels[record.id] = writer.register_channel(
                        record.topic, record.message_encoding, schemas[record.schema_id],
                        record.metadata)
                elif isinstance(record, Attachment):
                    writer.add_attachment(record.create_time, record.log_time, record.name,
                                          record.media_type, record.data)
                elif isinstance(record, Message):
                    writer.add_message(channels[record.channel_id], record.log_time, record.data,
                                       record.publish_time, record.sequence)
                    messages += 1
            good = position
        writer.finish()
    if messages == 0:
        temporary.unlink()
        return None
    dropped = path.stat().st_size - good
    temporary.replace(path)
    return dropped


def readable(source) -> Iterator[tuple[int, list[McapRecord]]]:
    """Yield what can be read from the front: where it ended, and its records."""
    reader = StreamReader(source, emit_chunks=True)
    records = reader.records
    while True:
        try:
            record = next(records)
            inside = breakup_chunk(record, validate_crc=True) if isinstance(record, Chunk) \
                else [record]
        except Exception:   # a cut or damaged record, StopIteration: here it ends
            return
        yield source.tell(), inside
