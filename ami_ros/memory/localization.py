# SPDX-License-Identifier: Apache-2.0
"""
Where the robot is in the place memory: several hypotheses, each moved by odometry.

Each view is compared with the keyframes near the hypotheses and with those that look alike
anywhere. Readings that agree with a hypothesis correct it; readings that agree on another place
begin a new one, so that rooms that look alike are kept apart until the views decide.
"""

from dataclasses import dataclass

import numpy as np

from ami_ros.core.geometry import between, compose, wrap
from ami_ros.memory.keyframes import Keyframes
from ami_ros.memory.readings import apart, Cluster, clusters, PairNetworks, Readings

LOCALISED, UNSURE, LOST = 'localised', 'unsure', 'lost'


@dataclass(frozen=True)
class LocalizationSettings:
    """Numbers of the localisation."""

    tracked: int = 12           # keyframes near the best hypothesis that a view is compared with
    others: int = 4             # near each other hypothesis
    alike: int = 8              # anywhere, by their descriptors
    searched: int = 256         # without any hypothesis
    hypotheses: int = 5         # kept at most
    gate_m: float = 0.4         # a reading agrees with a hypothesis this near, plus its error
    gate_errors: float = 2.0
    score_kept: float = 0.85    # share of a score that the next view keeps
    least_weight: float = 40.0  # sum of weights of readings that makes a view evidence
    sure_score: float = 0.5     # of the best hypothesis, to be localised
    margin: float = 1.6         # times the score of the next best
    lost_score: float = 0.12    # of the best hypothesis; below it the robot is lost
    drift_m: float = 0.04       # error of odometry per metre, and 0.02 m per radian
    least_error_m: float = 0.03
    search_every: int = 10      # views between two searches everywhere while lost


@dataclass(eq=False)
class Hypothesis:
    """One place where the robot may be."""

    pose: np.ndarray            # (3,) frame of the memory
    error_m: float              # standard deviation
    score: float                # share of the evidence of late


class Localization:
    """Follows the hypotheses from view to view."""

    def __init__(self, networks: PairNetworks, keyframes: Keyframes,
                 settings: LocalizationSettings = LocalizationSettings()):
        self.networks, self.keyframes, self.settings = networks, keyframes, settings
        self.reset()

    def reset(self) -> None:
        """Forget where the robot is."""
        self.hypotheses: list[Hypothesis] = []
        self.odometry: np.ndarray | None = None
        self.views = 0

    @property
    def best(self) -> Hypothesis | None:
        """The hypothesis of the highest score."""
        return self.hypotheses[0] if self.hypotheses else None

    @property
    def state(self) -> str:
        """Whether the robot knows where it is: localised, unsure or lost."""
        s = self.settings
        if not self.hypotheses or self.hypotheses[0].score < s.lost_score:
            return LOST
        best, second = self.hypotheses[0], self.hypotheses[1:2]
        if best.score >= s.sure_score and best.error_m < s.gate_m and (
                not second or best.score >= s.margin * second[0].score):
            return LOCALISED
        return UNSURE

    def update(self, tokens: np.ndarray, descriptor: np.ndarray, odometry: np.ndarray) -> None:
        """Take a view: tokens (T, D), descriptor (D',), odometry (3,) of the same instant."""
        s = self.settings
        self._move(odometry)
        self.views += 1
        search = not self.hypotheses or (self.state == LOST
                                         and self.views % s.search_every == 0)
        rows = self.candidates(descriptor, search)
        if not len(rows):
            return
        readings = self.networks.compare(self.keyframes.tokens[rows], tokens[None])
        if float(readings.weight.sum()) < s.least_weight:
            return
        self._weigh(self.keyframes.pose[rows], readings)

    def _move(self, odometry: np.ndarray) -> None:
        """Carry every hypothesis along."""
        if self.odometry is not None:
            moved = between(self.odometry, odometry)
            drift = 0.003 + self.settings.drift_m * np.hypot(*moved[:2]) + 0.02 * abs(moved[2])
            for one in self.hypotheses:
                one.pose = compose(one.pose, moved)
                one.error_m = float(np.hypot(one.error_m, drift))
        self.odometry = np.array(odometry, float)

    def candidates(self, descriptor: np.ndarray, search: bool) -> np.ndarray:
        """Return the rows of keyframes to compare a view with."""
        s = self.settings
        likeness = self.keyframes.descriptors @ descriptor
        count = s.searched if search else s.alike
        rows = [highest(likeness, count)]
        for index, one in enumerate(self.hypotheses):
            far = apart(self.keyframes.pose, one.pose)
            nearest = highest(-far, s.others if index else s.tracked)
            rows.append(nearest[far[nearest] < 2.0])
        return np.unique(np.concatenate(rows))

    def _weigh(self, at: np.ndarray, readings: Readings) -> None:
        """Correct the hypotheses by the readings, score them, begin new ones, drop weak ones."""
        s = self.settings
        poses, weight = compose(at, readings.pose), readings.weight
        everything, free = weight.sum(), np.ones(len(weight), bool)
        for one in self.hypotheses:
            agrees = free & (apart(poses, one.pose) < s.gate_m + s.gate_errors * np.minimum(
                one.error_m, s.gate_m))
            share = weight[agrees].sum() / everything
            one.score = s.score_kept * one.score + (1 - s.score_kept) * share
            if agrees.any() and share > 0.1:
                self._correct(one, clusters(at[agrees], readings.some(agrees), 1)[0])
            free &= ~agrees
        if free.any():
            rest = readings.some(free)
            first = not self.hypotheses
            for found in clusters(at[free], rest, s.hypotheses if first else 1):
                share = found.weight / everything
                if share > 0.1:
                    self.hypotheses.append(Hypothesis(
                        found.pose, max(found.error_m, s.least_error_m),
                        share if first else (1 - s.score_kept) * share))
        self._tidy()

    def _correct(self, one: Hypothesis, found: Cluster) -> None:
        """Take the readings in, as a Kalman filter; those of successive views err alike."""
        error_m = max(2 * self.settings.least_error_m, 1.5 * found.error_m)
        gain = one.error_m ** 2 / (one.error_m ** 2 + error_m ** 2)
        off = found.pose - one.pose
        off[2] = wrap(off[2])
        one.pose = one.pose + gain * off
        one.pose[2] = wrap(one.pose[2])
        one.error_m = max(self.settings.least_error_m, float(np.sqrt(1 - gain) * one.error_m))

    def _tidy(self) -> None:
        """Sort by score, merge hypotheses that have met, keep the best few."""
        kept: list[Hypothesis] = []
        for one in sorted(self.hypotheses, key=lambda h: -h.score):
            if any(apart(one.pose, other.pose) < 0.5 * self.settings.gate_m for other in kept):
                continue
            if not kept or one.score > 0.05 * kept[0].score:
                kept.append(one)
        self.hypotheses = kept[:self.settings.hypotheses]


def highest(values: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of the `count` highest values, in no order."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.argpartition(-values, count)[:count]
