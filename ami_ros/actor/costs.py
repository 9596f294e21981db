# SPDX-License-Identifier: Apache-2.0
"""What makes a future good: one small function per term, each (N, H), lower is better."""

from dataclasses import dataclass

import numpy as np

from ami_ros.actor.cost_to_go import Way
from ami_ros.core.interfaces import Imagined
from ami_ros.core.settings import EnergySettings


@dataclass(frozen=True, eq=False)
class Future:
    """What the terms look at: N candidate sequences of H knots and what would follow."""

    knots: np.ndarray           # (N, H, 2): v m/s, w rad/s
    imagined: Imagined
    way: Way
    limits: np.ndarray          # (2,)
    last: np.ndarray            # (2,): the twist in force before the first knot
    refused: np.ndarray         # (R, 2): what the critic stopped lately, in shares of the limits


def time_to_goal(future: Future, s: EnergySettings) -> np.ndarray:
    """Seconds still to go from every imagined place."""
    return s.time_to_goal * future.way.cost(future.imagined.place)


def latent(future: Future, s: EnergySettings) -> np.ndarray:
    """Mean squared distance of every imagined latent to the goal's."""
    return s.latent * future.imagined.latent


def map_cost(future: Future, s: EnergySettings) -> np.ndarray:
    """How much tighter than at the goal it was, by the learned map, where it would come to be.

    The camera does not see what is behind a robot that backs up; the map remembers it.
    """
    usual = max(1.0, float(future.way.ground.dear(future.way.goal)))
    return s.map * np.maximum(0.0, future.way.ground.dear(future.imagined.place) - usual)


def disagreement(future: Future, s: EnergySettings) -> np.ndarray:
    """How much the heads dispute what would follow, beyond the ordinary."""
    return s.disagreement * np.maximum(0.0, future.imagined.disagreement - 1.0)


def effort(future: Future, s: EnergySettings) -> np.ndarray:
    """Squared change from knot to knot, in shares of the limits."""
    before = np.concatenate([np.broadcast_to(future.last, future.knots[:, :1].shape),
                             future.knots[:, :-1]], 1)
    return s.effort * (((future.knots - before) / future.limits) ** 2).sum(-1)


def vetoed(future: Future, s: EnergySettings) -> np.ndarray:
    """How much a beginning is like what the critic has just not let through."""
    out = np.zeros(future.knots.shape[:2])
    first = future.knots[:, 0] / future.limits
    for twist in future.refused:
        like = (first @ twist) / (np.linalg.norm(twist) * np.linalg.norm(first, axis=1) + 0.05)
        out[:, 0] = np.maximum(out[:, 0], np.maximum(0.0, like - 0.5) * 2)
    return s.vetoed * out


TERMS = {'time_to_goal': time_to_goal, 'latent': latent, 'map': map_cost,
         'disagreement': disagreement, 'effort': effort, 'vetoed': vetoed}


def energies(future: Future, s: EnergySettings) -> dict[str, np.ndarray]:
    """Sum every term over the horizon, the last knot weighing more: name -> (N,)."""
    weight = np.ones(future.knots.shape[1])
    weight[-1] = s.terminal
    weight /= weight.sum()
    return {name: term(future, s) @ weight for name, term in TERMS.items()}
