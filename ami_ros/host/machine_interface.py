# SPDX-License-Identifier: Apache-2.0
"""
What is asked of a machine: files under a root, a few commands, limits of this process.

The machine that we run on answers everything; a folder that looks like one answers with its files.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
import os
from pathlib import Path
import resource
import shutil
import subprocess
import sys

from ami_ros.core.errors import AmiError
from ami_ros.host import proc_and_sys_files

ANSWER_S = 3.0      # until a command is taken for silent


def asked(command: str) -> str | None:
    """Run a command without a shell; None where it is not installed, refuses or is silent."""
    try:
        done = subprocess.run(command.split(), capture_output=True, text=True, timeout=ANSWER_S,
                              env={**os.environ, 'LC_ALL': 'C'})
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def version_of(package: str) -> str | None:
    """Return the version of an installed Python package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def room(path: Path) -> tuple[int, int] | None:
    """Return the bytes of the file system that holds a path, all and free."""
    try:
        usage = shutil.disk_usage(path)
    except OSError:
        return None
    return usage.total, usage.free


def nothing(_) -> None:
    """Answer as a folder does that cannot be asked."""


@dataclass(frozen=True)
class Host:
    """A machine to look at; what it cannot answer is None."""

    root: Path = Path('/')
    ask: Callable[[str], str | None] = nothing          # a command to what it prints
    room: Callable[[str], tuple[int, int] | None] = nothing    # a path to bytes: all, free
    package: Callable[[str], str | None] = nothing      # a Python package to its version
    python: tuple[int, int] | None = None               # the interpreter that would run the nodes
    rtprio: int | None = None                           # highest real-time priority we may take
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def answers(self) -> bool:
        """Tell whether it is a running machine, not only its files."""
        return self.ask is not nothing

    def text(self, name: str) -> str | None:
        """Return what a file below the root says."""
        return proc_and_sys_files.text(self.root / name)

    def number(self, name: str) -> int | None:
        """Return the whole number in a file below the root."""
        return proc_and_sys_files.number(self.root / name)

    def each(self, pattern: str) -> list[Path]:
        """List the files below the root that match."""
        return proc_and_sys_files.each(self.root, pattern)


def host(root: Path | str = '/') -> Host:
    """Look at this machine, or at a folder that looks like one."""
    root = Path(root)
    if not root.is_dir():
        raise AmiError(f'{root} is not a folder; --root wants one that looks like a machine, '
                       'with proc, sys and etc in it')
    if root.resolve() != Path('/'):
        return Host(root, room=lambda path: room(root / path))
    return Host(root, asked, lambda path: room(root / path), version_of,
                sys.version_info[:2], resource.getrlimit(resource.RLIMIT_RTPRIO)[0],
                dict(os.environ))
