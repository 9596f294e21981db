# SPDX-License-Identifier: Apache-2.0
"""Hashes the code, policy and module that a report was measured with, to find stale reports."""

import hashlib
import json
from pathlib import Path

from ami_ros.core.share import share
from ami_ros.modules import golden
from ami_ros.modules.module import Module

PACKAGE = Path(__file__).resolve().parents[1]
SUFFIXES = ('.py', '.yaml', '.urdf')
HASHED = 12                 # hex digits of hashes in a report
CRITIC = ('core', 'critic', 'robots', 'sim', 'config/robots', 'urdf')
LOOP = (*CRITIC, 'actor', 'inference', 'mind.py', 'modules/module.py', 'perception', 'world_model',
        'validation/evaluate.py', 'validation/oracle.py', 'validation/planners.py',
        'validation/protocol.py')
CODE = {                    # kind of report: files and folders that its figures depend on
    'evaluate': LOOP,
    'robustness': (*LOOP, 'validation/robustness.py'),
    'out_of_distribution': (*LOOP, 'training/driver.py', 'training/tour.py',
                            'validation/out_of_distribution.py', 'validation/robustness.py'),
    'tours': (*LOOP, 'training/tour.py', 'validation/robustness.py', 'validation/tours'),
    'image_rates': ('robots', 'sim', 'config/robots', 'urdf',
                    'validation/benchmarks/image_rates.py'),
    'adversarial': (*CRITIC, 'validation/adversarial'),
    'lies': (*CRITIC, 'validation/adversarial', 'validation/sensor_lies'),
}


def code(kind: str) -> str:
    """Return a hash of the source files that a kind of report depends on.

    Raises FileNotFoundError if one of them does not exist; otherwise a wrong entry of CODE would
    go unnoticed, and changes of that file would not make a report stale.
    """
    whole = hashlib.sha256()
    for part in CODE[kind]:
        root = PACKAGE / part if (PACKAGE / part).exists() else share(part)
        files = [root] if root.is_file() else sorted(
            path for path in root.rglob('*') if path.suffix in SUFFIXES)
        for file in files:
            name = part if file == root else f'{part}/{file.relative_to(root).as_posix()}'
            whole.update(name.encode() + file.read_bytes())
    return whole.hexdigest()[:HASHED]


def content(module: Module) -> str:
    """Return a hash of a module's networks, arrays, gates and out_of_distribution threshold.

    Its version, card, signature and golden inputs do not count.
    """
    said = module.manifest
    files = {name: hashed for name, hashed in said['files'].items() if name != golden.FILE}
    text = json.dumps([files, said['gates'], said.get('out_of_distribution')], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:HASHED]


def measured(kind: str, policy_hash: str = '', module: Module | None = None) -> dict[str, str]:
    """Return the entry `measured` of a report: its kind and the hashes of what it depends on."""
    said = {'kind': kind, 'code': code(kind)}
    said |= {'policy': policy_hash[:HASHED]} if policy_hash else {}
    return said if module is None else said | {'module': content(module)}


def stale(said: dict[str, str], policy_hash: str, module: Module) -> list[str]:
    """Return which of 'code', 'policy' and 'module' differ today from those of the report."""
    today = measured(said['kind'], policy_hash if 'policy' in said else '',
                     module if 'module' in said else None)
    return [name for name, value in today.items() if value != said.get(name)]
