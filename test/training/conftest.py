# SPDX-License-Identifier: Apache-2.0
"""Leaves out, and says so, what needs libraries that only training has."""

from importlib.util import find_spec

MISSING = [name for name in ('torch', 'onnx') if find_spec(name) is None]
collect_ignore = [f'test_{name}.py' for name in (
    'augmentation', 'baseline', 'build', 'device', 'export', 'gate_bag', 'gates', 'networks',
    'quantize', 'restore', 'shrink', 'train', 'vit')] if MISSING else []


def pytest_report_header() -> str:
    """Say what is left out."""
    return f'test/training: {", ".join(collect_ignore)} left out, {MISSING} not installed' \
        if MISSING else ''
