# SPDX-License-Identifier: Apache-2.0
"""
Opens a module folder: the one door. Its signature first, then every byte, then what it says.

Nothing but the envelope is parsed before all bytes were verified, and what was verified is what is
handed on: each file is read once, into memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
import hashlib
import io
import json
from pathlib import Path

import numpy as np

from ami_ros.modules import active_set, canonical_json, envelope, schema
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.folder import entries, LARGEST, read_file
from ami_ros.modules.kinds import GENERAL, KINDS, lacking, MIND
from ami_ros.modules.trust import packaged, Trust
from ami_ros.modules.trust import trust as trusted
from ami_ros.perception import camera_contract
from ami_ros.robots.robot import Robot

FORMAT = 1
NETWORKS = ('see', 'step', 'imagine')
MANIFEST = envelope.MANIFEST
SHIPPED = Path(__file__).resolve().parent / 'shipped'
HOW_TO_MAKE = {MIND: 'ami-ros collect and ami-ros train',
               GENERAL: 'ami-ros collect --worlds and ami-ros pretrain'}
HOW_TO_SIGN = 'ami-ros modules keygen NAME, once, and ami-ros modules sign MODULE --key NAME'


@dataclass(frozen=True, eq=False)
class Module:
    """A module's manifest and the bytes that were checked; nothing is read twice."""

    path: Path
    manifest: dict
    files: Mapping[str, bytes]
    id: str = ''                # sha256 of its manifest, which has the sha256 of all else
    text: bytes = b''           # of its manifest, as it was checked
    envelope: bytes = b''       # empty: it is not signed
    signer: str = ''            # who vouches for it
    counter: int = 0
    beside: str = ''            # the other modules of its set, whose files took the place of its

    def array(self, name: str) -> np.ndarray:
        """Read an array file of the module, e.g. 'map_cost'."""
        file = f'{name}.npy'
        if file not in self.files:
            raise ModuleError(f'{self.path} has no {file}; it has: {", ".join(self.files)}')
        try:
            return np.load(io.BytesIO(self.files[file]), allow_pickle=False)
        except (ValueError, OSError, EOFError) as why:
            raise ModuleError(f'{self.path / file} is no array file: {why}') from why

    @property
    def camera(self) -> camera_contract.CameraContract:
        """What it wants to see; `fits` has read it before."""
        return camera_contract.contract(self.manifest['camera'])

    @property
    def camera_size(self) -> tuple[int, int]:
        """Width and height of the network's input."""
        return tuple(self.manifest['camera']['size'])

    @property
    def kind(self) -> str:
        """Which part of a set it is; manifests from before there were kinds are minds."""
        return self.manifest.get('kind', MIND)

    @property
    def said(self) -> str:
        """Name, version, hash and signer in a line."""
        by = f'signed by {self.signer}' if self.signer else 'not signed'
        return (f'{self.manifest["name"]} {self.manifest["version"]} ({self.id[:12]}), {by}'
                + (f' + {self.beside}' if self.beside else ''))


def digest(data: bytes) -> str:
    """Hash as the manifest writes it."""
    return hashlib.sha256(data).hexdigest()


def shipped(kind: str = MIND) -> Path:
    """Return the module of a kind that comes with the package."""
    found = sorted(p.parent for p in SHIPPED.glob(f'*/{MANIFEST}') if kind_in(p) == kind)
    if not found:
        raise ModuleError(f'no module of kind {kind} ships with this checkout; make one with '
                          f'{HOW_TO_MAKE.get(kind, HOW_TO_MAKE[MIND])}, and name it with --module')
    return found[0]


def kind_in(manifest: Path) -> str:
    """Read the kind in a manifest that was not checked yet; that of a mind where it says none."""
    try:
        return json.loads(manifest.read_bytes()).get('kind', MIND)
    except (ValueError, AttributeError, OSError):
        return MIND


def open_module(path: Path | str | None = None, required: bool = False,
                store: Path | str | None = None, trust: Trust | None = None) -> Module:
    """Open and check a module. ModuleError says what is wrong with it.

    Without a path it is the active set's of the store, or the shipped one where none was ever
    activated. `required`: refuse it unless somebody who is trusted signed it.
    """
    trust = trusted() if trust is None else trust
    if path is not None and str(path):
        return open_folder(Path(path), trust, required)
    active = active_set.read(active_set.folder(store)).active
    if active is None:
        return open_folder(shipped(), packaged(), True)
    return whole(open_set(active_set.folder(store), active, trust, required))


def open_set(store: Path, active: active_set.Set, trust: Trust, required: bool) -> dict[str,
                                                                                        Module]:
    """Open every module of a set, by kind; ModuleError where one is not the one of the set."""
    made = {}
    for one in active.modules:
        module = open_folder(store / one.folder, trust, required)
        if module.id != one.id:
            raise ModuleError(f'{module.path} is {module.id[:12]}, the set was made of '
                              f'{one.id[:12]}; ami-ros modules activate a whole one')
        made[module.kind] = module
    agree(list(made.values()))
    return made


def whole(modules: Mapping[str, Module]) -> Module:
    """Make one module of a set: the mind, with what the others bring in the place of its own."""
    if MIND not in modules:
        raise ModuleError(f'the set has no {MIND}, which the planner needs; it has: '
                          f'{", ".join(modules)}')
    mind = modules[MIND]
    for kind, module in modules.items():
        if kind != MIND:
            brought = {name: module.files[name] for name in KINDS[kind].brings}
            says = {name: module.manifest[name] for name in KINDS[kind].says}
            beside = f'{mind.beside} + {module.said}' if mind.beside else module.said
            mind = replace(mind, files={**mind.files, **brought}, beside=beside,
                           manifest={**mind.manifest, **says})
    return mind


def open_folder(path: Path, trust: Trust, required: bool = False) -> Module:
    """Open and check the module in a folder."""
    there = entries(path)
    if MANIFEST not in there:
        raise ModuleError(f'{path} is not a module: it holds {there or "nothing"}, '
                          f'not {MANIFEST}')
    if envelope.FILE in there:
        return examine(path, {envelope.FILE: read_file(path / envelope.FILE)}, trust, required,
                       there)
    _bearable(path, trust, required)
    files = {MANIFEST: read_file(path / MANIFEST)}
    for name in _manifest(path, files[MANIFEST])['files']:
        if name not in there:
            raise ModuleError(f'{path} lacks {name}, which its manifest lists')
        files[name] = read_file(path / name, LARGEST - sum(map(len, files.values())))
    return examine(path, files, trust, required, list(files))


def examine(path: Path, files: dict[str, bytes], trust: Trust, required: bool,
            names: list[str]) -> Module:
    """Check a module whose files are `names`; what is not in `files` yet is read from `path`."""
    if envelope.FILE not in names:
        _bearable(path, trust, required)
        return _understood(path, files, None)
    where = str(path / envelope.FILE)
    said = trust.vouch(envelope.read(files[envelope.FILE], where), where)
    if unknown := sorted(set(names) - set(said.files) - {envelope.FILE}):
        raise ModuleError(f'{path} holds {", ".join(unknown)}, which was not signed with it')
    for name, expected in said.files.items():
        if name not in names:
            raise ModuleError(f'{path} lacks {name}, which was signed with it')
        if name not in files:
            files[name] = read_file(path / name, LARGEST - sum(map(len, files.values())))
        _same(path / name, files[name], expected, 'that was signed')
    module = _understood(path, files, said)
    for text in (*envelope.TEXTS, 'files'):
        wants = getattr(said, text)
        has = {**module.manifest['files'], MANIFEST: module.id} if text == 'files' \
            else module.manifest.get(text, MIND)
        if has != wants:
            raise ModuleError(f'{path / MANIFEST} says {text} {has}, what was signed says {wants}')
    who = trust.signers[envelope.read(files[envelope.FILE], where).key]
    return replace(module, envelope=files[envelope.FILE], counter=said.counter,
                   signer=f'{who.label} ({envelope.read(files[envelope.FILE]).key[:12]})')


def _bearable(path: Path, trust: Trust, required: bool) -> None:
    if required or trust.required:
        raise ModuleError(f'{path} is not signed, which is required here; {HOW_TO_SIGN}')


def _same(path: Path, data: bytes, expected: str, which: str) -> None:
    if digest(data) != expected:
        raise ModuleError(f'{path} is not the file {which}: its hash is {digest(data)[:12]}, '
                          f'not {str(expected)[:12]}')


def _manifest(path: Path, data: bytes) -> dict:
    """Read a manifest; ModuleError where it does not say what a manifest says."""
    where = path / MANIFEST
    try:
        manifest = canonical_json.parse(data, MANIFEST)
        listed, format_ = dict(manifest['files']), manifest['format']
    except (ValueError, KeyError, TypeError) as why:
        raise ModuleError(f'{where} is damaged: {why!r}') from None
    if format_ != FORMAT:
        raise ModuleError(f'{where} has format {format_}, this version reads {FORMAT}')
    for name in listed:
        if not envelope.NAME.fullmatch(name) or name in (MANIFEST, envelope.FILE):
            raise ModuleError(f'{where} names {name!r}, which leaves its folder or is no plain '
                              'name of a file')
    wrong = schema.problems(manifest, schema.manifest())
    kind = manifest.get('kind', MIND)
    if not wrong and kind not in KINDS:
        wrong = [f'kind is {kind!r}; there are: {", ".join(KINDS)}']
    if not wrong and (less := lacking(kind, manifest, listed)):
        wrong = [f'it does not say {", ".join(less)}; is it a module of ami-ros train?']
    if wrong:
        more = f', and {len(wrong) - 3} more' if len(wrong) > 3 else ''
        raise ModuleError(f'{where}: {"; ".join(wrong[:3])}{more}')
    return manifest


def _understood(path: Path, files: Mapping[str, bytes],
                said: envelope.Statement | None) -> Module:
    """Read what the manifest says; where nobody signed, check the files against it here."""
    manifest = _manifest(path, files[MANIFEST])
    listed = manifest['files']
    if said is None:
        for name, expected in listed.items():
            if name not in files:
                raise ModuleError(f'{path} lacks {name}, which its manifest lists')
            _same(path / name, files[name], expected, 'that the manifest lists')
        if unknown := sorted(set(files) - set(listed) - {MANIFEST}):
            raise ModuleError(f'{path} holds {", ".join(unknown)}, which its manifest does not '
                              'list')
    return Module(path, manifest, {name: files[name] for name in files
                                   if name not in (MANIFEST, envelope.FILE)},
                  digest(files[MANIFEST]), files[MANIFEST])


def fits(module: Module, robot: Robot) -> None:
    """Check the module's contract against the robot; ModuleError names both sides."""
    contract = module.manifest
    for what, has, wants in (('robot', contract['robot'], robot.name),
                             ('action axes', contract['axes'], list(robot.axes)),
                             ('action limits', contract['limits'], list(robot.limits))):
        if has != wants:
            raise ModuleError(f'{module.path.name} was made for {what} {has}, '
                              f'{robot.name} has {wants}')
    try:
        known = camera_contract.contract(contract['camera'])
    except ValueError as why:
        raise ModuleError(f'{module.path / MANIFEST} says {why}') from why
    off = 0.0 if known.hfov_rad is None else abs(known.hfov_rad - robot.camera_hfov_rad)
    if not off <= camera_contract.HFOV_TOLERANCE_RAD:
        raise ModuleError(f'{module.path.name} saw through a camera of {known.hfov_rad:.3f} rad, '
                          f'{robot.name} has {robot.camera_hfov_rad:.3f} rad')
    wrong = camera_contract.contradiction(known, robot, str(robot.camera.link))
    if wrong:
        raise ModuleError(f'{module.path.name} learned to see from elsewhere: {wrong}')


def agree(modules: list[Module]) -> None:
    """Check that modules make a set; ModuleError names both sides."""
    for index, one in enumerate(modules):
        for other in modules[:index]:
            for key in ('latent_space', 'robot', 'axes', 'limits', 'camera'):
                a, b = other.manifest[key], one.manifest[key]
                if a != b:
                    raise ModuleError(f'{other.path.name} has {key} {a}, {one.path.name} has {b}: '
                                      'they make no set')
            if one.kind == other.kind:
                raise ModuleError(f'{other.path.name} and {one.path.name} are both {one.kind}; a '
                                  'set has one of each kind')


def write(path: Path, manifest: dict, files: dict[str, bytes]) -> None:
    """Write a module folder; the manifest last, so that half a module is none."""
    path.mkdir(parents=True, exist_ok=True)
    (path / MANIFEST).unlink(missing_ok=True)
    (path / envelope.FILE).unlink(missing_ok=True)      # it was of other bytes
    for name, data in files.items():
        (path / name).write_bytes(data)
    manifest = {**manifest, 'format': FORMAT,
                'files': {name: digest(data) for name, data in sorted(files.items())}}
    (path / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + '\n')


def npy(array: np.ndarray) -> bytes:
    """Turn an array into the bytes of an .npy file."""
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()
