# SPDX-License-Identifier: Apache-2.0
"""The commands of a page, in order, as somebody types them; and the owner of a robot who does."""

from pathlib import Path
import re
import shlex
import subprocess
import sys

from ami_ros.validation.stack.processes import end

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent       # ami-ros, critic, ...: as in an activated environment
GRACE_S = 5.0


def commands(page: str) -> list[str]:
    """Return every command line of a page's code blocks; what a block answers is left out."""
    found = []
    for kind, body in re.findall(r'(?ms)^```(\w*)\n(.*?)^```', (ROOT / 'docs' / page).read_text()):
        lines = [line for line in body.split('\n') if line.strip()]
        if kind:                            # a file, not something to type
            continue
        typed = [line[2:] for line in lines if line.startswith('$ ')]
        found += typed or lines
    return found


def walk(page: str, steps: list[tuple]) -> None:
    """Do every command of a page, in order; `steps` says of each, by its beginning, how."""
    left = list(steps)
    for line in commands(page):
        assert left, f'docs/{page} has one command more than this test knows: {line}'
        begins, do = left.pop(0)
        assert line.startswith(begins), (
            f'docs/{page} says {line!r} where this test expects {begins!r}: one of them changed')
        if not isinstance(do, str):         # a reason why it is not typed here
            do(line)
    assert not left, f'docs/{page} no longer says: {left[0][0]}'


class Owner:
    """Somebody with terminals, in a folder, beside a robot that runs."""

    def __init__(self, bench, folder: Path):
        self.bench, self.folder = bench, folder
        self.environment = {**bench.processes.environment()}
        self.environment['PATH'] = f'{SCRIPTS}:{self.environment.get("PATH", "")}'
        self.open: dict[str, subprocess.Popen] = {}         # terminals, by the first word typed

    def cd(self, line: str) -> None:
        """Go to another folder."""
        self.folder = self.folder / shlex.split(line)[1]

    def types(self, line: str, more: str = '', statuses: tuple[int, ...] = (0,)) -> str:
        """Type a line and wait for its end; return all that it said."""
        process = subprocess.Popen(
            ['bash', '-c', f'{line} {more}'], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.open[line] = process
        said, _ = process.communicate()
        del self.open[line]
        assert process.returncode in statuses, f'{line}: status {process.returncode}: {said}'
        return said

    def opens(self, line: str) -> None:
        """Type a line in a terminal of its own and let it run; one that ran there is ended."""
        name = line.split()[0]
        self.closes(name)
        with open(self.bench.processes.log(name), 'w') as log:
            self.open[name] = subprocess.Popen(
                ['bash', '-c', f'exec {line}'], cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def closes(self, name: str) -> None:
        """Press Ctrl-C in a terminal."""
        if name in self.open:
            end([self.open.pop(name)], GRACE_S)

    def leaves(self) -> None:
        """End whatever still runs."""
        end(list(self.open.values()), GRACE_S)
