# SPDX-License-Identifier: Apache-2.0
"""The images of many worlds with the odometry of each, read once from their bags into arrays."""

from collections.abc import Callable
from dataclasses import dataclass
import json
import os
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from rosbags.highlevel import AnyReader

from ami_ros.core.geometry import between
from ami_ros.memory.scan_matching import without_drift
from ami_ros.parallel.pool import outcomes
from ami_ros.robots.find_robot import find
from ami_ros.training import bag_reader
from ami_ros.training.collect_worlds import folder_of, MANIFEST
from ami_ros.training.topic_choice import BagError

TURN_M = 0.2            # of path that a turn of 1 rad counts for, as odometry drifts in turns
IMAGES, POSES = 'images.npy', 'poses.npz'
FORMAT = 2              # of these files
STALE_NS = 150_000_000  # between an image and its scan


@dataclass(frozen=True, eq=False)
class WorldFrames:
    """Frames of all worlds, one after another."""

    images: np.ndarray          # (F, H, W, 3) uint8 rgb
    pose: np.ndarray            # (F, 3) x m, y m, yaw rad, in a frame of its drive
    path_m: np.ndarray          # (F,) driven since the first frame of its world; see frames_of
    world: np.ndarray           # (F,) int, index of the world
    seeds: tuple[int, ...]      # of the worlds


def path_of(pose: np.ndarray) -> np.ndarray:
    """Return the path (F,) in m that was driven up to each of the poses (F, 3)."""
    step = between(pose[:-1], pose[1:])
    return np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1])
                                            + TURN_M * np.abs(step[:, 2]))])


def odometry_at(recording: bag_reader.Recording) -> np.ndarray:
    """Return the odometry (F, 3) at the stamp of each image, linear between two readings."""
    yaw = np.unwrap(recording.odom[:, 2])
    return np.stack([np.interp(recording.image_ns, recording.odom_ns, values)
                     for values in (recording.odom[:, 0], recording.odom[:, 1], yaw)], -1)


def scans_at(bag: Path, topic: str, stamps: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the scan (F, R) m nearest to each stamp, and its angles (R,) rad; None: no lidar.

    NaN where no scan is near enough in time.
    """
    found: dict[int, np.ndarray] = {}
    angles: np.ndarray = np.zeros(0)
    with AnyReader([bag]) as reader:
        for connection, _, raw in reader.messages(
                connections=[c for c in reader.connections if c.topic == topic]):
            scan = reader.deserialize(raw, connection.msgtype)
            ranges = np.asarray(scan.ranges, np.float32)
            angles = scan.angle_min + scan.angle_increment * np.arange(len(ranges))
            found[scan.header.stamp.sec * 10**9 + scan.header.stamp.nanosec] = ranges
    if not found:
        return None
    known = np.array(sorted(found))
    nearest = known[np.abs(known[None] - stamps[:, None]).argmin(1)]
    scans = np.array([found[int(stamp)] for stamp in nearest])
    scans[np.abs(nearest - stamps) > STALE_NS] = np.nan     # odometry stands there
    return scans, angles


def frames_of(bag: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read one world: images, poses and path_m.

    With a lidar the poses are odometry without its drift, so that no path is too long; its path_m
    is 0 everywhere.
    """
    robot = find('rover')
    recording = bag_reader.read(bag, robot.camera_size, robot=robot)
    pose, topic = odometry_at(recording), recording.topics.get('scan')
    scans = None if topic is None else scans_at(bag, topic, recording.image_ns)
    if scans is None:
        return recording.images, pose, path_of(pose)
    x, y, _, _, _, yaw = robot.body.mount(robot.lidar.link)
    return (recording.images, without_drift(pose, *scans, (x, y, yaw)),
            np.zeros(len(pose)))


def read_worlds(folder: Path, say: Callable[[str], None] = print, jobs: int = 2) -> WorldFrames:
    """Read a set of worlds that `ami-ros collect --worlds` made; BagError where it is none.

    What was read is kept as arrays beside the bags, so that the next run starts at once.
    """
    folder = Path(folder)
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        seeds = tuple(world['seed'] for world in manifest['worlds'])
        hashes = [world['sha256'] for world in manifest['worlds']]
    except (OSError, ValueError, KeyError, TypeError) as why:
        raise BagError(f'{folder} holds no complete set of worlds ({why}); '
                       'ami-ros collect --worlds N --out FOLDER makes one') from why
    kept, key = folder / POSES, json.dumps([FORMAT, hashes])
    if kept.exists():
        try:
            with np.load(kept) as file:
                if str(file['key']) == key:
                    return WorldFrames(np.load(folder / IMAGES, mmap_mode='r'), file['pose'],
                                       file['path_m'], file['world'], seeds)
        except (ValueError, KeyError, EOFError, BadZipFile) as why:
            raise BagError(f'{kept} or {folder / IMAGES} is damaged ({why}); remove both') from why
    parts: dict[int, tuple] = {}
    for index, part in outcomes(frames_of, [(folder_of(folder, seed),) for seed in seeds], jobs):
        parts[index] = part
        if len(parts) % 50 == 0:
            say(f'read {len(parts)} of {len(seeds)} worlds')
    images, pose, path_m = (np.concatenate([parts[k][n] for k in range(len(seeds))])
                            for n in range(3))
    world = np.repeat(np.arange(len(seeds)), [len(parts[k][1]) for k in range(len(seeds))])
    # whole or not there, also where several processes of one training read at once
    partial = folder / f'{os.getpid()}.partial.npy'
    np.save(partial, images)
    partial.replace(folder / IMAGES)
    partial = partial.with_suffix('.npz')
    np.savez(partial, key=key, pose=pose, path_m=path_m, world=world)
    partial.replace(kept)
    return WorldFrames(images, pose, path_m, world, seeds)
