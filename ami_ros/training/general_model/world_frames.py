# SPDX-License-Identifier: Apache-2.0
"""The images of many worlds with the odometry of each, read once from their bags into arrays."""

from collections.abc import Callable
from dataclasses import dataclass
import json
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ami_ros.core.geometry import between
from ami_ros.robots.find_robot import find
from ami_ros.training import bag_reader
from ami_ros.training.collect_worlds import folder_of, MANIFEST
from ami_ros.training.topic_choice import BagError

TURN_M = 0.2            # of path that a turn of 1 rad counts for, as odometry drifts in turns
IMAGES, POSES = 'images.npy', 'poses.npz'


@dataclass(frozen=True, eq=False)
class WorldFrames:
    """Frames of all worlds, one after another."""

    images: np.ndarray          # (F, H, W, 3) uint8 rgb
    pose: np.ndarray            # (F, 3) x m, y m, yaw rad, odometry of its drive
    path_m: np.ndarray          # (F,) path driven since the first frame of its world; see TURN_M
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


def read_worlds(folder: Path, say: Callable[[str], None] = print) -> WorldFrames:
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
    kept, key = folder / POSES, json.dumps(hashes)
    if kept.exists():
        try:
            with np.load(kept) as file:
                if str(file['key']) == key:
                    return WorldFrames(np.load(folder / IMAGES, mmap_mode='r'), file['pose'],
                                       file['path_m'], file['world'], seeds)
        except (ValueError, KeyError, EOFError, BadZipFile) as why:
            raise BagError(f'{kept} or {folder / IMAGES} is damaged ({why}); remove both') from why
    robot, parts = find('rover'), []
    for index, seed in enumerate(seeds):
        recording = bag_reader.read(folder_of(folder, seed), robot.camera_size, robot=robot)
        pose = odometry_at(recording)
        parts.append((recording.images, pose, path_of(pose), np.full(len(pose), index)))
        if (index + 1) % 50 == 0:
            say(f'read {index + 1} of {len(seeds)} worlds')
    images, pose, path_m, world = map(np.concatenate, zip(*parts))
    np.save(folder / IMAGES, images)
    np.savez(kept, key=key, pose=pose, path_m=path_m, world=world)
    return WorldFrames(images, pose, path_m, world, seeds)
