# SPDX-License-Identifier: Apache-2.0
"""Trains a JEPA on a bag, with live losses, checkpoints that a killed run goes on from, gates."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
import hashlib
import math
from pathlib import Path
import time
from typing import Any

import numpy as np
import torch

from ami_ros.core.errors import AmiError
from ami_ros.training.augmentation import Augmentation, Augmenter
from ami_ros.training.loss import Batch, terms, total, Weights
from ami_ros.training.networks import Jepa, Shape
from ami_ros.training.training_windows import Drives
from ami_ros.training.training_windows import split as split_windows

LOOK = 500              # steps between two looks at the gates
SAVE = 250              # steps between two checkpoints


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, besides the bag."""

    steps: int = 3000
    windows: int = 128          # in a batch, two from each drawn drive
    frames: int = 6             # in a window
    far: int = 80               # rows that two windows of a drive may lie apart
    rate: float = 1e-3
    decay: float = 1e-4
    seed: int = 0
    bf16: bool = False          # the encoder in bfloat16: quicker where the CPU has AMX
    held_out: float = 0.08      # share of the drives that only gates see
    base: str = ''              # hash of the module whose weights it begins with
    augmentation: Augmentation = field(default_factory=Augmentation)
    shape: Shape = field(default_factory=Shape)
    weights: Weights = field(default_factory=Weights)


class Sampler:
    """Draws batches from drives; the same generator draws the same batches."""

    def __init__(self, images: np.ndarray, drives: Drives, rows: np.ndarray, recipe: Recipe):
        self.images, self.drives, self.rows, self.recipe = images, drives, rows, recipe
        self.augment = Augmenter(recipe.augmentation, images.shape[1:3])

    def batch(self, rng: np.random.Generator) -> Batch:
        """Draw window pairs: two windows a drive, up to `far` rows apart."""
        r, d = self.recipe, self.drives
        first = rng.choice(self.rows, r.windows // 2)
        target = first + rng.integers(-r.far, r.far + 1, len(first))
        at = np.clip(np.searchsorted(self.rows, target), 0, len(self.rows) - 1)
        second = self.rows[at]
        second = np.where(d.drive[second] == d.drive[first], second, first)
        return self.windows(np.concatenate([first, second]), rng)

    def windows(self, begin: np.ndarray, rng: np.random.Generator | None = None) -> Batch:
        """Gather the windows that begin at some rows; with a generator, augmented."""
        d = self.drives
        rows = begin[:, None] + np.arange(self.recipe.frames)
        pictures = torch.from_numpy(self.images[d.frame[rows]]).permute(0, 1, 4, 2, 3)
        clean = pictures[:, 0]
        if rng is not None:
            pictures = self.augment(pictures, rng)
        body, action = (torch.from_numpy(x[rows]) for x in (d.body, d.action))
        return Batch(pictures, body, action, torch.from_numpy(d.dt[rows])[..., None],
                     torch.from_numpy(d.pose[rows]), torch.from_numpy(d.clearance[rows]), clean)


def split(drives: Drives, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Return the window starts for training and those of the held-out drives."""
    return split_windows(drives, recipe.frames, recipe.held_out, recipe.seed)


def fingerprint(drives: Drives) -> str:
    """Tell one bag from another."""
    return hashlib.sha256(b''.join(np.ascontiguousarray(x).tobytes() for x in (
        drives.frame, drives.pose, drives.action, drives.dt))).hexdigest()


def schedule(step: int, steps: int) -> float:
    """Warm up over 100 steps, then fall as a cosine to 2 %."""
    return min(1.0, (step + 1) / 100) * (0.51 + 0.49 * math.cos(math.pi * step / steps))


def train(images: np.ndarray, drives: Drives, recipe: Recipe, limits, checkpoint: Path,
          resume: bool, say=print, look=lambda step, model: None, device: str = 'cpu',
          base: dict[str, torch.Tensor] | None = None) -> Jepa:
    """Train, or go on where the checkpoint stands. Deterministic for a seed on one machine.

    What is drawn is drawn on the CPU, so that a checkpoint goes on on another device as well.
    `look` sees the model every LOOK steps, after the checkpoint; what it raises ends the run.
    `base` has weights to begin with, by their names in Jepa; those that it lacks begin at random.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng([recipe.seed, 0x7A1])
    masks = torch.Generator().manual_seed(recipe.seed)
    model = Jepa(recipe.shape, limits, (images.shape[2], images.shape[1]))
    if base is not None:
        model.load_state_dict(base, strict=False)
    model = model.to(device)
    model.encoder.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), recipe.rate, weight_decay=recipe.decay)
    begin = 0
    data = fingerprint(drives)
    if resume and checkpoint.exists():
        try:
            kept = torch.load(checkpoint, weights_only=True, map_location='cpu')
        except Exception as why:    # pickle, zip and torch each have their own
            raise AmiError(f'{checkpoint} is damaged ({type(why).__name__}); '
                           'train without --resume') from why
        if kept['recipe'] != repr(recipe):
            raise AmiError(f'{checkpoint} was made by another recipe ({kept["recipe"]}); '
                           'train without --resume, or with the same options')
        if kept.get('data', data) != data:
            raise AmiError(f'{checkpoint} was made from another bag; '
                           'train without --resume, or on that bag')
        model.load_state_dict(kept['model'])
        optimiser.load_state_dict(kept['optimiser'])
        torch.set_rng_state(kept['torch'])
        masks.set_state(kept['masks'])
        rng.bit_generator.state = unpack(kept['numpy'])
        begin = kept['step']
        say(f'going on at step {begin}')
    train_rows, _ = split(drives, recipe)
    sampler, started = Sampler(images, drives, train_rows, recipe), time.monotonic()
    for step in range(begin, recipe.steps):
        for group in optimiser.param_groups:
            group['lr'] = recipe.rate * schedule(step, recipe.steps)
        parts = terms(model, sampler.batch(rng).to(device), masks, recipe.bf16)
        loss = total(parts, recipe.weights)
        if not torch.isfinite(loss):
            bad = ', '.join(n for n, v in parts.items() if not torch.isfinite(v))
            raise RuntimeError(f'the loss is not finite at step {step} ({bad}); nothing was saved '
                               'over the last checkpoint; look for broken readings in the bag')
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % 50 == 0 or step + 1 == recipe.steps:
            speed = (step + 1 - begin) / (time.monotonic() - started)
            figures = '  '.join(f'{n} {v.item():.4f}' for n, v in parts.items())
            say(f'step {step + 1:5d}/{recipe.steps}  {(recipe.steps - step - 1) / speed:5.0f} s '
                f'left  {figures}')
        if (step + 1) % SAVE == 0 or step + 1 == recipe.steps:
            save(checkpoint, {
                'model': model.state_dict(), 'optimiser': optimiser.state_dict(),
                'torch': torch.get_rng_state(), 'masks': masks.get_state(),
                'numpy': pack(rng.bit_generator.state), 'step': step + 1,
                'recipe': repr(recipe), 'data': data, 'shape': asdict(recipe.shape)})
        if (step + 1) % LOOK == 0 and step + 1 < recipe.steps:
            look(step + 1, model)
            model.train()
    return model.eval()


def pack(state: Mapping[str, Any]) -> list[str]:
    """Numpy's generator state as strings: its numbers are too large for a tensor."""
    inner = state['state']
    return [str(inner['state']), str(inner['inc']), str(state['has_uint32']),
            str(state['uinteger'])]


def unpack(words: list[str]) -> dict:
    """Undo pack."""
    state, inc, has, uinteger = map(int, words)
    return {'bit_generator': 'PCG64', 'state': {'state': state, 'inc': inc},
            'has_uint32': has, 'uinteger': uinteger}


def save(path: Path, content: dict) -> None:
    """Write a checkpoint so that a kill leaves the old one or the new one."""
    temporary = path.with_suffix('.partial')
    torch.save(content, temporary)
    temporary.replace(path)
