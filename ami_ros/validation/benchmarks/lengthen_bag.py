# SPDX-License-Identifier: Apache-2.0
"""
Makes a recording longer by repeating its drive.

    python3 -m ami_ros.validation.benchmarks.lengthen_bag BAG --seconds 3600 --out FOLDER

The same drive again and again, each time later: stamps, frames and log times go on, the pictures
and the steady times stay. For measuring how the tools bear an hour; it is no drive.
"""

import argparse
from pathlib import Path
import re
import sys

from mcap.reader import make_reader
import numpy as np

from ami_ros.recording import message_reader
from ami_ros.recording.recorder import Limits, Recorder

NANOSECONDS = re.compile(rb'\b1[0-9]{18}\b')       # of this century; steady times are shorter
TEXTS = ('trace/records', 'trace/metadata')
HEADED = ('sensor_msgs', 'nav_msgs', 'geometry_msgs/msg/TwistStamped', 'trajectory_msgs',
          'diagnostic_msgs')


def shifted(data: bytes, kind: str, topic: str, by_ns: int) -> bytes:
    """Return a message as it would be later."""
    if any(message_reader.is_of(topic, name) for name in TEXTS):
        return NANOSECONDS.sub(lambda said: str(int(said[0]) + by_ns).encode(), data)
    if kind.startswith(HEADED):
        stamp = np.frombuffer(data, '<u4', 2, 4)
        ns = int(stamp[0]) * 10**9 + int(stamp[1]) + by_ns
        return data[:4] + np.array([ns // 10**9, ns % 10**9], '<u4').tobytes() + data[12:]
    return data


def kinds(bag: Path) -> dict[str, str]:
    """Return the type of each topic."""
    out: dict = {}
    for path in message_reader.files(bag):
        with open(path, 'rb') as file:
            said = make_reader(file).get_summary()
            out |= {channel.topic: said.schemas[channel.schema_id].name
                    for channel in said.channels.values()}
    return out


def main() -> None:
    """Write it."""
    args = argparse.ArgumentParser(description=__doc__.strip().split('\n')[0])
    args.add_argument('bag', type=Path, help='Recording to repeat')
    args.add_argument('--seconds', type=float, default=3600.0,
                      help='Duration of the new recording, in seconds')
    args.add_argument('--out', type=Path, required=True, help='Folder of the new recording')
    given = args.parse_args()
    types, heard = kinds(given.bag), list(message_reader.messages(given.bag))
    begin, end = heard[0].log_ns, max(one.log_ns for one in heard)
    period_ns = end - begin + 100_000_000
    recorder = Recorder(given.out, Limits())
    for topic, kind in types.items():
        recorder.offer(topic, kind)
    copies = int(np.ceil(given.seconds * 1e9 / period_ns))
    for copy in range(copies):
        for topic, log_ns, data in heard:
            by_ns = copy * period_ns
            recorder.write(topic, log_ns + by_ns, shifted(data, types[topic], topic, by_ns))
            recorder.turn()
    recorder.close()
    sys.stdout.write(f'{given.out}: {copies * period_ns / 1e9:.0f} s, {copies * len(heard)} '
                     f'messages, {recorder.bytes / 1e6:.0f} MB\n')


if __name__ == '__main__':
    main()
