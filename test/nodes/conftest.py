# SPDX-License-Identifier: Apache-2.0
"""Marks everything here `ros`, and leaves it out, saying so, where rclpy is not installed."""

from importlib.util import find_spec
import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROS = find_spec('rclpy') is not None
collect_ignore_glob = [] if ROS else ['test_*.py']
os.environ['ROS_PYTHON_CHECK_FIELDS'] = '1'     # messages check what they are given, in tests


def pytest_report_header():
    return [] if ROS else ['test/nodes: left out, rclpy is not installed (make setup)']


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.ros)


@pytest.fixture
def bench(tmp_path, ros_domain, monkeypatch):
    from harness import Bench
    bench = Bench(tmp_path, monkeypatch)
    yield bench
    bench.close()
