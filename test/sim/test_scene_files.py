# SPDX-License-Identifier: Apache-2.0
"""A scene that cannot exist is refused in one sentence; a file brings back what was written."""

from dataclasses import replace
import json

from ami_ros.sim import scenes
from ami_ros.sim.scenes import scene_changes, scene_files
from ami_ros.sim.scenes.elements import Furniture, Look, Part, Person
from ami_ros.sim.scenes.scene import check
import pytest

SCENE = scene_changes.apply(scenes.draw('building', 20_006), 'person:1', 1)
ROOM, DOOR = SCENE.rooms[0], SCENE.doors[0]


def with_room(**values):
    return replace(SCENE, rooms=(replace(ROOM, **values), *SCENE.rooms[1:]))


def with_door(**values):
    return replace(SCENE, doors=(replace(DOOR, **values), *SCENE.doors[1:]))


BOX = Part('box', (0.0, 0.0, 0.5), (0.2, 0.2, 0.5), Look('plain', 0, ((0.5, 0.5, 0.5),)))
WRONG = [
    (replace(SCENE, rooms=()), 'a scene needs at least one room'),
    (with_room(x1_m=ROOM.x1_m + 60), 'room 0 has a side of'),
    (with_room(height_m=0.3), 'room 0 is 0.30 m high'),
    (with_room(x1_m=float('nan')), 'a number of the scene is not finite'),
    (replace(SCENE, rooms=(*SCENE.rooms, replace(ROOM, x0_m=ROOM.x0_m + 0.05))),
     'rooms 0 and 6 overlap'),
    (with_door(x_m=DOOR.x_m + 50.0), 'door 0 at .* lies outside the wall'),
    (with_door(along='z'), "door 0 lies along 'z'; there are: 'x', 'y'"),
    (with_door(rooms=(0, 0)), 'door 0 joins rooms'),
    (with_door(rooms=(0, 77)), 'door 0 joins rooms'),
    (with_door(width_m=0.2), 'door 0 is 0.20 m wide; 0.6 to 4 m'),
    (with_door(height_m=9.0), 'door 0 is 9.00 m high'),
    (replace(SCENE, doors=(*SCENE.doors, DOOR)), 'overlaps another door'),
    (replace(SCENE, furniture=(Furniture('crate', 90.0, 0.0, 0.0, (0.2, 0.2), (BOX,)),)),
     r'furniture 0 \(crate\) at .* stands in no room'),
    (with_room(floor=Look('lava', 0, ((1.0, 0.0, 0.0),))), "no texture 'lava'; there are: plain"),
    (replace(SCENE, people=(Person(((0.0, 0.0),), 1.0, 1.7, 0),)), 'person 0 needs a path'),
    (replace(SCENE, people=(replace(SCENE.people[0], speed_mps=30.0),)), 'person 0 walks at 30'),
]


@pytest.mark.parametrize('scene, sentence', WRONG, ids=[w[1][:40] for w in WRONG])
def test_what_cannot_be_is_refused(scene, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        check(scene)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('generator', ['room', 'rooms', 'building', 'hall', 'clutter'])
def test_a_file_brings_back_the_scene(tmp_path, generator):
    scene = scenes.draw(generator, 20_003)
    scene_files.write(tmp_path / 'scene.json', scene)
    assert scene_files.read(tmp_path / 'scene.json') == scene
    assert [p.name for p in tmp_path.iterdir()] == ['scene.json']


def spoilt(content: dict, how: str) -> str:
    """Make a file that cannot be read."""
    scene = content['scene']
    if how == 'overlap':
        scene['rooms'][1] = scene['rooms'][0]
    elif how == 'door':
        scene['doors'][0]['y_m'] += 40.0
    elif how == 'key':
        scene['doors'][0]['colour'] = 'red'
    elif how == 'lacks':
        del scene['rooms'][0]['height_m']
    elif how == 'type':
        scene['rooms'][0]['height_m'] = 'high'
    elif how == 'length':
        scene['doors'][0]['rooms'] = [0, 1, 2]
    elif how == 'format':
        content['format'] = 'something else'
    return json.dumps(content)[:None if how != 'cut' else 500]


@pytest.mark.parametrize('how, sentence', [
    ('overlap', 'rooms 0 and 1 overlap'), ('door', 'door 0 at .* lies outside the wall'),
    ('key', r"scene.doors\[0\] has an unknown key 'colour'; there are: rooms, x_m"),
    ('lacks', r'scene.rooms\[0\] lacks height_m'),
    ('type', r"scene.rooms\[0\].height_m = 'high' is not of type float"),
    ('length', r'scene.doors\[0\].rooms has 3 values; 2 are needed'),
    ('format', 'it does not say "format"'), ('cut', '(Unterminated|Expecting)'),
])
def test_a_file_that_cannot_be_is_one_sentence_with_its_name(tmp_path, how, sentence):
    path = tmp_path / 'scene.json'
    scene_files.write(path, SCENE)
    path.write_text(spoilt(json.loads(path.read_text()), how))
    with pytest.raises(ValueError, match=f'scene file {path}: {sentence}') as caught:
        scene_files.read(path)
    assert '\n' not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match='nowhere.json cannot be read: No such file'):
        scene_files.read(tmp_path / 'nowhere.json')
