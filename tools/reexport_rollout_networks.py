# SPDX-License-Identifier: Apache-2.0
"""
Exports the rollout networks of a module again if the new ones give bit-identical results.

Rollouts are compared for two candidates and more. For a single candidate ONNX Runtime sums in
another order, and the disagreement differs in the last digit.

Usage: python3 tools/reexport_rollout_networks.py MODULE [--write]
"""

import argparse
import json
from pathlib import Path
import sys
import tempfile

from ami_ros.inference import backend
from ami_ros.modules import module as modules
from ami_ros.training import float16_weight_storage, onnx_export
from ami_ros.training.restore_from_onnx import restore
import numpy as np

COUNTS = (2, 3, 7, 16, 32, 33, 64, 128, 512)    # candidates
DRAWS = 40                                      # of inputs, for each count


def differences(old: bytes, new: bytes, horizon: int) -> list[str]:
    """Name every case in which the two networks say other bits."""
    networks, found = [backend('onnx')(data) for data in (old, new)], []
    for count in COUNTS:
        for seed in range(DRAWS):
            rng = np.random.default_rng([seed, count])
            z, goal = rng.normal(size=(2, 1, 64)).astype(np.float32)
            given = {'z': z, 'goal': goal,
                     'body': rng.uniform(-0.6, 0.6, (1, 3)).astype(np.float32),
                     'knots': rng.uniform(-1.5, 1.5, (count, horizon, 2)).astype(np.float32)}
            one, two = (network(**given) for network in networks)
            found += [f'output {i} of {count} candidates, seed {seed}'
                      for i, (a, b) in enumerate(zip(one, two, strict=True))
                      if a.tobytes() != b.tobytes()]
    return found


def main(folder: Path, write: bool) -> int:
    """Compare, and write where nothing differs and it is asked for."""
    module = modules.open_module(folder)
    model, ordinary = restore(module)
    horizon = module.manifest['horizon']
    pictures = np.random.default_rng(0).integers(
        0, 256, (16, *module.camera_size[::-1], 3), np.uint8)
    with tempfile.TemporaryDirectory() as work:
        said = onnx_export.export(model, ordinary, horizon, Path(work), pictures)
        made = {p.name: float16_weight_storage.shrink(p.read_bytes())
                for p in Path(work).glob('imagine*.onnx')}
    files, wrong = dict(module.files), []
    for name, data in made.items():
        knots = horizon // 2 if '_' in name else horizon
        wrong += [f'{name}: {what}' for what in differences(module.files[name], data, knots)]
        files[name] = data
    print(f'{len(made)} rollouts, {len(COUNTS) * DRAWS} inputs each: '
          f'{len(wrong)} outputs differ')
    print('\n'.join(wrong[:10]))
    if write and not wrong:
        networks = module.manifest['networks'] | {
            name: about for name, about in said.items() if name.startswith('imagine')}
        modules.write(folder, {**module.manifest, 'networks': json.loads(json.dumps(networks))},
                      files)
    return bool(wrong)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('module', type=Path, help='Module folder')
    parser.add_argument('--write', action='store_true',
                        help='Write the new networks into the module')
    args = parser.parse_args()
    sys.exit(main(args.module, args.write))
