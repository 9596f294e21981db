# SPDX-License-Identifier: Apache-2.0
"""Reads from a URDF what the mind needs: footprint, mounts, wheels."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np


@dataclass(frozen=True, eq=False)
class Body:
    """Geometry of a differential-drive base, all in base_link, metres and radians."""

    footprint: np.ndarray                   # (P, 2) corners, counter-clockwise
    mounts: dict[str, tuple[float, ...]]    # link: (x, y, z, roll, pitch, yaw) in base_link
    wheel_radius_m: float
    track_m: float


def numbers(text: str | None) -> tuple[float, ...]:
    """Parse 'x y z'; a missing attribute is three zeros, as in URDF."""
    return tuple(float(v) for v in (text or '0 0 0').split())


def read(path: Path) -> Body:
    """Read a URDF. ValueError names the joint or link that is missing."""
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as why:
        raise ValueError(f'{path} is not a URDF, its XML is broken: {why}') from why
    mounts, radius, track = {}, None, None
    for joint in root.findall('joint'):
        origin = joint.find('origin')
        place = (numbers(origin.get('xyz')) + numbers(origin.get('rpy'))
                 if origin is not None else (0.0,) * 6)
        if joint.find('parent').get('link') == 'base_link':
            mounts[joint.find('child').get('link')] = place
        if joint.get('name') == 'left_wheel_joint':
            track = 2 * place[1]
    for link in root.findall('link'):
        if link.get('name') == 'left_wheel':
            radius = float(link.find('collision/geometry/cylinder').get('radius'))
            width = float(link.find('collision/geometry/cylinder').get('length'))
    if radius is None or track is None:
        raise ValueError(f'{path}: left_wheel_joint and left_wheel with a cylinder are needed; '
                         f'joints: {", ".join(j.get("name") for j in root.findall("joint"))}')
    box = root.find("link[@name='base_link']/collision/geometry/box")
    if box is None:
        raise ValueError(f'{path}: base_link needs a collision box, its footprint is read there')
    length, breadth, _ = numbers(box.get('size'))
    half, side = length / 2, max(breadth / 2, track / 2 + width / 2)
    footprint = np.array([[half, side], [-half, side], [-half, -side], [half, -side]])
    return Body(footprint, mounts, radius, track)
