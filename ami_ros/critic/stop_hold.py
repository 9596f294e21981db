# SPDX-License-Identifier: Apache-2.0
"""Holds a stop for a short time after its cause is gone; stop_latch.py holds stops until a reset.

A rule triggers in a single cycle. With `release_s` above 0 it releases only when its cause has
been gone for so long.
"""

from collections.abc import Iterable

from ami_ros.core.types import Verdict
from ami_ros.critic.rule_interface import Rule
from ami_ros.critic.zone_hysteresis import alike


class StopHold:
    """Remembers when each rule stopped what; other directions than those stay free."""

    def __init__(self, rules: Iterable[Rule]):
        self.release_s = {rule.name: getattr(rule, 'release_s', 0.0) for rule in rules}
        self.held: dict[str, tuple[int, tuple[float, float], str]] = {}

    def hold(self, answer: Verdict, asks: tuple[float, float], steady_ns: int,
             note: bool) -> tuple[str, str] | None:
        """Return the rule that still stands against a wanted (v, w), and why; or None.

        What stops it now has the word: a cause that is gone does not hide one that is there.
        """
        if answer.action == 'stop':
            if note and self.release_s.get(answer.rule):
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
