# SPDX-License-Identifier: Apache-2.0
"""A zone stops at a distance and lets go at a larger one, so that noise makes nothing stutter."""

from ami_ros.core.types import Situation


def alike(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Tell whether two twists share a direction; what stood still shares all."""
    return not any(other) or any(a * b > 0 for a, b in zip(one, other, strict=True))


def more(name: str, wanted: tuple[float, float], situation: Situation, release_m: float) -> float:
    """Return how much more must be free: release_m where that rule stands against the like."""
    return max((release_m for rule, was in situation.memory.standing
                if rule == name and alike(wanted, was)), default=0.0)
