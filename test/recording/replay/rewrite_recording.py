# SPDX-License-Identifier: Apache-2.0
"""Writes a recording again with other words in it, as if it had been made with something else."""

from pathlib import Path

from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer


def copied(source: Path, target: Path, old: bytes, new: bytes, chunk: int = 20_000) -> None:
    """Write a recording again, with one text for another and a chunk for every few messages."""
    with open(source, 'rb') as there, open(target, 'wb') as here:
        writer = Writer(here, chunk_size=chunk, compression=CompressionType.LZ4)
        writer.start(profile='ros2', library='ami_ros')
        channels = {}
        for schema, channel, message in make_reader(there).iter_messages(log_time_order=False):
            if channel.topic not in channels:
                kind = writer.register_schema(schema.name, schema.encoding, schema.data)
                channels[channel.topic] = writer.register_channel(channel.topic, 'cdr', kind,
                                                                  channel.metadata)
            writer.add_message(channels[channel.topic], message.log_time,
                               message.data.replace(old, new), message.publish_time,
                               message.sequence)
        writer.finish()
