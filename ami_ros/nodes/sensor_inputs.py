# SPDX-License-Identifier: Apache-2.0
"""
Inputs of the planner nodes: camera, body readings and the commands that were sent.

Callbacks only take in; a child says in `take_in` what happens to an input. What is published as
another type, or what nobody can use, is told in `troubles` for as long as it is so.
"""

from collections.abc import Callable
from dataclasses import replace

from sensor_msgs.msg import CompressedImage, Image

from ami_ros.core.reading_checks import not_finite
from ami_ros.nodes import convert, topics
from ami_ros.nodes.lifecycle import Managed
from ami_ros.nodes.time_buffers import BodyBuffer, Commands
from ami_ros.perception.camera_preprocessor import CameraPreprocessor
from ami_ros.perception.stamp_tolerance import Ahead
from ami_ros.robots.imu import in_base


class SensorInputs(Managed):
    """A node that listens while it is active. Needs `own` settings, a `robot` and a `mind`."""

    def __init__(self, name: str):
        super().__init__(name)
        self.logged: dict[str, str] = {}            # the last of each trouble
        self.deaf()

    def deaf(self) -> None:
        """Have heard nothing: no picture, no body, no trouble."""
        self.body, self.commands, self.eye = None, None, None
        self.troubles: dict[str, str] = {}          # by what they are with
        self.heard: list[topics.Topic] = []

    def hear(self, row: topics.Topic, callback: Callable) -> None:
        """Listen to a topic while active; it is said when nothing comes of it."""
        self.heard.append(row)
        super().hear(row, callback)

    def hear_camera(self) -> None:
        """Listen to pictures, whichever way they come, and to what the camera says of itself."""
        exact = self.own.lock_step or self.get_parameter('use_sim_time').value
        self.eye = CameraPreprocessor(self.robot, self.mind.encoder.contract, self.own.min_spread)
        self.ahead = Ahead(self.own.max_camera_ahead_s, exact)
        for sensor in self.robot.sensors_of('CameraInfo'):
            Managed.hear(self, replace(topics.CAMERA_INFO, name=sensor.topic),
                         lambda msg: self.eye.on_info(msg))     # another eye may take its place
        camera = self.robot.camera
        kind = CompressedImage if camera.kind == 'CompressedImage' else Image
        self.hear(replace(topics.CAMERA, name=camera.topic, type=kind), self.on_picture)

    def on_picture(self, msg) -> None:
        """Take a picture; what is in it is the worker's."""
        try:
            stamp_ns = self.ahead.taken(convert.nanoseconds(msg.header.stamp),
                                        self.get_clock().now().nanoseconds)
        except ValueError as wrong:
            self.refuse('clock', str(wrong))
            return
        self.troubles.pop('clock', None)
        self.take_in(stamp_ns, msg)

    def hear_body(self) -> None:
        """Listen to odometry, and to the first IMU if the robot has one."""
        self.body = BodyBuffer(self.own.max_reading_age_s, self.own.lock_step,
                         self.robot.odometry_scale)
        self.hear(replace(topics.ODOMETRY, name=self.robot.odometry.topic), self.on_odometry)
        for sensor in self.robot.sensors_of('Imu')[:1]:
            self.hear(replace(topics.IMU, name=sensor.topic), self.on_imu)

    def hear_commands(self) -> None:
        """Listen to what the critic lets through."""
        self.commands = Commands()
        row = topics.command(self.own.enable_stamped_cmd_vel)
        self.hear(replace(row, qos=topics.RELIABLE_10), self.on_command)

    def on_odometry(self, msg) -> None:
        """Take a reading; one that cannot be used is refused by name, and counts as none."""
        name = self.robot.odometry.name
        try:
            told = convert.odometry_from(msg, 0)
            fault = not_finite((*told.pose, *told.twist))
            if fault:
                raise ValueError(f'the odometry cannot be used: {fault}')
        except ValueError as wrong:
            self.refuse(name, str(wrong))
            return
        self.troubles.pop(name, None)
        self.body.on_odometry(told)
        self.wake_if_waiting()

    def on_imu(self, msg) -> None:
        """Take the turning rate about the z axis of base_link; as `on_odometry`."""
        spin, _, stamp_ns = convert.imu_from(msg)
        name = self.robot.sensors_of('Imu')[0].name
        try:
            fault = not_finite(spin)
            if fault:
                raise ValueError(f'the turning rate of the {name} cannot be used: {fault}')
            spin, = in_base(self.robot, msg.header.frame_id, spin)
        except ValueError as wrong:
            self.refuse(name, str(wrong))
            return
        self.troubles.pop(name, None)
        self.body.on_gyro(spin[2], stamp_ns)
        self.wake_if_waiting()

    def on_command(self, msg) -> None:
        """Take a command."""
        self.commands.on_command(convert.command_from(msg, self.get_clock().now().nanoseconds))
        self.wake_if_waiting()

    def take_in(self, stamp_ns: int, value: object, run: str = '') -> None:
        """Take an input of a stamp."""
        raise NotImplementedError

    def wake_if_waiting(self) -> None:
        """Look again whether all is there that an input waits for."""
        raise NotImplementedError

    def refuse(self, what: str, wrong: str) -> None:
        """Say why something cannot be used, once in the log and for as long as it is so."""
        if wrong != self.logged.get(what):
            self.get_logger().error(wrong)
        self.troubles[what] = self.logged[what] = wrong

    def match(self) -> None:
        """See whether what is heard is published as another type: that would never be heard."""
        self.troubles.pop('type', None)
        for row in self.heard:
            right = f'{row.type.__module__.split(".")[0]}/msg/{row.type.__name__}'
            for other in self.get_publishers_info_by_topic(row.name):
                if other.topic_type != right:
                    self.refuse('type', f'{row.name} comes from {other.node_name} as '
                                f'{other.topic_type}; it needs {right}')
