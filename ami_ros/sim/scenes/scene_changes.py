# SPDX-License-Identifier: Apache-2.0
"""What changes in a place between two visits: each change is a function from Scene to Scene."""

from collections.abc import Callable
from dataclasses import dataclass, replace
import math

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.scenes import furniture, furniture_placement, styles
from ami_ros.sim.scenes import protocol_room as protocol
from ami_ros.sim.scenes.elements import Person
from ami_ros.sim.scenes.scene import check, Scene

OBJECT_GAP_M = 0.5      # a robot still passes beside what somebody left there
PERSON_CLEAR_M = 0.4    # free way on both sides of a walker's line
TRIES = 400


def moved(scene: Scene, share: float, seed: int, rng) -> Scene:
    """Move a share of the furniture (rounded up) to another place of its room."""
    if scene.world is not None:
        return as_world(scene, worlds.rearranged(scene.world, seed, share))
    movable = [i for i, p in enumerate(scene.furniture) if not p.fixed]
    pieces = list(scene.furniture)
    for index in rng.permutation(movable)[:math.ceil(share * len(movable))]:
        piece = pieces[index]
        number = scene.room_at(piece.x_m, piece.y_m)
        assert number is not None       # furniture stands in a room
        home = scene.rooms[number]
        taken = [furniture_placement.footprint(p) for i, p in enumerate(pieces) if i != index]
        zones = furniture_placement.door_zones(home, number, scene.doors)
        for _ in range(8):
            found = furniture_placement.find(rng, piece, home, taken, zones)
            if found is not None and math.hypot(found.x_m - piece.x_m,
                                                found.y_m - piece.y_m) > 0.5:
                pieces[index] = found
                break
    return replace(scene, furniture=tuple(pieces))


def as_world(scene: Scene, world: worlds.World) -> Scene:
    """Put another World into a scene of the protocol's room; people and light stay."""
    return replace(protocol.of_world(world), people=scene.people, lighting=scene.lighting,
                   changes=scene.changes)


def doors(scene: Scene, count: int, seed: int, rng) -> Scene:
    """Close doors; first those without which every room can still be reached."""
    out = list(scene.doors)
    for _ in range(int(count)):
        open_ = [i for i, d in enumerate(out) if not d.closed]
        if not open_:
            raise AmiError(f'scene {scene.generator} {scene.seed} has {len(scene.doors)} doors; '
                           f'{int(count)} cannot be closed')
        order = [open_[k] for k in rng.permutation(len(open_))]
        spare = [i for i in order if connected(len(scene.rooms),
                                               [d for k, d in enumerate(out) if k != i])]
        index = (spare or order)[0]
        out[index] = replace(out[index], closed=True)
    return replace(scene, doors=tuple(out))


def connected(rooms: int, found) -> bool:
    """Tell whether open doors join all rooms."""
    reached, left = {0}, True
    while left:
        more = {r for d in found if not d.closed and reached & set(d.rooms) for r in d.rooms}
        left = not more <= reached
        reached |= more
    return len(reached) == rooms


def objects(scene: Scene, count: int, seed: int, rng) -> Scene:
    """Leave boxes, bins and chairs in the way; fewer where no more fit."""
    if scene.world is not None:
        return as_world(scene, replace(scene.world, pieces=(
            *scene.world.pieces, *left(scene.world, int(count), rng))))
    pieces = list(scene.furniture)
    areas = np.array([math.prod(r.size_m) for r in scene.rooms])
    for _ in range(int(count)):
        for _ in range(10):
            number = int(rng.choice(len(areas), p=areas / areas.sum()))
            kind = str(rng.choice(['carton', 'bin', 'chair', 'crate']))
            found = furniture_placement.find(rng, furniture.make(kind, rng), scene.rooms[number],
                                             [furniture_placement.footprint(p) for p in pieces],
                                             furniture_placement.door_zones(scene.rooms[number],
                                                                            number, scene.doors),
                                             OBJECT_GAP_M)
            if found is not None:
                pieces.append(found)
                break
    return replace(scene, furniture=tuple(pieces))


def left(world: worlds.World, count: int, rng) -> list[worlds.Piece]:
    """Draw small boxes that stand free in the protocol's room."""
    out: list[worlds.Piece] = []
    for _ in range(TRIES * count):
        if len(out) == count:
            break
        half = float(rng.uniform(0.12, 0.22))
        x, y = rng.uniform(-world.half_m, world.half_m, 2)
        piece = worlds.Piece('box', float(x), float(y), float(rng.uniform(0, math.pi)),
                             (half, half), float(rng.uniform(0.35, 0.6)),
                             worlds.colour(rng))
        more = replace(world, pieces=(*world.pieces, *out))
        if more.distance(np.array([x, y])) > piece.radius_m + OBJECT_GAP_M:
            out.append(piece)
    return out


def people(scene: Scene, count: int, seed: int, rng) -> Scene:
    """Let people walk to and fro on free lines; ValueError where there is none."""
    out = list(scene.people)
    for _ in range(int(count)):
        path = free_line(scene, rng)
        if path is None:
            raise AmiError(f'scene {scene.generator} {scene.seed} has no free line for '
                           'somebody to walk on')
        out.append(Person(path, float(rng.uniform(0.4, 1.1)), float(rng.uniform(1.5, 1.95)),
                          int(rng.integers(2**31)), float(rng.uniform(0, 1))))
    return replace(scene, people=tuple(out))


def free_line(scene: Scene, rng) -> tuple | None:
    """Draw two points of a room with a free line of at least a metre between them."""
    for _ in range(TRIES):
        home = scene.rooms[int(rng.integers(len(scene.rooms)))]
        points = rng.uniform((home.x0_m, home.y0_m), (home.x1_m, home.y1_m), (2, 2))
        length = float(np.linalg.norm(points[1] - points[0]))
        if not 1.0 <= length <= 6.0:
            continue
        share = np.linspace(0, 1, math.ceil(length / 0.1) + 1)[:, None]
        if scene.distance(points[0] + share * (points[1] - points[0])).min() > PERSON_CLEAR_M:
            return tuple(tuple(map(float, p)) for p in points)
    return None


def from_the_side(world: worlds.World) -> worlds.World:
    """Let the light of the protocol's room come from the other side, and lower."""
    x, y, z = world.light
    return replace(world, light=(-x, -y, z / 2))


def evening(world: worlds.World) -> worlds.World:
    """Light the protocol's room with one warm lamp in the other half of it."""
    return replace(from_the_side(world), shade=worlds.Shade((1.0, 0.78, 0.5), 0.3, 0.6))


# The protocol's room keeps its textures under these; under other light its looks are those that
# the scene has as data, which are other ones.
ROOM_LIGHTS = {'side_light': from_the_side, 'evening': evening}


def lit(name: str) -> Callable:
    """Make the change to another light."""
    def change(scene: Scene, amount: float, seed: int, rng) -> Scene:
        if scene.world is not None and name in ROOM_LIGHTS:
            return as_world(scene, ROOM_LIGHTS[name](scene.world))
        return replace(scene, lighting=styles.lighting(rng, name, scene.rooms), world=None)
    change.__doc__ = f'Light the scene as in {name}.'
    return change


@dataclass(frozen=True)
class Kind:
    """One kind of change."""

    apply: Callable                 # (scene, amount, seed, rng) -> Scene
    amount: float = 1.0             # where none is said
    low: float = 0.0
    high: float = 0.0               # 0: it takes no amount
    unit: str = ''


CHANGES = {
    'moved': Kind(moved, 1 / 3, 0.0, 1.0, 'share of the furniture'),
    'doors': Kind(doors, 1, 1, 10, 'doors that are closed'),
    'objects': Kind(objects, 1, 1, 20, 'objects that are left in the way'),
    'person': Kind(people, 1, 1, 5, 'people who walk'),
    **{name: Kind(lit(name)) for name in sorted(set(styles.LIGHTS))},
}


@dataclass(frozen=True)
class Change:
    """One change with its amount."""

    name: str
    amount: float

    def __str__(self) -> str:
        return f'{self.name}:{self.amount:g}' if CHANGES[self.name].high else self.name


def parse(text: str) -> tuple[Change, ...]:
    """Read 'moved:0.33,doors:1,evening,person:1'; ValueError says what is wrong with it."""
    out = []
    for word in filter(None, (w.strip() for w in text.split(','))):
        name, colon, amount = word.partition(':')
        if name not in CHANGES:
            raise AmiError(f'no change {name!r}; there are: {", ".join(CHANGES)}')
        kind = CHANGES[name]
        if colon and not kind.high:
            raise AmiError(f'change {name} takes no amount, but {word!r} gives one')
        try:
            value = float(amount) if colon else float(kind.amount)
        except ValueError:
            value = math.nan
        if kind.high and (not kind.low <= value <= kind.high
                          or kind.high > 1 and value != int(value)):
            raise AmiError(f'change {word!r}: right is {name}:{kind.low:g} to '
                           f'{name}:{kind.high:g} ({kind.unit})')
        out.append(Change(name, value))
    return tuple(out)


def apply(scene: Scene, text: str, seed: int) -> Scene:
    """Apply changes in the order written; the seed draws what they leave open."""
    for change in parse(text):
        rng = np.random.default_rng([scene.seed, seed, *change.name.encode()])
        scene = CHANGES[change.name].apply(scene, change.amount, seed, rng)
        scene = replace(scene, changes=(*scene.changes, f'{change}@{seed}'))
    return check(scene)
