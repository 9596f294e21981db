# SPDX-License-Identifier: Apache-2.0
"""
Which files a recording has, and what its metadata.yaml promises of them.

A recording is a folder, or a single file. metadata.yaml gives the order of the files and how many
messages there should be; what a file is and what it holds is read from the file itself.
"""

import atexit
from dataclasses import dataclass, field
from pathlib import Path, PurePath
import shutil
import tempfile

import yaml
import zstandard

from ami_ros.core.errors import AmiError
from ami_ros.recording.bag_metadata import NAME
from ami_ros.recording.repair import in_order

MCAP, SQLITE, ZSTD = b'\x89MCAP0\r\n', b'SQLite format 3\0', b'\x28\xb5\x2f\xfd'
PACKED = '.zstd'
PATTERNS = ('*.mcap', '*.db3', f'*.mcap{PACKED}', f'*.db3{PACKED}')
BEGINNING = 16      # bytes that tell what a file is


@dataclass(frozen=True)
class Listing:
    """The files of a recording in order, and what is promised of them."""

    files: tuple[Path, ...]
    promised: dict[str, int] = field(default_factory=dict)  # messages by topic, where it is said
    said: bool = False              # there is a metadata.yaml that can be read
    wrong: str = ''                 # why the one that is there cannot be used


def listing(bag: Path) -> Listing:
    """List what belongs to a recording; ValueError where there is none, or a file is missing."""
    if bag.is_file():
        return Listing((bag,))
    if not bag.is_dir():
        raise AmiError(f'there is no recording at {bag}; a folder with *.mcap or *.db3 files '
                       'is one, or such a file')
    wrong, text = '', ' '
    try:
        text = (bag / NAME).read_text()
        info = yaml.safe_load(text)['rosbag2_bagfile_information']
        names = [PurePath(name).name for name in info['relative_file_paths']]
        if names:       # a file that is named twice is read once
            return Listing(tuple(found(bag, name) for name in dict.fromkeys(names)),
                           promised(info), True)
        wrong = f'{NAME} names no file'
    except FileNotFoundError as missing:
        if Path(missing.filename or NAME).name != NAME:
            raise
    except AmiError:
        raise
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError) as why:
        wrong = f'{NAME} is empty' if not text else (
            f'{NAME} cannot be read ({" ".join(repr(why).split())[:200]})')
    files = sorted({path for pattern in PATTERNS for path in bag.glob(pattern)}, key=in_order)
    for path in files:
        if not path.is_file():      # opening a pipe would wait for ever
            raise AmiError(f'{path} is no regular file, but a folder, a pipe or a link that '
                           'leads nowhere; remove it, or put there what it stands for')
    if not files:
        holds = ', '.join(sorted(path.name for path in bag.iterdir())) or 'nothing'
        raise AmiError(f'there is no recording at {bag}; a folder with *.mcap or *.db3 files '
                       f'is one, or such a file; it holds: {holds}'
                       + (f'; its {wrong}' if wrong else ''))
    return Listing(tuple(files), wrong=wrong)


def found(bag: Path, name: str) -> Path:
    """Return the file that metadata.yaml names, packed or unpacked since; ValueError for none."""
    for there in (name, name + PACKED, name.removesuffix(PACKED)):
        if (bag / there).is_file():
            return bag / there
    holds = ', '.join(sorted(path.name for path in bag.iterdir())
                      ) or 'nothing'
    raise AmiError(f'{bag} lacks {name}, which its {NAME} names; it holds: {holds}. Copy the '
                   f'file there, or correct relative_file_paths in {NAME}')


def promised(info: dict) -> dict[str, int]:
    """Return how many messages metadata.yaml promises of each topic."""
    out: dict[str, int] = {}
    for one in info.get('topics_with_message_count') or ():
        try:
            name, count = one['topic_metadata']['name'], int(one['message_count'])
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
        out[name] = out.get(name, 0) + count
    return out


def kind_of(path: Path) -> bytes:
    """Tell what a file is by its first bytes: MCAP, SQLITE, ZSTD or b''."""
    with open(path, 'rb') as file:
        head = file.read(BEGINNING)
    return next((kind for kind in (MCAP, SQLITE, ZSTD) if head.startswith(kind)), b'')


_unpacked: dict[tuple, Path] = {}       # (path, size, time of change): where it lies unpacked


def unpacked(path: Path) -> Path:
    """Return a file as it was before it was compressed as a whole; it is removed at exit.

    OSError says what helps where there is no room for it.
    """
    stat = path.stat()
    key = path.absolute(), stat.st_size, stat.st_mtime_ns
    if key in _unpacked:
        return _unpacked[key]
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix='ami_ros_bag_'))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        plain = folder / path.name.removesuffix(PACKED)
        with open(path, 'rb') as source, open(plain, 'wb') as target:
            zstandard.ZstdDecompressor().copy_stream(source, target)
        if not plain.stat().st_size:
            raise zstandard.ZstdError('it is cut short')
    except zstandard.ZstdError as why:
        raise AmiError(f'{path} is compressed with zstd and cannot be unpacked: {why}; the file '
                       'is damaged: copy it again from where it was recorded') from None
    except OSError as why:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise OSError(f'{path} is compressed as a whole, and there is no room to unpack it '
                      f'({folder or "temporary folder"}: {why.strerror or why}); set TMPDIR to a '
                      f'folder with more room than {stat.st_size / 1e9:.2f} GB, or unpack it with '
                      '`zstd -d`') from None
    _unpacked[key] = plain
    return plain
