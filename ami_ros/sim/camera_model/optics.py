# SPDX-License-Identifier: Apache-2.0
"""What happens in front of the sensor: distortion, vignetting, dirt, blur by motion."""

import math

import cv2
import numpy as np

DEPTH_M = 2.0           # how far off things are taken to be when the robot drives ahead
SAMPLES = 7             # of the motion within one exposure
DIRT_RADIUS = (0.02, 0.12)      # of a spot, share of the width


class Distortion:
    """Plumb-bob distortion with one coefficient, k1, made from a pinhole picture.

    The focal length is larger than the pinhole's as far as needed, so that every pixel sees what
    was rendered. `k` and `d` are what a camera_info says of it.
    """

    def __init__(self, displacement: float, size: tuple[int, int], hfov_rad: float):
        width, height = size
        focal = width / 2 / math.tan(hfov_rad / 2)
        half = np.array([width, height]) / 2 / focal    # tangents at the edges
        self.k1 = displacement / half[0] ** 2
        centre = np.array([width, height]) / 2 - 0.5
        zoom = max(1.0, 1 / (1 + self.k1 * float(half @ half)))
        self.focal = focal * zoom
        across, down = np.meshgrid(np.arange(width), np.arange(height))
        seen = np.stack([across, down], -1) - centre
        source = self.undistorted(seen / self.focal) * focal + centre
        self.maps = source[..., 0].astype(np.float32), source[..., 1].astype(np.float32)
        self.k = (self.focal, 0.0, width / 2, 0.0, self.focal, height / 2, 0.0, 0.0, 1.0)
        self.d = (self.k1, 0.0, 0.0, 0.0, 0.0)

    def undistorted(self, at: np.ndarray) -> np.ndarray:
        """Solve x_d = x (1 + k1 r^2) for x (..., 2) by Newton's method on the radius."""
        far = np.linalg.norm(at, axis=-1, keepdims=True)
        radius = far.copy()
        for _ in range(20):
            slope = np.maximum(1 + 3 * self.k1 * radius ** 2, 0.05)
            radius = radius - (radius * (1 + self.k1 * radius ** 2) - far) / slope
        return at * np.where(far > 1e-9, radius / np.maximum(far, 1e-9), 1.0)

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Distort a picture."""
        return cv2.remap(picture, *self.maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def blurred(picture: np.ndarray, exposure_s: float, twist: tuple[float, float],
            focal_px: float) -> np.ndarray:
    """Blur a picture by the motion during the exposure: turning shifts it, driving enlarges it."""
    v, w = twist
    shift = focal_px * w * exposure_s       # a left turn moves the picture to the right
    growth = v * exposure_s / DEPTH_M
    height, width = picture.shape[:2]
    if abs(shift) < 0.05 and abs(growth) * width / 2 < 0.05:
        return picture
    out = np.zeros_like(picture)
    for share in np.linspace(-0.5, 0.5, SAMPLES):
        scale = 1 + share * growth
        warp = np.array([[scale, 0, (1 - scale) * (width - 1) / 2 + share * shift],
                         [0, scale, (1 - scale) * (height - 1) / 2]], np.float32)
        out += cv2.warpAffine(picture, warp, (width, height), flags=cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_REPLICATE)
    return out / SAMPLES


def falloff(size: tuple[int, int], loss: float) -> np.ndarray:
    """Share (H, W, 1) of the light that reaches each pixel; 1 - loss in the corners."""
    width, height = size
    x = (np.arange(width) + 0.5) / width * 2 - 1
    y = (np.arange(height) + 0.5) / height * 2 - 1
    squared = (x[None] ** 2 + y[:, None] ** 2) / 2
    return (1 - loss * squared ** 1.5)[..., None].astype(np.float32)


def spots(size: tuple[int, int], share: float, seed: int) -> np.ndarray:
    """Opacity (H, W, 1) of the dirt on a lens: blurred round spots."""
    width, height = size
    rng = np.random.default_rng([seed, 0xD1B7])
    out = np.zeros((height, width), np.float32)
    covered = 0.0
    while covered < share:
        radius = rng.uniform(*DIRT_RADIUS) * width
        spot = np.zeros_like(out)
        centre = int(rng.uniform(0, width)), int(rng.uniform(0, height))
        cv2.circle(spot, centre, max(1, round(radius)), float(rng.uniform(0.3, 0.9)), -1)
        blur = max(0.5, 0.4 * radius)
        out = np.maximum(out, cv2.GaussianBlur(spot, (0, 0), blur))
        covered += math.pi * radius ** 2 / (width * height)
    return out[..., None]
