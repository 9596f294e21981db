# SPDX-License-Identifier: Apache-2.0
"""Stops when a lidar has other beams than its robot file says, or than it had at first."""

from dataclasses import dataclass, field
import math
from typing import cast, ClassVar

import numpy as np

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Memory, Scan, Situation
from ami_ros.critic.rule_interface import Answer, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot
from ami_ros.robots.urdf import rotation

COMPARED = 4        # parts of a scan between whose beams is compared: beams are evenly spaced
TURN_RAD = 2 * math.pi


@dataclass(frozen=True)
class ScanGeometryParams(Settings):
    """How far a scan may differ from what is said of it."""

    max_beams_off: float = setting(
        None, '1', 0.0, 0.5,
        'Maximum deviation of the beam count from the robot file, as a share', strict='lower')
    max_direction_off_deg: float = setting(
        None, 'deg', 0.1, 20.0,
        'Maximum deviation of a beam direction from the robot file', strict='lower')


@dataclass(frozen=True)
class Layout:
    """What the robot file says of the beams of one lidar."""

    name: str
    beams: int
    ends: tuple[float, ...] = ()    # rad, of the first and the last beam; () is not said
    tilt: tuple[float, float] = (0.0, 0.0)      # rad, roll and pitch of its mount

    def direction(self, share: float) -> float:
        """Return where a beam looks once it is level, rad; 0 is the first beam, 1 the last."""
        angle = self.ends[0] + (self.ends[1] - self.ends[0]) * share
        if self.tilt == (0.0, 0.0):
            return angle
        ahead, left, _ = rotation(*self.tilt, 0.0) @ (math.cos(angle), math.sin(angle), 0.0)
        return math.atan2(left, ahead)


@dataclass(frozen=True)
class ScanGeometry:
    """|beams / beams of the robot file - 1| <= max_beams_off; each direction within its limit.

    Of each required LaserScan. Where the robot file says no angle_min_rad and angle_max_rad, the
    directions are compared with those of the first scan since the critic began: they may not
    change. A scan that was turned level by its mount is compared level.
    """

    max_beams_off: float
    max_direction_off_deg: float
    layouts: tuple[Layout, ...]
    name: str = 'scan_geometry'
    release: ClassVar[str] = 'the lidar has the beams that the robot file says'
    # the newest directions of each lidar and what is wrong with them: whoever reads messages gives
    # the same array for the same beams
    found: dict[str, tuple[np.ndarray, str]] = field(default_factory=dict, init=False,
                                                     compare=False, repr=False)

    def limit(self, command: Command, situation: Situation) -> Answer:
        twist(command)
        for scan in situation.scans:
            known, wrong = self.found.get(scan.name, (None, ''))
            if known is not scan.angles:
                wrong = next((self.wrong(scan, layout, situation.memory)
                              for layout in self.layouts if layout.name == scan.name), '')
                self.found[scan.name] = scan.angles, wrong
            if wrong:
                raise Stop(wrong)
        return Answer(command)

    def wrong(self, scan: Scan, layout: Layout, memory: Memory) -> str:
        """Say what is wrong with a scan; '' where nothing is."""
        count = len(scan.angles)
        if not abs(count - layout.beams) <= self.max_beams_off * layout.beams:
            return (f'the {scan.name} has {count} beams, the robot file says {layout.beams}; '
                    f'{self.max_beams_off:.0%} more or fewer are allowed')
        first = None
        if not layout.ends:
            first = next((one for one in memory.first_scans if one.name == scan.name), None)
            if first is None:
                return ''
        for part in range(COMPARED + 1) if first is None else (0, COMPARED):
            at = (count - 1) * part // COMPARED
            looks = float(scan.angles[at])
            if first is None:
                right, whose = layout.direction(at / max(1, count - 1)), 'the robot file says'
            else:
                right = first.last_rad if part else first.first_rad
                whose = 'in its first scan it looked'
            off = math.nan
            if math.isfinite(looks):
                off = abs(math.remainder(looks - right, TURN_RAD))
            if not math.degrees(off) <= self.max_direction_off_deg:     # so that NaN fails too
                return (f'beam {at + 1} of {count} of the {scan.name} looks to '
                        f'{math.degrees(looks):.1f} degrees, {whose} to '
                        f'{math.degrees(right):.1f}; {self.max_direction_off_deg:.1f} degrees '
                        'more or less are allowed')
        return ''


def make(own: ScanGeometryParams, shared: Shared, robot: Robot) -> ScanGeometry:
    """Make the rule of a policy."""
    layouts = []
    for sensor in robot.sensors_of('LaserScan'):
        if sensor.required:
            *_, roll, pitch, _ = robot.body.mount(sensor.link)
            ends = (() if sensor.angle_min_rad is None
                    else (sensor.angle_min_rad, cast(float, sensor.angle_max_rad)))
            layouts.append(Layout(sensor.name, cast(int, sensor.beams), ends, (roll, pitch)))
    return ScanGeometry(own.max_beams_off, own.max_direction_off_deg, tuple(layouts))
