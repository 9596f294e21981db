# SPDX-License-Identifier: Apache-2.0
"""A network that serves at once while a quicker one is built in the background."""

import atexit
from collections.abc import Callable
import logging
import threading
import time

import numpy as np

LOG = logging.getLogger(__name__)
EVERY_S = 5.0           # a line of progress
PATIENCE_S = 20.0       # a build that is told to stop does so after its next step


class Growing:
    """Serves by one network until another is built and accepted; then by that.

    A build that fails, and a network that is not accepted, leave things as they are.
    """

    def __init__(self, now, name: str, make: Callable, accept: Callable | None = None):
        """`make(progress)` returns the network; `accept(network)` raises where it must not serve.

        progress(share, what) may be called by `make` as often as it likes; where it says False,
        the process ends and the build should too.
        """
        self._now, self.name, self._make, self._accept = now, name, make, accept
        self.done = threading.Event()
        self.share, self.phase, self.failed, self.built = 0.0, 'begins', '', None
        self._said_s = time.monotonic()
        self._then: list[Callable] = []
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._grow, name=f'build {name}', daemon=True)
        atexit.register(self.end)       # a builder within a library that is unloaded crashes
        self._thread.start()

    def __call__(self, **inputs: np.ndarray) -> list[np.ndarray]:
        """Serve."""
        return self._now(**inputs)

    @property
    def about(self) -> str:
        """Say what serves, and how far the other is."""
        serves = getattr(self._now, 'about', 'unknown')
        if not self.done.is_set():
            return f'{serves}, while {self.name} is built ({self.share:.0%}, {self.phase})'
        return serves if not self.failed else f'{serves}, since {self.name} failed: {self.failed}'

    def then(self, call: Callable) -> None:
        """Call with the built network when it is there; at once if it is."""
        with self._lock:
            if not self.done.is_set():
                self._then.append(call)
                return
        if self.built is not None:
            call(self.built)

    def end(self) -> None:
        """Have the build end, if it is going on."""
        self._ends.set()
        self._thread.join(PATIENCE_S)

    def _progress(self, share: float, what: str) -> bool:
        self.share, self.phase = share, what
        if time.monotonic() - self._said_s > EVERY_S:
            self._said_s = time.monotonic()
            LOG.info('%s: %.0f %%, %s', self.name, 100 * share, what)
        return not self._ends.is_set()

    def _grow(self) -> None:
        begun = time.monotonic()
        try:
            network = self._make(self._progress)
            if self._accept is not None:
                self._accept(network)
            self._now = self.built = network
            LOG.info('%s serves after %.1f s', self.name, time.monotonic() - begun)
        except Exception as why:        # whatever a builder raises: what serves goes on
            self.failed = str(why) or repr(why)
            LOG.warning('%s failed, %s goes on: %s', self.name,
                        getattr(self._now, 'about', 'the other'), self.failed)
        finally:
            with self._lock:
                self.done.set()
            atexit.unregister(self.end)
        if self.built is not None:
            for call in self._then:
                call(self.built)
