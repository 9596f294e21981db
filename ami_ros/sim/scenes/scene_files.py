# SPDX-License-Identifier: Apache-2.0
"""Scene files: a scene as JSON, written whole, checked when it is read."""

from dataclasses import asdict, fields, is_dataclass, MISSING
import json
from pathlib import Path
import types
import typing

from ami_ros.core.errors import AmiError
from ami_ros.sim.scenes.scene import check, Scene

FORMAT = 'ami_ros scene 1'
MOST_BYTES = 20_000_000


def write(path: Path, scene: Scene) -> None:
    """Write a scene file, whole or not at all."""
    text = json.dumps({'format': FORMAT, 'scene': asdict(scene)}, indent=1)
    temporary = path.with_suffix(path.suffix + '.partial')
    temporary.write_text(text + '\n')
    temporary.replace(path)


def read(path: Path) -> Scene:
    """Read a scene file; ValueError names the file and, in one sentence, what cannot be."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise AmiError(f'it has more than {MOST_BYTES} bytes')
        content = json.loads(path.read_text())
        if not isinstance(content, dict) or content.get('format') != FORMAT:
            raise AmiError(f'it does not say "format": "{FORMAT}"')
        return check(made(Scene, content.get('scene'), 'scene'))
    except OSError as why:
        raise AmiError(f'scene file {path} cannot be read: {why.strerror}') from why
    except (ValueError, RecursionError) as why:
        raise AmiError(f'scene file {path}: {why}') from None


def made(kind, value, where: str):
    """Make a value of a type from what JSON says; ValueError says where it is something else."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else made(parts[0], value, where)
    if is_dataclass(kind):
        return built(kind, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise AmiError(f'{where} is no list')
        if parts[-1] is ...:
            return tuple(made(parts[0], v, f'{where}[{i}]') for i, v in enumerate(value))
        if len(value) != len(parts):
            raise AmiError(f'{where} has {len(value)} values; {len(parts)} are needed')
        return tuple(made(p, v, f'{where}[{i}]') for i, (p, v) in enumerate(zip(parts, value)))
    if kind is float and type(value) in (int, float):
        return float(value)
    if type(value) is not kind:
        raise AmiError(f'{where} = {value!r} is not of type {kind.__name__}')
    return value


def built(kind, value, where: str):
    """Make a dataclass from a JSON object."""
    if not isinstance(value, dict):
        raise AmiError(f'{where} is no object')
    known = {f.name: f for f in fields(kind)}
    for key in value:
        if key not in known:
            raise AmiError(f'{where} has an unknown key {key!r}; there are: {", ".join(known)}')
    missing = [n for n, f in known.items() if f.default is MISSING and n not in value]
    if missing:
        raise AmiError(f'{where} lacks {", ".join(missing)}')
    hints = typing.get_type_hints(kind)
    return kind(**{key: made(hints[key], one, f'{where}.{key}') for key, one in value.items()})
