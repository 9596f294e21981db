# SPDX-License-Identifier: Apache-2.0
"""Signs a module folder: one envelope over all its bytes."""

from pathlib import Path

from ami_ros.modules import envelope
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.folder import entries, read_file
from ami_ros.modules.keys import Signer
from ami_ros.modules.module import digest, examine, Module, open_folder
from ami_ros.modules.trust import Trust, Who


def counter_of(version: str) -> int:
    """Make a counter of a version: 1.2.3 is 1 0002 0003."""
    major, minor, patch = map(int, version.split('.'))
    return (major * 10_000 + minor) * 10_000 + patch


def sign(path: Path, key: Signer, counter: int | None = None) -> Module:
    """Write the envelope of a folder; return the module as it is then.

    What is signed is what was opened: every file once, against the manifest. A file beside the
    module's own is refused, since it would be refused ever after.
    """
    module = as_unsigned(path)
    manifest = (path / envelope.MANIFEST).read_bytes()
    if digest(manifest) != module.id:
        raise ModuleError(f'{path / envelope.MANIFEST} changed while it was read')
    counter = counter_of(module.manifest['version']) if counter is None else counter
    if counter < 0:
        raise ModuleError(f'counter {counter} is less than 0')
    statement = envelope.Statement(
        module.manifest['name'], module.manifest['version'], counter, module.kind,
        module.manifest['latent_space'], {envelope.MANIFEST: module.id,
                                          **module.manifest['files']})
    partial = path.with_name(f'.{path.name}.{envelope.FILE}')
    partial.write_bytes(envelope.seal(statement, key.id, key.sign))
    partial.replace(path / envelope.FILE)
    own = Trust({key.id: Who('you', key.public, ('*',), ('*',))})
    return open_folder(path, own, required=True)


def as_unsigned(path: Path) -> Module:
    """Open a folder by its manifest alone, whatever signature lies there: to be signed anew."""
    names = [name for name in entries(path) if name != envelope.FILE]
    if envelope.MANIFEST not in names:
        raise ModuleError(f'{path} is not a module: it holds {names or "nothing"}, not '
                          f'{envelope.MANIFEST}')
    return examine(path, {name: read_file(path / name) for name in names}, Trust({}), False,
                   names)
