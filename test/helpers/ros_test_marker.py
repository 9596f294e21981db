# SPDX-License-Identifier: Apache-2.0
"""What the conftest.py of a folder with ROS tests uses: the marker, and what is left out."""

from importlib.util import find_spec
import os
from pathlib import Path

import pytest

ROS = find_spec('rclpy') is not None
os.environ['ROS_PYTHON_CHECK_FIELDS'] = '1'     # messages check what they are given, in tests


def left_out(here: Path, pure: tuple[str, ...] = ()) -> list[str]:
    """Name the test files of a folder that cannot run: without rclpy all but the pure ones."""
    return [] if ROS else [f.name for f in here.glob('test_*.py') if f.name not in pure]


def header(here: Path) -> list[str]:
    """Say what is left out."""
    return [] if ROS else [f'test/{here.name}: left out, rclpy is not installed (make setup)']


def mark(items, here: Path, pure: tuple[str, ...] = ()) -> None:
    """Mark the tests of a folder `ros`, not those of folders below it."""
    for item in items:
        if item.path.parent == here and item.path.name not in pure:
            item.add_marker(pytest.mark.ros)


@pytest.fixture
def bench(tmp_path, ros_domain, monkeypatch):
    from node_harness import Bench
    bench = Bench(tmp_path, monkeypatch)
    yield bench
    bench.close()
