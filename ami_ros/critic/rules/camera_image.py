# SPDX-License-Identifier: Apache-2.0
"""Stops on a picture that shows nothing: black, uniform, or of another size."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot
from ami_ros.robots.sensor import PICTURES


@dataclass(frozen=True)
class CameraImageParams(Settings):
    """How much of a picture there must be."""

    min_spread: float = setting(
        None, 'levels', 0.0, 60.0,
        'Stop if the standard deviation of the image, of 255 levels, falls '
        'below this (black, white or covered image)', strict='higher')
    release_s: float = setting(
        None, 's', 0.0, 5.0,
        'Time for which the stop persists after its cause is gone', strict='higher')


@dataclass(frozen=True)
class CameraImage:
    """Spread of each required camera >= min_spread; size as in the robot file or at first.

    Where the pictures are compressed neither is known, since nothing here decodes: of those
    `frozen`, `input_timeout` and `camera_rate` are left, and the mind makes no plan from a black
    one.
    """

    min_spread: float
    names: tuple[str, ...]      # of the required cameras
    name: str = 'camera_image'
    release_s: float = 0.0      # it stands on after the cause is gone
    release: ClassVar[str] = 'the camera shows something again, in its own size'

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        shapes = {camera.name: camera.shape for camera in situation.memory.cameras}
        for view in situation.views:
            if view.name not in self.names:
                continue
            if view.spread is not None and not view.spread >= self.min_spread:
                raise Stop(f'the picture of the {view.name} is black or uniform: its brightness '
                           f'spreads by {view.spread:.1f} of 255, {self.min_spread:.1f} is needed')
            right = shapes.get(view.name, ())
            if right and view.shape and view.shape != right:
                raise Stop(f'the picture of the {view.name} is {size(view.shape)}, it needs '
                           f'{size(right)}')
        return Answer(command)


def size(shape: tuple[int, ...]) -> str:
    """Say height and width as people do: width first."""
    return ' x '.join(map(str, reversed(shape)))


def make(own: CameraImageParams, shared: Shared, robot: Robot) -> CameraImage:
    """Make the rule of a policy."""
    return CameraImage(own.min_spread, cameras(robot), release_s=own.release_s)


def cameras(robot: Robot) -> tuple[str, ...]:
    """Return the names of the cameras without which a robot does not move."""
    return tuple(sensor.name for sensor in robot.sensors_of(*PICTURES) if sensor.required)
