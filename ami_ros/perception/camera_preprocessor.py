# SPDX-License-Identifier: Apache-2.0
"""
The robot's camera as the module knows cameras: rightly, or refused with both numbers.

No node and no thread of its own. `on_info` may be called by one thread while another looks.
"""

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.image_stats import spread
from ami_ros.perception import camera_contract
from ami_ros.perception.camera_contract import CameraContract
from ami_ros.perception.images import image_message_fields as fields
from ami_ros.perception.images.rectify import fitted, goal_view, Pinhole, Rectifier
from ami_ros.robots.robot import Robot


class CameraPreprocessor:
    """Turns the camera's messages into what the network wants to see.

    A camera_info that cannot be used does not raise where it comes in: every picture does, until
    one comes that can. Without any, pictures of the network's shape are believed, unless the
    robot file requires a CameraInfo.
    """

    def __init__(self, robot: Robot, contract: CameraContract, min_spread: float = 0.0):
        self.robot, self.contract = robot, contract
        # levels of 255; of pictures that the critic cannot judge, since it decodes none
        self.min_spread = min_spread if robot.camera.kind == 'CompressedImage' else 0.0
        self.rectified = fields.is_rectified(robot.camera.topic)
        self.frame: str | None = None       # of the last picture, found right
        self.said: tuple | None = None      # by the newest camera_info
        self.info = None                    # the message
        self.changes = 0                    # of what camera_info says, after the first
        self.strange = ''                   # a frame that the robot file stands in for
        needed = next((s.topic for s in robot.sensors_of('CameraInfo') if s.required), '')
        # what pictures go through, and why they cannot; replaced as one
        self.way: tuple[Rectifier | None, str] = (None, (
            f'no {needed} came yet, which {robot.name} requires: without it the '
            'field of view of the camera is unknown'
            if needed and contract.hfov_rad is not None else ''))

    def on_info(self, msg) -> None:
        """Take a camera_info; a table is made only when it says something new."""
        said = fields.content(msg)
        if said == self.said:
            return
        self.changes += self.said is not None
        self.said, self.info = said, msg
        if self.contract.hfov_rad is None:      # it learned from pictures as they came
            return
        try:
            self.way = Rectifier(fields.lens_of(msg, self.rectified),
                                 Pinhole(self.contract.size, self.contract.hfov_rad),
                                 camera_contract.HFOV_TOLERANCE_RAD), ''
        except ValueError as wrong:
            self.way = None, str(wrong)

    def through(self, contract: CameraContract) -> 'CameraPreprocessor':
        """Return an eye for another module that looks through the same camera."""
        if contract == self.contract:
            return self
        other = CameraPreprocessor(self.robot, contract, self.min_spread)
        if self.info is not None:
            other.on_info(self.info)
        return other

    def view(self, msg) -> np.ndarray:
        """Image or CompressedImage to (H, W, 3) uint8 rgb of the network's size.

        ValueError says why the mind must not look at it. Where nothing has to be done it is a
        view of the message.
        """
        if msg.header.frame_id != self.frame:
            self.stand(msg.header.frame_id)
        way, wrong = self.way
        if wrong:
            raise AmiError(wrong)
        picture = fields.picture_of(msg)
        seen = np.ascontiguousarray(fitted(picture, self.contract.size) if way is None
                                    else way(picture))
        if self.min_spread:
            shows = spread(seen.reshape(-1, 3))
            if not shows >= self.min_spread:
                raise AmiError(f'image is black or uniform: its brightness spreads by '
                               f'{shows:.1f} of 255, {self.min_spread:.1f} is needed')
        return seen

    def goal(self, picture: np.ndarray) -> np.ndarray:
        """Bring a goal picture to the network's size, on the camera's way if it is of its size."""
        return goal_view(picture, self.contract.size, self.way[0])

    def stand(self, frame: str) -> None:
        """See that a picture's frame is where the module learned to see from."""
        link, self.strange = frame.rpartition('/')[2], ''    # a namespaced frame ends in the link
        if link not in self.robot.body.mounts:
            self.strange = (f'images are in frame {frame!r}, which {self.robot.urdf} does not '
                            f'mount; {self.robot.camera.link} of the robot file is taken')
            link = str(self.robot.camera.link)
        wrong = camera_contract.contradiction(self.contract, self.robot, link)
        if wrong:
            raise AmiError(f'the module learned to see from elsewhere: {wrong}')
        self.frame = frame

    def notes(self) -> list[str]:
        """What a person should know though pictures are used; each a sentence."""
        out = [self.strange] if self.strange else []
        if self.contract.mount is None:
            out.append('the manifest does not say where the camera was, so this is not checked')
        if self.contract.hfov_rad is None:
            out.append('the manifest does not say what its camera saw, so camera_info is ignored')
        elif self.said is None and not self.rectified:
            out.append('no camera_info came yet: that the camera sees '
                       f'{np.degrees(self.contract.hfov_rad):.0f} degrees is believed')
        elif self.said is None:
            out.append(f'no camera_info came: that {self.robot.camera.topic} is rectified and '
                       f'sees {np.degrees(self.contract.hfov_rad):.0f} degrees is not compared')
        if self.changes:
            out.append(f'camera_info changed {self.changes} times')
        return out
