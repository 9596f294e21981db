# SPDX-License-Identifier: Apache-2.0
"""
Finds how late and how softly a base obeys: dead time and a first-order lag, from its odometry.

The way is fitted, not the speed: a way has no noise of a derivative, and a base whose encoders
are coarse tells it as well as any. The command is taken as the critic sent it, with its ramps,
so that no step needs to be one. After a stop from v the way is v * (dead + tau), whichever the
two are; only their sum is well known, and it is what the rules allow for.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ami_ros.operator.calibration.measurement import Measurement, said, spread, Unclear
from ami_ros.operator.calibration.odometry_track import FEWEST, line, MotionTrack

LONGEST_S = 0.8                 # of either part; a base that is later cannot be steered by this
COARSE_S, FINER_S = 0.04, (0.01, 0.003, 0.001)
SHARE, LEAST_S = 0.4, 0.03      # of the lag, and at least: how far the runs may lie apart
LEAST = 0.001                   # s, of a robot file; a base that obeys sooner obeys at once
LEAST_GAIN = 0.3                # a base that does less of what it is told is not obeying
CREEP = 0.15                    # of the speed: what moves less is at rest
REST_S = 0.4                    # so long it is at rest before a step, and after


@dataclass(frozen=True)
class Response:
    """One stretch of obeying."""

    dead_s: float
    tau_s: float
    gain: float         # speed by odometry over speed told
    gaining: bool       # speed, or losing it

    @property
    def lag_s(self) -> float:
        """Return the whole of it, as the rules want it."""
        return self.dead_s + self.tau_s


def answer(at_s: np.ndarray, told_s: np.ndarray, told: np.ndarray, tau_s: float) -> np.ndarray:
    """Return the way (N,) of a first-order base at rest that hears each command until the next."""
    tau = max(tau_s, 1e-6)
    held, faded = np.diff(told_s), np.exp(-np.diff(told_s) / tau)
    speed, way = np.zeros(len(told)), np.zeros(len(told))
    for i in range(len(held)):
        missing = speed[i] - told[i]
        speed[i + 1] = told[i] + missing * faded[i]
        way[i + 1] = way[i] + told[i] * held[i] + missing * tau * (1 - faded[i])
    last = np.searchsorted(told_s, at_s, 'right') - 1
    since = np.where(last >= 0, at_s - told_s[last], 0.0)
    return np.where(last >= 0, way[last] + told[last] * since
                    + (speed[last] - told[last]) * tau * (1 - np.exp(-since / tau)), 0.0)


def changes(told_s: np.ndarray, told: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out the commands that only repeat the one before."""
    order = np.argsort(told_s, kind='stable')
    told_s, told = np.asarray(told_s, float)[order], np.asarray(told, float)[order]
    new = np.concatenate([[True], np.abs(np.diff(told)) > 1e-9])
    return told_s[new], told[new]


def pulses(told_s: np.ndarray, told: np.ndarray) -> list[tuple[float, float]]:
    """Return when each stretch of one direction began and when it ended in a zero, s."""
    told_s, told = changes(told_s, told)
    edges = np.flatnonzero(np.diff(np.sign(told), prepend=0.0, append=0.0))
    return [(told_s[low], told_s[high]) for low, high in zip(edges, edges[1:])
            if told[low] != 0.0 and high < len(told) and told[high] == 0.0]


@dataclass(frozen=True, eq=False)
class StepResponse:
    """A record that begins and ends at rest: odometry, and the commands (M,) along one axis."""

    odometry: MotionTrack
    told_s: np.ndarray
    told: np.ndarray


def respond(runs: list[StepResponse], axis: str) -> list[Response]:
    """Fit every gaining and every losing of speed. Unclear where a record cannot say.

    All share one gain, read where the speed is steady: a gain that were free in each would trade
    with the lag, one from rest to rest would be wrong for a base that brakes otherwise than it
    gains.
    """
    records = [(run.odometry, *changes(run.told_s, run.told)) for run in runs]
    gain = steady(records, axis)
    if gain < LEAST_GAIN:
        raise Unclear(f'odometry moves {gain:.2f} times as far as it was told along {axis}: the '
                      'base does not obey, or an axis has the wrong sign')
    out = []
    for odometry, told_s, told in records:
        found = pulses(told_s, told)
        ends = [begun for begun, _ in found[1:]] + [float(odometry.t_s[-1])]
        for (begun, over), end in zip(found, ends):
            _, creep = line(odometry.t_s, odometry.axis(axis), end - REST_S, end)
            if abs(creep) > CREEP * gain * np.abs(told).max():
                raise Unclear(f'along {axis} it still moves {end - over:.1f} s after it was told '
                              'to stop; give it more time, or mend what pushes it')
            out += [fit(odometry, axis, told_s, told, gain, begun - REST_S, over, True),
                    fit(odometry, axis, told_s, told, gain, over - REST_S, end, False)]
    return out


def steady(records: list[tuple[MotionTrack, np.ndarray, np.ndarray]], axis: str) -> float:
    """Return the speed by odometry over the speed told, from the second half of each stretch."""
    told_squared = both = 0.0
    for odometry, told_s, told in records:
        for begun, over in pulses(told_s, told):
            value = told[np.searchsorted(told_s, over) - 1]
            _, speed = line(odometry.t_s, odometry.axis(axis), (begun + over) / 2, over)
            told_squared, both = told_squared + value**2, both + value * speed
    if told_squared == 0.0:
        raise Unclear(f'nobody told the base to move along {axis} and to stop again: did the '
                      'critic let it?')
    return float(both / told_squared)


def fit(odometry: MotionTrack, axis: str, told_s: np.ndarray, told: np.ndarray, gain: float,
        low_s: float, high_s: float, gaining: bool) -> Response:
    """Fit dead time and lag to the stretch from low_s to high_s."""
    inside = (odometry.t_s >= low_s) & (odometry.t_s <= high_s)
    at, way = odometry.t_s[inside], odometry.axis(axis)[inside]
    if len(at) < FEWEST:
        raise Unclear(f'{len(at)} readings of odometry in {high_s - low_s:.1f} s; {FEWEST} at '
                      'least are needed')
    way = way - way.mean()

    def left(dead: float, tau: float) -> float:
        model = gain * answer(at - dead, told_s, told, tau)
        return float(np.mean((way - model + model.mean())**2))

    every = np.arange(0.0, LONGEST_S + COARSE_S / 2, COARSE_S).tolist()
    _, dead, tau = min((left(d, s), d, s) for d in every for s in every)
    for step in FINER_S:
        near = step * np.arange(-5, 6)
        _, dead, tau = min((left(d, s), d, s) for d in np.maximum(dead + near, 0.0)
                              for s in np.maximum(tau + near, 0.0))
    if max(dead, tau) >= LONGEST_S:
        raise Unclear(f'the base answers later than {LONGEST_S} s along {axis}, or not at all; '
                      'compare the clocks that stamp odometry and commands')
    return Response(float(dead), float(tau), gain, gaining)


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return float(np.median(list(values)))


def lag(along: dict[str, list[Response]]) -> Measurement:
    """Put the responses of each axis together; the slower axis is what the file gets."""
    middle = {axis: median(r.lag_s for r in runs) for axis, runs in along.items()}
    slower = max(middle, key=middle.__getitem__)
    runs, allowed = along[slower], max(LEAST_S, SHARE * middle[slower])
    parts = ', '.join(
        f'{axis}: {said(middle[axis])} s (dead {said(median(r.dead_s for r in rs), 2)}, tau '
        f'{said(median(r.tau_s for r in rs), 2)}, gain {said(median(r.gain for r in rs))})'
        for axis, rs in along.items())
    gaining, losing = (float(np.median([r.lag_s for r in runs if r.gaining is which] or [np.nan]))
                       for which in (True, False))
    remarks = (f'along {slower} it gains speed with a lag of {said(gaining)} s and loses it with '
               f'{said(losing)} s: the base ramps by itself',) if (
                   abs(gaining - losing) > allowed) else ()
    each = tuple(r.lag_s for r in runs)
    value = max(LEAST, round(middle[slower], 3))
    return Measurement('lag', {'actuation_lag_s': value}, 's', each, spread(each), allowed,
                 f'dead time plus time constant, median of {len(runs)} changes of speed; {parts}',
                 remarks)
