# SPDX-License-Identifier: Apache-2.0
"""Pictures of any calibrated camera as the one camera would see them that a module knows.

That one is a pinhole with square pixels, its middle in the middle. A camera that sees more is
cropped, a distorted one is straightened, both by one table. A camera that already is that pinhole
keeps the plain way: its pictures are only resized, bit for bit as without this file.
"""

from dataclasses import dataclass
import math

import cv2
import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.perception.images import codec
from ami_ros.perception.images.lens import Lens

# Half a pixel is what the two readings of cx differ by (the middle of 64 pixels is 31.5 where a
# pixel's middle is a whole number, 32 where its corner is); the rest is rounding.
LEEWAY_PX = 0.6
SAME_SHAPE = 0.02           # aspect ratios that differ less are the same, of ratios about 1
FINE = 8                    # samples along a side of a network pixel, at most
COARSE = 4                  # about so many where the source is averaged before
NARROWEST_RAD, WIDEST_RAD = math.radians(0.5), math.radians(179)


@dataclass(frozen=True)
class Pinhole:
    """The camera that a module learned from."""

    size: tuple[int, int]       # width, height, pixels
    hfov_rad: float             # from the left edge of its pictures to the right one

    @property
    def focal_px(self) -> float:
        """Focal length."""
        return self.size[0] / 2 / math.tan(self.hfov_rad / 2)

    def rays(self, across: np.ndarray, down: np.ndarray) -> np.ndarray:
        """Rays (..., 3) through places in a picture, 0 its left or upper edge, 1 the other."""
        across, down = np.broadcast_arrays(across, down)
        return np.stack([(across - 0.5) * self.size[0] / self.focal_px,
                         (down - 0.5) * self.size[1] / self.focal_px,
                         np.ones(across.shape)], -1)

    def grid(self) -> np.ndarray:
        """Rays (H, W, 3) through the middles of its pixels."""
        return np.concatenate(list(self.bands(1)))

    def bands(self, fine: int):
        """Yield rays (fine, W * fine, 3) through the middles of its pixels cut finely, by row."""
        width, height = self.size[0] * fine, self.size[1] * fine
        across, down = ((np.arange(n) + 0.5) / n for n in (width, height))
        for row in down.reshape(-1, fine, 1):
            yield self.rays(across, row)

    def border(self) -> np.ndarray:
        """Rays (B, 3) along the edges of its pictures."""
        along = np.linspace(0, 1, 33)
        zero, one = np.zeros(33), np.ones(33)
        return self.rays(np.concatenate([along, along, zero, one]),
                         np.concatenate([zero, one, along, along]))


def inside(lens: Lens, at: np.ndarray) -> bool:
    """Tell whether places (..., 2) are all in the lens's pictures; NaN is not."""
    low, high = -0.5 - LEEWAY_PX, np.array(lens.size) - 0.5 + LEEWAY_PX
    return bool(((at >= low) & (at <= high)).all())


def covers(lens: Lens, pinhole: Pinhole) -> bool:
    """Tell whether a lens sees all that the pinhole sees."""
    return inside(lens, lens.pixels(pinhole.border()))


def widest(lens: Lens, size: tuple[int, int]) -> float:
    """Largest horizontal field of view, rad, whose picture of that shape a lens can fill; or 0."""
    low, high = NARROWEST_RAD, WIDEST_RAD
    if not covers(lens, Pinhole(size, low)):
        return 0.0
    while high - low > 1e-5:
        middle = (low + high) / 2
        low, high = (middle, high) if covers(lens, Pinhole(size, middle)) else (low, middle)
    return low


def target(lens: Lens, wanted: Pinhole, tolerance_rad: float) -> Pinhole:
    """Return the pinhole to make: as wanted, or a little narrower where the lens sees less.

    ValueError with both fields of view where it sees less by more than the tolerance: the edges
    would be black.
    """
    if covers(lens, wanted):
        return wanted
    most = widest(lens, wanted.size)
    if most == 0.0:
        raise AmiError('camera sees 0.0 degrees across, by its camera_info: its D '
                       f'{lens.d.tolist()} or its R is wrong; calibrate the camera again')
    if most < wanted.hfov_rad - tolerance_rad:
        width, height = wanted.size
        raise AmiError(
            f'camera sees {math.degrees(most):.1f} degrees across in images of the shape '
            f'{width}x{height}, wanted are {math.degrees(wanted.hfov_rad):.1f}; take a wider '
            'camera, or train with camera_hfov_rad of the robot file at '
            f'{math.floor(most * 1000) / 1000} or less')
    return Pinhole(wanted.size, most)


def is_plain(lens: Lens, pinhole: Pinhole) -> bool:
    """Tell whether resizing alone makes the pinhole's picture, within LEEWAY_PX of the lens."""
    at = lens.pixels(pinhole.grid())
    across, down = np.meshgrid(*((np.arange(n) + 0.5) * full / n - 0.5
                                 for n, full in zip(pinhole.size, lens.size)))
    return bool((np.abs(at - np.stack([across, down], -1)) <= LEEWAY_PX).all())


class Rectifier:
    """Turns pictures of a lens into pictures of a pinhole; its tables are made once."""

    def __init__(self, lens: Lens, wanted: Pinhole, tolerance_rad: float = 0.0):
        """ValueError where the lens sees less than is wanted by more than the tolerance."""
        self.lens = lens
        self.pinhole = target(lens, wanted, tolerance_rad)
        self.plain = is_plain(lens, self.pinhole)
        if not self.plain:
            self.prepare()

    def prepare(self) -> None:
        """Make the table: from a part of the picture, shrunk, to a finer picture of the pinhole.

        A network pixel is the mean of fine samples about as dense as the source's pixels, so
        that nothing thin appears and vanishes as the robot moves.
        """
        coarse = self.lens.pixels(self.pinhole.grid())
        if not inside(self.lens, coarse):
            raise AmiError(f'camera_info has D {self.lens.d.tolist()}, which turns the image '
                           'inside out; calibrate the camera again')
        dense = max([1.0, *(float(np.linalg.norm(np.diff(coarse, axis=axis), axis=-1).max())
                            for axis in (0, 1) if coarse.shape[axis] > 1)])
        shrink = 1 if dense <= FINE else round(dense / COARSE)
        fine = math.ceil(dense / shrink - 0.01)
        at = np.concatenate([self.lens.pixels(rays)     # in bands, to take little memory
                             for rays in self.pinhole.bands(fine)])
        low = np.maximum(np.floor(at.min((0, 1))).astype(int) - shrink, 0)
        high = np.minimum(np.ceil(at.max((0, 1))).astype(int) + 1 + shrink, self.lens.size)
        count = np.maximum((high - low) // shrink, 1)
        whole = low + count * shrink        # is averaged quicker, where that is enough
        high = np.where(whole > at.max((0, 1)), whole, high)
        self.part = np.s_[low[1]:high[1], low[0]:high[0]]
        self.shrunk = tuple(map(int, count)) if shrink > 1 else None
        at = ((at - low + 0.5) / ((high - low) / count) - 0.5).astype(np.float32)
        self.table = cv2.convertMaps(at[..., 0], at[..., 1], cv2.CV_16SC2)

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 rgb of the lens to one of the pinhole; ValueError for another size."""
        if picture.shape[1::-1] != self.lens.size:
            height, width = picture.shape[:2]
            raise AmiError(f'image is {width}x{height}, its camera_info is of '
                           f'{self.lens.size[0]}x{self.lens.size[1]}')
        if self.plain:
            return codec.resize(picture, self.pinhole.size)
        part = picture[self.part]
        if self.shrunk is not None:
            part = cv2.resize(part, self.shrunk, interpolation=cv2.INTER_AREA)
        return codec.resize(cv2.remap(part, *self.table, cv2.INTER_LINEAR,
                                      borderMode=cv2.BORDER_REPLICATE), self.pinhole.size)


def fitted(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring a picture to (width, height); ValueError when its shape is another one.

    For a camera of which no more is known: its shape must be that of the network's pictures.
    """
    height, width = picture.shape[:2]
    if abs(width / height - size[0] / size[1]) > SAME_SHAPE * size[0] / size[1]:
        raise AmiError(f'image is {width}x{height}; this module sees {size[0]}x{size[1]}, and '
                       'larger images of the same shape, or of any shape with a camera_info')
    return codec.resize(picture, size)


def goal_view(picture: np.ndarray, size: tuple[int, int],
              rectifier: Rectifier | None = None) -> np.ndarray:
    """Bring a goal picture to (width, height) as the mind would see it; ValueError when it cannot.

    A picture of the camera's size was taken by the camera and goes the way of its pictures; any
    other was made for the network (a view that was kept, a picture of the simulator).
    """
    if rectifier is not None and picture.shape[1::-1] == rectifier.lens.size:
        return np.ascontiguousarray(rectifier(picture))
    return np.ascontiguousarray(fitted(picture, size))
