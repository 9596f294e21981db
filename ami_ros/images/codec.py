# SPDX-License-Identifier: Apache-2.0
"""Pictures to bytes and back; one function for training, simulation and robot."""

import cv2
import numpy as np

# ROS encodings that are read, with what turns their rows into rgb; None needs nothing.
ENCODINGS = {
    'rgb8': (3, None), 'bgr8': (3, cv2.COLOR_BGR2RGB), 'mono8': (1, cv2.COLOR_GRAY2RGB),
    'rgba8': (4, cv2.COLOR_RGBA2RGB), 'bgra8': (4, cv2.COLOR_BGRA2RGB),
}


def from_raw(data, height: int, width: int, step: int, encoding: str) -> np.ndarray:
    """Turn the fields of a sensor_msgs/Image into (H, W, 3) uint8 rgb, without a needless copy."""
    if encoding not in ENCODINGS:
        raise ValueError(f'image encoding {encoding!r} is not read; there are: '
                         f'{", ".join(ENCODINGS)}')
    channels, conversion = ENCODINGS[encoding]
    flat = np.frombuffer(memoryview(data), np.uint8)
    if height <= 0 or width <= 0 or step < width * channels or flat.size < height * step:
        raise ValueError(f'image says {width}x{height} {encoding}, step {step}, but brings '
                         f'{flat.size} bytes; it needs {height * max(step, width * channels)}')
    rows = flat[:height * step].reshape(height, step)[:, :width * channels]
    picture = rows.reshape(height, width, channels)
    return picture if conversion is None else cv2.cvtColor(np.ascontiguousarray(picture),
                                                           conversion)


def from_compressed(data) -> np.ndarray:
    """Turn JPEG or PNG bytes into (H, W, 3) uint8 rgb; ValueError when they are neither."""
    flat = np.frombuffer(memoryview(data), np.uint8)
    picture = cv2.imdecode(flat, cv2.IMREAD_COLOR) if flat.size else None
    if picture is None:
        raise ValueError(f'compressed image of {flat.size} bytes is neither JPEG nor PNG')
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def resize(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring a picture to (width, height); area averaging, as a smaller sensor would see it."""
    if picture.shape[1::-1] == tuple(size):
        return picture
    return cv2.resize(picture, tuple(size), interpolation=cv2.INTER_AREA)


def to_png(picture: np.ndarray) -> bytes:
    """(H, W, 3) uint8 rgb to PNG bytes."""
    return cv2.imencode('.png', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()


def to_jpeg(picture: np.ndarray, quality: int = 90) -> bytes:
    """(H, W, 3) uint8 rgb to JPEG bytes."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), flags)[1].tobytes()
