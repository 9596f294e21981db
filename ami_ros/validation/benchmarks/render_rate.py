# SPDX-License-Identifier: Apache-2.0
"""
Measures how many images a second each physics engine renders, in alternating blocks.

    python -m ami_ros.validation.benchmarks.render_rate --report docs/reports/render_rate.json

In the protocol's room and in a building, at 64x64 and 320x240. One block renders for a second from
changing poses; an engine that is not installed is left out.
"""

import argparse
from importlib.util import find_spec
import json
import math
import os
from pathlib import Path
import time

import numpy as np

from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim import scenes
from ami_ros.sim.engines import ENGINES, open_engine
from ami_ros.validation.report_fingerprint import measured

SIZES = ((64, 64), (320, 240))
BLOCK_S = 1.0
UP = np.array([0.0, 0.0, 1.0])


def block(engine, first: int) -> tuple[int, float]:
    """Render for a while; return how many images, and in how many seconds."""
    begun, count = time.perf_counter(), 0
    while (took := time.perf_counter() - begun) < BLOCK_S or not count:
        yaw = 0.7 * (first + count)
        engine.picture(np.array([0.3 * math.sin(yaw), 0.3 * math.cos(yaw), 0.2]),
                       np.array([math.cos(yaw), math.sin(yaw), 0.0]), UP)
        count += 1
    return count, took


def rates(rounds: int) -> list[dict]:
    """Return a row for each place and size: images a second of each engine, median of blocks."""
    robot, rows = find('rover'), []
    names = [name for name in ENGINES if find_spec(name)]
    for place, world in (('room', worlds.draw(7)), ('building', scenes.draw('building', 60001))):
        for size in SIZES:
            engines = {name: open_engine(name, world, robot, size) for name in names}
            try:
                for engine in engines.values():
                    engine.place(0.0, 0.0, 0.0)
                said: dict[str, list[float]] = {name: [] for name in names}
                for each in range(rounds):
                    for name, engine in engines.items():
                        count, took = block(engine, 100 * each)
                        said[name].append(count / took)
                rows.append({'place': place, 'size': size, 'images_per_s': {
                    name: round(float(np.median(found)), 1) for name, found in said.items()},
                    'renderer': {name: getattr(engine, 'renderer', 'TinyRenderer')
                                 for name, engine in engines.items()}})
            finally:
                for engine in engines.values():
                    engine.close()
    return rows


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=(
        argparse.RawDescriptionHelpFormatter))
    parser.add_argument('--rounds', type=int, default=5, help='Blocks of each engine')
    parser.add_argument('--report', type=Path, default=None, help='Report JSON file')
    args = parser.parse_args()
    load, rows = os.getloadavg(), rates(args.rounds)
    for row in rows:
        print(row['place'], 'x'.join(map(str, row['size'])), row['images_per_s'])
    if args.report:
        args.report.write_text(json.dumps({'measured': measured('render_rate'), 'rows': rows,
                                           'load_before': load}, indent=1) + '\n')


if __name__ == '__main__':
    main()
