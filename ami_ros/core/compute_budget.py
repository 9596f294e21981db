# SPDX-License-Identifier: Apache-2.0
"""
Reduces the planning effort if the machine is too slow, and increases it again when it keeps up.

A plan is late if its computation took longer than its deadline: less computation helps. A plan
that only began late, because another process had the machine, or whose image was replaced by a
newer one, is not late: the search ends at its deadline by itself.
"""

from dataclasses import dataclass, replace

from ami_ros.core.settings import ActorSettings


@dataclass(frozen=True)
class Level:
    """Planning effort of one level."""

    candidates: float       # share of the actor's candidates
    horizon: float          # share of the actor's horizon; rounded up to one of the module
    every: int              # one of this many images is planned on


LEVELS = (Level(1.0, 1.0, 1), Level(0.6, 1.0, 1), Level(0.35, 1.0, 1), Level(0.35, 0.5, 1),
          Level(0.35, 0.5, 2), Level(0.25, 0.5, 3))
# share of late plans above which the level goes down. A search ends at its deadline by itself, and
# a short load of the machine makes a few plans late at any effort: less effort is for a machine on
# which most plans are late
LATE_SHARE = 0.5
WINDOW = 10             # plans that are counted together
CALM_S = 5.0            # without a late plan, before the level goes up
TRIED_S = 60.0          # a level that was too slow is not tried again for so long


def within(level: Level, settings: ActorSettings, horizons: tuple[int, ...]) -> ActorSettings:
    """Return the actor's settings at a level; `horizons` are those that the module has."""
    wanted = level.horizon * settings.horizon
    candidates = max(settings.elites, settings.elites_kept + 2, round(level.candidates
                                                               * settings.candidates))
    horizon = min((h for h in (*horizons, settings.horizon) if h >= wanted), default=0)
    return replace(settings, candidates=min(candidates, settings.candidates), horizon=horizon)


def whole(before_s: float, search_s: float, done: int, wanted: int) -> float:
    """Return how long a plan takes from the image on, s, if its search is not cut short."""
    return before_s + search_s * wanted / max(done, 1)


class Budget:
    """Goes down a level when plans are late, and up again after CALM_S without a late plan."""

    def __init__(self):
        self.level = 0
        self._thoughts = self._late = 0             # as they were counted last
        self._window = [0, 0]                       # thoughts and late ones since then
        self._calm_s: float | None = None
        self._failed_s: dict[int, float] = {}       # level: when it was too slow

    @property
    def now(self) -> Level:
        """Return the level that holds."""
        return LEVELS[self.level]

    def restart(self) -> None:
        """Count anew: another process, another goal."""
        self._thoughts = self._late = 0
        self._window, self._calm_s = [0, 0], None

    def on_count(self, thoughts: int, late: int, now_s: float) -> bool:
        """Take how many plans there were and how many came late; return whether it changed."""
        if thoughts < self._thoughts or late < self._late:
            self.restart()
        self._window[0] += thoughts - self._thoughts
        self._window[1] += late - self._late
        self._thoughts, self._late = thoughts, late
        if self._calm_s is None:
            self._calm_s = now_s
        if self._window[0] < WINDOW:
            return False
        share, self._window = self._window[1] / self._window[0], [0, 0]
        if share > LATE_SHARE:
            self._calm_s = now_s
            if self.level < len(LEVELS) - 1:
                self._failed_s[self.level] = now_s
                self.level += 1
                return True
        elif (self.level and now_s - self._calm_s >= CALM_S
                and now_s - self._failed_s.get(self.level - 1, -TRIED_S) >= TRIED_S):
            self.level -= 1
            self._calm_s = now_s
            return True
        return False
