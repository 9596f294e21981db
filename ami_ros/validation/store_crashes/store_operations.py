# SPDX-License-Identifier: Apache-2.0
"""What is done to a store while it dies, and what has to be true of the store afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ami_ros.modules import archive
from ami_ros.modules.module import npy, open_folder, open_module, open_set, write
from ami_ros.modules.module_store import folder_of, leftovers, Store
from ami_ros.modules.signing import sign
from ami_ros.modules.signing_keys import Signer
from ami_ros.modules.store_disk_operations import Disk
from ami_ros.modules.trusted_keys import Trust, Who
from ami_ros.robots.find_robot import find

ROVER = find('rover')
MANIFEST = {'name': 'small', 'latent_space': 'abc', 'robot': 'rover', 'kind': 'rover-jepa',
            'axes': list(ROVER.axes), 'limits': list(ROVER.limits), 'horizon': 8,
            'map_cell_m': 0.1, 'surprise_scale': 0.1,
            'camera': {'size': [64, 64], 'hfov_rad': ROVER.camera_hfov_rad}}
VERSIONS = ('1.0.0', '1.0.1', '1.0.2', '1.0.3')


class Nothing:
    """Proves nothing: here it is about the disk."""

    device = 'none'

    def __call__(self, module):
        return {'device': self.device}


@dataclass(frozen=True)
class StoreWorld:
    """Modules of four versions, as folders and as archives, and who may sign them."""

    trust: Trust
    packed: dict[str, Path]         # by version
    names: dict[str, str]           # of their folders in a store

    def store(self, folder: Path, disk: Disk | None = None) -> Store:
        """Open a store, on a disk."""
        return Store(folder, self.trust, True, disk)


def world(work: Path, kilobytes: float = 1.0) -> StoreWorld:
    """Make the modules; each of its network files has so many kilobytes."""
    key, packed, names = Signer.new(), {}, {}
    trust = Trust({key.id: Who('builder', key.public, ('*',), ('*',))}, required=True)
    rng = np.random.default_rng(0)
    for version in VERSIONS:
        path = work / f'small-{version}'
        write(path, {**MANIFEST, 'version': version}, {
            **{f'{name}.onnx': rng.bytes(round(1024 * kilobytes))
               for name in ('see', 'step', 'imagine')},
            'map_cost.npy': npy(np.ones((2, 3))), 'map_origin.npy': npy(np.zeros(2))})
        module = sign(path, key)
        packed[version] = work / f'{version}.tar'
        packed[version].write_bytes(archive.pack(archive.contents(module)))
        names[version] = folder_of(open_folder(path, trust, True))
    return StoreWorld(trust, packed, names)


def prepare(made: StoreWorld, folder: Path) -> None:
    """Make a store in which three were active one after the other, and the middle one is now."""
    store = made.store(folder)
    for version in VERSIONS[:3]:
        store.install(made.packed[version])
        store.activate([made.names[version]], ROVER, Nothing())
    store.rollback(ROVER, Nothing())


Deed = Callable[[StoreWorld, Store], object]
DEEDS: dict[str, Deed] = {
    'install': lambda made, store: store.install(made.packed['1.0.3']),
    'activate': lambda made, store: store.activate([made.names['1.0.2']], ROVER, Nothing()),
    'rollback': lambda made, store: store.rollback(ROVER, Nothing()),
    'remove': lambda made, store: store.remove(made.names['1.0.0']),
    'remove the newest': lambda made, store: store.remove(made.names['1.0.2']),
}


@dataclass(frozen=True)
class StoreState:
    """What a store says it is."""

    active: str                     # hash
    installed: frozenset[str]
    history: tuple[str, ...]
    minimum: tuple[tuple[str, int], ...]


def state(made: StoreWorld, folder: Path) -> StoreState:
    """Read it; ModuleError or AssertionError where anything in it is not whole."""
    store = made.store(folder)
    now = store.pointer()
    active = open_module(None, True, folder, made.trust)
    assert now.active is not None and active.id == now.active.modules[0].id
    for one in now.history:
        open_set(folder, one, made.trust, True)
    found = store.found()
    assert all(one.module is not None for one in found), [one.wrong for one in found]
    return StoreState(active.id, frozenset(one.folder for one in found),
                 tuple(one.modules[0].id for one in now.history),
                 tuple(sorted(now.minimum.items())))


def judge(made: StoreWorld, folder: Path, deed: str, before: StoreState, after: StoreState,
          over: bool) -> str:
    """Say what is wrong with a store that died in a deed; '' where nothing is.

    `over`: the deed had returned, so nothing but its outcome is right. Then it is done again.
    """
    try:
        now = state(made, folder)
        either = (after,) if over else (before, after, partly(deed, before, after))
        if now not in either:
            return f'neither as before nor as after: {now}'
        store = made.store(folder)
        if now != after:
            DEEDS[deed](made, store)
            if state(made, folder) != after:
                return f'done again it is {state(made, folder)}'
        with store.alone():
            pass
        if left := leftovers(folder):
            return f'{left} was left behind'
    except Exception as broken:     # whatever it is, the store is broken
        return repr(broken)
    return ''


def partly(deed: str, before: StoreState, after: StoreState) -> StoreState:
    """Return the one state between: a module leaves history first, then the store."""
    return StoreState(before.active, before.installed, after.history, before.minimum)
