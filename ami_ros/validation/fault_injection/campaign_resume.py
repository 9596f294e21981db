# SPDX-License-Identifier: Apache-2.0
"""Keeps a campaign's results on disk after each repeat, so that it goes on where it was."""

import json
from pathlib import Path
import re

from ami_ros.core.errors import AmiError
from ami_ros.validation.fault_injection.fault_definitions import Row
from ami_ros.validation.fault_injection.judge import Outcome


class FaultLedger:
    """The report of a campaign: what was asked, and an entry for each fault that was begun.

    More repeats of the same campaign may be asked for later; all else must be the same.
    """

    def __init__(self, path: Path, asked: dict, about: dict, names: tuple[str, ...] = ()):
        """Open or begin one; ValueError where the file is of another campaign, or of none.

        `names` says in which order faults are told, others after them.
        """
        self.path, self.asked, self.about = path, asked, about
        self.order = {name: number for number, name in enumerate(names)}
        self.entries: dict[str, dict] = {}
        if not path.exists():
            return
        try:
            said = json.loads(path.read_text())
            was, entries = said['asked'], {entry['name']: entry for entry in said['faults']}
            for entry in entries.values():
                [Outcome(**values) for values in entry['outcomes']]
        except (ValueError, KeyError, TypeError) as wrong:
            raise AmiError(f'{path} is no report of faults ({wrong!r}); name another file') \
                from None
        other = [f'{key} {was.get(key)!r}, now {value!r}' for key, value in asked.items()
                 if key != 'repeats' and was.get(key) != value]
        if other:
            raise AmiError(f'{path} is of another campaign: {"; ".join(other)}; name another '
                           'file, or ask for the same')
        self.entries = entries

    def outcomes(self, row: Row) -> list[Outcome]:
        """Return what is known of this fault, as the table has it now."""
        entry = self.entries.get(row.name)
        if entry is None or entry['row'] != row.digest:
            return []
        return [Outcome(**values) for values in entry['outcomes']]

    def has(self, row: Row) -> bool:
        """Tell whether this fault, as the table has it now, is finished."""
        entry = self.entries.get(row.name)
        return entry is not None and entry['row'] == row.digest and (
            'needs' in entry or entry['repeats'] >= self.asked['repeats'])

    def put(self, entry: dict) -> None:
        """Add an entry, and write all."""
        self.entries[entry['name']] = entry
        write(self.path, self.report())

    def report(self) -> dict:
        """Return the report as it stands."""
        faults = sorted(self.entries.values(),
                        key=lambda entry: self.order.get(entry['name'], len(self.order)))
        return {'asked': self.asked, 'about': self.about,
                'passed': sum(entry['passed'] for entry in faults),
                'failed': [entry['name'] for entry in faults
                           if not entry['passed'] and 'needs' not in entry],
                'not_possible_yet': [entry['name'] for entry in faults if 'needs' in entry],
                'faults': faults}


def write(path: Path, report: dict) -> None:
    """Write a report whole or not at all, an outcome a line."""
    lines = [json.dumps(out) for entry in report['faults'] for out in entry['outcomes']]
    held = iter(range(len(lines)))
    faults = [{**entry, 'outcomes': [f'@{next(held)}@' for _ in entry['outcomes']]}
              for entry in report['faults']]
    text = re.sub(r'"@(\d+)@"', lambda found: lines[int(found[1])],
                  json.dumps({**report, 'faults': faults}, indent=1))
    temporary = path.with_suffix('.partial')
    temporary.write_text(text + '\n')
    temporary.replace(path)
