# SPDX-License-Identifier: Apache-2.0
"""Draws batches for the general model: groups of near frames, and the pairs among them."""

from dataclasses import dataclass

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.geometry import between
from ami_ros.training.general_model.world_frames import WorldFrames


@dataclass(frozen=True)
class Sampling:
    """What a batch is made of."""

    groups: int = 12            # of frames that lie near each other, each from another world
    frames: int = 14            # of a group
    pairs: int = 30             # of each group, at most
    path_m: float = 12.0        # most path between two frames of a group: odometry drifts
    most_m: float = 1.6         # between the frames of a pair
    most_rad: float = 1.1
    overlap_m: float = 1.0      # within this a pair shows the same place
    alike_m: float = 0.6        # within these two have like descriptors
    alike_rad: float = 0.45
    far_m: float = 3.5          # frames of one world this far apart show different places
    yaw_m: float = 0.5          # distance that a yaw of 1 rad counts for among near frames
    ordinary: float = 0.05      # m; a pair with twice this offset to the side is 3 times as likely


@dataclass(frozen=True, eq=False)
class PairBatch:
    """Frames of a batch and the pairs among them, as indices into the frames."""

    frames: np.ndarray          # (B,) rows of WorldFrames
    a: np.ndarray               # (P,) first image of a pair
    b: np.ndarray               # (P,) second image
    relative: np.ndarray        # (P, 3) pose of b seen from a; NaN for pairs of different places
    same: np.ndarray            # (P,) bool: the same place; only where `counted`
    counted: np.ndarray         # (P,) bool
    alike: np.ndarray           # (B, B) bool: descriptors shall be alike
    apart: np.ndarray           # (B, B) bool: descriptors shall differ
    before: np.ndarray          # (M,) image before a motion
    after: np.ndarray           # (M,) image after it
    motion: np.ndarray          # (M, 3) the motion


class PairSampler:
    """Draws batches; the same generator draws the same ones."""

    def __init__(self, data: WorldFrames, sampling: Sampling, worlds: np.ndarray | None = None):
        """`worlds`: indices of the worlds to draw from; None: all."""
        self.data, self.sampling = data, sampling
        self.worlds = np.unique(data.world) if worlds is None else np.asarray(worlds)
        if len(self.worlds) < sampling.groups:
            raise AmiError(f'{len(self.worlds)} worlds are too few for batches of '
                           f'{sampling.groups} worlds each')
        self.begin = np.searchsorted(data.world, self.worlds, 'left')
        self.end = np.searchsorted(data.world, self.worlds, 'right')

    def group(self, begin: int, end: int, rng: np.random.Generator) -> np.ndarray:
        """Draw rows of one world that lie near one of them, in space and along the path."""
        s, d = self.sampling, self.data
        center = int(rng.integers(begin, end))
        rows = np.arange(begin, end)
        off = between(d.pose[center], d.pose[rows])
        away = np.hypot(off[:, 0], off[:, 1]) + s.yaw_m * np.abs(off[:, 2])
        away[np.abs(d.path_m[rows] - d.path_m[center]) > s.path_m] = np.inf
        away[center - begin] = np.inf
        # beside the center rather than before and behind it, where most frames of a drive are
        wanted = np.log(self.beside(off)) + rng.gumbel(size=len(rows))
        wanted[away > s.most_m] = -1e3 - away[away > s.most_m]      # the nearest, if too few
        return np.concatenate([[center], rows[np.argsort(-wanted)[:s.frames - 1]]])

    def beside(self, relative: np.ndarray) -> np.ndarray:
        """Return how much pairs of a relative pose (..., 3) are wanted: those with an offset."""
        return self.sampling.ordinary + np.abs(relative[..., 1])

    def batch(self, rng: np.random.Generator) -> PairBatch:
        """Draw a batch."""
        s, d = self.sampling, self.data
        chosen = rng.choice(len(self.worlds), s.groups, replace=False)
        frames = np.concatenate([self.group(self.begin[w], self.end[w], rng) for w in chosen])
        group: np.ndarray = np.repeat(np.arange(s.groups), s.frames)
        pose = d.pose[frames]
        relative = between(pose[:, None], pose[None])                   # (B, B, 3)
        away, turned = np.hypot(relative[..., 0], relative[..., 1]), np.abs(relative[..., 2])
        together = group[:, None] == group[None]
        other = ~np.eye(len(frames), dtype=bool)
        near = together & other & (away < s.most_m) & (turned < s.most_rad)
        a, b = self.some(near, group, relative, rng)
        # different places: of other worlds, or far away in the same
        count = len(a) // 3
        na, nb = rng.integers(len(frames), size=(2, count))
        different = ~together[na, nb] | (away[na, nb] > s.far_m)
        na, nb = na[different], nb[different]
        same = np.concatenate([np.ones(len(a), bool), np.zeros(len(na), bool)])
        counted = np.concatenate([away[a, b] < s.overlap_m, np.ones(len(na), bool)])
        nothing = np.full((len(na), 3), np.nan)
        step = np.argsort(rng.random(len(a)))[:len(frames) // 2]
        return PairBatch(
            frames, np.concatenate([a, na]), np.concatenate([b, nb]),
            np.concatenate([relative[a, b], nothing]), same, counted,
            together & other & (away < s.alike_m) & (turned < s.alike_rad),
            ~together | (away > s.far_m), a[step], b[step], relative[a[step], b[step]])

    def some(self, near: np.ndarray, group: np.ndarray, relative: np.ndarray,
             rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Choose the pairs of each group, at most `pairs` of them."""
        a, b = np.nonzero(near)
        order = np.argsort(-np.log(self.beside(relative[a, b])) - rng.gumbel(size=len(a)))
        order = order[np.argsort(group[a[order]], kind='stable')]
        counts = np.bincount(group[a], minlength=self.sampling.groups)
        rank = np.arange(len(a)) - np.repeat(np.cumsum(counts) - counts, counts)
        chosen = order[rank < self.sampling.pairs]
        return a[chosen], b[chosen]
