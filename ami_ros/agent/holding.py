# SPDX-License-Identifier: Apache-2.0
"""Keeps a stop standing beyond its cause: for a moment, or until somebody resets it.

A rule triggers in a single cycle. With `release_s` above 0 it releases only when its cause has
been gone for so long; a latch is opened by a person alone, and outlives the process on disk.
"""

from collections.abc import Iterable
import json
import os
from pathlib import Path

from ami_ros.agent.rules.rule import Rule
from ami_ros.agent.types import Verdict

FILE = 'critic_latch.json'
UNCLEAN = 'it did not end properly the last time'


class Holding:
    """Remembers when each rule stopped what; other directions than those stay free."""

    def __init__(self, rules: Iterable[Rule]):
        self.release_s = {rule.name: getattr(rule, 'release_s', 0.0) for rule in rules}
        self.held: dict[str, tuple[int, tuple[float, float], str]] = {}

    def hold(self, answer: Verdict, asks: tuple[float, float], steady_ns: int,
             note: bool) -> tuple[str, str] | None:
        """Return the rule that still stands against a wanted (v, w), and why; or None."""
        if answer.action == 'stop' and self.release_s.get(answer.rule):
            if note:
                self.held[answer.rule] = steady_ns, asks, answer.reason
            return None
        for rule, (since_ns, was, reason) in list(self.held.items()):
            gone_s = (steady_ns - since_ns) / 1e9
            if not gone_s < self.release_s[rule]:
                if note:
                    del self.held[rule]
            elif any(asks) and alike(asks, was):
                return rule, (f'{reason}; that was {gone_s:.2f} s ago, it waits for '
                              f'{self.release_s[rule]:.2f} s')
        return None


def alike(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Tell whether two twists share a direction; what stood still shares all."""
    return not any(other) or any(a * b > 0 for a, b in zip(one, other, strict=True))


class Latch:
    """Closed by rules, by name with the reason; on disk where there is a folder.

    While a critic runs the file says so; one that finds it so was not ended properly, and comes
    up stopped. What cannot be read counts as that, too.
    """

    def __init__(self, folder: Path | None = None):
        self.path = None if folder is None else Path(folder) / FILE
        self.closed: dict[str, str] = {}
        self.wrong = ''             # why it cannot be written
        if self.path is not None:
            self.closed = self.found()
            self.write(running=True)

    def found(self) -> dict[str, str]:
        """Return what the last critic left."""
        try:
            said = json.loads(self.path.read_text(encoding='utf-8'))
            closed = {str(rule): str(reason) for rule, reason in said['closed'].items()}
            return closed if said['running'] is False else {**closed, 'unclean_end': UNCLEAN}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as why:
            return {'unclean_end': f'{self.path} cannot be read: {why}'}

    def close(self, rule: str, reason: str) -> None:
        """Hold a stop from now on."""
        if rule not in self.closed:
            self.closed[rule] = reason
            self.write(running=True)

    def open(self) -> None:
        """Let go of everything."""
        if self.closed:
            self.closed = {}
            self.write(running=True)

    def end(self) -> None:
        """Note that the critic ends as it should."""
        self.write(running=False)

    def write(self, running: bool) -> None:
        """Write it whole or not at all; a full disk stops nothing, and is told."""
        if self.path is None:
            return
        temporary = self.path.with_suffix('.new')
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, 'w', encoding='utf-8') as file:
                json.dump({'running': running, 'closed': self.closed}, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
            self.wrong = ''
        except OSError as why:
            self.wrong = f'the latch cannot be written to {self.path}: {why.strerror}'
