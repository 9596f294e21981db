# SPDX-License-Identifier: Apache-2.0
"""
Counts the commands that can be traced back to their camera images.

    python3 -m ami_ros.validation.traceability --report FILE

Real time over ROS, recorded, until ten minutes are together; a drive that a busy machine ends is
told, and another begins. Then each recording is done again, and both are timed. The body obeys
perfectly and draws quickly: the chain does not ask how well it drives.
"""

import argparse
import json
import os
from pathlib import Path
import tempfile
import time
from typing import Any

import numpy as np

from ami_ros.perception.camera_preprocessor import CameraPreprocessor
from ami_ros.recording.replay.replay_drive import replay
from ami_ros.recording.replay.replay_overrides import Changes
from ami_ros.validation.evaluation_protocol import GoalDrive
from ami_ros.validation.stack import bench, sim_session
from ami_ros.validation.stack.timer_jitter import Probe

BLOCKS, SEED = 40, 750
START, GOAL = np.array([0.5, 0.5, 0.3]), np.array([1.2, 0.6, 0.0])
PICTURE = np.full((64, 64, 3), 90, np.uint8)


def drive(folder: Path, number: int, separate: bool, seconds: float) -> tuple[Path, str]:
    """Drive for a while; return the recording, and why it ended before its time."""
    bag = folder / f'bag{number}'
    asked = sim_session.Session(logs=folder / f'logs{number}', real_time=True, engine='loopback',
                                world_seed=7, separate=separate, record=bag)
    begun = time.monotonic()

    def errands():
        while time.monotonic() - begun < seconds:
            yield sim_session.EpisodeSpec(SEED + number, GoalDrive(START, GOAL, BLOCKS), PICTURE)

    try:
        sim_session.run(asked, errands(), lambda errand, made: None)
        return bag, ''
    except RuntimeError as why:
        return bag, str(why)


def main() -> None:
    """Drive, replay, report."""
    args = argparse.ArgumentParser(description=__doc__.strip().split('\n')[0])
    args.add_argument('--seconds', type=float, default=600.0,
                      help='Total duration of the recorded drives, in seconds')
    args.add_argument('--drive', type=float, default=120.0,
                      help='Duration of one drive, in seconds')
    args.add_argument('--bags', type=Path, help='Empty folder that keeps the recordings')
    args.add_argument('--no-composition', action='store_true',
                      help='Run perception, world_model and actor as separate processes')
    args.add_argument('--report', type=Path, required=True, help='Report JSON file')
    given = args.parse_args()
    together = 0.0
    drives: list = []
    with tempfile.TemporaryDirectory() as name, Probe() as probe:
        while together < given.seconds and len(drives) < 40:
            bag, ended = drive(given.bags or Path(name), len(drives), given.no_composition,
                               min(given.drive, given.seconds - together))
            said: dict[str, Any] = {'ended': ended}
            if bag.is_dir() and any(bag.glob('*.mcap')):
                try:
                    report = replay(bag, Changes(), CameraPreprocessor)
                    together += report['seconds_of_drive']
                    said |= {key: report[key] for key in (
                        'seconds_of_drive', 'seconds_taken', 'chains', 'first_difference',
                        'latents', 'beliefs', 'plans')}
                    said['verdicts'] = {key: report['verdicts'][key] for key in (
                        'compared', 'different', 'reasons_different', 'not_replayed', 'lost')}
                except ValueError as why:       # it ended before anything was recorded
                    said['unread'] = str(why)
            drives.append(said)
            print(json.dumps(said), flush=True)
    done = [one for one in drives if 'chains' in one]
    counts = {key: sum(one['chains'][key] for one in done)
              for key in ('commands', 'complete', 'before_the_trace')}
    report = {
        'machine': bench.machine(), 'versions': bench.versions(),
        'load_average': os.getloadavg()[0], 'noise_ms': sim_session.percentiles(probe.late_ms),
        'separate': given.no_composition, 'seconds': together, **counts,
        'share': counts['complete'] / max(1, counts['commands']),
        'latents_max_abs_difference': max(one['latents']['max_abs_difference'] for one in done),
        'plans_max_abs_difference': max(one['plans']['max_abs_difference'] for one in done),
        'verdicts_different': sum(one['verdicts']['different'] for one in done),
        'times_real_time': together / sum(one['seconds_taken'] for one in done),
        'drives': drives}
    given.report.write_text(json.dumps(report, indent=1) + '\n')
    print(json.dumps({key: value for key, value in report.items() if key != 'drives'}))


if __name__ == '__main__':
    main()
