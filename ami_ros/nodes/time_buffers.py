# SPDX-License-Identifier: Apache-2.0
"""
Buffers recent data by stamp: body readings that match a frame, and commands that were sent.

Written by callbacks and read by a worker; every change replaces a tuple, so that nobody waits.
"""

from bisect import bisect_left

import numpy as np

from ami_ros.core.geometry import Rescaled, wrap
from ami_ros.core.types import Command, Odometry

READINGS, COMMANDS = 32, 256    # so many are remembered
Reading = tuple[np.ndarray, np.ndarray]     # body and odometry, as in Frame
YAW = 2                         # column of odometry that is an angle


class TrackBuffer:
    """Readings (K,) float64 in order of stamps; one that goes back in time begins anew."""

    def __init__(self, angle: int | None = None):
        self.angle = angle
        self.kept: tuple[tuple[int, np.ndarray], ...] = ()

    def put(self, stamp_ns: int, values: np.ndarray) -> None:
        """Add a reading."""
        kept = self.kept
        if kept and stamp_ns <= kept[-1][0]:
            kept = ()
        self.kept = (*kept[1 - READINGS:], (stamp_ns, values))

    def at(self, stamp_ns: int, reach_ns: int) -> np.ndarray | None:
        """Give the reading of an instant: itself, between two, or one no further off than reach.

        None where there is none of the kind; a reach of zero asks for the very stamp.
        """
        kept = self.kept
        index = bisect_left(kept, stamp_ns, key=lambda reading: reading[0])
        if index < len(kept) and kept[index][0] == stamp_ns:
            return kept[index][1]
        if reach_ns == 0 or not kept:
            return None
        if 0 < index < len(kept):
            (low_ns, low), (high_ns, high) = kept[index - 1:index + 1]
            step = high - low
            if self.angle is not None:
                step[self.angle] = wrap(step[self.angle])
            return low + (stamp_ns - low_ns) / (high_ns - low_ns) * step
        nearest_ns, nearest = kept[min(index, len(kept) - 1)]
        return nearest if abs(stamp_ns - nearest_ns) <= reach_ns else None


class BodyBuffer:
    """Odometry and gyro; a robot without an IMU is taken to turn as its odometry says."""

    def __init__(self, max_age_s: float, lock_step: bool,
                 scale: tuple[float, float] = (1.0, 1.0)):
        self.reach_ns = 0 if lock_step else round(max_age_s * 1e9)
        self.scale = Rescaled(*scale)
        self.lock_step = lock_step
        self.odometry, self.gyro = TrackBuffer(YAW), TrackBuffer()

    def on_odometry(self, odometry: Odometry) -> None:
        """Take a reading."""
        self.odometry.put(odometry.stamp_ns, np.concatenate(
            [self.scale.pose(odometry.pose), self.scale.twist(odometry.twist)]))

    def on_gyro(self, yaw_rate_radps: float, stamp_ns: int) -> None:
        """Take a reading."""
        self.gyro.put(stamp_ns, np.array([yaw_rate_radps]))

    def at(self, stamp_ns: int) -> Reading | None:
        """Give body (3,) float32 and odometry (3,) float64 as a Frame wants them, or None."""
        odometry = self.odometry.at(stamp_ns, self.reach_ns)
        gyro = self.gyro.at(stamp_ns, self.reach_ns)
        if gyro is None and odometry is not None and not self.gyro.kept and not self.lock_step:
            gyro = odometry[4:]
        if odometry is None or gyro is None:
            return None
        return np.array([*odometry[3:], *gyro], np.float32), odometry[:3]

    def missing(self, stamp_ns: int) -> str:
        """Say in one sentence what did not come in time."""
        said = []
        for name, track in (('odom', self.odometry), ('imu', self.gyro)):
            if track.kept and track.at(stamp_ns, self.reach_ns) is None:
                off_s = (stamp_ns - track.kept[-1][0]) / 1e9
                said.append(f'the newest {name} is {off_s:.3f} s older than the image')
            elif not track.kept and name == 'odom':
                said.append('no odom has come')
        return f'{" and ".join(said)}; at most {self.reach_ns / 1e9:g} s is right'


class Commands:
    """What the critic let through, in order of time."""

    def __init__(self):
        self.kept: tuple[Command, ...] = ()

    def on_command(self, command: Command) -> None:
        """Take a command; a second one of the same instant stands for the first."""
        kept = self.kept
        if kept and command.stamp_ns <= kept[-1].stamp_ns:
            kept = kept[:-1] if command.stamp_ns == kept[-1].stamp_ns else ()
        self.kept = (*kept[1 - COMMANDS:], command)

    def since(self, stamp_ns: int) -> tuple[Command, ...]:
        """Return those from an instant on."""
        kept = self.kept
        return kept[bisect_left(kept, stamp_ns, key=lambda command: command.stamp_ns):]

    def has(self, stamp_ns: int) -> bool:
        """Tell whether there is one of this very instant."""
        return any(command.stamp_ns == stamp_ns for command in reversed(self.kept))

    def clear(self) -> None:
        """Forget."""
        self.kept = ()
