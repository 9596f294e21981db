# SPDX-License-Identifier: Apache-2.0
"""Stops when a camera gives far fewer pictures than the robot file says."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.rules.camera_image import cameras
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class CameraRateParams(Settings):
    """How many of the pictures must come."""

    min_rate: float = setting(
        None, '1', 0.0, 0.9,
        'Minimum camera rate as a share of the rate in the robot file', strict='higher')
    rate_s: float = setting(None, 's', 0.2, 5.0, 'Time window for measuring the camera rate')


@dataclass(frozen=True)
class CameraRate:
    """Pictures within rate_s / rate_s >= min_rate * hz of the robot file; each required camera.

    Once it has been heard for a whole window. `input_timeout` stops in the gaps between slow
    pictures;
    this rule keeps the robot from driving on in bursts, one a picture. A lidar or odometry needs
    no such rule: what comes too rarely is too old by then.
    """

    min_rate: float
    rate_s: float
    hz: tuple[tuple[str, float], ...]   # by name, of the required cameras
    name: str = 'camera_rate'
    release: ClassVar[str] = 'pictures come as often as the robot file says'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        came = {camera.name: camera.arrivals for camera in situation.memory.cameras}
        begin = situation.now_steady_ns - self.rate_s * 1e9
        for name, hz in self.hz:
            arrivals = came.get(name, ())
            rate = (len(arrivals) - bisect_right(arrivals, begin)) / self.rate_s
            if arrivals and arrivals[0] <= begin and not rate >= self.min_rate * hz:
                raise Stop(f'{rate:.1f} pictures of the {name} come a second, '
                           f'{self.min_rate * hz:.1f} are needed')
        return Answer(command)


def make(own: CameraRateParams, shared: Shared, robot: Robot) -> CameraRate:
    """Make the rule of a policy."""
    return CameraRate(own.min_rate, own.rate_s,
                tuple((name, robot.sensor(name).hz) for name in cameras(robot)))
