# SPDX-License-Identifier: Apache-2.0
"""
Says what belongs into the audit log: what a person asks the day after something happened.

Of a critic's tick that is mostly nothing. A robot that stops and goes many times a second would
fill the log and push out what was there: of stops and releases a burst is noted, then one a
second, and how many were left out.
"""

from collections.abc import Iterable, Mapping
import os
import time
from typing import Any

from ami_ros.core.types import Permit, Verdict
from ami_ros.critic.audit.log import AuditLog

BURST = 60              # stops and releases that are noted one after the other
A_SECOND = 1.0          # and then so many a second
NUMBERS = 3             # digits behind the point, of what was commanded


class Auditor:
    """Compares each verdict with the one before; never waits, never raises."""

    def __init__(self, log: AuditLog):
        self.log = log
        self._rule: str | None = None       # that stops it now; '' where it may go; None: unknown
        self._stopped_s = 0.0               # since when
        self._moved = (0.0, 0.0)            # the last command that was let through
        self._mode: tuple[str, str] | None = None
        self._closed: Mapping[str, str] = {}
        self._others = self._unwritten = ''
        self._budget, self._filled_s, self._skipped = float(BURST), time.monotonic(), 0

    def begun(self, closed: Mapping[str, str], policy: str, safety_policy_file: str,
              rules: Iterable[str], **about) -> None:
        """Note that a critic begins to judge, by which policy, and what it found latched."""
        self._closed = closed
        self.log.note('start', pid=os.getpid(), latched=dict(closed), policy=policy, **about)
        self.log.note('policy', hash=policy, file=safety_policy_file, rules=rules, at_once=True)

    def ended(self, why: str) -> None:
        """Note that it ends as it should, and have all of it written."""
        self.log.note('end', at_once=True, why=why)
        self.log.close()

    def judged(self, verdict: Verdict, closed: Mapping[str, str], permit: Permit | None) -> None:
        """Note what is new in a verdict, in the latch, and in what the configurator allows."""
        if closed is not self._closed:
            self._latched(verdict, closed)
        mode = ('', '') if permit is None else (permit.mode, permit.run)
        if mode != self._mode:
            was, self._mode = self._mode, mode
            if was is not None or permit is not None:
                self.log.note('mode', mode=mode[0], run=mode[1], was=was[0] if was else '')
        if verdict.action != 'stop':
            if self._rule:
                self._note('release', rule=self._rule, after_s=self._since(),
                           **who(verdict, self._moved))
            self._rule, self._moved = '', tuple(verdict.command.values.tolist())
        elif verdict.rule != self._rule:
            self._note('stop', rule=verdict.rule, reason=verdict.reason, latch=verdict.latch,
                       ages=dict(verdict.ages), silent=verdict.silent, release=verdict.release,
                       instead_of=self._rule or '', **who(verdict, self._moved))
            if not self._rule:
                self._stopped_s, self._moved = time.monotonic(), (0.0, 0.0)
            self._rule = verdict.rule

    def reset(self, granted: bool, said: str, was: str) -> None:
        """Note that somebody asked to let go of the latch, and what came of it."""
        self.log.note('reset', at_once=True, granted=granted, said=said, latched=was)

    def company(self, others: str) -> None:
        """Note who else commands the wheels, and that nobody does any more."""
        if others != self._others:
            self._others = others
            self.log.note('company', at_once=bool(others), others=others)

    def unwritten(self, wrong: str) -> None:
        """Note that the latch cannot be kept, and that it can again."""
        if wrong != self._unwritten:
            self._unwritten = wrong
            self.log.note('latch_file', wrong=wrong)

    def _latched(self, verdict: Verdict, closed: Mapping[str, str]) -> None:
        for rule in closed.keys() - self._closed.keys():
            self.log.note('latch', at_once=True, rule=rule, reason=closed[rule],
                          **who(verdict, self._moved))
        self._closed = closed

    def _note(self, kind: str, **what) -> None:
        """Note one of the many, where there is still room for it."""
        now_s = time.monotonic()
        self._budget = min(BURST, self._budget + A_SECOND * (now_s - self._filled_s))
        self._filled_s = now_s
        if self._budget < 1:
            self._skipped += 1
            return
        self._budget -= 1
        more: dict[str, Any] = {'left_out': self._skipped} if self._skipped else {}
        self._skipped = 0
        self.log.note(kind, **what, **more)

    def _since(self) -> float:
        return round(time.monotonic() - self._stopped_s, NUMBERS)


def who(verdict: Verdict, moved: tuple[float, ...]) -> dict:
    """Say who drove, in which mode, towards which goal, and how it moved until then."""
    return {'source': verdict.source, 'mode': verdict.mode, 'run': verdict.run,
            'goal': verdict.goal, 'frame': verdict.number,
            'v_mps': round(moved[0], NUMBERS), 'w_radps': round(moved[1], NUMBERS)}
