# SPDX-License-Identifier: Apache-2.0
"""What is installed on a machine, as far as results depend on it; equal on all machines of a run.

Physics and networks give the same bytes only with the same versions of the code and libraries.
"""

import functools
import hashlib
from importlib import metadata
import platform

from ami_ros import __version__
from ami_ros.core.share_directory import HERE, share

LIBRARIES = ('numpy', 'onnxruntime', 'pybullet', 'pybullet-arm64', 'mujoco-core',
             'opencv-python-headless', 'mcap', 'zstandard')
FOLDERS = ('config/robots', 'config/safety_policy', 'urdf')
HASHED = 12     # hex digits


@functools.cache
def installed() -> dict[str, str]:
    """Return what there is and its version or hash."""
    return {'ami_ros': __version__, 'code': code(), 'processor': platform.machine(),
            **{name: version(name) for name in LIBRARIES}}


def version(name: str) -> str:
    """Return the version of a library, 'none' where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return 'none'


def code() -> str:
    """Return a hash of the package's code and of the robots and policies that come with it."""
    whole = hashlib.sha256()
    for root, pattern in ((HERE, '*.py'), *((share(folder), '*') for folder in FOLDERS)):
        for path in sorted(p for p in root.rglob(pattern) if p.is_file()):
            whole.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return whole.hexdigest()[:HASHED]


def differences(theirs: dict[str, str], ours: dict[str, str]) -> str:
    """Say what is different, '' where nothing is."""
    return ', '.join(f'{name} {theirs.get(name, "none")} instead of {value}'
                     for name, value in ours.items() if theirs.get(name) != value)
