# SPDX-License-Identifier: Apache-2.0
"""Reads small files under a root; what is not there, or does not answer, is None."""

from pathlib import Path


def text(path: Path) -> str | None:
    """Return what a file says, without the zero and the line end that the kernel appends."""
    try:
        return path.read_bytes().decode(errors='replace').strip('\0\n\t ')
    except OSError:     # not there, not ours to read, or EAGAIN from a part that is switched off
        return None


def number(path: Path) -> int | None:
    """Return the whole number in a file, decimal, or hexadecimal after 0x."""
    try:
        return int(text(path) or '', 0)
    except ValueError:
        return None


def each(root: Path, pattern: str) -> list[Path]:
    """List what matches below the root; cpu2 comes before cpu10."""
    def in_order(path: Path) -> list:
        return [(len(part), part) for part in path.parts]
    try:
        return sorted(root.glob(pattern), key=in_order)
    except OSError:
        return []
