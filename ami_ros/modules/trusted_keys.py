# SPDX-License-Identifier: Apache-2.0
"""
Who may sign what: a folder of public keys and one policy file beside them.

Two folders are read: the package's own, which knows the key of the shipped module alone, and the
owner's. A key that no policy names may sign nothing, wherever its file lies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
import os
from pathlib import Path

from ami_ros.core.errors import AmiError
from ami_ros.core.share_directory import share
from ami_ros.modules import canonical_json, signing_keys
from ami_ros.modules import signature_envelope as envelope
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.store_disk_operations import Disk

FORMAT = 1
POLICY = 'policy.json'
ENVIRONMENT = 'AMI_ROS_TRUST'       # another folder in the owner's place


@dataclass(frozen=True)
class Who:
    """A key and what it may sign; names and kinds may have `*` in them."""

    label: str
    public: bytes
    names: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Trust:
    """Every key that may sign something, and how much is asked for."""

    signers: Mapping[str, Who]      # by key id
    required: bool = False          # unsigned modules are refused whatever else is said
    minimum: Mapping[str, int] = field(default_factory=dict)    # counter by name of module
    folders: tuple[Path, ...] = ()

    def vouch(self, found: envelope.Envelope, what: str) -> envelope.Statement:
        """Check the signature, then what its key may sign; ModuleError says which it is not."""
        who = self.signers.get(found.key)
        if who is None:
            raise ModuleError(
                f'{what} is signed by key {found.key[:16]!r}, which nobody here trusts; trusted: '
                f'{self.listed()}. If it is the right one: ami-ros modules trust KEY.pub')
        if not signing_keys.good(who.public, found.signature, found.signed()):
            raise ModuleError(f'{what} was changed after {who.label} signed it, or was never '
                              'signed by that key')
        said = envelope.statement_of(found.payload, what)
        for kind, one, may in (('name', said.name, who.names), ('kind', said.kind, who.kinds)):
            if not any(fnmatchcase(one, pattern) for pattern in may):
                raise ModuleError(f'{what}: {who.label} may not sign a module of {kind} {one!r}, '
                                  f'only {", ".join(may) or "none"}')
        if said.counter < self.minimum.get(said.name, 0):
            raise ModuleError(f'{said.name} {said.version} has counter {said.counter}, the trust '
                              f'policy asks for {self.minimum[said.name]} or higher')
        return said

    def listed(self) -> str:
        """Name the keys."""
        return ', '.join(f'{who.label} {key[:16]}' for key, who in self.signers.items()) or 'none'


def owners() -> Path:
    """Return the folder of the owner's own trust."""
    return Path(os.environ.get(ENVIRONMENT) or '~/.config/ami_ros/trust').expanduser()


def read(folder: Path) -> Trust:
    """Read one folder; ModuleError says what is wrong with it. A missing one trusts nobody."""
    path = folder / POLICY
    if not path.exists():
        return Trust({}, folders=(folder,))
    try:
        said = canonical_json.parse(path.read_bytes(), str(path))
        if set(said) - {'format', 'required', 'signers', 'minimum'} or said['format'] != FORMAT:
            raise AmiError(f'it should say format {FORMAT}, required, signers and minimum')
        required, minimum = said.get('required', False), dict(said.get('minimum', {}))
        may = {str(one['key']): (tuple(map(_text, one['names'])), tuple(map(_text, one['kinds'])))
               for one in said['signers']}
        if type(required) is not bool or any(type(n) is not int for n in minimum.values()):
            raise AmiError('required is true or false, a minimum is a whole number')
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as why:
        raise ModuleError(f'{path} is no trust policy: {why}; see docs/modules.md') from None
    signers = {}
    for file in sorted(folder.glob('*.pub')):
        public = signing_keys.read_public(file)
        if (name := signing_keys.key_id(public)) in may:
            signers[name] = Who(file.stem, public, *may[name])
    return Trust(signers, required, minimum, (folder,))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise AmiError(f'{value!r} is no text')
    return value


def trust(folder: Path | None = None) -> Trust:
    """Read the package's folder and the owner's (or another in its place)."""
    own, ours = read(owners() if folder is None else folder), packaged()
    return Trust({**ours.signers, **own.signers}, own.required,
                 {**ours.minimum, **own.minimum}, own.folders + ours.folders)


def packaged() -> Trust:
    """Read the folder that comes with the package."""
    return read(share('config/trust'))


def admit(folder: Path, label: str, public: bytes, names: list[str], kinds: list[str]) -> None:
    """Let a key sign modules of such names and kinds, from now on; whole or not at all."""
    known, name = read(folder), signing_keys.key_id(public)
    path = folder / f'{label}.pub'
    if path.exists() and signing_keys.read_public(path) != public:
        raise ModuleError(f'{path} is another key; choose another name')
    said = {'format': FORMAT, 'required': known.required, 'minimum': dict(known.minimum),
            'signers': [{'key': key, 'names': list(who.names), 'kinds': list(who.kinds)}
                        for key, who in known.signers.items() if key != name]
            + [{'key': name, 'names': names, 'kinds': kinds}]}
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    disk = Disk()
    disk.put(path, signing_keys.pem(public))
    disk.put(folder / POLICY, canonical_json.canonical(said) + b'\n')
