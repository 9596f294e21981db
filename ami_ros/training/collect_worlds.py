# SPDX-License-Identifier: Apache-2.0
"""Lets a simulated rover tour many worlds; writes one rosbag2 bag for each, and a manifest.

A world's bag appears under its name only once it is whole, so a killed run goes on where it was.
"""

from dataclasses import asdict, dataclass
import json
from pathlib import Path
import shutil
from tempfile import TemporaryDirectory

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.parallel.pool import outcomes
from ami_ros.recording import bag_writer as bag
from ami_ros.recording.bag_metadata import write_metadata
from ami_ros.robots.find_robot import find
from ami_ros.sim import scenes
from ami_ros.sim.camera_model import presets
from ami_ros.sim.engines import ENGINES
from ami_ros.sim.scenes import scene_changes
from ami_ros.sim.scenes.scene import Scene
from ami_ros.sim.scenes.seed_allocation import PUBLISHED, RESERVED
from ami_ros.sim.simulator import Simulator
from ami_ros.training.collect import bag_hash, read_note, write_note
from ami_ros.training.tour_driver import Tour

MANIFEST = 'manifest.json'
NOTE = 'world.json'             # beside each bag: what its scene was
FORMAT = 'ami_ros worlds 1'
TRUTH = 'sim/truth/pose'        # for training and reports; a mind never hears it
TYPES = {**bag.TYPES, TRUTH: 'nav_msgs/msg/Odometry'}
TICK_S = 0.05
FRAME_TICKS = (2, 4, 5, 5, 5, 5, 5, 6, 8)       # between frames: 0.25 s on average


@dataclass(frozen=True)
class Asked:
    """What a set of worlds is made of; the same values make the same bags."""

    generator: str
    first_seed: int
    worlds: int
    frames: int                     # of each world
    seed: int = 0                   # of the tours
    changes: str = ''
    camera: str = 'clean'           # a preset; 'random' draws one for each world
    engine: str = 'pybullet'

    def __post_init__(self):
        """Check it as a whole; ValueError says what is wrong."""
        scenes.known(self.generator)
        scene_changes.parse(self.changes)
        if self.camera != 'random':
            presets.find(self.camera)
        if self.engine not in ENGINES:
            raise AmiError(f'no engine {self.engine!r}; there are: {", ".join(ENGINES)}')
        if self.worlds < 1 or self.frames < 2:
            raise AmiError(f'{self.worlds} worlds of {self.frames} frames cannot be collected; '
                           'at least 1 world and 2 frames are needed')
        for seeds, why in ((PUBLISHED, 'published figures'), (RESERVED, 'tests by others')):
            if self.first_seed < seeds.stop and self.first_seed + self.worlds > seeds.start:
                raise AmiError(f'world seeds {seeds.start} to {seeds.stop - 1} are kept for '
                               f'{why}; give another --first-world-seed or fewer --worlds')

    def preset(self, seed: int) -> presets.Preset:
        """Return the camera of one world."""
        return presets.find(f'random({seed})' if self.camera == 'random' else self.camera)


def drive(sim: Simulator, writer: bag.PartWriter, asked: Asked) -> None:
    """Tour one world until enough frames are written; the rest of the sensors at 20 Hz."""
    robot, rng = sim.robot, np.random.default_rng([sim.world.seed, asked.seed, 0x7095])
    assert isinstance(sim.world, Scene)
    tour, sim.watching = Tour(sim.world, robot.limits, rng), False
    sim.reset(tour.start(), int(rng.integers(2**31)))
    frames = until_frame = 0
    while frames < asked.frames:
        stamp, truth = sim.time_ns, sim.truth()
        writer.write('odom', stamp, bag.odometry(stamp, *sim.odometry()))
        writer.write('imu', stamp, bag.imu(stamp, *sim.imu()))
        if until_frame == 0:
            writer.write('camera/image_raw', stamp, bag.image(stamp, sim.camera()))
            writer.write('camera/camera_info', stamp,
                         bag.camera_info(stamp, sim.size, sim.lens.hfov_rad,
                                         sim.lens.calibration[1]))
            writer.write('scan', stamp,
                         bag.scan(stamp, sim.scan(), sim.angles, robot.lidar_range_m))
            writer.write(TRUTH, stamp, bag.odometry(
                stamp, truth.pose, np.array([truth.speed_mps, 0.0]), 'world'))
            until_frame, frames = int(rng.choice(FRAME_TICKS)), frames + 1
        until_frame -= 1
        v, w = tour.next(truth.pose, truth.speed_mps, TICK_S)
        writer.write('cmd_vel', stamp, bag.command(stamp, v, w))
        sim.command(v, w)
        sim.step(TICK_S)


def folder_of(out: Path, seed: int) -> Path:
    """Name the bag of a world."""
    return out / f'world_{seed:06d}'


def bag_of(asked: Asked, seed: int) -> dict[str, bytes]:
    """Tour one world; return the files of its bag by their names."""
    preset = asked.preset(seed)
    scene = scene_changes.apply(scenes.draw(asked.generator, seed), ','.join(
        filter(None, (asked.changes, preset.change))), asked.seed)
    with TemporaryDirectory() as name:
        folder = Path(name)
        with Simulator(scene, find('rover'), 0, engine=asked.engine, camera=preset.camera) as sim:
            writer = bag.PartWriter(folder / 'tour.mcap', TYPES)
            drive(sim, writer, asked)
            part = writer.close()
        write_metadata(folder, bag.offered(TYPES), [part])
        write_note(folder / NOTE, {
            'seed': seed, 'generator': scene.generator, 'rooms': len(scene.rooms),
            'doors': len(scene.doors), 'furniture': len(scene.furniture),
            'light': scene.lighting.name, 'changes': list(scene.changes),
            'camera': asdict(preset.camera), 'frames': part.counts['camera/image_raw'],
            'sha256': bag_hash(folder)})
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def write_bag(folder: Path, files: dict[str, bytes]) -> None:
    """Write the bag of a world whole or not at all."""
    partial = folder.with_suffix('.partial')
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name, data in files.items():
        (partial / name).write_bytes(data)
    partial.rename(folder)


def collect(out: Path, asked: Asked, jobs: int = 2, progress=lambda done, total: None,
            cluster: str = '') -> dict:
    """Write all worlds that are missing, then the manifest; return it.

    `cluster`: HOST:PORT of a Ray cluster that drives instead of `jobs` processes.
    ValueError where the folder holds something else.
    """
    prepare(out, asked)
    seeds = range(asked.first_seed, asked.first_seed + asked.worlds)
    missing = [s for s in seeds if not (folder_of(out, s) / NOTE).exists()]
    done = len(seeds) - len(missing)
    progress(done, len(seeds))
    for index, files in outcomes(bag_of, [(s,) for s in missing], jobs, cluster, (asked,)):
        write_bag(folder_of(out, missing[index]), files)
        done += 1
        progress(done, len(seeds))
    worlds = [read_note(folder_of(out, s) / NOTE) for s in seeds]
    manifest = {'format': FORMAT, 'asked': asdict(asked), 'complete': True,
                'frames': sum(w['frames'] for w in worlds), 'worlds': worlds}
    write_note(out / MANIFEST, manifest)
    return manifest


def prepare(out: Path, asked: Asked) -> None:
    """Begin a folder, or check that it holds the same set."""
    out.mkdir(parents=True, exist_ok=True)
    note = out / MANIFEST
    if note.exists():
        try:
            was = json.loads(note.read_text())['asked']
        except (ValueError, KeyError, TypeError) as why:
            raise AmiError(f'{note} is damaged ({why}); remove it, or give another --out'
                           ) from why
        if was != asdict(asked):
            raise AmiError(f'{out} holds another set of worlds ({was}); give another --out, or '
                           'remove that folder')
        return
    there = sorted(p.name for p in out.iterdir())
    if there:
        raise AmiError(f'{out} holds {", ".join(there[:5])} and no set of worlds; give another '
                       '--out')
    write_note(note, {'format': FORMAT, 'asked': asdict(asked), 'complete': False})
