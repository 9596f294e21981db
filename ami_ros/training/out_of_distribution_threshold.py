# SPDX-License-Identifier: Apache-2.0
"""
Measures on held-out drives from which distance on an image is unlike the training data.

    python -m ami_ros.training.out_of_distribution_threshold MODULE --bag BAG --write

gives the threshold to a module that was made without it. With the recording that the module was
trained on, its held-out drives count; with any other recording of the same place, all drives do.
A module that is written is no longer signed.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
import sys

import numpy as np

from ami_ros.modules import module as modules
from ami_ros.modules.module import Module, open_module
from ami_ros.robots.find_robot import find
from ami_ros.training import cost_map_and_memory, merge_bags, surprise_baseline, train
from ami_ros.training.networks import Jepa
from ami_ros.training.restore_from_onnx import restore
from ami_ros.world_model.out_of_distribution import (
    calibrated,
    Distances,
    Familiar,
    figure,
    lately,
    maxima,
    MOST,
)

APART_NS = 10_000_000_000   # nearer in time than this, two images of one drive show the same


def stamps(data: merge_bags.Data) -> np.ndarray:
    """Return (F, 2) int64: the recording of each image, and its stamp."""
    return np.concatenate([
        np.stack([np.full(len(r.image_ns), index), r.image_ns], 1)
        for index, r in enumerate(data.recordings)])


def of_drives(model: Jepa, data: merge_bags.Data, held: np.ndarray, latents: np.ndarray,
              scale: np.ndarray, seed: int) -> dict | None:
    """Measure it while a module is made; None where the held-out drives are too short.

    `latents` (M, D) are of all rows, and `scale` (D,) is that with which they are remembered.
    Compared with what the robot will remember, less the held-out drives.
    """
    drives = data.drives
    rng = np.random.default_rng([seed, cost_map_and_memory.MEMORY])
    rows = cost_map_and_memory.remembered(drives, rng)
    rows = rows[~np.isin(drives.drive[rows], np.unique(drives.drive[held]))]
    if len(rows) < 2:
        return None
    rows = rows[::max(1, -(-len(rows) // MOST))]
    known = Familiar(np.round(latents[rows] / np.where(scale > 0, scale, 1.0)) * scale)
    return measure(model, data, held, known, stamps(data)[drives.frame[rows]])


def measure(model: Jepa, data: merge_bags.Data, held: np.ndarray, known: Familiar,
            at: np.ndarray | None = None) -> dict | None:
    """Measure it on the drives of some rows. `at` (N, 2) has recording and stamp of `known`.

    A fast camera makes several drives of one way, so that a held-out image has neighbours in time
    among the others; those do not count.
    """
    found: list[float] = []
    order = {id(recording): index for index, recording in enumerate(data.recordings)}
    for recording, rows, begin in surprise_baseline.spans(data.drives, held, data.recordings):
        if len(rows) < 2:
            continue
        latents, _ = cost_map_and_memory.look(model, data.images, rows + begin)
        distances: Distances = []
        drive: Distances = []
        for stamp_ns, z in zip(recording.image_ns[rows].tolist(), latents):
            among = None
            if at is not None:
                among = ((at[:, 0] != order[id(recording)])
                         | (np.abs(at[:, 1] - stamp_ns) > APART_NS))
                if not among.any():
                    continue
            distances = lately(distances, stamp_ns, known.distance(z, among))
            drive.append((stamp_ns, figure(distances)))
        found += maxima(drive) if drive else []
    return rounded(calibrated(np.array(found)))


def rounded(said: dict | None) -> dict | None:
    """Leave out digits that mean nothing."""
    return said and {key: round(value, 4) if isinstance(value, float) else value
                     for key, value in said.items()}


def told(said: dict | None) -> str:
    """Say it in a few words."""
    if said is None:
        return 'not measured, the held-out drives are too short'
    return (f'threshold {said["threshold"]:.2f} from {said["blocks"]} s of held-out drives '
            f'({said["method"]}); their largest value is {said["most"]:.2f} of it')


def of_module(module: Module, paths: tuple[Path, ...], say=print) -> dict | None:
    """Measure it for a module that exists, on recordings of its place."""
    robot, decides = merge_bags.robot_of(find(module.manifest['robot']), paths)
    data = merge_bags.read(paths, robot, {}, module.manifest['recipe']['seed'], say, decides)
    model, said = restore(module)[0], module.manifest['recipe']
    recipe = train.Recipe(frames=said['frames'], seed=said['seed'], held_out=said['held_out'])
    lineage = merge_bags.lineage(paths, data.recordings)
    if lineage['bag_sha256'] != module.manifest['lineage'].get('bag_sha256'):
        say('the module was not trained on this recording: all drives of it count')
        return measure(model, data, np.arange(len(data.drives.frame)), Familiar(
            module.array('memory_latents').astype(np.float32) * module.array('memory_scale')))
    held = train.split(data.drives, recipe)[1]
    latents, _ = cost_map_and_memory.look(model, data.images, data.drives.frame)
    return of_drives(model, data, held, latents, module.array('memory_scale'), said['seed'])


def main(given: Iterable[str] | None = None) -> int:
    """Measure, and write where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=(
        argparse.RawDescriptionHelpFormatter))
    parser.add_argument('module', type=Path, help='Module folder')
    parser.add_argument('--bag', type=Path, action='append', required=True,
                        help='Recording of the place that the module learned; may be repeated')
    parser.add_argument('--write', action='store_true',
                        help='Write the threshold into the manifest')
    args = parser.parse_args(given)
    module = open_module(args.module)
    said = of_module(module, tuple(args.bag))
    sys.stdout.write(told(said) + '\n')
    if said is not None and args.write:
        modules.write(args.module, {**module.manifest, 'out_of_distribution': said},
                      dict(module.files))
    return int(said is None)


if __name__ == '__main__':
    raise SystemExit(main())
