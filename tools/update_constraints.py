# SPDX-License-Identifier: Apache-2.0
"""
Writes constraints/: the versions that pip would choose today, one file per Python and per ROS 2.

Usage: python tools/update_constraints.py python3.10 python3.11 ...   (each needs only pip)
"""

import json
from pathlib import Path
import re
import subprocess
import sys
import tempfile

ROOT = Path(__file__).resolve().parents[1]
TORCH = 'torch==2.13.0'       # the trained module that ships was made with it
GPU = re.compile('nvidia-|cuda-|triton')     # which of these come is a matter of the torch wheel


def resolve(python: str, *wanted: str) -> dict[str, str]:
    """Return name -> version of everything that pip would install."""
    with tempfile.NamedTemporaryFile(suffix='.json') as report:
        subprocess.run([python, '-m', 'pip', 'install', '-q', '--dry-run', '--ignore-installed',
                        '--report', report.name, *wanted], check=True, cwd=ROOT)
        chosen = [i['metadata'] for i in json.load(report)['install']]
    return {c['name'].lower().replace('_', '-'): c['version'].split('+')[0] for c in chosen}


def write(name: str, why: str, pins: dict[str, str]) -> None:
    lines = [f'# {why}; made by tools/update_constraints.py']
    lines += [f'{package}=={version}' for package, version in sorted(pins.items())]
    (ROOT / 'constraints' / name).write_text('\n'.join(lines) + '\n')


def main(pythons: list[str]) -> None:
    for python in pythons:
        version = subprocess.check_output(
            [python, '-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], text=True).strip()
        pins = resolve(python, '.[sim,mujoco,ros,train,cluster,dev,tensorrt-rtx]', TORCH,
                       'setuptools<80', 'wheel')
        write(f'py{version.replace(".", "")}.txt', f'Python {version}',
              {p: v for p, v in pins.items()
               if not GPU.match(p) and not p.startswith('ros-') and p != 'ami-ros'})
    for distro, extra in (('jazzy', 'ros'), ('kilted', 'ros-kilted')):
        pins = resolve(pythons[0], f'.[{extra}]')
        write(f'{distro}.txt', f'ROS 2 {distro.capitalize()} as wheels',
              {p: v for p, v in pins.items() if p.startswith('ros-')})


if __name__ == '__main__':
    main(sys.argv[1:])
