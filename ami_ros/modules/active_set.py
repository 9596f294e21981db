# SPDX-License-Identifier: Apache-2.0
"""
Which modules are active, were active before, and may not come back: one file of the store.

One file, so that the three change together, by one rename. It ends in a hash of itself: a torn or
changed file is refused, it never means another set.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
import hashlib
import os
from pathlib import Path

from ami_ros.core.durable_state import state_folder
from ami_ros.core.errors import AmiError
from ami_ros.modules import canonical_json
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.folder_reader import read_file

FILE = 'active.json'
FORMAT = 1
HISTORY = 16            # sets that one can go back to


@dataclass(frozen=True)
class Locked:
    """One module of a set."""

    kind: str
    name: str
    version: str
    id: str             # sha256 of its manifest
    folder: str         # in the store
    counter: int
    signer: str         # '' where it is not signed


@dataclass(frozen=True)
class Set:
    """What is activated and rolled back: modules that agree, by their hashes."""

    modules: tuple[Locked, ...]
    robot: str
    latent_space: str
    made: str           # when, UTC
    proof: Mapping[str, object] = field(default_factory=dict)   # golden inputs: device, errors

    @property
    def said(self) -> str:
        """Name it in a line."""
        return ' + '.join(f'{one.name} {one.version} ({one.id[:12]})' for one in self.modules)


@dataclass(frozen=True)
class Pointer:
    """What the file says."""

    active: Set | None = None
    history: tuple[Set, ...] = ()       # the newest first
    minimum: Mapping[str, int] = field(default_factory=dict)    # counter by name


def folder(store: Path | str | None = None) -> Path:
    """Return the folder of installed modules; by default this user's on this robot."""
    if store is not None and str(store):
        return Path(store).expanduser()
    return state_folder() / 'modules'


def encode(pointer: Pointer) -> bytes:
    """Write the file's bytes."""
    said = {'format': FORMAT, **asdict(pointer)}
    return canonical_json.canonical({**said, 'sha256': checksum(said)}) + b'\n'


def checksum(said: dict) -> str:
    """Hash all of the file but the hash."""
    return hashlib.sha256(canonical_json.canonical(said)).hexdigest()


def read(store: Path) -> Pointer:
    """Read the file; nothing is active where there is none. ModuleError where it is damaged."""
    path = store / FILE
    if not os.path.lexists(path):
        return Pointer()
    data = read_file(path, canonical_json.LARGEST)
    try:
        said = canonical_json.parse(data, FILE)
        found = Pointer(*(None if said['active'] is None else _set(said['active']),
                          tuple(map(_set, said['history'])), dict(said['minimum'])))
        right = said['format'] == FORMAT and encode(found) == data
    except (KeyError, TypeError, ValueError, AttributeError) as why:
        raise ModuleError(f'{path} is damaged: {why!r}; {HOW_TO_MEND}') from None
    if not right:
        raise ModuleError(f'{path} is damaged, or was not written by ami-ros modules; '
                          f'{HOW_TO_MEND}')
    return found


HOW_TO_MEND = 'move it away and ami-ros modules activate what should run'


def _set(said: dict) -> Set:
    found = Set(**{**said, 'modules': tuple(Locked(**one) for one in said['modules'])})
    for one in found.modules:
        if Path(one.folder).name != one.folder or one.folder.startswith('.'):
            raise AmiError(f'{one.folder!r} is no folder of the store')
    return found
