# SPDX-License-Identifier: Apache-2.0
"""
How each quantity is measured: what is said to the person, how it moves, what is made of it.

One quantity is one function in the table at the end; the arithmetic is in `operator/calibration`.
"""

from collections.abc import Callable
from dataclasses import replace
import math
from typing import Any

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.geometry import between, wrap
from ami_ros.nodes import topics
from ami_ros.operator.calibration import (
    braking,
    camera_delay,
    camera_to_command_latency,
    lag,
    lidar_no_return,
    motions,
    scale,
)
from ami_ros.operator.calibration.measurement import Measurement, said, spread, Unclear
from ami_ros.operator.calibration.toolkit import Kit
from ami_ros.operator.calibration.wall_distance import approached
from ami_ros.robots.find_robot import Robot

EMPTY_S = 2.0           # for what a lidar says of nothing
ANSWERS_S = 20.0        # for pictures to be answered
MODE_S = 1.5            # in which the configurator says its mode
HALTS = (0.4, 0.7, 1.0, 0.4, 0.7, 1.0)      # shares of the speed that it stops from
CAMERA_APART_S = 0.03   # two halves of one look may differ so far


def measure_lag(kit: Kit) -> Measurement:
    """Step along each axis, both ways, at two speeds."""
    planned = motions.steps(kit.base)
    kit.ready('lag: how late the base obeys', planned)
    runs: dict[str, list] = {'v': [], 'w': []}
    for motion in planned:
        axis = motion.legs[0].axis
        odometry, told = kit.record(*kit.perform(motion))
        runs[axis].append(lag.StepResponse(odometry, told[:, 0], told[:, 1 + (axis == 'w')]))
    return lag.lag({axis: lag.respond(each, axis) for axis, each in runs.items()})


def measure_braking(kit: Kit) -> Measurement:
    """Stop from several speeds, twice from each; a wall ahead shows what wheels do not feel."""
    planned = [motions.dashes(kit.base, share) for share in HALTS]
    kit.ready('braking: how far it goes when it is stopped', [m for two in planned for m in two])
    halts, by_wall = [], True
    for ahead, back in planned:
        before, pose = kit.wall(), kit.calibrator.pose()
        odometry, told = kit.record(*kit.perform(ahead))
        stretches = lag.pulses(told[:, 0], told[:, 1])
        if not stretches:
            raise Unclear('the commands that came do not show a drive and a stop')
        halts.append(braking.halt(odometry, stretches[0][1]))
        after = kit.wall() if before else None
        if before and after:
            moved = between(pose, kit.calibrator.pose())
            halts[-1] = braking.slid(halts[-1], *approached(before, after, moved),
                                     kit.forward_scale)
        by_wall = by_wall and after is not None
        kit.perform(back)
    out = braking.bounded(
        braking.braking(halts, kit.lag_s, 'odometry and the wall ahead' if by_wall
                        else 'odometry'),
        halts, kit.robot.max_speed_mps, kit.robot.braking_mps2)
    blind = ('odometry alone was asked: wheels that lock and slide would not be seen; a flat wall '
             'ahead would show it',)
    return out if by_wall else replace(out, remarks=out.remarks + blind)


def measure_forward(kit: Kit) -> Measurement:
    """Compare a drive and the drive back with the wall ahead, or else with a person's tape."""
    planned = motions.there_and_back(kit.base, kit.distance_m)
    by = 'the wall ahead' if kit.wall() else 'your tape'
    if kit.why:
        kit.person.say(f'  no wall to measure by: {kit.why}')
    kit.ready(f'forward: odometry of a way, against {by}', planned)
    pairs = []
    for motion in planned:
        seen = kit.wall() if by == 'the wall ahead' else None
        if seen is None:
            kit.person.say('  mark on the floor where a wheel stands')
        before = kit.calibrator.pose()
        kit.perform(motion)
        moved = between(before, kit.calibrator.pose())
        if seen is not None and (now := kit.wall()) is not None:
            pairs.append(approached(seen, now, moved))
            continue
        if by == 'the wall ahead':
            raise Unclear(f'the wall was lost: {kit.why}')
        real = kit.person.number('  how many metres is it from the mark now, by the tape?')
        if real is None:
            raise Unclear(f'{kit.why}; or be there with a tape, without --yes')
        pairs.append((math.copysign(real, moved[0]), float(moved[0])))
    return scale.scale('forward', 'forward', pairs, by)


def measure_turn(kit: Kit) -> Measurement:
    """Compare turns with what the scans of beginning and end say, or the gyro, or a person."""
    planned = motions.turns(kit.base, kit.rounds)
    kit.ready('turn: odometry of a turn on the spot', planned)
    pairs, by = [], ''
    for motion in planned:
        try:
            before = kit.scan()
        except AmiError:
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
    except AmiError as no_scans:
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


def measure_camera(kit: Kit) -> Measurement:
    """Look left and right, and see by how much the pictures lag behind odometry."""
    planned = motions.glances(kit.base)
    kit.ready('camera: how late its stamps are, against odometry', planned)
    kit.calibrator.inputs.look(True)
    try:
        kit.calibrator.heard.pictures.clear()
        begun_ns, end_ns = kit.perform(planned[0])
        kit.calibrator.listen(camera_delay.LATEST_S)
    finally:
        kit.calibrator.inputs.look(False)
    odometry, _ = kit.record(begun_ns, end_ns)
    pictures = list(kit.calibrator.heard.pictures)
    stamps = (np.array([ns for ns, _ in pictures], float) - begun_ns) / 1e9
    profiles = np.array([profile for _, profile in pictures])
    whole, alike = camera_delay.camera_delay(stamps, profiles, odometry.t_s, odometry.turn_rad)
    middle = (end_ns - begun_ns) / 2e9
    halves = tuple(camera_delay.camera_delay(stamps[half], profiles[half], odometry.t_s,
                                      odometry.turn_rad)[0]
                   for half in (stamps < middle, stamps >= middle))
    remarks = (f'stamps are {said(1e3 * abs(whole), 2)} ms '
               f'{"later" if whole > 0 else "earlier"} than what the images show; have the '
               'driver stamp an image when it is taken',) if abs(whole) > CAMERA_APART_S else ()
    return Measurement('camera', {'camera_delay_s': round(whole, 3)}, 's', halves, spread(halves),
                 CAMERA_APART_S, 'from what an image shows to its stamp, against odometry; '
                 f'{len(stamps)} images, correlation {alike:.2f}', remarks)


def measure_latency(kit: Kit) -> Measurement:
    """Let the mind plan back to what it saw before it was turned away; by the plan nothing moves.

    Where it is already planning, in dry_run or autonomous, only the critic is listened to.
    """
    what = 'latency: from an image to the command that comes of it'
    calibrator = kit.calibrator
    calibrator.wait(lambda: calibrator.inputs.mode, MODE_S)
    if calibrator.inputs.mode in ('dry_run', 'autonomous'):
        kit.person.say(f'{what}; it is {calibrator.inputs.mode}, this only listens')
        begun_ns = calibrator.listen(ANSWERS_S)
    else:
        planned = motions.quarter(kit.base)
        kit.ready(f'{what}, back to what it sees now, in dry_run', [planned])
        goal = calibrator.view()
        if goal is None:
            raise Unclear(f'no image came on {kit.robot.camera.topic}')
        kit.perform(planned)
        why = calibrator.ask(topics.DRY_RUN)
        if why:
            raise Unclear(f'the configurator does not go to dry_run: {why}')
        try:
            begun_ns = calibrator.give_goal(goal)
            calibrator.listen(ANSWERS_S)
        finally:
            calibrator.ask(topics.CANCEL)
            calibrator.ask(topics.MANUAL)
    return camera_to_command_latency.latency([one for one in calibrator.heard.answers
                                              if one[0] >= begun_ns])


def measure_no_return(kit: Kit) -> Measurement:
    """Listen to the lidar at rest."""
    kit.person.say(f'no_return: what {kit.robot.lidar.name} says where nothing is in range, '
                   f'{said(kit.robot.lidar_range_m[1])} m; nothing moves')
    raw, angles = kit.raw(EMPTY_S)
    found = lidar_no_return.no_return(raw, kit.robot.lidar_range_m)
    return replace(found, values={**found.values, 'lidar_beams': len(angles), 'lidar_angles': [
        round(float(angle), 4) for angle in angles[[0, -1]]]})


# name: (how, whether it moves)
QUANTITIES: dict[str, tuple[Callable[[Kit], Measurement], bool]] = {
    'no_return': (measure_no_return, False),
    'lag': (measure_lag, True),
    'forward': (measure_forward, True),
    'turn': (measure_turn, True),
    'braking': (measure_braking, True),     # needs the lag, and the scale against a wall
    'camera': (measure_camera, True),
    'latency': (measure_latency, False),
}


def of_the_lidar(values: dict[str, Any], robot: Robot) -> dict[str, object]:
    """Return what the robot file says of its lidar; the directions only where it said some."""
    found = {'no_return': values['lidar_no_return']}
    if 'lidar_beams' in values:
        found['beams'] = values['lidar_beams']
        if robot.lidar.angle_min_rad is not None:
            found['angle_min_rad'], found['angle_max_rad'] = values['lidar_angles']
    return found


def written(found: Measurement, robot: Robot) -> dict[str, object]:
    """Return the keys of the robot file and what they become."""
    forward, turn = robot.odometry_scale
    keys: dict[str, Callable[[dict], dict]] = {
        'camera': lambda v: {},     # for people: to be mended in the driver, not allowed for
        'forward': lambda v: {'odometry_scale': [v['forward'], turn]},
        'turn': lambda v: {'odometry_scale': [forward, v['turn']]},
        'no_return': lambda v: {f'sensors.{robot.lidar.name}.{key}': value
                                for key, value in of_the_lidar(v, robot).items()},
    }
    return keys.get(found.name, dict)(found.values)
