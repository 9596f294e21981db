# SPDX-License-Identifier: Apache-2.0
"""What of a scene collides and stops a beam, and how far a point is from it."""

import math

import numpy as np

from ami_ros.sim.scenes.elements import Door, Furniture, OBSTACLE_M, Room, Solid, WALL_M

LEAF_M = 0.04           # thickness of a door leaf
SLACK_M = 1e-6


def openings(room: Room, index: int, side: int, doors: tuple[Door, ...]) -> list:
    """List (from m, to m, height m) of the openings of one wall, measured from its left end."""
    found = []
    corner, ahead = room.side_frame(side)
    for door in doors:
        if index not in door.rooms or (door.along == 'x') != (side % 2 == 0):
            continue
        x, y = door.x_m - corner[0], door.y_m - corner[1]
        if abs(x * ahead[1] - y * ahead[0]) > WALL_M / 2 + SLACK_M:
            continue        # the door is in the wall on the other side of the room
        along = float(x * ahead[0] + y * ahead[1])
        found.append((along - door.width_m / 2, along + door.width_m / 2, door.height_m))
    return sorted(found)


def segments(room: Room, index: int, side: int, doors: tuple[Door, ...]) -> list:
    """List (from m, to m, lower m, upper m) of the rectangles that a wall consists of."""
    out, at = [], 0.0
    for begin, end, height in openings(room, index, side, doors):
        out.append((at, begin, 0.0, room.height_m))
        if height < room.height_m:
            out.append((begin, end, height, room.height_m))
        at = end
    out.append((at, room.side_length_m(side), 0.0, room.height_m))
    return [s for s in out if s[1] - s[0] > SLACK_M]


def wall_solids(rooms: tuple[Room, ...], doors: tuple[Door, ...]) -> list[Solid]:
    """Half the thickness of every wall, around each room; corners are closed."""
    out = []
    for index, room in enumerate(rooms):
        for side in range(4):
            corner, ahead = room.side_frame(side)
            outward = np.array([-ahead[1], ahead[0]])
            length, t = room.side_length_m(side), WALL_M / 2
            for begin, end, low, high in segments(room, index, side, doors):
                begin = begin - t if begin == 0.0 else begin
                end = end + t if end == length else end
                middle = corner + ahead * (begin + end) / 2 + outward * t / 2
                half = (end - begin) / 2, t / 2
                if side % 2:
                    half = half[::-1]
                out.append(Solid('box', (float(middle[0]), float(middle[1]), (low + high) / 2),
                                 (*half, (high - low) / 2)))
    return out


def leaf_solid(door: Door, rooms: tuple[Room, ...]) -> Solid | None:
    """The leaf: in the opening where the door is closed, else into its first room."""
    if not (door.closed or door.has_leaf):
        return None
    half = door.width_m / 2
    z, high = door.height_m / 2, door.height_m / 2
    if door.closed:
        at = (half, WALL_M / 4) if door.along == 'x' else (WALL_M / 4, half)
        return Solid('box', (door.x_m, door.y_m, z), (*at, high))
    mx, my = rooms[door.rooms[0]].middle
    if door.along == 'x':
        inward = math.copysign(1, my - door.y_m)
        return Solid('box', (door.x_m - half - LEAF_M / 2,
                             door.y_m + inward * (WALL_M / 2 + half), z),
                     (LEAF_M / 2, half, high))
    inward = math.copysign(1, mx - door.x_m)
    return Solid('box', (door.x_m + inward * (WALL_M / 2 + half),
                         door.y_m - half - LEAF_M / 2, z), (half, LEAF_M / 2, high))


def furniture_solids(piece: Furniture) -> list[Solid]:
    """The parts of a piece, where it stands."""
    c, s = math.cos(piece.yaw_rad), math.sin(piece.yaw_rad)
    return [Solid(part.shape, (piece.x_m + c * part.at[0] - s * part.at[1],
                               piece.y_m + s * part.at[0] + c * part.at[1], part.at[2]),
                  part.half, piece.yaw_rad) for part in piece.parts]


def solids_of(rooms, doors, furniture) -> tuple[Solid, ...]:
    """Walls, leaves and furniture."""
    leaves = [leaf_solid(door, rooms) for door in doors]
    return (*wall_solids(rooms, doors), *(leaf for leaf in leaves if leaf is not None),
            *(solid for piece in furniture for solid in furniture_solids(piece)))


class Ground:
    """The obstacles as arrays, so that many points are measured at once."""

    def __init__(self, rooms, doors, solids):
        near = [s for s in solids if s.at[2] - s.half[2] < OBSTACLE_M]
        boxes = [s for s in near if s.shape == 'box']
        posts = [s for s in near if s.shape == 'cylinder']
        self.boxes = np.array([[*s.at[:2], *s.half[:2], math.cos(s.yaw_rad), math.sin(s.yaw_rad)]
                               for s in boxes]).reshape(-1, 6)
        self.posts = np.array([[*s.at[:2], s.half[0]] for s in posts]).reshape(-1, 3)
        t = WALL_M / 2
        open_ = [(r.x0_m, r.y0_m, r.x1_m, r.y1_m) for r in rooms]
        for door in doors:
            x, y = (door.width_m / 2, t) if door.along == 'x' else (t, door.width_m / 2)
            open_.append((door.x_m - x, door.y_m - y, door.x_m + x, door.y_m + y))
        self.open = np.array(open_)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Distance (...,) to the nearest obstacle; negative inside one and outside of rooms."""
        flat = points.reshape(-1, 2)
        out = np.empty(len(flat))
        for begin in range(0, len(flat), 4096):     # bounds the memory of many points
            out[begin:begin + 4096] = self._block(flat[begin:begin + 4096])
        return out.reshape(points.shape[:-1])

    def _block(self, points: np.ndarray) -> np.ndarray:
        x, y = points[:, :1], points[:, 1:]
        bx, by, hx, hy, c, s = self.boxes.T
        dx, dy = x - bx, y - by
        qx, qy = np.abs(c * dx + s * dy) - hx, np.abs(c * dy - s * dx) - hy
        gap = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0)) + np.minimum(np.maximum(qx, qy), 0)
        out = gap.min(1) if gap.shape[1] else np.full(len(points), np.inf)
        if len(self.posts):
            px, py, radius = self.posts.T
            out = np.minimum(out, (np.hypot(x - px, y - py) - radius).min(1))
        x0, y0, x1, y1 = self.open.T
        inside = np.minimum(np.minimum(x - x0, x1 - x), np.minimum(y - y0, y1 - y)).max(1)
        return np.where(inside < 0, np.minimum(inside, out), out)
