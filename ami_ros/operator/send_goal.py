# SPDX-License-Identifier: Apache-2.0
"""
A person's goal: publishes a picture on goal/image and tells what becomes of it.

Or it takes one look through the robot's camera, to have a picture to give later.
"""

from collections.abc import Callable
from dataclasses import replace
import time

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.operator.goal_client import GoalClient
from ami_ros.operator.run_until_done import NOBODY, Once, POLL_S, until_done
from ami_ros.robots.robot import Robot


class Looking(Once):
    """Waits for one picture of the camera."""

    def __init__(self, robot: Robot):
        super().__init__('goal')
        camera = robot.camera
        row = replace(topics.CAMERA, name=camera.topic,
                      type=CompressedImage if camera.kind == 'CompressedImage' else Image)
        self.create_subscription(*row.subscriber(self.on_picture))
        self.picture: np.ndarray | None = None
        self.why = f'no image came on {camera.topic}; {NOBODY}'

    @property
    def done(self) -> bool:
        """Tell whether there is a picture, or no hope."""
        return self.picture is not None or self.waited

    def on_picture(self, msg) -> None:
        """Keep it."""
        try:
            self.picture = convert.picture_from(msg)
        except ValueError as wrong:
            self.why = str(wrong)


class Giving(Once):
    """Gives a picture, and follows what becomes of it."""

    def __init__(self, picture: np.ndarray, wait: bool, tell: Callable[[str], None]):
        super().__init__('goal')
        self.picture, self.tell, self.told = picture, tell, ''
        self.errand = GoalClient(time.monotonic(), wait)
        self.out = self.create_publisher(*topics.GOAL_IMAGE.publisher())
        self.create_subscription(*topics.STATUS.subscriber(self.on_status))

    @property
    def done(self) -> bool:
        """Tell whether nothing more is to be expected."""
        return bool(self.errand.over)

    def on_status(self, msg) -> None:
        """Take what the configurator says."""
        for health in convert.health_from(msg):
            self.errand.on_status(health.values, time.monotonic())
        news = self.errand.news
        if self.errand.wait and news not in ('', self.told):
            self.told = news
            self.tell(news)

    def turn(self) -> float:
        """Give the picture once somebody is there to take it."""
        now_s = time.monotonic()
        self.errand.tick(now_s)
        if self.errand.may_give(now_s) and self.out.get_subscription_count():
            self.out.publish(convert.image_message(self.picture,
                                                   self.get_clock().now().nanoseconds))
            self.errand.given(now_s)
        return POLL_S


def look(robot: Robot, ros: list[str]) -> np.ndarray:
    """Return what the camera sees, (H, W, 3) uint8 rgb; RuntimeError where it sees nothing."""
    node: Looking = until_done(lambda: Looking(robot), ros)
    if node.picture is None:
        raise RuntimeError(node.why)
    return node.picture


def give(picture: np.ndarray, wait: bool, tell: Callable[[str], None], ros: list[str]) -> str:
    """Give a picture and return how it went; RuntimeError where it did not go well."""
    node: Giving = until_done(lambda: Giving(picture, wait, tell), ros)
    if node.errand.over == 'failed':
        raise RuntimeError(node.errand.why)
    return node.errand.why
