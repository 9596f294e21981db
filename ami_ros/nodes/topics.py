# SPDX-License-Identifier: Apache-2.0
"""
All topics in one table: name, type, nominal rate, QoS, owner. Names are relative.

Sensors are read best effort, newest only: an old picture is worth nothing. They are offered
reliably, as REP-2003 asks, so that RViz and a recorder find them whatever they ask for.
"""

from dataclasses import dataclass, replace

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, Imu, JointState, Joy, LaserScan
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import MultiDOFJointTrajectory

try:
    from tf2_msgs.msg import TFMessage
except ImportError:         # not among the wheels; a sourced ROS has it
    TFMessage = None

SENSOR = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)    # of no sensor
# what people and foreign programs send: heard whatever reliability they offer
FROM_ANYBODY = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE_1 = QoSProfile(depth=1)            # reliable and volatile: RViz and `ros2 topic pub` too
RELIABLE_10 = QoSProfile(depth=10)
RELIABLE_100 = QoSProfile(depth=100)        # every one counts, also after a pause
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# every one counts from the first on: who writes knows of a reader before that one can hear it, and
# what is written meanwhile waits for it; not for one that comes long after
WAITS_100 = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL,
                       lifespan=Duration(seconds=5))


@dataclass(frozen=True)
class Topic:
    """One row; `create_publisher(*ROW.publisher())`, `create_subscription(*ROW.subscriber(f))`."""

    name: str
    type: type
    hz: float               # nominal; 0 where it comes when there is something to say
    qos: QoSProfile
    owner: str              # who publishes it, and nobody else; '' where everybody may

    def publisher(self) -> tuple:
        """Return what create_publisher wants."""
        anybody = self.qos is SENSOR or self.qos is FROM_ANYBODY
        return self.type, self.name, RELIABLE_1 if anybody else self.qos

    def subscriber(self, callback) -> tuple:
        """Return what create_subscription wants."""
        return self.type, self.name, callback, self.qos


@dataclass(frozen=True)
class Service:
    """One service; `create_service(*ROW.server(f))`, `create_client(*ROW.client())`."""

    name: str
    type: type
    owner: str

    def server(self, callback) -> tuple:
        """Return what create_service wants."""
        return self.type, self.name, callback

    def client(self) -> tuple:
        """Return what create_client wants."""
        return self.type, self.name


# from the robot's drivers, or from sim; the owner is called 'body'
CAMERA = Topic('camera/image_raw', Image, 10, SENSOR, 'body')
CAMERA_INFO = Topic('camera/camera_info', CameraInfo, 10, SENSOR, 'body')
SCAN = Topic('scan', LaserScan, 20, SENSOR, 'body')
ODOMETRY = Topic('odom', Odometry, 40, SENSOR, 'body')
IMU = Topic('imu', Imu, 40, SENSOR, 'body')
JOINT_STATES = Topic('joint_states', JointState, 40, SENSOR, 'body')
CLOCK = Topic('/clock', Clock, 40, SENSOR, 'body')      # absolute: that is where rclpy listens

# from a person
GOAL_IMAGE = Topic('goal/image', Image, 0, RELIABLE_1, 'person')
JOY = Topic('joy', Joy, 20, NEWEST, 'person')   # whatever QoS joy_node or another offers
HAND = Topic('cmd_vel_manual', TwistStamped, 0, FROM_ANYBODY, 'person')   # outranks every plan
E_STOP = Topic('e_stop', Bool, 0, RELIABLE_1, 'person')     # true stops; heard by any QoS

# from another program that plans, where the critic's `command_source` is twist
FOREIGN = Topic('cmd_vel_smoothed', TwistStamped, 20, FROM_ANYBODY, '')

# the way of the data; Image 32FC1, 1 x D, stamp = capture time
LATENT = Topic('perception/latent', Image, 10, RELIABLE_1, 'perception')
GOAL_LATENT = Topic('perception/goal', Image, 0, RELIABLE_1, 'perception')
SIGHT_STATE = Topic('perception/state', JointState, 10, RELIABLE_1, 'perception')
BELIEF = Topic('world_model/belief', Image, 10, RELIABLE_1, 'world_model')
BELIEF_STATE = Topic('world_model/state', JointState, 10, RELIABLE_1, 'world_model')
ACTOR_STATE = Topic('actor/state', JointState, 10, RELIABLE_1, 'actor')
PLAN = Topic('actor/plan', MultiDOFJointTrajectory, 10, RELIABLE_1, 'actor')
COMMAND = Topic('cmd_vel', TwistStamped, 50, RELIABLE_1, 'critic')      # nobody else, ever
VERDICT = Topic('critic/verdict', DiagnosticArray, 10, RELIABLE_10, 'critic')

# the supervisor; the goal's picture is rgb8 of the network's size, an empty one means no goal
GOAL = Topic('configurator/goal', Image, 0, RELIABLE_1, 'configurator')
STATUS = Topic('configurator/status', DiagnosticArray, 2, RELIABLE_10, 'configurator')
BUDGET = Topic('configurator/budget', JointState, 0, LATCHED, 'configurator')
DIAGNOSTICS = Topic('diagnostics', DiagnosticArray, 4, RELIABLE_100, '')

# why each thing was done: for people; the same bit for bit, to do it again; what it is done with
TRACE = Topic('trace', DiagnosticArray, 20, RELIABLE_100, '')
TRACE_RECORDS = Topic('trace/records', String, 20, WAITS_100, '')
TRACE_METADATA = Topic('trace/metadata', String, 0, LATCHED, '')

# what only the simulator knows; for gates and reports, never for training or the mind
TRUTH_POSE = Topic('sim/truth/pose', Odometry, 20, RELIABLE_100, 'sim')
TRUTH_CONTACT = Topic('sim/truth/contact', Bool, 20, RELIABLE_100, 'sim')
TRUTH_STATE = Topic('sim/truth/state', JointState, 20, RELIABLE_100, 'sim')     # all in one
LATENCY = Topic('sim/latency', JointState, 10, RELIABLE_100, 'sim')     # stamp = capture time

TOPICS: tuple[Topic, ...] = (
          CAMERA, CAMERA_INFO, SCAN, ODOMETRY, IMU, JOINT_STATES, CLOCK, GOAL_IMAGE, JOY, HAND,
          E_STOP, FOREIGN, LATENT, GOAL_LATENT, SIGHT_STATE, BELIEF, BELIEF_STATE, ACTOR_STATE,
          PLAN, COMMAND, VERDICT, GOAL, STATUS, BUDGET, DIAGNOSTICS, TRACE, TRACE_RECORDS,
          TRACE_METADATA,
          TRUTH_POSE, TRUTH_CONTACT, TRUTH_STATE, LATENCY)
if TFMessage is not None:
    TF = Topic('tf', TFMessage, 40, RELIABLE_100, 'body')
    TF_STATIC = Topic('tf_static', TFMessage, 0, LATCHED, 'body')
    TOPICS += (TF, TF_STATIC)

ARM = Service('configurator/arm', Trigger, 'configurator')          # mode autonomous
DISARM = Service('configurator/disarm', Trigger, 'configurator')    # mode idle
MANUAL = Service('configurator/manual', Trigger, 'configurator')
DRY_RUN = Service('configurator/dry_run', Trigger, 'configurator')  # plans, and never moves
STOP = Service('configurator/stop', Trigger, 'configurator')        # until reset
RESET = Service('configurator/reset', Trigger, 'configurator')
CANCEL = Service('configurator/cancel', Trigger, 'configurator')    # no goal: the mind plans rest
# the robot was put elsewhere
NEW_EPISODE = Service('configurator/new_episode', Trigger, 'configurator')
CRITIC_RESET = Service('critic/reset', Trigger, 'critic')   # by a person; the mind has no client
SIM_RESET = Service('sim/reset', Trigger, 'sim')        # to the `episode` parameters, and hold
SIM_PAUSE = Service('sim/pause', SetBool, 'sim')          # true: time stands still; false: it runs
SERVICES = (ARM, DISARM, MANUAL, DRY_RUN, STOP, RESET, CANCEL, NEW_EPISODE, CRITIC_RESET,
            SIM_RESET,
            SIM_PAUSE)


def command(stamped: bool, row: Topic = COMMAND) -> Topic:
    """Return the row of cmd_vel, or of another twist, in the type that the base wants."""
    return row if stamped else replace(row, type=Twist)
