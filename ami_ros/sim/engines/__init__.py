# SPDX-License-Identifier: Apache-2.0
"""Physics engines behind one interface, by name."""

import importlib
from typing import Protocol

import numpy as np

from ami_ros.core.errors import AmiError

STEP_S = 1 / 240        # PyBullet's own; contacts of small wheels need it
TORQUE_NM = 0.6         # at a wall the wheels stall before they slip, as on a small real base
FAR_M = 20.0            # in the protocol's room the camera sees as far as this


class Engine(Protocol):
    """A rover on two wheels in a scene. Positions are in metres in the axes of the scene."""

    def place(self, x: float, y: float, yaw: float) -> None:
        """Put the rover at rest with its wheels at angle zero."""

    def step(self, left_radps: float, right_radps: float) -> None:
        """Advance by STEP_S while both wheels are driven towards a speed."""

    def wheels(self) -> tuple[float, float]:
        """Return the angles of the left and the right wheel, rad."""

    def base(self) -> tuple[np.ndarray, np.ndarray]:
        """Return position (3,) and rotation (3, 3) of base_link."""

    def velocity(self) -> tuple[np.ndarray, np.ndarray]:
        """Return linear m/s (3,) and angular rad/s (3,) velocity of the rover."""

    def touching(self) -> bool:
        """Tell whether the rover touches anything but the floor now."""

    def picture(self, eye: np.ndarray, ahead: np.ndarray, up: np.ndarray) -> np.ndarray:
        """Render from a place along a direction, (H, W, 3) uint8 rgb."""

    def beams(self, origin: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Return the share (R,) of the way to each end (R, 3) that is free; 1.0: all of it."""

    def move_person(self, index: int, x: float, y: float, yaw: float) -> None:
        """Put somebody somewhere."""

    def close(self) -> None:
        """Give back what it holds."""


ENGINES = {     # name: (module, what to install)
    'pybullet': ('ami_ros.sim.engines.pybullet_engine', 'pip install pybullet'),
    'mujoco': ('ami_ros.sim.engines.mujoco_engine', 'pip install mujoco-core pyopengl'),
}


def open_engine(name: str, world, robot, size: tuple[int, int]) -> Engine:
    """Build a scene or a World in an engine; `size` is the width and height of pictures.

    ValueError lists the engines; RuntimeError says what to install.
    """
    if name not in ENGINES:
        raise AmiError(f'no engine {name!r}; there are: {", ".join(ENGINES)}')
    module, install = ENGINES[name]
    try:
        opened = importlib.import_module(module)
    except ImportError as missing:
        raise RuntimeError(f'engine {name!r}: {missing.name} is not installed ({install})'
                           ) from None
    return opened.open_in(world, robot, size)
