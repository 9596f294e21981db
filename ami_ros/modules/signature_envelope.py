# SPDX-License-Identifier: Apache-2.0
"""
The signature of a module: a DSSE envelope around an in-toto statement, Ed25519.

https://github.com/secure-systems-lab/dsse and https://in-toto.io/Statement/v1. The statement names
every file with its sha256, and what may be relied on before any of them is read. Each byte of an
envelope counts: it has to be what `seal` would write of the same content.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
import re

from ami_ros.modules import canonical_json
from ami_ros.modules.errors import ModuleError

FILE = 'envelope.json'
MANIFEST = 'manifest.json'
PAYLOAD_TYPE = 'application/vnd.in-toto+json'
STATEMENT = 'https://in-toto.io/Statement/v1'
PREDICATE = 'https://ami-ros.example.org/module/v1'
NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]{0,63}')       # of a module, and of a file in it
HASH = re.compile('[0-9a-f]{64}')
TEXTS = ('name', 'version', 'kind', 'latent_space')         # of the predicate, besides the counter


@dataclass(frozen=True)
class Statement:
    """What a signature vouches for."""

    name: str
    version: str
    counter: int            # of two releases of a name the later one has the higher
    kind: str
    latent_space: str
    files: Mapping[str, str]        # name: sha256, hex

    def payload(self) -> bytes:
        """Write the in-toto statement."""
        return canonical_json.canonical({
            '_type': STATEMENT, 'predicateType': PREDICATE,
            'subject': [{'name': name, 'digest': {'sha256': self.files[name]}}
                        for name in sorted(self.files)],
            'predicate': {'counter': self.counter,
                          **{text: getattr(self, text) for text in TEXTS}}})


@dataclass(frozen=True)
class Envelope:
    """An envelope whose form is right; nothing in it is to be believed yet."""

    payload: bytes
    key: str                # id of the key that it says it was signed with
    signature: bytes

    def signed(self) -> bytes:
        """Return the bytes that the signature is of: DSSE's pre-authentication encoding."""
        return pae(PAYLOAD_TYPE, self.payload)


def pae(kind: str, payload: bytes) -> bytes:
    """Encode type and payload so that neither can run into the other (DSSE v1)."""
    return b'DSSEv1 %d %s %d %s' % (len(kind.encode()), kind.encode(), len(payload), payload)


def seal(statement: Statement, key: str, sign: Callable[[bytes], bytes]) -> bytes:
    """Make the bytes of an envelope."""
    payload = statement.payload()
    return _write(payload, key, sign(pae(PAYLOAD_TYPE, payload)))


def _write(payload: bytes, key: str, signature: bytes) -> bytes:
    return canonical_json.canonical({
        'payload': base64.b64encode(payload).decode(), 'payloadType': PAYLOAD_TYPE,
        'signatures': [{'keyid': key, 'sig': base64.b64encode(signature).decode()}]})


def read(data: bytes, what: str = FILE) -> Envelope:
    """Read an envelope; ModuleError where a byte is not as it would be written."""
    try:
        said = canonical_json.parse(data, what)
        (signature,) = said['signatures']
        found = Envelope(base64.b64decode(said['payload'], validate=True), signature['keyid'],
                         base64.b64decode(signature['sig'], validate=True))
        kind = said['payloadType']
        same = (isinstance(found.key, str)
                and _write(found.payload, found.key, found.signature) == data)
    except (KeyError, TypeError, ValueError, binascii.Error) as why:
        raise ModuleError(f'{what} is no envelope with one signature: {why}') from None
    if kind != PAYLOAD_TYPE:
        raise ModuleError(f'{what} holds {kind!r}, not {PAYLOAD_TYPE}')
    if not same:
        raise ModuleError(f'{what} is not written as ami-ros modules sign writes it, byte for '
                          'byte; sign the module again')
    return found


def statement_of(payload: bytes, what: str = FILE) -> Statement:
    """Read a payload whose signature was found good; ModuleError where it says something else."""
    try:
        said = canonical_json.parse(payload, f'the statement in {what}')
        files = {one['name']: one['digest']['sha256'] for one in said['subject']}
        about = said['predicate']
        found = Statement(counter=about['counter'], files=files,
                          **{text: about[text] for text in TEXTS})
        right = (type(found.counter) is int and found.counter >= 0 and MANIFEST in files
                 and FILE not in files and found.payload() == payload
                 and all(isinstance(getattr(found, text), str) for text in TEXTS)
                 and all(NAME.fullmatch(name) for name in (found.name, *files))
                 and all(HASH.fullmatch(value) for value in files.values()))
    except (KeyError, TypeError, ValueError, AttributeError) as why:
        raise ModuleError(f'the statement in {what} is not one of a module: {why!r}') from None
    if not right:
        raise ModuleError(f'the statement in {what} is not one that ami-ros modules sign writes')
    return found
