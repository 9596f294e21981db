# SPDX-License-Identifier: Apache-2.0
"""
Writes serialized messages of any topics into a rosbag2 MCAP bag that a kill does little harm to.

Everything is on its way to the disk within half a second, in chunks that can be read by
themselves; only the index and metadata.yaml come at the end, and `repair` makes both again. A
message is written as it came, so nothing of it can get lost in translation.
"""

from collections.abc import Callable
import contextlib
from dataclasses import dataclass
import os
from pathlib import Path
import shutil
import time

from mcap.writer import CompressionType, Writer
import yaml

from ami_ros.core.errors import AmiError
from ami_ros.recording.bag_metadata import Part, TopicMetadata, write_metadata
from ami_ros.recording.in_use import hold
from ami_ros.recording.message_definitions import definition

CHUNK_BYTES = 512 * 1024
FLUSH_S = 0.5           # at least so often: a kill costs what came since
SYNC_S = 5.0            # a battery that runs flat costs this much, where the disk obeys
DISK_S = 1.0            # how often the disk is asked what is free
GB = 10**9
LEAST_BYTES, LEAST_SHARE, MOST_BYTES = 1 * GB, 0.05, 20 * GB    # kept free on the disk


@dataclass(frozen=True)
class Limits:
    """When a file is full, and when the bag is."""

    file_bytes: int = 2 * GB
    file_s: float = 600.0
    bag_bytes: int | None = None
    kept_bytes: int | None = None       # the oldest files make room for the newest


@dataclass(frozen=True)
class Attached:
    """A file inside the bag: what the robot worked with, for whoever opens it later."""

    name: str                           # 'safety_policy/rover.yaml'
    media_type: str                     # 'application/yaml'
    data: bytes
    log_ns: int


def reserve(total_bytes: int) -> float:
    """Return what a disk must keep free: a twentieth, from 1 GB to 20 GB."""
    return min(max(LEAST_BYTES, LEAST_SHARE * total_bytes), MOST_BYTES)


def shortage(folder: Path, usage: Callable = shutil.disk_usage) -> str:
    """Say in a sentence that the disk of a folder is too full; '' where it is not."""
    disk = usage(folder)
    if disk.free >= reserve(disk.total):
        return ''
    return (f'the disk of {folder} has {disk.free / GB:.1f} GB free of {disk.total / GB:.0f}; '
            f'{reserve(disk.total) / GB:.1f} GB are kept free')


class Recorder:
    """A bag that is being written; everything but `full` and `bytes` is for one thread alone.

    Call `turn` often: it flushes, begins new files and looks at the disk.
    """

    def __init__(self, folder: Path, limits: Limits = Limits(),
                 steady: Callable[[], float] = time.monotonic,
                 usage: Callable = shutil.disk_usage):
        self.folder, self.limits, self.steady, self.usage = folder, limits, steady, usage
        self.full = ''                      # why no more is written
        self.topics: dict[str, TopicMetadata] = {}
        self.parts: list[Part] = []
        self.closed_bytes = 0               # of the files that are finished
        self.removed = 0                    # files that made room
        self.attached: dict[str, Attached] = {}             # every file of the bag holds them
        self.kept: dict[str, tuple[str, int, bytes]] = {}   # and these messages
        self.newest_ns = 0                  # of all messages
        self.start_ns: int | None = None    # of the messages in the file
        self.end_ns = 0
        self.broken = False                 # the disk took no more in the middle of something
        make_folder(folder)
        if short := shortage(folder, usage):
            folder.rmdir()
            raise OSError(f'nothing is recorded: {short}')
        self.disk_s = self.sync_s = steady()
        self.lock: int | None = hold(folder)        # so that nobody repairs what is being recorded
        self._begin()

    def offer(self, name: str, kind: str, qos: tuple[dict, ...] = ()) -> None:
        """Make a topic known; ValueError where nobody knows its type."""
        topic = TopicMetadata(name, kind, definition(kind)[1], qos)
        self.topics[name] = topic
        self._register(topic)

    def attach(self, file: Attached) -> None:
        """Put a file into the bag, and into each file of it that is still to come."""
        there = self.attached.get(file.name)
        if self.full or there is not None and there.data == file.data:
            return
        self.attached[file.name] = file
        try:
            self._attach(file)
        except OSError as wrong:
            self._fail(wrong)

    def keep(self, key: str, name: str, log_ns: int, data: bytes) -> bool:
        """Append a message that every file begins with, until another comes by its key."""
        self.kept[key] = name, log_ns, data
        return self.write(name, log_ns, data)

    def write(self, name: str, log_ns: int, data: bytes) -> bool:
        """Append a message; return whether there was still room for it."""
        if self.full:
            return False
        try:
            self.writer.add_message(self.channels[name], log_ns, data, log_ns, self.counts[name])
        except OSError as wrong:
            self._fail(wrong)
            return False
        self.counts[name] += 1
        self.newest_ns = max(self.newest_ns, log_ns)
        self.start_ns = log_ns if self.start_ns is None else min(self.start_ns, log_ns)
        self.end_ns = max(self.end_ns, log_ns)
        return True

    def turn(self) -> None:
        """Do what time asks for."""
        now = self.steady()
        if self.full or now - self.flush_s < FLUSH_S:
            return
        try:
            self._flush(now)
            if self.limits.bag_bytes and self.bytes >= self.limits.bag_bytes:
                self.full = f'the bag has reached {self.limits.bag_bytes / GB:g} GB'
            elif now - self.disk_s >= DISK_S:
                self.disk_s = now
                while (short := shortage(self.folder, self.usage)) and self._remove_oldest():
                    pass
                self.full = short
            if not self.full and (self.file.tell() >= self.limits.file_bytes
                                  or now - self.begun_s >= self.limits.file_s):
                self._end()
                self._make_room()
                self._begin()
        except OSError as wrong:
            self._fail(wrong)

    def close(self) -> list[Part]:
        """Finish the bag; OSError where that cannot be written, and `repair` is needed."""
        try:
            return self._close()
        finally:
            if self.lock is not None:
                os.close(self.lock)
                self.lock = None

    def _close(self) -> list[Part]:
        try:
            if not self.broken:
                self._end()
                write_metadata(self.folder, list(self.topics.values()), self.parts)
                return self.parts
        except OSError as wrong:
            self._fail(wrong)
        with contextlib.suppress(OSError):
            self.file.close()
        raise OSError(f'{self.full}; what is on the disk is mended by '
                      f'`ami-ros record --repair {self.folder}`, once there is room')

    @property
    def bytes(self) -> int:
        """Return how much is written."""
        return self.closed_bytes + (0 if self.file.closed else self.file.tell())

    def _fail(self, wrong: OSError) -> None:
        self.broken = True
        self.full = f'{self.path} cannot be written: {wrong.strerror}'

    def _begin(self) -> None:
        self.path = self.folder / f'{self.folder.name}_{len(self.parts) + self.removed}.mcap'
        self.file = open(self.path, 'xb')
        self.writer = Writer(self.file, chunk_size=CHUNK_BYTES, compression=CompressionType.LZ4)
        self.writer.start(profile='ros2', library='ami_ros')
        self.begun_s = self.flush_s = self.steady()
        self.start_ns, self.end_ns = None, 0
        self.counts: dict[str, int] = {}
        self.channels: dict[str, int] = {}
        self.schemas: dict[str, int] = {}
        for topic in self.topics.values():
            self._register(topic)
        for file in self.attached.values():
            self._attach(file)
        for name, log_ns, data in self.kept.values():
            self.write(name, max(log_ns, self.newest_ns), data)

    def _make_room(self) -> None:
        """Remove the oldest files, so that with the next one no more is kept than may be."""
        most = self.limits.kept_bytes
        while most is not None and self.closed_bytes + self.limits.file_bytes > most \
                and self._remove_oldest():
            pass

    def _remove_oldest(self) -> bool:
        """Remove the oldest finished file, where that is asked for; return whether it was."""
        if self.limits.kept_bytes is None or not self.parts:
            return False
        oldest = self.folder / self.parts.pop(0).path
        self.closed_bytes -= oldest.stat().st_size
        oldest.unlink()
        self.removed += 1
        return True

    def _attach(self, file: Attached) -> None:
        self.writer.add_attachment(0, file.log_ns, file.name, file.media_type, file.data)

    def _register(self, topic: TopicMetadata) -> None:
        if topic.type not in self.schemas:
            text, _ = definition(topic.type)
            self.schemas[topic.type] = self.writer.register_schema(topic.type, 'ros2msg',
                                                                   text.encode())
        self.channels[topic.name] = self.writer.register_channel(
            topic.name, 'cdr', self.schemas[topic.type], channel_notes(topic))
        self.counts[topic.name] = 0

    def _flush(self, now: float) -> None:
        self.writer.flush()
        self.flush_s = now
        if now - self.sync_s >= SYNC_S:
            os.fsync(self.file.fileno())
            self.sync_s = now

    def _end(self) -> None:
        self.writer.finish()
        self.file.flush()
        os.fsync(self.file.fileno())
        self.closed_bytes += self.file.tell()
        self.file.close()
        self.parts.append(Part(self.path.name, self.start_ns or 0, self.end_ns,
                               dict(self.counts)))


def make_folder(folder: Path) -> None:
    """Make the folder of a new bag; ValueError where something is there already."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise AmiError(f'{folder} is there already, and no recording is replaced; '
                       'give another --out') from None


def channel_notes(topic: TopicMetadata) -> dict[str, str]:
    """Say of a topic in the file itself what metadata.yaml says, as rosbag2 does.

    The two must agree: who reads by metadata.yaml looks for a topic of the same QoS in the file.
    """
    qos = yaml.safe_dump(list(topic.qos), sort_keys=False).strip() if topic.qos else ''
    return {'offered_qos_profiles': qos, 'topic_type_hash': topic.digest}
