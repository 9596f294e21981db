# SPDX-License-Identifier: Apache-2.0
"""
Turns messages into nouns and back; with `sensor_conversions` the only file that knows both.

A message that is built wrongly raises ValueError, one sentence that names the wrong and the right.
Numbers that are not finite pass: to stop the robot for them, by name, is the critic's work.
Arrays never go to a field as numpy arrays (rclpy would copy them element by element), and every
float is a Python float (the C side reads nothing else).
"""

from array import array
from dataclasses import dataclass, field
import math

from builtin_interfaces.msg import Duration, Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Twist, TwistStamped, Vector3
from nav_msgs.msg import Odometry as OdometryMsg
import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu, JointState, LaserScan
from std_msgs.msg import Header
from trajectory_msgs.msg import MultiDOFJointTrajectory, MultiDOFJointTrajectoryPoint

from ami_ros.core.errors import AmiError
from ami_ros.core.odometry_validity import orientation_fault
from ami_ros.core.types import Belief, Command, Odometry, Plan, Verdict
from ami_ros.robots.urdf import BASE

NS = 10**9
LEAST_KNOT_S = 0.001    # of a plan; a mind plans 0.25
MOST_POINTS = 1000      # of a plan: one without end would hold up who reads it
VECTORS: dict[str, np.dtype] = {'32FC1': np.dtype('<f4'), '64FC1': np.dtype('<f8')}
LEVELS = {'go': DiagnosticStatus.OK, 'slow': DiagnosticStatus.WARN, 'stop': DiagnosticStatus.ERROR}
BELIEF_NAMES = ('body.v_mps', 'body.w_radps', 'body.gyro_radps', 'place.x_m', 'place.y_m',
                'place.yaw_rad', 'odometry.x_m', 'odometry.y_m', 'odometry.yaw_rad', 'surprise',
                'disagreement', 'contradiction', 'out_of_distribution')
NEWER = {'out_of_distribution': math.nan}       # older recordings lack it


@dataclass(frozen=True)
class Health:
    """What a node says of itself on `diagnostics`."""

    name: str                   # 'mind', 'critic', 'configurator', 'sim', ...
    level: int = 0              # 0 well, 1 warning, 2 error, as DiagnosticStatus has it
    message: str = ''           # one sentence for a person
    values: dict[str, str] = field(default_factory=dict)


def time(ns: int) -> Time:
    """Nanoseconds to builtin_interfaces/Time."""
    return Time(sec=ns // NS, nanosec=ns % NS)


def nanoseconds(stamp: Time | Duration) -> int:
    """Give the nanoseconds of a Time or a Duration."""
    return stamp.sec * NS + stamp.nanosec


def header(ns: int, frame_id: str) -> Header:
    """Make a std_msgs/Header."""
    return Header(stamp=time(ns), frame_id=frame_id)


def packed(values: np.ndarray, typecode: str) -> array:
    """Copy a numpy array into the kind of array that a message holds, at memcpy speed."""
    out = array(typecode)
    if values.size:
        out.frombytes(np.ascontiguousarray(values).data.cast('B'))
    return out


def image_message(picture: np.ndarray, ns: int, frame_id: str = 'camera_optical_frame') -> Image:
    """(H, W, 3) uint8 rgb to Image."""
    height, width = picture.shape[:2]
    return Image(header=header(ns, frame_id), height=height, width=width, encoding='rgb8',
                 step=3 * width, data=packed(picture, 'B'))


def picture_from(msg: Image | CompressedImage) -> np.ndarray:
    """Image or CompressedImage to (H, W, 3) uint8 rgb; a view of the message where it can be."""
    from ami_ros.perception.images import image_message_fields as fields
    return fields.picture_of(msg)


def camera_info_message(ns: int, size: tuple[int, int], hfov_rad: float,
                        distortion=()) -> CameraInfo:
    """Describe a camera with square pixels; `distortion` is D of plumb_bob."""
    width, height = size
    f = width / 2 / math.tan(hfov_rad / 2)
    return CameraInfo(
        header=header(ns, 'camera_optical_frame'), height=height, width=width,
        distortion_model='plumb_bob', d=list(distortion or (0.0,) * 5), r=np.eye(3).ravel(),
        k=np.array([f, 0, width / 2, 0, f, height / 2, 0, 0, 1.0]),
        p=np.array([f, 0, width / 2, 0, 0, f, height / 2, 0, 0, 0, 1.0, 0]))


def scan_message(ns: int, ranges: np.ndarray, angles: np.ndarray,
                 limits: tuple[float, float]) -> LaserScan:
    """(R,) metres along evenly spaced angles to LaserScan."""
    return LaserScan(
        header=header(ns, 'laser'), angle_min=float(angles[0]), angle_max=float(angles[-1]),
        angle_increment=float(angles[1] - angles[0]), range_min=limits[0], range_max=limits[1],
        ranges=packed(np.asarray(ranges, np.float32), 'f'))


def odometry_message(ns: int, pose: np.ndarray, speed: np.ndarray,
                     frame_id: str = 'odom') -> OdometryMsg:
    """Pose (3,) and twist (2,) to Odometry."""
    out = OdometryMsg(header=header(ns, frame_id), child_frame_id='base_link')
    out.pose.pose.position.x, out.pose.pose.position.y = float(pose[0]), float(pose[1])
    out.pose.pose.orientation = turned(pose[2])
    out.twist.twist = twist(speed)
    return out


def odometry_from(msg: OdometryMsg, steady_ns: int) -> Odometry:
    """Odometry to Odometry, planar; ValueError where its frames or its orientation are wrong.

    The pose is that of base_link in a frame that stands still, the twist is in base_link. Where
    child_frame_id is empty, nothing is said of the twist.
    """
    frame, child = (name.rpartition('/')[2] for name in (msg.header.frame_id, msg.child_frame_id))
    if frame == BASE or child == frame != '':
        raise AmiError(f'the odometry has frame_id {msg.header.frame_id!r} and child_frame_id '
                       f'{msg.child_frame_id!r}; it needs the pose of {BASE} in a fixed frame '
                       f'such as odom, and child_frame_id {BASE} with the twist in {BASE}')
    where, speed = msg.pose.pose, msg.twist.twist
    q = where.orientation
    fault = orientation_fault(q.x, q.y, q.z, q.w)
    if fault:
        raise AmiError(f'the odometry in frame {msg.header.frame_id!r} cannot be used: {fault}')
    return Odometry(np.array([where.position.x, where.position.y, yaw(where.orientation)]),
                    np.array([speed.linear.x, speed.angular.z]),
                    nanoseconds(msg.header.stamp), steady_ns)


def imu_message(ns: int, spin: np.ndarray, accel: np.ndarray) -> Imu:
    """Angular velocity (3,) and acceleration (3,) to Imu; -1 says that orientation is unknown."""
    return Imu(header=header(ns, 'imu_link'), angular_velocity=vector(*spin),
               linear_acceleration=vector(*accel),
               orientation_covariance=np.array([-1.0] + [0.0] * 8))


def imu_from(msg: Imu) -> tuple[np.ndarray, np.ndarray, int]:
    """Imu to angular velocity (3,) rad/s, acceleration (3,) m/s^2, and stamp.

    Both in the sensor's own axes; `agent.robots.imu.in_base` turns them into base_link.
    """
    spin, accel = msg.angular_velocity, msg.linear_acceleration
    return (np.array([spin.x, spin.y, spin.z]), np.array([accel.x, accel.y, accel.z]),
            nanoseconds(msg.header.stamp))


def joint_states_message(ns: int, angles: tuple[float, float]) -> JointState:
    """Wheel angles to JointState."""
    return JointState(header=header(ns, ''), name=['left_wheel_joint', 'right_wheel_joint'],
                      position=[float(angle) for angle in angles])


def transform_message(ns: int, parent: str, child: str, place: tuple[float, ...]
                      ) -> TransformStamped:
    """(x, y, z, roll, pitch, yaw) of a child in its parent to TransformStamped."""
    x, y, z, roll, pitch, turn = place
    cr, sr, cp, sp = (f(angle / 2) for angle in (roll, pitch) for f in (math.cos, math.sin))
    cy, sy = math.cos(turn / 2), math.sin(turn / 2)
    q = Quaternion(w=cr * cp * cy + sr * sp * sy, x=sr * cp * cy - cr * sp * sy,
                   y=cr * sp * cy + sr * cp * sy, z=cr * cp * sy - sr * sp * cy)
    return TransformStamped(header=header(ns, parent), child_frame_id=child,
                            transform=Transform(translation=vector(x, y, z), rotation=q))


def plan_message(plan: Plan) -> MultiDOFJointTrajectory:
    """Plan to MultiDOFJointTrajectory: a point where each knot starts, one at rest at the end.

    Only the first joint moves; the other names carry what the plan is made of and for. Energies
    travel in `actor/state`, the imagined places as transforms, for people.
    """
    names = ['base_link', f'knot_s={float(plan.knot_s)!r}', f'frame={plan.number}',
             f'goal={plan.goal}', f'run={plan.run}', f'arrived={int(plan.arrived)}',
             f'surprise={float(plan.surprise)!r}', f'iterations={plan.iterations}',
             f'disagreement={float(plan.disagreement)!r}',
             f'out_of_distribution={float(plan.out_of_distribution)!r}']
    out = MultiDOFJointTrajectory(header=header(plan.start_ns, 'base_link'), joint_names=names)
    ends = [] if plan.imagined is None else [None, *plan.imagined.tolist()]
    for index, knot in enumerate([*plan.knots.tolist(), (0.0, 0.0)]):
        point = MultiDOFJointTrajectoryPoint(velocities=[twist(knot)])
        after = point.time_from_start
        after.sec, after.nanosec = divmod(round(index * plan.knot_s * 1e9), NS)
        if index > 0 and ends:      # where the knot before is believed to end
            point.transforms = [transform(*ends[index])]
        out.points.append(point)
    return out


def plan_from(msg: MultiDOFJointTrajectory) -> Plan:
    """MultiDOFJointTrajectory to Plan, bit for bit but for what only people look at."""
    if not len(msg.points) <= MOST_POINTS:
        raise AmiError(f'plan has {len(msg.points)} points; it needs at most {MOST_POINTS}')
    said: dict = NEWER | dict(name.split('=', 1) for name in msg.joint_names[1:] if '=' in name)
    try:
        knot_s, number, goal = float(said['knot_s']), int(said['frame']), int(said['goal'])
        arrived, surprise = said['arrived'] == '1', float(said['surprise'])
        iterations, run = int(said['iterations']), said['run']
        disagreement, unlike = (float(said[n]) for n in ('disagreement', 'out_of_distribution'))
    except (KeyError, ValueError) as wrong:
        raise AmiError(f'plan with joint_names {list(msg.joint_names)} misses or misspells '
                       f'{wrong}; it needs base_link, knot_s=, frame=, goal=, run=, arrived=, '
                       'surprise=, iterations=, disagreement=') from None
    if not LEAST_KNOT_S <= knot_s < 10.0:
        raise AmiError(f'plan holds a knot for {knot_s} s; it needs at least {LEAST_KNOT_S}, '
                       'less than 10')
    for index, point in enumerate(msg.points):
        due, after = round(index * knot_s * 1e9), nanoseconds(point.time_from_start)
        if after != due or len(point.velocities) != 1:
            raise AmiError(f'plan has {len(point.velocities)} velocities at {after} ns in point '
                           f'{index}; it needs one, at {due} ns')
    knots = [(p.velocities[0].linear.x, p.velocities[0].angular.z) for p in msg.points[:-1]]
    ends = [(t.translation.x, t.translation.y, yaw(t.rotation))
            for point in msg.points for t in point.transforms]
    return Plan(np.array(knots, float).reshape(-1, 2), knot_s, nanoseconds(msg.header.stamp),
                number, run, goal, arrived, surprise, iterations=iterations,
                imagined=np.array(ends) if ends else None, disagreement=disagreement,
                out_of_distribution=unlike)


def command_message(command: Command, stamped: bool = True) -> TwistStamped | Twist:
    """Command to what the base wants."""
    out = twist(command.values)
    if not stamped:
        return out
    return TwistStamped(header=header(command.stamp_ns, 'base_link'), twist=out)


def command_from(msg: TwistStamped | Twist, received_ns: int) -> Command:
    """TwistStamped or Twist to Command; a Twist has no stamp but when it came."""
    if isinstance(msg, Twist):
        return Command(np.array([msg.linear.x, msg.angular.z]), received_ns)
    return Command(np.array([msg.twist.linear.x, msg.twist.angular.z]),
                   nanoseconds(msg.header.stamp))


def verdict_message(verdict: Verdict, **more: str) -> DiagnosticArray:
    """Verdict to DiagnosticArray, with what else the critic wants to be known."""
    v, w = map(float, verdict.command.values)
    values = {'action': verdict.action, 'rule': verdict.rule, 'v_mps': repr(v), 'w_radps': repr(w),
              'touched': ','.join(verdict.touched), 'frame': str(verdict.number),
              'plan_start_ns': str(verdict.plan_start_ns), 'goal': str(verdict.goal),
              'run': verdict.run, 'source': verdict.source, 'mode': verdict.mode,
              'silent': ','.join(verdict.silent), 'latch': str(int(verdict.latch)),
              'release': verdict.release,
              **{f'age.{k}_s': repr(float(v)) for k, v in verdict.ages}, **more}
    status = DiagnosticStatus(level=LEVELS[verdict.action], name='critic', message=verdict.reason,
                              values=pairs(values))
    return DiagnosticArray(header=header(verdict.command.stamp_ns, 'base_link'), status=[status])


def verdict_from(msg: DiagnosticArray) -> Verdict:
    """DiagnosticArray to Verdict."""
    critic = next((s for s in msg.status if s.name == 'critic'), None)
    if critic is None:
        raise AmiError(f'verdict holds {[s.name for s in msg.status]}; it needs critic')
    said = {pair.key: pair.value for pair in critic.values}
    try:
        values = np.array([float(said['v_mps']), float(said['w_radps'])])
        ages = tuple((key[4:-2], float(value)) for key, value in said.items()
                     if key.startswith('age.'))
        touched = tuple(filter(None, said['touched'].split(',')))
        return Verdict(Command(values, nanoseconds(msg.header.stamp)), said['action'],
                       said['rule'], critic.message, touched, ages, int(said['frame']),
                       int(said['plan_start_ns']), int(said['goal']), said['run'],
                       said['source'], said['mode'],
                       tuple(filter(None, said['silent'].split(','))),
                       said['latch'] == '1', said['release'])
    except KeyError as missing:
        raise AmiError(f'verdict misses {missing}; it has: {", ".join(said)}') from None


def vector_message(values: np.ndarray, ns: int, run: str) -> Image:
    """(D,) float32 or float64 to Image 1 x D; a latent is in no frame, frame_id names the run."""
    encoding = next((e for e, kind in VECTORS.items() if kind == values.dtype), None)
    if encoding is None or values.ndim != 1:
        raise AmiError(f'{values.dtype} of shape {values.shape} is no latent; '
                       'it needs float32 or float64 of shape (D,)')
    return Image(header=header(ns, run), height=1, width=len(values), encoding=encoding,
                 step=values.nbytes, data=packed(values, 'B'))


def vector_from(msg: Image) -> tuple[np.ndarray, int, str]:
    """Image 1 x D to (D,), stamp and run."""
    kind = VECTORS.get(msg.encoding)
    if kind is None or msg.height != 1 or len(msg.data) != msg.width * kind.itemsize:
        raise AmiError(f'latent is {msg.width}x{msg.height} {msg.encoding} of {len(msg.data)} '
                       f'bytes; it needs height 1 and one of: {", ".join(VECTORS)}')
    return np.frombuffer(msg.data, kind), nanoseconds(msg.header.stamp), msg.header.frame_id


def state_message(values: dict[str, float], ns: int, run: str = '') -> JointState:
    """Name and number pairs to JointState, which every tool plots."""
    return JointState(header=header(ns, run), name=list(values),
                      position=packed(np.fromiter(values.values(), float), 'd'))


def state_from(msg: JointState) -> tuple[dict[str, float], int, str]:
    """JointState to name and number pairs, stamp and run."""
    if len(msg.name) != len(msg.position):
        raise AmiError(f'state has {len(msg.name)} names and {len(msg.position)} positions')
    return dict(zip(msg.name, msg.position)), nanoseconds(msg.header.stamp), msg.header.frame_id


def belief_messages(belief: Belief, **more: float) -> tuple[Image, JointState]:
    """Belief to its latent and its state, both with the stamp of the frame; more is for people."""
    values = (*belief.body, *belief.place, *belief.odometry, belief.surprise, belief.disagreement,
              belief.contradiction, belief.out_of_distribution)
    return (vector_message(belief.z, belief.stamp_ns, belief.run), state_message(
        {**dict(zip(BELIEF_NAMES, values)), **more}, belief.stamp_ns, belief.run))


def belief_from(latent: Image, state: JointState) -> Belief:
    """Put a belief together again, bit for bit; the two must be of the same frame."""
    z, stamp_ns, run = vector_from(latent)
    said, state_ns, state_run = state_from(state)
    if (stamp_ns, run) != (state_ns, state_run):
        raise AmiError(f'latent of {stamp_ns} ns, run {run!r}, and state of {state_ns} ns, run '
                       f'{state_run!r}, are not of the same frame')
    missing = [name for name in BELIEF_NAMES if name not in said and name not in NEWER]
    if missing:
        raise AmiError(f'world_model/state misses {", ".join(missing)}')
    numbers = [(NEWER | said)[name] for name in BELIEF_NAMES]
    return Belief(z, np.array(numbers[:3], np.float32), np.array(numbers[3:6]),
                  np.array(numbers[6:9]), stamp_ns, numbers[9], numbers[10], stamp_ns, run,
                  numbers[11], numbers[12])


def goal_message(picture: np.ndarray | None, number: int, run: str, ns: int) -> Image:
    """Picture of a goal to Image; none at all says that there is no goal, and so does number 0."""
    name = f'{run}/{number}'
    if picture is None:
        return Image(header=header(ns, name), encoding='rgb8')
    return image_message(picture, ns, name)


def goal_from(msg: Image) -> tuple[np.ndarray | None, int, str]:
    """Image to the goal's picture or None, its number, and the run."""
    run, _, number = msg.header.frame_id.rpartition('/')
    if not number.isdecimal():
        raise AmiError(f'goal has frame_id {msg.header.frame_id!r}; it needs RUN/NUMBER')
    return picture_from(msg) if len(msg.data) else None, int(number), run


def health_message(health: Health, ns: int) -> DiagnosticArray:
    """Health to DiagnosticArray."""
    return DiagnosticArray(header=header(ns, ''), status=[status(health)])


def status(health: Health) -> DiagnosticStatus:
    """Health to DiagnosticStatus."""
    return DiagnosticStatus(level=bytes([health.level]), name=health.name,
                            message=health.message, values=pairs(health.values))


def health_from(msg: DiagnosticArray) -> list[Health]:
    """DiagnosticArray to what each of the nodes in it says of itself."""
    return [Health(s.name, s.level[0], s.message, {p.key: p.value for p in s.values})
            for s in msg.status]


def pairs(values: dict[str, str]) -> list[KeyValue]:
    """Dict to the pairs of a DiagnosticStatus."""
    return [KeyValue(key=key, value=value) for key, value in values.items()]


def vector(x=0.0, y=0.0, z=0.0) -> Vector3:
    """Make a Vector3."""
    return Vector3(x=float(x), y=float(y), z=float(z))


def twist(values) -> Twist:
    """(v, w) to Twist; set, not made of parts, which takes twice as long."""
    out = Twist()
    out.linear.x, out.angular.z = map(float, values)
    return out


def transform(x: float, y: float, yaw_rad: float) -> Transform:
    """Planar pose to Transform."""
    out = Transform()
    out.translation.x, out.translation.y = x, y
    out.rotation.z, out.rotation.w = math.sin(yaw_rad / 2), math.cos(yaw_rad / 2)
    return out


def turned(yaw_rad: float) -> Quaternion:
    """Turn about z."""
    return Quaternion(z=math.sin(yaw_rad / 2), w=math.cos(yaw_rad / 2))


def yaw(q: Quaternion) -> float:
    """Rotation about z, of any quaternion."""
    return math.atan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y * q.y + q.z * q.z))
