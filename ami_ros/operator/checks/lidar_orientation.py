# SPDX-License-Identifier: Apache-2.0
"""
Whether a lidar points where the URDF says: what it sees must stand still while the robot drives.

Two scans are laid over each other by what odometry says of the way between them. For a lidar that
is turned otherwise than the URDF says, walls move along a wrong direction. Only a way ahead or
back shows that. Only a turn shows whether left and right are exchanged, as of a lidar that hangs
upside down. A robot at rest shows neither.
"""

import math
from typing import cast

import numpy as np

from ami_ros.core.findings import Finding, good, UNCHECKED, WRONG
from ami_ros.operator.checks.observation import Beams, Observation, Reading
from ami_ros.robots.sensor import Sensor
from ami_ros.robots.urdf import rotation

LEAST_M, MOST_M = 0.15, 0.8     # of the way between the two scans
LEAST_RAD, MOST_RAD = 0.25, 1.0     # and of the turn
STEP_DEG = 5
NEAR_DEG = 10           # a smaller difference is not told by this
FITS_M = 0.03           # a median distance that is as good as none
BETTER = 0.5            # another direction must fit this much better
FEWEST = 20             # beams that both scans see


def lidars(seen: Observation) -> list[Finding]:
    """Compare each planar lidar with odometry, where the robot drove meanwhile."""
    poses = [(r.stamp_ns, *r.said.pose) for r in seen.channels[seen.robot.odometry.name].readings
             if r.said is not None and r.stamp_ns]
    out = []
    for sensor in seen.robot.sensors_of('LaserScan'):
        scans = [r for r in seen.channels[sensor.name].readings if r.said is not None]
        if scans:
            told = np.array(poses, float).reshape(-1, 4)
            out += [bearing(seen, sensor, scans, told), sides(seen, sensor, scans, told)]
    return out


def bearing(seen: Observation, sensor: Sensor, scans: list[Reading],
            poses: np.ndarray) -> Finding:
    """Say whether the walls stand still with the direction of the URDF."""
    what, wanted = f'{sensor.name}: direction', f'as {seen.robot.urdf} mounts {sensor.link}'
    pair = farthest(scans, poses, turning=False)
    if pair is None:
        return Finding(UNCHECKED, what, f'not compared: the robot did not drive {LEAST_M} m '
                       'straight by odometry while this listened', wanted,
                       'Drive a little ahead and back meanwhile: ami-ros teleop in another '
                       'terminal, ami-ros doctor --seconds 20 here.')
    first, second, moved = pair
    place = seen.robot.body.mount(sensor.link)
    errors = {turn: apart(first, second, moved, place, sensor, turn)
              for turn in range(-180, 180, STEP_DEG)}
    turn = min(errors, key=errors.__getitem__)
    as_said, least = errors[0], errors[turn]
    way = f'{abs(moved[0] + 1j * moved[1]):.2f} m'
    if not math.isfinite(as_said) and not math.isfinite(least):
        return Finding(UNCHECKED, what, 'not compared: too few beams see the same walls', wanted)
    if as_said <= FITS_M or abs(turn) <= NEAR_DEG:
        return good(what, f'walls stand still within {1e2 * as_said:.0f} cm over {way}', wanted)
    if least > BETTER * as_said:
        return Finding(UNCHECKED, what, f'not compared: what it sees fits no direction ('
                       f'{1e2 * as_said:.0f} cm off over {way})', wanted,
                       'Drive straight, slowly, where nothing else moves.')
    return Finding(WRONG, what, f'walls move by {1e2 * as_said:.0f} cm over {way}; they stand '
                   f'still if it is turned by {turn} degrees from there', wanted,
                   f'Correct the joint of {sensor.link} in the URDF: add {turn} degrees '
                   f'({math.radians(turn):.2f} rad) to its yaw; or turn the lidar. If odometry '
                   'says ahead where the robot drives back, mend that first.')


def sides(seen: Observation, sensor: Sensor, scans: list[Reading],
          poses: np.ndarray) -> Finding:
    """Say whether left is left, as a turn shows it."""
    what, wanted = f'{sensor.name}: left and right', f'as {seen.robot.urdf} mounts {sensor.link}'
    pair = farthest(scans, poses, turning=True)
    if pair is None:
        return Finding(UNCHECKED, what, f'not compared: the robot did not turn {LEAST_RAD} rad by '
                       'odometry while this listened', wanted,
                       'Turn a little to both sides meanwhile: ami-ros teleop in another '
                       'terminal, '
                       'ami-ros doctor --seconds 20 here.')
    first, second, moved = pair
    place, degrees = seen.robot.body.mount(sensor.link), abs(math.degrees(moved[2]))
    as_said, other = (apart(first, second, moved, place, sensor, 0, mirrored)
                      for mirrored in (False, True))
    if as_said <= FITS_M or as_said <= other < math.inf:
        return good(what, f'walls stand still within {1e2 * as_said:.0f} cm over a turn of '
                    f'{degrees:.0f} degrees', wanted)
    if not other <= BETTER * as_said:
        return Finding(UNCHECKED, what, 'not compared: too little of the walls is seen', wanted)
    return Finding(WRONG, what, f'walls move by {1e2 * as_said:.0f} cm over a turn of '
                   f'{degrees:.0f} degrees; they stand still if left and right are exchanged',
                   wanted, f'Correct the joint of {sensor.link} in the URDF: roll pi, where the '
                   'lidar hangs upside down; or the sign of the turn in odometry.')


def farthest(scans: list[Reading], poses: np.ndarray, turning: bool
             ) -> tuple[Beams, Beams, tuple[float, float, float]] | None:
    """Return two scans with a good way or turn between them, and the second pose in the first."""
    if len(poses) < 2:
        return None
    order = np.argsort(poses[:, 0], kind='stable')
    t, x, y, yaw = poses[order].T
    yaw, best = np.unwrap(yaw), None
    inside = [r for r in scans if t[0] <= r.stamp_ns <= t[-1]]
    at = np.array([[np.interp(r.stamp_ns, t, value) for value in (x, y, yaw)] for r in inside])
    for i in range(0, len(inside), max(1, len(inside) // 20)):
        ahead = ((at[:, 0] - at[i, 0]) + 1j * (at[:, 1] - at[i, 1])) * np.exp(-1j * at[i, 2])
        turned = at[:, 2] - at[i, 2]
        way = np.where((np.abs(ahead) <= MOST_M) & (np.abs(turned) <= MOST_RAD),
                       np.abs(turned) if turning else np.abs(ahead.real), 0.0)
        j = int(way.argmax())
        if way[j] >= (LEAST_RAD if turning else LEAST_M) and (best is None or way[j] > best[0]):
            best = (way[j], inside[i].said, inside[j].said,
                    (float(ahead[j].real), float(ahead[j].imag), float(turned[j])))
    return None if best is None else best[1:]


def points(scan: Beams, sensor: Sensor, place: tuple[float, ...], turn_deg: float,
           mirrored: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return what a scan hit, (N,) complex in base_link, and at which beams (R,) bool."""
    low, high = cast(tuple[float, float], sensor.range_m)
    hits = (scan.ranges >= low) & (scan.ranges <= high)
    angles = scan.angle_min + scan.angle_step * np.flatnonzero(hits)
    beams = np.exp(1j * (-angles if mirrored else angles)) * np.exp(1j * math.radians(turn_deg))
    away = scan.ranges[hits] * beams
    turned = rotation(*place[3:])[:2, :2] @ np.stack([away.real, away.imag])
    return turned[0] + 1j * turned[1] + complex(place[0], place[1]), hits


def apart(first: Beams, second: Beams, moved: tuple[float, float, float],
          place: tuple[float, ...], sensor: Sensor, turn_deg: float,
          mirrored: bool = False) -> float:
    """Return the median distance, m, along the beams of the first scan; inf where too few tell."""
    one, _ = points(first, sensor, place, turn_deg, mirrored)
    two, _ = points(second, sensor, place, turn_deg, mirrored)
    two = two * np.exp(1j * moved[2]) + complex(moved[0], moved[1])
    origin = complex(place[0], place[1])
    one, two = one - origin, two - origin
    if len(one) < FEWEST or len(two) < FEWEST:
        return math.inf
    order = np.argsort(np.angle(one))
    bearings, ranges = np.angle(one)[order], np.abs(one)[order]
    told = np.interp(np.angle(two), bearings, ranges, period=2 * math.pi)
    return float(np.median(np.minimum(np.abs(told - np.abs(two)), 0.5)))
