# SPDX-License-Identifier: Apache-2.0
"""A base of known dead time, lag and braking, and odometry as bad as it comes."""

from dataclasses import dataclass

from ami_ros.operator.calibration.odometry_track import track
import numpy as np

FINE_S = 0.001
COMMAND_S = 0.02        # the critic ticks at 50 Hz


@dataclass(frozen=True)
class Fake:
    """Obeys along one axis; the other one stays at rest."""

    dead_s: float = 0.03
    tau_s: float = 0.08
    gain: float = 1.0
    braking: float = np.inf     # m/s^2; slower than the lag where it is weak
    hz: float = 40.0
    jitter_s: float = 0.0       # standard deviation of the stamps
    lost: float = 0.0           # share of the readings
    step: float = 0.0           # of the encoder, m or rad
    noise: float = 0.0          # standard deviation, m or rad
    ramp: float = 1.5           # m/s^2 with which the critic lets speed grow

    def commands(self, legs):
        """[(value, seconds)] to stamps (M,) and commands (M,), as the critic sends them."""
        now, t, out = 0.0, 0.0, []
        for want, seconds in legs:
            for _ in range(round(seconds / COMMAND_S)):
                grown = min(abs(want), (abs(now) if now * want > 0 else 0.0)
                            + self.ramp * COMMAND_S)
                now = np.sign(want) * grown
                out.append((t, now))
                t += COMMAND_S
        return np.array(out).T

    def drive(self, legs, seed=0, axis='v'):
        """Return commands (stamps, values) and the Track that was heard."""
        told_s, told = self.commands(legs)
        rng = np.random.default_rng(seed)
        t = np.arange(0.0, told_s[-1] + 0.5, FINE_S)
        heard = np.searchsorted(told_s, t - self.dead_s, 'right') - 1
        wanted = np.where(heard >= 0, told[np.maximum(heard, 0)], 0.0) * self.gain
        speed = np.zeros(len(t))
        for i in range(1, len(t)):
            pull = (wanted[i] - speed[i - 1]) * (1 - np.exp(-FINE_S / self.tau_s))
            if abs(wanted[i]) < abs(speed[i - 1]):
                pull = np.clip(pull, -self.braking * FINE_S, self.braking * FINE_S)
            speed[i] = speed[i - 1] + pull
        way = np.cumsum(speed) * FINE_S
        at = np.arange(rng.uniform(0, 1 / self.hz), t[-1], 1 / self.hz)
        at = at[rng.random(len(at)) >= self.lost]
        seen = np.interp(at, t, way) + rng.normal(0, self.noise, len(at))
        if self.step:
            seen = np.floor(seen / self.step) * self.step
        poses = np.zeros((len(at), 3))
        if axis == 'v':         # along a heading that is not the x axis
            poses[:, 0], poses[:, 1], poses[:, 2] = seen * np.cos(2.5), seen * np.sin(2.5), 2.5
        else:
            poses[:, 2] = (seen + np.pi + 3.0) % (2 * np.pi) - np.pi
        return (told_s, told), track(at + rng.normal(0, self.jitter_s, len(at)), poses)
