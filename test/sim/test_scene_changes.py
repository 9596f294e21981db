# SPDX-License-Identifier: Apache-2.0
"""Changes between two visits: pure, repeatable, and each does what its name says."""

from dataclasses import replace
import math

from ami_ros.sim import furnished_room as worlds
from ami_ros.sim import scenes
from ami_ros.sim.scenes import scene_changes, styles
from ami_ros.sim.walking_people import RADIUS_M, Walk
import numpy as np
import pytest

BUILDING = scenes.draw('building', 20_006)
CLUTTER = scenes.draw('clutter', 20_001)
ROOM = scenes.draw('room', 7)


def test_what_is_written_is_read():
    text = 'moved:0.33,doors:1,evening,person:1'
    assert ','.join(map(str, scene_changes.parse(text))) == text
    assert scene_changes.parse('') == ()
    assert str(scene_changes.parse('moved')[0]) == 'moved:0.333333'


@pytest.mark.parametrize('text, sentence', [
    ('flood', 'no change .flood.; there are: moved, doors, objects, person, bright'),
    ('moved:2', "change 'moved:2': right is moved:0 to moved:1"),
    ('moved:nan', "change 'moved:nan': right is"), ('doors:x', "change 'doors:x': right is"),
    ('doors:1.5', "change 'doors:1.5': right is doors:1 to doors:10"),
    ('evening:3', "change evening takes no amount, but 'evening:3' gives one"),
])
def test_what_cannot_be_read_is_one_sentence(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        scene_changes.parse(text)


@pytest.mark.parametrize('text', ['moved:0.5', 'doors:1', 'objects:3', 'person:1', 'evening',
                                  'side_light'])
def test_a_change_is_a_function_of_the_scene_and_the_seed(text):
    before = repr(BUILDING)
    one = scene_changes.apply(BUILDING, text, 1)
    assert one == scene_changes.apply(BUILDING, text, 1) and repr(BUILDING) == before
    assert one != BUILDING and one.changes == (f'{scene_changes.parse(text)[0]}@1',)
    if text not in ('evening', 'doors:1'):
        assert one != replace(scene_changes.apply(BUILDING, text, 2), changes=one.changes)


def test_moved_furniture_keeps_its_looks_and_its_room():
    after = scene_changes.apply(CLUTTER, 'moved:0.5', 3)
    moved = [(a, b) for a, b in zip(CLUTTER.furniture, after.furniture, strict=True) if a != b]
    wanted = math.ceil(0.5 * len(CLUTTER.furniture))
    assert 0.6 * wanted <= len(moved) <= wanted
    for a, b in moved:
        assert (a.kind, a.parts, a.half) == (b.kind, b.parts, b.half)
        assert math.hypot(a.x_m - b.x_m, a.y_m - b.y_m) > 0.5
    assert after.rooms == CLUTTER.rooms
    pillars = [p for p in scenes.draw('hall', 20_001).furniture if p.fixed]
    assert pillars == [p for p in scene_changes.apply(scenes.draw('hall', 20_001), 'moved:1',
                                                      1).furniture if p.fixed]


def test_the_protocols_room_is_rearranged_as_it_always_was():
    moved = scene_changes.apply(ROOM, 'moved:0.25', 4)
    assert moved.world == worlds.rearranged(ROOM.world, 4, 0.25)


def test_doors_that_can_be_spared_are_closed_first():
    loops = next(s for s in (scenes.draw('building', k) for k in range(20_000, 20_060))
                 if len(s.doors) > len(s.rooms))
    for seed in range(4):
        after = scene_changes.apply(loops, 'doors:1', seed)
        assert sum(d.closed for d in after.doors) == 1
        assert scene_changes.connected(len(after.rooms), after.doors)
    with pytest.raises(ValueError, match='has 0 doors; 1 cannot be closed'):
        scene_changes.apply(CLUTTER, 'doors:1', 1)


@pytest.mark.parametrize('scene', [BUILDING, ROOM], ids=['building', 'room'])
def test_objects_stand_where_it_was_free_and_leave_a_way(scene):
    after = scene_changes.apply(scene, 'objects:3', 1)
    new = after.furniture[len(scene.furniture):]
    assert len(new) == 3 and after.furniture[:len(scene.furniture)] == scene.furniture
    assert all(scene.distance(np.array([p.x_m, p.y_m])) > 0 for p in new)


@pytest.mark.parametrize('name', sorted(set(styles.LIGHTS)))
def test_another_light_changes_nothing_but_the_light(name):
    after = scene_changes.apply(BUILDING, name, 1)
    assert after.lighting.name == name
    assert replace(after, lighting=BUILDING.lighting, changes=()) == BUILDING
    room = scene_changes.apply(ROOM, name, 1)
    if name not in scene_changes.ROOM_LIGHTS:
        assert room.world is None       # an engine's own light is no other one
        return
    world, before = room.world, ROOM.world
    assert replace(world, light=before.light, shade=before.shade) == before and world != before


def test_people_walk_to_and_fro_on_free_ground():
    scene = scene_changes.apply(BUILDING, 'person:2', 5)
    for person in scene.people:
        walk, far = Walk(person), np.array([99.0, 99.0])
        places = []
        for _ in range(400):
            walk.step(0.1, far, 0.2)
            places.append(walk.pose)
        places = np.array(places)
        assert scene.distance(places[:, :2]).min() > RADIUS_M
        steps = np.linalg.norm(np.diff(places[:, :2], axis=0), axis=1)
        assert steps.max() <= 0.1 * person.speed_mps + 1e-9
        ends = np.array(person.path)
        for end in ends:
            assert np.linalg.norm(places[:, :2] - end, axis=1).min() < 0.12
        walk.reset()
        assert walk.pose == Walk(person).pose


def test_somebody_waits_for_a_robot_in_the_way_and_goes_on_when_it_is_gone():
    person = replace(scene_changes.apply(BUILDING, 'person:1', 5).people[0],
                     path=((0.0, 0.0), (3.0, 0.0)), speed_mps=1.0, start=0.0)
    walk, robot = Walk(person), np.array([1.5, 0.0])
    for _ in range(60):
        walk.step(0.05, robot, 0.2)
    stood = walk.pose
    assert 0.5 < stood[0] < 1.5 - RADIUS_M - 0.2
    assert not walk.step(0.05, robot, 0.2) and walk.pose == stood
    assert walk.step(0.05, robot + 9, 0.2) and walk.pose[0] > stood[0]
