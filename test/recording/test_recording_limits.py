# SPDX-License-Identifier: Apache-2.0
"""A recorder that goes on for ever keeps the newest, and every file says what it is about."""

from collections import namedtuple
import json
import os

from ami_ros.recording import in_use, message_reader
from ami_ros.recording.background_recorder import Scribe
from ami_ros.recording.node_metadata import files_of
from ami_ros.recording.recorder import Attached, GB, Limits
from ami_ros.recording.repair import repair
from mcap.reader import make_reader
from recorded_drive import begun, CAMERA, moment, TYPES
from rosbags.highlevel import AnyReader

ROBOT = Attached('robot/rover.yaml', 'application/yaml', b'name: rover', 5)
ABOUT = json.dumps({
    'node': '/robot1/critic', 'settings': {'': {'lock_step': False}},
    'robot': {'file': 'rover.yaml', 'text': 'name: rover', 'urdf_file': '../r.urdf',
              'urdf': '<r>'},
    'policy': {'file': 'rover.yaml', 'text': 'shared:'}})


def held(path) -> dict[str, bytes]:
    with open(path, 'rb') as file:
        return {one.name: one.data for one in make_reader(file).iter_attachments()}


def filled(folder, limits, moments, usage=None):
    now = [0.0]
    recorder = begun(folder, limits, steady=lambda: now[0], **({'usage': usage} if usage else {}))
    recorder.attach(ROBOT)
    recorder.keep('who', *moment(0)[1])
    for index in range(moments):
        for message in moment(index):
            recorder.write(*message)
        now[0] += 0.6
        recorder.turn()
    return recorder


def test_the_oldest_files_make_room_and_each_stands_for_itself(tmp_path):
    bag = tmp_path / 'bag'
    recorder = filled(bag, Limits(file_bytes=60_000, kept_bytes=200_000), 60)
    recorder.close()
    there = sorted(bag.glob('*.mcap'), key=lambda path: int(path.stem.split('_')[1]))
    assert recorder.removed > 3 and sum(path.stat().st_size for path in there) <= 210_000
    assert [path.name for path in there] == [part.path for part in recorder.parts]
    assert there[0].name == f'bag_{recorder.removed}.mcap'
    for path in there:
        assert held(path) == {ROBOT.name: ROBOT.data}
        first = next(message_reader.of_file(path, (), 0, 2**63))
        assert first.data == moment(0)[1][2]        # what is kept comes first
    stamps = [heard.log_ns for heard in message_reader.messages(bag, (CAMERA.lstrip('/'),))]
    assert stamps == [moment(index)[0][1] for index in range(60 - len(stamps), 60)]
    with AnyReader([bag]) as reader:
        assert sum(c.msgcount for c in reader.connections) == sum(1 for _ in reader.messages())


def test_a_disk_that_fills_up_costs_the_oldest_first(tmp_path):
    Disk = namedtuple('Disk', 'total used free')
    said = []

    def usage(folder):
        said.append(len(list(folder.glob('*.mcap'))) if folder.exists() else 0)
        return Disk(100 * GB, 0, 50 * GB if said[-1] < 3 else GB)

    recorder = filled(tmp_path / 'bag', Limits(file_bytes=60_000, kept_bytes=GB), 40, usage)
    assert not recorder.full and recorder.removed > 2 and max(said) == 3
    recorder.close()


def test_what_is_attached_outlives_a_kill(tmp_path, monkeypatch):
    recorder = filled(tmp_path / 'bag', Limits(), 20)
    recorder.file.close()       # as a kill does
    os.close(recorder.lock)
    monkeypatch.setattr(in_use, 'WATCH_S', 0.0)
    data = (tmp_path / 'bag' / 'bag_0.mcap').read_bytes()
    (tmp_path / 'bag' / 'bag_0.mcap').write_bytes(data[:-1000])
    repair(tmp_path / 'bag')
    assert held(tmp_path / 'bag' / 'bag_0.mcap') == {ROBOT.name: ROBOT.data}


def test_a_scribe_hands_both_on(tmp_path):
    scribe = Scribe(begun(tmp_path / 'bag'))
    scribe.attach(ROBOT)
    name, at, data = moment(0)[1]
    assert name in TYPES and scribe.put(name, at, data, 'who')
    scribe.close()
    assert scribe.recorder.kept == {'who': (name, at, data)}
    assert held(tmp_path / 'bag' / 'bag_0.mcap') == {ROBOT.name: ROBOT.data}


def test_what_a_node_says_of_itself_becomes_files_and_leaves_no_folder():
    key, files = files_of(ABOUT, 7)
    assert key == '/robot1/critic' and {file.name for file in files} == {
        'parameters/robot1.critic.json', 'robot/rover.yaml', 'urdf/r.urdf',
        'safety_policy/rover.yaml'}
    assert all(file.log_ns == 7 for file in files)
    for wrong in ('', '{', '[]', '{"node": 1, "robot": {"file": 2}}', '{"robot": {}}'):
        assert files_of(wrong, 7) == ('nobody', [])
