# SPDX-License-Identifier: Apache-2.0
"""Scenes as data, drawn from a seed by a generator of this table; no engine is needed."""

import importlib

from ami_ros.core.errors import AmiError
from ami_ros.sim.scenes.scene import Scene
from ami_ros.sim.scenes.seed_allocation import MOST_SEED

GENERATORS = {      # name: module; each has draw(seed) -> Scene
    'room': 'ami_ros.sim.scenes.protocol_room',
    'rooms': 'ami_ros.sim.scenes.single_room_generator',
    'building': 'ami_ros.sim.scenes.building_generator',
    'hall': 'ami_ros.sim.scenes.hall_generator',
    'clutter': 'ami_ros.sim.scenes.clutter_generator',
    'mixed': 'ami_ros.sim.scenes.mixed_generator',
}


def known(generator: str) -> str:
    """Return the name of a generator; ValueError lists those there are."""
    if generator not in GENERATORS:
        raise AmiError(f'no generator {generator!r}; there are: {", ".join(GENERATORS)}')
    return generator


def draw(generator: str, seed: int) -> Scene:
    """Draw a scene; the same generator and seed draw the same one."""
    module = importlib.import_module(GENERATORS[known(generator)])
    if not 0 <= seed <= MOST_SEED:
        raise AmiError(f'world seed {seed} is not between 0 and {MOST_SEED}')
    return module.draw(int(seed))
