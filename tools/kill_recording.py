# SPDX-License-Identifier: Apache-2.0
"""
Kills recorders and cuts recordings at random points, and counts readable messages before them.

python3 tools/kill_recording.py --report FILE. Of 200 points half are SIGKILL of a recorder at
work, half are a recording of the golden drive cut at any byte. Each is read as it lies there, by
the package's own reader; then mended, and read by rosbags and by mcap.
"""

import argparse
import json
import os
from pathlib import Path
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import ami_ros
from ami_ros.recording import in_use, message_reader
from ami_ros.recording.recorder import Limits, Recorder
from ami_ros.recording.repair import repair
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader

SEED, POINTS = 0, 200
in_use.WATCH_S = 0.0   # nobody writes but the recorders that are killed here
ROOT = Path(ami_ros.__file__).parents[1]
PROGRAM = ROOT / 'test' / 'helpers' / 'recorded_drive.py'
GOLDEN = ROOT / 'test' / 'recording' / 'replay' / 'golden' / 'mind.mcap'
PER_MOMENT = 3          # messages that recorded_drive.py records at an instant
LONGEST_S = 2.0         # a recorder is killed within so long


def killed(folder: Path, rng: random.Random) -> dict:
    """Kill a recorder at a random instant; say what was lost and what can be read."""
    program = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), str(rng.choice((300_000, 10**9)))],
        stdout=subprocess.PIPE, env={**os.environ, 'PYTHONPATH': str(ROOT)}, text=True)
    first = program.stdout.readline()
    time.sleep(rng.uniform(0.0, LONGEST_S))
    program.send_signal(signal.SIGKILL)
    died = time.monotonic()
    rest, _ = program.communicate()
    times = [float(line.split()[1]) for line in (first + rest).split('\n')[:-1]]
    count = len(list(message_reader.messages(folder))) // PER_MOMENT      # as it lies there
    lost_s = died - times[count] if count < len(times) else 0.0
    return {'how': 'SIGKILL', 'lost_s': max(0.0, lost_s), 'readable': readable(folder),
            'messages': count * PER_MOMENT}


def cut(folder: Path, data: bytes, whole: list, rng: random.Random) -> dict:
    """Cut a recording at a random byte; say what of it is lost in the time of the drive."""
    folder.mkdir()
    at = rng.randrange(len(data) + 1)
    (folder / 'cut_0.mcap').write_bytes(data[:at])
    there = list(message_reader.messages(folder))
    prefix = there == whole[:len(there)]
    return {'how': 'cut', 'byte': at, 'of': len(data), 'messages': len(there),
            'all_before_is_there': prefix, 'readable': prefix and readable(folder)}


def readable(folder: Path) -> bool:
    """Mend a bag and read all of it, by rosbags and by mcap; nothing recorded is also read."""
    count = len(list(message_reader.messages(folder)))
    try:
        repair(folder)
    except ValueError:
        return count == 0
    with AnyReader([folder]) as reader:
        public = sum(1 for _ in reader.messages())
    read = 0
    for path in message_reader.files(folder):
        with open(path, 'rb') as file:
            read += sum(1 for _ in make_reader(file).iter_messages())
    return count == public == read


def flushed(folder: Path) -> bytes:
    """Record the golden drive with a chunk each half second, as the recorder does."""
    now, heard = [0.0], list(message_reader.messages(GOLDEN))
    recorder = Recorder(folder, Limits(), steady=lambda: now[0])
    with AnyReader([GOLDEN]) as reader:
        for connection in reader.connections:
            recorder.offer(connection.topic, connection.msgtype)
    begin = heard[0].log_ns
    for one in heard:
        recorder.write(one.topic, one.log_ns, one.data)
        now[0] = (one.log_ns - begin) / 1e9
        recorder.turn()
    recorder.close()
    return (folder / f'{folder.name}_0.mcap').read_bytes()


def main() -> int:
    """Kill, cut, count; status 1 where anything could not be read."""
    args = argparse.ArgumentParser(description=__doc__.strip().split('\n')[0])
    args.add_argument('--points', type=int, default=POINTS,
                      help='Number of kills and cuts')
    args.add_argument('--report', type=Path, required=True, help='Report JSON file')
    given = args.parse_args()
    rng, points = random.Random(SEED), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = flushed(folder / 'whole')
        whole = list(message_reader.messages(folder / 'whole'))
        for number in range(given.points):
            here = folder / f'bag{number}'
            points.append(killed(here, rng) if number % 2 else cut(here, data, whole, rng))
            shutil.rmtree(here)
    lost = sorted(point['lost_s'] for point in points if 'lost_s' in point)
    report = {'points': len(points), 'seed': SEED,
              'readable': sum(point['readable'] for point in points),
              'killed': len(lost), 'cut': len(points) - len(lost),
              'lost_s': {'median': lost[len(lost) // 2], 'max': lost[-1]},
              'each': points}
    given.report.write_text(json.dumps(report, indent=1) + '\n')
    print(json.dumps({key: value for key, value in report.items() if key != 'each'}))
    return int(report['readable'] < len(points) or lost[-1] > 1.0)


if __name__ == '__main__':
    sys.exit(main())
