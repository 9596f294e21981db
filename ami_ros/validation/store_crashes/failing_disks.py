# SPDX-License-Identifier: Apache-2.0
"""
Disks that die: one is killed at its n-th system call, one forgets what was not synced.

`Forgetful` models what POSIX leaves open: writes to a file last from its fsync on, names in a
folder from the fsync of that folder on; of all else any part may be there after a power cut, in
any combination, and of a write any beginning. A rename is there whole or not at all.
"""

from dataclasses import dataclass
import os
from pathlib import Path
import signal

from ami_ros.modules.store_disk_operations import Disk


class Counting(Disk):
    """Remembers each call."""

    def __init__(self):
        self.calls: list[tuple] = []

    def do(self, what: str, path: Path, *more) -> None:
        """Make one system call."""
        super().do(what, path, *more)
        self.calls.append((what, path, *more))


class Killed(Disk):
    """Is killed, by the kernel, before its n-th call, after it, or in the middle of a write."""

    def __init__(self, n: int, when: str):
        self.left, self.when = n, when

    def do(self, what: str, path: Path, *more) -> None:
        """Make one system call, or a part of the last one."""
        self.left -= 1
        if self.left == 0 and self.when == 'before':
            os.kill(os.getpid(), signal.SIGKILL)
        if self.left == 0 and self.when == 'amid' and what == 'write':
            super().do(what, path, more[0][:len(more[0]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        super().do(what, path, *more)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(eq=False)
class DiskNode:
    """A file or a folder, whatever its names are."""

    names: dict[str, 'DiskNode'] | None = None      # of a folder, as the processes see it
    data: bytes = b''                           # of a file, as it was in the beginning

    @property
    def inside(self) -> dict[str, 'DiskNode']:
        """What a folder holds, by its names."""
        assert self.names is not None, 'it is a file'
        return self.names


@dataclass(eq=False)
class Call:
    """One call, with the nodes it was about."""

    what: str
    node: DiskNode                      # written, or named
    folder: DiskNode | None = None      # whose names change
    name: str = ''
    to: str = ''
    data: bytes = b''
    synced_by: int = 10**9          # index of the call after which it lasts


class Forgetful:
    """Replays the calls of a deed; tells what a disk may hold if the power fails after k calls."""

    def __init__(self, folder: Path, calls: list[tuple]):
        self.base, self.root = folder, load(folder)
        self.first = {node: dict(node.inside) for node in every(self.root)}
        self.calls: list[Call] = []
        for index, (what, path, *more) in enumerate(calls):
            self.calls.append(self.step(index, what, path, *more))

    def step(self, index: int, what: str, path: Path, *more) -> Call:
        """Take a call into the model."""
        if path == self.base:
            folder, node = self.root, self.root
        else:
            folder = self.find(path.parent)
            node = folder.inside.get(path.name) or DiskNode()
        if what == 'sync':
            for call in self.calls:
                if node is (call.node if node.names is None else call.folder) and (
                        node.names is not None or call.what == 'write'):
                    call.synced_by = min(call.synced_by, index)
            return Call(what, node)
        if what == 'write':
            return Call(what, node, data=more[0])
        if what in ('create', 'mkdir'):
            node = folder.inside[path.name] = DiskNode({} if what == 'mkdir' else None)
            return Call(what, node, folder, path.name)
        del folder.inside[path.name]
        if what == 'rename':
            assert more[0].parent == path.parent, 'a rename between folders is not modelled'
            folder.inside[more[0].name] = node
            return Call(what, node, folder, path.name, more[0].name)
        return Call(what, node, folder, path.name)      # unlink, rmdir

    def find(self, path: Path) -> DiskNode:
        """Return the folder of a path, as the processes see it."""
        node = self.root
        for part in path.relative_to(self.base).parts:
            node = node.inside[part]
        return node

    def cut(self, k: int, into: Path, keep, tear) -> None:
        """Write what the disk may hold if the power fails after k calls.

        `keep(call)` tells whether a call that does not have to last does; `tear(call)` how many
        bytes of its write.
        """
        names = {node: dict(held) for node, held in self.first.items()}
        data: dict[DiskNode, bytes] = {}
        for call in self.calls[:k]:
            if call.what == 'sync':
                continue
            lasts = call.synced_by < k
            if call.what == 'write':
                part = call.data if lasts else call.data[:tear(call)] if keep(call) else b''
                data[call.node] = data.get(call.node, call.node.data) + part
            elif lasts or keep(call):
                there = names.setdefault(call.folder, {})
                if call.what in ('create', 'mkdir'):
                    there[call.name] = call.node
                else:
                    if there.get(call.name) is call.node:
                        del there[call.name]
                    if call.what == 'rename':
                        there[call.to] = call.node
        self.save(self.root, into, names, data)

    def save(self, node: DiskNode, folder: Path, names: dict, data: dict) -> None:
        """Write a folder."""
        folder.mkdir()
        for name, inner in names.get(node, {}).items():
            if inner.names is None:
                (folder / name).write_bytes(data.get(inner, inner.data))
            else:
                self.save(inner, folder / name, names, data)


def load(folder: Path) -> DiskNode:
    """Read a folder."""
    return DiskNode({p.name: load(p) if p.is_dir() else DiskNode(None, p.read_bytes())
                 for p in folder.iterdir()})


def every(node: DiskNode):
    """Yield a folder and all below it."""
    yield node
    for inner in node.inside.values():
        if inner.names is not None:
            yield from every(inner)
