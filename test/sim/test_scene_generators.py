# SPDX-License-Identifier: Apache-2.0
"""Scenes as data: each generator draws valid, varied places that a robot can drive through."""

from dataclasses import replace
import math

from ami_ros.sim import furnished_room as worlds
from ami_ros.sim import scenes
from ami_ros.sim.scenes import baking, furniture_placement, seed_allocation, styles
from ami_ros.sim.scenes.elements import OBSTACLE_M, Solid, WALL_M
from ami_ros.sim.scenes.grid_path_planner import Grid, length_m
from ami_ros.sim.scenes.scene import check
import numpy as np
import pytest

DRAWN = ('rooms', 'building', 'hall', 'clutter')
SEEDS = range(20_000, 20_012)
ROVER_M = 0.22          # radius of the circle around a small rover
BUILDINGS = [scenes.draw('building', seed) for seed in range(20_000, 20_030)]


@pytest.mark.parametrize('generator', scenes.GENERATORS)
def test_the_same_seed_draws_the_same_scene_and_another_seed_another(generator):
    one = scenes.draw(generator, 20_001)
    assert one == scenes.draw(generator, 20_001) != scenes.draw(generator, 20_002)


@pytest.mark.parametrize('generator', DRAWN)
def test_scenes_are_valid_and_the_robot_reaches_nearly_all_that_is_free(generator):
    for seed in SEEDS:
        scene = check(scenes.draw(generator, seed))
        grid = Grid(scene, ROVER_M, 0.1)
        cells = np.argwhere(grid.free)
        largest = max((grid.reached(grid.point(cells[k])) for k in
                       (0, len(cells) // 3, len(cells) // 2, -1)), key=np.sum)
        assert largest.sum() > 0.9 * grid.free.sum(), (generator, seed)


def test_rooms_are_3_to_12_m_with_any_number_of_pieces():
    drawn = [scenes.draw('rooms', seed) for seed in range(20_000, 20_060)]
    sides = np.array([scene.rooms[0].size_m for scene in drawn])
    assert sides.min() >= 3 and sides.max() <= 12 and sides.min() < 4 and sides.max() > 10
    counts = [len(scene.furniture) for scene in drawn]
    assert min(counts) == 0 and max(counts) >= 15


def test_buildings_have_3_to_12_rooms_and_doors_of_0_8_to_1_2_m():
    counts = {len(scene.rooms) for scene in BUILDINGS}
    assert min(counts) == 3 and max(counts) >= 11 and max(counts) <= 12
    widths = [door.width_m for scene in BUILDINGS for door in scene.doors]
    assert 0.8 <= min(widths) < 0.9 and 1.1 < max(widths) <= 1.2
    for scene in BUILDINGS:
        joined = {0}
        for _ in scene.rooms:
            joined |= {r for d in scene.doors if joined & set(d.rooms) for r in d.rooms}
        assert len(joined) == len(scene.rooms)


def test_some_buildings_have_corridors_dead_ends_loops_and_rooms_that_look_alike():
    def narrow(room):
        return min(room.size_m) < 2.1

    def doors_of(scene, index):
        return sum(index in door.rooms for door in scene.doors)

    corridors = sum(any(map(narrow, s.rooms)) for s in BUILDINGS)
    ends = sum(any(doors_of(s, i) == 1 for i in range(len(s.rooms))) for s in BUILDINGS)
    loops = sum(len(s.doors) >= len(s.rooms) for s in BUILDINGS)
    alike = sum(len({(r.floor, r.walls, tuple(np.round(r.size_m, 3))) for r in s.rooms})
                < len(s.rooms) for s in BUILDINGS)
    assert min(corridors, ends, loops, alike) >= 5
    assert max(corridors, loops, alike) < len(BUILDINGS)


def test_halls_have_pillars_and_clutter_has_tables_that_a_planar_lidar_sees_only_the_legs_of():
    assert all(sum(p.kind == 'pillar' for p in scenes.draw('hall', s).furniture) >= 2
               for s in SEEDS)
    tables = [(scene, piece) for scene in (scenes.draw('clutter', s) for s in SEEDS)
              for piece in scene.furniture if piece.kind == 'table']
    assert tables
    for scene, table in tables:
        top = max(table.parts, key=lambda p: p.half[0])
        assert top.at[2] - top.half[2] > OBSTACLE_M
        assert scene.distance(np.array([table.x_m, table.y_m])) > 0     # there is a way under it


def test_furniture_leaves_a_way_and_doors_stay_clear():
    for scene in BUILDINGS[:10]:
        for number, room in enumerate(scene.rooms):
            inside = [furniture_placement.footprint(p) for p in scene.furniture
                      if room.holds(p.x_m, p.y_m)]
            for zone in furniture_placement.door_zones(room, number, scene.doors):
                assert all(furniture_placement.apart(one, zone) >= 0 for one in inside)
            for i, one in enumerate(inside):
                assert all(gap(one, two) >= furniture_placement.GAP_M - 0.01 for two in inside[:i])


def gap(one: np.ndarray, two: np.ndarray) -> float:
    """Distance between two outlines (4, 2), by points every few centimetres."""
    share = np.linspace(0, 1, 40)[:, None, None]
    a, b = ((o + share * (np.roll(o, -1, 0) - o)).reshape(-1, 2) for o in (one, two))
    return float(np.linalg.norm(a[:, None] - b, axis=-1).min())


def test_mixed_is_one_of_the_others_and_each_of_them_sometimes():
    drawn = [scenes.draw('mixed', seed) for seed in range(20_000, 20_080)]
    assert {scene.generator for scene in drawn} == {'room', *DRAWN}
    assert drawn[3] == scenes.draw(drawn[3].generator, 20_003)


def test_the_protocols_room_is_told_as_a_scene_of_the_same_ground():
    scene, world = scenes.draw('room', 7), worlds.draw(7)
    assert scene.world == world and scene.half_m == world.half_m and scene.light == world.light
    points = np.random.default_rng(0).uniform(-3.5, 3.5, (500, 2))
    said, right = scene.distance(points), world.distance(points)
    assert said[right > 0] == pytest.approx(right[right > 0], abs=1e-9)
    assert (said[right < 0] < 0).all()


def test_distance_is_the_way_to_the_nearest_solid():
    scene = BUILDINGS[0]
    points = np.random.default_rng(1).uniform(-scene.half_m, scene.half_m, (300, 2))
    said = scene.distance(points)
    for point, gap in zip(points, said):
        near = [s for s in scene.solids if s.at[2] - s.half[2] < OBSTACLE_M]
        right = min(to_solid(point, s) for s in near)
        if scene.room_at(*point) is None:
            assert gap <= right + 1e-9
        else:
            assert gap == pytest.approx(right, abs=1e-9)


def to_solid(point: np.ndarray, solid: Solid) -> float:
    """Measure the way from a point to one solid, written again without arrays."""
    dx, dy = point - solid.at[:2]
    if solid.shape == 'cylinder':
        return math.hypot(dx, dy) - solid.half[0]
    c, s = math.cos(solid.yaw_rad), math.sin(solid.yaw_rad)
    x, y = abs(c * dx + s * dy) - solid.half[0], abs(c * dy - s * dx) - solid.half[1]
    return math.hypot(max(x, 0), max(y, 0)) + min(max(x, y), 0)


def test_a_door_is_open_ground_and_a_closed_one_is_not():
    scene = next(s for s in BUILDINGS if any(not d.has_leaf for d in s.doors))
    index, door = next((i, d) for i, d in enumerate(scene.doors) if not d.has_leaf)
    at = np.array([door.x_m, door.y_m])
    assert scene.distance(at) == pytest.approx(door.width_m / 2, abs=0.02)
    doors = (*scene.doors[:index], replace(door, closed=True), *scene.doors[index + 1:])
    assert replace(scene, doors=doors).distance(at) < -WALL_M / 8


def test_the_way_between_rooms_leads_through_doors():
    scene = BUILDINGS[1]
    grid = Grid(scene, 0.25)
    start, goal = scene.rooms[0].middle, scene.rooms[-1].middle
    path = grid.path(start, goal)
    assert scene.distance(path).min() > 0.2
    assert length_m(path) >= math.dist(path[0], path[-1]) - 1e-9
    walls = Grid(replace(scene, doors=tuple(replace(d, closed=True) for d in scene.doors)), 0.25)
    assert walls.path(start, goal) is None


def test_looks_are_drawn_from_a_wide_distribution():
    drawn = [scenes.draw('mixed', seed) for seed in range(20_000, 20_120)]
    rooms = [room for scene in drawn for room in scene.rooms if scene.world is None]
    assert {look.kind for room in rooms for look in room.walls} == set(styles.WALLS)
    assert {room.floor.kind for room in rooms} == set(styles.FLOORS)
    assert {d.look.kind for room in rooms for d in room.decor} == {'window', *styles.HUNG}
    assert {s.lighting.name for s in drawn if s.world is None} == set(styles.LIGHTS)
    bare = [room for room in rooms if not room.decor and {w.kind for w in room.walls} == {'plain'}]
    assert bare


def test_baked_pictures_are_varied_and_light_makes_places_differ():
    means = []
    for seed in SEEDS:
        mesh = baking.bake(scenes.draw('rooms', seed))
        assert mesh.picture.dtype == np.uint8 and mesh.uvs.min() >= 0 and mesh.uvs.max() <= 1
        assert len(mesh.vertices) == len(mesh.normals) == len(mesh.uvs)
        corners = mesh.vertices[mesh.triangles]
        facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        assert ((facing * mesh.normals[mesh.triangles[:, 0]]).sum(1) > 0).all()
        means.append(mesh.picture[mesh.picture.any(-1)].mean(0))
    assert np.array(means).std(0).min() > 12


def test_baking_is_repeatable():
    scene = scenes.draw('clutter', 20_004)
    assert baking.bake(scene).picture.tobytes() == baking.bake(scene).picture.tobytes()


def test_seed_ranges_do_not_meet():
    ranges = [seed_allocation.TRAINING, seed_allocation.TUNING, seed_allocation.RESERVED,
              seed_allocation.PUBLISHED]
    assert all(a.stop <= b.start for a, b in zip(ranges, ranges[1:]))
    assert [seed_allocation.use_of(s) for s in (0, 20_000, 59_999, 60_000, 66_000, 100_000,
                                                101_000)] == [
        None, 'training', 'training', 'tuning', None, 'published', None]


def test_unknown_generator_and_seed_are_one_sentence():
    with pytest.raises(ValueError, match="no generator 'castle'; there are: room, rooms, build"):
        scenes.draw('castle', 1)
    with pytest.raises(ValueError, match='world seed -1 is not between 0 and'):
        scenes.draw('rooms', -1)
