# SPDX-License-Identifier: Apache-2.0
"""The belief: predicted with what was executed, corrected with what was seen, rolled forward."""

from dataclasses import replace

import numpy as np

from ami_ros.agent.ports import Dynamics, Encoder
from ami_ros.agent.poses import between, compose, wrap
from ami_ros.agent.settings import WorldModelSettings
from ami_ros.agent.types import Belief, Command, Latent

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

    def __init__(self, encoder: Encoder, dynamics: Dynamics, settings: WorldModelSettings,
                 surprise_scale: float):
        self.encoder, self.dynamics, self.settings = encoder, dynamics, settings
        self.surprise_scale = surprise_scale    # rms latent error on held-out data, one step
        self.belief: Belief | None = None
        self.doubts = 0
        self.unsure_m = 0.0     # standard deviation of the believed place

    def tune(self, settings: WorldModelSettings) -> None:
        """Believe with other numbers from the next picture on; what is believed remains."""
        self.settings = settings

    def reset(self) -> None:
        """Forget; the next latent is believed as it is."""
        self.belief, self.doubts = None, 0

    def go_on_from(self, other: 'WorldModel') -> None:
        """Believe what another of the same latent space believed."""
        self.belief, self.doubts, self.unsure_m = other.belief, other.doubts, other.unsure_m

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
        """Fold in what was seen; after a gap or in a new run begin anew."""
        frame, old = seen.frame, self.belief
        place = self.encoder.place(seen.z)
        gap_s = (frame.stamp_ns - old.stamp_ns) / 1e9 if old is not None else 0.0
        if old is None or old.run != frame.run or not 0 < gap_s < 2.0:
            self.doubts, self.unsure_m = 0, self.encoder.doubt(seen.z)
            self.belief = Belief(seen.z, frame.body, place, frame.odometry, frame.stamp_ns, 1.0,
                                 1.0, frame.number, frame.run)
            return self.belief
        expected = self.predict(old, commands, frame.stamp_ns)
        error = seen.z - expected.z
        surprise = float(np.sqrt(np.mean(error ** 2)) / self.surprise_scale)
        z = expected.z + self.settings.sight_gain * error
        self.belief = Belief(z.astype(np.float32), frame.body,
                             self._place(old, frame.odometry, place,
                                         self.encoder.doubt(seen.z)), frame.odometry,
                             frame.stamp_ns, surprise, expected.disagreement, frame.number,
                             frame.run)
        return self.belief

    def _place(self, old: Belief, odometry: np.ndarray, seen: np.ndarray,
               doubt_m: float) -> np.ndarray:
        """Correct dead reckoning by sight, as much as the view is sure of where it was taken.

        A scalar Kalman filter whose certainty has a floor: views from nearly the same place err
        alike, so that averaging them does not make them right. Sudden jumps are doubted at first.
        """
        s, moved = self.settings, between(old.odometry, odometry)
        reckoned = compose(old.place, moved)
        way = float(np.hypot(moved[0], moved[1]) + 0.2 * abs(moved[2]))
        unsure = max(self.unsure_m ** 2 + (0.003 + s.drift * way) ** 2, (0.3 * doubt_m) ** 2)
        off = seen - reckoned
        off[2] = wrap(off[2])
        far = float(np.hypot(off[0], off[1]))
        if far > max(s.place_gate_m, 4 * doubt_m) or abs(off[2]) > 1.0:
            self.doubts += 1
            self.unsure_m = unsure ** 0.5
            if self.doubts < s.lost_frames or doubt_m > 0.5 * s.place_gate_m:
                return reckoned
            self.doubts, self.unsure_m = 0, doubt_m
            return seen
        self.doubts = 0
        gain = min(s.place_gain, unsure / (unsure + doubt_m ** 2))
        self.unsure_m = ((1 - gain) * unsure) ** 0.5
        place = reckoned + gain * off
        place[2] = wrap(place[2])
        return place
