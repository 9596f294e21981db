# SPDX-License-Identifier: Apache-2.0
"""Pictures to bytes and back; one function for training, simulation and robot."""

from typing import NamedTuple

import cv2
import numpy as np

from ami_ros.core.errors import AmiError

MOST_PIXELS = 1 << 25       # a frame of 8K video has 33.2 million; more is no camera of a robot
MOST_SCANS = 100            # of a progressive JPEG; each costs a pass over the whole picture
MOST_SEGMENTS = 1000        # and fill bytes, before a JPEG says its size
SIXTEEN_TO_EIGHT = 1 / 257  # 65535 becomes 255, as cv_bridge has it
PNG = b'\x89PNG\r\n\x1a\n'
JPEG = b'\xff\xd8\xff'


class PixelLayout(NamedTuple):
    """How the rows of an encoding lie in memory, and what turns them into rgb."""

    channels: int               # values a pixel
    code: int | None = None     # of cv2.cvtColor; None: it is rgb
    depth: int = 1              # bytes a value; two are scaled to one
    least: int = 1              # width and height are at least this
    even: tuple[int, int] = (1, 1)  # width and height are multiples of this
    chroma: bool = False        # half as many rows of colour follow the rows of grey


def mosaic(code: int, depth: int) -> PixelLayout:
    """Bayer, interpolated bilinearly; OpenCV leaves smaller ones black."""
    return PixelLayout(1, code, depth, least=4)


def wide(channels: int, code: int | None) -> PixelLayout:
    """Two bytes a value."""
    return PixelLayout(channels, code, 2)


# What sensor_msgs/image_encodings.hpp names, and what cameras on Jetsons bring besides (nv12).
# 8UCn says nothing of colours: they are OpenCV's, as the drivers that write it use OpenCV.
# YUV is ITU-R BT.601 of video range (16..235), as UVC cameras and cv_bridge have it.
# OpenCV names a mosaic by its second row from the second pixel on, ROS by where it begins.
_YUV = {'uyvy': cv2.COLOR_YUV2RGB_UYVY, 'yuv422': cv2.COLOR_YUV2RGB_UYVY,
        'yuyv': cv2.COLOR_YUV2RGB_YUY2, 'yuv422_yuy2': cv2.COLOR_YUV2RGB_YUY2}
_BAYER = {'rggb': cv2.COLOR_BayerBG2RGB, 'bggr': cv2.COLOR_BayerRG2RGB,
          'gbrg': cv2.COLOR_BayerGR2RGB, 'grbg': cv2.COLOR_BayerGB2RGB}
ENCODINGS = {
    'rgb8': PixelLayout(3), 'bgr8': PixelLayout(3, cv2.COLOR_BGR2RGB),
    'mono8': PixelLayout(1, cv2.COLOR_GRAY2RGB),
    'rgba8': PixelLayout(4, cv2.COLOR_RGBA2RGB), 'bgra8': PixelLayout(4, cv2.COLOR_BGRA2RGB),
    'rgb16': wide(3, None), 'bgr16': wide(3, cv2.COLOR_BGR2RGB),
    'mono16': wide(1, cv2.COLOR_GRAY2RGB),
    'rgba16': wide(4, cv2.COLOR_RGBA2RGB), 'bgra16': wide(4, cv2.COLOR_BGRA2RGB),
    '8UC1': PixelLayout(1, cv2.COLOR_GRAY2RGB), '8UC3': PixelLayout(3, cv2.COLOR_BGR2RGB),
    '8UC4': PixelLayout(4, cv2.COLOR_BGRA2RGB),
    **{name: PixelLayout(2, code, even=(2, 1)) for name, code in _YUV.items()},
    'nv12': PixelLayout(1, cv2.COLOR_YUV2RGB_NV12, even=(2, 2), chroma=True),
    'nv21': PixelLayout(1, cv2.COLOR_YUV2RGB_NV21, even=(2, 2), chroma=True),
    **{f'bayer_{name}{8 * depth}': mosaic(code, depth)
       for depth in (1, 2) for name, code in _BAYER.items()},
}


def from_raw(data, height: int, width: int, step: int, encoding: str,
             bigendian: bool = False) -> np.ndarray:
    """Turn the fields of a sensor_msgs/Image into (H, W, 3) uint8 rgb, without a needless copy.

    ValueError when the encoding is not read or the fields contradict each other.
    """
    layout = ENCODINGS.get(encoding)
    if layout is None:
        raise AmiError(f'image encoding {encoding!r} is not read; there are: '
                       f'{", ".join(ENCODINGS)}')
    flat = np.frombuffer(memoryview(data), np.uint8)
    row = width * layout.channels * layout.depth
    rows = height + height // 2 if layout.chroma else height
    if height > 0 and width > 0 and step < row:
        raise AmiError(f'image says {width}x{height} {encoding}, step {step}; the step is the '
                       f'length of a row in bytes, at least {row}')
    if height <= 0 or width <= 0 or flat.size < rows * step:
        raise AmiError(f'image says {width}x{height} {encoding}, step {step}, but brings '
                       f'{flat.size} bytes; it needs {rows * max(step, row)}')
    if layout.code is None and layout.depth == 1:       # rgb8, the way that has to be quick
        return flat[:rows * step].reshape(rows, step)[:, :row].reshape(height, width, 3)
    check_shape(width, height, encoding, layout)
    values = np.ascontiguousarray(flat[:rows * step].reshape(rows, step)[:, :row])
    if layout.depth == 2:
        words = values.view('>u2' if bigendian else '<u2').astype(np.uint16, copy=False)
        values = cv2.convertScaleAbs(words, alpha=SIXTEEN_TO_EIGHT)
    values = values.reshape(rows, width, layout.channels)
    return values if layout.code is None else cv2.cvtColor(values, layout.code)


def check_shape(width: int, height: int, encoding: str, layout: PixelLayout) -> None:
    """Refuse what the encoding cannot have, and what no camera has."""
    if width % layout.even[0] or height % layout.even[1]:
        what = 'an even width' + (' and height' if layout.even[1] > 1 else '')
        raise AmiError(f'image says {width}x{height} {encoding}, which has {what}')
    if min(width, height) < layout.least:
        raise AmiError(f'image says {width}x{height} {encoding}; its colours are mixed from '
                       f'at least {layout.least}x{layout.least}')
    check_pixels(width, height)


def check_pixels(width: int, height: int) -> None:
    """Refuse a picture of no pixels or of more than any camera has, before memory is taken."""
    if not 0 < width * height <= MOST_PIXELS:
        raise AmiError(f'image says {width}x{height}; it may have 1 to {MOST_PIXELS} pixels')


def from_compressed(data, kind: str = '') -> np.ndarray:
    """Turn JPEG or PNG bytes into (H, W, 3) uint8 rgb; ValueError when they are neither.

    `kind` is the message's `format`. What is behind its semicolon does not change the colours:
    the file says which is red. The turn that EXIF may ask for is left undone, always: the lens
    and the mount are those of the sensor.
    """
    original, _, rest = kind.partition(';')
    if 'compressedDepth' in rest or original.strip().startswith(('16UC', '32FC')):
        raise AmiError(f'compressed image is {kind!r}, depth; a color image is needed')
    if original.startswith('bayer_') and not ('bgr' in rest or 'rgb' in rest):
        raise AmiError(f'compressed image is {kind!r}, a mosaic; compress its colours, as '
                       'image_proc makes them')
    flat = np.frombuffer(memoryview(data), np.uint8)
    size = compressed_size(flat)
    if size is not None:
        check_pixels(*size)
        check_end(flat)
    try:
        picture = None if size is None else cv2.imdecode(
            flat, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        picture = None
    if picture is None:
        raise AmiError(f'compressed image of {flat.size} bytes is neither JPEG nor PNG')
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def check_end(flat: np.ndarray) -> None:
    """Refuse a JPEG or PNG that is cut short: OpenCV would make up what is missing, in grey.

    The mark of the end (ITU-T T.81 B.1.1.3, ISO 15948 11.2.5) may have anything behind it: some
    cameras fill up. Within the data of a scan a JPEG cannot have that mark.
    """
    data = flat.tobytes()
    begin, mark = (data.find(PNG), b'IEND') if data.startswith(PNG) else (
        data.rfind(b'\xff\xda'), b'\xff\xd9')
    if begin < 0 or data.find(mark, begin) < 0:
        raise AmiError(f'compressed image of {flat.size} bytes is cut short: its data ends '
                       'before the image does')


def compressed_size(flat: np.ndarray) -> tuple[int, int] | None:
    """Width and height as a JPEG or PNG says before its pixels; None when it is neither."""
    head = flat[:24].tobytes()
    if head.startswith(PNG) and head[12:16] == b'IHDR' and len(head) == 24:
        return int.from_bytes(head[16:20], 'big'), int.from_bytes(head[20:24], 'big')
    return jpeg_size(flat) if head.startswith(JPEG) else None


def jpeg_size(flat: np.ndarray) -> tuple[int, int] | None:
    """Walk the segments of a JPEG up to its frame header (ITU-T T.81, B.2.2)."""
    view, at = flat.data, 2
    for _ in range(MOST_SEGMENTS):
        if at + 9 > len(view) or view[at] != 0xff:
            return None
        if view[at + 1] == 0xff:        # a fill byte
            at += 1
            continue
        kind, length = view[at + 1], int.from_bytes(view[at + 2:at + 4], 'big')
        if 0xc0 <= kind <= 0xcf and kind not in (0xc4, 0xc8, 0xcc):
            if kind == 0xc2 and flat.tobytes().count(b'\xff\xda') > MOST_SCANS:
                return None
            return (int.from_bytes(view[at + 7:at + 9], 'big'),
                    int.from_bytes(view[at + 5:at + 7], 'big'))
        if kind in (0xd9, 0xda) or length < 2:
            return None
        at += 2 + length
    return None


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
