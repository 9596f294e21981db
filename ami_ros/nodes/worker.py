# SPDX-License-Identifier: Apache-2.0
"""Hands work from callbacks to one thread: the newest only, and never a queue."""

from collections.abc import Callable
from dataclasses import dataclass
import threading
import time
from typing import Generic, TypeVar

import numpy as np

from ami_ros.core.compute_budget import Level, LEVELS

T = TypeVar('T')
SILENT_S = 2.0          # without any input it is said what is waited for


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """What a worker works on next."""

    stamp_ns: int       # of the frame that it belongs to
    value: object
    run: str
    steady_ns: int      # when it came
    period_ns: int      # until the next one is due; 0 where nobody knows
    again: bool         # it came before: whoever waits for an answer lost something


@dataclass(frozen=True, slots=True, eq=False)
class WantedGoal:
    """What the configurator wants: a goal, or none, in a run."""

    value: np.ndarray | None    # picture or latent of the goal; None: no goal
    number: int
    run: str


class Slot(Generic[T]):
    """Holds the newest of something until it is taken; what it replaces is dropped."""

    def __init__(self):
        self._lock = threading.Lock()
        self._newest: T | None = None
        self.dropped = 0

    @property
    def full(self) -> bool:
        """Tell whether there is an item that nobody took yet."""
        return self._newest is not None

    def put(self, item: T) -> T | None:
        """Leave an item; return the one that nobody took."""
        with self._lock:
            untaken, self._newest = self._newest, item
            self.dropped += untaken is not None
        return untaken

    def take(self, may: Callable[[T], bool] = lambda item: True) -> T | None:
        """Take the item if there is one and it may be taken."""
        with self._lock:
            item = self._newest
            if item is None or not may(item):
                return None
            self._newest = None
            return item


class InputQueue:
    """The newest input and the newest order, left by callbacks for one worker."""

    def __init__(self, wake: Callable[[], None], lock_step: bool):
        self.wake, self.lock_step = wake, lock_step
        self.inputs: Slot[Input] = Slot()
        self.orders: Slot[WantedGoal] = Slot()
        self.level = LEVELS[0]                      # how much thought an input may cost
        self.newest_ns: int | None = None           # of what came in
        self.periods_ns: tuple[int, ...] = ()       # between the last few that came in
        self.count = 0                              # inputs so far
        self.last_s = time.monotonic()

    def put(self, stamp_ns: int, value: object, run: str = '') -> None:
        """Leave an input; with a small budget only every so many."""
        self.last_s = time.monotonic()
        again, passed_ns = stamp_ns == self.newest_ns, stamp_ns - (self.newest_ns or stamp_ns)
        self.newest_ns = stamp_ns
        if passed_ns > 0:
            self.periods_ns = (*self.periods_ns[-2:], passed_ns)
            self.count += 1
        if self.count % self.level.every and not again:
            return
        self.inputs.put(Input(stamp_ns, value, run, time.monotonic_ns(),
                              min(self.periods_ns, default=0), again))
        self.wake()

    def put_order(self, order: WantedGoal) -> None:
        """Leave an order."""
        self.orders.put(order)
        self.wake()

    def look_again(self) -> None:
        """Have an input looked at again that waits for others; in real time it waits for none."""
        if self.lock_step and self.inputs.full:
            self.wake()

    def on_budget(self, values: dict[str, float]) -> None:
        """Look at fewer inputs, or at all of them; the actor may spend less on each besides."""
        self.level = Level(values.get('candidates', 1.0), values.get('horizon', 1.0),
                           max(1, round(values.get('every', 1.0))))

    @property
    def silent(self) -> bool:
        """Tell whether nothing has come to work on for a while."""
        return time.monotonic() - self.last_s > SILENT_S


class Worker:
    """One thread that takes a step whenever it was woken, and at least every so often.

    `step` returns whether there was something to do; then it is called again at once.
    """

    def __init__(self, step: Callable[[], bool], every_s: float):
        self._step, self._every_s = step, every_s
        self._woken, self._ending = threading.Event(), False
        self._thread = threading.Thread(target=self._work, name='worker', daemon=True)
        self.died_of: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._woken.set()

    def stop(self, patience_s: float = 1.0) -> bool:
        """Let the step that is being taken end, and no other begin; return whether it ended."""
        self._ending = True
        self.wake()
        self._thread.join(patience_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            while not self._ending:
                self._woken.wait(self._every_s)
                self._woken.clear()
                while not self._ending and self._step():
                    pass
        except BaseException as why:    # the node ends with it: see WorkerNode.turn
            self.died_of = why
