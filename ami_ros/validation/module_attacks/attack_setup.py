# SPDX-License-Identifier: Apache-2.0
"""
What an attacker finds: a small signed module, installed and active on a robot, and some keys.

One key is trusted to sign the module, one for other names only, one by nobody.
"""

import base64
import json
from pathlib import Path

import numpy as np

from ami_ros.modules import archive, canonical_json
from ami_ros.modules import signature_envelope as envelope
from ami_ros.modules.module import digest, npy, write
from ami_ros.modules.module_store import Store
from ami_ros.modules.signing import counter_of, sign
from ami_ros.modules.signing_keys import Signer
from ami_ros.modules.store_disk_operations import Disk
from ami_ros.modules.trusted_keys import Trust, Who
from ami_ros.robots.find_robot import find

ROVER = find('rover')
MANIFEST = {'name': 'small', 'version': '1.0.1', 'latent_space': 'abc', 'robot': 'rover',
            'kind': 'rover-jepa', 'axes': list(ROVER.axes), 'limits': list(ROVER.limits),
            'horizon': 8, 'map_cell_m': 0.1, 'surprise_scale': 0.1,
            'camera': {'size': [64, 64], 'hfov_rad': ROVER.camera_hfov_rad}}
FILES = {'see.onnx': b'sees', 'step.onnx': b'steps' * 200, 'imagine.onnx': b'imagines',
         'map_cost.npy': npy(np.ones((2, 3))), 'map_origin.npy': npy(np.zeros(2))}
ORDER = 2**252 + 27742317777372353535851937790883648493     # of the group of Ed25519


class Nothing:
    """Proves nothing."""

    device = 'none'

    def __call__(self, module):
        return {'device': self.device}


class Hasty(Disk):
    """Syncs nothing: here nobody cuts the power."""

    def do(self, what, path, *more):
        if what != 'sync':
            super().do(what, path, *more)


class Bench:
    """What an attacker finds."""

    def __init__(self, work: Path):
        self.work, self.watched = work, work / 'robot'
        self.builder, self.other, self.stranger = Signer.new(), Signer.new(), Signer.new()
        self.trust = Trust({
            self.builder.id: Who('builder', self.builder.public, ('small',), ('rover-jepa',)),
            self.other.id: Who('other', self.other.public, ('another*',), ('*',))}, required=True)
        self.store = Store(self.watched / 'store', self.trust, True, Hasty())
        self.module = self.made()
        self.installed = self.store.install(self.module).path
        self.active = self.store.activate(['small'], ROVER, Nothing())
        self.inside = False         # the attacker changed the robot's files by hand

    def made(self, where='module', signer=None, files=None, **values) -> Path:
        """Write a module as a builder would, and sign it."""
        path = self.work / where
        write(path, {**MANIFEST, **values}, {**FILES, **(files or {})})
        sign(path, signer or self.builder)
        return path

    def members(self, path=None) -> dict[str, bytes]:
        """Return the files of a module, envelope first."""
        files = {p.name: p.read_bytes() for p in (path or self.module).iterdir()}
        return {name: files[name] for name in archive.order(files)}

    def forged(self, manifest: bytes, files=None, signer=None, **values) -> dict[str, bytes]:
        """Sign whatever bytes as a manifest: a trusted builder whose tools are not ours."""
        files = FILES if files is None else files
        said = {'name': 'small', 'version': '1.0.1', 'kind': 'rover-jepa', 'latent_space': 'abc',
                'counter': counter_of('1.0.1'), **values}
        files = {envelope.MANIFEST: manifest, **files}
        signer = signer or self.builder
        statement = envelope.Statement(files={n: digest(d) for n, d in files.items()}, **said)
        return {envelope.FILE: envelope.seal(statement, signer.id, signer.sign), **files}

    def enveloped(self, payload=None, **values) -> dict[str, bytes]:
        """Return the members with another envelope, signed by the builder."""
        said = json.loads(self.members()[envelope.FILE])
        payload = base64.b64decode(said['payload']) if payload is None else payload
        said['payload'] = base64.b64encode(payload).decode()
        signature = self.builder.sign(envelope.pae(envelope.PAYLOAD_TYPE, payload))
        said['signatures'][0]['sig'] = base64.b64encode(signature).decode()
        return {**self.members(), envelope.FILE: canonical_json.canonical({**said, **values})}

    def statement(self) -> dict:
        """Return what the builder signed."""
        return json.loads(base64.b64decode(
            json.loads(self.members()[envelope.FILE])['payload']))

    def install(self, what: bytes | dict[str, bytes]) -> None:
        """Bring an archive to the robot."""
        path = self.work / 'attack.tar'
        path.write_bytes(what if isinstance(what, bytes) else archive.pack(what))
        self.store.install(path)

    def serve(self) -> None:
        """Open the active set, as a mind does."""
        from ami_ros.modules.module import open_module
        open_module(None, True, self.store.folder, self.trust)
