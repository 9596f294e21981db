# SPDX-License-Identifier: Apache-2.0
"""What a robot file says: limits and their source, measured delays, sensors, URDF."""

from dataclasses import dataclass, replace
from functools import cached_property
import math
from pathlib import Path
from typing import cast, ClassVar

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import setting
from ami_ros.core.share_directory import share
from ami_ros.robots import strict_yaml
from ami_ros.robots import urdf as geometry
from ami_ros.robots.field_validation import build, Given, some
from ami_ros.robots.sensor import NAME, PICTURES, RANGES, Sensor

COMMANDS = ('TwistStamped', 'Twist')
FARTHEST_CORNER_M = 5.0     # of a footprint; further off it was written in other units
EXACT_RAD = 1e-6            # URDFs write a quarter turn with seven digits


@dataclass(frozen=True)
class Robot(Given):
    """One robot. Limits are of the hardware; the policy may be stricter, never looser."""

    axes: ClassVar[tuple[str, ...]] = ('v_mps', 'w_radps')      # of a command, in order

    name: str = setting(
        None, '-', reason='Robot name of a-z, 0-9 and _; modules are trained for one robot name')
    urdf: str = setting(
        None, 'path', reason='URDF file, relative to the robot file or to the shared files')
    footprint: tuple | None = some(
        'm',
        reason='Convex footprint corners [x, y] in base_link; if absent, the box and the wheels '
               'of the URDF are used')
    command_type: str = setting(
        None, '-', reason='Command type that the base accepts: TwistStamped or Twist')
    max_speed_mps: float = setting(None, 'm/s', 0.01, 5.0, 'Maximum linear speed of the base')
    max_turn_radps: float = setting(None, 'rad/s', 0.01, 10.0, 'Maximum turn rate of the base')
    braking_mps2: float = setting(
        None, 'm/s^2', 0.05, 50.0, 'Measured deceleration once braking has started')
    actuation_lag_s: float = setting(
        None, 's', 0.001, 2.0, 'First-order time constant from command to wheel speed')
    base_timeout_s: float = setting(
        None, 's', 0.02, 5.0, 'Command timeout after which the base stops by itself')
    latency_s: float = setting(
        None, 's', 0.0, 0.5, 'Measured latency from image capture to command')
    odometry_scale: tuple[float, float] = setting(
        None, '1', 0.5, 2.0, 'Measured ratio of true to reported motion, for forward and turning')
    camera_size: tuple[int, int] = setting(
        None, 'px', 16, 1920, "Width and height of the planner's input image")
    camera_hfov_rad: float = setting(
        None, 'rad', 0.2, 3.0, "Horizontal field of view of the planner's input image")
    sensors: tuple = setting(None, '-', reason='List of sensors; see the sensor kinds')

    path: Path = Path()     # of the file that said it

    def __post_init__(self):
        """Check it as a whole, but for what needs the URDF."""
        super().__post_init__()
        if not NAME.fullmatch(self.name):
            raise AmiError(f'name = {self.name!r} is not of a-z, 0-9 and _, a letter first')
        if self.command_type not in COMMANDS:
            raise AmiError(f'no command_type {self.command_type!r}; there are: '
                           f'{", ".join(COMMANDS)}')
        if self.footprint is not None:
            corners(self.footprint)
        for key in ('name', 'topic'):
            said = [getattr(sensor, key) for sensor in self.sensors]
            twice = next((one for one in said if said.count(one) > 1), None)
            if twice is not None:
                raise AmiError(f'two sensors have the {key} {twice!r}')
        for what, kinds in (('image', PICTURES), ('odometry', ('Odometry',))):
            names = [sensor.name for sensor in self.sensors_of(*kinds)]
            if len(names) != 1:
                raise AmiError(f'exactly one sensor of kind {" or ".join(kinds)} is needed, for '
                               f'the {what}; there are: {", ".join(names) or "none"}')
        if not any(sensor.required for sensor in self.sensors_of(*RANGES)):
            raise AmiError(f'no sensor of kind {", ".join(RANGES)} is required; without one '
                           'nobody sees what the robot may run into')

    @cached_property
    def body(self) -> geometry.UrdfBody:
        """Geometry, from the URDF; the footprint of the robot file wins over its box."""
        own = None if self.footprint is None else corners(self.footprint)
        return geometry.read(Path(self.urdf), own)

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Largest |v| m/s and |w| rad/s."""
        return self.max_speed_mps, self.max_turn_radps

    @cached_property
    def radius_m(self) -> float:
        """Radius of the circle around base_link that holds the footprint."""
        return max(math.hypot(x, y) for x, y in self.body.footprint)

    def sensors_of(self, *kinds: str) -> tuple[Sensor, ...]:
        """Return the sensors of some kinds, in the order of the file."""
        return tuple(sensor for sensor in self.sensors if sensor.kind in kinds)

    def sensor(self, name: str) -> Sensor:
        """Return a sensor by its name; ValueError lists those there are."""
        for sensor in self.sensors:
            if sensor.name == name:
                return sensor
        raise AmiError(f'{self.name} has no sensor {name!r}; there are: '
                       f'{", ".join(s.name for s in self.sensors)}')

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Names of the sensors without which it does not move."""
        return tuple(sensor.name for sensor in self.sensors if sensor.required)

    def side_of(self, sensor: Sensor) -> str:
        """Return the side of a bumper or cliff: as said, or the side its link is nearest to."""
        if sensor.side is not None or sensor.link is None:
            return sensor.side or ''
        (x, y, *_), low, high = (self.body.mount(sensor.link), self.body.footprint.min(0),
                                 self.body.footprint.max(0))
        away = {'front': high[0] - x, 'back': x - low[0], 'left': high[1] - y,
                'right': y - low[1]}
        return min(away, key=away.__getitem__)

    @property
    def camera(self) -> Sensor:
        """What the mind sees through."""
        return self.sensors_of(*PICTURES)[0]

    @property
    def odometry(self) -> Sensor:
        """What tells how it moved."""
        return self.sensors_of('Odometry')[0]

    @property
    def lidar(self) -> Sensor:
        """The first planar lidar; ValueError where there is none."""
        found = self.sensors_of('LaserScan')
        if not found:
            raise AmiError(f'{self.name} has no sensor of kind LaserScan; it has: '
                           f'{", ".join(s.kind for s in self.sensors)}')
        return found[0]

    @property
    def lidar_beams(self) -> int:
        """Readings in one scan of the lidar."""
        return cast(int, self.lidar.beams)

    @property
    def lidar_range_m(self) -> tuple[float, float]:
        """Below the first is invalid, above the second no return."""
        return cast(tuple[float, float], self.lidar.range_m)

    @property
    def lidar_no_return(self) -> float:
        """What this lidar says then (REP-117: +inf; some say 0.0)."""
        return cast(float, self.lidar.no_return)

    @cached_property
    def camera_mount(self) -> geometry.Place:
        """Where the camera is in base_link, its x axis ahead along the view.

        The link of a picture is named by its messages, an optical frame by REP-103: z ahead.
        """
        place = self.body.mount(self.camera.link)
        if 'optical' not in str(self.camera.link):
            return place
        seen = geometry.carried(place, geometry.AHEAD_IN_OPTICAL)
        return (*seen[:3], *(round(angle / EXACT_RAD) * EXACT_RAD for angle in seen[3:]))


def corners(footprint: tuple) -> np.ndarray:
    """Make (P, 2) corners, counter-clockwise; ValueError unless they go around once, convexly."""
    try:
        points = np.array(footprint, float)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 2 or len(points) < 3 or points.shape[1] != 2:
        raise AmiError(f'footprint = {list(footprint)!r} is not a list of three or more corners '
                       '[x, y]')
    if not (np.abs(points) <= FARTHEST_CORNER_M).all():
        raise AmiError(f'footprint has a corner beyond {FARTHEST_CORNER_M} m; metres are meant, '
                       'in base_link')
    edges = np.roll(points, -1, axis=0) - points
    edges = edges[:, 0] + 1j * edges[:, 1]
    if not (np.abs(edges) > 0.001).all():
        raise AmiError('footprint says a corner twice')
    turns = np.angle(np.roll(edges, -1) / edges)        # left is positive
    around = turns.sum() / (2 * math.pi)
    if not (abs(abs(around) - 1) < 0.01 and (turns * np.sign(around) > -1e-6).all()):
        raise AmiError('footprint is not convex; give the corners of the hull, one way around')
    return points if around > 0 else points[::-1]


def read(path: Path) -> Robot:
    """Read a robot file with its URDF; ValueError is one sentence that says what is wrong."""
    return understood(strict_yaml.load(path), path)


def understood(said: dict, path: Path) -> Robot:
    """Make a robot of what its file says."""
    where, said = str(path), dict(said)
    listed = said.get('sensors', [])
    if not isinstance(listed, list):
        raise AmiError(f'{where}: sensors is no list; each begins with "- name: ..."')
    sensors = []
    for number, one in enumerate(listed, 1):
        name = one.get('name') if isinstance(one, dict) else None
        sensors.append(build(Sensor, one, f'{where}, sensor {name or number}'))
    if 'sensors' in said:
        said['sensors'] = tuple(sensors)
    robot = replace(build(Robot, said, where), path=path)
    try:
        robot = replace(robot, urdf=str(beside(path, robot.urdf)))
        for sensor in robot.sensors:
            if sensor.link is not None:
                try:
                    robot.body.mount(sensor.link)
                except ValueError as wrong:
                    raise AmiError(f'sensor {sensor.name}: {robot.urdf}: {wrong}') from None
    except (ValueError, FileNotFoundError) as wrong:
        raise AmiError(f'{where}: {wrong}') from None
    return robot


def beside(path: Path, relative: str) -> Path:
    """Find what a robot file names: in its own folder first, then among the shared files."""
    own = path.parent / relative
    return own if own.is_file() else share(relative)
