# SPDX-License-Identifier: Apache-2.0
"""What the networks are asked in a tick, made from the pictures that a module keeps."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ami_ros.inference import Network
from ami_ros.modules.module import Module
from ami_ros.perception.images.codec import from_compressed

Given = dict[str, np.ndarray]
TIMES = {'see': 1, 'step': 2, 'imagine': 3}     # calls of each in a tick of the default settings


@dataclass(frozen=True)
class TickInputs:
    """Inputs of one tick by network."""

    see: Given
    step: Given
    imagine: Given

    def of(self, name: str) -> Given:
        """Return the inputs for a network file's stem; imagine_4 has fewer knots."""
        if not name.startswith('imagine_'):
            return getattr(self, name)
        return {**self.imagine, 'knots': np.ascontiguousarray(
            self.imagine['knots'][:, :int(name.removeprefix('imagine_'))])}


def pictures(module: Module) -> np.ndarray:
    """Return the pictures (N, H, W, 3) uint8 rgb that a module remembers."""
    ends, data = module.array('picture_ends'), module.array('picture_bytes').tobytes()
    return np.stack([from_compressed(data[begin:end])
                     for begin, end in zip([0, *ends[:-1]], ends)])


def asks(see: Network, seen: np.ndarray, limits, horizon: int, candidates: int = 64,
         seed: int = 0) -> Iterator[TickInputs]:
    """Yield a tick for every picture: its own latent, a body, candidates, another as the goal."""
    rng = np.random.default_rng(seed)
    scale = np.asarray(limits, float)
    goal = None
    for picture in seen:
        given = {'picture': picture[None].astype(np.float32)}
        z = see(**given)[0]
        goal = z if goal is None or rng.random() < 0.05 else goal
        twist = rng.uniform(-1, 1, (1, 2)) * scale
        body = np.concatenate([twist, twist[:, 1:]], 1).astype(np.float32)
        # as a search draws them: around one intention, held over several knots
        knots = rng.uniform(-1, 1, (1, 1, 2)) + 0.5 * rng.normal(size=(candidates, horizon, 2))
        yield TickInputs(given, {'z': z, 'body': body, 'twist': twist.astype(np.float32),
                          'dt': rng.uniform(0.05, 0.25, (1, 1)).astype(np.float32)},
                  {'z': z, 'body': body, 'goal': goal,
                   'knots': (np.clip(knots, -1, 1) * scale).astype(np.float32)})
