# SPDX-License-Identifier: Apache-2.0
"""Archives that are not as `ami-ros modules pack` writes them."""

from collections.abc import Callable
import gzip
import io
import lzma
import os
import tarfile
import zipfile

from ami_ros.modules import archive
from ami_ros.modules import signature_envelope as envelope

ATTACKS: dict[str, Callable] = {}


def attack(name: str):
    """Enter an attack into the table."""
    def enter(function):
        ATTACKS[name] = function
        return function
    return enter


def insert(bench, header: bytes, data: bytes = b'') -> None:
    """Bring an archive with one member more, whatever its header says."""
    packed = archive.pack(bench.members())
    bench.install(packed[:-len(archive.END)] + header + data
                  + bytes(-len(data) % archive.BLOCK) + archive.END)


def stamped(block: bytearray) -> bytes:
    """Make the checksum of a header right."""
    block[148:156] = b' ' * 8
    block[148:156] = b'%06o\0 ' % sum(block)
    return bytes(block)


for NAME in ('../evil', '/etc/evil', 'a/b', '..', '.', './see.onnx', 'a\\b', ' x', '.hidden', '-x',
             '', 'x' * 90, 'caf\u00e9'):
    ATTACKS[f'member named {NAME!r}'] = lambda b, name=NAME: insert(
        b, archive.header(name, 4), b'evil')

for KIND, ABOUT in archive.OTHERS.items():
    def special(bench, kind=KIND):
        block = bytearray(archive.header('evil', 0))
        block[156:157] = kind.encode()
        block[157:169] = b'/etc/passwd\0'
        insert(bench, stamped(block))
    ATTACKS[f'member that is {ABOUT} ({KIND})'] = special

for FIELD, AT, VALUE in (('mode', 100, b'0006755'), ('owner', 108, b'0000001'),
                         ('time', 136, b'00000000001'), ('user name', 265, b'root'),
                         ('prefix', 345, b'../..'), ('old magic', 257, b'ustar  '),
                         ('size in base 256', 124, b'\x80' + bytes(10) + b'\x04'),
                         ('negative size', 124, b'-0000000004'), ('no size', 124, bytes(11)),
                         ('huge size', 124, b'77777777777'), ('link name', 157, b'see.onnx'),
                         ('bytes after the name', 90, b'x')):
    def header(bench, at=AT, value=VALUE):
        block = bytearray(archive.header('evil', 4))
        block[at:at + len(value)] = value
        insert(bench, stamped(block), b'evil')
    ATTACKS[f'header with another {FIELD}'] = header


@attack('header with a wrong checksum')
def _(b):
    block = bytearray(archive.header('evil', 4))
    block[148] ^= 1
    insert(b, bytes(block), b'evil')


@attack('member twice')
def _(b):
    insert(b, archive.header('see.onnx', 4), b'evil')


@attack('envelope twice')
def _(b):
    data = b.members()[envelope.FILE]
    insert(b, archive.header(envelope.FILE, len(data)), data)


@attack('unknown member')
def _(b):
    b.install({**b.members(), 'evil.so': b'evil'})


@attack('missing member')
def _(b):
    b.install({n: d for n, d in b.members().items() if n != 'step.onnx'})


@attack('members in another order')
def _(b):
    parts = [archive.pack({n: d})[:-len(archive.END)] for n, d in b.members().items()]
    b.install(b''.join(reversed(parts)) + archive.END)


@attack('more members than a module has')
def _(b):
    b.install({**b.members(), **{f'f{i}': b'' for i in range(100)}})


@attack('bytes behind the end')
def _(b):
    b.install(archive.pack(b.members()) + b'evil')


@attack('another archive behind the end')
def _(b):
    b.install(archive.pack(b.members()) * 2)


@attack('bytes hidden behind a member')
def _(b):
    packed = bytearray(archive.pack(b.members()))
    packed[archive.BLOCK + len(b.members()[envelope.FILE])] = 1
    b.install(bytes(packed))


@attack('no end')
def _(b):
    b.install(archive.pack(b.members())[:-archive.BLOCK])


@attack('torn in a header')
def _(b):
    b.install(archive.pack(b.members())[:100])


@attack('torn in a member')
def _(b):
    b.install(archive.pack(b.members())[:700])


@attack('empty file')
def _(b):
    b.install(b'')


@attack('tar of another program')
def _(b):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as file:
        for path in b.module.iterdir():
            file.add(path, path.name)
    b.install(out.getvalue())


@attack('gzip bomb')
def _(b):
    b.install(gzip.compress(bytes(2**26)))


@attack('the archive, in xz')
def _(b):
    b.install(lzma.compress(archive.pack(b.members())))


@attack('the archive, in zip')
def _(b):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as file:
        for name, data in b.members().items():
            file.writestr(name, data)
    b.install(out.getvalue())


@attack('sparse archive of a terabyte')
def _(b):
    path = b.work / 'huge.tar'
    path.write_bytes(archive.pack(b.members()))
    os.truncate(path, 2**40)
    b.store.install(path)


@attack('archive that is a pipe')
def _(b):
    os.mkfifo(b.work / 'pipe.tar')
    b.store.install(b.work / 'pipe.tar')


@attack('archive that is a link')
def _(b):
    (b.work / 'attack.tar').write_bytes(archive.pack(b.members()))
    (b.work / 'link.tar').symlink_to('attack.tar')
    b.store.install(b.work / 'link.tar')


@attack('archive that is not there')
def _(b):
    b.store.install(b.work / 'nowhere.tar')
