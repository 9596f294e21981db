# SPDX-License-Identifier: Apache-2.0
"""The whole way from a set of worlds to a general module: read, train, check, export, write."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
import hashlib
import os
from pathlib import Path
import platform
import tempfile
import time

import numpy as np
import torch

import ami_ros
from ami_ros.core.errors import AmiError
from ami_ros.inference import backend
from ami_ros.modules import golden_inputs
from ami_ros.modules import module as modules
from ami_ros.modules.module_kinds import GENERAL
from ami_ros.modules.signature_envelope import NAME
from ami_ros.robots.find_robot import find
from ami_ros.training import float16_weight_storage
from ami_ros.training.collect_worlds import MANIFEST
from ami_ros.training.general_model import export, train
from ami_ros.training.general_model.accuracy import accuracy
from ami_ros.training.general_model.world_frames import read_worlds
from ami_ros.training.topic_choice import BagError

# figure of the held-out worlds: bound, side of it that is right
GATES = {'position_p50_m_0.5': (0.15, 'below'), 'yaw_p50_deg_0.5': (4.0, 'below'),
         'same_place_true': (0.8, 'above'), 'same_place_false': (0.1, 'below')}


class GateError(RuntimeError):
    """A trained model that reads pairs too badly to drive with."""


@dataclass(frozen=True)
class Job:
    """One training, as it was asked for."""

    worlds: Path
    out: Path
    steps: int = 2400
    seed: int = 0
    threads: int = 1
    resume: bool = False


def failures(figures: dict[str, float]) -> list[str]:
    """Name the gates that figures do not pass."""
    return [f'{name} is {figures[name]:.3f} and must be {side} {bound}'
            for name, (bound, side) in GATES.items()
            if not (figures[name] < bound if side == 'below' else figures[name] > bound)]


def run(job: Job, say: Callable[[str], None] = print) -> Path:
    """Make a module; the checkpoint lies beside it until the module is whole."""
    begun = time.monotonic()
    if job.out.exists():
        raise AmiError(f'{job.out} exists; give another --out, or remove it')
    if not NAME.fullmatch(job.out.name):
        raise AmiError(f'{job.out.name!r} would be the name of the module; it may have letters, '
                       'digits, dots, dashes and underscores: give another --out')
    torch.set_num_threads(job.threads)
    data = read_worlds(job.worlds, say)
    recipe = train.Recipe(steps=job.steps, seed=job.seed)
    checkpoint = job.out.with_name(job.out.name + '.checkpoint')
    job.out.parent.mkdir(parents=True, exist_ok=True)
    model = train.train(data, recipe, checkpoint, job.resume, say)
    if train.processes()[0]:
        return job.out              # the first process writes
    float16_weight_storage.round_weights(model)
    _, held = train.split(data, recipe.held_out)
    figures = accuracy(held, train.reader(model))
    say(train.told(figures))
    if wrong := failures(figures):
        raise GateError(f'no module was written: {"; ".join(wrong)}; {checkpoint} is kept')
    pack(job, recipe, model, held.images, figures, time.monotonic() - begun)
    checkpoint.unlink(missing_ok=True)
    say(f'wrote {job.out}')
    return job.out


def pack(job: Job, recipe: train.Recipe, model, images: np.ndarray, figures: dict[str, float],
         seconds: float) -> None:
    """Export and write the folder."""
    robot = find('rover')
    images = np.stack([images[k] for k in np.linspace(0, len(images) - 1, 16).astype(int)])
    with tempfile.TemporaryDirectory() as folder:
        networks = export.export(model, Path(folder), images)
        files = {path.name: float16_weight_storage.shrink(path.read_bytes())
                 for path in Path(folder).glob('*.onnx')}
    opened = {name: backend('onnx')(files[f'{name}.onnx']) for name in networks}
    few = images[:golden_inputs.PICTURES].astype(np.float32)
    tokens = opened['encode'](image=few)[0]
    motion = np.array([[0.1, 0.0, 1.0, 0.0]] * len(tokens), np.float32)
    files[golden_inputs.FILE], said = golden_inputs.record(opened, {
        'encode': {'image': few}, 'compare': {'a': tokens, 'b': np.roll(tokens, 1, 0)},
        'predict': {'tokens': tokens, 'motion': motion}})
    manifest_of_worlds = job.worlds / MANIFEST
    try:
        lineage = hashlib.sha256(manifest_of_worlds.read_bytes()).hexdigest()
    except OSError as why:
        raise BagError(f'{manifest_of_worlds} cannot be read: {why}') from why
    modules.write(job.out, {
        'name': job.out.name, 'version': '1.0.0', 'kind': GENERAL,
        'ami_ros': ami_ros.__version__,
        'made': datetime.now(timezone.utc).isoformat('T', 'seconds'),
        'latent_space': modules.digest(files['encode.onnx'])[:16],
        'robot': robot.name, 'axes': list(robot.axes), 'limits': list(robot.limits),
        'camera': {'size': list(robot.camera_size), 'hfov_rad': robot.camera_hfov_rad,
                   'mount': list(robot.camera_mount), 'encoding': 'rgb8'},
        'networks': networks, 'golden': said, 'gates': figures,
        'lineage': {'worlds': lineage}, 'recipe': asdict(recipe), 'licence': 'Apache-2.0',
        'training': {'seconds': round(seconds), 'threads': job.threads,
                     'torch': torch.__version__, 'python': platform.python_version(),
                     'machine': f'{os.cpu_count()} x {platform.machine()}'}}, files)
