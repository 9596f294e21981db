# SPDX-License-Identifier: Apache-2.0
"""What a trusted builder signed without our tools, and what changed where it lies installed."""

from collections.abc import Callable
import io
import json
import os
import zipfile

import numpy as np

from ami_ros.modules import active_set, canonical_json, golden_inputs
from ami_ros.modules import signature_envelope as envelope
from ami_ros.modules.module import digest, open_folder
from ami_ros.modules.signing import counter_of
from ami_ros.modules.trusted_keys import Trust
from ami_ros.validation.module_attacks.attack_setup import FILES, MANIFEST

ATTACKS: dict[str, Callable] = {}


def attack(name: str):
    """Enter an attack into the table."""
    def enter(function):
        ATTACKS[name] = function
        return function
    return enter

# what a trusted builder signed without our tools, or an attacker made him sign

TEXT = json.dumps({**MANIFEST, 'format': 1, 'files': {n: digest(d) for n, d in FILES.items()}})
for WHAT, BYTES in {
        'with a key twice': (TEXT[:-1] + ', "name": "small"}').encode(),
        'with a key of a file twice': TEXT.replace(
            '"see.onnx":', f'"see.onnx": "{digest(b"evil")}", "see.onnx":').encode(),
        'with NaN': TEXT.replace('"surprise_scale": 0.1', '"surprise_scale": NaN').encode(),
        'with infinity': TEXT.replace('"surprise_scale": 0.1',
                                      '"surprise_scale": 1e999').encode(),
        'nested deeply': (TEXT[:-1] + ', "deep": ' + '[' * 50_000 + ']' * 50_000 + '}').encode(),
        'of two megabytes': (TEXT + ' ' * 2**21).encode(),
        'in UTF-16': TEXT.encode('utf-16'), 'that is empty': b'', 'that is a list': b'[]',
        'without its name': TEXT.replace('"name": "small", ', '').encode(),
        'whose name is a path': TEXT.replace('"small"', '"../small"').encode(),
        'that lists fewer files': json.dumps({**json.loads(TEXT), 'files': {
            n: digest(d) for n, d in FILES.items() if n != 'map_cost.npy'}}).encode(),
        'that lists a path': TEXT.replace('"see.onnx":', '"../x": "", "see.onnx":').encode(),
        'of another format': TEXT.replace('"format": 1', '"format": 2').encode(),
        'of another name than was signed': TEXT.replace('"small"', '"big"').encode()}.items():
    ATTACKS[f'manifest {WHAT}'] = lambda b, text=BYTES: b.install(b.forged(text))


@attack('pickle in an array')
def _(b):
    out = io.BytesIO()
    np.save(out, np.array([{}], object), allow_pickle=True)
    module = b.made('pickled', files={'map_cost.npy': out.getvalue()}, version='1.0.2')
    open_folder(module, b.trust, True).array('map_cost')


@attack('bomb in the golden inputs')
def _(b):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as file:
        file.writestr('see.in.picture.npy', bytes(golden_inputs.LARGEST + 1))
    module = b.made('bomb', files={golden_inputs.FILE: out.getvalue()}, version='1.0.2', golden={
        'file': golden_inputs.FILE, 'tolerance': {'float32': 1.0}, 'reason': 'none'})
    golden_inputs.check(open_folder(module, b.trust, True), {'see': lambda **_: []})


@attack('downgrade to what was signed long ago')
def _(b):
    b.install(b.members(b.made('old', version='1.0.0')))


@attack('below the minimum of the trust policy')
def _(b):
    b.store.trust = Trust(b.trust.signers, True, {'small': counter_of('1.0.2')})
    b.install(b.members())


# what lies installed

def changed(name: str):
    """Enter an attack that changes the installed module by hand; serving it has to fail."""
    def enter(function):
        def act(bench):
            function(bench)
            bench.inside = True
            bench.serve()
        ATTACKS[name] = act
        return function
    return enter


@changed('a file more')
def _(b):
    (b.installed / 'evil.so').write_bytes(b'evil')


@changed('a file less')
def _(b):
    (b.installed / 'step.onnx').unlink()


@changed('a link in the place of a file')
def _(b):
    (b.installed / 'step.onnx').rename(b.work / 'step.onnx')
    (b.installed / 'step.onnx').symlink_to(b.work / 'step.onnx')


@changed('a link in the place of the envelope')
def _(b):
    (b.installed / envelope.FILE).rename(b.work / envelope.FILE)
    (b.installed / envelope.FILE).symlink_to(b.work / envelope.FILE)


@changed('a pipe in the place of a file')
def _(b):
    (b.installed / 'step.onnx').unlink()
    os.mkfifo(b.installed / 'step.onnx')


@changed('a folder in the place of a file')
def _(b):
    (b.installed / 'step.onnx').unlink()
    (b.installed / 'step.onnx').mkdir()


@changed('a file of a terabyte')
def _(b):
    os.truncate(b.installed / 'step.onnx', 2**40)


@changed('another signed module in its place')
def _(b):
    for path in b.made('swapped', files={'see.onnx': b'other'}).iterdir():
        (b.installed / path.name).write_bytes(path.read_bytes())


@changed('a pointer to another module')
def _(b):
    other = b.store.install(b.made('later', files={'see.onnx': b'other'}, version='1.0.2'))
    path = b.store.folder / active_set.FILE
    path.write_bytes(path.read_bytes().replace(b.installed.name.encode(),
                                               other.path.name.encode()))


@changed('a pointer out of the store')
def _(b):
    now = b.store.pointer()
    text = active_set.encode(now).replace(b.installed.name.encode(), b'../../module')
    said = json.loads(text)
    del said['sha256']
    (b.store.folder / active_set.FILE).write_bytes(
        canonical_json.canonical({**said, 'sha256': active_set.checksum(said)}) + b'\n')


@changed('a pointer that is a link')
def _(b):
    path = b.store.folder / active_set.FILE
    path.rename(b.work / active_set.FILE)
    path.symlink_to(b.work / active_set.FILE)


@changed('an empty pointer')
def _(b):
    (b.store.folder / active_set.FILE).write_bytes(b'')
