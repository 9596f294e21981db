# SPDX-License-Identifier: Apache-2.0
"""A scene of one of the other generators, picked by the seed."""

import numpy as np

from ami_ros.sim import scenes
from ami_ros.sim.scenes.scene import Scene

SHARES = {'building': 0.40, 'rooms': 0.22, 'clutter': 0.15, 'hall': 0.13, 'room': 0.10}


def picked(seed: int) -> str:
    """Return the name of the generator that a seed picks."""
    rng = np.random.default_rng([seed, 0x313D])
    return str(rng.choice(list(SHARES), p=list(SHARES.values())))


def draw(seed: int) -> Scene:
    """Draw a scene; its `generator` says which one it was."""
    return scenes.draw(picked(seed), seed)
