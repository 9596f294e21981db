# SPDX-License-Identifier: Apache-2.0
"""
Finds how late a camera's stamps are, from pictures of a robot that turns in place.

A turn shifts the columns of a picture; how the shift follows odometry's turning says by how much
the two clocks of capture differ. Only the mean of each column is kept of a picture.
"""

import numpy as np

from ami_ros.operator.calibration.measurement import Unclear

FEWEST = 12             # pictures
EARLIEST_S, LATEST_S = -0.15, 0.6
STEP_S = 0.002
ALIKE = 0.8             # correlation of shifts with turns: below, the pictures do not tell
SHIFT_SHARE = 0.3       # of the columns: the largest shift between two pictures
SURE = 0.5              # columns: a shift that fits as well is not misread
MISREAD = 4.0           # so many times further off than the middle one it is
READ = 0.6              # share of the pictures that must not be misread
AGAIN = 3               # times that the misread ones are looked for


def columns(picture: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, C) picture to the means of its columns, (W,) float32."""
    picture = np.asarray(picture)
    grey = picture if picture.ndim == 2 else picture[..., :3].mean(-1, dtype=np.float32)
    return np.asarray(grey, np.float32).mean(0)


def shift(before: np.ndarray, after: np.ndarray) -> float:
    """Return by how many columns the middle of a picture moved to the right between (W,) two.

    A robot that turns left, counter-clockwise, sees the world move right.
    """
    width = len(before)
    most = int(SHIFT_SHARE * width)
    middle = slice(most, width - most)          # the same columns, wherever they moved to
    a = before[middle] - before[middle].mean()
    costs = np.empty(2 * most + 1)
    for index, by in enumerate(range(-most, most + 1)):
        b = after[most + by:width - most + by]
        costs[index] = np.mean((b - b.mean() - a)**2)
    best = int(np.argmin(costs))
    if best in (0, len(costs) - 1):
        return float(best - most)
    low, at, high = costs[best - 1:best + 2]
    bend = low - 2 * at + high
    return float(best - most + (0.5 * (low - high) / bend if bend > 0 else 0.0))


def correlations(turns: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return how alike each row of turns (T, N) is to the shifts (N,); 0 where nothing changes."""
    turns, seen = turns - turns.mean(1, keepdims=True), seen - seen.mean()
    sizes = np.linalg.norm(turns, axis=1) * np.linalg.norm(seen)
    return turns @ seen / np.maximum(sizes, 1e-3)


def camera_delay(picture_s: np.ndarray, profiles: np.ndarray, turned_s: np.ndarray,
                 turned_rad: np.ndarray) -> tuple[float, float]:
    """Return how much later than odometry's a picture's stamp is, s, and the correlation.

    (N,) stamps and (N, W) columns of pictures, (M,) stamps and (M,) unwrapped yaw. Positive: what
    the picture shows was so before its stamp.
    """
    order = np.argsort(picture_s, kind='stable')
    t, profiles = np.asarray(picture_s, float)[order], np.asarray(profiles)[order]
    if len(t) < FEWEST or len(turned_s) < FEWEST:
        raise Unclear(f'{len(t)} images and {len(turned_s)} readings of odometry came; '
                      f'{FEWEST} of each are needed')
    seen = np.array([shift(a, b) for a, b in zip(profiles[:-1], profiles[1:])])
    tried = np.arange(EARLIEST_S, LATEST_S, STEP_S)
    inside = (t[:-1] - LATEST_S >= turned_s[0]) & (t[1:] - EARLIEST_S <= turned_s[-1])
    gaps = np.diff(t)
    inside &= gaps < 3 * np.median(gaps)        # a picture that was lost hides what happened
    whole = np.count_nonzero(inside)
    if whole < FEWEST / 2:
        raise Unclear(f'{whole} images fall within what odometry tells; do their clocks agree?')
    turns = np.array([np.diff(np.interp(t - by, turned_s, turned_rad)) for by in tried])
    for _ in range(AGAIN):
        alike = correlations(turns[:, inside], seen[inside])
        best = int(np.argmax(alike))
        if alike[best] <= 0.0:
            break
        slope, offset = np.polyfit(turns[best][inside], seen[inside], 1)
        off = np.abs(seen - slope * turns[best] - offset)       # where the picture was misread
        inside &= off <= max(SURE, MISREAD * float(np.median(off[inside])))
    if alike[best] < ALIKE or np.count_nonzero(inside) < READ * whole:
        raise Unclear(f'what {np.count_nonzero(inside)} of {whole} images show follows the turn '
                      f'by {alike[best]:.2f}, {ALIKE} and {READ:.0%} are needed; point the camera '
                      'at furniture, in good light, and let nobody walk by')
    if best in (0, len(tried) - 1):
        raise Unclear(f'the camera is off by more than {LATEST_S} s: its stamps and those of '
                      'odometry come from different clocks')
    low, at, high = alike[best - 1:best + 2]
    bend = low - 2 * at + high
    return float(tried[best] + STEP_S * (0.5 * (low - high) / bend if bend < 0 else 0.0)), at
