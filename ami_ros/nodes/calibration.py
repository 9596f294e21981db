# SPDX-License-Identifier: Apache-2.0
"""
How each quantity is measured: what is said to the person, how it moves, what is made of it.

One quantity is one function in the table at the end; the arithmetic is in `agent/measure`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
import math
from typing import Protocol

import numpy as np

from ami_ros.agent.measure import braking, lag, latency, motions, no_return, scale, sight
from ami_ros.agent.measure.found import Found, said, spread, Unclear
from ami_ros.agent.measure.motions import Base, Motion
from ami_ros.agent.measure.room import around, lane
from ami_ros.agent.measure.track import Track, track
from ami_ros.agent.measure.wall import approached, wall
from ami_ros.agent.poses import between, wrap
from ami_ros.agent.robots import Robot
from ami_ros.nodes import topics
from ami_ros.nodes.calibrating import Calibrator

BEFORE_S = 1.0          # of a record, before the motion begins
SCANS_S = 1.0           # at rest, for scans that become one
EMPTY_S = 2.0           # for what a lidar says of nothing
ANSWERS_S = 20.0        # for pictures to be answered
MODEST_MPS2 = 1.0       # no more braking is counted on before it is measured
HALTS = (0.4, 0.7, 1.0, 0.4, 0.7, 1.0)      # shares of the speed that it stops from
CAMERA_APART_S = 0.03   # two halves of one look may differ so far


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
    found: dict[str, Found] = field(default_factory=dict)

    @property
    def base(self) -> Base:
        """Return what motions depend on, with what was measured before."""
        r = self.robot
        return Base(min(self.speed_mps, r.max_speed_mps), r.max_turn_radps, self.lag_s,
                    min(r.braking_mps2, MODEST_MPS2), r.radius_m)

    @property
    def lag_s(self) -> float:
        """Return the lag as it was measured just now, or as the file has it."""
        now = self.found.get('lag')
        return now.values['actuation_lag_s'] if now and now.good else self.robot.actuation_lag_s

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
        heard.scans.clear()
        self.calibrator.listen(seconds)
        if len(heard.scans) < 3:
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
            f'{motions.ROOM_M:.1f} m around it'] * turning
        seen = self.points()
        free = lane(seen, self.robot.body.footprint)
        round_about = around(seen, self.robot.radius_m)
        self.person.say(f'  it needs, free and flat: {", ".join(needs)}; the lidar sees '
                        f'{free[0]:.1f} m ahead, {free[1]:.1f} m behind')
        for need, there, where in ((ahead * driving, free[0], 'ahead of it'),
                                   (behind * driving, free[1], 'behind it'),
                                   (motions.ROOM_M * turning / 2, round_about, 'around it')):
            if there < need:
                raise Unclear(f'{there:.2f} m are free {where}, {need:.2f} are needed; move it, '
                              'or go slower with --speed, or shorter with --distance')
        if not self.person.agrees('  go on?'):
            raise Declined('not wanted')

    def perform(self, motion: Motion) -> tuple[int, int]:
        """Move, and say so."""
        self.person.say(f'  it {motion.says}')
        return self.calibrator.perform(motion, self.base)

    def record(self, begun_ns: int, end_ns: int) -> tuple[Track, np.ndarray]:
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


def measure_lag(kit: Kit) -> Found:
    """Step along each axis, both ways, at two speeds."""
    planned = motions.steps(kit.base)
    kit.ready('lag: how late the base obeys', planned)
    runs = {'v': [], 'w': []}
    for motion in planned:
        axis = motion.legs[0].axis
        odometry, told = kit.record(*kit.perform(motion))
        runs[axis].append(lag.Run(odometry, told[:, 0], told[:, 1 + (axis == 'w')]))
    return lag.lag({axis: lag.respond(each, axis) for axis, each in runs.items()})


def measure_braking(kit: Kit) -> Found:
    """Stop from several speeds, twice from each."""
    planned = motions.straight(kit.base, HALTS)
    kit.ready('braking: how far it goes when it is stopped', planned)
    halts = []
    for motion in planned:
        odometry, told = kit.record(*kit.perform(motion))
        stretches = lag.pulses(told[:, 0], told[:, 1])
        if len(stretches) < 2:
            raise Unclear('the commands that came do not show a stop and the way back')
        (_, zero_s), (again_s, _) = stretches[:2]
        until = odometry.t_s < again_s
        halts.append(braking.halt(Track(odometry.t_s[until], odometry.way_m[until],
                                        odometry.turn_rad[until]), zero_s))
    return braking.braking(halts, kit.lag_s)


def measure_forward(kit: Kit) -> Found:
    """Compare a drive and the drive back with the wall ahead, or else with a person's tape."""
    planned = motions.there_and_back(kit.base, kit.distance_m)
    try:
        wall(kit.points())
        by, why = 'the wall ahead', ''
    except (Unclear, ValueError) as no_wall:
        by, why = 'your tape', str(no_wall)
        kit.person.say(f'  no wall to measure by: {why}')
    kit.ready(f'forward: odometry of a way, against {by}', planned)
    pairs = []
    for motion in planned:
        seen = wall(kit.points()) if not why else None
        if why:
            kit.person.say('  mark on the floor where a wheel stands')
        before = kit.calibrator.pose()
        kit.perform(motion)
        moved = between(before, kit.calibrator.pose())
        if seen is not None:
            pairs.append(approached(seen, wall(kit.points()), moved))
            continue
        real = kit.person.number('  how many metres is it from the mark now, by the tape?')
        if real is None:
            raise Unclear(f'{why}; or be there with a tape, without --yes')
        pairs.append((math.copysign(real, moved[0]), float(moved[0])))
    return scale.scale('forward', 'forward', pairs, by)


def measure_turn(kit: Kit) -> Found:
    """Compare turns with what the scans of beginning and end say, or the gyro, or a person."""
    planned = motions.turns(kit.base, kit.rounds)
    kit.ready('turn: odometry of a turn on the spot', planned)
    pairs, by = [], ''
    for motion in planned:
        try:
            before = kit.scan()
        except (Unclear, ValueError):
            before = None
        begun_ns, end_ns = kit.perform(motion)
        odometry, _ = kit.record(begun_ns, end_ns)
        turned = float(odometry.turn_rad[-1] - odometry.turn_rad[0])
        real, now = turned_really(kit, turned, before, begun_ns, end_ns)
        if by not in ('', now):
            raise Unclear(f'one turn was measured by {by}, the other by {now}; ask again')
        by = now
        pairs.append((real, turned))
    return scale.scale('turn', 'turn', pairs, by)


def turned_really(kit: Kit, turned: float, before: tuple | None, begun_ns: int, end_ns: int
                  ) -> tuple[float, str]:
    """Return the turn in rad, and by what it was found."""
    reasons = []
    try:
        if before is None:
            raise Unclear('there were no scans')
        after, angles = kit.scan()
        near = float(wrap(turned))
        return turned + scale.rotation(before[0], after, angles, near) - near, 'the scans'
    except (Unclear, ValueError) as no_scans:
        reasons.append(str(no_scans))
    try:
        t, rate = np.array(list(kit.calibrator.heard.gyro) or np.zeros((0, 2))).T
        t = (t - begun_ns) / 1e9
        return scale.gyrated(t, rate, 0.0, (end_ns - begun_ns) / 1e9,
                             (-kit.base.settle_s, 0.0)), 'the gyro'
    except Unclear as no_gyro:
        reasons.append(str(no_gyro))
    rest = kit.person.number('  by how many degrees did it turn too far? (too little: negative)')
    if rest is None:
        raise Unclear('; '.join(reasons))
    return math.copysign(2 * math.pi * kit.rounds + math.radians(rest), turned), 'your mark'


def measure_camera(kit: Kit) -> Found:
    """Look left and right, and see by how much the pictures lag behind odometry."""
    planned = motions.glances(kit.base)
    kit.ready('camera: how late its stamps are, against odometry', planned)
    kit.calibrator.look(True)
    try:
        kit.calibrator.heard.pictures.clear()
        begun_ns, end_ns = kit.perform(planned[0])
        kit.calibrator.listen(sight.LATEST_S)
    finally:
        kit.calibrator.look(False)
    odometry, _ = kit.record(begun_ns, end_ns)
    pictures = list(kit.calibrator.heard.pictures)
    stamps = (np.array([ns for ns, _ in pictures], float) - begun_ns) / 1e9
    profiles = np.array([profile for _, profile in pictures])
    whole, alike = sight.camera_delay(stamps, profiles, odometry.t_s, odometry.turn_rad)
    middle = (end_ns - begun_ns) / 2e9
    halves = tuple(sight.camera_delay(stamps[half], profiles[half], odometry.t_s,
                                      odometry.turn_rad)[0]
                   for half in (stamps < middle, stamps >= middle))
    remarks = (f'stamps are {said(1e3 * abs(whole), 2)} ms '
               f'{"later" if whole > 0 else "earlier"} than what the pictures show; have the '
               'driver stamp a picture when it is taken',) if abs(whole) > CAMERA_APART_S else ()
    return Found('camera', {}, 's', halves, spread(halves), CAMERA_APART_S,
                 f'{said(whole, 2)} s from what a picture shows to its stamp, against odometry; '
                 f'{len(stamps)} pictures, correlation {alike:.2f}', remarks)


def measure_latency(kit: Kit) -> Found:
    """Listen to the critic while the mind plans; nothing moves by this."""
    kit.person.say('latency: from a picture to the command that comes of it; the mind plans, '
                   'nothing moves')
    calibrator, asked = kit.calibrator, False
    if calibrator.mode not in ('dry_run', 'autonomous'):
        why, asked = calibrator.ask(topics.DRY_RUN), True
        if why:
            raise Unclear(f'the configurator does not go to dry_run: {why}')
    try:
        begun_ns = calibrator.listen(ANSWERS_S)
    finally:
        if asked:
            calibrator.ask(topics.MANUAL)
    return latency.latency([one for one in calibrator.heard.answers if one[0] >= begun_ns])


def measure_no_return(kit: Kit) -> Found:
    """Listen to the lidar at rest."""
    kit.person.say(f'no_return: what {kit.robot.lidar.name} says where nothing is in range, '
                   f'{said(kit.robot.lidar_range_m[1])} m; nothing moves')
    raw, _ = kit.raw(EMPTY_S)
    return no_return.no_return(raw, kit.robot.lidar_range_m)


QUANTITIES: dict[str, tuple[Callable[[Kit], Found], bool]] = {  # name: (how, whether it moves)
    'no_return': (measure_no_return, False),
    'lag': (measure_lag, True),
    'braking': (measure_braking, True),
    'forward': (measure_forward, True),
    'turn': (measure_turn, True),
    'camera': (measure_camera, True),
    'latency': (measure_latency, False),
}


def written(found: Found, robot: Robot) -> dict[str, object]:
    """Return the keys of the robot file and what they become."""
    forward, turn = robot.odometry_scale
    return {
        'forward': lambda v: {'odometry_scale': [v['forward'], turn]},
        'turn': lambda v: {'odometry_scale': [forward, v['turn']]},
        'no_return': lambda v: {f'sensors.{robot.lidar.name}.no_return': v['lidar_no_return']},
    }.get(found.name, dict)(found.values)
