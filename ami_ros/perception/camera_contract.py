# SPDX-License-Identifier: Apache-2.0
"""The camera that a module learned from, and whether the robot's camera is such a one."""

from dataclasses import dataclass
import math
from typing import Protocol

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.interfaces import Encoder
from ami_ros.robots import urdf
from ami_ros.robots.robot import Robot

HFOV_TOLERANCE_RAD = 0.05   # less than a pixel at the edge of 64 pixels over 110 degrees
# 64 pixels over 110 degrees have a focal length of 22.4 pixels: a turn of 0.045 rad, or something
# a metre away seen from 0.045 m beside, moves what is seen by one of them.
TURN_TOLERANCE_RAD = 0.05
SHIFT_TOLERANCE_M = 0.05
AXES = ('x', 'y', 'z', 'roll', 'pitch', 'yaw')


@dataclass(frozen=True)
class CameraContract:
    """What the manifest says under `camera`."""

    size: tuple[int, int]           # width, height of the network's input, pixels
    hfov_rad: float | None = None   # horizontal field of view; None: the bag did not say it
    mount: tuple[float, ...] | None = None  # x, y, z m, roll, pitch, yaw rad of the camera in
    #                                         base_link, x ahead; None: an older manifest


class CameraEncoder(Encoder, Protocol):
    """An encoder that says which camera it learned from."""

    contract: CameraContract


def contract(said) -> CameraContract:
    """Read the manifest's `camera`; ValueError says what it should be."""
    try:
        width, height = map(int, said['size'])
        hfov, mount = said['hfov_rad'], said.get('mount')
        hfov = None if hfov is None else float(hfov)
        mount = None if mount is None else tuple(map(float, mount))
        if width < 1 or height < 1 or len(mount or AXES) != len(AXES):
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as why:
        raise AmiError(f'camera {said}, not its size [width, height] and hfov_rad, and its '
                       f'mount [{", ".join(AXES)}]') from why
    return CameraContract((width, height), hfov, mount)


def of_robot(robot: Robot) -> CameraContract:
    """What a module of this robot would say; for who has no module, as the configurator."""
    return CameraContract(robot.camera_size, robot.camera_hfov_rad, robot.camera_mount)


def place(robot: Robot, link: str) -> urdf.Place:
    """Where a camera's link is in base_link, with x ahead; ValueError where it is not fast."""
    if link == robot.camera.link:
        return robot.camera_mount
    at = robot.body.mount(link)
    return urdf.carried(at, urdf.AHEAD_IN_OPTICAL) if 'optical' in link else at


def contradiction(known: CameraContract, robot: Robot, link: str) -> str:
    """Say how the camera's place differs from where the module learned to see; '' if it does not.

    Both numbers, in metres and degrees. ValueError where the link does not stand fast.
    """
    if known.mount is None:
        return ''
    here = np.array(place(robot, link))
    off = here - known.mount
    off[3:] = (off[3:] + np.pi) % (2 * np.pi) - np.pi
    units = np.array([1.0] * 3 + [180 / math.pi] * 3)
    most = np.array([SHIFT_TOLERANCE_M] * 3 + [TURN_TOLERANCE_RAD] * 3)
    wrong = [f'{name} {has:.3g} {unit}, not {wants:.3g}'
             for name, has, wants, unit, bad in zip(
                 AXES, here * units, np.array(known.mount) * units,
                 ['m'] * 3 + ['degrees'] * 3, ~(np.abs(off) <= most)) if bad]
    return f'{link} of {robot.urdf} has {", ".join(wrong)}' if wrong else ''
