# SPDX-License-Identifier: Apache-2.0
"""Whether scans mean what the robot file says: beams, limits, what nothing in range looks like."""

import math
from typing import cast

import numpy as np

from ami_ros.core.findings import Finding, good, UNCHECKED, WARN, WRONG
from ami_ros.operator.checks.observation import Beams, Observation
from ami_ros.robots.sensor import Sensor

OFF_DEG = 2.0               # by which a beam may look elsewhere than the robot file says
MANY = 0.02                 # share of readings of one value from which it has a meaning
LIKELY = 0.05               # share of all that are the same to the millimetre, beyond the range


def lidars(seen: Observation) -> list[Finding]:
    """Check every planar lidar that speaks."""
    out = []
    least = seen.policy.shared.min_valid_beams if seen.policy else 0.5
    for sensor in seen.robot.sensors_of('LaserScan'):
        scans = [r.said for r in seen.channels[sensor.name].readings if r.said is not None]
        if scans:
            out += beams(sensor, scans[-1]) + limits(sensor, scans[-1])
            out += returns(sensor, scans, least)
    for sensor in seen.robot.sensors_of('PointCloud2', 'Range'):
        if seen.channels[sensor.name].readings:
            out.append(Finding(UNCHECKED, f'{sensor.name}: values', f'not compared: what a '
                               f'{sensor.kind} says is not looked at here', '',
                               'Hold something before it and see that the critic stops for it: '
                               'ami-ros teleop.'))
    return out


def beams(sensor: Sensor, scan: Beams) -> list[Finding]:
    """Check number and angles."""
    count, what = len(scan.ranges), f'{sensor.name}: beams'
    angles = scan.angle_min, scan.angle_step
    if count == 0 or not all(map(math.isfinite, angles)) or scan.angle_step == 0.0:
        return [Finding(WRONG, what, f'{count} from {angles[0]} rad every {angles[1]} rad',
                        f'{sensor.beams}', 'See whether the driver knows its model.')]
    around = math.degrees(abs(scan.angle_step) * count)
    said = f'{count} over {around:.0f} degrees from {math.degrees(scan.angle_min):.0f} on'
    out = []
    if around > 362:
        out.append(Finding(WRONG, what, said, 'once around at most',
                           'angle_increment must be in radians, not degrees.'))
    elif sensor.beams and abs(count - sensor.beams) > 0.02 * sensor.beams:
        out.append(Finding(WARN, what, said, str(sensor.beams),
                           f'Write beams: {count} for {sensor.name} in the robot file.'))
    elif wrong := elsewhere(sensor, scan):
        out.append(Finding(WRONG, what, said, wrong, 'Write angle_min_rad: '
                           f'{scan.angle_min:.4f} and angle_max_rad: {last(scan):.4f} for '
                           f'{sensor.name} in the robot file, if that is how it is mounted.'))
    else:
        out.append(good(what, said, str(sensor.beams or '')))
    return out


def last(scan: Beams) -> float:
    """Return where the last beam looks, rad."""
    return scan.angle_min + scan.angle_step * (len(scan.ranges) - 1)


def elsewhere(sensor: Sensor, scan: Beams) -> str:
    """Say what the robot file says of the directions, where the scan says otherwise; or ''."""
    if sensor.angle_min_rad is None or sensor.angle_max_rad is None:
        return ''
    off = max(abs(math.remainder(scan.angle_min - sensor.angle_min_rad, 2 * math.pi)),
              abs(math.remainder(last(scan) - sensor.angle_max_rad, 2 * math.pi)))
    return '' if math.degrees(off) <= OFF_DEG else (
        f'from {math.degrees(sensor.angle_min_rad):.0f} to '
        f'{math.degrees(sensor.angle_max_rad):.0f} degrees')


def limits(sensor: Sensor, scan: Beams) -> list[Finding]:
    """Check that the robot file counts nothing that the lidar cannot measure."""
    what = f'{sensor.name}: range'
    low, high = cast(tuple[float, float], sensor.range_m)
    said, wanted = f'{scan.limits[0]:g} to {scan.limits[1]:g} m', f'{low:g} to {high:g} m'
    if high > scan.limits[1] + 1e-3 or low < scan.limits[0] - 1e-3:
        return [Finding(WRONG, what, said, wanted,      # the critic does not read such scans
                        f'Write range_m: [{scan.limits[0]:g}, {scan.limits[1]:g}] for '
                        f'{sensor.name} in the robot file, or narrower.')]
    return [good(what, said, wanted)]


def returns(sensor: Sensor, scans: list[Beams], least: float) -> list[Finding]:
    """Check the share of readings that mean anything, and guess what no return looks like."""
    what, said = f'{sensor.name}: valid', np.concatenate([scan.ranges for scan in scans])
    low, high = map(np.float32, cast(tuple[float, float], sensor.range_m))
    inside = (said >= low) & (said <= high)
    valid = inside | (said == np.float32(sensor.no_return))
    share, guess = float(valid.mean()), no_return(said[~valid], len(said))
    measured = (f'{100 * share:.0f} % of beams, {100 * float(inside.mean()):.0f} % hit something'
                + ''.join(f', {100 * part:.0f} % {name}' for name, part in kinds(said[~valid],
                                                                                 len(said))))
    wanted = f'{100 * least:.0f} % or more'
    if share < least:
        fix = (f'Nothing in range looks like {written(guess)} here: write no_return: '
               f'{written(guess)} for {sensor.name} in the robot file, once you saw that an open '
               'door reads so.' if guess is not None else
               'Clean the window of the lidar, and see that nothing covers it; readings below '
               'range_m are the robot itself.')
        return [Finding(WRONG if sensor.required else WARN, what, measured, wanted, fix)]
    if guess is not None:
        said_now = written(cast(float, sensor.no_return))
        return [Finding(WARN, what, measured, f'no_return: {said_now}',
                        f'Is no_return: {written(guess)} right for {sensor.name} in the robot '
                        'file? Point it at an open door.')]
    if not inside.any():
        return [Finding(WARN, what, measured, 'something in range',
                        'Hold a hand before it; if nothing changes, the lidar measures nothing.')]
    return [good(what, measured, wanted)]


def kinds(odd: np.ndarray, count: int) -> list[tuple[str, float]]:
    """Name what readings are that mean nothing, and their share of all, the largest first."""
    near = np.isfinite(odd) & (odd > 0)
    parts = {'+inf': np.isposinf(odd), 'NaN': np.isnan(odd), '0.0': odd == 0, '-inf':
             np.isneginf(odd), 'out of range': near, 'negative': np.isfinite(odd) & (odd < 0)}
    shares = [(name, float(part.sum()) / count) for name, part in parts.items()]
    return sorted((s for s in shares if s[1] >= MANY), key=lambda s: -s[1])


def no_return(odd: np.ndarray, count: int) -> float | None:
    """Guess what a lidar says where it sees nothing, from readings that mean nothing yet."""
    if np.isposinf(odd).sum() >= LIKELY * count:
        return math.inf
    finite = odd[np.isfinite(odd)]
    if len(finite) == 0:
        return None
    values, times = np.unique(np.round(finite, 3), return_counts=True)
    most = int(times.argmax())
    return float(values[most]) if times[most] >= LIKELY * count else None


def written(value: float) -> str:
    """Write a number as YAML has it."""
    return '.inf' if value == math.inf else f'{value:g}' if value else '0.0'
