# SPDX-License-Identifier: Apache-2.0
"""Stops, until somebody resets it, when the robot leans, is picked up, or tumbles."""

from dataclasses import dataclass
import math
from typing import ClassVar

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot

GRAVITY_MPS2 = 9.80665      # standard gravity, ISO 80000-3


@dataclass(frozen=True)
class TiltParams(Settings):
    """How far up may be from the robot's own up."""

    max_tilt_deg: float = setting(
        None, 'deg', 1.0, 60.0, 'Maximum tilt angle in any direction', strict='lower')
    max_lift_mps2: float = setting(
        None, 'm/s^2', 0.2, 9.0,
        'Maximum deviation of the acceleration from gravity; a larger one means '
        'lifted or falling', strict='lower')
    filter_s: float = setting(
        None, 's', 0.02, 2.0,
        'Time constant of the acceleration filter; the robot first waits three times this long '
        'for IMU data')


@dataclass(frozen=True)
class Tilt:
    """The smoothed acceleration of each required IMU is gravity, straight up in base_link.

    Until one was listened to for three times filter_s nothing moves: what it said first may be
    of a robot that was still being put down.
    """

    max_tilt_deg: float
    max_lift_mps2: float
    filter_s: float
    names: tuple[str, ...]      # of the required IMUs
    name: str = 'tilt'
    release: ClassVar[str] = 'it stands level, and somebody calls critic/reset'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        leans = {lean.name: lean for lean in situation.memory.leans}
        for name in self.names:
            lean = leans.get(name)
            if lean is None or not lean.for_s >= 3 * self.filter_s:
                heard = 0.0 if lean is None else lean.for_s
                raise Stop(f'the {name} was listened to for {heard:.3f} s, '
                           f'{3 * self.filter_s:.3f} s are needed')
            size = math.hypot(*lean.up)
            if not abs(size - GRAVITY_MPS2) <= self.max_lift_mps2:
                raise Stop(f'the {name} feels {size:.2f} m/s^2, more than '
                           f'{self.max_lift_mps2:.2f} off gravity; was it picked up?', latch=True)
            tilt = math.degrees(math.acos(max(-1.0, min(1.0, lean.up[2] / size))))
            if not tilt <= self.max_tilt_deg:
                raise Stop(f'it leans by {tilt:.1f} degrees, limit {self.max_tilt_deg:.1f}',
                           latch=True)
        return Answer(command)


def make(own: TiltParams, shared: Shared, robot: Robot) -> Tilt:
    """Make the rule of a policy; ValueError where the robot requires no IMU."""
    names = tuple(sensor.name for sensor in robot.sensors_of('Imu') if sensor.required)
    if not names:
        raise AmiError(f'tilt needs a sensor of kind Imu that {robot.name} requires; say '
                       'required: true of it in the robot file, or take the rule out')
    return Tilt(own.max_tilt_deg, own.max_lift_mps2, own.filter_s, names)
