# SPDX-License-Identifier: Apache-2.0
"""A slow disk delays nobody, and what it costs is counted."""

import threading

from ami_ros.recording import background_recorder as scribes
from ami_ros.recording.background_recorder import Scribe
from ami_ros.recording.recorder import Limits, Recorder
import pytest
from recorded_drive import moment, TYPES
from rosbags.highlevel import AnyReader


class SlowRecorder(Recorder):
    """A recorder whose disk waits until a test lets it go."""

    def __init__(self, *given, **named):
        self.gate, self.at_work = threading.Event(), threading.Event()
        super().__init__(*given, **named)

    def write(self, name, log_ns, data):
        self.at_work.set()
        assert self.gate.wait(30)
        return super().write(name, log_ns, data)


def offered(scribe):
    for topic, kind in TYPES.items():
        scribe.offer(topic, kind)
    return scribe


def count(folder) -> int:
    with AnyReader([folder]) as reader:
        return sum(1 for _ in reader.messages())


def test_everything_is_written_before_it_closes(tmp_path):
    scribe = offered(Scribe(Recorder(tmp_path / 'bag')))
    for index in range(200):
        for message in moment(index):
            assert scribe.put(*message)
    scribe.close()
    assert set(scribe.written.values()) == {200} and not scribe.dropped
    assert count(tmp_path / 'bag') == 600


def test_what_finds_no_place_is_counted_and_nothing_else_is_lost(tmp_path):
    size = sum(len(data) for _, _, data in moment(0))
    recorder = SlowRecorder(tmp_path / 'bag')
    scribe = offered(Scribe(recorder, waiting_bytes=10 * size))
    took = [message for i in range(50) for message in moment(i) if scribe.put(*message)]
    taken = len(took)
    assert 9 * size < sum(len(data) for _, _, data in took) <= 10 * size
    assert recorder.at_work.wait(10)        # all the while the disk was at the first message
    refused = sum(scribe.dropped.values())
    assert taken + refused == 150 and refused >= 100
    recorder.gate.set()
    scribe.close()
    assert sum(scribe.written.values()) == taken == count(tmp_path / 'bag')


def test_it_goes_on_after_a_pause(tmp_path, monkeypatch):
    monkeypatch.setattr(scribes, 'IDLE_S', 0.001)
    recorder = Recorder(tmp_path / 'bag')
    scribe, turns, idle = offered(Scribe(recorder)), [], threading.Event()
    monkeypatch.setattr(recorder, 'turn', lambda: turns.append(1) or len(turns) > 3 and idle.set())
    assert idle.wait(10)
    scribe.put(*moment(0)[0])
    scribe.close()
    assert count(tmp_path / 'bag') == 1


def test_there_is_room_again_once_the_disk_has_caught_up(tmp_path):
    size = sum(len(data) for _, _, data in moment(0))
    recorder = SlowRecorder(tmp_path / 'bag')
    scribe = offered(Scribe(recorder, waiting_bytes=2 * size))
    assert not all(scribe.put(*message) for i in range(5) for message in moment(i))
    recorder.gate.set()
    first = moment(5)[0]
    assert any(scribe.put(*first) or threading.Event().wait(0.01) for _ in range(3000))
    scribe.close()


def test_what_comes_once_the_bag_is_full_is_counted(tmp_path):
    scribe = offered(Scribe(Recorder(tmp_path / 'bag', Limits(bag_bytes=1))))
    index = 0
    while not scribe.full:
        for message in moment(index):
            scribe.put(*message)
        index += 1
    before = sum(scribe.dropped.values())
    assert scribe.put(*moment(index)[0]) is False
    scribe.close()
    written = sum(scribe.written.values())
    assert written + sum(scribe.dropped.values()) == 3 * index + 1
    assert sum(scribe.dropped.values()) >= before + 1 and written == count(tmp_path / 'bag')


def test_a_bug_in_the_recorder_is_told_and_raised(tmp_path, monkeypatch):
    recorder = Recorder(tmp_path / 'bag')
    monkeypatch.setattr(recorder, 'write', lambda *_: 1 / 0)
    scribe = offered(Scribe(recorder))
    scribe.put(*moment(0)[0])
    while not scribe.full:
        threading.Event().wait(0.01)
    assert 'ZeroDivisionError' in scribe.full and scribe.put(*moment(1)[0]) is False
    with pytest.raises(ZeroDivisionError):
        scribe.close()
