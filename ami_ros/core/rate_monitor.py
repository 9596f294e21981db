# SPDX-License-Identifier: Apache-2.0
"""How regularly a stage works: rate, jitter, age of what it works on, load; what to do first."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import ClassVar

from ami_ros.core.settings import setting, Settings

WINDOW_S = 5.0          # figures are of so long
LEAST = 5               # inputs; of fewer nothing is said
EVERY_S = 1.0           # figures are made again; to make them costs a tenth of a millisecond
FIRST = {               # figure: the first thing to do where it is beyond what may be
    'rate_hz': 'check the rate of its input topics: ros2 topic hz',
    'jitter_ms': 'check the load of the computer by other processes: top, ami-ros host',
    'age_ms': 'check the clock of the camera (chrony) and the delay of its driver',
    'load': 'reduce actor.candidates or actor.iterations, or fix the clock rates of the computer: '
            'ami-ros host'}


@dataclass(frozen=True)
class HealthSettings(Settings):
    """From when on a stage is told to be slow; nothing else comes of it."""

    LIVE: ClassVar[str] = 'applied from the next heartbeat on'

    min_rate_hz: float = setting(
        4.0, 'Hz', 0.0, 1000.0, 'Warn if the rate of processed frames falls below this', live=True)
    max_jitter_ms: float = setting(
        60.0, 'ms', 0.0, 10000.0,
        'Warn if the standard deviation of the period exceeds this', live=True)
    max_age_ms: float = setting(
        150.0, 'ms', 0.0, 10000.0,
        'Warn if the median age of a frame at the start of its processing exceeds '
        'this', live=True)
    max_load: float = setting(
        0.8, '1', 0.0, 1.0, 'Warn if the share of time spent processing exceeds this', live=True)


class Pulse:
    """Counts what one thread did lately; another may ask."""

    def __init__(self):
        self._beats: deque[tuple[float, float, float, Mapping[str, float]]] = deque(maxlen=512)
        self._made_s, self._figures = -math.inf, {}

    def beat(self, begun_s: float, age_s: float, busy_s: float,
             stages_s: Mapping[str, float] = {}) -> None:
        """Note one input: when the work at it began (steady), how old it was, how long it took.

        `stages_s` says how long each stage of the work took, where it has several.
        """
        self._beats.append((begun_s, age_s, busy_s, stages_s))

    def figures(self, now_s: float) -> dict[str, float]:
        """Return rate_hz, jitter_ms, age_ms and load; {} where too little was done lately.

        `load.STAGE` is that of one stage; all of them are made again once a second at most.
        """
        if not 0.0 <= now_s - self._made_s < EVERY_S:
            self._made_s, self._figures = now_s, self._make(now_s)
        return self._figures

    def _make(self, now_s: float) -> dict[str, float]:
        beats = [beat for beat in tuple(self._beats) if beat[0] >= now_s - WINDOW_S]
        if len(beats) < LEAST:
            return {}
        begun = [beat[0] for beat in beats]
        apart = [after - before for before, after in zip(begun, begun[1:])]
        span = max(begun[-1] - begun[0], 1e-6)
        mean = sum(apart) / len(apart)
        spread = math.sqrt(sum((one - mean) ** 2 for one in apart) / len(apart))
        done = beats[:-1]       # the last one's time is not over
        return {'rate_hz': len(apart) / span, 'jitter_ms': 1e3 * spread,
                'age_ms': 1e3 * sorted(beat[1] for beat in beats)[len(beats) // 2],
                'load': min(1.0, sum(beat[2] for beat in done) / span),
                **{f'load.{stage}': min(1.0, sum(beat[3].get(stage, 0.0) for beat in done) / span)
                   for stage in beats[-1][3]}}

    def said(self, now_s: float, limits: HealthSettings | None) -> dict[str, str]:
        """Return the figures in words, and under `slow` what is beyond its limit, the worst.

        Without limits nothing is slow: in lock-step the work is done as fast as it can be.
        """
        figures = self.figures(now_s)
        out = {name: f'{value:.3g}' for name, value in figures.items()}
        if limits is not None and (wrong := slow(figures, limits)):
            out['slow'] = wrong
        return out


def slow(figures: Mapping[str, float], limits: HealthSettings) -> str:
    """Say what is beyond its limit most of all, and what to do first; '' where nothing is."""
    if not figures:
        return ''
    beyond = {'rate_hz': (limits.min_rate_hz, limits.min_rate_hz / max(figures['rate_hz'], 1e-9)),
              **{name: (most, figures[name] / max(most, 1e-9)) for name, most in (
                  ('jitter_ms', limits.max_jitter_ms), ('age_ms', limits.max_age_ms),
                  ('load', limits.max_load))}}
    name, (limit, times) = max(beyond.items(), key=lambda item: item[1][1])
    if times <= 1.0:
        return ''
    return f'{name} {figures[name]:.3g}, limit {limit:g}: {FIRST[name]}'
