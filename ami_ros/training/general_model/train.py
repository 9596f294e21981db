# SPDX-License-Identifier: Apache-2.0
"""Trains the general model, in one process or in several under torchrun; resumes a killed run."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
import hashlib
import math
import os
from pathlib import Path
import time

import numpy as np
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from ami_ros.core.errors import AmiError
from ami_ros.training.augmentation import Augmentation, Augmenter
from ami_ros.training.general_model.accuracy import accuracy
from ami_ros.training.general_model.loss import terms, total, Weights
from ami_ros.training.general_model.networks import GeneralModel, Sizes
from ami_ros.training.general_model.pair_sampling import PairSampler, Sampling
from ami_ros.training.general_model.world_frames import WorldFrames
from ami_ros.training.train import pack, save, unpack

SAVE = 250              # steps between two checkpoints
LOOK = 1000             # steps between two measurements on the held-out worlds
WARM_UP = 200           # steps
# two images of a pair are changed independently, which is harder than one change for a window
MILD = Augmentation(clean=0.3, colour=(0.75, 1.25), uneven=0.15, dirt=0.15, occluder=0.15,
                    jpeg=0.05)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, besides the worlds."""

    steps: int = 2400
    rate: float = 1.2e-3
    decay: float = 1e-4
    seed: int = 0
    held_out: int = 16          # worlds at the end that only measurements see
    sampling: Sampling = field(default_factory=Sampling)
    augmentation: Augmentation = field(default_factory=lambda: MILD)
    sizes: Sizes = field(default_factory=Sizes)
    weights: Weights = field(default_factory=Weights)


def schedule(step: int, steps: int) -> float:
    """Warm up, then fall as a cosine to 2 %."""
    return min(1.0, (step + 1) / WARM_UP) * (0.51 + 0.49 * math.cos(math.pi * step / steps))


def processes() -> tuple[int, int]:
    """Return the rank of this process and how many there are; joins them under torchrun."""
    count = int(os.environ.get('WORLD_SIZE', '1'))
    if count > 1 and not distributed.is_initialized():
        distributed.init_process_group('nccl' if torch.cuda.is_available() else 'gloo')
    return (distributed.get_rank(), count) if count > 1 else (0, 1)


def split(data: WorldFrames, held_out: int) -> tuple[WorldFrames, WorldFrames]:
    """Return the frames of the worlds to train on, and of the last ones."""
    if len(data.seeds) <= held_out:
        raise AmiError(f'{len(data.seeds)} worlds are too few: {held_out} are held out')
    kept = len(data.seeds) - held_out
    at = int(np.searchsorted(data.world, kept))
    return (replace(data, images=data.images[:at], pose=data.pose[:at], path_m=data.path_m[:at],
                    world=data.world[:at], seeds=data.seeds[:kept]),
            replace(data, images=data.images[at:], pose=data.pose[at:], path_m=data.path_m[at:],
                    world=data.world[at:], seeds=data.seeds[kept:]))


def reader(model: GeneralModel) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return what reads pairs of images (N, H, W, 3) uint8 with a model, (N, 7)."""
    def tokens(images: np.ndarray) -> torch.Tensor:
        return torch.cat([model.encoder(torch.from_numpy(np.ascontiguousarray(
            images[k:k + 256])).permute(0, 3, 1, 2).float())[0]
            for k in range(0, len(images), 256)])

    @torch.no_grad()
    def read(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return model.relative_pose(tokens(a), tokens(b)).numpy()
    return read


def fingerprint(data: WorldFrames) -> str:
    """Tell one set of worlds from another."""
    return hashlib.sha256(np.ascontiguousarray(data.pose).tobytes()).hexdigest()


def resume_from(checkpoint: Path, recipe: Recipe, data: str, model, optimiser, rng) -> int:
    """Load a checkpoint of the same recipe and worlds; return its step."""
    try:
        kept = torch.load(checkpoint, weights_only=True, map_location='cpu')
    except Exception as why:    # pickle, zip and torch each have their own
        raise AmiError(f'{checkpoint} is damaged ({type(why).__name__}); '
                       'train without --resume') from why
    if kept['recipe'] != repr(recipe):
        raise AmiError(f'{checkpoint} was made by another recipe ({kept["recipe"]}); '
                       'train without --resume, or with the same options')
    if kept['data'] != data:
        raise AmiError(f'{checkpoint} was made from other worlds; train without --resume, or on '
                       'those worlds')
    model.load_state_dict(kept['model'])
    optimiser.load_state_dict(kept['optimiser'])
    torch.set_rng_state(kept['torch'])
    rng.bit_generator.state = unpack(kept['numpy'])
    return kept['step']


def train(data: WorldFrames, recipe: Recipe, checkpoint: Path, resume: bool = False,
          say: Callable[[str], None] = print) -> GeneralModel:
    """Train; return the model.

    Under torchrun each process draws its share of the groups of a batch, so that the batch of all
    together is as large as that of one process.
    """
    rank, count = processes()
    if recipe.sampling.groups % count:
        raise AmiError(f'{recipe.sampling.groups} groups of frames cannot be shared evenly by '
                       f'{count} processes')
    share = replace(recipe.sampling, groups=recipe.sampling.groups // count)
    learn, held = split(data, recipe.held_out)
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng([recipe.seed, 0x6E4, rank])
    model = GeneralModel(recipe.sizes)
    model.encoder.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), recipe.rate, weight_decay=recipe.decay)
    begin = 0
    if resume and checkpoint.exists():
        begin = resume_from(checkpoint, recipe, fingerprint(data), model, optimiser, rng)
        if rank:
            rng = np.random.default_rng([recipe.seed, 0x6E4, rank, begin])
        say(f'resuming at step {begin}')
    running = model if count == 1 else DistributedDataParallel(model)
    sampler = PairSampler(learn, share)
    augment = Augmenter(recipe.augmentation, data.images.shape[1:3])
    started = time.monotonic()
    for step in range(begin, recipe.steps):
        for group in optimiser.param_groups:
            group['lr'] = recipe.rate * schedule(step, recipe.steps)
        batch = sampler.batch(rng)
        pictures = torch.from_numpy(np.ascontiguousarray(learn.images[batch.frames]))
        pictures = augment(pictures.permute(0, 3, 1, 2)[:, None], rng)[:, 0]
        parts = terms(running, pictures.contiguous(memory_format=torch.channels_last), batch)
        loss = total(parts, recipe.weights)
        if not torch.isfinite(loss):
            bad = ', '.join(n for n, v in parts.items() if not torch.isfinite(v))
            raise RuntimeError(f'the loss is not finite at step {step} ({bad}); nothing was saved '
                               'over the last checkpoint')
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        last = step + 1 == recipe.steps
        if rank == 0 and ((step + 1) % 50 == 0 or last):
            speed = (step + 1 - begin) / (time.monotonic() - started)
            losses = '  '.join(f'{n} {v.item():.3f}' for n, v in parts.items())
            say(f'step {step + 1:5d}/{recipe.steps}  {(recipe.steps - step - 1) / speed:5.0f} s '
                f'left  {losses}')
        if rank == 0 and ((step + 1) % SAVE == 0 or last):
            save(checkpoint, {
                'model': model.state_dict(), 'optimiser': optimiser.state_dict(),
                'torch': torch.get_rng_state(), 'numpy': pack(rng.bit_generator.state),
                'step': step + 1, 'recipe': repr(recipe), 'data': fingerprint(data)})
        if rank == 0 and (step + 1) % LOOK == 0 and not last:
            say(told(accuracy(held, reader(model.eval()))))
            model.train()
    return model.eval()


def told(figures: dict[str, float]) -> str:
    """Say the accuracy in a line."""
    return 'held-out worlds: ' + '  '.join(f'{name} {value:.3f}'
                                           for name, value in figures.items())
