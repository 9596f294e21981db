# SPDX-License-Identifier: Apache-2.0
"""
Reads the fields of sensor_msgs' Image, CompressedImage and CameraInfo.

One function each for a message of rclpy, on the robot, and one of rosbags, in training: what a
module learns from and what it later sees go the same way.
"""

import numpy as np

from ami_ros.perception.images import codec
from ami_ros.perception.images.lens import Lens, lens


def is_rectified(topic: str) -> bool:
    """Tell whether a topic's pictures are rectified already; image_proc names them so."""
    return 'image_rect' in topic


def picture_of(msg) -> np.ndarray:
    """Image or CompressedImage to (H, W, 3) uint8 rgb; a view of the message where it can be."""
    if hasattr(msg, 'encoding'):
        return codec.from_raw(msg.data, msg.height, msg.width, msg.step, msg.encoding,
                              bool(msg.is_bigendian))
    return codec.from_compressed(msg.data, msg.format)


def lens_of(msg, rectified: bool = False) -> Lens:
    """CameraInfo to Lens; ValueError says what is wrong with it."""
    area = msg.roi
    return lens((msg.width, msg.height), msg.distortion_model, msg.k, msg.d, msg.r, msg.p,
                (msg.binning_x, msg.binning_y),
                (area.x_offset, area.y_offset, area.width, area.height), rectified)


def content(msg) -> tuple:
    """All that a CameraInfo says but when; equal where two say the same, bit for bit."""
    area = msg.roi
    return (msg.width, msg.height, msg.distortion_model, *(
        np.asarray(values, float).tobytes() for values in (msg.k, msg.d, msg.r, msg.p)),
        msg.binning_x, msg.binning_y, area.x_offset, area.y_offset, area.width, area.height)
