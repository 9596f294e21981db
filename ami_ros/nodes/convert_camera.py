# SPDX-License-Identifier: Apache-2.0
"""Turns CameraInfo into a lens; the rest of what is in messages turns in convert.py."""

from sensor_msgs.msg import CameraInfo

from ami_ros.images import fields
from ami_ros.images.lens import Lens


def lens_from(msg: CameraInfo, rectified: bool = False) -> Lens:
    """CameraInfo to Lens; ValueError says what is wrong with it."""
    return fields.lens_of(msg, rectified)
