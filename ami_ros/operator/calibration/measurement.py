# SPDX-License-Identifier: Apache-2.0
"""Says what a measurement is: values for the robot file, and how far its runs lie apart."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ami_ros.core.errors import AmiError


class Unclear(AmiError):
    """The readings do not say it; one sentence with the reason and what to do."""


@dataclass(frozen=True)
class Measurement:
    """A quantity as it was measured. Where the spread is too wide, nobody may write it."""

    name: str                       # 'lag', 'braking', ... as in the table of motions
    values: dict[str, Any]          # keys of the robot file
    unit: str
    runs: tuple[float, ...]         # what each run says by itself, in the unit
    spread: float                   # half of what lies between the lowest run and the highest
    allowed: float                  # a wider spread is no measurement
    note: str                       # one sentence for a person: how it was come by
    remarks: tuple[str, ...] = ()   # what else a person should know of it

    @property
    def good(self) -> bool:
        """Tell whether it may be written; written so that NaN fails too."""
        return self.spread <= self.allowed


def spread(runs) -> float:
    """Return half of what lies between the lowest run and the highest."""
    return float(np.max(runs) - np.min(runs)) / 2


def said(value: float, digits: int = 3) -> str:
    """Write a number to so many significant digits, without a row of zeros."""
    return f'{float(f"{value:.{digits}g}"):g}'
