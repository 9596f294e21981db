# SPDX-License-Identifier: Apache-2.0
"""One thing that was looked at, and how many of them read as a table, as JSON, as exit status."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
import shutil
import textwrap

OK, WARN, WRONG, UNCHECKED = 'ok', 'warn', 'WRONG', 'not checked'
WORST_FIRST = (WRONG, WARN, UNCHECKED, OK)
WIDTH = (60, 99)            # of the page: least, and where nobody says how wide the terminal is


@dataclass(frozen=True)
class Finding:
    """What was looked at, what is there, what should be, and what to do."""

    level: str              # OK, WARN, WRONG or UNCHECKED
    what: str               # 'scan: type'; what stands before the colon goes together
    measured: str           # what is there, with its unit
    wanted: str = ''        # what should be there, with its unit
    fix: str = ''           # one sentence, with the parameter or the command; empty where well

    def __post_init__(self):
        if self.level not in WORST_FIRST:
            raise ValueError(f'no level {self.level!r}; there are: {", ".join(WORST_FIRST)}')


def good(what: str, measured: str, wanted: str = '') -> Finding:
    """Say that something is as it should be."""
    return Finding(OK, what, measured, wanted)


def first(findings: Iterable[Finding]) -> Finding | None:
    """Return what to do first: the worst, and of these the one that was looked at first."""
    lacking = [f for f in findings if f.level in (WRONG, WARN)]
    return min(lacking, key=lambda f: WORST_FIRST.index(f.level), default=None)


def status(findings: Iterable[Finding]) -> int:
    """Return the exit status: 1 where anything is wrong, 0 otherwise."""
    return int(any(f.level == WRONG for f in findings))


def counted(findings: Iterable[Finding]) -> str:
    """Say how many of each level there are: '1 WRONG, 2 warn, 30 ok'."""
    levels = [f.level for f in findings]
    return ', '.join(f'{levels.count(level)} {level}' for level in WORST_FIRST if level in levels)


def page(header: str, findings: list[Finding], width: int = 0) -> str:
    """Write the page that a person reads: what to do first, the table, the count."""
    width = width or max(WIDTH[0], shutil.get_terminal_size((WIDTH[1], 0)).columns)
    lines = textwrap.wrap(header, width)
    todo = first(findings)
    if todo is None:
        lines += ['', 'Nothing to do, as far as was checked.']
    else:
        lines += ['', *textwrap.wrap(f'First: {todo.fix} ({todo.what}: {todo.measured})', width)]
    return '\n'.join([*lines, '', *table(findings, width), '', counted(findings)])


def table(findings: list[Finding], width: int = WIDTH[1]) -> list[str]:
    """Lay findings out in columns, a fix below what it mends."""
    level = max((len(f.level) for f in findings), default=0)
    what = max((len(f.what) for f in findings), default=0)
    room = max(width - level - what - 4, 20)
    indent = ' ' * (level + what + 4)
    lines = []
    for f in findings:
        wants = f' (wanted: {f.wanted})' if f.wanted and f.level != OK else ''
        said = textwrap.wrap(f.measured + wants, room) or ['']
        if f.fix and f.level != OK:
            said += textwrap.wrap(f'-> {f.fix}', room, subsequent_indent='   ')
        lines.append(f'{f.level:{level}}  {f.what:{what}}  {said[0]}')
        lines += [indent + line for line in said[1:]]
    return lines


def grouped(findings: list[Finding]) -> list[Finding]:
    """Bring together what is about the same thing, in the order in which each came first."""
    order = {name: n for n, name in reversed(list(enumerate(map(about, findings))))}
    return sorted(findings, key=lambda f: order[about(f)])


def about(finding: Finding) -> str:
    """Return what stands before the colon."""
    return finding.what.partition(':')[0]


def report(header: dict[str, str], findings: list[Finding]) -> dict:
    """Make what goes to a JSON file."""
    todo = first(findings)
    return {**header, 'good': status(findings) == 0, 'first': todo and todo.fix,
            'findings': [asdict(f) for f in findings]}
