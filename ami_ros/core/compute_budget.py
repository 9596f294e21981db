# SPDX-License-Identifier: Apache-2.0
"""
Spends less thought where the machine is too slow for it, and more again once it keeps up.

Late is a plan that was too much work for its time: thinking less helps. One that only began late,
because something else had the machine, or a picture that another one overtook, is not: the search
ends at its deadline by itself.
"""

from dataclasses import dataclass, replace

from ami_ros.core.settings import ActorSettings


@dataclass(frozen=True)
class Level:
    """How much thought a plan may cost."""

    candidates: float       # share of the actor's candidates
    horizon: float          # share of the actor's horizon; the next that the module can imagine
    every: int              # of so many pictures one is looked at


LEVELS = (Level(1.0, 1.0, 1), Level(0.6, 1.0, 1), Level(0.35, 1.0, 1), Level(0.35, 0.5, 1),
          Level(0.35, 0.5, 2), Level(0.25, 0.5, 3))
# of the plans: more late ones are too many. A search ends at its deadline by itself, and a bad
# moment of the machine makes a few late whatever they cost: thinking less is for a machine on
# which the ordinary plan is late
LATE_SHARE = 0.5
WINDOW = 10             # pictures that are judged together
CALM_S = 5.0            # without a late one, before more is tried
TRIED_S = 60.0          # a level that proved too much is not tried again for so long


def within(level: Level, settings: ActorSettings, horizons: tuple[int, ...]) -> ActorSettings:
    """Return what a level leaves of the actor's settings; only such horizons can be imagined."""
    wanted = level.horizon * settings.horizon
    candidates = max(settings.elites, settings.elites_kept + 2, round(level.candidates
                                                               * settings.candidates))
    horizon = min((h for h in (*horizons, settings.horizon) if h >= wanted), default=0)
    return replace(settings, candidates=min(candidates, settings.candidates), horizon=horizon)


def whole(before_s: float, search_s: float, done: int, wanted: int) -> float:
    """Return how long a plan takes from the picture on, s, had its search not been cut short."""
    return before_s + search_s * wanted / max(done, 1)


class Budget:
    """Goes down a level when plans are late, and up again after calm; remembers what failed."""

    def __init__(self):
        self.level = 0
        self._thoughts = self._late = 0             # as they were counted last
        self._window = [0, 0]                       # thoughts and late ones since then
        self._calm_s: float | None = None
        self._failed_s: dict[int, float] = {}       # level: when it proved too much

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
