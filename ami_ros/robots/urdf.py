# SPDX-License-Identifier: Apache-2.0
"""Reads from a URDF what the mind needs: footprint, mounts, wheels."""

from dataclasses import dataclass
import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from ami_ros.core.errors import AmiError

BASE = 'base_link'
XACRO = '{http://www.ros.org/wiki/xacro}', '{http://ros.org/wiki/xacro}'
AHEAD_IN_OPTICAL = (0.0, 0.0, 0.0, math.pi / 2, -math.pi / 2, 0.0)   # of REP-103's frames
Place = tuple[float, ...]       # x m, y m, z m, roll rad, pitch rad, yaw rad, as in URDF


@dataclass(frozen=True, eq=False)
class UrdfBody:
    """Geometry of a differential-drive base, all in base_link, metres and radians."""

    footprint: np.ndarray           # (P, 2) corners, convex, counter-clockwise
    mounts: dict[str, Place]        # link: where it is in base_link, joints at zero
    loose: dict[str, str]           # link: the joint that moves it; its mount is at joint zero
    wheels: tuple[float, float] | None      # radius m, track m; where the URDF says them

    def mount(self, link: str | None) -> Place:
        """Return where a link stands fast in base_link; ValueError says why it does not."""
        if link in self.loose:
            raise AmiError(f'link {link!r} is moved by joint {self.loose[link]!r}; a sensor '
                           f'must stand fast: make that joint fixed, or take another link')
        if link not in self.mounts:
            raise AmiError(f'no link {link!r} hangs on {BASE}; there are: '
                           f'{", ".join(n for n in self.mounts if n not in self.loose)}')
        return self.mounts[link]

    def turn(self, link: str | None) -> np.ndarray:
        """Return the (3, 3) matrix that turns a vector in a link's axes into base_link's axes."""
        return rotation(*self.mount(link)[3:])

    @property
    def wheel_radius_m(self) -> float:
        """Radius of both wheels; ValueError where the URDF does not say it."""
        return self._wheels()[0]

    @property
    def track_m(self) -> float:
        """Distance between the middles of the wheels; ValueError where it is not said."""
        return self._wheels()[1]

    def _wheels(self) -> tuple[float, float]:
        if self.wheels is None:
            raise AmiError('this URDF has no left_wheel with a cylinder on a left_wheel_joint, '
                           'so the wheels are not known; name them so')
        return self.wheels


def numbers(text: str | None) -> tuple[float, ...]:
    """Parse 'x y z'; a missing attribute is three zeros, as in URDF."""
    try:
        found = tuple(float(v) for v in (text or '0 0 0').split())
    except ValueError:
        found = ()
    if len(found) != 3 or not all(map(math.isfinite, found)):
        raise AmiError(f'{text!r} is not three numbers')
    return found


def rotation(roll: float, pitch: float, yaw: float) -> np.ndarray:
    """Make the (3, 3) matrix of URDF's fixed-axis angles."""
    (cr, sr), (cp, sp), (cy, sy) = ((math.cos(a), math.sin(a)) for a in (roll, pitch, yaw))
    return np.array([[cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
                     [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
                     [-sp, cp * sr, cp * cr]])


def angles(matrix: np.ndarray) -> tuple[float, float, float]:
    """Return roll, pitch, yaw of a (3, 3) matrix; straight up or down the roll is called zero."""
    level = math.hypot(matrix[0, 0], matrix[1, 0])
    pitch = math.atan2(-matrix[2, 0], level)
    if level < 1e-9:
        return 0.0, pitch, math.atan2(-matrix[0, 1], matrix[1, 1])
    return (math.atan2(matrix[2, 1], matrix[2, 2]), pitch,
            math.atan2(matrix[1, 0], matrix[0, 0]))


def carried(outer: Place, inner: Place) -> Place:
    """Return where something is in base_link that is at `inner` in a link that is at `outer`."""
    turn = rotation(*outer[3:])
    return (*(float(v) for v in np.add(outer[:3], turn @ inner[:3])),
            *angles(turn @ rotation(*inner[3:])))


def read(path: Path, footprint: np.ndarray | None = None) -> UrdfBody:
    """Read a URDF. ValueError names the joint or link that is missing.

    Without a `footprint` of the robot file, it is the box of base_link and the wheels.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as why:
        raise AmiError(f'{path} is not a URDF, its XML is broken: {why}') from why
    except OSError as why:
        raise AmiError(f'{path} cannot be read: {why.strerror}') from why
    try:
        return _body(root, footprint)
    except ValueError as wrong:
        raise AmiError(f'{path}: {wrong}') from None


def _body(root: ElementTree.Element, footprint: np.ndarray | None) -> UrdfBody:
    if any(one.tag.startswith(XACRO) for one in root.iter()):
        raise AmiError('is xacro; make a URDF of it: xacro ROBOT.xacro > ROBOT.urdf')
    joints = [_joint(joint) for joint in root.findall('joint')]
    carriers: dict[str, tuple] = {}
    for joint in joints:
        if joint[2] in carriers:
            raise AmiError(f'link {joint[2]!r} hangs on two joints, {carriers[joint[2]][0]!r} '
                           f'and {joint[0]!r}; a URDF is a tree')
        carriers[joint[2]] = joint
    links = [link.get('name') for link in root.findall('link')]
    if BASE not in links:
        raise AmiError(f'there is no link {BASE!r}; links: {", ".join(map(str, links))}')
    mounts, loose = _mounts(carriers)
    wheels, width = _wheels(root, {joint[0]: joint[4] for joint in joints})
    if footprint is None:
        if wheels is None:
            raise AmiError(
                'left_wheel_joint and left_wheel with a cylinder are needed, or a footprint in '
                f'the robot file; joints: {", ".join(joint[0] for joint in joints)}')
        footprint = _box(root, wheels[1] / 2 + width / 2)
    return UrdfBody(footprint, mounts, loose, wheels)


def _joint(joint: ElementTree.Element) -> tuple[str, str, str, bool, Place]:
    """Name, parent, child, whether it is fixed, and the child's place in the parent."""
    name = joint.get('name')
    parent, child, origin = (joint.find(tag) for tag in ('parent', 'child', 'origin'))
    above, below = (None if end is None else end.get('link') for end in (parent, child))
    if name is None or above is None or below is None:
        raise AmiError(f'joint {name!r} lacks its name, its parent or its child')
    try:
        place = ((0.0,) * 6 if origin is None
                 else numbers(origin.get('xyz')) + numbers(origin.get('rpy')))
    except ValueError as wrong:
        raise AmiError(f'joint {name!r}: {wrong}') from None
    return name, above, below, joint.get('type') == 'fixed', place


def _mounts(carriers: dict[str, tuple]) -> tuple[dict[str, Place], dict[str, str]]:
    """Follow each link's joints down to base_link."""
    mounts, loose = {}, {}
    for link in carriers:
        at = link
        chain: list = []
        while at in carriers and at != BASE:
            if len(chain) > len(carriers):
                raise AmiError(f'link {link!r} hangs on itself; a URDF is a tree')
            chain.append(carriers[at])
            at = carriers[at][1]
        if at != BASE or not chain:
            continue
        place = chain[-1][4]            # untouched where there is but one joint
        for joint in reversed(chain[:-1]):
            place = carried(place, joint[4])
        mounts[link] = place
        moving = next((joint[0] for joint in reversed(chain) if not joint[3]), '')
        if moving:
            loose[link] = moving
    if BASE in carriers:                # something below it: a base_footprint, or a ring
        below, seen = BASE, set()
        while below in carriers:
            if below in seen:
                raise AmiError(f'link {BASE!r} hangs on itself; a URDF is a tree')
            seen.add(below)
            below = carriers[below][1]
    return mounts, loose


def _wheels(root: ElementTree.Element, places: dict[str, Place]
            ) -> tuple[tuple[float, float] | None, float]:
    """(radius, track) and the width of a wheel; None where the URDF does not say them."""
    cylinder = root.find("link[@name='left_wheel']/collision/geometry/cylinder")
    if cylinder is None or 'left_wheel_joint' not in places:
        return None, 0.0
    try:
        radius, width = float(cylinder.get('radius', '')), float(cylinder.get('length', ''))
    except (TypeError, ValueError):
        radius = width = math.nan
    if not (0 < radius < math.inf and 0 < width < math.inf):
        raise AmiError('the cylinder of left_wheel needs a radius and a length')
    out = places['left_wheel_joint'][1]
    if not out > 0:
        raise AmiError(f'left_wheel_joint is at y = {out}; left of base_link is more than 0')
    return (radius, 2 * out), width


def _box(root: ElementTree.Element, wheels_out_m: float) -> np.ndarray:
    """Make the corners of the box of base_link, as wide as the wheels at least."""
    shapes = root.findall(f"link[@name='{BASE}']/collision")
    box = shapes[0].find('geometry/box') if len(shapes) == 1 else None
    if box is None:
        raise AmiError(f'{BASE} needs a collision box, its footprint is read there; or give '
                       'a footprint in the robot file')
    origin = shapes[0].find('origin')
    try:
        length, breadth, _ = numbers(box.get('size'))
        x, y, _, *turned = (0.0,) * 6 if origin is None else (
            numbers(origin.get('xyz')) + numbers(origin.get('rpy')))
    except ValueError as wrong:
        raise AmiError(f'the collision box of {BASE}: {wrong}') from None
    if not (length > 0 and breadth > 0):
        raise AmiError(f'the collision box of {BASE} has no size: {box.get("size")!r}')
    if any(turned):
        raise AmiError(f'the collision box of {BASE} is turned; give a footprint in the '
                       'robot file')
    front, back = x + length / 2, x - length / 2
    left, right = max(y + breadth / 2, wheels_out_m), min(y - breadth / 2, -wheels_out_m)
    return np.array([[front, left], [back, left], [back, right], [front, right]])
