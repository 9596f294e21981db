# SPDX-License-Identifier: Apache-2.0
"""The whole way from a bag to a module folder: read, train, gate, export, write."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
import os
from pathlib import Path
import platform
import shutil
import tempfile
import time

import numpy as np
import torch

import ami_ros
from ami_ros.core.errors import AmiError
from ami_ros.inference import backend
from ami_ros.modules import golden_inputs
from ami_ros.modules import module as modules
from ami_ros.modules.module import Module, open_module
from ami_ros.modules.ordinary_surprise import ordinary
from ami_ros.modules.signature_envelope import NAME
from ami_ros.robots.find_robot import find
from ami_ros.robots.robot import Robot
from ami_ros.training import (
    cost_map_and_memory,
    float16_weight_storage,
    merge_bags,
    onnx_export,
    out_of_distribution_threshold,
    quality_gates,
    surprise_baseline,
    train,
)
from ami_ros.training.networks import KNOT_S
from ami_ros.training.restore_from_onnx import restore
from ami_ros.training.topic_choice import BagError

HORIZON = 8
BASE_RATE = 5e-4        # learning rate for trained weights: half of that for random ones


class GateError(RuntimeError):
    """A trained module that must not drive; says which gate and why."""


@dataclass(frozen=True)
class Job:
    """One training, as it was asked for."""

    bags: tuple[Path, ...]
    out: Path
    robot: str = ''             # a name or a file; '': of the recordings, else the rover
    steps: int = 2400
    seed: int = 0
    threads: int = 1
    resume: bool = False
    topics: tuple[tuple[str, str], ...] = ()
    bf16: bool = False
    encoder: str = 'convolutions'
    device: str = 'auto'
    base: str = ''              # a module whose weights the training begins with


def device_of(name: str) -> str:
    """Return cpu or cuda; `auto` is a GPU where torch has one."""
    there = ('cpu', 'cuda') if torch.cuda.is_available() else ('cpu',)
    if name == 'auto':
        return there[-1]
    if name not in there:
        raise AmiError(f'no device {name!r} here, but: {", ".join(there)}' + (
            '; torch sees no GPU: nvidia-smi tells whether the driver does, and a torch that was '
            'built for CPUs alone never will' if name == 'cuda' else ''))
    return name


def run(job: Job, say: Callable[[str], None] = print) -> Path:
    """Make a module; the checkpoint lies beside it until the module is whole.

    Raises BagError for a bag that lacks something, GateError for a module that must not drive.
    """
    begun = time.monotonic()
    if job.out.exists() and not (job.out / 'manifest.json').is_file():
        raise AmiError(f'{job.out} exists and is no module; it would be replaced: '
                       'give another --out, or remove it')
    if not NAME.fullmatch(job.out.name):
        raise AmiError(f'{job.out.name!r} would be the name of the module; it may have letters, '
                       'digits, dots, dashes and underscores: give another --out')
    torch.set_num_threads(job.threads)
    device = device_of(job.device)
    robot, decides = merge_bags.robot_of(find(job.robot) if job.robot else None, job.bags)
    data = merge_bags.read(job.bags, robot, dict(job.topics), job.seed, say, decides)
    images, drives = data.images, data.drives
    base = Base(open_module(job.base)) if job.base else None
    recipe = recipe_of(job, base, images)
    rows, held = train.split(drives, recipe)
    if len(rows) < recipe.windows or len(held) < 16:
        raise BagError(
            f'{merge_bags.named(job.bags)} has {len(rows)} windows to learn from and {len(held)} '
            f'to check with; at least {recipe.windows} and 16 are needed: record longer, or more '
            'drives')
    checkpoint = job.out.with_name(job.out.name + '.checkpoint')
    sampler = train.Sampler(images, drives, held, recipe)

    def look(step: int, model) -> None:
        gated = quality_gates.gate(quality_gates.measure(model, sampler, job.seed, 128))
        say(f'gates at step {step}: ' + '  '.join(f'{name} {gated.figures[name]:.3f}'
                                                   for name in quality_gates.GATES))
        hopeless = [f for f in gated.failures if f.startswith('effective_rank')]
        if hopeless and step >= job.steps // 2:     # what has collapsed by now stays so
            raise GateError(f'stopped at step {step}. {hopeless[0]}; {checkpoint} is kept')

    job.out.parent.mkdir(parents=True, exist_ok=True)
    model = train.train(images, drives, recipe, robot.limits, checkpoint, job.resume,
                        say, look, device, None if base is None else base.model.state_dict())
    float16_weight_storage.round_weights(model)
    gated = quality_gates.gate(quality_gates.measure(model, sampler, job.seed))
    for name, (bound, side, _) in quality_gates.GATES.items():
        say(f'gate {name}: {gated.figures[name]:.3f} (must be {side} {bound})')
    if gated.failures:
        raise GateError('no module was written. ' + ' '.join(f + '.' for f in gated.failures))
    pack(job, robot, recipe, model, data, held, gated.figures, time.monotonic() - begun, say)
    checkpoint.unlink(missing_ok=True)
    return job.out


class Base:
    """A module whose weights a training begins with."""

    def __init__(self, module: Module):
        self.id, self.name, self.model = module.id, module.path.name, restore(module)[0]


def recipe_of(job: Job, base: Base | None, images: np.ndarray) -> train.Recipe:
    """Return what decides the training; ValueError where a base has another shape."""
    recipe = train.Recipe(steps=job.steps, seed=job.seed, bf16=job.bf16)
    if base is None:
        return replace(recipe, shape=replace(recipe.shape, encoder=job.encoder))
    size = images.shape[2], images.shape[1]
    if base.model.size != size:
        raise AmiError(f'the base {base.name} sees images of {base.model.size} and the robot '
                       f'file asks for {size}; train without --base')
    if job.encoder not in ('convolutions', base.model.shape.encoder):
        raise AmiError(f'the base {base.name} has the encoder {base.model.shape.encoder}, not '
                       f'{job.encoder}; leave out --encoder or --base')
    return replace(recipe, shape=base.model.shape, rate=BASE_RATE, base=base.id)


def pack(job: Job, robot: Robot, recipe: train.Recipe, model, data: merge_bags.Data,
         held: np.ndarray,
         figures: dict[str, float], seconds: float, say) -> None:
    """Export, remember the room, and write the folder."""
    images, drives = data.images, data.drives
    latents, places = cost_map_and_memory.look(model, images, drives.frame)
    device, model = named(model), model.cpu()
    cost, origin = cost_map_and_memory.ground(places, drives)
    surprise = surprise_baseline.surprise(model, images, drives, held, data.recordings,
                                 figures['surprise_scale'])
    arrays = {'map_cost': cost, 'map_origin': origin,
              **cost_map_and_memory.memory(latents, places, drives, images, job.seed)}
    unlike = out_of_distribution_threshold.of_drives(model, data, held, latents,
                                                     arrays['memory_scale'],
                                                     job.seed)
    with tempfile.TemporaryDirectory() as folder:
        networks = onnx_export.export(model, figures['disagreement_scale'], HORIZON, Path(folder),
                                      images)
        files = {p.name: float16_weight_storage.shrink(p.read_bytes())
                 for p in Path(folder).glob('*.onnx')}
    chosen = np.linspace(0, len(images) - 1, golden_inputs.PICTURES).round().astype(int)
    files[golden_inputs.FILE], said = golden_inputs.make(
        {name.removesuffix('.onnx'): backend('onnx')(data) for name, data in files.items()},
        np.stack([images[index] for index in chosen]), robot.limits, HORIZON)
    files |= {f'{name}.npy': modules.npy(array) for name, array in arrays.items()}
    manifest = {
        'name': job.out.name, 'version': '1.0.0', 'kind': 'rover-jepa',
        'ami_ros': ami_ros.__version__,
        'made': datetime.now(timezone.utc).isoformat('T', 'seconds'),
        'latent_space': modules.digest(files['see.onnx'])[:16],
        'robot': robot.name, 'axes': list(robot.axes), 'limits': list(robot.limits),
        'camera': {'size': list(robot.camera_size), 'hfov_rad': data.recordings[0].hfov_rad,
                   'mount': list(robot.camera_mount), 'encoding': 'rgb8'},
        'horizon': HORIZON, 'knot_s': KNOT_S, 'map_cell_m': cost_map_and_memory.CELL_M,
        'surprise_scale': figures['surprise_scale'],
        **({} if surprise is None else {'surprise': surprise}),
        **({} if unlike is None else {'out_of_distribution': unlike}),
        'networks': networks, 'golden': said, 'gates': figures,
        'lineage': merge_bags.lineage(job.bags, data.recordings),
        'recipe': asdict(recipe), 'licence': 'Apache-2.0',
        'training': {'seconds': round(seconds), 'threads': job.threads,
                     'torch': torch.__version__, 'python': platform.python_version(),
                     'machine': f'{os.cpu_count()} x {platform.machine()}', 'device': device},
    }
    if job.out.exists():
        shutil.rmtree(job.out)
    modules.write(job.out, manifest, files)
    say(f'surprise on held-out drives: {ordinary(manifest)}')
    say(f'out_of_distribution: {out_of_distribution_threshold.told(unlike)}')
    size = sum(len(d) for d in files.values()) / 1e6
    say(f'wrote {job.out}: {size:.1f} MB in {seconds:.0f} s')


def named(model) -> str:
    """Name the device that a model is on, for people."""
    device = model.dynamics.twist_scale.device
    return torch.cuda.get_device_name(device) if device.type == 'cuda' else device.type
