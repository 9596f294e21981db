# SPDX-License-Identifier: Apache-2.0
"""
Finds by how much odometry is to be multiplied: of a way forward, and of a turn.

What it is compared with is a tape, a wall seen by the lidar, two scans, or a gyro; each names
itself in the note.
"""

import math

import numpy as np

from ami_ros.operator.calibration.measurement import Measurement, said, spread, Unclear

LEAST_M = 0.3               # a shorter way measures the noise
LEAST_RAD = math.pi         # and a smaller turn
ALLOWED = 0.015             # of a scale: how far runs may lie apart
LOW, HIGH = 0.5, 2.0        # beyond, an axis, a unit or a wheel is wrong altogether
AROUND_RAD = math.radians(60)   # so far from what odometry says a rotation is looked for
DISTINCT = 0.7              # the best match against a middling one: above, the room looks the same


def scale(name: str, key: str, pairs: list[tuple[float, float]], by: str) -> Measurement:
    """Compare (real, told) of several runs, both in m or both in rad."""
    least = LEAST_M if name == 'forward' else LEAST_RAD
    unit = 'm' if name == 'forward' else 'rad'
    for real, told in pairs:
        if not abs(told) >= least:
            raise Unclear(f'odometry says {told:.3f} {unit}, {least:.2f} at least are needed for '
                          'a scale; does it move at all?')
        if not LOW <= real / told <= HIGH:
            raise Unclear(f'odometry says {told:.3f} {unit} where {by} says {real:.3f}: that is '
                          'no scale but a wrong axis, unit or wheel size; mend that first')
    each = [real / told for real, told in pairs]
    ways = ', '.join(f'{said(told, 4)} told, {said(real, 4)} real' for real, told in pairs)
    return Measurement(name, {key: round(float(np.median(each)), 4)}, '1', tuple(each),
                       spread(each),
                 ALLOWED, f'real over told, against {by}; {ways} {unit}')


def rotation(before: np.ndarray, after: np.ndarray, angles: np.ndarray, near_rad: float) -> float:
    """Return by how much the lidar turned between two scans of one place, rad, near a guess.

    (R,) ranges m along (R,) even angles; what is not finite counts as nothing. The answer is the
    guess give or take AROUND_RAD; whole turns are not seen. Unclear where no rotation stands out.
    """
    step = float(angles[1] - angles[0])
    whole = abs(abs(step) * len(angles) - 2 * math.pi) < 1.5 * abs(step)
    beams = np.arange(len(angles))
    before, after = (np.where(np.isfinite(each), each, np.nan) for each in (before, after))

    def off(by: float) -> float:
        place = beams + by / step       # a beam now looks where this one looked before
        place = place % (2 * math.pi / abs(step)) if whole else place
        low = np.floor(place).astype(int)
        share, high = place - low, low + 1
        seen = np.ones(len(beams), bool) if whole else (low >= 0) & (high < len(beams))
        low, high = low % len(beams), high % len(beams)
        # an edge that is seen or not is no distance
        apart = np.minimum(np.abs(after - (1 - share) * before[low] - share * before[high]), 0.3)
        good = seen & np.isfinite(apart)
        return float(np.mean(apart[good])) if np.count_nonzero(good) > len(beams) / 4 else np.inf

    fine = abs(step) / 4
    tried = near_rad + np.arange(-math.ceil(AROUND_RAD / fine), math.ceil(AROUND_RAD / fine) + 1
                                 ) * fine
    costs = np.array([off(by) for by in tried])
    best = int(np.argmin(costs))
    if not np.isfinite(costs[best]):
        raise Unclear('the two scans share too few beams that hit something; turn in a room, '
                      'with something within range around it')
    if costs[best] > DISTINCT * np.median(costs[np.isfinite(costs)]):
        raise Unclear('the scans look alike from every heading; turn where furniture or corners '
                      'are around it')
    if best in (0, len(tried) - 1):
        raise Unclear(f'odometry is off by more than {math.degrees(AROUND_RAD):.0f} degrees; '
                      'turn less far, or mend the track width first')
    # the cost is a V about the truth: the lines on both sides meet there
    reach = 8
    low, high = max(0, best - reach), min(len(tried) - 1, best + reach)
    left, right = slice(low, best - 1), slice(best + 2, high + 1)
    if best - low < 4 or high - best < 4:
        return float(tried[best])
    (a, b), (c, d) = (np.polyfit(tried[s] - tried[best], costs[s], 1) for s in (left, right))
    met = (d - b) / (a - c) if a < 0 < c else 0.0
    return float(tried[best] + np.clip(met, -2 * fine, 2 * fine))


def middling(scans: np.ndarray) -> np.ndarray:
    """Return the median (R,) of (N, R) scans taken at rest; a beam that mostly misses is NaN."""
    scans = np.where(np.isfinite(scans), scans, np.nan)
    counted = np.isfinite(scans).sum(0)
    out = np.full(scans.shape[1], np.nan)
    often = counted * 2 > len(scans)
    if often.any():
        out[often] = np.nanmedian(scans[:, often], 0)
    return out


def gyrated(t_s: np.ndarray, rate_radps: np.ndarray, low_s: float, high_s: float,
            rest: tuple[float, float]) -> float:
    """Integrate a gyro (N,) from low_s to high_s, less what it says at rest (from, to)."""
    still = (t_s >= rest[0]) & (t_s <= rest[1])
    moving = (t_s >= low_s) & (t_s <= high_s)
    if np.count_nonzero(still) < 10 or np.count_nonzero(moving) < 10:
        raise Unclear(f'{np.count_nonzero(still)} readings of the gyro at rest, '
                      f'{np.count_nonzero(moving)} in motion; ten each are needed')
    rate = rate_radps[moving] - np.median(rate_radps[still])
    return float(np.sum((rate[1:] + rate[:-1]) / 2 * np.diff(t_s[moving])))
