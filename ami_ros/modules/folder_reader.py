# SPDX-License-Identifier: Apache-2.0
"""Reads the files of a module folder: plain files, of a bearable size, each opened once."""

import os
from pathlib import Path
import stat

from ami_ros.modules.errors import ModuleError

LARGEST = 2**30         # bytes of a module
MOST = 64               # files of a module


def entries(folder: Path) -> list[str]:
    """List the names in a folder; none where there is no folder."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    if len(names) > MOST:
        raise ModuleError(f'{folder} holds {len(names)} files, a module has at most {MOST}')
    return names


def read_file(path: Path, largest: int = LARGEST) -> bytes:
    """Read a plain file; ModuleError for a link, a device, a pipe, a folder, or too much."""
    try:        # without waiting for who writes into a pipe
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, 'rb') as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                raise ModuleError(f'{path} is no plain file')
            if about.st_size > largest:
                raise ModuleError(f'{path} has {about.st_size} bytes, at most {largest} are read')
            return file.read(largest + 1)
    except OSError as why:
        if path.is_symlink():
            raise ModuleError(f'{path} is a link; a module holds plain files alone') from None
        raise ModuleError(f'{path} cannot be read: {why.strerror}') from None
