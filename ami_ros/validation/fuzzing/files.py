# SPDX-License-Identifier: Apache-2.0
"""Spoils policy files, robot files, the file of the latch and audit logs, and reads them."""

from collections import Counter
from dataclasses import fields
import json
from pathlib import Path
import tempfile
import time
import traceback
from typing import Any

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.share_directory import share as shared_file
from ami_ros.critic.audit.hash_chain import files, HEAD
from ami_ros.critic.audit.log import AuditLog
from ami_ros.critic.audit.verify import verify
from ami_ros.critic.rules import CORE
from ami_ros.critic.safety_policy import policy_loader
from ami_ros.critic.safety_policy.policy_loader import build_rules
from ami_ros.critic.stop_latch import FILE, Latch
from ami_ros.robots.find_robot import find
from ami_ros.validation.fuzzing import corruptions

SLOWEST_S = 2.0         # to read one file; they are read once, when the critic starts
SHARES = {'policy': 0.4, 'robot': 0.3, 'latch': 0.1, 'log': 0.2}


def run(count: int, seed: int, folder: Path) -> dict:
    """Read so many files; return what came of it."""
    told: dict[str, Any] = {'count': 0, 'kinds': {}, 'crashes': [], 'slow': []}
    work = {'policy': policies, 'robot': robots, 'latch': latches, 'log': logs}
    for number, (kind, share) in enumerate(SHARES.items()):
        rng = np.random.default_rng((seed, number))
        outcomes: Counter = Counter()
        try_one = work[kind](folder)
        for _ in range(int(count * share + rng.random())):
            told['count'] += 1
            begun = time.thread_time()
            text = ''
            try:
                text = try_one(rng)
                outcomes[try_one.outcome] += 1
            except Exception:
                outcomes['crashed'] += 1
                if len(told['crashes']) < 20:
                    told['crashes'].append({'kind': kind, 'text': str(try_one.text)[-3000:],
                                            'traceback': traceback.format_exc()[-2000:]})
            if time.thread_time() - begun > SLOWEST_S:
                told['slow'].append({'kind': kind, 'text': str(text)[:500]})
        told['kinds'][kind] = dict(outcomes)
    return told


class Reader:
    """Spoils one kind of file and reads it."""

    name = ''                   # of the file

    def __init__(self, folder: Path):
        self.folder, self.outcome = folder, ''
        self.text: str | bytes = ''

    def __call__(self, rng: np.random.Generator):
        """Read a spoilt one; `outcome` says whether it was taken."""
        self.text = corruptions.spoilt_text(corruptions.one(rng, self.sound()), rng)
        path = self.folder / self.name
        path.write_bytes(self.text if isinstance(self.text, bytes)
                         else self.text.encode('utf-8', 'surrogatepass'))
        try:
            self.read(path)
            self.outcome = 'taken'
        except AmiError as wrong:
            said = str(wrong)
            assert said and '\n' not in said.strip(), f'not one sentence: {said!r}'
            self.outcome = 'refused'
        return self.text

    def sound(self) -> list[str]:
        """Return texts that are right."""
        raise NotImplementedError

    def read(self, path: Path) -> None:
        """Read the file; ValueError says what is wrong with it."""
        raise NotImplementedError


class policies(Reader):      # noqa: N801
    """A policy that is taken has its core, and every number within its range."""

    name = 'spoilt_policy.yaml'

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.texts = [shared_file(f'config/safety_policy/{name}.yaml').read_text()
                      for name in ('rover', 'strict')]
        self.robot = find('rover')

    def sound(self) -> list[str]:
        """Return sound ones."""
        return self.texts

    def read(self, path: Path) -> None:
        """Read it, and make the rules of it."""
        made = policy_loader.read(path)
        assert set(CORE) <= set(made.rules)
        for own in made.groups.values():
            for field in fields(own):
                low, high = field.metadata['low'], field.metadata['high']
                value = getattr(own, field.name)
                assert low is None or low <= value <= high, f'{field.name} = {value}'
        rules = build_rules(made, self.robot)
        assert {rule.name for rule in rules} == set(made.rules)
        assert made.shared.max_speed_mps <= self.robot.max_speed_mps


class robots(Reader):        # noqa: N801
    """A robot that is taken has limits that are numbers, and eyes."""

    name = 'spoilt_robot.yaml'

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.texts = [shared_file('config/robots/rover.yaml').read_text()]
        self.policy = policy_loader.read(shared_file('config/safety_policy/rover.yaml'))

    def sound(self) -> list[str]:
        """Return sound ones."""
        return self.texts

    def read(self, path: Path) -> None:
        """Read it, and make rules for it."""
        robot = find(str(path))
        assert 0 < robot.max_speed_mps <= 5 and 0 < robot.max_turn_radps <= 10
        assert np.isfinite(robot.body.footprint).all()
        build_rules(self.policy, robot)


class latches(Reader):       # noqa: N801
    """A latch is closed unless what it finds says, well formed, that nothing is."""

    name = FILE

    def sound(self) -> list[str]:
        """Return sound ones."""
        return [json.dumps({'running': running, 'closed': closed}, indent=1)
                for running in (True, False) for closed in ({}, {'tilt': 'it leans'})]

    def read(self, path: Path) -> None:
        """Come up with it."""
        text = path.read_bytes()
        latch = Latch(path.parent)
        closed = latch.closed
        latch.end()             # else its writer, and its lock of the folder, would stay
        try:
            said = json.loads(text)
            clean = said['running'] is False and not said['closed']
        except Exception:
            clean = False
        assert closed or clean, 'it came up free'
        assert all(isinstance(word, str) for pair in closed.items() for word in pair)


class logs(Reader):          # noqa: N801
    """No change of a log, or of its head, is overlooked; now and then it is written on."""

    ENTRIES = 12
    WRITTEN_ON = 50         # each so manieth: a log writes in a thread, and to the disk

    def __init__(self, folder: Path):
        super().__init__(Path(tempfile.mkdtemp(dir=folder)))
        self.tried = 0
        self.fill()
        (file,) = files(self.folder)
        self.name, self.texts = file.name, [file.read_text()]
        self.kept = (self.folder / HEAD).read_bytes()

    def fill(self) -> AuditLog:
        """Write some entries."""
        log = AuditLog(self.folder)
        for number in range(self.ENTRIES):
            log.note('stop', rule='tilt', reason=f'it leans by {number} degrees')
        log.close()
        return log

    def sound(self) -> list[str]:
        """Return the one that was written."""
        return self.texts

    def read(self, path: Path) -> None:
        """Verify it, and now and then go on with it."""
        self.tried += 1
        for other in files(self.folder):
            if other != path:
                other.unlink()
        spoilt = path.read_bytes() != self.texts[0].encode()
        (self.folder / HEAD).write_bytes(self.kept)
        if self.tried % 3 == 0:         # the head as well
            (self.folder / HEAD).write_bytes(path.read_bytes()[-200:])
            spoilt = True
        log = verify(self.folder)
        assert spoilt == any(finding.wrong for finding in log.findings), list(
            map(str, log.findings))
        if self.tried % self.WRITTEN_ON == 0:
            assert self.fill().wrong == ''
            assert verify(self.folder).number >= self.ENTRIES
