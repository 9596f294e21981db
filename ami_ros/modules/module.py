# SPDX-License-Identifier: Apache-2.0
"""Opens a module folder: its manifest, every byte checked against it, and its arrays."""

from dataclasses import dataclass
import hashlib
import io
import json
from pathlib import Path

import numpy as np

from ami_ros.agent.robots.robot import Robot
from ami_ros.modules import camera

FORMAT = 1
NETWORKS = ('see', 'step', 'imagine')
NEEDED = ('name', 'version', 'latent_space', 'robot', 'axes', 'limits', 'camera', 'horizon',
          'map_cell_m', 'surprise_scale')
SHIPPED = Path(__file__).resolve().parent / 'shipped'


class ModuleError(ValueError):
    """A module that cannot be used; one sentence that names what is wrong and what is right."""


@dataclass(frozen=True, eq=False)
class Module:
    """A module's manifest and the bytes that were checked; nothing is read twice."""

    path: Path
    manifest: dict
    files: dict[str, bytes]

    def array(self, name: str) -> np.ndarray:
        """Read an array file of the module, e.g. 'map_cost'."""
        file = f'{name}.npy'
        if file not in self.files:
            raise ModuleError(f'{self.path} has no {file}; it has: {", ".join(self.files)}')
        try:
            return np.load(io.BytesIO(self.files[file]), allow_pickle=False)
        except (ValueError, OSError, EOFError) as why:
            raise ModuleError(f'{self.path / file} is no array file: {why}') from why

    @property
    def camera(self) -> camera.CameraContract:
        """What it wants to see; `fits` has read it before."""
        return camera.contract(self.manifest['camera'])

    @property
    def camera_size(self) -> tuple[int, int]:
        """Width and height of the network's input."""
        return tuple(self.manifest['camera']['size'])


def digest(data: bytes) -> str:
    """Hash as the manifest writes it."""
    return hashlib.sha256(data).hexdigest()


def shipped() -> Path:
    """Return the module that comes with the package."""
    found = sorted(p.parent for p in SHIPPED.glob('*/manifest.json'))
    if not found:
        raise ModuleError('no module ships with this checkout; make one with ami-ros collect '
                          'and ami-ros train, and name it with --module')
    return found[0]


def open_module(path: Path | str | None = None) -> Module:
    """Open and check a module. ModuleError says what is wrong with it."""
    path = shipped() if path is None or str(path) == '' else Path(path)
    manifest_path = path / 'manifest.json'
    if not manifest_path.is_file():
        there = sorted(p.name for p in path.iterdir()) if path.is_dir() else 'nothing'
        raise ModuleError(f'{path} is not a module: it holds {there}, not manifest.json')
    try:
        manifest = json.loads(manifest_path.read_text())
        listed = dict(manifest['files'])
        wrong = manifest['format'] != FORMAT
    except (ValueError, KeyError, TypeError, OSError) as why:
        raise ModuleError(f'{manifest_path} is damaged: {why!r}') from why
    if wrong:
        raise ModuleError(f'{manifest_path} has format {manifest["format"]}, '
                          f'this version reads {FORMAT}')
    lacking = ([name for name in NEEDED if name not in manifest]
               + [f'{n}.onnx' for n in NETWORKS if f'{n}.onnx' not in listed])
    if lacking:
        raise ModuleError(f'{manifest_path} does not say {", ".join(lacking)}; '
                          'is it a module of ami-ros train?')
    files = {}
    for name, expected in listed.items():
        if Path(name).name != name or '\0' in name:
            raise ModuleError(f'{manifest_path} names {name!r}, which leaves its folder')
        try:
            data = (path / name).read_bytes()
        except OSError as why:
            raise ModuleError(f'{path} lacks {name}, which its manifest lists') from why
        if digest(data) != expected:
            raise ModuleError(f'{path / name} is not the file that the manifest lists: its hash '
                              f'is {digest(data)[:12]}, not {str(expected)[:12]}')
        files[name] = data
    return Module(path, manifest, files)


def fits(module: Module, robot: Robot) -> None:
    """Check the module's contract against the robot; ModuleError names both sides."""
    contract = module.manifest
    for what, has, wants in (('robot', contract['robot'], robot.name),
                             ('action axes', contract['axes'], list(robot.axes)),
                             ('action limits', contract['limits'], list(robot.limits))):
        if has != wants:
            raise ModuleError(f'{module.path.name} was made for {what} {has}, '
                              f'{robot.name} has {wants}')
    try:
        known = camera.contract(contract['camera'])
    except ValueError as why:
        raise ModuleError(f'{module.path / "manifest.json"} says {why}') from why
    off = 0.0 if known.hfov_rad is None else abs(known.hfov_rad - robot.camera_hfov_rad)
    if not off <= camera.HFOV_TOLERANCE_RAD:
        raise ModuleError(f'{module.path.name} saw through a camera of {known.hfov_rad:.3f} rad, '
                          f'{robot.name} has {robot.camera_hfov_rad:.3f} rad')
    wrong = camera.contradiction(known, robot, robot.camera.link)
    if wrong:
        raise ModuleError(f'{module.path.name} learned to see from elsewhere: {wrong}')


def write(path: Path, manifest: dict, files: dict[str, bytes]) -> None:
    """Write a module folder; the manifest last, so that half a module is none."""
    path.mkdir(parents=True, exist_ok=True)
    (path / 'manifest.json').unlink(missing_ok=True)
    for name, data in files.items():
        (path / name).write_bytes(data)
    manifest = {**manifest, 'format': FORMAT,
                'files': {name: digest(data) for name, data in sorted(files.items())}}
    (path / 'manifest.json').write_text(json.dumps(manifest, indent=1, sort_keys=True) + '\n')


def npy(array: np.ndarray) -> bytes:
    """Turn an array into the bytes of an .npy file."""
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()
