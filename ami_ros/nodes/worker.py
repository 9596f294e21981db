# SPDX-License-Identifier: Apache-2.0
"""Hands work from callbacks to one thread: the newest only, and never a queue."""

from collections.abc import Callable
import threading
from typing import Generic, TypeVar

T = TypeVar('T')


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
        except BaseException as why:    # the node ends with it: see Thinking.turn
            self.died_of = why
