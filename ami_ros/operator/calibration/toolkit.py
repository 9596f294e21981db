# SPDX-License-Identifier: Apache-2.0
"""What every measurement works with: the hand, the robot, the person, the room around it."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ami_ros.core.geometry import between
from ami_ros.operator.calibration import motions, scale
from ami_ros.operator.calibration.free_space import around, lane
from ami_ros.operator.calibration.measurement import Measurement, Unclear
from ami_ros.operator.calibration.motion_node import Calibrator, Lapse, Limits
from ami_ros.operator.calibration.motions import Base, Motion
from ami_ros.operator.calibration.odometry_track import MotionTrack, track
from ami_ros.operator.calibration.wall_distance import Wall, wall
from ami_ros.robots.find_robot import Robot

BEFORE_S = 1.0          # of a record, before the motion begins
SCANS_S = 1.0           # at rest, for scans that become one
REPEATS = 2             # of a motion or of a look in which something was late
MODEST_MPS2 = 1.0       # no more braking is counted on before it is measured


class Person(Protocol):
    """Who stands beside the robot."""

    def say(self, line: str) -> None:
        """Hear a sentence."""

    def agrees(self, question: str) -> bool:
        """Say whether to go on; somebody who said --yes always does."""

    def number(self, question: str) -> float | None:
        """Give a number; None where there is nobody to give it."""


class Declined(RuntimeError):
    """The person does not want this one."""


@dataclass
class Kit:
    """What a measurement works with."""

    calibrator: Calibrator
    robot: Robot
    person: Person
    speed_mps: float            # the fastest that it goes here
    distance_m: float = 1.0     # of the drive that is compared with a wall or a tape
    rounds: int = 1             # of the turns
    limits: Limits = Limits()   # of the critic's policy
    found: dict[str, Measurement] = field(default_factory=dict)
    why: str = ''               # there was no wall

    @property
    def base(self) -> Base:
        """Return what motions depend on, with what was measured before."""
        r, limits = self.robot, self.limits
        speed = min(self.speed_mps, r.max_speed_mps, limits.speed_mps)
        turn = min(r.max_turn_radps, limits.turn_radps)
        gain_s = max(motions.GAIN_S, speed / limits.gain_mps2, turn / limits.turn_gain_radps2)
        return Base(speed, turn, self.lag_s, min(r.braking_mps2, MODEST_MPS2), r.radius_m, gain_s)

    @property
    def lag_s(self) -> float:
        """Return the lag as it was measured just now, or as the file has it."""
        now = self.found.get('lag')
        return now.values['actuation_lag_s'] if now and now.good else self.robot.actuation_lag_s

    @property
    def forward_scale(self) -> float:
        """Return the scale of a way, as it was measured just now, or as the file has it."""
        now = self.found.get('forward')
        return now.values['forward'] if now and now.good else self.robot.odometry_scale[0]

    def wall(self) -> Wall | None:
        """Return the wall ahead, or None, and `why`."""
        try:
            self.why = ''
            return wall(self.points())
        except Unclear as no_wall:
            self.why = str(no_wall)
            return None

    def points(self) -> np.ndarray:
        """Return what the lidar sees at rest, (N, 2), base_link; none where there is no lidar."""
        if not self.robot.sensors_of('LaserScan'):
            return np.zeros((0, 2))
        ranges, angles = self.scan()
        x, y, _, _, _, yaw = self.robot.body.mount(self.robot.lidar.link)
        return np.stack([x + ranges * np.cos(angles + yaw), y + ranges * np.sin(angles + yaw)], 1)

    def scan(self) -> tuple[np.ndarray, np.ndarray]:
        """Return one scan made of those of a second, (R,) m or NaN, and its angles (R,)."""
        raw, angles = self.raw(SCANS_S)
        low, high = self.robot.lidar_range_m
        return scale.middling(np.where((raw >= low) & (raw <= high), raw, np.nan)), angles

    def raw(self, seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """Return scans (N, R) as the driver says them, of so many seconds, and the angles (R,)."""
        heard = self.calibrator.heard
        for _ in range(1 + REPEATS):
            heard.scans.clear()
            self.calibrator.listen(seconds)
            if len(heard.scans) >= 3:
                break
        else:
            raise Unclear(f'{len(heard.scans)} scans came on {self.robot.lidar.topic} in '
                          f'{seconds:g} s; three at least are needed')
        beams = [len(ranges) for _, ranges, _ in heard.scans]
        alike = [one for one in heard.scans if len(one[1]) == beams[-1]]
        return np.stack([ranges for _, ranges, _ in alike]), alike[-1][2]

    def ready(self, what: str, planned: list[Motion]) -> None:
        """Say what will happen and the room that it takes, look at the room, and ask."""
        ahead, behind = motions.room(planned, self.base)
        turning = any(leg.w_radps for motion in planned for leg in motion.legs)
        driving = any(leg.v_mps for motion in planned for leg in motion.legs)
        self.person.say(f'{what}:')
        for line in dict.fromkeys(motion.says for motion in planned):
            self.person.say(f'  it {line}')
        needs = [f'{ahead:.1f} m ahead of it', f'{behind:.1f} m behind it'] * driving + [
            f'{motions.AROUND_M:.2f} m around it'] * turning
        self.person.say(f'  it needs, free and flat: {", ".join(needs)}')
        if self.robot.sensors_of('LaserScan'):
            seen = self.points()
            outline = self.robot.body.footprint
            free, near = lane(seen, outline), around(seen, outline)
            self.person.say(f'  the lidar sees {free[0]:.1f} m ahead, {free[1]:.1f} m behind, '
                            f'{near:.2f} m around')
            for need, there, where in ((ahead * driving, free[0], 'ahead of it'),
                                       (behind * driving, free[1], 'behind it'),
                                       (motions.AROUND_M * turning, near, 'around it')):
                if there < need:
                    raise Unclear(f'{there:.2f} m are free {where}, {need:.2f} are needed; move '
                                  'it, or go slower with --speed, or shorter with --distance')
        if not self.person.agrees('  go on?'):
            raise Declined('not wanted')

    def perform(self, motion: Motion) -> tuple[int, int]:
        """Move, and say so; where something was late for a moment, go back and move again."""
        self.person.say(f'  now it {motion.says}')
        begin, late = self.calibrator.pose(), ''
        for _ in range(1 + REPEATS):
            try:
                return self.calibrator.perform(motion, self.base)
            except Lapse as why:
                late = str(why)
                self.person.say(f'  interrupted: {late}; it goes back and does this again')
                self.go_back(begin)
        raise self.too_late(late)

    def go_back(self, begin: np.ndarray) -> None:
        """Return to a pose of odometry, once all that was late is in time again."""
        late = ''
        for _ in range(1 + REPEATS):
            try:
                self.calibrator.recover()
                ahead, _, left = between(begin, self.calibrator.pose())
                for undo in motions.back(self.base, float(ahead), float(left)):
                    self.calibrator.perform(undo, self.base)
                return
            except Lapse as why:
                late = str(why)
        raise self.too_late(late)

    def too_late(self, late: str) -> Unclear:
        """Say that a motion was interrupted too often."""
        return Unclear(f'{1 + REPEATS} times something was late: {late}; see what else runs on '
                       'this machine, then measure this again')

    def record(self, begun_ns: int, end_ns: int) -> tuple[MotionTrack, np.ndarray]:
        """Return odometry and commands (M, 3) of a motion, in seconds since it began."""
        heard, low_ns = self.calibrator.heard, begun_ns - round(BEFORE_S * 1e9)
        poses = np.array([one for one in heard.odometry if low_ns <= one[0] <= end_ns])
        told = np.array([one for one in heard.commands if low_ns <= one[0] <= end_ns])
        if not len(told) or not len(poses):
            raise Unclear(f'{len(poses)} readings of odometry and {len(told)} commands bear '
                          'stamps of the time of the motion; do their clocks agree?')
        told = told.astype(float)
        told[:, 0] = (told[:, 0] - begun_ns) / 1e9
        return track((poses[:, 0] - begun_ns) / 1e9, poses[:, 1:]), told
