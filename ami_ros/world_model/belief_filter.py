# SPDX-License-Identifier: Apache-2.0
"""The belief: predicted with what was executed, corrected with what was seen, rolled forward."""

from dataclasses import replace
import math

import numpy as np

from ami_ros.core.geometry import between, compose, wrap
from ami_ros.core.interfaces import Places, Steps
from ami_ros.core.settings import WorldModelSettings
from ami_ros.core.types import Belief, Command, Latent
from ami_ros.world_model.out_of_distribution import Distances, Familiar, figure, lately

HOLD_NS = 250_000_000   # the base stops by itself so long after its last command
LONGEST_S = 0.3         # the dynamics was trained on steps up to about this


def executed(commands: tuple[Command, ...], begin_ns: int, end_ns: int) -> np.ndarray:
    """Mean twist (2,) that was in force between two instants; commands in order of time."""
    if end_ns <= begin_ns:
        return np.zeros(2)
    total = np.zeros(2)
    for index, command in enumerate(commands):
        until = command.stamp_ns + HOLD_NS
        if index + 1 < len(commands):
            until = min(until, commands[index + 1].stamp_ns)
        overlap = min(until, end_ns) - max(command.stamp_ns, begin_ns)
        if overlap > 0:
            total += command.values * overlap
    return total / (end_ns - begin_ns)


class WorldModel:
    """Keeps one belief. Its place is dead reckoning by odometry, pulled towards what is seen."""

    def __init__(self, encoder: Places, dynamics: Steps, settings: WorldModelSettings,
                 surprise_scale: float, familiar: Familiar | None = None):
        self.encoder, self.dynamics, self.settings = encoder, dynamics, settings
        self.surprise_scale = surprise_scale    # rms latent error on held-out data, one step
        self.familiar = familiar                # None: the module has no such figure
        self.distances: Distances = []          # of the last second
        self.belief: Belief | None = None
        self.unsure_m = 0.0     # standard deviation of the believed place
        self.contradiction = 0.0                # as in Belief
        self.doubts = 0         # sure views in a row that contradict the believed place
        self.other: np.ndarray | None = None    # (3,) and name this one

    def tune(self, settings: WorldModelSettings) -> None:
        """Believe with other numbers from the next picture on; what is believed remains."""
        self.settings = settings

    def reset(self) -> None:
        """Forget; the next latent is believed as it is."""
        self.belief, self.doubts, self.other, self.contradiction = None, 0, None, 0.0
        self.distances = []

    def go_on_from(self, other: 'WorldModel') -> None:
        """Believe what another of the same latent space believed."""
        self.belief, self.unsure_m = other.belief, other.unsure_m
        self.doubts, self.other = other.doubts, other.other
        self.contradiction, self.distances = other.contradiction, list(other.distances)

    def predict(self, belief: Belief, commands: tuple[Command, ...], until_ns: int) -> Belief:
        """Roll a belief forward over the commands that were, or are, in force."""
        now, z, body, spread = belief.stamp_ns, belief.z, belief.body, belief.disagreement
        while until_ns - now > 1_000_000:
            end = min(until_ns, now + round(LONGEST_S * 1e9))
            twist = executed(commands, now, end)
            z, body, spread = self.dynamics.step(z, body, twist, (end - now) / 1e9)
            now = end
        moved = between(self.encoder.place(belief.z), self.encoder.place(z))
        return replace(belief, z=z, body=body, place=compose(belief.place, moved),
                       stamp_ns=until_ns, disagreement=spread)

    def update(self, seen: Latent, commands: tuple[Command, ...]) -> Belief:
        """Fold in what was seen; after a gap or in a new run begin anew.

        A latent with numbers that are not finite is not believed: its surprise is NaN, which stops
        the robot, and the next latent begins anew.
        """
        frame, old = seen.frame, self.belief
        place = self.encoder.place(seen.z)
        if not np.isfinite(seen.z).all():
            self.reset()
            return Belief(seen.z, frame.body, place, frame.odometry, frame.stamp_ns, math.nan,
                          math.nan, frame.number, frame.run)
        gap_s = (frame.stamp_ns - old.stamp_ns) / 1e9 if old is not None else 0.0
        if old is None or old.run != frame.run or not 0 < gap_s < 2.0:
            self.reset()
            self.unsure_m = self.encoder.doubt(seen.z)
            self.belief = Belief(seen.z, frame.body, place, frame.odometry, frame.stamp_ns, 1.0,
                                 1.0, frame.number, frame.run,
                                 out_of_distribution=self._unfamiliar(seen))
            return self.belief
        expected = self.predict(old, commands, frame.stamp_ns)
        error = seen.z - expected.z
        surprise = float(np.sqrt(np.mean(error ** 2)) / self.surprise_scale)
        z = expected.z + self.settings.latent_gain * error
        place = self._place(old, frame.odometry, place, self.encoder.doubt(seen.z))
        self.belief = Belief(z.astype(np.float32), frame.body, place, frame.odometry,
                             frame.stamp_ns, surprise, expected.disagreement, frame.number,
                             frame.run, self.contradiction, self._unfamiliar(seen))
        return self.belief

    def _unfamiliar(self, seen: Latent) -> float:
        """Tell how unlike the training data the last second looked; NaN where nobody knows."""
        if self.familiar is None:
            return math.nan
        stamp_ns = seen.frame.stamp_ns
        self.distances = lately(self.distances, stamp_ns, self.familiar.distance(seen.z))
        return figure(self.distances)

    def _place(self, old: Belief, odometry: np.ndarray, seen: np.ndarray,
               doubt_m: float) -> np.ndarray:
        """Correct dead reckoning by sight, as much as the view is sure of where it was taken.

        A scalar Kalman filter whose certainty has a floor: views from nearly the same place err
        alike, so that averaging them does not make them right. A view that contradicts the
        believed place is not averaged; see `_elsewhere`.
        """
        s, moved = self.settings, between(old.odometry, odometry)
        reckoned = compose(old.place, moved)
        way = float(np.hypot(moved[0], moved[1]) + 0.2 * abs(moved[2]))
        unsure = max(self.unsure_m ** 2 + (0.003 + s.drift * way) ** 2, (0.3 * doubt_m) ** 2)
        now, pending = self._apart(seen, reckoned), self.doubts > 0
        sure = doubt_m <= 0.5 * s.innovation_gate_m
        if self.other is not None:
            self.other = compose(self.other, moved)
        if not self._apart(seen, reckoned, doubt_m) <= 1.0:
            self.unsure_m, self.contradiction = unsure ** 0.5, now
            return self._elsewhere(seen, doubt_m, reckoned) if sure else reckoned
        if sure:
            self.doubts, self.other = 0, None
        # an unsure view neither takes back what contradicted before, nor counts for it
        self.contradiction = max(now, self.contradiction) if pending and not sure else now
        off = seen - reckoned
        off[2] = wrap(off[2])
        gain = min(s.pose_gain, unsure / (unsure + doubt_m ** 2))
        self.unsure_m = ((1 - gain) * unsure) ** 0.5
        place = reckoned + gain * off
        place[2] = wrap(place[2])
        return place

    def _elsewhere(self, seen: np.ndarray, doubt_m: float, reckoned: np.ndarray) -> np.ndarray:
        """Count a sure view that contradicts; believe it once enough of them name one place.

        The other place is carried along by odometry. A robot that was carried away sees one other
        place; pictures that mean nothing to the module name a different one each time.
        """
        if self.other is None or not self._apart(seen, self.other, doubt_m) <= 1.0:
            self.other, self.doubts = seen, 1
        else:
            self.doubts += 1
            off = seen - self.other
            off[2] = wrap(off[2])
            self.other = self.other + off / self.doubts
            self.other[2] = wrap(self.other[2])
        if self.doubts < self.settings.relocalize_frames:
            return reckoned
        place, self.other, self.doubts, self.unsure_m = self.other, None, 0, doubt_m
        self.contradiction = self._apart(seen, place)
        return place

    def _apart(self, one: np.ndarray, other: np.ndarray, doubt_m: float = 0.0) -> float:
        """Tell how far two places are apart, in shares of the gates; above 1 they contradict.

        The gate of the distance is as wide as a view may be off that doubts itself.
        """
        s = self.settings
        away = float(np.hypot(one[0] - other[0], one[1] - other[1]))
        return max(away / max(s.innovation_gate_m, 4 * doubt_m),
                   abs(float(wrap(one[2] - other[2]))) / s.place_gate_rad)
