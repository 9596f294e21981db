# SPDX-License-Identifier: Apache-2.0
"""
The installed modules of a robot: install, activate, roll back, remove.

Each ends in one rename: before it nothing happened, after it all did, whenever the power fails.
What a killed one left lies under names that begin with a dot, and is swept by the next.
"""

from collections.abc import Iterator, Mapping
import contextlib
from dataclasses import dataclass, replace
from datetime import datetime, timezone
import itertools
import os
from pathlib import Path
from typing import Protocol

from ami_ros.modules import active_set, archive
from ami_ros.modules.active_set import Locked, Pointer, Set
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.folder_reader import entries
from ami_ros.modules.module import agree, fits, Module, open_folder, open_set, shipped
from ami_ros.modules.module_kinds import MIND
from ami_ros.modules.store_disk_operations import Disk, LOCK, locked
from ami_ros.modules.trusted_keys import packaged, Trust
from ami_ros.robots.robot import Robot

HIDDEN = '.new-'        # not whole yet, or not any more


class Proof(Protocol):
    """Asks a module its golden inputs on what will serve; ModuleError where it fails."""

    device: str             # backend, library and machine

    def __call__(self, module: Module) -> Mapping[str, object]:
        """Return what the set remembers of it."""


@dataclass(frozen=True)
class InstalledModule:
    """A folder of the store, and why it cannot be used, if it cannot."""

    folder: str
    module: Module | None
    wrong: str = ''
    active: bool = False
    history: int = 0        # how many rollbacks away; 0: in no set before


class Store:
    """One folder; whatever changes it holds a lock, whoever reads it needs none."""

    def __init__(self, folder: Path, trust: Trust, required: bool = False,
                 disk: Disk | None = None):
        self.folder, self.trust = folder, trust
        self.required, self.disk = required, disk or Disk()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Change the store, with nobody else at it, and nothing of one who died."""
        self.disk.folders(self.folder)
        with locked(self.folder):
            for path in sorted(self.folder.glob(f'{HIDDEN}*')):
                self.disk.remove(path)
            yield

    def pointer(self) -> Pointer:
        """Read which set is active, and which were."""
        return active_set.read(self.folder)

    def point(self, to: Pointer) -> None:
        """Change it, at once."""
        path = self.fresh()
        self.disk.file(path, active_set.encode(to))
        self.disk.name(path, self.folder / active_set.FILE)

    def fresh(self) -> Path:
        """Return a name that nothing has and nobody reads."""
        return next(path for n in itertools.count()
                    if not os.path.lexists(path := self.folder / f'{HIDDEN}{os.getpid()}-{n}'))

    def names(self) -> list[str]:
        """List the folders of modules."""
        try:
            return sorted(p.name for p in self.folder.iterdir()
                          if p.is_dir() and not p.name.startswith('.'))
        except OSError:
            return []

    def found(self) -> list[InstalledModule]:
        """Open every installed module."""
        now, out = self.pointer(), []
        for name in self.names():
            away = next((n for n, one in enumerate(now.history, 1)
                         if name in [m.folder for m in one.modules]), 0)
            active = now.active is not None and name in [m.folder for m in now.active.modules]
            try:
                module = open_folder(self.folder / name, self.trust, self.required)
                out.append(InstalledModule(name, module, '', active, away))
            except ModuleError as wrong:
                out.append(InstalledModule(name, None, str(wrong), active, away))
        return out

    def find(self, said: str) -> str:
        """Return the installed folder that is meant: by its name, how that begins, or a hash."""
        names = self.names()
        hits = [n for n in names if n == said] or [
            n for n in names if n.startswith(said) or n.rpartition('-')[2].startswith(said)]
        if len(hits) != 1:
            raise ModuleError(f'{said!r} is {len(hits) or "none"} of the installed modules: '
                              f'{", ".join(hits or names) or "there are none"}')
        return hits[0]

    # what changes it

    def install(self, path: Path) -> Module:
        """Take a module in, from an archive or a folder; ModuleError leaves nothing behind."""
        opened = open_folder if path.is_dir() else archive.open_archive
        module = opened(path, self.trust, self.required)
        name, files = folder_of(module), archive.contents(module)
        with self.alone():
            self.not_before(module, self.pointer())
            if name in self.names():
                with contextlib.suppress(ModuleError):      # damaged: it is replaced
                    return open_folder(self.folder / name, self.trust, self.required)
                aside = self.fresh()
                self.disk.name(self.folder / name, aside)
                self.disk.remove(aside)
            fresh = self.fresh()
            try:
                self.disk.folder(fresh, {n: files[n] for n in archive.order(files)})
                written = open_folder(fresh, self.trust, self.required)
                if written.id != module.id:     # what was verified is what is installed
                    raise ModuleError(f'{path} changed while it was installed')
                self.disk.name(fresh, self.folder / name)
            except Exception:
                if fresh.is_dir():
                    self.disk.remove(fresh)
                raise
        return replace(module, path=self.folder / name)

    def not_before(self, module: Module, now: Pointer) -> None:
        """Refuse a module older than one of its name that was active here."""
        name, least = module.manifest['name'], now.minimum.get(module.manifest['name'], 0)
        if module.counter < least:
            raise ModuleError(f'{name} {module.manifest["version"]} has counter '
                              f'{module.counter}, one with {least} was active here: an older '
                              'module never comes back but by ami-ros modules rollback')

    def activate(self, names: list[str], robot: Robot, prove: Proof) -> Set:
        """Make a set the active one if all of it is right; else ModuleError, and nothing changes.

        Checked: signatures and bytes again, the robot file, the modules against each other, their
        golden inputs.
        """
        with self.alone():
            now = self.pointer()
            modules = [open_folder(self.folder / self.find(name), self.trust, self.required)
                       for name in names]
            for module in modules:
                self.not_before(module, now)
            made = self.checked(modules, robot, prove)
            if now.active is not None and now.active.modules == made.modules:
                return now.active
            before = () if now.active is None else (now.active,)
            minimum = {**now.minimum, **{m.manifest['name']: m.counter for m in modules}}
            self.point(Pointer(made, (before + now.history)[:active_set.HISTORY], minimum))
        return made

    def checked(self, modules: list[Module], robot: Robot, prove: Proof) -> Set:
        """Check that modules make a set for a robot."""
        if MIND not in [module.kind for module in modules]:
            raise ModuleError('a set needs a ' + MIND + ', which perceives, predicts and plans; '
                              f'given: {", ".join(m.kind for m in modules) or "nothing"}')
        agree(modules)
        for module in modules:
            fits(module, robot)
        proof: dict[str, object] = {}
        for module in modules:
            proof |= prove(module)
        first = modules[0].manifest
        return Set(tuple(Locked(m.kind, m.manifest['name'], m.manifest['version'], m.id,
                                m.path.name, m.counter, m.signer) for m in modules), robot.name,
                   first['latent_space'],
                   datetime.now(timezone.utc).isoformat('T', 'seconds'), proof)

    def rollback(self, robot: Robot, prove: Proof) -> Set | None:
        """Make the set before the active one again; None: the module that comes with the package.

        Signatures, bytes and contract are checked again; golden inputs where the device or a
        library is another than the one on which these very bytes were proved.
        """
        with self.alone():
            now = self.pointer()
            if now.active is None:
                raise ModuleError('there is no set before this one to go back to; ami-ros modules '
                                  'list says what could be activated')
            back = now.history[0] if now.history else None
            modules = [open_folder(shipped(), packaged(), True)] if back is None else list(
                open_set(self.folder, back, self.trust, self.required).values())
            for module in modules:
                fits(module, robot)
            if back is None or back.proof.get('device') != prove.device:
                for module in modules:
                    prove(module)
            self.point(Pointer(back, now.history[1:], now.minimum))
        return back

    def remove(self, said: str) -> list[str]:
        """Remove a module that is not active; return what that means for rollbacks."""
        with self.alone():
            now, name = self.pointer(), self.find(said)
            if now.active is not None and name in [m.folder for m in now.active.modules]:
                raise ModuleError(f'{name} is active; activate another, or roll back, first')
            left = tuple(one for one in now.history
                         if name not in [m.folder for m in one.modules])
            if left != now.history:
                self.point(replace(now, history=left))
            aside = self.fresh()
            self.disk.name(self.folder / name, aside)
            self.disk.remove(aside)
        gone = len(now.history) - len(left)
        return [f'{gone} earlier sets had it; there is no going back to them'] if gone else []


def folder_of(module: Module) -> str:
    """Name the folder of an installed module: a person can read it, a hash tells it apart."""
    return f'{module.manifest["name"]}-{module.manifest["version"]}-{module.id[:12]}'


def leftovers(folder: Path) -> list[str]:
    """List what is in a store besides modules, pointer and lock."""
    return [name for name in entries(folder)
            if name.startswith('.') and name != LOCK]
