# SPDX-License-Identifier: Apache-2.0
"""What the owner of the robot in foreign_robot.py writes into the files of `ami-ros robot new`."""

import math
from pathlib import Path
import re

from foreign_robot import BEAMS, CAMERA_HZ, HFOV_RAD, ODOM_HZ, SCAN_HZ, SIZE, TIMEOUT_S

ROBOT = {       # key of the robot file: what was measured, or what its maker says
    'command_type': 'Twist', 'max_speed_mps': 0.4, 'max_turn_radps': 1.2,
    'base_timeout_s': TIMEOUT_S,
    # a square picture shows what the camera sees up and down
    'camera_hfov_rad': round(2 * math.atan(math.tan(HFOV_RAD / 2) * SIZE[1] / SIZE[0]), 3)}
SENSORS = {     # name of the sensor: its keys
    'camera': {'kind': 'CompressedImage', 'topic': 'camera/image_raw/compressed',
               'hz': float(CAMERA_HZ)},
    'camera_info': {'hz': float(CAMERA_HZ)},
    'scan': {'hz': float(SCAN_HZ), 'range_m': [0.08, 8.0], 'beams': BEAMS},
    'odom': {'hz': float(ODOM_HZ)}}
POLICY = {      # a scan is stamped when its sweep begins, and 0.2 s old before the next one comes
    'max_scan_age_s': 0.45, 'max_odometry_age_s': 0.4, 'max_view_age_s': 0.5}
JOINTS = {      # of the URDF: where things sit; the lidar is turned round
    'left_wheel_joint': '<origin xyz="0 0.13 0.06"/>',
    'right_wheel_joint': '<origin xyz="0 -0.13 0.06"/>',
    'camera_joint': '<origin xyz="0.15 0 0.24" rpy="0 0 0"/>',
    'laser_joint': '<origin xyz="0 0 0.20" rpy="0 0 3.1415927"/>'}


def line(text: str, key: str, value) -> str:
    """Replace the value of a key, and say where the new one comes from."""
    said = str(value).replace("'", '')
    new, count = re.subn(rf'(?m)^( *{key}: )[^#\n]*(#.*)?$',
                         lambda m: f'{m[1]}{said}'.ljust(32)
                         + (m[2] or '').replace('to be measured', 'its maker'), text, count=1)
    assert count == 1, f'what `ami-ros robot new` wrote has no line {key}'
    return new


def describe(folder: Path) -> None:
    """Do what page own_robot.md, 2, asks for."""
    (path,) = (p for p in folder.glob('*.yaml') if p.stem not in ('params', 'safety_policy'))
    head, *sensors = re.split(r'(?m)^(?=  - name: )', path.read_text())
    for key, value in ROBOT.items():
        head = line(head, key, value)
    kept = []
    for sensor in sensors:
        name = re.match(r'  - name: (\w+)', sensor)[1]
        if name == 'imu':                   # it has none
            continue
        for key, value in SENSORS.get(name, {}).items():
            sensor = line(sensor, key, value)
        kept.append(sensor)
    path.write_text(head + ''.join(kept))
    urdf = path.with_suffix('.urdf')
    body = urdf.read_text()
    for joint, origin in JOINTS.items():
        body = re.sub(rf'(<joint name="{joint}".*?)<origin [^>]*/>', rf'\1{origin}', body,
                      count=1, flags=re.S)
    body = body.replace('<box size="0.40 0.30 0.20"/>', '<box size="0.30 0.23 0.18"/>')
    body = body.replace('radius="0.05"', 'radius="0.06"')
    urdf.write_text(body)
    policy = folder / 'safety_policy.yaml'
    text = policy.read_text()
    for key, value in POLICY.items():
        text = line(text, key, value)
    policy.write_text(text)
    params = folder / 'params.yaml'
    params.write_text(re.sub(r'enable_stamped_cmd_vel: true ', 'enable_stamped_cmd_vel: false',
                             params.read_text()))
