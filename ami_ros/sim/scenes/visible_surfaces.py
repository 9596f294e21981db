# SPDX-License-Identifier: Apache-2.0
"""What of a scene is seen: flat panels, and the canvases that are painted for them."""

from dataclasses import dataclass, field
import math

import numpy as np

from ami_ros.sim.scenes.collision_solids import leaf_solid, openings, segments
from ami_ros.sim.scenes.elements import Furniture, Look, Part, Person, Room, Solid, WALL_M
from ami_ros.sim.scenes.object_textures import PAINTERS as PICTURES
from ami_ros.sim.scenes.scene import Scene

CASING_M = 0.07         # width of the frame around a door
TOP_SEEN_M = 1.2        # the upper side of what is higher is not drawn
ROUND = 8               # panels around a cylinder
ON_ALL_SIDES = ('carton', 'leaves')


@dataclass(frozen=True, eq=False)
class Panel:
    """A rectangle in space, seen from the side of u x v; v points up in its picture."""

    origin: np.ndarray              # (3,) its lower left corner
    u: np.ndarray                   # (3,) to its lower right corner, metres
    v: np.ndarray                   # (3,) to its upper left corner, metres

    @property
    def size_m(self) -> tuple[float, float]:
        """Width and height."""
        return float(np.linalg.norm(self.u)), float(np.linalg.norm(self.v))

    @property
    def normal(self) -> np.ndarray:
        """Unit vector (3,) to the side from which it is seen."""
        out = np.cross(self.u, self.v)
        return out / np.linalg.norm(out)


@dataclass(frozen=True, eq=False)
class Overlay:
    """A picture on a canvas; x and y in metres from its lower left corner."""

    look: Look
    x_m: float
    y_m: float
    width_m: float
    height_m: float


@dataclass(eq=False)
class Canvas:
    """One painted picture: panels of equal height, side by side."""

    look: Look
    panels: list[Panel]
    room: int                       # whose lamps light it
    fronts: dict[int, Look] = field(default_factory=dict)   # panel: its own look
    overlays: list[Overlay] = field(default_factory=list)
    floor: bool = False             # has shadows of what stands on it

    @property
    def size_m(self) -> tuple[float, float]:
        """Width of all panels, and height."""
        return sum(p.size_m[0] for p in self.panels), self.panels[0].size_m[1]


@dataclass(frozen=True, eq=False)
class Quad:
    """A rectangle that is drawn, and where on a canvas its picture is (shares, v up)."""

    panel: Panel
    canvas: Canvas
    left: float
    right: float
    low: float
    high: float


class Surfaces:
    """Collects the quads of a scene."""

    def __init__(self):
        self.quads: list[Quad] = []
        self.canvases: list[Canvas] = []

    def canvas(self, canvas: Canvas) -> Canvas:
        """Add a canvas."""
        self.canvases.append(canvas)
        return canvas

    def whole(self, canvas: Canvas, panels: list[Panel] | None = None) -> None:
        """Draw all panels of a canvas, or the same picture at other places."""
        total, at = canvas.size_m[0], 0.0
        for painted, panel in zip(canvas.panels, panels or canvas.panels):
            wide = painted.size_m[0] / total
            self.quads.append(Quad(panel, canvas, at, at + wide, 0.0, 1.0))
            at += wide


def panel(origin, u, v) -> Panel:
    """Make a panel of plain numbers."""
    return Panel(*(np.asarray(x, float) for x in (origin, u, v)))


def of_scene(scene: Scene) -> Surfaces:
    """List what is seen of everything that stands still."""
    out = Surfaces()
    for index, room in enumerate(scene.rooms):
        add_room(out, scene, index, room)
    for door in scene.doors:
        add_doorway(out, scene, door)
    for piece in scene.furniture:
        add_furniture(out, piece, scene.room_at(piece.x_m, piece.y_m) or 0)
    return out


def add_room(out: Surfaces, scene: Scene, index: int, room: Room) -> None:
    """Floor, ceiling and the four walls, with what hangs on them and without the openings."""
    w, d = room.size_m
    rugs = [Overlay(r.look, r.x_m - r.half[0] - room.x0_m, r.y_m - r.half[1] - room.y0_m,
                    2 * r.half[0], 2 * r.half[1]) for r in room.rugs]
    out.whole(out.canvas(Canvas(room.floor, [panel((room.x0_m, room.y0_m, 0), (w, 0, 0),
                                                   (0, d, 0))], index, overlays=rugs, floor=True)))
    lamps = [Overlay(Look('lamp', 0, (lamp.colour,)), lamp.x_m - room.x0_m - 0.3,
                     room.y1_m - lamp.y_m - 0.15, 0.6, 0.3)
             for lamp in scene.lighting.lamps
             if lamp.on and lamp.z_m > room.height_m - 0.3
             and room.holds(lamp.x_m, lamp.y_m, 0.31)]
    out.whole(out.canvas(Canvas(room.ceiling, [panel((room.x0_m, room.y1_m, room.height_m),
                                                     (w, 0, 0), (0, -d, 0))], index,
                                overlays=lamps)))
    for side in range(4):
        corner, ahead = room.side_frame(side)
        length = room.side_length_m(side)
        ahead = np.array([*ahead, 0.0])
        start = np.array([*corner, 0.0])
        hung = [Overlay(x.look, x.along_m, x.up_m, x.width_m, x.height_m)
                for x in room.decor if x.side == side]
        for begin, end, height in openings(room, index, side, scene.doors):
            leaf = next(d.leaf for d in scene.doors if index in d.rooms)
            frame = Look('plain', leaf.seed, leaf.colours[-1:])
            hung.append(Overlay(frame, begin - CASING_M, 0.0, end - begin + 2 * CASING_M,
                                height + CASING_M))
        canvas = out.canvas(Canvas(room.walls[side], [
            Panel(start, ahead * length, np.array([0, 0, room.height_m]))], index, overlays=hung))
        for begin, end, low, high in segments(room, index, side, scene.doors):
            part = Panel(start + ahead * begin + [0, 0, low], ahead * (end - begin),
                         np.array([0, 0, high - low]))
            out.quads.append(Quad(part, canvas, begin / length, end / length,
                                  low / room.height_m, high / room.height_m))


def add_doorway(out: Surfaces, scene: Scene, door) -> None:
    """Threshold, jambs and the underside of the lintel, and the leaf."""
    half, t, index = door.width_m / 2, WALL_M / 2, door.rooms[0]
    along, across = (np.array([1, 0, 0]), np.array([0, 1, 0]))
    if door.along == 'y':
        along, across = across, -along
    middle, up = np.array([door.x_m, door.y_m, 0.0]), np.array([0, 0, door.height_m])
    frame = Look('plain', door.leaf.seed, door.leaf.colours[-1:])
    left, right = middle - along * half, middle + along * half
    out.whole(out.canvas(Canvas(frame, [
        Panel(left - across * t, 2 * t * across, up),
        Panel(right + across * t, -2 * t * across, up)], index)))
    out.whole(out.canvas(Canvas(scene.rooms[index].floor, [
        Panel(left - across * t, along * 2 * half, across * 2 * t)], index)))
    out.whole(out.canvas(Canvas(frame, [
        Panel(left + across * t + up, along * 2 * half, -across * 2 * t)], index)))
    leaf = leaf_solid(door, scene.rooms)
    if leaf is not None:
        side = box_sides(leaf)
        flat = [i for i, p in enumerate(side) if p.size_m[0] > 0.3]
        out.whole(out.canvas(Canvas(frame, side, index, dict.fromkeys(flat, door.leaf))))


def turned(solid: Solid):
    """Return a function from own axes (3,) to the axes of the plan, and one for directions."""
    c, s = math.cos(solid.yaw_rad), math.sin(solid.yaw_rad)
    rotation = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return (lambda p: np.asarray(solid.at) + rotation @ p), (lambda d: rotation @ d)


def box_sides(solid: Solid) -> list[Panel]:
    """The four upright sides: front (-y), right (+x), back (+y), left (-x)."""
    at, turn = turned(solid)
    x, y, z = solid.half
    up = np.array([0, 0, 2 * z])
    return [Panel(at(np.array(o, float)), turn(np.array(u, float)), up) for o, u in (
        ((-x, -y, -z), (2 * x, 0, 0)), ((x, -y, -z), (0, 2 * y, 0)),
        ((x, y, -z), (-2 * x, 0, 0)), ((-x, y, -z), (0, -2 * y, 0)))]


def round_sides(solid: Solid) -> list[Panel]:
    """The panels around a cylinder."""
    at, _ = turned(solid)
    radius, z = solid.half[0], solid.half[2]
    angles = 2 * math.pi * np.arange(ROUND + 1) / ROUND
    ring = [at(np.array([radius * math.cos(a), radius * math.sin(a), -z])) for a in angles]
    return [Panel(a, b - a, np.array([0, 0, 2 * z])) for a, b in zip(ring, ring[1:])]


def level(solid: Solid, upper: bool) -> Panel:
    """The upper or the lower side; of a cylinder the square inside it."""
    at, turn = turned(solid)
    x, y, z = solid.half
    if solid.shape == 'cylinder':
        x = y = 0.9 * x
    if upper:
        return Panel(at(np.array([-x, -y, z])), turn(np.array([2 * x, 0, 0])),
                     turn(np.array([0, 2 * y, 0])))
    return Panel(at(np.array([-x, y, -z])), turn(np.array([2 * x, 0, 0])),
                 turn(np.array([0, -2 * y, 0])))


def part_solid(piece: Furniture, part: Part) -> Solid:
    """Where a part of a piece is."""
    c, s = math.cos(piece.yaw_rad), math.sin(piece.yaw_rad)
    x, y, z = part.at
    return Solid(part.shape, (piece.x_m + c * x - s * y, piece.y_m + s * x + c * y, z),
                 part.half, piece.yaw_rad)


def add_furniture(out: Surfaces, piece: Furniture, room: int) -> None:
    """The sides of every part; equal parts of one piece share their picture."""
    shared: dict = {}
    for part in piece.parts:
        solid = part_solid(piece, part)
        sides = box_sides(solid) if part.shape == 'box' else round_sides(solid)
        key = (part.shape, part.half, part.look)
        if key in shared:
            out.whole(shared[key], sides)
        else:
            shared[key] = out.canvas(faced(part.look, sides, room))
            out.whole(shared[key])
        low, high = part.at[2] - part.half[2], part.at[2] + part.half[2]
        if max(part.half[:2]) < 0.06:
            continue
        if high < TOP_SEEN_M:
            out.whole(out.canvas(Canvas(body_of(part.look), [level(solid, True)], room)))
        if low > 0.02:
            out.whole(out.canvas(Canvas(body_of(part.look), [level(solid, False)], room)))


def body_of(look: Look) -> Look:
    """The material of the sides that carry no picture."""
    if look.kind not in PICTURES or look.kind in ON_ALL_SIDES:
        return look
    return Look('panels', look.seed, look.colours[:1], 0.4)


def faced(look: Look, sides: list[Panel], room: int) -> Canvas:
    """A canvas whose front, or every side, carries the picture of the look."""
    if look.kind not in PICTURES:
        return Canvas(look, sides, room)
    shown = range(len(sides)) if look.kind in ON_ALL_SIDES else (0,)
    return Canvas(body_of(look), sides, room, dict.fromkeys(shown, look))


def of_person(person: Person) -> tuple[Surfaces, tuple[Part, ...]]:
    """What is seen of somebody who stands at the origin and looks along x, and the parts."""
    parts = person_parts(person)
    out = Surfaces()
    add_furniture(out, Furniture('person', 0.0, 0.0, 0.0, (0.25, 0.25), parts), 0)
    return out, parts


def person_parts(person: Person) -> tuple[Part, ...]:
    """Two legs, a torso with arms, a head."""
    rng = np.random.default_rng([person.seed, 0x9E0])

    def colour():
        return tuple(float(c) for c in rng.uniform(0.05, 0.9, 3))

    h = person.height_m
    trousers = Look('cloth', person.seed, (colour(), colour()), 0.2)
    shirt = Look('cloth', person.seed + 1, (colour(), colour()), 0.15)
    skin = Look('plain', person.seed, (((0.85, 0.65, 0.5), (0.5, 0.33, 0.22),
                                        (0.95, 0.78, 0.66))[int(rng.integers(3))],))
    leg = (0.075, 0.075, 0.24 * h)
    return (Part('cylinder', (0.06, 0.11, leg[2]), leg, trousers),
            Part('cylinder', (-0.06, -0.11, leg[2]), leg, trousers),
            Part('box', (0.0, 0.0, 0.66 * h), (0.11, 0.22, 0.18 * h), shirt),
            Part('cylinder', (0.0, 0.0, 0.92 * h), (0.09, 0.09, 0.08 * h), skin))
