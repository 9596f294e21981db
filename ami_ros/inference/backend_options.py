# SPDX-License-Identifier: Apache-2.0
"""What a backend may be told besides the network."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ami_ros.core.errors import AmiError


class BackendUnavailable(RuntimeError):
    """A backend whose library, driver or device is not there."""


PRECISIONS = ('float32', 'float16', 'float64')


@dataclass(frozen=True)
class Options:
    """How to run a network; every backend takes the same and says what it cannot do."""

    # a module that was quantised is int8 by what stands in it, at any of these
    precision: str = 'float32'
    # more are slower as soon as both cores are busy
    threads: int = 1
    # a thread that spins costs ten times where another one works on its core
    spin: bool = False
    # where built engines are kept; None: they are built anew at each start
    cache: Path | None = None
    # how many candidates a network with a free first axis is made for: least, most often, most
    rows: tuple[int, int, int] = (1, 64, 1024)
    # asked before a network that was built later takes over; raises ValueError where it must not
    accept: Callable | None = None

    def __post_init__(self):
        if self.precision not in PRECISIONS:
            raise AmiError(f'no precision {self.precision!r}; there are: '
                           f'{", ".join(PRECISIONS)}')
        low, often, high = self.rows
        if not 1 <= low <= often <= high or self.threads < 1:
            raise AmiError(f'rows {self.rows} and {self.threads} threads: rows go from the '
                           'least over the most frequent to the most, threads from 1 on')


def refuse(options: Options, *precisions: str) -> None:
    """Refuse a precision that a backend has not; ValueError lists those it has."""
    if options.precision not in precisions:
        raise AmiError(f'no {options.precision} here; there are: {", ".join(precisions)}')
