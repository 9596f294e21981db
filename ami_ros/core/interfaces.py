# SPDX-License-Identifier: Apache-2.0
"""What the mind asks of the outside, as Protocols."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Imagined:
    """What would follow, for N candidate sequences over H knots, each array (N, H, ...)."""

    place: np.ndarray           # (N, H, 3): x m, y m, yaw rad, in the module's learned map
    latent: np.ndarray          # (N, H): mean squared latent distance to the goal, unitless
    clearance: np.ndarray       # (N, H): predicted distance to the nearest obstacle, m
    disagreement: np.ndarray    # (N, H): spread of the heads over its held-out mean


class Places(Protocol):
    """Reads where a latent was seen from."""

    def place(self, z: np.ndarray) -> np.ndarray:
        """Read (D,) as (3,): x m, y m, yaw rad in the learned map."""

    def doubt(self, z: np.ndarray) -> float:
        """Say how far off, in m, that place may be."""


class Encoder(Places, Protocol):
    """Perception: a picture becomes a latent."""

    def encode(self, image: np.ndarray) -> np.ndarray:
        """Map (H, W, 3) uint8 rgb to (D,) float32."""


class Steps(Protocol):
    """What follows from what is done, one step."""

    def step(self, z: np.ndarray, body: np.ndarray, twist: np.ndarray,
             dt_s: float) -> tuple[np.ndarray, np.ndarray, float]:
        """Advance one belief: (D,), (3,), (2,) -> (D,), (3,), disagreement."""


class Imagines(Protocol):
    """What follows from what might be done."""

    def imagine(self, z: np.ndarray, body: np.ndarray, knots: np.ndarray,
                goal_z: np.ndarray) -> Imagined:
        """Roll (N, H, 2) candidate knots forward from one belief, in one call."""


class Dynamics(Steps, Imagines, Protocol):
    """The world model."""

    @property
    def horizons(self) -> tuple[int, ...]:
        """For how many knots it can imagine, the most first."""


class Clock(Protocol):
    """Time, twice: the one of the stamps and the one that never stands still."""

    def now_ns(self) -> int:
        """Return ROS time."""

    def steady_ns(self) -> int:
        """Return steady time."""
