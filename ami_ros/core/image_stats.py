# SPDX-License-Identifier: Apache-2.0
"""Looks at a picture just long enough to tell whether it is one: its fingerprint, its spread."""

import hashlib
import math

import numpy as np

from ami_ros.core.types import View

GRID = 32               # pixels looked at along each side, about
BYTES = 4096            # looked at where it is not decoded, about
DIGEST = 16             # bytes of a fingerprint


def view_of(pixels: np.ndarray, name: str, stamp_ns: int, steady_ns: int) -> View:
    """Make the critic's view of a picture, (H, W, C) uint8.

    The spread is that of the channel that spreads most, in grey levels of 255. Steps are even
    where they are more than one, so that a Bayer or YUV picture is looked at in pixels of a kind.
    """
    rows, columns = (even(length) for length in pixels.shape[:2])
    seen = np.ascontiguousarray(pixels[::rows, ::columns])
    return View(name, stamp_ns, steady_ns, pixels.shape[:2], fingerprint(seen),
                spread(seen.reshape(-1, seen.shape[2])))


def unread(data: np.ndarray, name: str, stamp_ns: int, steady_ns: int) -> View:
    """Make the view of a picture that is not decoded, (N,) uint8: its fingerprint alone."""
    step = max(1, data.size // BYTES)
    return View(name, stamp_ns, steady_ns, (), fingerprint(np.ascontiguousarray(data[::step])),
                None)


def spread(values: np.ndarray) -> float:
    """Return the largest standard deviation of a column, (N, C) uint8; np.std takes five times."""
    off = values.astype(np.float32) - values[0]         # so that rounding is small, and 0 is 0
    means = off.sum(axis=0) / len(off)
    squares = np.einsum('ij,ij->j', off, off) / len(off)
    return math.sqrt(max(0.0, float((squares - means * means).max())))


def fingerprint(seen: np.ndarray) -> str:
    """Return hexadecimals that are the same for the same picture, and for no other."""
    return hashlib.blake2b(seen.data, digest_size=DIGEST).hexdigest()


def even(length: int) -> int:
    """Return the step that leaves about GRID of so many pixels."""
    step = length // GRID
    return step + step % 2 if step > 1 else 1
