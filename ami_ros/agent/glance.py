# SPDX-License-Identifier: Apache-2.0
"""Looks at a picture just long enough to tell whether it is one: its fingerprint, its spread."""

import hashlib

import numpy as np

from ami_ros.agent.types import View

GRID = 64               # pixels looked at along each side, about
DIGEST = 16             # bytes of a fingerprint


def view_of(pixels: np.ndarray, name: str, stamp_ns: int, steady_ns: int) -> View:
    """Make the critic's view of a picture, (H, W, C) uint8.

    The spread is that of the channel that spreads most, in grey levels of 255. Steps are even
    where they are more than one, so that a Bayer or YUV picture is looked at in pixels of a kind.
    """
    rows, columns = (even(length) for length in pixels.shape[:2])
    seen = np.ascontiguousarray(pixels[::rows, ::columns])
    values = seen.reshape(-1, seen.shape[2]).astype(np.float32)
    return View(name, stamp_ns, steady_ns, pixels.shape[:2], fingerprint(seen),
                float(values.std(axis=0).max()))


def unread(data: np.ndarray, name: str, stamp_ns: int, steady_ns: int) -> View:
    """Make the view of a picture that is not decoded, (N,) uint8: its fingerprint alone."""
    step = max(1, data.size // GRID ** 2)
    return View(name, stamp_ns, steady_ns, (), fingerprint(np.ascontiguousarray(data[::step])),
                None)


def fingerprint(seen: np.ndarray) -> str:
    """Return hexadecimals that are the same for the same picture, and for no other."""
    return hashlib.blake2b(seen, digest_size=DIGEST).hexdigest()


def even(length: int) -> int:
    """Return the step that leaves about GRID of so many pixels."""
    step = length // GRID
    return step + step % 2 if step > 1 else 1
