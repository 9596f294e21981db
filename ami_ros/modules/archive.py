# SPDX-License-Identifier: Apache-2.0
"""
A module in one file: a plain tar that can be written in one way only.

Nothing of it is written to disk to be looked at. A header has to be the very bytes that `pack`
would write for a plain file of that name and size, so that there are no links, devices, owners,
dates, long names or other extensions to be careful with; and no bombs, since it is not compressed.
"""

from collections.abc import Mapping
from pathlib import Path

from ami_ros.modules import signature_envelope as envelope
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.folder_reader import LARGEST, MOST, read_file
from ami_ros.modules.module import examine, Module
from ami_ros.modules.trusted_keys import Trust

BLOCK = 512
END = bytes(2 * BLOCK)
SUFFIX = '.module.tar'
OTHERS = {'1': 'a hard link', '2': 'a symbolic link', '3': 'a device', '4': 'a device',
          '5': 'a folder', '6': 'a pipe', '7': 'a contiguous file', 'x': 'a pax extension',
          'g': 'a pax extension', 'L': 'a GNU long name', 'K': 'a GNU long link',
          'S': 'a sparse file', 'D': 'a GNU folder', 'M': 'a part of another archive',
          'V': 'a volume label', 'N': 'an old long name'}
PACKED = {b'\x1f\x8b': 'gzip', b'BZ': 'bzip2', b'\xfd7zXZ': 'xz', b'(\xb5/\xfd': 'zstd',
          b'PK': 'zip'}


def header(name: str, size: int) -> bytes:
    """Write a POSIX ustar header of a plain file of nobody, from 1970."""
    fields = (name.encode().ljust(100, b'\0') + b'0000644\0' + b'0000000\0' * 2
              + b'%011o\0' % size + b'0' * 11 + b'\0', b'0' + bytes(100)
              + b'ustar\x0000' + bytes(64) + b'0000000\0' * 2 + bytes(155 + 12))
    return fields[0] + b'%06o\0 ' % sum(fields[0] + b' ' * 8 + fields[1]) + fields[1]


def order(names) -> list[str]:
    """Put the envelope first, the manifest next: what is read first comes first."""
    first = (envelope.FILE, envelope.MANIFEST)
    return [name for name in first if name in names] + sorted(set(names) - set(first))


def pack(files: Mapping[str, bytes]) -> bytes:
    """Make the bytes of an archive; the same files give the same bytes."""
    out = bytearray()
    for name in order(files):
        out += header(name, len(files[name])) + files[name]
        out += bytes(-len(out) % BLOCK)
    return bytes(out + END)


def contents(module: Module) -> dict[str, bytes]:
    """Return all files of a module as they were checked, envelope and manifest too."""
    signed = {envelope.FILE: module.envelope} if module.envelope else {}
    return {**signed, envelope.MANIFEST: module.text, **module.files}


def unpack(data: bytes, what: str) -> dict[str, bytes]:
    """Return the members by name; ModuleError says what is not as `pack` would write it."""
    for magic, kind in PACKED.items():
        if data.startswith(magic) and data[257:262] != b'ustar':
            raise ModuleError(f'{what} is {kind}; only the plain tar of ami-ros modules pack is '
                              'read, and nothing is ever unpacked')
    at = 0
    files: dict = {}
    while data[at:at + BLOCK] != bytes(BLOCK):
        if len(data) - at < BLOCK:
            raise ModuleError(f'{what} ends in the middle of a member')
        if len(files) == MOST:
            raise ModuleError(f'{what} has more than {MOST} members')
        name, size = _member(data[at:at + BLOCK], what)
        if name in files:
            raise ModuleError(f'{what} has {name} twice')
        at += BLOCK
        if size > len(data) - at:
            raise ModuleError(f'{what} ends in the middle of {name}')
        files[name] = data[at:at + size]
        at += size
        padding = -size % BLOCK
        if data[at:at + padding] != bytes(padding):
            raise ModuleError(f'{what} hides bytes behind {name}')
        at += padding
    if data[at:] != END:
        raise ModuleError(f'{what} does not end where its members do')
    if list(files) != order(files):
        raise ModuleError(f'{what} has its members in another order than ami-ros modules pack '
                          f'writes them: {", ".join(files)}')
    return files


def _member(block: bytes, what: str) -> tuple[str, int]:
    """Read a header; ModuleError where it is not exactly what `header` writes."""
    name = block[:100].rstrip(b'\0').decode('ascii', 'backslashreplace')
    kind = chr(block[156])
    if block[257:262] != b'ustar':
        raise ModuleError(f'{what} is no archive of ami-ros modules pack')
    if kind in OTHERS:
        raise ModuleError(f'{what} has {OTHERS[kind]}, {name!r}; a module is plain files alone')
    if not envelope.NAME.fullmatch(name):
        raise ModuleError(f'{what} has a member {name!r}, which leaves its folder or is no plain '
                          'name of a file')
    size = block[124:135]
    if not size.isdigit() or b'8' in size or b'9' in size:
        raise ModuleError(f'{what} says no size for {name}')
    if int(size, 8) > LARGEST:
        raise ModuleError(f'{name} in {what} would have {int(size, 8)} bytes, at most {LARGEST} '
                          'are read')
    if block != header(name, int(size, 8)):
        raise ModuleError(f'the header of {name} in {what} is not as ami-ros modules pack writes '
                          'it')
    return name, int(size, 8)


def open_archive(path: Path, trust: Trust, required: bool = False) -> Module:
    """Open and check a module in an archive, in memory."""
    files = unpack(read_file(path), str(path))
    if envelope.MANIFEST not in files:
        raise ModuleError(f'{path} holds {", ".join(files) or "nothing"}, not '
                          f'{envelope.MANIFEST}')
    return examine(path, files, trust, required, list(files))
