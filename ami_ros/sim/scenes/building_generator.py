# SPDX-License-Identifier: Apache-2.0
"""Buildings of 3 to 12 rooms with doors, corridors, dead ends and rooms that look alike."""

from dataclasses import replace

import numpy as np

from ami_ros.sim.scenes import floor_plan, furniture_placement, styles
from ami_ros.sim.scenes.collision_solids import openings
from ami_ros.sim.scenes.elements import Decor, Furniture, Room
from ami_ros.sim.scenes.furniture import PROGRAMMES
from ami_ros.sim.scenes.scene import check, Scene

ROOMS = (3, 12)
ALIKE = 0.6             # share of the buildings with rooms that look alike


def draw(seed: int) -> Scene:
    """Draw a building from its seed."""
    rng = np.random.default_rng([seed, 0xB11D])
    count = int(rng.integers(ROOMS[0], ROOMS[1] + 1))
    boxes, hub = outline(rng, count)
    height = float(rng.uniform(2.2, 3.2))
    doors = floor_plan.doors(rng, boxes, height, hub, float(rng.uniform(0.0, 0.35)))
    common = styles.room(rng, boxes[0], height)     # what the rooms of one house share
    rooms, furniture = [], []
    bare = bool(rng.random() < 0.15)                # a house of bare walls
    for box in boxes:
        room = styles.room(rng, box, height)
        if rng.random() < 0.5:
            room = replace(room, floor=common.floor)
        if rng.random() < 0.3 or (bare and rng.random() < 0.7):
            room = replace(room, walls=common.walls)
        rooms.append(replace(room, ceiling=common.ceiling))
    for index, room in enumerate(rooms):
        outer = floor_plan.outer_sides(index, rooms)
        density = rng.uniform(0.0, 0.12) if bare else rng.uniform(0.1, 0.6)
        rooms[index] = room = replace(room, decor=styles.decor(rng, room, index, tuple(doors),
                                                               outer, float(density)))
        furniture += furnished(rng, room, index, doors)
    if rng.random() < ALIKE:
        rooms, furniture = alike(rng, rooms, furniture, doors)
    light = styles.lighting(rng, str(rng.choice(styles.LIGHTS)), tuple(rooms))
    return check(Scene('building', seed, tuple(rooms), tuple(doors), tuple(furniture), light))


def outline(rng, count: int) -> tuple[list[floor_plan.Box], int | None]:
    """Draw the rectangles of the rooms, and which of them is a corridor."""
    if rng.random() < 0.55:
        boxes, hub = floor_plan.along_corridor(rng, count)
        if rng.random() < 0.4:      # a room behind a room: a dead end
            deep = max(range(1, len(boxes)), key=lambda k: boxes[k][3] - boxes[k][1])
            if len(boxes) < ROOMS[1] and (cut := floor_plan.halved(rng, boxes[deep])):
                boxes[deep:deep + 1] = cut
        return floor_plan.centred(boxes), hub
    area, boxes = count * rng.uniform(9.0, 16.0), []
    while len(boxes) < ROOMS[0]:        # a narrow plan is not divided often enough
        wide = float(np.sqrt(area) * rng.uniform(0.85, 1.3))
        boxes = floor_plan.divided(rng, (0.0, 0.0, wide, float(area / wide)), count)
        area *= 1.1
    return floor_plan.centred(boxes), None


def furnished(rng, room: Room, index: int, doors) -> list[Furniture]:
    """Furnish a room by its use; a corridor stays nearly empty."""
    w, d = room.size_m
    if min(w, d) < floor_plan.LEAST_M:
        count, programme = int(rng.integers(0, 3)), 'store'
    else:
        programme = str(rng.choice(list(PROGRAMMES)))
        count = int(rng.integers(1, max(3, round(w * d / 2.5))))
    return furniture_placement.furnish(rng, room, index, tuple(doors), count, programme)


def alike(rng, rooms: list[Room], furniture: list[Furniture], doors):
    """Make rooms of the same size look alike: the looks always, the furniture often."""
    rooms = list(rooms)
    groups: dict = {}
    for index, room in enumerate(rooms):
        groups.setdefault(tuple(round(v, 3) for v in room.size_m), []).append(index)
    for group in groups.values():
        first = rooms[group[0]]
        for index in group[1:]:
            if rng.random() < 0.3:
                continue
            shift = np.subtract(rooms[index].middle, first.middle)
            rooms[index] = replace(
                rooms[index], floor=first.floor, walls=first.walls,
                decor=kept(first.decor, rooms[index], index, doors),
                rugs=tuple(replace(r, x_m=float(r.x_m + shift[0]), y_m=float(r.y_m + shift[1]))
                           for r in first.rugs))
            if rng.random() < 0.6:
                furniture = copied(rooms, furniture, group[0], index, shift, doors)
    return rooms, furniture


def kept(decor: tuple[Decor, ...], room: Room, index: int, doors) -> tuple[Decor, ...]:
    """Keep of another room's pictures what does not cover a door of this one."""
    return tuple(d for d in decor if not any(
        d.along_m < end + 0.1 and begin - 0.1 < d.along_m + d.width_m
        for begin, end, _ in openings(room, index, d.side, tuple(doors))))


def copied(rooms, furniture, source: int, target: int, shift, doors) -> list[Furniture]:
    """Furnish a room as another one of the same size."""
    zones = furniture_placement.door_zones(rooms[target], target, tuple(doors))
    out = [p for p in furniture if not rooms[target].holds(p.x_m, p.y_m)]
    for piece in furniture:
        if rooms[source].holds(piece.x_m, piece.y_m):
            moved = replace(piece, x_m=float(piece.x_m + shift[0]),
                            y_m=float(piece.y_m + shift[1]))
            if all(furniture_placement.apart(furniture_placement.footprint(moved), zone) >= 0.02
                   for zone in zones):
                out.append(moved)
    return out
