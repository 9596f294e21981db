# SPDX-License-Identifier: Apache-2.0
"""Leaves out, and says so, what needs libraries that only training has."""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / 'ami_ros'
MISSING = [name for name in ('torch', 'onnx') if find_spec(name) is None]


@cache
def needs_torch(path: Path) -> bool:
    """Tell whether a file imports torch when it is imported itself."""
    found = set()
    for line in ast.parse(path.read_text()).body:
        if isinstance(line, ast.Import):
            found |= {alias.name for alias in line.names}
        elif isinstance(line, ast.ImportFrom) and line.module:
            found |= {line.module, *(f'{line.module}.{alias.name}' for alias in line.names)}
    if found & {'torch', 'onnx'}:
        return True
    files = [PACKAGE.parent / f'{name.replace(".", "/")}.py' for name in found
             if name.startswith('ami_ros.')] + [HERE / f'{name}.py' for name in found]
    return any(needs_torch(file) for file in files if file.is_file())


collect_ignore = [path.relative_to(HERE).as_posix() for path in sorted(HERE.rglob('test_*.py'))
                  if MISSING and needs_torch(path)]


def pytest_report_header() -> str:
    """Say what is left out."""
    return f'test/training: {", ".join(collect_ignore)} left out, {MISSING} not installed' \
        if MISSING else ''
