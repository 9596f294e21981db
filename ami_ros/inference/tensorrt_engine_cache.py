# SPDX-License-Identifier: Apache-2.0
"""
Keeps built engines: what is damaged, foreign or open to others is discarded, never loaded.

An engine is machine code: loading one runs it. A hash in the file finds damage and mistakes, not
an attacker, so the folder has to belong to whoever runs this, and nobody else may write there.
"""

from dataclasses import asdict, dataclass
import hashlib
import json
import logging
import os
from pathlib import Path

LOG = logging.getLogger(__name__)
MAGIC = b'ami_ros engine 1\n'
LONGEST_HEADER = 4096


@dataclass(frozen=True)
class Key:
    """All that an engine hangs on."""

    network: str            # sha256 of the ONNX bytes as they were parsed
    tensorrt: str           # version
    gpu: str                # name
    capability: tuple[int, int]
    driver: int
    precision: str
    profile: tuple[int, int, int]
    options: str = ''

    @property
    def name(self) -> str:
        """Name of the file."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32] + '.engine'

    @property
    def text(self) -> str:
        """Write it so that the same key is the same text."""
        return json.dumps(asdict(self), sort_keys=True)


class Cache:
    """A folder of engines and what was learned of timings; without one it keeps nothing."""

    def __init__(self, folder: Path | None):
        self.folder = folder
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            about = folder.stat()
        except OSError as why:
            self._do_without(f'{folder} cannot be made: {why.strerror}')
            return
        if about.st_uid != os.getuid():
            self._do_without(f'{folder} belongs to user {about.st_uid}, not to {os.getuid()}')
        elif about.st_mode & 0o022:
            self._do_without(f'others may write to {folder}: chmod go-w {folder}')

    def _do_without(self, why: str) -> None:
        LOG.warning('engines are built at each start: %s', why)
        self.folder = None

    def get(self, key: Key) -> bytes | None:
        """Return an engine that was built for exactly this, or None."""
        return self._read(key.name, key.text)

    def put(self, key: Key, engine: bytes) -> None:
        """Keep an engine; a full disk costs a build at the next start and nothing else."""
        self._write(key.name, key.text, engine)

    def timings(self, key: Key) -> bytes:
        """Return what TensorRT learned on this GPU, or nothing."""
        return self._read(*self._timings(key)) or b''

    def put_timings(self, key: Key, learned: bytes) -> None:
        """Keep it."""
        if learned:
            self._write(*self._timings(key), learned)

    def _timings(self, key: Key) -> tuple[str, str]:
        text = json.dumps({'timings': [key.tensorrt, key.gpu, key.capability, key.driver]})
        return hashlib.sha256(text.encode()).hexdigest()[:32] + '.timings', text

    def _read(self, name: str, key: str) -> bytes | None:
        if self.folder is None or not (self.folder / name).exists():
            return None
        try:
            wrong, body = judged((self.folder / name).read_bytes(), key)
        except OSError as why:
            wrong, body = str(why.strerror), b''
        if not wrong:
            return body
        LOG.warning('%s is discarded: %s', self.folder / name, wrong)
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError as why:
            LOG.warning('%s cannot be removed: %s', self.folder / name, why.strerror)
        return None

    def _write(self, name: str, key: str, body: bytes) -> None:
        if self.folder is None:
            return
        header = json.dumps({'key': key, 'sha256': hashlib.sha256(body).hexdigest()}).encode()
        temporary = self.folder / f'{name}.{os.getpid()}.partial'
        try:
            with open(temporary, 'wb') as file:
                file.write(MAGIC + len(header).to_bytes(4, 'little') + header + body)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.folder / name)
        except OSError as why:
            temporary.unlink(missing_ok=True)
            LOG.warning('%s is not kept: %s', self.folder / name, why.strerror)


def judged(data: bytes, key: str) -> tuple[str, bytes]:
    """Return what is wrong with a file of the cache, '' if nothing is, and what it holds."""
    if not data.startswith(MAGIC):
        return 'it is no engine of ours', b''
    at = len(MAGIC) + 4
    size = int.from_bytes(data[len(MAGIC):at], 'little')
    try:
        if size > LONGEST_HEADER:
            raise ValueError
        header = json.loads(data[at:at + size])
        said, digest = header['key'], header['sha256']
    except (ValueError, KeyError, TypeError):
        return 'its header is damaged', b''
    if said != key:
        return f'it was built for {said}, not for {key}', b''
    body = data[at + size:]
    if hashlib.sha256(body).hexdigest() != digest:
        return 'its bytes are damaged', b''
    return '', body
