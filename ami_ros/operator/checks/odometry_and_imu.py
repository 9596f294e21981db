# SPDX-License-Identifier: Apache-2.0
"""Odometry and IMU: finite, plausible, in the right units, as far as a robot at rest can tell."""

import math

import numpy as np

from ami_ros.core.findings import Finding, good, UNCHECKED, WARN, WRONG
from ami_ros.operator.checks.observation import Observation

G_MPS2 = 9.81
G_LEEWAY = 0.5              # m/s^2; scale and bias of a cheap IMU
REST_MPS, REST_RADPS = 0.02, 0.05
BIAS_RADPS = 0.02           # 1.1 degrees a second
REACH = 1.5                 # of the robot's own speed; faster is a jump
JUMP_M = 0.05               # besides
AGREE = 0.3                 # share by which told speed and told way may differ


def odometry(seen: Observation) -> list[Finding]:
    """Check that it is finite, turns by a quaternion, does not jump, and agrees with itself."""
    sensor = seen.robot.odometry
    readings = [r for r in seen.channels[sensor.name].readings if r.said is not None]
    if not readings:
        return []
    what = f'{sensor.name}: values'
    numbers = np.array([(*r.said.pose, *r.said.twist) for r in readings])
    if not np.isfinite(numbers).all():
        return [Finding(WRONG, what, 'some are not finite', 'finite',
                        'See what the driver divides by; the critic stops the robot for these.')]
    turns = np.array([r.said.turn for r in readings])
    if not np.allclose(turns, 1.0, atol=0.01):
        return [Finding(WRONG, what, f'a quaternion of length {turns.min():.2f}', '1',
                        'Let the driver fill pose.pose.orientation (w = 1 is no turn at all).')]
    return jumps(sensor.name, seen, readings, numbers) + agrees(sensor.name, readings, numbers)


def jumps(name: str, seen: Observation, readings: list, numbers: np.ndarray) -> list[Finding]:
    """Check that no step is longer than the robot can go."""
    steps = np.linalg.norm(np.diff(numbers[:, :2], axis=0), axis=1)
    times = np.diff([r.stamp_ns or r.steady_ns for r in readings]) / 1e9
    most = REACH * seen.robot.max_speed_mps * np.maximum(times, 0.0) + JUMP_M
    if (steps > most).any():
        worst = int((steps - most).argmax())
        return [Finding(WRONG, f'{name}: jumps',
                        f'{steps[worst]:.2f} m in {times[worst]:.3f} s',
                        f'at most {seen.robot.max_speed_mps:g} m/s',
                        'Name the odometry of the wheels, not a pose that a map corrects.')]
    return []


def agrees(name: str, readings: list, numbers: np.ndarray) -> list[Finding]:
    """Check that the way is what the speeds add up to; a robot at rest cannot tell."""
    what, speeds = f'{name}: values', numbers[:, 3:]
    if (np.abs(speeds) < (REST_MPS, REST_RADPS)).all():
        drift = float(np.linalg.norm(numbers[-1, :2] - numbers[0, :2]))
        if drift > JUMP_M:
            return [Finding(WARN, what, f'it says no speed, and went {drift:.2f} m',
                            'both or none',
                            'Let the driver fill twist.twist: the critic brakes by it.')]
        return [good(what, 'finite, at rest; scale and sign show when it drives: ami-ros '
                     'calibrate')]
    times = np.diff([r.stamp_ns or r.steady_ns for r in readings]) / 1e9
    told = float((np.abs(speeds[:-1, 0]) * times).sum())
    went = float(np.linalg.norm(np.diff(numbers[:, :2], axis=0), axis=1).sum())
    said = f'speeds add up to {told:.2f} m, the way is {went:.2f} m'
    if abs(told - went) > AGREE * max(told, went) and max(told, went) > 0.1:
        return [Finding(WARN, what, said, 'the same', 'One of them has another unit: m/s and m.')]
    return [good(what, f'finite; {said}')]


def at_rest(seen: Observation) -> bool | None:
    """Tell by odometry whether the robot stands; None where there is none."""
    readings = [r.said for r in seen.channels[seen.robot.odometry.name].readings
                if r.said is not None]
    if not readings:
        return None
    speeds = np.abs([said.twist for said in readings])
    return bool((speeds < (REST_MPS, REST_RADPS)).all())


def imus(seen: Observation) -> list[Finding]:
    """Check every IMU that speaks, as far as a robot at rest can tell."""
    out, rest = [], at_rest(seen)
    for sensor in seen.robot.sensors_of('Imu'):
        felt = [r.said for r in seen.channels[sensor.name].readings if r.said is not None]
        if not felt:
            continue
        spin, accel = (np.array([getattr(f, name) for f in felt]) for name in ('spin', 'accel'))
        if not (np.isfinite(spin).all() and np.isfinite(accel).all()):
            out.append(Finding(WARN, f'{sensor.name}: values', 'some are not finite', 'finite',
                               'See what the driver sends before its first reading.'))
        elif rest is not True:
            out.append(Finding(UNCHECKED, f'{sensor.name}: gravity', 'the robot moves, or nobody '
                               'says that it stands', f'{G_MPS2} m/s^2 up',
                               'Let it stand on level ground, then ask again.'))
        else:
            turn = seen.robot.body.turn(sensor.link)    # into base_link, as mind and critic do
            out += gravity(sensor.name, turn @ accel.mean(axis=0)) + bias(sensor.name,
                                                                          spin @ turn.T)
    return out


def gravity(name: str, accel: np.ndarray) -> list[Finding]:
    """Check unit and direction of what is felt at rest: up, REP 145."""
    what, wanted = f'{name}: gravity', f'about {G_MPS2} m/s^2 on z'
    much = float(np.linalg.norm(accel))
    said = ', '.join(f'{v:.2f}' for v in accel) + ' m/s^2'
    if abs(much - 1.0) < 0.1:
        return [Finding(WARN, what, f'{said}: that is in g', wanted,
                        'Let the driver multiply by 9.80665.')]
    if much < 0.5:
        return [Finding(WARN, what, f'{said}: gravity is taken away', wanted,
                        'Let the driver send raw acceleration (REP 145), as imu/data_raw has it.')]
    if abs(much - G_MPS2) > G_LEEWAY:
        return [Finding(WARN, what, said, wanted, 'Calibrate its scale, or correct the unit.')]
    if accel[2] < -0.9 * much:
        return [Finding(WARN, what, f'{said}: upside down', wanted,
                        f'Correct the roll of the link of {name} in the URDF, or let the driver '
                        'turn its axes: in base_link, at rest, z measures +9.81, not -9.81.')]
    if accel[2] < 0.95 * much:
        tilt = math.degrees(math.acos(accel[2] / much))
        return [Finding(WARN, what, f'{said}: tilted by {tilt:.0f} degrees', wanted,
                        'Stand it on level ground; else correct the mount in the URDF.')]
    return [good(what, said, wanted)]


def bias(name: str, spin: np.ndarray) -> list[Finding]:
    """Check what the gyroscope says at rest; sign and unit cannot be known there."""
    mean, noise = spin.mean(axis=0), float(spin.std(axis=0).max())
    said = f'{float(np.abs(mean).max()):.4f} rad/s, noise {noise:.4f}'
    wanted = f'under {BIAS_RADPS} rad/s'
    out = [good(f'{name}: bias', said, wanted) if np.abs(mean).max() <= BIAS_RADPS else Finding(
        WARN, f'{name}: bias', said, wanted,
        'Let the driver take the bias off while the robot stands; degrees instead of radians '
        'look like this, too.')]
    return [*out, Finding(UNCHECKED, f'{name}: sign', 'cannot be known at rest',
                          'turning left is positive z',
                          'Turn the robot to the left by hand and look: ros2 topic echo '
                          '--field angular_velocity.z')]
