# SPDX-License-Identifier: Apache-2.0
"""
Says whether a bag can be trained on, and what would make it better, before anybody waits for it.

It goes the way of training: the same topics, readings, stamps, drives and windows. Every reading
is judged as there, so that training does what is promised here; only of the pictures few are kept.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ami_ros.robots.robot import Robot
from ami_ros.training import bag_reader, merge_bags, training_windows
from ami_ros.training.bag_reader import Recording
from ami_ros.training.topic_choice import BagError

PICTURES = 100              # that are kept and looked at
FRAMES, BATCH, CHECKS, HELD_OUT = 6, 128, 16, 0.08      # what train.Recipe and build ask for
LITTLE_S = 30 * 60.0        # less is little for a place of its own; the shipped module had 7 h
UNPLACED_SHARE = 0.02       # of the pictures; a few come before the first odometry
MOVING = np.array([0.02, 0.05])         # m/s and rad/s: less is standing
STOOD_SHARE = 0.5           # standing more than this teaches little
FOLLOWS = 0.5               # of the commanded way; less, and the wheels did something else
FLAT = 3.0                  # a picture whose grey values spread less shows nothing
FROZEN = 0.5                # pictures that differ less, on average, are one


@dataclass(frozen=True)
class Fitness:
    """What was found: what forbids training, what is worth knowing, and the figures."""

    failures: tuple[str, ...]
    warnings: tuple[str, ...]
    figures: tuple[str, ...]


def check(path: Path, robot: Robot | None = None, topics: dict[str, str] | None = None,
          progress: Callable[[int, int], None] = lambda done, total: None) -> Fitness:
    """Look at a bag; whatever is wrong with it is in the answer.

    Without a robot it is the one that the recording was made with, else the rover.
    """
    try:
        learner, decides = merge_bags.robot_of(robot, (path,))
        recording = bag_reader.read(path, learner.camera_size, topics, progress,
                                    learner.camera_hfov_rad, decides, PICTURES)
        merge_bags.rescale(recording.odom, learner.odometry_scale)
        drives = training_windows.cut(recording, np.random.default_rng(0))
    except BagError as wrong:
        return Fitness((str(wrong),), (), ())
    found = judge(recording, drives)
    said = merge_bags.beyond(recording.command, learner)
    return replace(found, warnings=(*found.warnings, *([said] if said else [])))


def judge(recording: Recording, drives: training_windows.Drives) -> Fitness:
    """Weigh what was read."""
    failures, warnings = [], list(recording.notes)
    seconds = float(np.minimum(np.diff(recording.image_ns), training_windows.GAP_NS).sum()) / 1e9
    rows = training_windows.starts(drives, FRAMES)
    count = int(training_windows.stretches(drives)[1][-1]) + 1
    learn, spare = map(len, training_windows.split(drives, FRAMES, HELD_OUT, 0))
    if count < 2:
        failures.append('all images are one drive, and whole drives are kept apart to check '
                        'with; record longer, pause the camera for two seconds now and then, or '
                        'let it take more than 7 images a second')
    elif learn < BATCH or spare < CHECKS:
        failures.append(f'there are {learn} windows of {FRAMES} images, 0.08 to 0.45 s apart, '
                        f'to learn from and {spare} to check with; {BATCH} and {CHECKS} are the '
                        'least: record longer')
    moving(recording, failures, warnings)
    seen(recording.images, failures, warnings)
    if seconds < LITTLE_S:
        warnings.append(f'{seconds / 60:.1f} minutes are little; half an hour of a place is a '
                        'beginning, the shipped module learned from 7 hours')
    alone = 1.0 - training_windows.with_odometry(recording, recording.image_ns).mean()
    if alone > UNPLACED_SHARE:
        warnings.append(f'{100 * alone:.0f} % of the images are left out: odometry says '
                        'nothing around them for more than a second')
    if np.isnan(recording.clearance).mean() > 0.5:
        warnings.append('most images have no scan within 0.15 s, so clearance is not learned')
    if not len(recording.gyro_ns):
        warnings.append('there is no IMU; the turning rate is that of the odometry')
    if recording.hfov_rad is None:
        warnings.append('there is no camera_info that was calibrated; the lens is taken on trust')
    still = np.median(np.diff(recording.image_ns)) / 1e9
    way = np.hypot(*np.diff(recording.odom[:, :2], axis=0).T).sum()
    figures = (f'{len(recording.image_ns)} images of {recording.source_size[0]}x'
               f'{recording.source_size[1]}, {1 / still:.1f} a second, {seconds / 60:.1f} minutes',
               f'{len(rows)} windows in {count} drives',
               f'{way:.1f} m driven, by odometry',
               *(f'{need}: {topic}' for need, topic in recording.topics.items()))
    return Fitness(tuple(failures), tuple(warnings), figures)


def moving(recording: Recording, failures: list[str], warnings: list[str]) -> None:
    """Say whether the robot was commanded, whether it moved, and whether the two agree."""
    r = recording
    asked = np.abs(r.command) > MOVING
    if not asked.any():
        failures.append(f'{r.topics["command"]} never asked for motion; is it the topic that '
                        'goes to the wheels?')
        return
    if not (np.abs(r.odom[:, 3:]) > MOVING).any() and np.ptp(r.odom[:, :2]) < 0.05:
        failures.append(f'{r.topics["odom"]} never moved, though {r.topics["command"]} asked for '
                        'motion; did the wheels turn?')
        return
    if r.gyro.size and np.ptp(r.gyro) == 0.0 and (
            np.abs(r.odom[:, 4] - r.gyro[0]) > MOVING[1]).any():
        failures.append(f'{r.topics["imu"]} says a turning rate of {r.gyro[0]:g} rad/s all the '
                        'time, though odometry turns otherwise: it is no gyro; say another topic, '
                        'or go without: --topic imu=none')
    stood = 1.0 - share_moving(r)
    if stood > STOOD_SHARE:
        warnings.append(f'the robot stood {100 * stood:.0f} % of the time; drive on')
    for axis, name in ((0, 'drove forward'), (1, 'turned')):
        if asked[:, axis].mean() < 0.05:
            warnings.append(f'the robot hardly {name}; what was never done cannot be imagined')
    at, first = np.unique(r.odom_ns, return_index=True)
    place = r.odom[first]
    wanted = np.abs(training_windows.mean_command(r.command_ns, r.command, at[:-1], at[1:]))
    went = (np.hypot(*np.diff(place[:, :2], axis=0).T),
            np.abs(np.diff(np.unwrap(place[:, 2]))))
    for axis, what in ((0, 'm driven'), (1, 'rad turned')):
        asked_for, done = (wanted[:, axis] * np.diff(at) / 1e9).sum(), went[axis].sum()
        if asked_for > 1.0 and done < FOLLOWS * asked_for:
            warnings.append(f'odometry tells of {done:.1f} {what} where {asked_for:.1f} were '
                            f'commanded: does {r.topics["command"]} reach the wheels, and is the '
                            'odometry right?')


def share_moving(recording: Recording) -> float:
    """Return the share of odometry readings in which the robot moves."""
    return float((np.abs(recording.odom[:, 3:]) > MOVING).any(1).mean())


def seen(pictures: np.ndarray, failures: list[str], warnings: list[str]) -> None:
    """Say whether the pictures (P, H, W, 3) show anything."""
    values = pictures.astype(np.float32)
    spread = values.std((1, 2, 3))
    if (spread < FLAT).mean() > 0.5:
        failures.append('most images show one even colour; is the lens covered?')
    elif len(pictures) > 1 and np.abs(np.diff(values, axis=0)).mean() < FROZEN:
        failures.append('the images do not change; did the camera freeze?')
    elif (spread < FLAT).any():
        warnings.append(f'{(spread < FLAT).sum()} of {len(spread)} images that were looked at '
                        'show one even colour')
