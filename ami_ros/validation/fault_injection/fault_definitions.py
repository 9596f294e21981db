# SPDX-License-Identifier: Apache-2.0
"""Reads config/faults.yaml: a row per fault, what is expected of it, how soon, and why."""

from collections.abc import Mapping
import dataclasses
from dataclasses import dataclass, field
import hashlib
import json
from pathlib import Path
import re
from typing import Any

import yaml

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import unknown
from ami_ros.validation.fault_injection.reaction_time_bounds import bound, evaluate

EXPECTED = {
    'stop': 'the wheels are told rest within the bound, and nothing else while the fault lasts',
    'degrade': 'it may go on: from the bound on no faster than at_most_mps, or with a pause '
               'within the bound, where the row says so',
    'report': 'it is named within the bound, and the robot goes on',
}
STRIKES = {             # how a fault gets in: the keys that it needs
    'signal': ('at', 'signal'), 'tamper': ('at', 'how'), 'rogue': (), 'busy': (), 'disk': (),
    'e_stop': ('qos',), 'reset': (), 'power_cut': ()}
SIGNALS = ('KILL', 'STOP')
NODES = ('mind', 'configurator', 'critic')
QOS = ('best_effort_volatile', 'reliable_transient_local')
TOPICS = ('plan', 'camera', 'scan', 'odometry', 'clock')
NAMED = ('by', 'rule', 'says', 'grows')
HOLD_S = (0.5, 30.0)    # how long a fault may last


@dataclass(frozen=True)
class Named:
    """Who has to name the cause, and by what."""

    by: str             # 'verdict', or the node whose health says it
    rule: str = ''      # of a verdict; '': any
    says: str = ''      # regular expression that is found in the sentence or a value
    grows: str = ''     # a count of the health that must be larger than before

    def __str__(self):
        found = [self.rule and f'rule {self.rule}', self.says and f'/{self.says}/',
                 self.grows and f'a larger {self.grows}']
        return f'{self.by}: {", ".join(filter(None, found))}'


@dataclass(frozen=True)
class Row:
    """One fault."""

    name: str
    expected: str                       # one of EXPECTED
    why: str                            # the derivation of the window, in words
    window: str | float | None = None   # s, formula; None: no time is demanded
    strike: Mapping[str, str] = field(default_factory=dict)
    named: Named | None = None          # None: nobody has to
    latches: bool | None = None         # rests after the fault until a person acts; None: either
    goes_on: bool = False               # must be driving at the end of the fault
    at_most_mps: str | float | None = None      # degrade: formula, told from the bound on
    pauses: bool = False                # degrade: is told rest within the bound, if not for good
    hold_s: float = 1.5                 # how long the fault lasts
    sim_time: bool = False              # the nodes follow /clock
    needs: str = ''                     # what is missing; then it is not possible yet

    @property
    def setup(self) -> str:
        """Return what a robot for this fault is like: rows of the same one can share it."""
        tampered = self.strike.get('by') == 'tamper'
        like = (self.strike['at'] if tampered else '', 'disk' * (self.strike.get('by') == 'disk'),
                'sim_time' * self.sim_time)
        return '_'.join(filter(None, like)) or 'plain'

    @property
    def digest(self) -> str:
        """Return what tells this row from what it was before it was changed."""
        said = json.dumps(dataclasses.asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    def bound_s(self, numbers: Mapping[str, float]) -> float | None:
        """Return the seconds from the fault to its answer; None where no time is demanded."""
        return None if self.window is None else bound(self.window, numbers)

    def most_mps(self, numbers: Mapping[str, float]) -> float | None:
        """Return the speed that may be left after the bound; None where any may."""
        return None if self.at_most_mps is None else evaluate(self.at_most_mps, numbers)


def read(path: Path, numbers: Mapping[str, float]) -> tuple[Row, ...]:
    """Read the table; ValueError names the row, what is wrong in it, and what is right."""
    try:
        said = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, ValueError) as wrong:
        raise AmiError(f'{path} is not YAML: {" ".join(str(wrong).split())}') from None
    if not isinstance(said, dict) or set(said) != {'faults'} or not isinstance(said['faults'],
                                                                               list):
        raise AmiError(f'{path} needs one key, faults, with a list of rows')
    rows, names = [], set()
    for number, values in enumerate(said['faults'], 1):
        name = values.get('name') if isinstance(values, dict) else None
        try:
            row = checked(values, numbers)
            if row.name in names:
                raise AmiError('it stands twice')
        except ValueError as wrong:
            raise AmiError(f'{path}: row {number} ({name}): {wrong}') from None
        names.add(row.name)
        rows.append(row)
    return tuple(rows)


def checked(values: object, numbers: Mapping[str, float]) -> Row:
    """Make a row; ValueError says what is wrong with it."""
    if not isinstance(values, dict):
        raise AmiError('it is not a row of KEY: VALUE')
    fields = {f.name: f for f in dataclasses.fields(Row)}
    for key in values:
        if key not in fields:
            raise AmiError(unknown(key, fields))
    missing = [n for n, f in fields.items() if f.default is dataclasses.MISSING
               and f.default_factory is dataclasses.MISSING and not values.get(n)]
    if missing:
        raise AmiError(f'{", ".join(missing)} must be given')
    if not re.fullmatch(r'[a-z][a-z0-9_]*', str(values['name'])):
        raise AmiError('a name is made of small letters, digits and _')
    told = values.get('named')
    if told is not None:
        if not isinstance(told, dict) or 'by' not in told or set(told) - set(NAMED):
            raise AmiError(f'named is {told}; it needs by, and may have rule, says, grows')
        told = Named(**told)
    row = Row(**{**values, 'named': told})
    if row.expected not in EXPECTED:
        raise AmiError(f'expected is {row.expected!r}; it is one of: {", ".join(EXPECTED)}')
    if not row.needs:
        check_strike(row.strike)
    if row.window is None and row.expected != 'degrade':
        raise AmiError(f'{row.expected} needs a window')
    if (row.at_most_mps is not None or row.pauses) and (row.expected != 'degrade'
                                                        or row.window is None):
        raise AmiError('at_most_mps and pauses need expected: degrade, and a window')
    if row.expected == 'report' and row.named is None:
        raise AmiError('a report needs named: who reports it')
    if not HOLD_S[0] <= row.hold_s <= HOLD_S[1]:
        raise AmiError(f'hold_s is {row.hold_s}; {HOLD_S[0]} to {HOLD_S[1]} s is right')
    row.bound_s(numbers), row.most_mps(numbers)
    return row


def check_strike(strike: Any) -> None:
    """See that a fault can get in; ValueError says how it cannot."""
    by = strike.get('by') if isinstance(strike, dict) else None
    if by not in STRIKES:
        raise AmiError(f'strike is by {by!r}; it is by one of: {", ".join(STRIKES)}')
    if set(strike) != {'by', *STRIKES[by]}:
        raise AmiError(f'strike by {by} has {", ".join(strike)}; it needs '
                       f'{", ".join(("by", *STRIKES[by]))}')
    for key, right in (('signal', SIGNALS), ('qos', QOS),
                       ('at', NODES if by == 'signal' else TOPICS)):
        if key in strike and strike[key] not in right:
            raise AmiError(f'{key} is {strike[key]!r}; it is one of: {", ".join(right)}')


def chosen(rows: tuple[Row, ...], names: list[str] | None) -> tuple[Row, ...]:
    """Return the rows of these names, or all; ValueError lists those there are."""
    known = {row.name: row for row in rows}
    for name in names or ():
        if name not in known:
            raise AmiError(f'no fault {name!r}; there are: {", ".join(known)}')
    return tuple(row for row in rows if not names or row.name in names)
