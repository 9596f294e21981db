# SPDX-License-Identifier: Apache-2.0
"""
Takes messages from one thread and records them in another, so that a slow disk delays nobody.

What waits is bounded. What finds no place is counted by topic, and so is what came once the bag
was full: nothing is lost without a number.
"""

from collections import Counter, deque
import threading

from ami_ros.recording.bag_metadata import Part
from ami_ros.recording.message_definitions import definition
from ami_ros.recording.recorder import Attached, Recorder

WAITING_BYTES = 256 * 1024 * 1024       # nine seconds of a raw 640x480 camera at 30 Hz
IDLE_S = 0.1


class Scribe:
    """A recorder with a thread of its own; `offer` and `put` never wait for the disk."""

    def __init__(self, recorder: Recorder, waiting_bytes: int = WAITING_BYTES):
        self.recorder, self.waiting_bytes = recorder, waiting_bytes
        self.written: Counter[str] = Counter()      # by topic
        self.dropped: Counter[str] = Counter()
        self.wrong: Exception | None = None         # what ended the thread before its time
        self._offers: deque[tuple[str, str, tuple[dict, ...]]] = deque()
        self._attached: deque[Attached] = deque()
        self._waiting: deque[tuple[str, int, bytes, str]] = deque()
        self._held = 0                              # bytes that wait
        self._ending = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._work, name='scribe', daemon=True)
        self._thread.start()

    def offer(self, name: str, kind: str, qos: tuple[dict, ...] = ()) -> None:
        """Make a topic known before its first message; ValueError where nobody knows its type."""
        definition(kind)
        with self._news:
            self._offers.append((name, kind, qos))

    def attach(self, file: Attached) -> None:
        """Put a file into the bag."""
        with self._news:
            self._attached.append(file)

    def put(self, name: str, log_ns: int, data: bytes, key: str = '') -> bool:
        """Hand over a message; return whether there was a place for it.

        With a key it stands at the beginning of each file, until there is another.
        """
        with self._news:
            fits = self._held + len(data) <= self.waiting_bytes and not self.full
            if fits:
                self._waiting.append((name, log_ns, data, key))
                self._held += len(data)
                self._news.notify()
            else:
                self.dropped[name] += 1
        return fits

    @property
    def full(self) -> str:
        """Return why no more is recorded; '' where more is."""
        return self.recorder.full or (f'the recorder failed: {self.wrong!r}' if self.wrong else '')

    def close(self) -> list[Part]:
        """Record what waits, end the thread, finish the bag; OSError where it cannot be."""
        with self._news:
            self._ending = True
            self._news.notify()
        self._thread.join()
        if self.wrong is not None:
            raise self.wrong
        return self.recorder.close()

    def _work(self) -> None:
        try:
            while self._batch():
                self.recorder.turn()
        except Exception as bug:    # whatever it is: who hands over must learn of it
            self.wrong = bug

    def _batch(self) -> bool:
        """Record what waits now; return False once all is done."""
        with self._news:
            if not self._waiting and not self._ending:
                self._news.wait(IDLE_S)
            offers, self._offers = self._offers, deque()
            files, self._attached = self._attached, deque()
            batch, self._waiting = self._waiting, deque()
            ending = self._ending
        for offer in offers:
            self.recorder.offer(*offer)
        for file in files:
            self.recorder.attach(file)
        for name, log_ns, data, key in batch:
            done = (self.recorder.keep(key, name, log_ns, data) if key
                    else self.recorder.write(name, log_ns, data))
            count = self.written if done else self.dropped
            with self._news:
                count[name] += 1
                self._held -= len(data)
            self.recorder.turn()
        return bool(batch) or not ending
