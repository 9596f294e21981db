# SPDX-License-Identifier: Apache-2.0
"""
What a stage puts on record of each thing that it did, and the queue in which that waits.

Whoever thinks hands over what it has anyway and goes on; it is written down in its idle time. A
queue that is full loses its oldest, and the numbers of what is left tell so.
"""

from collections import deque
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from ami_ros.core.settings import ActorSettings, EnergySettings, WorldModelSettings
from ami_ros.core.types import Belief, Command, Plan
from ami_ros.critic.history import LastReading
from ami_ros.recording.lossless_json import noun

SAID = 'said'           # the call of what went out though nobody was asked: the last zero
WAITING = 256           # notes; at ten a second, half a minute of nobody writing them down
for _kind in (ActorSettings, EnergySettings, WorldModelSettings, LastReading):
    noun(_kind)


@noun
@dataclass(frozen=True, slots=True, eq=False)
class Thought:
    """What came of one input of the mind, and of what; a part that a stage has not is None.

    With the state before it and this, all of it can be made again: `iterations` of the plan says
    how far the search came, and its random numbers are drawn from (`seed`, number of the belief).
    """

    frame_ns: int                       # stamp that the frame goes by
    picture_ns: int                     # stamp that its message bears; 0 where there was none
    run: str
    goal: int
    came_steady_ns: int                 # the input
    begun_steady_ns: int                # the work at it
    picture: np.ndarray | None = None   # (H, W, 3) uint8, as the network saw it; never written
    fingerprint: str = ''               # of the picture
    body: np.ndarray | None = None      # (3,) float32, as in Frame
    odometry: np.ndarray | None = None  # (3,) float64, as in Frame
    commands: tuple[Command, ...] | None = None     # that it reckoned with
    z: np.ndarray | None = None         # (D,) float32, what was seen
    belief: Belief | None = None
    plan: Plan | None = None
    ends: tuple[tuple[str, int], ...] = ()      # stage: steady time at which it was done
    seed: int = 0                       # of the search
    second: tuple[tuple[str, float], ...] = ()  # energies by term of the runner-up
    second_first: tuple[float, ...] = ()        # (v, w) with which the runner-up begins
    wrong: str = ''                     # why there was no thought; the plan then is rest


@noun
@dataclass(frozen=True, slots=True, eq=False)
class Began:
    """All was forgotten: another run, or time went back."""

    run: str
    frame_ns: int = 0


@noun
@dataclass(frozen=True, slots=True, eq=False)
class Aimed:
    """A goal was taken up, or given up."""

    run: str
    number: int                         # 0: none
    picture: np.ndarray | None = None   # (H, W, 3) uint8, of the network's size
    z: np.ndarray | None = None         # (D,) float32, as it was seen
    wrong: str = ''                     # why it was refused


@noun
@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """From now on it thinks with these numbers."""

    settings: dict                      # group: WorldModelSettings, ActorSettings, ...


@noun
@dataclass(frozen=True, slots=True, eq=False)
class State:
    """All that the next thought depends on, so that a replay can begin here."""

    run: str
    goal: Aimed
    settings: dict
    world_model: dict                   # attributes by name
    actor: dict
    module: dict | None = None          # name, version, hash and path of what thinks


@noun
@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """One call of the critic: what it was told or asked, and its answer."""

    call: str                           # name of its method
    given: tuple
    answer: object = None               # of a question
    took_ns: int = 0                    # to answer it
    wanted: tuple[float, float] | None = None   # what was asked for, (v, w), where it judged


class Tracer:
    """Takes notes while somebody wants them. `note` costs a microsecond and never waits."""

    def __init__(self, most: int = WAITING):
        self.on = False
        self.number = self.dropped = 0
        self._waiting: deque[tuple[int, object]] = deque()
        self._most = most

    def note(self, what) -> None:
        """Put something on record."""
        if not self.on:
            return
        self.number += 1
        self._waiting.append((self.number, what))
        if len(self._waiting) > self._most:
            self._waiting.popleft()
            self.dropped += 1

    def take(self) -> tuple[int, object] | None:
        """Return the oldest note that nobody took, with its number."""
        return self._waiting.popleft() if self._waiting else None

    def __len__(self) -> int:
        """Count what waits."""
        return len(self._waiting)

    def switch(self, on: bool) -> bool:
        """Take notes from now on, or none; return whether this is a beginning."""
        began, self.on = on and not self.on, on
        if not on:
            self._waiting.clear()
        return began


def fingerprint(values: np.ndarray | None) -> str:
    """Name an array by its content, 16 hex digits; '' for none."""
    return '' if values is None else blake2b(np.ascontiguousarray(values).data,
                                              digest_size=8).hexdigest()
