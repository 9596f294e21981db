# SPDX-License-Identifier: Apache-2.0
"""Reads the bags of one training as one: pictures, drives, and where they are from."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ami_ros.core.geometry import Rescaled
from ami_ros.modules.module import digest
from ami_ros.perception.camera_contract import HFOV_TOLERANCE_RAD
from ami_ros.robots.find_robot import find
from ami_ros.robots.robot import Robot
from ami_ros.training import bag_reader, training_windows
from ami_ros.training.collect import bag_hash
from ami_ros.training.topic_choice import BagError

FEW = 0.01                  # of the commands; a robot file with other limits is another robot's
USUAL = 'rover'             # the robot where neither a person nor a recording says which


@dataclass(frozen=True, eq=False)
class Data:
    """What the bags say, in one."""

    images: np.ndarray                          # (F, H, W, 3) uint8
    drives: training_windows.Drives
    recordings: tuple[bag_reader.Recording, ...]     # without their pictures


def named(paths: tuple[Path, ...]) -> str:
    """Name the bags."""
    return ' with '.join(map(str, paths))


def robot_of(given: Robot | None, paths: tuple[Path, ...]) -> tuple[Robot, Robot | None]:
    """Return the robot to train for, and the one that decides which topic is what.

    That is the one that is given. Else each recording's own decides for it, and the first of them
    is trained for; the rover where no recording says of any. BagError where they are different.
    """
    if given is not None:
        return given, given
    found = [bag_reader.robot_in(path) for path in paths]
    names = {robot.name: path for robot, path in zip(found, paths) if robot is not None}
    if len(names) > 1:
        raise BagError('the bags are of different robots: '
                       + ', '.join(f'{path} of {name}' for name, path in names.items())
                       + '; train on bags of one, or say which with --robot')
    return next(filter(None, found), None) or find(USUAL), None


def percent(what: str, say: Callable[[str], None]) -> Callable[[int, int], None]:
    """Return what is told (done, all of it); it says each tenth once."""
    told = -1

    def progress(done: int, total: int) -> None:
        nonlocal told
        if (tenth := 10 * done // max(total, 1)) > told:
            told = tenth
            say(f'{what}: {10 * tenth} %')
    return progress


def read(paths: tuple[Path, ...], robot: Robot, topics: dict[str, str], seed: int,
         say: Callable[[str], None], decides: Robot | None = None) -> Data:
    """Read every bag; BagError also where two were not taken by the same camera."""
    rng, images, parts = np.random.default_rng(seed), [], []
    recordings: list = []
    for bag in paths:
        recording = bag_reader.read(bag, robot.camera_size, topics, percent(f'reading {bag}', say),
                                    robot.camera_hfov_rad, decides)
        for note in recording.notes:
            say(f'{bag}: {note}')
        first = recordings[0] if recordings else recording
        if not alike(first.hfov_rad, recording.hfov_rad):
            raise BagError(
                f'{paths[0]} and {bag} are of different cameras: they see '
                f'{seen(first.hfov_rad)} and {seen(recording.hfov_rad)}; train on bags of one')
        if said := beyond(recording.command, robot):
            say(f'{bag}: {said}')
        rescale(recording.odom, robot.odometry_scale)
        parts.append(training_windows.cut(recording, rng))
        say(f'{len(recording.images)} frames in {len(np.unique(parts[-1].drive))} drives; '
            'topics: ' + ', '.join(f'{k} {v}' for k, v in recording.topics.items()))
        images.append(recording.images)
        recordings.append(replace(recording, images=recording.images[:0]))
    if len(paths) == 1:
        return Data(images[0], parts[0], tuple(recordings))
    return Data(np.concatenate(images),
                training_windows.joined(parts, [len(each) for each in images]),
                tuple(recordings))


def beyond(command: np.ndarray, robot: Robot) -> str:
    """Say how many commands (C, 2) are above the limits of the robot file; '' for few."""
    share = (np.abs(command) > np.array(robot.limits) * 1.01).any(1).mean() if len(command) else 0
    v, w = robot.limits
    return '' if share < FEW else (
        f'{100 * share:.0f} % of the commands are above the limits of the robot file '
        f'{robot.name}, {v:g} m/s and {w:g} rad/s, for which the module is trained: give the '
        'robot file of this robot with --robot, or correct its limits')


def alike(one: float | None, other: float | None) -> bool:
    """Tell whether two fields of view, rad, may be of one camera; unknown ones only alike."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= HFOV_TOLERANCE_RAD


def seen(hfov_rad: float | None) -> str:
    """Say what a camera sees."""
    return 'an unknown angle (no camera_info)' if hfov_rad is None else f'{hfov_rad:.3f} rad'


def lineage(paths: tuple[Path, ...], recordings: tuple[bag_reader.Recording, ...]) -> dict:
    """Say where the data is from. With several bags: `bags` has each, the rest the first one's.

    `bag_sha256` is then the hash of their hashes, in order.
    """
    hashes = [bag_hash(bag) for bag in paths]
    note, first = paths[0] / 'collect.json', recordings[0]
    several = [{'sha256': own, 'frames': len(recording.image_ns), 'topics': recording.topics}
               for own, recording in zip(hashes, recordings)]
    return {'bag_sha256': hashes[0] if len(paths) == 1 else
            digest('\n'.join(hashes).encode()),
            'frames': sum(len(recording.image_ns) for recording in recordings),
            'collected': note.read_text() if note.exists() else 'by its owner',
            'topics': first.topics, 'source_size': list(first.source_size),
            **({'bags': several} if len(paths) > 1 else {})}


def rescale(odometry: np.ndarray, scale: tuple[float, float]) -> None:
    """Scale odometry (O, 5) in place by what was measured on the robot, as its mind does."""
    rescaled = Rescaled(*scale)
    if not rescaled.same:
        for row in odometry:
            row[:3], row[3:] = rescaled.pose(row[:3].copy()), rescaled.twist(row[3:])
