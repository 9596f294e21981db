# SPDX-License-Identifier: Apache-2.0
"""
Listens to a running robot for some seconds, and returns what was seen; it publishes nothing.

It asks for less than our nodes do (best effort, volatile), so that it also hears who does not
match them; what these would ask for comes from the table of topics.
"""

from collections import Counter
from collections.abc import Callable
import os
import time

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import GetParameters
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.utilities import get_rmw_implementation_identifier

from ami_ros.core.errors import AmiError
from ami_ros.core.share_directory import share
from ami_ros.modules import module as modules
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.operator import doctor_message_reader as reads
from ami_ros.operator.checks.observation import Channel, Observation, Reading, Surroundings, TYPES
from ami_ros.operator.new_robot_files import policy_of
from ami_ros.perception.camera_contract import contract
from ami_ros.perception.camera_preprocessor import CameraPreprocessor
from ami_ros.robots.robot import Robot

ALL = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)      # count every one
SETTLED_S = 1.0         # without news, discovery is over
FOUND_S = 6.0           # and after this in any case; Fast DDS announces itself each 3 s
ANSWER_S = 2.0          # for parameters
OURS = ('critic', 'configurator', 'mind', 'perception', 'world_model', 'actor')
ASKED = ('robot', 'safety_policy', 'module', 'module_store_dir', 'require_signed', 'lock_step',
         'enable_stamped_cmd_vel', 'max_reading_age_s', 'world_model.latency_s')
TWISTS = (topics.COMMAND, topics.HAND, topics.FOREIGN)
PROFILES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE', 'CYCLONEDDS_URI',
            'ZENOH_SESSION_CONFIG_URI')


class Doctor(Node):
    """Hears everything that a robot file names."""

    def __init__(self, robot: Robot, namespace: str = '', context=None):
        super().__init__('doctor', namespace=namespace, context=context, enable_rosout=False,
                         start_parameter_services=False)
        self.robot, self.space = robot, self.get_namespace().rstrip('/')
        # not the events executor, which does not say when a message arrived
        self.spinner = SingleThreadedExecutor(context=context)
        self.spinner.add_node(self)
        self.channels = {}
        self.eyes: dict = {}
        for sensor in robot.sensors:
            kind, read = reads.KINDS[sensor.kind]
            channel = Channel(sensor.topic, self.full(sensor.topic), TYPES[sensor.kind])
            self.channels[sensor.name] = channel
            self.create_subscription(kind, sensor.topic, self.taker(sensor.kind, channel, read),
                                     ALL)
        self.others = {row.name: self.row(row) for row in topics.TOPICS
                       if row.owner not in ('body', 'sim')}
        self.ear, self.verdicts, self.statuses = reads.Ear(), reads.Ear(), reads.Ear()
        for name, ear in ((topics.DIAGNOSTICS.name, self.ear), ('/diagnostics', self.ear),
                          (topics.VERDICT.name, self.verdicts),
                          (topics.STATUS.name, self.statuses)):
            if self.space or name != '/diagnostics':        # without a namespace both are one
                self.create_subscription(DiagnosticArray, name, self.hearer(ear), ALL)
        self.clock_ns: int | None = None
        self.create_subscription(topics.CLOCK.type, topics.CLOCK.name, self.on_clock, ALL)
        self.mounts: dict | None = None
        if topics.TFMessage is not None:
            self.mounts = {}
            self.create_subscription(*topics.TF_STATIC.subscriber(self.on_mounts))

    def full(self, name: str) -> str:
        """Return a topic's name as it is on the network."""
        return self.resolve_topic_name(name)

    def row(self, row: topics.Topic) -> Channel:
        """Make the channel of one of our own topics, in the type that this robot has."""
        if row in TWISTS:
            row = topics.command(self.robot.command_type == 'TwistStamped', row)
        asked = None if row.name == topics.COMMAND.name else reads.qos(row.qos)
        return Channel(row.name, self.full(row.name), reads.type_name(row.type), asked=asked)

    def taker(self, kind: str, channel: Channel, read: Callable) -> Callable:
        """Make what takes the messages of a sensor; the newest picture is kept whole."""
        def take(msg, about) -> None:
            header, now_ns = getattr(msg, 'header', None), time.time_ns()
            # when it came, not when Python had time for it
            arrived = about['received_timestamp'] or now_ns
            channel.readings.append(Reading(
                0 if header is None else convert.nanoseconds(header.stamp), arrived,
                time.monotonic_ns() - max(0, now_ns - arrived),
                '' if header is None else header.frame_id, read(msg)))
            if kind in ('Image', 'CompressedImage', 'CameraInfo'):
                self.eyes['info' if kind == 'CameraInfo' else 'picture'] = msg
        return take

    def hearer(self, ear: reads.Ear) -> Callable:
        """Make what takes what nodes say of themselves."""
        return lambda msg: ear.hear(msg, time.monotonic_ns())

    def on_clock(self, msg) -> None:
        """Hear simulated time."""
        self.clock_ns = convert.nanoseconds(msg.clock)

    def on_mounts(self, msg) -> None:
        """Hear where things are mounted."""
        assert self.mounts is not None
        for one in msg.transforms:
            self.mounts[one.child_frame_id.rpartition('/')[2]] = (
                one.header.frame_id.rpartition('/')[2], reads.place(one.transform))

    def spin(self, seconds: float, over: Callable[[], bool] = bool) -> None:
        """Listen so long, or until something is so."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not over():
            self.spinner.spin_once(timeout_sec=0.05)

    def find(self) -> None:
        """Wait until nobody new is discovered any more."""
        seen, since = None, time.monotonic()

        def settled() -> bool:
            nonlocal seen, since
            now = (Counter(self.nodes()), Counter(
                (name, self.count_publishers(name), self.count_subscribers(name))
                for name, _ in self.get_topic_names_and_types()))
            if now != seen:
                seen, since = now, time.monotonic()
            return len(now[0]) > 0 and time.monotonic() - since > SETTLED_S

        self.spin(FOUND_S, settled)

    def nodes(self) -> tuple[str, ...]:
        """Return the fully qualified names of all other nodes, hidden ones left out."""
        found = [reads.full_name(*one) for one in self.get_node_names_and_namespaces()]
        mine = self.get_fully_qualified_name()
        return tuple(sorted(name for name in found if name and name != mine
                            and not name.rpartition('/')[2].startswith('_')))

    def examine(self, seconds: float, module: str = '') -> Observation:
        """Find, listen, ask, and return what was seen."""
        self.find()
        for channel in self.channels.values():
            channel.readings.clear()
        self.spin(seconds)
        until = time.monotonic_ns()
        seen = Observation(self.robot, self.space, seconds, surroundings(), self.channels,
                           self.others, mounts=self.mounts)
        self.discover(seen)
        self.ask(seen)
        seen.clock_ns = self.clock_ns
        seen.health = self.ear.of(self.space, until)
        seen.verdict = self.verdicts.of(self.space, until).get('critic')
        seen.status = self.statuses.of(self.space, until).get('configurator')
        self.read_files(seen, module)
        return seen

    def discover(self, seen: Observation) -> None:
        """Note who is there."""
        mine = self.get_fully_qualified_name()
        for channel in (*self.channels.values(), *self.others.values()):
            for kind, ask in (('publishers', self.get_publishers_info_by_topic),
                              ('subscribers', self.get_subscriptions_info_by_topic)):
                ends = (reads.endpoint(one) for one in ask(channel.full))
                setattr(channel, kind, tuple(end for end in ends if end.node != mine))
        seen.nodes = self.nodes()
        seen.services = tuple(name for name, _ in self.get_service_names_and_types())
        seen.clock_talkers = tuple(sorted(reads.endpoint(one).node for one in
                                          self.get_publishers_info_by_topic('/clock')))
        there = [name for name, _ in self.get_topic_names_and_types()
                 if self.count_publishers(name)]
        for channel in self.channels.values():
            if not channel.publishers:
                found = next((n for n in there if n.endswith(f'/{channel.name}')), None)
                if found is not None:
                    seen.elsewhere[channel.name] = found

    def ask(self, seen: Observation) -> None:
        """Ask nodes for parameters; who does not answer in time is left out."""
        ours = {f'{self.space}/{name}' for name in OURS}
        talkers = {end.node for c in self.channels.values() for end in c.publishers}
        asked = {}
        for node in sorted((ours | talkers) & set(seen.nodes)):
            client = self.create_client(GetParameters, f'{node}/get_parameters')
            if client.service_is_ready():
                for key in ('use_sim_time', *(ASKED if node in ours else ())):
                    asked[node, key] = client.call_async(GetParameters.Request(names=[key]))
        self.spin(ANSWER_S, lambda: all(future.done() for future in asked.values()))
        for (node, key), future in asked.items():
            values = future.result().values if future.done() and future.result() else []
            value = parameter_value_to_python(values[0]) if values else None
            if value is not None and key == 'use_sim_time':
                seen.sim_time[node] = value
            elif value is not None:
                seen.running.setdefault(node, {})[key] = str(value)

    def read_files(self, seen: Observation, module: str) -> None:
        """Read the policy and the module that run, or would, and look through the mind's eye."""
        said = {key: value for values in seen.running.values() for key, value in values.items()}
        try:
            named = share(said['safety_policy']) if said.get('safety_policy') else None
            path, seen.policy = policy_of(self.robot, named)
            seen.policy_path = str(path)
        except (AmiError, OSError) as wrong:
            seen.policy_path = str(wrong)
        try:
            opened = modules.open_module(module or said.get('module'),
                                         said.get('require_signed') == 'True',
                                         said.get('module_store_dir'))
            seen.module = opened.said
            modules.fits(opened, self.robot)
            if 'picture' in self.eyes:
                seen.eye_wrong, seen.eye_notes = self.see(opened)
                seen.eye_compared = True
        except AmiError as wrong:
            seen.module_wrong = str(wrong)

    def see(self, module: modules.Module) -> tuple[str, tuple[str, ...]]:
        """Look at the newest picture as the mind would; return what is wrong, and the notes."""
        eye = CameraPreprocessor(self.robot, contract(module.manifest['camera']))
        try:
            if 'info' in self.eyes:
                eye.on_info(self.eyes['info'])
            eye.view(self.eyes['picture'])
        except AmiError as wrong:
            return str(wrong), ()
        return '', tuple(eye.notes())

    def close(self) -> None:
        """Give everything back."""
        self.spinner.shutdown()
        self.destroy_node()


def surroundings() -> Surroundings:
    """Read from the environment what decides who finds whom."""
    profile = next((os.environ[name] for name in PROFILES if name in os.environ), '')
    return Surroundings(get_rmw_implementation_identifier(),
                        os.environ.get('ROS_DOMAIN_ID', '0'),
                        os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', ''),
                        os.environ.get('ROS_LOCALHOST_ONLY', ''),
                        os.environ.get('ROS_STATIC_PEERS', ''), profile)


def examine(robot: Robot, namespace: str, seconds: float, module: str = '') -> Observation:
    """Look at a robot from the outside."""
    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        doctor = Doctor(robot, namespace, context)
        try:
            return doctor.examine(seconds, module)
        finally:
            doctor.close()
    finally:
        rclpy.shutdown(context=context)
