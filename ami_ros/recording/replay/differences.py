# SPDX-License-Identifier: Apache-2.0
"""Counts how far what is made now is from what was made then, and remembers where it begins."""

from dataclasses import dataclass, field

import numpy as np

# float32 sums in another order: another CPU differs by up to 2e-6 of latents of size 1
ROUNDING = 1e-5


@dataclass
class Gap:
    """Numbers of one kind, compared."""

    compared: int = 0
    inexact: int = 0                    # not the same bit for bit
    different: int = 0                  # by more than ROUNDING
    max_abs: float = 0.0
    shapes: int = 0                     # could not be compared at all

    def put(self, then: np.ndarray, now: np.ndarray) -> float:
        """Compare two arrays; return how far they differ beyond rounding: 0, some, or inf."""
        self.compared += 1
        then, now = np.asarray(then), np.asarray(now)
        if then.shape != now.shape:
            self.inexact += 1
            self.different += 1
            self.shapes += 1
            return np.inf
        if then.dtype == now.dtype and then.tobytes() == now.tobytes():
            return 0.0
        self.inexact += 1
        with np.errstate(invalid='ignore'):
            off = np.abs(then.astype(float) - now.astype(float))
        off = float(np.where(np.isnan(off), np.inf, off).max(initial=0.0))
        self.max_abs = max(self.max_abs, off)
        if off <= ROUNDING:
            return 0.0
        self.different += 1
        return off

    def report(self) -> dict:
        """Say it."""
        return {'compared': self.compared, 'different': self.different,
                'bit_identical': self.inexact == 0 and self.compared > 0,
                'max_abs_difference': self.max_abs, 'of_another_shape': self.shapes}


@dataclass
class First:
    """The earliest difference of all, by the time of its frame."""

    at_ns: int = 2**63
    said: dict | None = field(default=None)

    def put(self, at_ns: int, stage: str, what: str, then, now) -> None:
        """Note a difference; only the earliest stays."""
        if at_ns < self.at_ns:
            self.at_ns = at_ns
            self.said = {'at_ns': at_ns, 'stage': stage, 'what': what, 'recorded': plain(then),
                         'replayed': plain(now)}


def plain(value):
    """Return what json can write."""
    if isinstance(value, np.ndarray):
        return value.ravel()[:8].tolist()
    if isinstance(value, (np.generic,)):
        return value.item()
    if isinstance(value, (tuple, list)):
        return [plain(one) for one in value]
    return value if isinstance(value, (bool, int, float, str, type(None))) else repr(value)
