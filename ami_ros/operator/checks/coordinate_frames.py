# SPDX-License-Identifier: Apache-2.0
"""Which frame readings are in, and whether tf and the URDF put it in the same place."""

import math

import numpy as np

from ami_ros.core.findings import Finding, good, UNCHECKED, WARN, WRONG
from ami_ros.operator.checks.observation import HAS_FRAME, Observation
from ami_ros.robots import urdf
from ami_ros.robots.robot import Robot

SHIFT_M, TURN_RAD = 0.02, math.radians(2)
OPTICAL = ('_optical', '_optical_frame')        # REP 103: z ahead, x right, y down


def link(frame: str) -> str:
    """Return the link of a frame_id: a namespaced one ends in it."""
    return frame.rpartition('/')[2]


def all_frames(seen: Observation) -> list[Finding]:
    """Check the frame_id of every sensor that speaks."""
    out = []
    for sensor in seen.robot.sensors:
        readings = seen.channels[sensor.name].readings
        if not readings or sensor.kind not in HAS_FRAME:
            continue
        said = sorted({link(r.frame) for r in readings})
        if sensor.kind == 'Odometry':
            out += odometry(sensor.name, said, sorted({link(r.said.child) for r in readings}))
        else:
            info = sensor.kind == 'CameraInfo'      # it is in the frame of its pictures
            out += frame(seen.robot, sensor.name, seen.robot.camera.link if info else sensor.link,
                         said, sensor.required and not info)
        if sensor.kind in ('Image', 'CompressedImage', 'CameraInfo'):
            out += optical(sensor.name, said)
    return out


def frame(robot: Robot, name: str, wanted: str | None, said: list[str],
          required: bool) -> list[Finding]:
    """Check that readings are in a frame that the URDF mounts: the one of the robot file."""
    what, bad = f'{name}: frame', WRONG if required else WARN
    if len(said) > 1:
        return [Finding(bad, what, f'it changes: {", ".join(said)}', wanted or 'one',
                        'End all publishers but one.')]
    if wanted is None or said[0] == wanted:
        return [good(what, said[0] or 'none', wanted or '')]
    mounted = said[0] in robot.body.mounts or said[0] == urdf.BASE
    there = ', '.join(robot.body.mounts)
    fix = (f'Write link: {said[0]} for {name} in the robot file, where the sensor really is there.'
           if mounted else f'Let the driver say frame_id {wanted}, or add {said[0] or "it"} to '
           f'the URDF, whose links are: {there}.')
    return [Finding(bad, what, repr(said[0]), wanted, fix)]


def odometry(name: str, parents: list[str], children: list[str]) -> list[Finding]:
    """Check REP 105: odom holds base_link."""
    what, wanted = f'{name}: frame', f'odom to {urdf.BASE}'
    said = f'{", ".join(parents) or "none"} to {", ".join(children) or "none"}'
    below = ('base_footprint',)     # the same place on a level floor
    if children != [urdf.BASE] and children[0] not in below:
        return [Finding(WRONG, what, said, wanted,
                        f'Let the driver say child_frame_id {urdf.BASE}: the twist is read in '
                        'its axes.')]
    if parents != ['odom']:
        return [Finding(WARN, what, said, wanted,
                        'Let the driver say frame_id odom; a map jumps, and speeds jump with it.')]
    return [good(what, said, wanted)]


def optical(name: str, said: list[str]) -> list[Finding]:
    """Check that pictures are in a frame whose name says that z looks ahead."""
    if all(frame.endswith(OPTICAL) for frame in said):
        return []
    return [Finding(WARN, f'{name}: axes', f'frame_id {", ".join(map(repr, said))}',
                    f'a name that ends in {OPTICAL[0]} or {OPTICAL[1]}',
                    'REP 103 wants z ahead for images: let the driver name its optical frame.')]


def mounts(seen: Observation) -> list[Finding]:
    """Check that tf_static puts each sensor where the URDF does."""
    what = 'tf_static: mounts'
    if seen.mounts is None:
        return [Finding(UNCHECKED, what, 'tf2_msgs is not installed',
                        fix='sudo apt install ros-$ROS_DISTRO-tf2-msgs; it is not among wheels.')]
    links = list(dict.fromkeys(s.link for s in seen.robot.sensors if s.link))
    out, places = [], in_base(seen.mounts)
    for name in links:
        if name not in places:
            out.append(Finding(UNCHECKED, f'{what}, {name}', 'nobody says it', '',
                               'Start robot_state_publisher with the URDF of the robot file; the '
                               'mind needs no tf, RViz does.'))
            continue
        shift, turn = apart(places[name], seen.robot.body.mount(name))
        said = f'{1e2 * shift:.1f} cm and {math.degrees(turn):.1f} degrees off the URDF'
        well = shift <= SHIFT_M and turn <= TURN_RAD
        there = ' '.join(f'{v:.3f}' for v in places[name])
        urdf_has = ' '.join(f'{v:.3f}' for v in seen.robot.body.mount(name))
        out.append(good(f'{what}, {name}', said) if well else Finding(
            WRONG, f'{what}, {name}', f'{said}: tf says {there}, the URDF {urdf_has}',
            f'within {1e2 * SHIFT_M:.0f} cm and {math.degrees(TURN_RAD):.0f} degrees',
            'Measure which is right, and correct the other: xyz m and rpy rad in base_link.'))
    return out


def in_base(said: dict[str, tuple[str, urdf.Place]]) -> dict[str, urdf.Place]:
    """Follow each transform up to base_link; a ring or a loose end leads nowhere."""
    places: dict[str, urdf.Place] = {}
    for name in said:
        place: urdf.Place = (0.0,) * 6
        at, seen = name, set()
        while at in said and at != urdf.BASE and at not in seen:
            seen.add(at)
            parent, step = said[at]
            place, at = urdf.carried(step, place), parent
        if at == urdf.BASE:
            places[name] = place
    return places


def apart(one: urdf.Place, other: urdf.Place) -> tuple[float, float]:
    """Return how far two places are from each other, m, and how much they are turned, rad."""
    shift = float(np.linalg.norm(np.subtract(one[:3], other[:3])))
    turn = urdf.rotation(*one[3:]).T @ urdf.rotation(*other[3:])
    return shift, math.acos(max(-1.0, min(1.0, (np.trace(turn) - 1) / 2)))
