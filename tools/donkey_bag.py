# SPDX-License-Identifier: Apache-2.0
"""
Converts a recorded drive of a Donkey Car to a rosbag2 bag that can be checked and trained on.

The folder contains `images/`, the commands, and `poses.csv`. The commands are in the files
`catalog_*.catalog` of a tub, or in a table `commands.csv` with the columns t_s, image, steering*
and throttle* (the name begins so) and, optionally, unix_ms. A Donkey Car has no odometry:
poses.csv contains measured or estimated poses in the columns t_s, x_m, y_m, yaw_rad, v_mps and
w_radps; t_s is the time in seconds from the first image.

Steering and throttle have no unit: v = speed * throttle in m/s, and w = -curvature * steering * v
in rad/s. Without --speed and --curvature, both factors are fitted to the poses and printed.
Convert further drives of the same car with the factors of the first drive.

Usage: python3 tools/donkey_bag.py FOLDER --out BAG
"""

import argparse
import csv
import json
import math
from pathlib import Path
import re

from ami_ros.core.errors import AmiError
from ami_ros.core.share_directory import share
from ami_ros.perception.images import codec
from ami_ros.recording import bag_writer as bag
from ami_ros.recording.bag_metadata import write_metadata
from ami_ros.robots import strict_yaml, yaml_edit
from ami_ros.robots.robot import understood
import numpy as np

CAMERA = 'camera/image_raw/compressed'
TYPES = {CAMERA: 'sensor_msgs/msg/CompressedImage',
         **{topic: bag.TYPES[topic] for topic in ('camera/camera_info', 'odom', 'cmd_vel')}}
POSE = ('x_m', 'y_m', 'yaw_rad', 'v_mps', 'w_radps')
ROBOT = 'donkey_car.yaml'
LONGEST_DELAY_S = 0.5       # from a command to the motion that follows it
URDF = 'urdf/robot_template.urdf'


def table(path: Path, columns: tuple[str, ...]) -> tuple[list[dict], dict[str, str]]:
    """Read a CSV file; return its rows, and for each column the first name that begins with it."""
    if not path.is_file():
        raise AmiError(f'there is no {path}')
    with open(path, newline='') as file:
        reader = csv.DictReader(file)
        rows, there = list(reader), reader.fieldnames or []
    names = {column: next((name for name in there if name.startswith(column)), '')
             for column in columns}
    lacking = [column for column, name in names.items() if not name]
    if lacking:
        raise AmiError(f'{path} has no column {", ".join(lacking)}; it has: {", ".join(there)}')
    return rows, names


def number(text: str, path: Path) -> float:
    """Read a finite number; ValueError names the file."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise AmiError(f'{path}: {text!r} is not a finite number')
    return value


def commands(folder: Path) -> tuple[int, np.ndarray, list[str]]:
    """Read the start in ns since 1970, (N, 3) t_s, steering, throttle, and the image names."""
    catalogs = sorted(folder.glob('catalog_*.catalog'),
                      key=lambda path: int(re.findall(r'\d+', path.stem)[0]))
    path = folder / 'commands.csv'
    if path.is_file() or not catalogs:
        rows, name = table(path, ('t_s', 'image', 'steering', 'throttle'))
        found = [[number(row[name[key]], path) for key in ('t_s', 'steering', 'throttle')]
                 for row in rows]
        if not rows:
            raise AmiError(f'{path} has no commands')
        first_ms = number(rows[0].get('unix_ms') or '0', path)
        return round(first_ms * 1e6), np.array(found), [row[name['image']] for row in rows]
    try:
        rows = [json.loads(line) for path in catalogs for line in path.read_text().splitlines()]
        first_ms = rows[0]['_timestamp_ms']
        found = [[(row['_timestamp_ms'] - first_ms) / 1000, row['user/angle'],
                  row['user/throttle']] for row in rows]
        return (round(first_ms * 1e6), np.array(found, float),
                [row['cam/image_array'] for row in rows])
    except (ValueError, KeyError, TypeError, IndexError) as wrong:
        raise AmiError(f'a record of {catalogs[0].name} or after it cannot be used: '
                       f'{wrong!r}') from wrong


def poses(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read (M,) t_s and (M, 5) x, y, yaw, v, w."""
    path = folder / 'poses.csv'
    rows, name = table(path, ('t_s', *POSE))
    if not rows:
        raise AmiError(f'{path} has no poses')
    found = np.array([[number(row[name[key]], path) for key in ('t_s', *POSE)] for row in rows])
    return found[:, 0], found[:, 1:]


def gain(at: np.ndarray, told: np.ndarray, seen_at: np.ndarray, seen: np.ndarray) -> float:
    """Fit seen(t + delay) = gain * told(t); return the gain of the delay that fits best."""
    if not told @ told > 0:
        raise AmiError('throttle, steering or speed is always zero, so that nothing can be '
                       'fitted; give --speed and --curvature')
    fits = []
    for delay in np.arange(0, LONGEST_DELAY_S + 0.01, 0.05):
        later = np.interp(at + delay, seen_at, seen)
        factor = float(told @ later / (told @ told))
        fits.append((float(((later - factor * told) ** 2).sum()), factor))
    return min(fits)[1]


def robot_file(limits: tuple[float, float], hfov_rad: float, camera: tuple[int, int],
               size: tuple[int, int] | None, hz: float) -> str:
    """Return the template of a robot file with the known values of the car filled in.

    The network sees images of `size`, cut from the middle of those of the camera.
    """
    width, height = camera
    size = size or (64, max(16, 64 * height // width // 16 * 16))
    half = math.tan(hfov_rad / 2)
    hfov_rad = 2 * math.atan(min(half, half * height / width * size[0] / size[1]))
    text = yaml_edit.edited(share('config/robot_template.yaml').read_text(), {
        'name': 'donkey_car', 'urdf': URDF,
        'max_speed_mps': limits[0], 'max_turn_radps': limits[1],
        'camera_size': list(size), 'camera_hfov_rad': math.floor(hfov_rad * 1000) / 1000,
        'sensors.camera.kind': 'CompressedImage',
        'sensors.camera.topic': CAMERA, 'sensors.camera.hz': hz,
        'sensors.camera_info.hz': hz}, '', 'config/robot_template.yaml')
    understood(strict_yaml.read(text, ROBOT), Path(ROBOT))      # refuses values out of range
    return text


def convert(folder: Path, out: Path, hfov_deg: float, speed: float | None,
            curvature: float | None, limits: tuple[float, float],
            size: tuple[int, int] | None = None, say=print) -> None:
    """Write the bag; ValueError says what is missing in the folder."""
    if out.exists():
        raise AmiError(f'{out} exists; give another --out, or remove it')
    begin_ns, told, names = commands(folder)
    pose_s, pose = poses(folder)
    for what, times in (('the commands', told[:, 0]), ('poses.csv', pose_s)):
        if len(times) < 2 or (np.diff(times) <= 0).any():
            raise AmiError(f'the {len(times)} times of {what} do not increase')
    at, steering, throttle = told.T
    speed = gain(at, throttle, pose_s, pose[:, 3]) if speed is None else speed
    v = speed * throttle
    turning = -steering * np.interp(at, pose_s, pose[:, 3])     # steering is positive to the right
    curvature = gain(at, turning, pose_s, pose[:, 4]) if curvature is None else curvature
    w = -curvature * steering * v
    say(f'v = {speed:.3f} m/s * throttle, w = -{curvature:.3f} rad/m * steering * v; for another '
        f'drive of this car: --speed {speed:.3f} --curvature {curvature:.3f}')
    for what, values, limit in (('m/s', v, limits[0]), ('rad/s', w, limits[1])):
        if (beyond := (np.abs(values) > limit).mean()) > 0:
            say(f'{100 * beyond:.1f} % of the commands are above {limit:g} {what} and are cut')
    v, w = np.clip(v, -limits[0], limits[0]), np.clip(w, -limits[1], limits[1])
    stamps = begin_ns + np.round(at * 1e9).astype(np.int64)
    images = [folder / 'images' / name for name in names]
    missing = [path for path in images if not path.is_file()]
    if len(missing) == len(images):
        raise AmiError(f'{folder}/images has none of the images, e.g. {missing[0].name}')
    first = next(path for path in images if path.is_file())
    height, width = codec.from_compressed(first.read_bytes()).shape[:2]
    hfov = math.radians(hfov_deg)
    pose_ns = begin_ns + np.round(pose_s * 1e9).astype(np.int64)
    if min(stamps[0], pose_ns[0]) < 0:
        raise AmiError(f'the first time is {min(at[0], pose_s[0]):g} s; without the time of the '
                       'first image since 1970 (unix_ms) no time may be negative')
    robot = robot_file(limits, hfov, (width, height), size,
                       round(float(1 / np.median(np.diff(at))), 1))
    out.mkdir(parents=True)
    writer = bag.PartWriter(out / 'part_0000.mcap', TYPES)
    writer.attach(f'robot/{ROBOT}', robot)
    writer.attach(URDF, share(URDF).read_text())
    messages = [(stamp, 0, 'odom', row) for stamp, row in zip(pose_ns.tolist(), pose)]
    messages += [(stamp, 1, CAMERA, path) for stamp, path in zip(stamps.tolist(), images)]
    messages += [(stamp, 2, 'cmd_vel', row) for stamp, row in zip(stamps.tolist(), zip(v, w))]
    for stamp, _, topic, what in sorted(messages, key=lambda one: one[:2]):
        if topic == 'odom':
            writer.write(topic, stamp, bag.odometry(stamp, what[:3], what[3:]))
        elif topic == 'cmd_vel':
            writer.write(topic, stamp, bag.command(stamp, *what))
        elif what.is_file():
            writer.write(topic, stamp, bag.compressed(stamp, what.read_bytes()))
            writer.write('camera/camera_info', stamp, bag.camera_info(stamp, (width, height),
                                                                      hfov))
    write_metadata(out, bag.offered(TYPES), [writer.close()])
    say(f'{out}: {len(images) - len(missing)} images of {width}x{height}, {len(pose)} poses, '
        f'{(stamps[-1] - stamps[0]) / 1e9:.1f} s'
        + (f'; {len(missing)} images are missing, the first: {missing[0].name}' if missing
           else ''))


def main(argv: list[str] | None = None) -> int:
    """Convert a drive; an error is printed as one sentence, with exit status 1."""
    parser = argparse.ArgumentParser(description=str(__doc__).strip().split('\n')[0],
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('folder', type=Path, metavar='FOLDER',
                        help='Folder with images/, the commands and poses.csv')
    parser.add_argument('--out', type=Path, required=True, metavar='BAG',
                        help='New folder for the bag')
    parser.add_argument('--hfov-deg', type=float, default=120.0,
                        help='Horizontal field of view of the camera in degrees, no distortion')
    parser.add_argument('--speed', type=float, default=None, metavar='MPS',
                        help='Speed in m/s at throttle 1; default: fitted to the poses')
    parser.add_argument('--curvature', type=float, default=None, metavar='RADPM',
                        help='Curvature in rad/m at steering 1; default: fitted to the poses')
    parser.add_argument('--limits', type=float, nargs=2, default=(1.5, 3.0),
                        metavar=('MPS', 'RADPS'),
                        help='Speed limits of the robot file in m/s and rad/s; larger commands '
                             'are reduced to them')
    parser.add_argument('--size', type=int, nargs=2, default=None, metavar=('WIDTH', 'HEIGHT'),
                        help='Image size of the network in pixels, multiples of 16; default: '
                             '64 wide, with about the aspect ratio of the camera')
    args = parser.parse_args(argv)
    try:
        convert(args.folder, args.out, args.hfov_deg, args.speed, args.curvature,
                tuple(args.limits), args.size and tuple(args.size))
    except (AmiError, OSError) as wrong:
        print(f'{args.folder}: {wrong}')
        return 1
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
