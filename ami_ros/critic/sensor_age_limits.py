# SPDX-License-Identifier: Apache-2.0
"""Says which sensors of a robot the critic hears, and how old the word of each may be.

Joint states and camera_info it does not hear: those are the mind's, or for people.
"""

from dataclasses import dataclass
import math

from ami_ros.core.errors import AmiError
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot
from ami_ros.robots.sensor import PICTURES, Sensor

OLDEST = {      # kind: the number of the policy
    **dict.fromkeys(('LaserScan', 'PointCloud2', 'Range'), 'max_scan_age_s'),
    **dict.fromkeys(('Odometry', 'Imu'), 'max_odometry_age_s'),
    **dict.fromkeys(PICTURES, 'max_view_age_s'),
    **dict.fromkeys(('bumper', 'cliff', 'e_stop'), 'max_switch_age_s'),
}


@dataclass(frozen=True)
class Need:
    """One sensor that the critic hears."""

    name: str
    required: bool          # no motion without it
    oldest_s: float         # inf: it speaks only when it changes, so once is enough


def heard(robot: Robot) -> tuple[Sensor, ...]:
    """Return the sensors that matter to a rule; IMU and camera only where they are required."""
    return tuple(s for s in robot.sensors_of(*OLDEST)
                 if s.required or s.kind not in ('Imu', *PICTURES))


def needs(shared: Shared, robot: Robot) -> tuple[Need, ...]:
    """Join robot file and policy; ValueError where a sensor could never be young enough."""
    found = []
    for sensor in heard(robot):
        key = OLDEST[sensor.kind]
        oldest = getattr(shared, key) if sensor.hz else math.inf
        if sensor.hz and not sensor.hz * oldest >= 1:
            raise AmiError(f'{sensor.name} of {robot.name} speaks {sensor.hz} times a second '
                           f'and {key} is {oldest} s: it would always be too old')
        found.append(Need(sensor.name, sensor.required, oldest))
    return tuple(found)
