# SPDX-License-Identifier: Apache-2.0
"""
Turns what the critic hears into nouns: sensors by their robot file, a hand, a permit.

As in `message_conversions`, what is built wrongly raises ValueError, and numbers that are not
finite pass: NaN is a beam that says nothing. All ranges become planar in base_link; a sensor that
is tilted or upside down is turned level by its mount in the URDF.
"""

from dataclasses import replace
from functools import lru_cache
import math
from typing import NamedTuple

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry as OdometryMsg
import numpy as np
from sensor_msgs.msg import Imu as ImuMsg
from sensor_msgs.msg import LaserScan, PointCloud2, PointField, Range
from std_msgs.msg import Bool

from ami_ros.core.errors import AmiError
from ami_ros.core.image_stats import unread, view_of
from ami_ros.core.types import Command, Imu, MODES, Odometry, Permit, Scan, Switch, View
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes.cdr_reader import Picture
from ami_ros.nodes.type_narrowing import present
from ami_ros.robots.robot import Robot
from ami_ros.robots.sensor import Sensor
from ami_ros.robots.urdf import rotation

CLOUD_BEAMS = 360
MOST_BEAMS = 4                  # times those of the robot file; a scan with more is not read
LEAST_VIEW_RAD = 0.1            # a lidar looks at least so wide, where its robot file does not say
SPARE_RAD = 0.035               # that a scan may cover beyond a full turn: rounding of the driver
SPARE_M = 1e-3                  # the same of range_min and range_max
SPARE_BEAMS = 2                 # by which angle_max may miss the last beam: drivers round
MOST_POINTS = 1 << 20           # of a cloud: about 0.1 s of work, and more than depth cameras give
MOST_STATUSES = 100
TURN_RAD = 6.2832               # a float32 of a full turn is a little more than one
CONE_RAD = math.radians(2)      # between two beams of a Range; a table leg is wider at 1 m


class Came(NamedTuple):
    """When a message came, by both clocks."""

    now_ns: int
    steady_ns: int


def permit_from(msg: DiagnosticArray, received_steady_ns: int) -> Permit:
    """Status of the configurator to Permit."""
    if not len(msg.status) <= MOST_STATUSES:
        raise AmiError(f'status is of {len(msg.status)} nodes; it needs at most '
                       f'{MOST_STATUSES}')
    said = next((health.values for health in convert.health_from(msg)
                 if health.name.rpartition('/')[2] == 'configurator'), None)
    if said is None:
        raise AmiError(f'status holds {[s.name for s in msg.status]}; it needs configurator')
    if said.get('mode') not in MODES or 'run' not in said:
        raise AmiError(f'status of the configurator says mode {said.get("mode")!r}, run '
                       f'{said.get("run")!r}; it needs a run and a mode of: {", ".join(MODES)}')
    return Permit(said['mode'], said['run'], convert.nanoseconds(msg.header.stamp),
                  received_steady_ns)


def wish_from(msg: TwistStamped | Twist, received_ns: int) -> Command:
    """TwistStamped or Twist to Command; what bears no stamp, or zero, is as old as its arrival."""
    wish = convert.command_from(msg, received_ns)
    return wish if wish.stamp_ns else Command(wish.values, received_ns)


def unreadable_wish(received_ns: int) -> Command:
    """Return the wish of a message that cannot be read: no number, so that the robot stops."""
    return Command(np.full(2, math.nan), received_ns)


def odometry_from(msg: OdometryMsg, sensor: Sensor, robot: Robot, came: Came) -> Odometry:
    """Odometry to Odometry, planar."""
    return replace(convert.odometry_from(msg, came.steady_ns), name=sensor.name,
                   frame=msg.header.frame_id.rpartition('/')[2])


def imu_from(msg: ImuMsg, sensor: Sensor, robot: Robot, came: Came) -> Imu:
    """Imu to Imu, in the sensor's own axes; ValueError unless its frame is the file's link."""
    place(msg, sensor, robot)
    return Imu(*convert.imu_from(msg), came.steady_ns, sensor.name)


def switch_from(msg: Bool, sensor: Sensor, robot: Robot, came: Came) -> Switch:
    """Bool to Switch; its arrival is its stamp."""
    return Switch(sensor.name, sensor.kind, msg.data == sensor.active, *came,
                  robot.side_of(sensor))


def view_from(msg: Picture, sensor: Sensor, robot: Robot, came: Came) -> View:
    """Picture to View; of a compressed one only the bytes are known."""
    data, stamp = np.frombuffer(msg.data, np.uint8), convert.nanoseconds(msg.header.stamp)
    if msg.step is None:
        return unread(data, sensor.name, stamp, came.steady_ns)
    rows, columns, step = msg.height, msg.width, msg.step
    if not 0 < columns <= step:
        raise AmiError(f'{sensor.name} says {columns} x {rows}, step {step}; the step is the '
                       f'length of a row in bytes, at least {max(1, columns)}')
    if not 0 < rows * step <= data.size:
        raise AmiError(f'{sensor.name} says {columns} x {rows}, step {step}, and brings '
                       f'{data.size} bytes; it needs {rows * step}')
    deep = 2 if '16' in msg.encoding else 1     # of two bytes the higher one is looked at
    kinds = step // columns // deep
    if not kinds:
        raise AmiError(f'{sensor.name} says {columns} x {rows} {msg.encoding}, and its rows '
                       f'have {step} bytes')
    pixels = data[:rows * step].reshape(rows, step)[:, :columns * kinds * deep]
    high = 0 if msg.is_bigendian else deep - 1
    pixels = pixels.reshape(rows, columns, kinds, deep)[..., high]
    return view_of(pixels, sensor.name, stamp, came.steady_ns)


def laser_from(msg: LaserScan, sensor: Sensor, robot: Robot, came: Came) -> Scan:
    """LaserScan to Scan: what the robot file calls no return is +inf, what is invalid is NaN."""
    if len(msg.ranges) == 0 or not (math.isfinite(msg.angle_min)
                                    and math.isfinite(msg.angle_increment)
                                    and msg.angle_increment != 0.0):
        raise AmiError(f'{sensor.name} has {len(msg.ranges)} beams from {msg.angle_min} rad '
                       f'every {msg.angle_increment} rad; it needs at least one, finite and '
                       'not zero')
    if not len(msg.ranges) <= MOST_BEAMS * present(sensor.beams):
        raise AmiError(f'{sensor.name} has {len(msg.ranges)} beams, {robot.path} says '
                       f'{sensor.beams}; at most {MOST_BEAMS} times as many can be judged in '
                       'time')
    check_increment(msg, sensor, robot)
    check_last(msg, sensor)
    check_limits(msg, sensor, robot)
    angles = evenly(msg.angle_min, msg.angle_increment, len(msg.ranges))
    ranges = valid(np.frombuffer(msg.ranges, np.float32), sensor)
    return level(ranges, angles, msg, sensor, robot, came)


@lru_cache(maxsize=16)
def evenly(first_rad: float, step_rad: float, count: int) -> np.ndarray:
    """Return the directions of beams, (R,) rad: the same array for the same beams, read-only."""
    angles = first_rad + step_rad * np.arange(count)
    angles.flags.writeable = False
    return angles


def check_increment(msg: LaserScan, sensor: Sensor, robot: Robot) -> None:
    """ValueError where the beams lie closer than this lidar's can, or cover more than a turn.

    Rules look for a hit within some degrees of its beam, so their work grows as beams lie closer.
    """
    count, step = len(msg.ranges), abs(msg.angle_increment)
    view = (LEAST_VIEW_RAD if sensor.angle_min_rad is None
            else abs(present(sensor.angle_max_rad) - sensor.angle_min_rad))
    least = view / (MOST_BEAMS * present(sensor.beams))
    if count > 1 and not least <= step <= (TURN_RAD + SPARE_RAD) / (count - 1):
        raise AmiError(f'{sensor.name} has {count} beams with an angle_increment of '
                       f'{msg.angle_increment:.3g} rad; with the beams that {robot.path} says '
                       f'it needs {least:.2g} rad or more, and a full turn at most: '
                       f'{(TURN_RAD + SPARE_RAD) / (count - 1):.2g} rad')


def check_last(msg: LaserScan, sensor: Sensor) -> None:
    """ValueError where angle_max is not where the last beam looks: one of the angles is wrong.

    A driver that leaves angle_max 0 says nothing of it.
    """
    last = msg.angle_min + msg.angle_increment * (len(msg.ranges) - 1)
    spare = SPARE_BEAMS * abs(msg.angle_increment) + SPARE_RAD
    if msg.angle_max != 0.0 and not abs(msg.angle_max - last) <= spare:
        raise AmiError(f'{sensor.name} has {len(msg.ranges)} beams from {msg.angle_min:.4g} rad '
                       f'every {msg.angle_increment:.4g} rad, so that the last looks to '
                       f'{last:.4g} rad, and angle_max {msg.angle_max:.4g}; they contradict')


def check_limits(msg: LaserScan, sensor: Sensor, robot: Robot) -> None:
    """ValueError where the driver says that it measures less far, or less near, than the file.

    Beyond what the driver measures, +inf does not mean that nothing is there. A driver that says
    neither limit leaves both 0.
    """
    low, high = present(sensor.range_m)
    if msg.range_min == msg.range_max == 0.0:
        return
    if not (msg.range_min <= low + SPARE_M and msg.range_max >= high - SPARE_M):
        raise AmiError(f'{sensor.name} says that it measures {msg.range_min:g} to '
                       f'{msg.range_max:g} m, {robot.path} says range_m: [{low:g}, {high:g}]; '
                       'the robot file may say no more than the driver')


def cone_from(msg: Range, sensor: Sensor, robot: Robot, came: Came) -> Scan:
    """Range to Scan: the echo may come from anywhere in the cone, so it is put everywhere.

    REP-117: +inf is nothing in range, -inf too close to say, NaN a failure.
    """
    if not 0 < msg.field_of_view <= TURN_RAD:
        raise AmiError(f'{sensor.name} has a field of view of {msg.field_of_view} rad; it needs '
                       'more than 0, up to a full turn')
    count = 2 + int(msg.field_of_view / CONE_RAD)
    half = msg.field_of_view / 2
    echo = np.array([msg.range], np.float32)
    near = np.float32(present(sensor.range_m)[0])
    ranges = np.repeat(valid(np.where(echo == -np.inf, near, echo), sensor), count)
    return level(ranges, np.linspace(-half, half, count), msg, sensor, robot, came)


def valid(raw: np.ndarray, sensor: Sensor) -> np.ndarray:
    """(R,) float32 as the sensor says it to (R,) float64: metres, +inf no return, NaN invalid."""
    low, high = map(np.float32, present(sensor.range_m))
    ranges = np.where((raw >= low) & (raw <= high), raw.astype(np.float64), math.nan)
    ranges[raw == np.float32(sensor.no_return)] = math.inf
    return ranges


def level(ranges: np.ndarray, angles: np.ndarray, msg, sensor: Sensor, robot: Robot,
          came: Came) -> Scan:
    """Look at beams from above: those of a tilted sensor are shorter, upside down they turn."""
    x, y, _, roll, pitch, yaw = place(msg, sensor, robot)
    if roll or pitch:
        turn = rotation(roll, pitch, 0.0)
        ahead, left = turn[:2, :2] @ np.stack([np.cos(angles), np.sin(angles)])
        ranges, angles = ranges * np.hypot(ahead, left), np.arctan2(left, ahead)
    return Scan(ranges, angles, (x, y, yaw), convert.nanoseconds(msg.header.stamp),
                came.steady_ns, sensor.name, sensor.required)


def cloud_from(msg: PointCloud2, sensor: Sensor, robot: Robot, came: Came) -> Scan:
    """PointCloud2 to Scan in base_link: the nearest point of each degree, +inf where is none.

    Only points between the sensor's heights can be run into. A cloud in which no point is valid
    says nothing: all beams are NaN.
    """
    spot = place(msg, sensor, robot)
    turn, shift = rotation(*spot[3:]).astype(np.float32), np.array(spot[:3], np.float32)
    x, y, z = coordinates(msg, sensor)
    angles = np.arange(CLOUD_BEAMS) * (2 * math.pi / CLOUD_BEAMS) - math.pi
    away2 = x * x + y * y + z * z       # NaN stays NaN, and that is never valid
    (near, far), (low, high) = present(sensor.range_m), present(sensor.height_m)
    known = (away2 >= near * near) & (away2 < math.inf)
    ranges = np.full(CLOUD_BEAMS, math.inf if known.any() else math.nan)
    x, y, z = (values[known & (away2 <= far * far)] for values in (x, y, z))
    height = turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z + shift[2]
    inside = (height >= low) & (height <= high)
    x, y, z = x[inside], y[inside], z[inside]
    ahead = turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z + shift[0]
    left = turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z + shift[1]
    away = np.maximum(np.hypot(ahead, left), np.float32(1e-3))      # zero would say nothing
    bearing = np.arctan2(left, ahead)
    beam = ((bearing + math.pi) * (CLOUD_BEAMS / (2 * math.pi))).astype(np.intp) % CLOUD_BEAMS
    np.minimum.at(ranges, beam, away)
    nearest = away <= ranges[beam]
    angles[beam[nearest]] = bearing[nearest]        # exactly where it is, not its degree
    return Scan(ranges, angles, (0.0, 0.0, 0.0), convert.nanoseconds(msg.header.stamp),
                came.steady_ns, sensor.name, sensor.required)


def coordinates(msg: PointCloud2, sensor: Sensor) -> list[np.ndarray]:
    """Return x, y, z, each (N,) float32, of a cloud of any layout."""
    fields = {f.name: f for f in msg.fields}
    good = [n in fields and fields[n].datatype == PointField.FLOAT32
            and fields[n].offset + 4 <= msg.point_step for n in 'xyz']
    if not all(good):
        said = ', '.join(f'{f.name} of type {f.datatype} at {f.offset}' for f in msg.fields)
        raise AmiError(f'{sensor.name} has points of {msg.point_step} bytes with {said or "no"} '
                       f'fields; it needs x, y, z of type {PointField.FLOAT32} (FLOAT32)')
    rows, columns, data = msg.height, msg.width, np.frombuffer(msg.data, np.uint8)
    if not rows * columns <= MOST_POINTS:
        raise AmiError(f'{sensor.name} has {rows} x {columns} points; at most {MOST_POINTS} can '
                       'be judged in time')
    if rows > 1 and msg.row_step < columns * msg.point_step:
        raise AmiError(f'{sensor.name} has rows of {msg.row_step} bytes for {columns} points of '
                       f'{msg.point_step}; it needs at least {columns * msg.point_step}')
    needed = (rows - 1) * msg.row_step + columns * msg.point_step if rows and columns else 0
    if data.size < needed:
        raise AmiError(f'{sensor.name} has {data.size} bytes for {rows} x {columns} points; it '
                       f'needs {needed}')
    if not needed:
        return [np.zeros(0, np.float32)] * 3
    kind = np.dtype('>f4' if msg.is_bigendian else '<f4')
    return [np.ndarray((rows, columns), kind, data, fields[n].offset,
                       (msg.row_step, msg.point_step)).astype(np.float32).ravel() for n in 'xyz']


def place(msg, sensor: Sensor, robot: Robot) -> tuple[float, ...]:
    """Return where a sensor is in base_link; ValueError unless its frame is the file's link."""
    link = msg.header.frame_id.rpartition('/')[2]       # a namespaced frame ends in the link
    if link != sensor.link:
        raise AmiError(f'{sensor.name} is in frame {msg.header.frame_id!r}, {robot.path} says '
                       f'link: {sensor.link}; one of the two is wrong')
    return robot.body.mount(link)
