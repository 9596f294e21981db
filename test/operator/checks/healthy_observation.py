# SPDX-License-Identifier: Apache-2.0
"""A rover that is well, as the doctor would see it; tests break one thing of it."""

from dataclasses import replace
import math

from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.operator.checks.observation import (
    Beams,
    Channel,
    Endpoint,
    Felt,
    HealthReport,
    Info,
    Moved,
    Observation,
    Qos,
    Reading,
    Surroundings,
    TopicSample,
    TYPES,
)
from ami_ros.robots.find_robot import find
import numpy as np

SECONDS = 3.0
NOW_NS = 1_790_000_000 * 10**9
DELAY_NS = 5 * 10**6
SENSOR = Qos(reliable=False)
TWIST = 'geometry_msgs/msg/TwistStamped'
DIAGNOSTIC = 'diagnostic_msgs/msg/DiagnosticArray'
ROOM = np.random.default_rng(1)
ROVER = find('rover')
POLICY = read(ROVER.path.parents[1] / 'safety_policy/rover.yaml')


def content(sensor):
    """What a healthy sensor says, at rest."""
    kind = sensor.kind
    if kind == 'Image':
        pixels = ROOM.integers(40, 200, (64, 64, 3), dtype=np.uint8)
        return TopicSample((64, 64), 'rgb8', pixels, '', int(pixels.sum()))
    if kind == 'CameraInfo':
        f = 32 / math.tan(ROVER.camera_hfov_rad / 2)
        return Info((64, 64), (f, f), 'plumb_bob')
    if kind == 'LaserScan':
        ranges = ROOM.uniform(0.5, 4.0, sensor.beams).astype(np.float32)
        ranges[:20] = np.inf
        return Beams(ranges, -math.pi, 2 * math.pi / sensor.beams, sensor.range_m)
    if kind == 'Odometry':
        return Moved((0.0, 0.0, 0.0), (0.0, 0.0), 'base_link')
    if kind == 'Imu':
        return Felt(ROOM.normal(0, 0.002, 3), np.array([0.0, 0.0, 9.81]) + ROOM.normal(0, 0.02, 3))
    return None


def readings(sensor, frame=None, delay_ns=DELAY_NS, hz=None):
    """Readings of some seconds, evenly spaced."""
    frame = frame or sensor.link or {'Odometry': 'odom',
                                     'CameraInfo': 'camera_optical_frame'}.get(sensor.kind, '')
    step = round(1e9 / (hz or sensor.hz))
    return [Reading(NOW_NS + n * step, NOW_NS + n * step + delay_ns, n * step + delay_ns, frame,
                    content(sensor)) for n in range(int(SECONDS * (hz or sensor.hz)))]


def healthy(**changes) -> Observation:
    """See a rover that drives by itself, in the namespace /r1."""
    rover = ROVER
    channels = {s.name: Channel(s.topic, f'/r1/{s.topic}', TYPES[s.kind],
                                (Endpoint('/r1/driver', TYPES[s.kind]),),
                                (Endpoint('/r1/critic', TYPES[s.kind], SENSOR),), SENSOR,
                                readings(s)) for s in rover.sensors}
    others = {
        'cmd_vel': Channel('cmd_vel', '/r1/cmd_vel', TWIST, (Endpoint('/r1/critic', TWIST),),
                           (Endpoint('/r1/base', TWIST),), None),
        'cmd_vel_manual': Channel('cmd_vel_manual', '/r1/cmd_vel_manual', TWIST, (),
                                  (Endpoint('/r1/critic', TWIST),), Qos()),
        'goal/image': Channel('goal/image', '/r1/goal/image', TYPES['Image'], (),
                              (Endpoint('/r1/configurator', TYPES['Image']),), Qos())}
    status = HealthReport('/r1/configurator', 0, '',
                          {'mode': 'autonomous', 'goal': '1', 'reason': ''})
    names = ('critic', 'configurator', 'mind')
    seen = Observation(
        rover, '/r1', SECONDS, Surroundings('rmw_fastrtps_cpp', '7', 'SUBNET'), channels, others,
        nodes=tuple(f'/r1/{name}' for name in (*names, 'driver', 'base')),
        services=tuple(f'/r1/configurator/{name}' for name in (
            'arm', 'disarm', 'manual', 'dry_run', 'stop', 'reset', 'cancel', 'begin')),
        health={name: HealthReport(f'/r1/{name}', 0, 'well', {'state': 'active'}, 12, 0.3)
                for name in names},
        verdict=HealthReport('critic', 0, '', {'action': 'go', 'rule': '', 'unreadable': ''}, 30,
                             0.1),
        status=status, sim_time={'/r1/critic': False, '/r1/driver': False},
        mounts={link: ('base_link', rover.body.mount(link))
                for link in ('camera_optical_frame', 'laser', 'imu_link')},
        policy=POLICY, policy_path='config/safety_policy/rover.yaml', module='rover-room-7 1.0.0',
        eye_compared=True,
        running={f'/r1/{name}': {'robot': 'rover'} for name in names})
    for name, value in changes.items():
        setattr(seen, name, value)
    return seen


def altered(seen: Observation, name: str, change) -> Observation:
    """Change every reading of a sensor: a dict of fields, or a function of (n, reading)."""
    channel = seen.channels[name]
    make = change if callable(change) else lambda n, r: replace(r, **change)
    channel.readings = [made for n, r in enumerate(channel.readings)
                        if (made := make(n, r)) is not None]
    return seen


def saying(seen: Observation, name: str, **fields) -> Observation:
    """Change the content of every reading of a sensor."""
    return altered(seen, name, lambda n, r: replace(r, said=replace(r.said, **fields)))
