# SPDX-License-Identifier: Apache-2.0
"""Bags and drives of a robot that nobody simulates: a few seconds on an exact arc.

The bags are written with rosbags alone, not with what `ami-ros collect` writes with, so that the
reader is not only tested against its own twin.
"""

from dataclasses import replace
import math
from pathlib import Path

from ami_ros.recording import bag_writer as make
from ami_ros.training.training_windows import Drives
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer

SECOND = 1_000_000_000
BEGIN_NS = 1_700_000_000 * SECOND       # stamps of a real clock
V, W = 0.4, 0.5


def pose(seconds: float) -> np.ndarray:
    """Where the robot is, (3,), on its arc of constant twist."""
    turn = W * seconds
    return np.array([V / W * math.sin(turn), V / W * (1 - math.cos(turn)), turn])


def picture(index: int, size=(64, 64)) -> np.ndarray:
    """Make a picture that is like no other, smooth enough for JPEG."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([128 + 100 * np.sin(x / width * 6 + index), 128 + 100 * np.cos(y / height * 5),
                     np.full((height, width), (37 * index) % 256)], -1).astype(np.uint8)


def at(seconds: float) -> int:
    return BEGIN_NS + round(seconds * SECOND)


def topics(frames: int = 12, size=(64, 64)) -> dict[str, tuple[str, list]]:
    """Messages of a drive: topic -> (type, [(time of reception, message)])."""
    seconds = 0.25 * frames
    camera = [(at(0.25 * i), make.image(at(0.25 * i), picture(i, size))) for i in range(frames)]
    fast = [0.05 * i for i in range(round(seconds / 0.05))]
    angles = np.linspace(-3, 3, 9)
    return {
        'camera/image_raw': ('sensor_msgs/msg/Image', camera),
        'camera/camera_info': ('sensor_msgs/msg/CameraInfo', [
            (t, make.camera_info(t, size, 1.9)) for t, _ in camera[:2]]),
        'odom': ('nav_msgs/msg/Odometry', [
            (at(s), make.odometry(at(s), pose(s), np.array([V, W]))) for s in fast]),
        'imu': ('sensor_msgs/msg/Imu', [
            (at(s), make.imu(at(s), np.array([0, 0, W]), np.array([0, 0, 9.81]))) for s in fast]),
        'scan': ('sensor_msgs/msg/LaserScan', [
            (t, make.scan(t, np.full(9, 1.0 + 0.1 * i), angles, (0.08, 8.0)))
            for i, (t, _) in enumerate(camera)]),
        'cmd_vel': ('geometry_msgs/msg/TwistStamped', [
            (at(s), make.command(at(s), V, W)) for s in fast]),
    }


def without(some: dict, *names: str) -> dict:
    return {topic: what for topic, what in some.items() if topic not in names}


def renamed(some: dict, **names: str) -> dict:
    """Rename topics; keys are those of `topics` with '_' for '/'."""
    return {names.get(topic.replace('/', '_'), topic): what for topic, what in some.items()}


def write(path: Path, some: dict[str, tuple[str, list]],
          plugin: StoragePlugin = StoragePlugin.MCAP) -> Path:
    """Write a rosbag2 bag."""
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        for topic, (kind, rows) in some.items():
            connection = writer.add_connection('/' + topic, kind, typestore=make.STORE)
            for received, message in rows:
                writer.write(connection, received, make.STORE.serialize_cdr(message, kind))
    return path


def drives(count: int = 6, length: int = 20, seed: int = 0) -> tuple[np.ndarray, Drives]:
    """Make pictures (M, 64, 64, 3) and drives of constant twists, without a bag."""
    rng, dt = np.random.default_rng(seed), 0.25
    poses, actions = [], []
    for _ in range(count):
        v, w = rng.uniform(0, 0.6), rng.uniform(-1.5, 1.5)
        yaw = rng.uniform(-3, 3) + w * dt * np.arange(length)
        chord = v * dt * np.sinc(w * dt / 2 / np.pi)
        x, y = (np.cumsum(chord * f(yaw - w * dt / 2)) for f in (np.cos, np.sin))
        poses.append(np.stack([x, y, yaw], 1) + [*rng.uniform(-2, 2, 2), 0])
        actions.append(np.tile([v, w], (length, 1)))
    all_poses, all_actions = np.concatenate(poses), np.concatenate(actions)
    rows, number = np.arange(count * length), np.repeat(np.arange(count), length)
    made = Drives(rows, number, (number + 1) * length - 1, all_poses.astype(np.float32),
                  np.column_stack([all_actions, all_actions[:, 1]]).astype(np.float32),
                  all_actions.astype(np.float32),
                  np.where(rows % length == length - 1, 0, dt).astype(np.float32),
                  np.full(len(rows), 0.5, np.float32))
    return np.stack([picture(i) for i in rows]), made


def shifted(made: Drives, **values) -> Drives:
    return replace(made, **values)
