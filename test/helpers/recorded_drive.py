# SPDX-License-Identifier: Apache-2.0
"""A drive to record: messages as bytes, and a program that records them until it is killed."""

from pathlib import Path
import sys
import time

from ami_ros.recording import bag_writer as make
from ami_ros.recording.recorder import Limits, Recorder
import numpy as np

BEGIN_NS = 1_700_000_000 * 10**9
CAMERA, ODOM, COMMAND = '/camera/image_raw', '/odom', '/cmd_vel'
TYPES = {CAMERA: 'sensor_msgs/msg/Image', ODOM: 'nav_msgs/msg/Odometry',
         COMMAND: 'geometry_msgs/msg/TwistStamped'}
NEVER = {'sec': 9223372036, 'nsec': 854775807}
QOS = {'history': 'keep_last', 'depth': 1, 'reliability': 'reliable', 'durability': 'volatile',
       'deadline': NEVER, 'lifespan': NEVER, 'liveliness': 'automatic',
       'liveliness_lease_duration': NEVER, 'avoid_ros_namespace_conventions': False}


def picture(index: int) -> np.ndarray:
    """Noise, (48, 64, 3): it does not compress, so that sizes are what they seem."""
    return np.random.default_rng(index).integers(0, 256, (48, 64, 3), np.uint8)


def cdr(topic: str, message) -> bytes:
    return bytes(make.STORE.serialize_cdr(message, TYPES[topic]))


def moment(index: int) -> list[tuple[str, int, bytes]]:
    """Return what came in the index-th twentieth of a second: topic, time of reception, bytes."""
    at = BEGIN_NS + index * 50_000_000
    pose = np.array([0.02 * index, 0.0, 0.0])
    return [(CAMERA, at, cdr(CAMERA, make.image(at, picture(index)))),
            (ODOM, at + 1, cdr(ODOM, make.odometry(at, pose, np.array([0.4, 0.0])))),
            (COMMAND, at + 2, cdr(COMMAND, make.command(at, 0.4, 0.0)))]


def begun(folder: Path, *more, **options) -> Recorder:
    recorder = Recorder(folder, *more, **options)
    for topic, kind in TYPES.items():
        recorder.offer(topic, kind, (QOS,))
    return recorder


def main() -> None:
    """Record for ever, and say after each moment how long ago it was that it came."""
    folder, file_bytes = Path(sys.argv[1]), int(sys.argv[2])
    recorder, index = begun(folder, Limits(file_bytes=file_bytes)), 0
    while True:
        for message in moment(index):
            recorder.write(*message)
        recorder.turn()
        sys.stdout.write(f'{index} {time.monotonic()}\n')
        sys.stdout.flush()
        index += 1
        time.sleep(0.002)


if __name__ == '__main__':
    main()
