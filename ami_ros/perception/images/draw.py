# SPDX-License-Identifier: Apache-2.0
"""Draws for people: a room from above, panels side by side, animations."""

from pathlib import Path

import cv2
import numpy as np

INK = (40, 40, 40)


class Canvas:
    """A square of the world seen from above; positions in metres, x right, y up."""

    def __init__(self, half_m: float, pixels: int):
        self.half_m, self.scale = half_m, pixels / (2 * half_m)
        self.picture = np.full((pixels, pixels, 3), 255, np.uint8)

    def at(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) int32 of points (..., 2) m; OpenCV's sixteenths."""
        points = np.asarray(points, float)[..., :2]
        flipped = np.stack([points[..., 0] + self.half_m, self.half_m - points[..., 1]], -1)
        return np.round(flipped * self.scale * 16).astype(np.int32)

    def polygon(self, corners: np.ndarray, colour) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.picture, [self.at(corners)], colour, cv2.LINE_AA, 4)

    def disc(self, centre, radius_m: float, colour) -> None:
        """Fill a disc."""
        cv2.circle(self.picture, tuple(map(int, self.at(np.asarray(centre)))),
                   max(16, round(radius_m * self.scale * 16)), colour, -1, cv2.LINE_AA, 4)

    def line(self, points: np.ndarray, colour, width: int = 2) -> None:
        """Draw a line through points."""
        if len(points) > 1:
            cv2.polylines(self.picture, [self.at(points)], False, colour, width, cv2.LINE_AA, 4)

    def arrow(self, pose: np.ndarray, colour, length_m: float = 0.3) -> None:
        """Draw a pose as an arrow with a round tail."""
        tip = np.asarray(pose[:2]) + length_m * np.array([np.cos(pose[2]), np.sin(pose[2])])
        self.line(np.array([pose[:2], tip]), colour, 2)
        self.disc(pose[:2], 0.09, colour)


def label(picture: np.ndarray, text: str, line: int = 0) -> np.ndarray:
    """Write a line of text into the upper left corner, on a light band."""
    height = 18
    band = picture[line * height:(line + 1) * height]
    band[:] = 255
    cv2.putText(picture, text, (5, line * height + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1,
                cv2.LINE_AA)
    return picture


def mark(canvas: Canvas, point: np.ndarray, text: str) -> None:
    """Write a few letters beside a point of a canvas."""
    x, y = (int(v) // 16 for v in canvas.at(point))
    cv2.putText(canvas.picture, text, (x + 5, y - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1,
                cv2.LINE_AA)


def enlarge(picture: np.ndarray, pixels: int) -> np.ndarray:
    """Bring a small picture to a height without blurring it."""
    height, width = picture.shape[:2]
    return cv2.resize(picture, (round(pixels * width / height), pixels),
                      interpolation=cv2.INTER_NEAREST)


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write (H, W, 3) uint8 rgb."""
    if not cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
        raise OSError(f'{path} could not be written')


def write_gif(path: Path, frames: list[np.ndarray], frame_s: float) -> None:
    """Write an animation of (H, W, 3) uint8 rgb frames; OSError where OpenCV cannot."""
    if not hasattr(cv2, 'Animation'):
        raise OSError(f'{path}: this OpenCV {cv2.__version__} writes no animations; 4.11 or newer')
    film = cv2.Animation()
    film.frames = [cv2.cvtColor(f, cv2.COLOR_RGB2BGR) for f in frames]
    film.durations = np.full(len(frames), round(1000 * frame_s), np.int32)
    if not cv2.imwriteanimation(str(path), film):
        raise OSError(f'{path} could not be written')
