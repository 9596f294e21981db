# SPDX-License-Identifier: Apache-2.0
"""Lets a simulated rover drive about and writes what its topics said into a rosbag2 MCAP bag."""

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.parallel.pool import outcomes
from ami_ros.recording import bag_writer as bag
from ami_ros.recording.bag_metadata import Part, write_metadata
from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.scenes import protocol_room
from ami_ros.sim.scenes import scene_changes as scene_changes
from ami_ros.sim.scenes.scene import Scene
from ami_ros.sim.simulator import Simulator
from ami_ros.training.exploration_driver import Driver, free_pose

DRIVES_A_PART = 4
GAP_S = 10.0            # between drives, so that a reader sees where one ends
TICK_S = 0.05
PARTIAL = '.partial_note'


def drive(sim: Simulator, writer: bag.PartWriter, index: int, seed: int, seconds: float) -> None:
    """Drive for a while from a random place; frames about every 0.25 s, the rest at 20 Hz."""
    robot, rng = sim.robot, np.random.default_rng([sim.world.seed, seed, index, 0xD21])
    sim.reset(free_pose(sim.world, rng, robot.radius_m + 0.03), int(rng.integers(2**31)))
    driver = Driver(sim, rng)
    offset = round(index * (seconds + GAP_S) * 1e9)
    until_frame = 0
    for tick in range(round(seconds / TICK_S)):
        stamp = offset + sim.time_ns
        if tick % 2 == 0 or until_frame == 0:
            ranges = sim.scan()
        writer.write('odom', stamp, bag.odometry(stamp, *sim.odometry()))
        writer.write('imu', stamp, bag.imu(stamp, *sim.imu()))
        if until_frame == 0:        # a throttled camera: 0.1 to 0.4 s apart, 0.25 s on average
            writer.write('camera/image_raw', stamp, bag.image(stamp, sim.camera()))
            writer.write('camera/camera_info', stamp,
                         bag.camera_info(stamp, sim.size, robot.camera_hfov_rad))
            writer.write('scan', stamp,
                         bag.scan(stamp, ranges, sim.angles, robot.lidar_range_m))
            until_frame = int(rng.choice([2, 4, 5, 5, 5, 5, 5, 6, 8]))
        until_frame -= 1
        v, w = driver.next(ranges, TICK_S)
        writer.write('cmd_vel', stamp, bag.command(stamp, v, w))
        sim.command(v, w)
        sim.step(TICK_S)


def changed(world: worlds.World, changes: str, seed: int, index: int) -> Scene:
    """Return the room as it is in one drive."""
    rng = np.random.default_rng([world.seed, seed, index, 0xC4A])
    return scene_changes.apply(protocol_room.of_world(world), changes, int(rng.integers(2**31)))


def part_of(world_seed: int, seed: int, drives: int, seconds: float, changes: str,
            part: int) -> tuple[bytes, dict]:
    """Return one file of the bag and its note; the same arguments make the same bytes."""
    world, robot = worlds.draw(world_seed), find('rover')
    indices = range(part * DRIVES_A_PART, min(drives, (part + 1) * DRIVES_A_PART))
    with TemporaryDirectory() as folder:
        writer = bag.PartWriter(Path(folder) / 'part.mcap')
        if changes:
            for index in indices:
                with Simulator(changed(world, changes, seed, index), robot, seed) as sim:
                    drive(sim, writer, index, seed, seconds)
        else:
            with Simulator(world, robot, seed) as sim:
                for index in indices:
                    drive(sim, writer, index, seed, seconds)
        done = writer.close()
        return writer.path.read_bytes(), {
            'start_ns': done.start_ns, 'end_ns': done.end_ns, 'counts': done.counts}


def collect(folder: Path, world_seed: int, seed: int = 0, frames: int = 100_000,
            drive_s: float = 60.0, jobs: int = 2, progress=lambda done, total: None,
            cluster: str = '', changes: str = '') -> dict:
    """Write the bag; parts that are there already are kept, so a killed run goes on.

    `changes`: of the room, as `changes.parse` reads them; drawn anew for each drive.
    `cluster`: HOST:PORT of a Ray cluster that drives instead of `jobs` processes.
    Returns what was asked for and the bag's hash, which is also in collect.json.
    Raises ValueError if the folder holds a bag that was asked for differently.
    """
    if frames < 1 or not drive_s >= 1.0 or jobs < 1:
        raise AmiError(f'{frames} frames in drives of {drive_s} s by {jobs} processes cannot be '
                       'collected; at least 1 frame, 1 s and 1 process are needed')
    drives = max(1, round(frames * 0.25 / drive_s))
    asked: dict[str, Any] = {
        'world_seed': world_seed, 'seed': seed, 'drives': drives, 'drive_s': drive_s,
        'frames': frames}
    scene_changes.parse(changes)
    if changes:
        asked['changes'] = changes
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / 'collect.json'
    if note.exists():
        try:
            was = dict(json.loads(note.read_text()))
        except (ValueError, TypeError) as why:
            raise AmiError(f'{note} is damaged ({why}); remove it, or give another --out'
                           ) from why
        if {k: was.get(k, '') for k in (*asked, 'changes')} != {**asked, 'changes': changes}:
            raise AmiError(f'{folder} holds another bag ({was}); give another --out, '
                           'or remove that folder')
    else:
        there = sorted(p.name for p in folder.iterdir() if p.suffix != PARTIAL)
        if there:
            raise AmiError(f'{folder} holds {", ".join(there[:5])} and no bag of collect; '
                           'give another --out')
        write_note(note, asked)
    parts = range(-(-drives // DRIVES_A_PART))
    missing = [p for p in parts if not all((folder / f'part_{p:04d}{kind}').exists()
                                           for kind in ('.json', '.mcap'))]
    done = len(parts) - len(missing)
    progress(done, len(parts))
    for index, (data, said) in outcomes(part_of, [(p,) for p in missing], jobs, cluster,
                                        (world_seed, seed, drives, drive_s, changes)):
        path = folder / f'part_{missing[index]:04d}.mcap'
        write_whole(path, data)
        write_note(path.with_suffix('.json'), said)
        done += 1
        progress(done, len(parts))
    written = [Part(f'part_{p:04d}.mcap', n['start_ns'], n['end_ns'], n['counts'])
               for p in parts for n in [read_note(folder / f'part_{p:04d}.json')]]
    write_metadata(folder, bag.offered(), written)
    asked['sha256'] = bag_hash(folder)
    write_note(note, asked)
    return asked


def read_note(path: Path) -> dict:
    """Read what `write_note` wrote."""
    try:
        return json.loads(path.read_text())
    except ValueError as why:
        raise AmiError(f'{path} is damaged ({why}); remove it, or give another --out') from why


def write_note(path: Path, content: dict) -> None:
    """Write JSON whole or not at all."""
    write_whole(path, json.dumps(content).encode())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: a kill must not leave half of it behind."""
    temporary = path.with_suffix(PARTIAL)
    temporary.write_bytes(data)
    temporary.replace(path)


def bag_hash(bag_path: Path) -> str:
    """Hash the data files of a bag, in order of name; a bag may also be a single file."""
    files = [bag_path] if bag_path.is_file() else sorted(
        p for p in bag_path.iterdir() if p.name.removesuffix('.zstd').endswith(('.mcap', '.db3')))
    total = hashlib.sha256()
    for path in files:
        one = hashlib.sha256()
        with open(path, 'rb') as file:
            while block := file.read(1 << 20):
                one.update(block)
        total.update(one.digest())
    return total.hexdigest()
