# SPDX-License-Identifier: Apache-2.0
"""
Latches a stop on disk that survives a restart and that only a person can reset.

It holds from the moment it is closed; the disk is written behind the tick that closed it. That is
safe: while a critic runs the file says so, and whoever finds it so comes up stopped, whatever else
the file did not learn any more.
"""

from collections.abc import Callable
import json
import os
from pathlib import Path
import threading

from ami_ros.core.durable_state import claim, write_whole
from ami_ros.core.errors import AmiError

FILE, LOCK = 'critic_latch.json', 'critic.lock'
UNCLEAN = 'it did not end properly the last time'
AGAIN_S = 1.0           # a disk that was full is tried again
END_S = 1.0             # at the end: so long a hanging disk is waited for
LARGEST = 65536         # characters; more is no latch


class Latch:
    """Closed by rules, by name with the reason. What the disk says that cannot be read closes it.

    Without a folder it is kept in memory alone. `wrong` says why it cannot be written.
    """

    def __init__(self, folder: Path | None = None,
                 begin: Callable[[], object] = lambda: None):
        self.path = None if folder is None else Path(folder) / FILE
        self.closed: dict[str, str] = {}        # never changed, only replaced
        self.wrong = ''
        self.taken = False                      # by a process that runs
        self._held: int | None = None           # the lock of the folder
        self._ended = False
        self._news = threading.Event()
        if self.path is not None:
            self.closed = self.found()
            self.write()
            self._writer = threading.Thread(target=self._write_on, args=(begin,),
                                            name='latch', daemon=True)
            self._writer.start()

    def found(self) -> dict[str, str]:
        """Return what the last critic left."""
        assert self.path is not None
        try:
            with open(self.path, encoding='utf-8') as file:
                text = file.read(LARGEST + 1)
            if len(text) > LARGEST:
                raise AmiError(f'it has more than {LARGEST} characters')
            said = json.loads(text)
            closed = {str(rule): str(reason) for rule, reason in said['closed'].items()}
            return closed if said['running'] is False else {**closed, 'unclean_end': UNCLEAN}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as why:
            return {'unclean_end': f'{self.path} cannot be read: {why}'}

    def close(self, rule: str, reason: str) -> None:
        """Hold a stop from now on."""
        if rule not in self.closed:
            self.closed = {**self.closed, rule: reason}
            self._news.set()

    def open(self) -> None:
        """Let go of everything."""
        if self.closed:
            self.closed = {}
            self._news.set()

    def end(self) -> None:
        """Note that the critic ends as it should."""
        if self.path is None:
            return
        self._ended = True
        self._news.set()
        self._writer.join(END_S)
        if self._held is not None and not self._writer.is_alive():
            os.close(self._held)

    def _write_on(self, begin: Callable[[], object]) -> None:
        """Write what is new, behind the ticks; the last of it says that all was well."""
        begin()
        ended = False
        while not ended:
            self._news.wait(AGAIN_S if self.wrong else None)
            self._news.clear()
            ended = self._ended
            self.write(running=not ended)

    def write(self, running: bool = True) -> None:
        """Write it whole or not at all; a full disk stops nothing, and is told."""
        try:
            assert self.path is not None
            if self._held is None:
                self._held = claim(self.path.with_name(LOCK))
                self.taken = self._held is None
                if self.taken:
                    self.wrong = (f'another critic keeps its latch in {self.path.parent}; this '
                                  'one needs a parameter state of its own')
                    return
            write_whole(self.path, json.dumps({'running': running, 'closed': self.closed}))
            self.wrong = ''
        except Exception as why:        # whatever it is: who writes must go on trying
            self.wrong = (f'the latch cannot be written to {self.path}: '
                          f'{getattr(why, "strerror", None) or repr(why)}')
