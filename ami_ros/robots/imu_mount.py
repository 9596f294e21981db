# SPDX-License-Identifier: Apache-2.0
"""Turns what an IMU measures into base_link, by its mount in the robot file and the URDF.

Everything that reads a gyro or an accelerometer uses the matrix of `Body.turn`: the mind, the
calibration and training by `in_base`, the critic and the doctor for many readings at once. So an
IMU that hangs upside down, or that measures in an optical frame, needs no more than a URDF that
says so.
"""

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.robots.robot import Robot


def link_of(robot: Robot, frame_id: str) -> str:
    """Return the link of a message; ValueError unless an IMU of the robot file is mounted there.

    A frame in a namespace ends in the link.
    """
    link, known = frame_id.rpartition('/')[2], [str(s.link) for s in robot.sensors_of('Imu')]
    if link not in known:
        raise AmiError(f'an IMU message is in frame {frame_id!r}, {robot.path} says link: '
                       f'{", ".join(known) or "(it has no sensor of kind Imu)"}; one of the two '
                       'is wrong, and without the right mount the axis of rotation is unknown')
    return link


def in_base(robot: Robot, frame_id: str, *vectors) -> tuple[np.ndarray, ...]:
    """Return vectors (3,) of a message turned into the axes of base_link; ValueError as link_of.

    x is ahead, y left, z up (REP 103), so that the third component of a turning rate is the yaw
    rate and the acceleration of a robot at rest is about (0, 0, 9.81) (REP 145).
    """
    turn = robot.body.turn(link_of(robot, frame_id))
    return tuple(turn @ np.asarray(vector, float) for vector in vectors)
