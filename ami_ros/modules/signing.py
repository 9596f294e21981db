# SPDX-License-Identifier: Apache-2.0
"""Signs a module folder: one envelope over all its bytes."""

import json
from pathlib import Path

from ami_ros.modules import canonical_json
from ami_ros.modules import signature_envelope as envelope
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.folder_reader import entries, read_file
from ami_ros.modules.module import digest, examine, Module, open_folder
from ami_ros.modules.signing_keys import Signer
from ami_ros.modules.store_disk_operations import Disk
from ami_ros.modules.trusted_keys import Trust, Who


def counter_of(version: str) -> int:
    """Make a counter of a version: 1.2.3 is 1 0002 0003."""
    major, minor, patch = map(int, version.split('.'))
    return (major * 10_000 + minor) * 10_000 + patch


def sign(path: Path, key: Signer, counter: int | None = None,
         figures: list[dict[str, str]] | None = None) -> Module:
    """Write the envelope of a folder; return the module as it is then.

    Figures that were measured with it take the place of those in the manifest.

    What is signed is what was opened: every file once, against the manifest. A file beside the
    module's own is refused, since it would be refused ever after.
    """
    if figures:
        said = as_unsigned(path).manifest
        (path / envelope.MANIFEST).write_text(
            json.dumps({**said, 'figures': figures}, indent=1, sort_keys=True) + '\n')
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
    beside = path.with_name(f'.{path.name}.{envelope.FILE}')      # not in the module, half written
    Disk().put(beside, envelope.seal(statement, key.id, key.sign))
    beside.replace(path / envelope.FILE)
    own = Trust({key.id: Who('you', key.public, ('*',), ('*',))})
    return open_folder(path, own, required=True)


def figures(report: Path) -> list[dict[str, str]]:
    """Make the figures of a report of `ami-ros evaluate` or `robustness`, with their protocol."""
    try:
        said = canonical_json.parse(report.read_bytes(), str(report))
        asked = said['protocol']
        rows = said.get('conditions') or [{
            'name': 'a third of the furniture moved' if asked['furniture_moved'] else '', **said}]
        verb = 'robustness' if 'conditions' in said else 'evaluate'
        return [{
            'what': f'success, {asked["goal_steps"]} actions of 0.25 s'
                    + (f', {row["name"].replace("_", " ")}' if row['name'] else ''),
            'value': f'{100 * row["success_rate"]:.1f} % of {len(row["episodes"])}; '
                     + (f'{100 * row["false_arrival_rate"]:.1f} % false arrivals; '
                        if 'false_arrival_rate' in row else '')
                     + f'{100 * row["collision_rate"]:.1f} % with a collision',
            'protocol': f'{asked["module"]} {asked.get("module_version", "?")}, room '
                        f'{asked["world_seed"]}, seed {asked["seed"]}: ami-ros {verb} '
                        f'--goal-steps {asked["goal_steps"]} --episodes {len(row["episodes"])}'}
            for row in rows]
    except (OSError, KeyError, TypeError, ValueError) as why:
        raise ModuleError(f'{report} is no report of ami-ros evaluate or robustness: {why!r}'
                          ) from None


def as_unsigned(path: Path) -> Module:
    """Open a folder by its manifest alone, whatever signature lies there: to be signed anew."""
    names = [name for name in entries(path) if name != envelope.FILE]
    if envelope.MANIFEST not in names:
        raise ModuleError(f'{path} is not a module: it holds {names or "nothing"}, not '
                          f'{envelope.MANIFEST}')
    return examine(path, {name: read_file(path / name) for name in names}, Trust({}), False,
                   names)
