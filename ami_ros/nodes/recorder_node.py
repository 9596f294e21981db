# SPDX-License-Identifier: Apache-2.0
"""
Records a robot continuously: rosbag2 MCAP in small files; the oldest files are deleted.

It records as `ami-ros record` does, as a node that a launch file can start with the others.
"""

from dataclasses import dataclass
import itertools
import os
from pathlib import Path
import time
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.nodes import convert, parameters, topics
from ami_ros.nodes.lifecycle import alive
from ami_ros.nodes.narrowing import of_kind
from ami_ros.nodes.recording_node import RecordingNode
from ami_ros.nodes.run import run
from ami_ros.recording.background_recorder import Scribe
from ami_ros.recording.recorder import GB, Limits, Recorder
from ami_ros.robots.find import find

BEAT_S = 0.5
NICE = 5                # it gives way to those whose work it records; what comes meanwhile waits


@dataclass(frozen=True)
class RecorderSettings(Settings):
    """What is recorded, to where, and how much of it is kept."""

    NAMED: ClassVar[tuple[str, ...]] = ('robot',)

    robot: str = setting('', 'name', reason='Robot file (required); its topics are recorded')
    folder: str = setting('recordings', 'path', reason='Folder in which the bag is created')
    name: str = setting('', 'name', reason='Name of the bag; empty means the start time')
    file_mb: float = setting(
        256.0, 'MB', 1.0, 10000.0, 'Start a new file when the current file reaches this size')
    file_s: float = setting(600.0, 's', 1.0, 86400.0, 'Start a new file after this many seconds')
    keep_gb: float = setting(
        20.0, 'GB', 0.01, 10000.0, 'Delete the oldest files when the total size exceeds this')
    record_trace: bool = setting(True, '-', reason='Record the trace as well; replay requires it')
    topics: str = setting('', 'list', reason='Additional topics to record, separated by commas')


GROUPS = {'': RecorderSettings}


class RecorderNode(RecordingNode):
    """A recorder with parameters and signs of life."""

    def __init__(self):
        os.nice(NICE)
        super(RecordingNode, self).__init__('recorder', **parameters.FROM_FILE)
        s = of_kind(parameters.declare(self, GROUPS)[''], RecorderSettings)
        folder = Path(s.folder).expanduser()
        bag = folder / s.name if s.name else unused(folder / time.strftime('%Y%m%d-%H%M%S'))
        limits = Limits(round(s.file_mb * 1e6), s.file_s, None, round(s.keep_gb * GB))
        scribe = Scribe(Recorder(bag, limits))
        more = tuple(filter(None, s.topics.replace(' ', '').split(',')))
        self.hear_from(scribe, find(s.robot), more, float('inf'), lambda line: None,
                       s.record_trace)
        self.who, self.beat_s = alive(), 0.0
        self.diagnostics = self.create_publisher(*topics.DIAGNOSTICS.publisher())
        self.get_logger().info(f'recording to {bag}')

    def turn(self) -> float:
        """Look for topics and give signs of life; a bag that is full ends it."""
        idle = super().turn()
        if time.monotonic() - self.beat_s >= BEAT_S:
            self.beat_s = time.monotonic()
            self.beat()
        return min(idle, BEAT_S)

    def beat(self) -> None:
        """Say how it stands."""
        dropped, lost = sum(self.scribe.dropped.values()), sum(h.lost for h in
                                                               self.heard.values())
        wrong = self.scribe.full or (f'{dropped} messages were dropped: the disk is too slow'
                                     if dropped else f'{lost} messages were lost on the way'
                                     if lost else '')
        health = convert.Health(
            self.get_fully_qualified_name(), 2 if self.scribe.full else 1 if wrong else 0,
            wrong or 'recording',
            {'state': 'active', **self.who, 'bag': str(self.scribe.recorder.folder),
             'bytes': str(self.scribe.recorder.bytes), 'dropped': str(dropped),
             'lost': str(lost), 'topics': ','.join(self.heard)})
        self.diagnostics.publish(
            convert.health_message(health, self.get_clock().now().nanoseconds))

    def stop(self) -> None:
        """Close the bag."""
        for line in (self.ended, *self.summary()):
            if line:
                self.get_logger().info(line)
        self.scribe.close()


def unused(bag: Path) -> Path:
    """Return a name that is not there yet: a node may be started twice in a second."""
    return next(path for number in itertools.count()
                if not (path := bag.with_name(f'{bag.name}-{number}' if number else bag.name)
                        ).exists())


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(RecorderNode, args)
