# SPDX-License-Identifier: Apache-2.0
"""Simulates a robot and its drivers: publishes the sensor data and executes `cmd_vel`.

All physics is in ami_ros.sim. Its topics are those of a real robot, except for `sim/*`.
"""

from dataclasses import dataclass, replace
import time
from typing import ClassVar

import numpy as np
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Bool

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import Needs, setting, Settings
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import parameters, topics
from ami_ros.nodes.run import run
from ami_ros.nodes.sim_pace import LockStep, RealTime
from ami_ros.nodes.type_narrowing import of_kind
from ami_ros.robots.find_robot import find
from ami_ros.sim.simulator_interface import open_body, SimRoom, somewhere


@dataclass(frozen=True)
class SimSettings(Settings):
    """The world, the body, and how its time passes."""

    RELATIONS: ClassVar[tuple] = (Needs('lock_step', 'enable_stamped_cmd_vel',
                                        'a Twist does not name the frame that it belongs to'),)

    robot: str = setting('rover', 'name', reason='Robot file of the simulated robot')
    engine: str = setting(
        'pybullet', 'name',
        reason='Physics engine, pybullet or mujoco; loopback has no physics and no walls and '
               'executes commands exactly')
    generator: str = setting(
        'room', 'name', reason='Scene type: room, rooms, building, hall, clutter or mixed')
    world_seed: int = setting(
        7, '1', 0, 2**31 - 1, 'Seed of the scene; the shipped module was trained in scene 7')
    moved_share: float = setting(0.0, '1', 0.0, 1.0, 'Share of the furniture that is moved')
    moved_seed: int = setting(1, '1', 0, 2**31 - 1, 'Seed of moved_share and changes')
    changes: str = setting(
        '', 'list',
        reason='List of scene changes, for example moved:0.33,doors:1,evening,person:1')
    camera: str = setting(
        'clean', 'name', reason='Camera preset, for example evening, motion_blur or random(3)')
    image_width: int = setting(64, 'px', 16, 1920, 'Width of the camera image')
    image_height: int = setting(64, 'px', 16, 1080, 'Height of the camera image')
    image_hfov_rad: float = setting(
        0.0, 'rad', 0.0, 3.0,
        'Horizontal field of view of the camera; 0 uses the field of view of the module')
    camera_hz: int = setting(10, 'Hz', 5, 20, 'Camera frame rate: 5, 10 or 20')
    lock_step: bool = setting(
        False, '-', reason='Advance simulated time only after each frame has been answered')
    answer_timeout_s: float = setting(
        1.0, 's', 0.05, 60.0,
        'Resend an unanswered frame after this time; applies in lock-step mode')
    enable_stamped_cmd_vel: bool = setting(
        True, '-', reason='Use TwistStamped commands; false uses Twist')

    def __post_init__(self):
        """Check what no range says."""
        super().__post_init__()
        if self.camera_hz not in (5, 10, 20):
            raise AmiError(f'camera_hz = {self.camera_hz}; it must be 5, 10 or 20, so '
                           'that images fall on physics steps')


@dataclass(frozen=True)
class EpisodeSettings(Settings):
    """Where `sim/reset` puts the robot, and what its sensors draw their noise from."""

    LIVE: ClassVar[str] = 'applied at the next sim/reset'

    anywhere: bool = setting(
        True, '-',
        reason='Start at a free pose drawn from the seed; false starts at x_m, y_m '
               'and yaw_rad', live=True)
    x_m: float = setting(0.0, 'm', -100.0, 100.0, 'Start position x in the room frame', live=True)
    y_m: float = setting(0.0, 'm', -100.0, 100.0, 'Start position y in the room frame', live=True)
    yaw_rad: float = setting(0.0, 'rad', -7.0, 7.0, 'Start heading in the room frame', live=True)
    seed: int = setting(
        0, '1', 0, 2**31 - 1,
        'Seed of the sensor noise; the same seed gives the same readings', live=True)


GROUPS = {'': SimSettings, 'episode': EpisodeSettings}


class SimNode(Node):
    """The body's drivers; `turn` lets time pass."""

    def __init__(self):
        super().__init__('sim', **parameters.FROM_FILE)
        self.made = made = parameters.declare(self, GROUPS)
        s = self.settings = of_kind(made[''], SimSettings)
        episode = of_kind(made['episode'], EpisodeSettings)
        self.robot = find(s.robot)
        if s.image_hfov_rad > 0.0:
            self.robot = replace(self.robot, camera_hfov_rad=s.image_hfov_rad)
        self.body = open_body(s.engine, self.robot,
                              SimRoom(s.world_seed, s.moved_share, s.moved_seed, s.generator,
                                   s.changes, s.camera),
                              episode.seed, (s.image_width, s.image_height))
        lens = getattr(self.body, 'lens', None)
        self.optics = ((self.robot.camera_hfov_rad,) if lens is None or lens.distortion is None
                       else (lens.hfov_rad, lens.distortion.d))
        self.offset_ns, self.readings, self.met = 0, [], False
        offered = (topics.CAMERA, topics.CAMERA_INFO, topics.SCAN, topics.ODOMETRY, topics.IMU,
                   topics.JOINT_STATES, topics.CLOCK, topics.TRUTH_POSE, topics.TRUTH_CONTACT,
                   topics.TRUTH_STATE, topics.LATENCY, topics.DIAGNOSTICS)
        self.out = {topic.name: self.create_publisher(*topic.publisher()) for topic in offered}
        self.mounted = self._mount()
        self.pace: LockStep | RealTime
        if s.lock_step:
            self.pace = LockStep(self, self.body, 1 / s.camera_hz, s.answer_timeout_s,
                                 time.monotonic)
        else:
            self.pace = RealTime(self, self.body, s.camera_hz, time.monotonic)
        self._place(episode)
        command = topics.command(s.enable_stamped_cmd_vel)
        self.create_subscription(*command.subscriber(lambda msg: self.pace.on_command(
            convert.command_from(msg, time.time_ns()))))
        self.create_subscription(*topics.VERDICT.subscriber(self.on_verdict))
        self.create_service(*topics.SIM_RESET.server(self.on_reset))
        self.create_service(*topics.SIM_PAUSE.server(self.on_hold))

    def turn(self) -> float:
        """Let time pass, once there is somebody to answer; return the idle seconds."""
        if self.settings.lock_step and not self.met:
            self.met = all(map(self.count_publishers, (topics.PLAN.name, topics.VERDICT.name)))
            return 0.02
        return self.pace.turn()

    def stamp_ns(self) -> int:
        """Return the ROS time of the body."""
        return self.offset_ns + self.body.time_ns

    def rebase(self, now_ns: int) -> None:
        """Let the body's present be this ROS time."""
        self.offset_ns = now_ns - self.body.time_ns

    def sense(self, camera: bool, scan: bool) -> None:
        """Publish what is sensed now; a picture always comes last."""
        now, body, robot = self.stamp_ns(), self.body, self.robot
        ranges = body.scan() if scan else None      # the order in which noise is drawn
        pose, twist = body.odometry()
        self.readings = [
            (topics.CLOCK, Clock(clock=convert.time(now))),
            (topics.ODOMETRY, convert.odometry_message(now, pose, twist)),
            (topics.IMU, convert.imu_message(now, *body.imu())),
            (topics.JOINT_STATES, convert.joint_states_message(now, body.reckoning.angles))]
        if self.mounted:
            place = (*pose[:2], 0.0, 0.0, 0.0, pose[2])
            self.readings.append((topics.TF, topics.TFMessage(
                transforms=[convert.transform_message(now, 'odom', 'base_link', place)])))
        if ranges is not None:
            self.readings.append((topics.SCAN, convert.scan_message(
                now, ranges, body.angles, robot.lidar_range_m)))
        if camera:
            self.readings += [
                (topics.CAMERA_INFO, convert.camera_info_message(now, body.size, *self.optics)),
                (topics.CAMERA, convert.image_message(body.camera(), now))]
        self.send()

    def send(self) -> None:
        """Publish the readings, in order."""
        for topic, msg in self.readings:
            self.out[topic.name].publish(msg)

    def again(self) -> None:
        """Publish the same once more."""
        frame = self.stamp_ns()
        self.get_logger().warning(
            f'frame {frame} was not answered within {self.settings.answer_timeout_s} s and is '
            f'sent again; {topics.VERDICT.name} has '
            f'{self.count_publishers(topics.VERDICT.name)} publishers, {topics.PLAN.name} has '
            f'{self.count_publishers(topics.PLAN.name)}', throttle_duration_sec=5.0)
        self.send()

    def look(self) -> None:
        """Publish the truth."""
        now, truth = self.stamp_ns(), self.body.truth()
        speed = np.array([truth.speed_mps, 0.0])
        x, y, yaw = map(float, truth.pose)
        for topic, msg in (
                (topics.TRUTH_POSE, convert.odometry_message(now, truth.pose, speed, 'room')),
                (topics.TRUTH_CONTACT, Bool(data=bool(truth.touching))),
                (topics.TRUTH_STATE, convert.state_message(
                    {'x_m': x, 'y_m': y, 'yaw_rad': yaw, 'speed_mps': truth.speed_mps,
                     'touching': float(truth.touching)}, now))):
            self.out[topic.name].publish(msg)

    def report_latency(self, frame_ns: int, seconds: float) -> None:
        """Publish how long after a picture its command came."""
        self.out[topics.LATENCY.name].publish(
            convert.state_message({'camera_to_command_ms': 1e3 * seconds}, frame_ns))

    def on_verdict(self, msg) -> None:
        """Learn which frame a command was for."""
        try:
            self.pace.on_verdict(convert.verdict_from(msg))
        except ValueError as wrong:
            self.get_logger().error(str(wrong), throttle_duration_sec=5.0)

    def on_reset(self, _, response):
        """Put the robot where the episode parameters say."""
        try:
            self._place(of_kind(self.made['episode'], EpisodeSettings))
            self.pace.reset()
            response.success, response.message = True, str(self.stamp_ns())
        except ValueError as wrong:
            response.success, response.message = False, str(wrong)
        return response

    def on_hold(self, request, response):
        """Let time stand still, or go on; no success while somebody is still at a frame."""
        self.pace.held = request.data
        response.success = not request.data or self.pace.settled
        response.message = str(self.pace.frame_ns or 0)
        return response

    def _place(self, episode: EpisodeSettings) -> None:
        before = self.stamp_ns()
        place = (somewhere(self.body, episode.seed) if episode.anywhere
                 else [episode.x_m, episode.y_m, episode.yaw_rad])
        self.body.reset(place, episode.seed)
        self.rebase(before)

    def _mount(self) -> bool:
        """Offer tf where tf2_msgs is installed; return whether it is."""
        if topics.TFMessage is None:
            self.get_logger().info('tf and tf_static are not published: tf2_msgs is not '
                                   'installed')
            return False
        for topic in (topics.TF, topics.TF_STATIC):
            self.out[topic.name] = self.create_publisher(*topic.publisher())
        mounts = [convert.transform_message(0, 'base_link', link, place)
                  for link, place in self.robot.body.mounts.items()]
        self.out['tf_static'].publish(topics.TFMessage(transforms=mounts))
        return True

    def stop(self) -> None:
        """Give the body back."""
        self.body.close()


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(SimNode, args)
