# SPDX-License-Identifier: Apache-2.0
"""Ed25519 keys in files, and the name of a key: the sha256 of its 32 public bytes."""

import hashlib
import os
from pathlib import Path

from ami_ros.modules.errors import ModuleError

MISSING = ('cryptography is not installed, so no signature can be checked: pip install '
           'cryptography, or apt install python3-cryptography')


def _library():
    """Import what does the arithmetic; ModuleError says how to install it."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as missing:
        raise ModuleError(MISSING) from missing
    return ed25519, serialization


def key_id(public: bytes) -> str:
    """Name a public key of 32 bytes."""
    return hashlib.sha256(public).hexdigest()


class Signer:
    """A private key."""

    def __init__(self, private):
        self._private = private
        _, kinds = _library()
        self.public = private.public_key().public_bytes(kinds.Encoding.Raw,
                                                        kinds.PublicFormat.Raw)
        self.id = key_id(self.public)

    @classmethod
    def new(cls) -> 'Signer':
        """Make a key out of the system's randomness."""
        return cls(_library()[0].Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, path: Path) -> 'Signer':
        """Read a private key; ModuleError says what else the file is."""
        ed25519, kinds = _library()
        try:
            private = kinds.load_pem_private_key(path.read_bytes(), password=None)
        except OSError as why:
            raise ModuleError(f'{path} cannot be read: {why.strerror}; make a key with '
                              'ami-ros modules keygen') from why
        except (ValueError, TypeError) as why:
            raise ModuleError(f'{path} is no private key without a password: {why}') from why
        if not isinstance(private, ed25519.Ed25519PrivateKey):
            raise ModuleError(f'{path} is another kind of key than Ed25519; make one with '
                              'ami-ros modules keygen')
        return cls(private)

    def sign(self, data: bytes) -> bytes:
        """Sign; 64 bytes."""
        return self._private.sign(data)

    def write(self, path: Path) -> None:
        """Write the private half for its owner's eyes alone; never over another file."""
        _, kinds = _library()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise ModuleError(f'{path} is there already; a key is never written over') from None
        with os.fdopen(handle, 'wb') as file:
            file.write(self._private.private_bytes(
                kinds.Encoding.PEM, kinds.PrivateFormat.PKCS8, kinds.NoEncryption()))


def pem(public: bytes) -> bytes:
    """Write a public key as a file."""
    ed25519, kinds = _library()
    return ed25519.Ed25519PublicKey.from_public_bytes(public).public_bytes(
        kinds.Encoding.PEM, kinds.PublicFormat.SubjectPublicKeyInfo)


def read_public(path: Path) -> bytes:
    """Read the 32 bytes of a public key from a file; ModuleError says what else it is."""
    ed25519, kinds = _library()
    try:
        data = path.read_bytes()
        key = kinds.load_pem_public_key(data)
        public = key.public_bytes(kinds.Encoding.Raw, kinds.PublicFormat.Raw)
    except OSError as why:
        raise ModuleError(f'{path} cannot be read: {why.strerror}') from why
    except Exception as why:        # its errors have no common base of their own
        raise ModuleError(f'{path} is no public Ed25519 key: {why}') from why
    return public


def good(public: bytes, signature: bytes, data: bytes) -> bool:
    """Tell whether a signature is this key's, of these bytes."""
    from cryptography.exceptions import InvalidSignature
    try:
        _library()[0].Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except InvalidSignature:
        return False
    return True
