# SPDX-License-Identifier: Apache-2.0
"""What a camera_info says of a camera: where in its pictures a ray of light falls.

The formulas are those of REP 104 and image_pipeline, i.e. of OpenCV: pixel (0, 0) has its middle
at (0, 0), rays are in the optical frame (x right, y down, z ahead).
"""

from dataclasses import dataclass
import math

import numpy as np

from ami_ros.core.errors import AmiError

MOST_SIDE = 16384           # pixels; OpenCV's maps end at 32767
MOST_COEFFICIENTS = 14      # OpenCV's largest model
SAMPLES = 1800              # of the distortion from the axis out, every 0.05 to 0.1 degrees
NOT_TURNED = np.eye(3)


def polynomial(squared: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Radial factor of plumb_bob and rational_polynomial at r^2 of the undistorted x, y."""
    k1, k2, _, _, k3, k4, k5, k6 = d[:8]
    above = 1 + squared * (k1 + squared * (k2 + squared * k3))
    return above / (1 + squared * (k4 + squared * (k5 + squared * k6)))


def equidistant(angle: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Distance from the middle, in focal lengths, of a ray at an angle to the axis."""
    k1, k2, k3, k4 = d
    squared = angle * angle
    return angle * (1 + squared * (k1 + squared * (k2 + squared * (k3 + squared * k4))))


def prism_and_tilt(x: np.ndarray, y: np.ndarray, squared: np.ndarray, d: np.ndarray
                   ) -> tuple[np.ndarray, np.ndarray]:
    """Shift distorted x, y by a thin prism (s1 to s4) and tilt the sensor by tau_x, tau_y, rad."""
    s1, s2, s3, s4, tau_x, tau_y = d
    x, y = x + squared * (s1 + s2 * squared), y + squared * (s3 + s4 * squared)
    (sin_x, sin_y), (cos_x, cos_y) = ([f(tau_x), f(tau_y)] for f in (math.sin, math.cos))
    turn = np.array([[cos_y, 0, -sin_y], [0, 1, 0], [sin_y, 0, cos_y]]) @ np.array(
        [[1, 0, 0], [0, cos_x, sin_x], [0, -sin_x, cos_x]])
    onto = np.array([[turn[2, 2], 0, -turn[0, 2]], [0, turn[2, 2], -turn[1, 2]], [0, 0, 1]])
    x, y, z = np.moveaxis(np.stack([x, y, np.ones_like(x)], -1) @ (onto @ turn).T, -1, 0)
    return x / z, y / z


# name: (how many coefficients count, the model). What it may bring beyond must be zero.
# A rational_polynomial has 8 by its name; drivers send all 14 of OpenCV, with thin prism and tilt.
MODELS = {'plumb_bob': (5, 14), 'rational_polynomial': (14, 14), 'equidistant': (4, 4),
          'fisheye': (4, 4)}
UNDISTORTED = ('', 'none', 'pinhole')


@dataclass(frozen=True, eq=False)
class Lens:
    """A calibrated camera. Made by `lens`, which checks."""

    size: tuple[int, int]       # width, height of its pictures
    focal: tuple[float, float]  # fx, fy, pixels
    middle: tuple[float, float]     # cx, cy, pixels
    d: np.ndarray               # coefficients: 14 of the polynomials, 4 of equidistant
    turn: np.ndarray            # (3, 3): a ray as it is asked for to the camera's own axes
    fisheye: bool = False

    def pixels(self, rays: np.ndarray) -> np.ndarray:
        """Where rays (..., 3) fall, (..., 2) float64 pixels; NaN where the model says nothing."""
        x, y, z = np.moveaxis(rays @ self.turn.T, -1, 0)
        with np.errstate(all='ignore'):
            if self.fisheye:
                out = np.hypot(x, y)
                angle = np.arctan2(out, z)
                scale = np.where(out > 1e-12, equidistant(angle, self.d) / np.maximum(out, 1e-12),
                                 1.0)
                x, y = x * scale, y * scale
                valid = angle <= self.reach
            else:
                x, y = x / z, y / z
                squared = x * x + y * y
                p1, p2 = self.d[2:4]
                factor = polynomial(squared, self.d)
                valid = (z > 0) & (np.arctan(np.sqrt(squared)) <= self.reach)
                x, y = (x * factor + 2 * p1 * x * y + p2 * (squared + 2 * x * x),
                        y * factor + p1 * (squared + 2 * y * y) + 2 * p2 * x * y)
                if self.d[8:].any():
                    x, y = prism_and_tilt(x, y, squared, self.d[8:])
            at = np.stack([self.focal[0] * x + self.middle[0],
                           self.focal[1] * y + self.middle[1]], -1)
        return np.where(valid[..., None], at, math.nan)

    @property
    def reach(self) -> float:
        """Largest angle to the axis, rad, up to which a ray further out falls further out.

        Beyond it a fitted polynomial turns back, and would show the same thing twice.
        """
        most = math.pi if self.fisheye else math.radians(89.5)
        angles = np.linspace(0, most, SAMPLES + 1)
        with np.errstate(all='ignore'):
            out = (equidistant(angles, self.d) if self.fisheye
                   else np.tan(angles) * polynomial(np.tan(angles) ** 2, self.d))
            turned = np.flatnonzero(~(np.diff(out) > 0))
        return most if turned.size == 0 else float(angles[turned[0]])


def lens(size: tuple[int, int], model: str, k, d, r, p, binning: tuple[int, int] = (0, 0),
         region: tuple[int, int, int, int] = (0, 0, 0, 0), rectified: bool = False) -> Lens:
    """Make a Lens of the fields of a sensor_msgs/CameraInfo; ValueError says what is wrong.

    k (9,), d (any), r (9,), p (12,). `region` is x_offset, y_offset, width, height; zeros mean
    all of it, as in the message. Of a camera whose pictures are rectified already, P counts,
    else K, D and R.
    """
    k, d, r, p = (np.asarray(list(values), float) for values in (k, d, r, p))
    check(size, k, d, r, p)
    turn = NOT_TURNED if rectified or not r.any() else r.reshape(3, 3).T
    if not (np.abs(turn) < 1.001).all() or (
            np.abs(turn @ turn.T - np.eye(3)).max() > 1e-3 or np.linalg.det(turn) < 0):
        raise AmiError(f'camera_info has R {r.tolist()}, which is no rotation')
    if rectified and p.any():
        k, d, model = p.reshape(3, 4)[:, :3].ravel(), d[:0], 'pinhole'
    elif rectified:
        d, model = d[:0], 'pinhole'
    (fx, skew, cx), (_, fy, cy) = k.reshape(3, 3)[:2]
    if not (fx > 0 and fy > 0):
        raise AmiError(f'camera_info has focal lengths {fx} and {fy} pixels: the camera is not '
                       'calibrated; camera_calibration makes the file for its driver')
    if not (0.005 < fx / size[0] < 100 and 0.005 < fy / size[1] < 100):
        raise AmiError(f'camera_info has focal lengths {fx} and {fy} pixels in images of '
                       f'{size[0]}x{size[1]}; it was made for another size')
    if not (skew == 0 and 0 <= cx <= size[0] and 0 <= cy <= size[1]):
        raise AmiError(f'camera_info has its middle at {cx}, {cy} and skew {skew}, in images '
                       f'of {size[0]}x{size[1]}; it was made for another size')
    coefficients, fisheye = distortion(model, d)
    x, y, width, height = region if region[2] and region[3] else (0, 0, *size)
    across, down = (max(1, b) for b in binning)
    if x + width > size[0] or y + height > size[1]:
        raise AmiError(f'camera_info has a region of {width}x{height} at {x}, {y}, which is '
                       f'not inside {size[0]}x{size[1]}')
    if width < across or height < down:
        raise AmiError(f'camera_info bins {across}x{down} pixels, of {width}x{height}')
    return Lens((width // across, height // down), (fx / across, fy / down),
                ((cx - x + 0.5) / across - 0.5, (cy - y + 0.5) / down - 0.5),
                coefficients, turn, fisheye)


def check(size: tuple[int, int], k: np.ndarray, d: np.ndarray, r: np.ndarray,
          p: np.ndarray) -> None:
    """Refuse fields of a wrong size, and numbers that are none."""
    if not (0 < size[0] <= MOST_SIDE and 0 < size[1] <= MOST_SIDE):
        raise AmiError(f'camera_info is of images of {size[0]}x{size[1]}; a side has 1 to '
                       f'{MOST_SIDE} pixels')
    if d.size > MOST_COEFFICIENTS:
        raise AmiError(f'camera_info has {d.size} distortion coefficients; no model has more '
                       f'than {MOST_COEFFICIENTS}')
    for name, values, count in (('K', k, 9), ('R', r, 9), ('P', p, 12), ('D', d, d.size)):
        if values.shape != (count,) or not np.isfinite(values).all():
            raise AmiError(f'camera_info has {name} {values.tolist()}; it needs '
                           f'{count} finite numbers')


def distortion(model: str, d: np.ndarray) -> tuple[np.ndarray, bool]:
    """Coefficients as the formulas want them, and whether it is a fisheye."""
    if model in UNDISTORTED and not d.any():
        return np.zeros(14), False
    if model not in MODELS:
        raise AmiError(f'camera_info has distortion_model {model!r} and D {d.tolist()}; models '
                       f'that are read: {", ".join(MODELS)}, and none where D is zero')
    counted, wanted = MODELS[model]
    if d[counted:].any():
        raise AmiError(f'camera_info has {d.size} coefficients of {model}, which has {counted}; '
                       'calibrate with another model (rational_polynomial has up to 14), or '
                       'publish rectified images (image_proc) and take their topic')
    out = np.zeros(wanted)
    out[:min(counted, d.size)] = d[:counted]
    return out, wanted == 4

