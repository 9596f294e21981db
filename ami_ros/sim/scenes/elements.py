# SPDX-License-Identifier: Apache-2.0
"""The elements of a scene: rooms, doors, furniture, light, people, and the solids of an engine.

Axes: x and y along the walls, z up, origin in the middle of the plan, metres and radians.
"""

from dataclasses import dataclass
import math

import numpy as np

WALL_M = 0.12           # thickness of a wall between two rooms; each room owns half of it
OBSTACLE_M = 0.30       # what begins above this height is no obstacle for a small robot
SIDES = ('north', 'east', 'south', 'west')
KINDS = (               # of textures: materials, then pictures
    'plain', 'concrete', 'stripes', 'dots', 'damask', 'wainscot', 'bricks', 'tiles', 'planks',
    'carpet', 'panels', 'patches', 'cloth', 'marble', 'poster', 'window', 'door', 'books',
    'cupboard', 'radiator', 'whiteboard', 'sign', 'carton', 'screen', 'lamp', 'leaves')
Colour = tuple[float, float, float]     # red, green, blue, each from 0 to 1


@dataclass(frozen=True)
class Look:
    """Recipe of a texture; the kinds are painted by `textures` and `pictures`."""

    kind: str
    seed: int
    colours: tuple[Colour, ...]
    scale_m: float = 0.3            # size of what repeats


@dataclass(frozen=True)
class Decor:
    """A flat thing on a wall: a window, a poster, a door that never opens, a radiator."""

    look: Look
    side: int                       # index of SIDES
    along_m: float                  # its left edge, from the left end of the wall seen from inside
    up_m: float                     # its lower edge
    width_m: float
    height_m: float


@dataclass(frozen=True)
class Rug:
    """A rectangle of other material on the floor."""

    look: Look
    x_m: float
    y_m: float
    half: tuple[float, float]


@dataclass(frozen=True)
class Room:
    """A rectangle with a floor, four walls and a ceiling; a corridor is a narrow one."""

    x0_m: float
    y0_m: float
    x1_m: float
    y1_m: float
    height_m: float
    floor: Look
    walls: tuple[Look, Look, Look, Look]    # in the order of SIDES
    ceiling: Look
    decor: tuple[Decor, ...] = ()
    rugs: tuple[Rug, ...] = ()

    @property
    def size_m(self) -> tuple[float, float]:
        """Lengths along x and y."""
        return self.x1_m - self.x0_m, self.y1_m - self.y0_m

    @property
    def middle(self) -> tuple[float, float]:
        """Middle, x and y."""
        return (self.x0_m + self.x1_m) / 2, (self.y0_m + self.y1_m) / 2

    def side_length_m(self, side: int) -> float:
        """Length of a wall."""
        return self.size_m[side % 2]

    def side_frame(self, side: int) -> tuple[np.ndarray, np.ndarray]:
        """Left end (2,) of a wall seen from inside, and the unit vector (2,) to its right end."""
        corner = [(self.x0_m, self.y1_m), (self.x1_m, self.y1_m), (self.x1_m, self.y0_m),
                  (self.x0_m, self.y0_m)][side]
        ahead = [(1, 0), (0, -1), (-1, 0), (0, 1)][side]
        return np.array(corner), np.array(ahead, float)

    def holds(self, x: float, y: float, margin_m: float = 0.0) -> bool:
        """Tell whether a point is inside, at least margin_m from the walls."""
        return (self.x0_m + margin_m <= x <= self.x1_m - margin_m
                and self.y0_m + margin_m <= y <= self.y1_m - margin_m)


@dataclass(frozen=True)
class Door:
    """An opening in the wall between two rooms, with or without a leaf."""

    rooms: tuple[int, int]
    x_m: float                      # middle of the opening, in the middle of the wall
    y_m: float
    along: str                      # 'x' or 'y': the direction of the wall
    width_m: float
    height_m: float
    leaf: Look
    has_leaf: bool = True           # an open leaf stands at a right angle in the first room
    closed: bool = False


@dataclass(frozen=True)
class Part:
    """A box or an upright cylinder of a piece of furniture, in the axes of the piece."""

    shape: str                      # 'box' or 'cylinder'
    at: tuple[float, float, float]  # its middle
    half: tuple[float, float, float]    # half extents; a cylinder's radius twice, half its height
    look: Look


@dataclass(frozen=True)
class Furniture:
    """Something that stands on the floor."""

    kind: str
    x_m: float
    y_m: float
    yaw_rad: float
    half: tuple[float, float]       # half extents of the ground that it takes, its own axes
    parts: tuple[Part, ...]
    fixed: bool = False             # a pillar is never moved

    @property
    def radius_m(self) -> float:
        """Radius of the circle around it."""
        return math.hypot(*self.half)


@dataclass(frozen=True)
class Lamp:
    """A point light under a ceiling or on the floor; it lights the room that it is in."""

    x_m: float
    y_m: float
    z_m: float
    colour: Colour
    power: float                    # irradiance at 1 m, where 1 makes white full white
    on: bool = True


@dataclass(frozen=True)
class Lighting:
    """Where light comes from; it is baked into the textures."""

    name: str
    ambient: Colour
    sky: Colour                     # what windows show and give
    window_power: float             # of a window of 1 m^2 at 1 m
    lamps: tuple[Lamp, ...] = ()
    sun_azimuth_rad: float = 0.0    # direction that it comes from
    sun_elevation_rad: float = 0.5
    sun: float = 0.0                # irradiance of a surface that faces it; 0: no sun


@dataclass(frozen=True)
class Person:
    """Somebody who walks to and fro along a line and waits while the robot is in the way."""

    path: tuple[tuple[float, float], ...]       # points x, y, at least two
    speed_mps: float
    height_m: float
    seed: int                       # of the clothes
    start: float = 0.0              # share of the way, 0 to 1, at time zero


@dataclass(frozen=True)
class Solid:
    """What collides and stops a beam: a box or an upright cylinder in the axes of the plan."""

    shape: str
    at: tuple[float, float, float]
    half: tuple[float, float, float]
    yaw_rad: float = 0.0
