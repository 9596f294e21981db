# SPDX-License-Identifier: Apache-2.0
"""
Finds the deceleration that a policy may count on, from the worst of several stops.

The rules allow a stop from v the way v * lag + v^2 / (2 a). The a of a run is the largest that
still covers its way; the a of the robot is the smallest of them, rounded down.
"""

from dataclasses import dataclass, replace
import math

import numpy as np

from ami_ros.operator.calibration.measurement import Measurement, said, spread, Unclear
from ami_ros.operator.calibration.odometry_track import line, MotionTrack

BEFORE_S = 0.3              # so long before the stop the speed is read
SLOWEST_MPS = 0.05          # a stop from less says nothing
RESOLUTION_M = 0.005        # what odometry and its interpolation can tell of a way
MOST_MPS2 = 5.0             # a friction of 0.5; more is what the lag covers already
SLIDE_M = 0.02              # what the wall tells of a way is surer than this
STILL_MPS = 0.01            # slower than this it stands
NEARLY = 0.8                # of the robot's speed: a stop from there tells of all its stops
SHARE, LEAST_M = 0.15, 0.02     # of the way: how far stops from one speed may lie apart


@dataclass(frozen=True)
class Halt:
    """One stop, from the command to standstill."""

    speed_mps: float
    way_m: float
    seconds: float      # until no more than RESOLUTION_M is left of it

    def braking_mps2(self, lag_s: float) -> float:
        """Return the largest deceleration that covers this stop, given what the lag covers."""
        beyond = self.way_m + RESOLUTION_M - self.speed_mps * lag_s
        most = self.speed_mps**2 / (2 * max(beyond, 1e-9))
        return min(most, MOST_MPS2)


def halt(odometry: MotionTrack, zero_s: float) -> Halt:
    """Read the stop that was commanded at zero_s; the track goes on until it stands."""
    t, way = odometry.t_s, odometry.way_m
    begun, speed = line(t, way, zero_s - BEFORE_S, zero_s)
    if abs(speed) < SLOWEST_MPS:
        raise Unclear(f'it moved at {abs(speed):.3f} m/s when it was stopped; {SLOWEST_MPS} at '
                      'least say something')
    end, creep = line(t, way, t[-1] - BEFORE_S, t[-1])
    if abs(creep) > STILL_MPS:
        raise Unclear(f'it still moves at {abs(creep):.3f} m/s {t[-1] - zero_s:.1f} s after the '
                      'stop; something pushes it, or the floor slopes')
    sign = math.copysign(1.0, speed)
    left = sign * (end - way[t >= zero_s])
    moving = np.flatnonzero(left > RESOLUTION_M)
    last = t[t >= zero_s][moving[-1]] if len(moving) else zero_s
    return Halt(abs(speed), max(0.0, sign * (end - begun)), float(last - zero_s))


def slid(stop: Halt, real_m: float, told_m: float, scale: float) -> Halt:
    """Add what a stop slid: the drive from rest to rest by the wall, beyond what wheels tell.

    told_m is odometry's of the same drive, scale what it is multiplied with where nothing slides.
    Less than the wall can tell is no slide.
    """
    beyond = abs(real_m) - abs(told_m) * scale
    return replace(stop, way_m=stop.way_m + beyond) if beyond > SLIDE_M else stop


def braking(halts: list[Halt], lag_s: float, seen: str = 'odometry') -> Measurement:
    """Cover every stop, given the lag that the rules allow for besides."""
    each = [h.braking_mps2(lag_s) for h in halts]
    worst = halts[int(np.argmin(each))]
    value = round_down(min(each))
    # stops from one speed are alike: what is left of the ways without what the speed explains
    speeds, ways = (np.array([getattr(h, k) for h in halts]) for k in ('speed_mps', 'way_m'))
    parts = np.stack([speeds, speeds**2], 1)
    rest = ways - parts @ np.linalg.lstsq(parts, ways, rcond=None)[0]
    told = ', '.join(f'{h.way_m:.3f} m in {h.seconds:.2f} s from {h.speed_mps:.2f} m/s'
                     for h in sorted(halts, key=lambda h: h.speed_mps))
    remarks = (f'the lag of {said(lag_s)} s covers the stops alone; {said(value)} m/s^2 is what '
               'this way of measuring can promise at most',) if value >= MOST_MPS2 else ()
    return Measurement('braking', {'braking_mps2': value}, 'm', tuple(ways.tolist()), spread(rest),
                 max(LEAST_M, SHARE * worst.way_m),
                 f'covers the worst of {len(halts)} stops besides a lag of {said(lag_s)} s, by '
                 f'{seen}; {told}', remarks)


def bounded(found: Measurement, halts: list[Halt], most_mps: float,
            known_mps2: float) -> Measurement:
    """Promise no more than the robot file does where stops were only seen from lower speeds."""
    fastest = max(h.speed_mps for h in halts)
    if fastest >= NEARLY * most_mps:
        return found
    value = found.values['braking_mps2']
    kept = min(value, known_mps2)
    remark = (f'stops were measured from {said(fastest)} m/s at most, and the robot file allows '
              f'{said(most_mps)} m/s: nothing is known of faster stops')
    if kept < value:
        remark += (f', so the {said(known_mps2)} m/s^2 of the robot file stay, though '
                   f'{said(value)} were seen')
    return replace(found, values={**found.values, 'braking_mps2': kept},
                   remarks=(*found.remarks, remark))


def round_down(value: float) -> float:
    """Round down to two significant digits: never more than was seen."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return round(math.floor(value / unit + 1e-9) * unit, 9)
