# SPDX-License-Identifier: Apache-2.0
"""
Golden inputs: what each network said when the module was made, to be said again where it serves.

A module carries them in one file; `check` runs them on the networks that will be used, opened by
the backend that will serve. A file has for each network `see.in.picture`, `see.out.0` and so on.
"""

from collections.abc import Callable, Mapping
import io
import zipfile

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.module import Module

FILE = 'golden.npz'
LARGEST = 2**28         # bytes, unpacked
Network = Callable[..., list[np.ndarray]]
TOLERANCE = {'float32': 2e-4, 'float16': 2e-2}
REASON = ('share of the largest expected value, of at least 1. float32: sums in another order '
          'differ by up to 2e-5 between libraries, a wrong network by 1e-1; float16 has 11 bits, '
          'and errors add up over the rollout')
PICTURES, CANDIDATES = 4, 16


def inputs(pictures: np.ndarray, z: np.ndarray, limits: tuple[float, float], horizon: int,
           seed: int = 0) -> dict[str, dict[str, np.ndarray]]:
    """Make inputs for every network, (4, H, W, 3) pictures and their latents (4, D) given."""
    rng, n = np.random.default_rng(seed), len(pictures)
    scale = np.asarray(limits)
    twist = rng.uniform(-1, 1, (n, 2)) * scale
    body = np.concatenate([twist, twist[:, 1:]], 1)
    knots = rng.uniform(-1, 1, (CANDIDATES, horizon, 2)) * scale
    made = {'see': {'picture': pictures},
            'step': {'z': z, 'body': body, 'twist': twist, 'dt': rng.uniform(0.1, 0.3, (n, 1))},
            'imagine': {'z': z[:1], 'body': body[:1], 'knots': knots, 'goal': z[1:2]}}
    return {network: {name: np.ascontiguousarray(array, np.float32)
                      for name, array in arrays.items()} for network, arrays in made.items()}


def make(networks: Mapping[str, Network], pictures: np.ndarray, limits: tuple[float, float],
         horizon: int) -> tuple[bytes, dict]:
    """Ask the networks; return the file, and what the manifest says of it under `golden`.

    `networks` are see, step, imagine and shorter ones as imagine_4; pictures (N, H, W, 3) uint8.
    """
    pictures = np.asarray(pictures[:PICTURES], np.float32)
    z = networks['see'](picture=pictures)[0]
    asked = inputs(pictures, z, limits, horizon)
    return record(networks, {name: asked.get(name) or shorter(asked['imagine'], name)
                             for name in networks})


def record(networks: Mapping[str, Network], asked: Mapping[str, Mapping[str, np.ndarray]]
           ) -> tuple[bytes, dict]:
    """Ask each network for its inputs; return the file and what the manifest says of it."""
    arrays: dict = {}
    for name, network in networks.items():
        arrays |= {f'{name}.in.{key}': array for key, array in asked[name].items()}
        arrays |= {f'{name}.out.{i}': array for i, array in enumerate(network(**asked[name]))}
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue(), {'file': FILE, 'tolerance': TOLERANCE, 'reason': REASON}


def shorter(asked: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Cut the knots for imagine_4."""
    return {**asked, 'knots': asked['knots'][:, :int(name.rpartition('_')[2])].copy()}


def read(module: Module) -> dict[str, tuple[dict[str, np.ndarray], list[np.ndarray]]]:
    """Return by network its inputs and the outputs that are expected."""
    file = module.manifest['golden']['file']
    where = module.path / file
    try:
        data = io.BytesIO(module.files[file])
        with zipfile.ZipFile(data) as archive:
            if sum(one.file_size for one in archive.infolist()) > LARGEST:
                raise AmiError(f'it unpacks to more than {LARGEST} bytes')
        with np.load(data, allow_pickle=False) as arrays:
            held = {name: arrays[name] for name in arrays.files}
        out: dict = {}
        for name, array in held.items():
            network, way, key = name.split('.')
            out.setdefault(network, ({}, {}))[way == 'out'][key] = array
        return {network: (given, [said[str(i)] for i in range(len(said))])
                for network, (given, said) in out.items()}
    except KeyError as why:
        raise ModuleError(f'{where} lacks {why}') from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, NotImplementedError) as why:
        raise ModuleError(f'{where} has no golden inputs that can be read: {why}') from None


def check(module: Module, networks: Mapping[str, Network],
          precision: str = 'float32') -> dict[str, float]:
    """Ask networks as they serve; return how far each is off, as a share of the tolerance.

    ModuleError where one is further off, or where there is nothing to compare with.
    """
    if 'golden' not in module.manifest:
        return {}
    said = module.manifest['golden']
    if precision not in said['tolerance']:
        raise ModuleError(f'{module.path.name} says no tolerance for {precision}, only for '
                          f'{", ".join(said["tolerance"])}')
    most, held, off = said['tolerance'][precision], read(module), {}
    if less := sorted(set(networks) - set(held)):
        raise ModuleError(f'{module.path / said["file"]} has no golden inputs for '
                          f'{", ".join(less)}')
    for name, network in networks.items():
        given, expected = held[name]
        try:
            got = network(**given)
        except Exception as why:        # of whatever backend
            raise ModuleError(f'{name} of {module.path.name} does not take its golden inputs: '
                              f'{str(why).splitlines()[0] if str(why) else why!r}') from why
        worst = distance(got, expected)
        if not worst <= most:
            raise ModuleError(f'{name} of {module.path.name} is off by {worst:.1e} on its golden '
                              f'inputs, at most {most:.0e} is right for {precision}: another '
                              'library, device or precision than it was made for, or a fault in '
                              'one; ami-ros modules show says the reason for the tolerance')
        off[name] = worst
    return off


def distance(got: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """Compare outputs: the largest difference as a share of the largest value, of at least 1."""
    if len(got) != len(expected):
        return float('inf')
    worst = 0.0
    for a, b in zip(got, expected):
        if a.shape != b.shape:
            return float('inf')
        off = float(np.max(np.abs(a - b), initial=0.0)) / max(1.0, float(
            np.max(np.abs(b), initial=0.0)))
        worst = off if not off <= worst else worst      # nan stays
    return worst
