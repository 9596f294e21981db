# SPDX-License-Identifier: Apache-2.0
"""Finds the files that are installed beside the code: URDF, configuration, launch files."""

import os
from pathlib import Path
import sys

HERE = Path(__file__).resolve().parents[1]


def share(relative: str) -> Path:
    """Return the path of a shared file, e.g. 'urdf/rover.urdf', in a checkout or an install.

    Raises FileNotFoundError that names every folder looked into.
    """
    roots = [HERE.parent]                                        # a checkout, or `pip install -e`
    # an install: prefix/lib/pythonX/site-packages/ami_ros
    roots += [p / 'share' / 'ami_ros' for p in HERE.parents[2:5]]
    roots += [Path(p) / 'share' / 'ami_ros'
              for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    roots.append(Path(sys.prefix) / 'share' / 'ami_ros')
    for root in roots:
        if (root / relative).exists():
            return root / relative
    looked = ', '.join(dict.fromkeys(str(r) for r in roots))
    raise FileNotFoundError(f'{relative!r} is in none of: {looked}; is ami_ros installed whole?')
