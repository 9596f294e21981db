# SPDX-License-Identifier: Apache-2.0
"""
Records the golden drives of the tests again.

    python3 tools/record_golden_drives.py --reason 'WHY' [NAME]

A golden drive holds the inputs and outputs of planner and critic; a change of their outputs fails
test/recording/replay/test_golden_drives.py. If the change is intended, this program records the
drive again and stores the reason beside it.
"""

import argparse
import json
from pathlib import Path
import shutil
import tempfile

from ami_ros.recording import message_reader
from ami_ros.robots.find_robot import find
from ami_ros.sim.simulator_interface import open_body, SimRoom
from ami_ros.validation.stack import sim_session
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

FOLDER = Path(__file__).resolve().parents[1] / 'test' / 'recording' / 'replay' / 'golden'
NEEDED = ('trace/records', 'trace/metadata', 'camera/image_raw', 'camera/camera_info', 'cmd_vel')
DRIVES = {      # name: (one process a node, seed)
    'mind': (False, 900), 'separate': (True, 901),
}
BLOCKS, FRAMES, LATE, WORLD = 10, 25, 8, 7


def record(name: str, into: Path) -> None:
    """Drive a little in lock-step and keep what a replay needs."""
    separate, seed = DRIVES[name]
    with tempfile.TemporaryDirectory() as folder:
        bag = Path(folder, 'bag')
        asked = sim_session.Session(logs=Path(folder, 'logs'), separate=separate, world_seed=WORLD,
                                    record=bag)
        robot = find('rover')
        with open_body('pybullet', robot, SimRoom(WORLD), 0, robot.camera_size) as body:
            sim_session.run(asked, sim_session.errands(body, BLOCKS, seed,
                                                       lambda index: index < 1),
                            lambda errand, drive: None)
        shorten(bag, into)


def shorten(bag: Path, into: Path) -> None:
    """Write what a replay needs into one file, up to a number of pictures."""
    with open(into, 'wb') as target:
        writer = Writer(target, compression=CompressionType.ZSTD)
        writer.start(profile='ros2', library='ami_ros')
        channels, pictures = {}, 0
        for path in message_reader.files(bag):
            with open(path, 'rb') as source:
                for schema, channel, message in make_reader(source).iter_messages(
                        log_time_order=False):
                    if not any(message_reader.is_of(channel.topic, name) for name in NEEDED):
                        continue
                    pictures += message_reader.is_of(channel.topic, 'camera/image_raw')
                    if pictures > FRAMES:
                        break
                    if message_reader.is_of(channel.topic, 'cmd_vel') and pictures > FRAMES - LATE:
                        continue        # its verdict is on record a little later
                    if channel.topic not in channels:
                        kind = writer.register_schema(schema.name, schema.encoding, schema.data)
                        channels[channel.topic] = writer.register_channel(
                            channel.topic, 'cdr', kind, channel.metadata)
                    writer.add_message(channels[channel.topic], message.log_time, message.data,
                                       message.publish_time, message.sequence)
        writer.finish()


def main() -> None:
    """Record those that are named, or all."""
    args = argparse.ArgumentParser(description=__doc__.strip().split('\n')[0])
    args.add_argument('--reason', required=True, help='Reason for changing the recorded drive')
    args.add_argument('names', nargs='*', choices=[*DRIVES, []], metavar='NAME',
                      help='Names of the drives; none means all')
    given = args.parse_args()
    if len(given.reason.split()) < 3:
        args.error(f'--reason {given.reason!r} is no sentence; say what changed and why')
    FOLDER.mkdir(parents=True, exist_ok=True)
    reasons = FOLDER / 'reasons.json'
    said = json.loads(reasons.read_text()) if reasons.exists() else {}
    for name in given.names or DRIVES:
        new = FOLDER / f'{name}.new'
        record(name, new)
        shutil.move(new, FOLDER / f'{name}.mcap')
        said[name] = given.reason
        print(f'{name}: {(FOLDER / f"{name}.mcap").stat().st_size / 1e3:.0f} kB')
    reasons.write_text(json.dumps(said, indent=1, sort_keys=True) + '\n')


if __name__ == '__main__':
    main()
