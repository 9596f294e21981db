# SPDX-License-Identifier: Apache-2.0
"""Marks the tests of this folder `ros`, and leaves them out, saying so, without rclpy."""

from pathlib import Path

from ros_test_marker import bench, header, left_out, mark  # noqa: F401

HERE = Path(__file__).parent
collect_ignore = left_out(HERE)


def pytest_report_header():
    return header(HERE)


def pytest_collection_modifyitems(items):
    mark(items, HERE)
