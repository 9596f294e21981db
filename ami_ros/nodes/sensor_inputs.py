# SPDX-License-Identifier: Apache-2.0
"""
Inputs of the planner nodes: camera, goal, body readings and the commands that were sent.

Callbacks only take in: what is to be worked on goes to the worker's queue. What is published as
another type, or what nobody can use, is told in `troubles` for as long as it is so.
"""

from collections.abc import Callable
from dataclasses import replace

from sensor_msgs.msg import CompressedImage, Image

from ami_ros.core.errors import AmiError
from ami_ros.core.odometry_validity import not_finite
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.lifecycle import Managed
from ami_ros.nodes.mind_settings import BodySettings, CommandedSettings, ModuleSettings
from ami_ros.nodes.time_buffers import BodyBuffer, Commands
from ami_ros.nodes.type_narrowing import of_kind, present
from ami_ros.nodes.worker import InputQueue, WantedGoal
from ami_ros.perception.camera_contract import CameraContract
from ami_ros.perception.camera_preprocessor import CameraPreprocessor
from ami_ros.perception.stamp_tolerance import Ahead
from ami_ros.robots.imu_mount import in_base
from ami_ros.robots.robot import Robot


class Troubles:
    """What cannot be used now, and why, by what it is with; each is logged once."""

    def __init__(self, log: Callable[[str], None]):
        self.log = log
        self.now: dict[str, str] = {}
        self.logged: dict[str, str] = {}        # the last of each

    def refuse(self, what: str, wrong: str) -> None:
        """Say why something cannot be used, once in the log and for as long as it is so."""
        if wrong != self.logged.get(what):
            self.log(wrong)
        self.now[what] = self.logged[what] = wrong

    def clear(self, what: str) -> None:
        """Say that it can be used again."""
        self.now.pop(what, None)


class SensorInputs:
    """What a planner node hears from one activation to the next deactivation."""

    def __init__(self, node: Managed, own: ModuleSettings, robot: Robot | None,
                 queue: InputQueue, troubles: Troubles):
        self.node, self.own, self._robot = node, own, robot
        self.queue, self.troubles = queue, troubles
        self.body: BodyBuffer | None = None
        self.commands: Commands | None = None
        self.eye: CameraPreprocessor | None = None
        self.heard: list[topics.Topic] = []         # the last is what is worked on

    @property
    def robot(self) -> Robot:
        """Return the robot, which is known once the node is configured."""
        return present(self._robot)

    def hear(self, row: topics.Topic, callback: Callable) -> None:
        """Listen to a topic while active; it is said when nothing comes of it."""
        self.heard.append(row)
        self.node.active.hear(row, callback)

    def hear_goal(self) -> None:
        """Listen to orders of the configurator."""
        self.hear(topics.GOAL, self.on_goal)

    def on_goal(self, msg) -> None:
        """Take an order."""
        try:
            self.queue.put_order(WantedGoal(*convert.goal_from(msg)))
        except ValueError as wrong:
            self.troubles.refuse('goal', str(wrong))

    def hear_camera(self, contract: CameraContract) -> None:
        """Listen to pictures, whichever way they come, and to what the camera says of itself."""
        exact = self.own.lock_step or self.node.get_parameter('use_sim_time').value
        self.eye = CameraPreprocessor(self.robot, contract, self.own.min_spread)
        self.ahead = Ahead(self.own.max_camera_ahead_s, exact)
        for sensor in self.robot.sensors_of('CameraInfo'):
            self.node.active.hear(      # another eye may take its place
                replace(topics.CAMERA_INFO, name=sensor.topic),
                lambda msg: present(self.eye).on_info(msg))
        camera = self.robot.camera
        kind = CompressedImage if camera.kind == 'CompressedImage' else Image
        self.hear(replace(topics.CAMERA, name=camera.topic, type=kind), self.on_picture)

    def on_picture(self, msg) -> None:
        """Take a picture; what is in it is the worker's."""
        try:
            stamp_ns = self.ahead.taken(convert.nanoseconds(msg.header.stamp),
                                        self.node.get_clock().now().nanoseconds)
        except ValueError as wrong:
            self.troubles.refuse('clock', str(wrong))
            return
        self.troubles.clear('clock')
        self.queue.put(stamp_ns, msg)

    def hear_body(self) -> None:
        """Listen to odometry, and to the first IMU if the robot has one."""
        own = of_kind(self.own, BodySettings)
        self.body = BodyBuffer(own.max_reading_age_s, own.lock_step, self.robot.odometry_scale)
        self.hear(replace(topics.ODOMETRY, name=self.robot.odometry.topic), self.on_odometry)
        for sensor in self.robot.sensors_of('Imu')[:1]:
            self.hear(replace(topics.IMU, name=sensor.topic), self.on_imu)

    def hear_commands(self) -> None:
        """Listen to what the critic lets through."""
        self.commands = Commands()
        row = topics.command(of_kind(self.own, CommandedSettings).enable_stamped_cmd_vel)
        self.hear(replace(row, qos=topics.RELIABLE_10), self.on_command)

    def on_odometry(self, msg) -> None:
        """Take a reading; one that cannot be used is refused by name, and counts as none."""
        name = self.robot.odometry.name
        try:
            told = convert.odometry_from(msg, 0)
            fault = not_finite((*told.pose, *told.twist))
            if fault:
                raise AmiError(f'the odometry cannot be used: {fault}')
        except ValueError as wrong:
            self.troubles.refuse(name, str(wrong))
            return
        self.troubles.clear(name)
        present(self.body).on_odometry(told)
        self.queue.look_again()

    def on_imu(self, msg) -> None:
        """Take the turning rate about the z axis of base_link; as `on_odometry`."""
        spin, _, stamp_ns = convert.imu_from(msg)
        name = self.robot.sensors_of('Imu')[0].name
        try:
            fault = not_finite(spin)
            if fault:
                raise AmiError(f'the turning rate of the {name} cannot be used: {fault}')
            spin, = in_base(self.robot, msg.header.frame_id, spin)
        except ValueError as wrong:
            self.troubles.refuse(name, str(wrong))
            return
        self.troubles.clear(name)
        present(self.body).on_gyro(spin[2], stamp_ns)
        self.queue.look_again()

    def on_command(self, msg) -> None:
        """Take a command."""
        present(self.commands).on_command(
            convert.command_from(msg, self.node.get_clock().now().nanoseconds))
        self.queue.look_again()

    def complete(self, stamp_ns: int, after_ns: int | None) -> bool:
        """Tell whether all of a frame is there, and the command of the frame before it."""
        if self.body is not None and self.body.at(stamp_ns) is None:
            return False
        return self.commands is None or after_ns is None or self.commands.has(after_ns)

    def match(self) -> None:
        """See whether what is heard is published as another type: that would never be heard."""
        self.troubles.clear('type')
        for row in self.heard:
            right = f'{row.type.__module__.split(".")[0]}/msg/{row.type.__name__}'
            for other in self.node.get_publishers_info_by_topic(row.name):
                if other.topic_type != right:
                    self.troubles.refuse('type', f'{row.name} comes from {other.node_name} as '
                                         f'{other.topic_type}; it needs {right}')
