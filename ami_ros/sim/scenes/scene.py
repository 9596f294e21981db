# SPDX-License-Identifier: Apache-2.0
"""A scene is data: rooms, doors, furniture, light and people. No engine is needed to make one."""

from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
import math

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.sim.furnished_room import World
from ami_ros.sim.scenes.collision_solids import Ground, openings, SLACK_M, solids_of
from ami_ros.sim.scenes.elements import (
    Door,
    Furniture,
    KINDS,
    Lighting,
    Look,
    Person,
    Room,
    SIDES,
    Solid,
    WALL_M,
)

ROOM_M = (1.0, 40.0)    # smallest and largest side of a room
HEIGHT_M = (1.0, 10.0)  # of a room


@dataclass(frozen=True)
class Scene:
    """One place. `generator` and `seed` draw it again; `changes` were applied since."""

    generator: str
    seed: int
    rooms: tuple[Room, ...]
    doors: tuple[Door, ...]
    furniture: tuple[Furniture, ...]
    lighting: Lighting
    people: tuple[Person, ...] = ()
    changes: tuple[str, ...] = ()
    world: World | None = None      # the protocol's room, which PyBullet shades as it always did

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """Smallest x and y, largest x and y of all rooms."""
        return (min(r.x0_m for r in self.rooms), min(r.y0_m for r in self.rooms),
                max(r.x1_m for r in self.rooms), max(r.y1_m for r in self.rooms))

    @property
    def half_m(self) -> float:
        """Half the side of the square around the origin that holds every room."""
        return max(map(abs, self.bounds))

    @property
    def light(self) -> tuple[float, float, float]:
        """Direction of the engine's own light, which shades only the protocol's room."""
        return self.world.light if self.world is not None else (0.0, 0.0, 4.0)

    @cached_property
    def solids(self) -> tuple[Solid, ...]:
        """Walls, leaves and furniture; the floor is not among them."""
        return solids_of(self.rooms, self.doors, self.furniture)

    @cached_property
    def ground(self) -> Ground:
        """The obstacles of a small robot."""
        return Ground(self.rooms, self.doors, self.solids)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Distance (...,) in m from (..., 2) points to the nearest obstacle; < 0 inside one.

        Outside of all rooms it is negative. Table tops and lintels are no obstacles.
        """
        return self.ground.distance(np.asarray(points, float))

    def room_at(self, x: float, y: float) -> int | None:
        """Index of the room that holds a point; None where there is none."""
        return next((i for i, room in enumerate(self.rooms) if room.holds(x, y)), None)


def numbers(value):
    """Yield every float of nested dataclasses and tuples."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from numbers(one)
    elif is_dataclass(value):
        for one in fields(value):
            yield from numbers(getattr(value, one.name))


def looks(value):
    """Yield every Look of nested dataclasses and tuples."""
    if isinstance(value, Look):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from looks(one)
    elif is_dataclass(value):
        for one in fields(value):
            yield from looks(getattr(value, one.name))


def check(scene: Scene) -> Scene:
    """Return the scene if it can exist; ValueError says in one sentence what cannot."""
    if not scene.rooms:
        raise AmiError('a scene needs at least one room')
    for look in looks((scene.rooms, scene.doors, scene.furniture)):
        if look.kind not in KINDS:
            raise AmiError(f'no texture {look.kind!r}; there are: {", ".join(KINDS)}')
        if not look.colours or not 0.02 <= look.scale_m <= 20:
            raise AmiError(f'texture {look.kind!r} needs a colour and a scale of 0.02 to 20 m')
    if not all(map(math.isfinite, numbers((scene.rooms, scene.doors, scene.furniture,
                                           scene.lighting, scene.people)))):
        raise AmiError('a number of the scene is not finite')
    for i, room in enumerate(scene.rooms):
        check_room(i, room, scene.rooms)
    for i, door in enumerate(scene.doors):
        check_door(i, door, scene.rooms)
        check_openings(i, door, scene)
    for i, piece in enumerate(scene.furniture):
        if scene.room_at(piece.x_m, piece.y_m) is None:
            raise AmiError(f'furniture {i} ({piece.kind}) at ({piece.x_m:.2f}, {piece.y_m:.2f}) '
                           'm stands in no room')
        if not all(h > 0 for part in piece.parts for h in part.half):
            raise AmiError(f'furniture {i} ({piece.kind}) has a part without extent')
    for i, person in enumerate(scene.people):
        if len(person.path) < 2 or any(scene.room_at(*p) is None for p in person.path):
            raise AmiError(f'person {i} needs a path of at least two points inside rooms')
        if not 0 < person.speed_mps <= 3:
            raise AmiError(f'person {i} walks at {person.speed_mps} m/s; above 0 and up to 3 '
                           'm/s are allowed')
    return scene


def check_room(i: int, room: Room, rooms: tuple[Room, ...]) -> None:
    """Check the sizes of one room, and that no earlier one overlaps it."""
    for length in room.size_m:
        if not ROOM_M[0] <= length <= ROOM_M[1]:
            raise AmiError(f'room {i} has a side of {length:.2f} m; {ROOM_M[0]:g} to '
                           f'{ROOM_M[1]:g} m are allowed')
    if not HEIGHT_M[0] <= room.height_m <= HEIGHT_M[1]:
        raise AmiError(f'room {i} is {room.height_m:.2f} m high; {HEIGHT_M[0]:g} to '
                       f'{HEIGHT_M[1]:g} m are allowed')
    for j, other in enumerate(rooms[:i]):
        gap_x = max(room.x0_m - other.x1_m, other.x0_m - room.x1_m)
        gap_y = max(room.y0_m - other.y1_m, other.y0_m - room.y1_m)
        if max(gap_x, gap_y) < WALL_M - SLACK_M:
            raise AmiError(f'rooms {j} and {i} overlap, or the wall between them is thinner '
                           f'than {WALL_M:g} m')
    for decor in room.decor:
        if decor.side not in range(4):
            raise AmiError(f'room {i} has something on wall {decor.side}; walls are 0 to 3 '
                           f'({", ".join(SIDES)})')


def check_door(i: int, door: Door, rooms: tuple[Room, ...]) -> None:
    """Check that a door lies in a wall that its two rooms share."""
    if door.along not in ('x', 'y'):
        raise AmiError(f"door {i} lies along {door.along!r}; there are: 'x', 'y'")
    if len(set(door.rooms)) != 2 or any(r not in range(len(rooms)) for r in door.rooms):
        raise AmiError(f'door {i} joins rooms {door.rooms}; two of the rooms 0 to '
                       f'{len(rooms) - 1} are needed')
    if not 0.6 <= door.width_m <= 4.0:
        raise AmiError(f'door {i} is {door.width_m:.2f} m wide; 0.6 to 4 m are allowed')
    one, two = (rooms[r] for r in door.rooms)
    if door.along == 'y':
        one, two = (Room(r.y0_m, r.x0_m, r.y1_m, r.x1_m, r.height_m, r.floor, r.walls, r.ceiling)
                    for r in (one, two))
        x, y = door.y_m, door.x_m
    else:
        x, y = door.x_m, door.y_m
    if one.y0_m > two.y0_m:
        one, two = two, one
    shared = (abs(two.y0_m - one.y1_m - WALL_M) < 1e-3
              and abs(y - (one.y1_m + two.y0_m) / 2) < 1e-3)
    half = door.width_m / 2
    if not shared or x - half < max(one.x0_m, two.x0_m) - SLACK_M \
            or x + half > min(one.x1_m, two.x1_m) + SLACK_M:
        raise AmiError(f'door {i} at ({door.x_m:.2f}, {door.y_m:.2f}) m lies outside the wall '
                       f'that rooms {door.rooms[0]} and {door.rooms[1]} share')
    if not 1.0 <= door.height_m <= min(one.height_m, two.height_m):
        raise AmiError(f'door {i} is {door.height_m:.2f} m high; at least 1 m and at most the '
                       'height of its rooms are allowed')


def check_openings(i: int, door: Door, scene: Scene) -> None:
    """Check that a door does not overlap another one in the same wall."""
    for index in door.rooms:
        for side in range(4):
            found = openings(scene.rooms[index], index, side, scene.doors)
            if any(b[0] < a[1] - SLACK_M for a, b in zip(found, found[1:])):
                raise AmiError(f'door {i} overlaps another door in the {SIDES[side]} wall of '
                               f'room {index}')
