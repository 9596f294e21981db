# SPDX-License-Identifier: Apache-2.0
"""Plans of buildings: rectangles divided into rooms, corridors, and the doors between them."""

import math

import numpy as np

from ami_ros.sim.scenes.elements import Door, Room, WALL_M
from ami_ros.sim.scenes.styles import leaf

LEAST_M = 2.3           # side of a room that is no corridor
DOOR_M = (0.8, 1.2)     # width
BESIDE_M = 0.15         # of wall beside a door
Box = tuple[float, float, float, float]     # x0, y0, x1, y1


def divided(rng, box: Box, count: int) -> list[Box]:
    """Divide a rectangle into rooms by straight cuts, the largest first."""
    rooms = [box]
    for _ in range(200):
        if len(rooms) >= count:
            break
        rooms.sort(key=lambda b: -(b[2] - b[0]) * (b[3] - b[1]))
        for k, one in enumerate(rooms):
            cut = halved(rng, one)
            if cut:
                rooms[k:k + 1] = cut
                break
        else:
            break
    return rooms


def halved(rng, box: Box) -> list[Box] | None:
    """Cut a rectangle across its longer side; None where the halves would be too small."""
    x0, y0, x1, y1 = box
    w, d = x1 - x0, y1 - y0
    longer = max(w, d)
    if longer < 2 * LEAST_M + WALL_M:
        return None
    at = rng.uniform(LEAST_M, longer - LEAST_M - WALL_M)
    if w >= d:
        return [(x0, y0, x0 + at, y1), (x0 + at + WALL_M, y0, x1, y1)]
    return [(x0, y0, x1, y0 + at), (x0, y0 + at + WALL_M, x1, y1)]


def along_corridor(rng, count: int) -> tuple[list[Box], int]:
    """Rooms on both sides of a corridor; return the boxes and the index of the corridor.

    Its rooms are equally wide, so that some look alike; its ends are dead ends.
    """
    wide, deep = float(rng.uniform(1.3, 2.0)), [float(v) for v in rng.uniform(2.6, 4.8, 2)]
    north = int(rng.integers(1, count)) if count > 2 else 1
    sides = [max(1, min(north, count - 1)), 0]
    sides[1] = count - 1 - sides[0]
    if rng.random() < 0.6 and count > 3:        # balanced
        sides = [(count - 1 + 1) // 2, (count - 1) // 2]
    each = float(rng.uniform(2.5, 4.2))
    long = max(sides) * each + (max(sides) - 1) * WALL_M
    extra = float(rng.uniform(0.0, 1.5)) if rng.random() < 0.4 else 0.0
    boxes: list[Box] = [(-extra, 0.0, long, wide)]
    for row, n in enumerate(sides):
        if not n:
            continue
        own = each if rng.random() < 0.6 else (long - (n - 1) * WALL_M) / n
        y0, y1 = ((wide + WALL_M, wide + WALL_M + deep[0]) if row == 0
                  else (-WALL_M - deep[1], -WALL_M))
        for k in range(n):
            x0 = k * (own + WALL_M)
            boxes.append((x0, y0, x0 + own, y1))
    return boxes, 0


def centred(boxes: list[Box]) -> list[Box]:
    """Move the middle of the plan to the origin."""
    x = (min(b[0] for b in boxes) + max(b[2] for b in boxes)) / 2
    y = (min(b[1] for b in boxes) + max(b[3] for b in boxes)) / 2
    return [(b[0] - x, b[1] - y, b[2] - x, b[3] - y) for b in boxes]


def shared(one: Box, two: Box) -> tuple[str, float, float, float] | None:
    """Return (along, where the wall is, from, to) of the wall that two rooms share."""
    for axis, along in ((1, 'x'), (0, 'y')):
        low, high = (one, two) if one[axis] < two[axis] else (two, one)
        if abs(high[axis] - low[axis + 2] - WALL_M) < 1e-6:
            begin = max(one[1 - axis], two[1 - axis])
            end = min(one[3 - axis], two[3 - axis])
            if end - begin > DOOR_M[0] + 2 * BESIDE_M:
                return along, low[axis + 2] + WALL_M / 2, begin, end
    return None


def doors(rng, boxes: list[Box], height_m: float, hub: int | None, loops: float) -> list[Door]:
    """Doors that connect all rooms, and a share of the other walls besides.

    With a hub (a corridor) every room that touches it has its door there.
    """
    walls = {(i, j): found for i in range(len(boxes)) for j in range(i)
             if (found := shared(boxes[i], boxes[j])) is not None}
    pairs = list(walls)
    order = [pairs[k] for k in rng.permutation(len(pairs))]
    order.sort(key=lambda p: hub not in p)      # stable: those at the hub first
    group = list(range(len(boxes)))
    chosen = []
    for i, j in order:
        new = group[i] != group[j]
        if new or rng.random() < loops:
            chosen.append((i, j))
            group = [group[i] if g == group[j] else g for g in group]
    if len(set(group)) > 1:
        raise ValueError('the rooms of this plan do not all touch')
    high = float(min(rng.uniform(1.95, 2.1), height_m - 0.05))
    same = leaf(rng)
    out = []
    for i, j in chosen:
        along, at, begin, end = walls[i, j]
        width = float(min(rng.uniform(*DOOR_M), end - begin - 2 * BESIDE_M))
        middle = float(rng.uniform(begin + BESIDE_M + width / 2, end - BESIDE_M - width / 2))
        x, y = (middle, at) if along == 'x' else (at, middle)
        first, second = (i, j) if i != hub else (j, i)
        look = same if rng.random() < 0.7 else leaf(rng)
        out.append(Door((first, second), x, y, along, width, high, look,
                        bool(rng.random() < 0.45 and room_for_leaf(boxes[first], along, width,
                                                                   x, y))))
    return apart(out)


def room_for_leaf(box: Box, along: str, width: float, x: float, y: float) -> bool:
    """Tell whether an open leaf leaves a way through the room, and stands inside of it."""
    deep = box[3] - box[1] if along == 'x' else box[2] - box[0]
    left = x - box[0] if along == 'x' else y - box[1]
    return deep > width + 1.2 and left - width / 2 > 0.1


def apart(found: list[Door]) -> list[Door]:
    """Drop leaves that would meet at a corner: two doors of one room nearer than 1.4 m."""
    out = []
    for door in found:
        near = any(set(door.rooms) & set(o.rooms) and math.hypot(
            door.x_m - o.x_m, door.y_m - o.y_m) < 1.4 for o in found if o is not door)
        out.append(Door(*(door.rooms, door.x_m, door.y_m, door.along, door.width_m,
                          door.height_m, door.leaf, door.has_leaf and not near)))
    return out


def outer_sides(index: int, rooms: list[Room]) -> tuple[bool, ...]:
    """Tell for each wall of a room whether no other room is behind it."""
    at, out = rooms[index], []
    for side in range(4):
        corner, ahead = at.side_frame(side)
        middle = corner + ahead * at.side_length_m(side) / 2
        beyond = middle + np.array([-ahead[1], ahead[0]]) * (WALL_M + 0.3)
        out.append(not any(r.holds(*beyond) for r in rooms))
    return tuple(out)
