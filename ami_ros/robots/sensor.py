# SPDX-License-Identifier: Apache-2.0
"""What a robot file says of one sensor."""

from dataclasses import dataclass
import math
import re

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import setting
from ami_ros.robots.field_validation import Given, some

PICTURES = ('Image', 'CompressedImage')
RANGES = ('LaserScan', 'PointCloud2', 'Range')      # what shows where something stands
SWITCHES = ('bumper', 'cliff', 'e_stop')            # all three std_msgs/Bool
NEEDS = {       # kind: what is said of it besides name, kind, topic, required and hz
    'Image': ('link',), 'CompressedImage': ('link',), 'CameraInfo': (),
    'LaserScan': ('link', 'range_m', 'no_return', 'beams'),
    'PointCloud2': ('link', 'range_m', 'height_m'),
    'Range': ('link', 'range_m', 'no_return'),
    'Odometry': (), 'Imu': ('link',), 'JointState': (),
    **dict.fromkeys(SWITCHES, ('active',)),
}
WIDEST_RAD = 6.32           # a full turn, and 2 degrees of rounding
SIDES = ('front', 'back', 'left', 'right')
MAY = {('link', 'bumper'), ('link', 'cliff')}       # said where the side follows from the place
NAME = re.compile(r'[a-z][a-z0-9_]*')
TOPIC = re.compile(r'[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*')


@dataclass(frozen=True)
class Sensor(Given):
    """One sensor: what it is, where it is heard, what its readings mean."""

    name: str = setting(None, '-', reason='Sensor name used in messages and verdicts')
    kind: str = setting(None, '-', reason=f'Sensor kind, one of: {", ".join(NEEDS)}')
    topic: str = setting(None, '-', reason='Relative topic name, so that a namespace can be added')
    required: bool = setting(None, '-', reason='Block every motion while this sensor is missing')
    hz: float = setting(
        None, 'Hz', 0.0, 1000.0,
        'Message rate of the sensor; 0 means that a switch publishes only on change')
    link: str | None = some('link', reason='URDF link that is the frame_id of its messages')
    range_m: tuple[float, float] | None = some(
        'm', 0.0, 200.0,
        'Minimum and maximum range; a nearer reading is invalid, a farther one is no return')
    no_return: float | None = some(
        'm', 0.0, math.inf, 'Value reported when nothing is in range: .inf, 0.0 or a number')
    beams: int | None = some('beams', 8, 100000, 'Number of readings in one scan')
    angle_min_rad: float | None = some(
        'rad', -6.4, 6.4,
        'Direction of the first beam of a scan, equal to angle_min of its messages')
    angle_max_rad: float | None = some(
        'rad', -6.4, 6.4,
        'Direction of the last beam of a scan, equal to angle_max of its messages')
    height_m: tuple[float, float] | None = some(
        'm', -2.0, 5.0,
        'Minimum and maximum height above the floor of points that count as obstacles')
    active: bool | None = some('-', reason='Value that means pressed, edge or stop')
    size_px: tuple[int, int] | None = some(
        'px', 1, 20000,
        'Width and height of the images; if absent, the size of the first image is used')
    side: str | None = some(
        '-',
        reason='Side of a bumper or cliff sensor: front, back, left or right; without side and '
               'link it blocks every motion')

    def __post_init__(self):
        """Check it as a whole."""
        super().__post_init__()
        if self.kind not in NEEDS:
            raise AmiError(f'no kind {self.kind!r}; there are: {", ".join(NEEDS)}')
        for key in dict.fromkeys(key for keys in NEEDS.values() for key in keys):
            said, needed = getattr(self, key) is not None, key in NEEDS[self.kind]
            if needed and not said:
                raise AmiError(f'{key} must be given for a {self.kind}')
            if said and not needed and (key, self.kind) not in MAY:
                raise AmiError(f'{key} means nothing for a {self.kind}; take it out')
        if not NAME.fullmatch(self.name):
            raise AmiError(f'name {self.name!r} is not of a-z, 0-9 and _, a letter first')
        if not TOPIC.fullmatch(self.topic):
            raise AmiError(f'topic {self.topic!r} is not a relative name like '
                           f"'camera/image_raw': no leading slash, letters, digits and _")
        if self.hz == 0.0 and self.kind not in SWITCHES:
            raise AmiError('hz = 0 is for switches that speak when they change; say how many '
                           'readings a second it gives')
        if self.side is not None and (self.side not in SIDES
                                      or self.kind not in ('bumper', 'cliff')):
            raise AmiError(f'side = {self.side!r} of a {self.kind}; a bumper or a cliff has one '
                           f'of: {", ".join(SIDES)}')
        if self.size_px is not None and self.kind not in PICTURES:
            raise AmiError(f'size_px means nothing for a {self.kind}; take it out')
        self.check_angles()
        for key in ('range_m', 'height_m'):
            pair = getattr(self, key)
            if pair is not None and not pair[0] < pair[1]:
                raise AmiError(f'{key} = {list(pair)} is not the smaller number first')
        if self.no_return is not None and self.range_m is not None and (
                self.range_m[0] <= self.no_return < self.range_m[1]):
            raise AmiError(f'no_return = {self.no_return} lies within range_m = '
                           f'{list(self.range_m)}, where it would be an obstacle')

    def check_angles(self) -> None:
        """Check the directions of the first and the last beam; a lidar may say neither."""
        first, last = self.angle_min_rad, self.angle_max_rad
        if first is None and last is None:
            return
        if self.kind != 'LaserScan':
            raise AmiError(f'angle_min_rad and angle_max_rad mean nothing for a {self.kind}; '
                           'take them out')
        if first is None or last is None:
            raise AmiError('angle_min_rad and angle_max_rad must be given together, or neither')
        if not 0.0 < abs(last - first) <= WIDEST_RAD:
            raise AmiError(f'angle_min_rad = {first} and angle_max_rad = {last} must differ, '
                           'by a full turn (6.2832 rad) at most')
