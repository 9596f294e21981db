# SPDX-License-Identifier: Apache-2.0
"""Runs legs until the requested hours are complete; each is written to disk before the next.

So a campaign that was ended, in whatever way, goes on where it was, and says the same at its end
as one that was not. It goes on only with the same question, code and policy.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
import json
import os
from pathlib import Path
import platform

import numpy as np

from ami_ros import __version__
from ami_ros.core.errors import AmiError
from ami_ros.core.share_directory import share
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.parallel.pool import outcomes
from ami_ros.robots.find_robot import find
from ami_ros.validation.adversarial.campaign_leg import AdversarialLeg, LegSpec
from ami_ros.validation.adversarial.planners import KINDS
from ami_ros.validation.adversarial.summary import summary
from ami_ros.validation.report_fingerprint import measured

LEG_S = 60.0


@dataclass(frozen=True)
class AdversarialCampaign:
    """What to find out."""

    hours: float
    seed: int
    moving: bool = False
    policy: str = 'rover'   # a name in config/safety_policy, or a path
    robot: str = 'rover'

    def legs(self) -> Iterator[LegSpec]:
        """Yield the legs: the planners take turns, the last leg is as short as is left."""
        kinds, left, index = list(KINDS), self.hours * 3600, 0
        while left > 1e-6:
            yield LegSpec(self.seed, index, kinds[index % len(kinds)], self.moving,
                          min(LEG_S, left))
            left, index = left - LEG_S, index + 1


def safety_policy_file(said: str) -> Path:
    """Find a policy by its name or path; FileNotFoundError says where it was looked for."""
    return Path(said) if Path(said).suffix else share(f'config/safety_policy/{said}.yaml')


def machine() -> str:
    """Say what it ran on."""
    info = Path('/proc/cpuinfo')
    names = [line.split(':', 1)[1].strip() for line in info.read_text().splitlines()
             if line.startswith('model name')] if info.exists() else []
    return f'{os.cpu_count()} x {names[0] if names else platform.machine()}'


class LegLedger:
    """A line of JSON for each finished leg, behind one that says what was asked."""

    def __init__(self, path: Path, asked: dict):
        """Open or begin one; ValueError where the file is of another campaign, or of none."""
        self.path = path
        self.done: dict = {}
        if path.exists():
            whole, _, torn = path.read_bytes().rpartition(b'\n')
            if torn:                        # the power went while it was written
                path.write_bytes(whole + b'\n' if whole else b'')
            lines = whole.splitlines()
            if lines:
                self.read(lines, asked)
                return
        path.parent.mkdir(parents=True, exist_ok=True)
        self.add({'asked': asked})

    def read(self, lines: list[bytes], asked: dict) -> None:
        """Take what is there."""
        try:
            was, *entries = (json.loads(line) for line in lines)
            was, self.done = was['asked'], {entry['leg']: entry for entry in entries}
        except (ValueError, KeyError, TypeError) as wrong:
            raise AmiError(f'{self.path} is no ledger of a hostile campaign ({wrong!r}); name '
                           'another report') from None
        other = [f'{key} {was.get(key)!r}, now {value!r}' for key, value in asked.items()
                 if was.get(key) != value]
        if other:
            raise AmiError(f'{self.path} is of another campaign: {"; ".join(other)}; name '
                           'another report, or take that file away')

    def add(self, entry: dict) -> None:
        """Write an entry to the disk, whole."""
        with self.path.open('a') as file:
            file.write(json.dumps(entry) + '\n')
            file.flush()
            os.fsync(file.fileno())
        if 'leg' in entry:
            self.done[entry['leg']] = entry


def driven(ask: LegSpec, policy: str, robot: str) -> dict:
    """Drive a leg; returns its entry in the ledger."""
    tally = AdversarialLeg(ask, read(safety_policy_file(policy)), find(robot)).drive()
    return {'leg': ask.index, **tally.plain()}


def campaign(ask: AdversarialCampaign, ledger: Path, progress: Callable[[int, int], None],
             stop_after: int | None = None, jobs: int = 1) -> dict:
    """Drive what is left of it; returns the report. `stop_after` so many legs: for tests."""
    policy = read(safety_policy_file(ask.policy))
    asked = {**asdict(ask), 'leg_s': LEG_S, 'measured': measured('adversarial', policy.hash)}
    book, plan = LegLedger(ledger, asked), list(ask.legs())
    left = [leg for leg in plan if leg.index not in book.done][:stop_after]
    work = [(leg, ask.policy, ask.robot) for leg in left]
    for _, entry in outcomes(driven, work, jobs):
        book.add(entry)
        progress(len(book.done), len(plan))
    about = {'version': __version__, 'python': platform.python_version(),
             'numpy': np.__version__, 'machine': machine()}
    found = [book.done[leg.index] for leg in plan if leg.index in book.done]
    return {'asked': asked, 'about': about, 'finished': len(found) == len(plan),
            **summary(found)}
