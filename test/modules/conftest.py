# SPDX-License-Identifier: Apache-2.0
"""What the tests of modules share: a small signed module, who may sign it, and the tools."""

import importlib
from pathlib import Path
import sys

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


@pytest.fixture(scope='session')
def tool():
    """Import a file of tools/."""
    sys.path.insert(0, str(TOOLS))
    yield importlib.import_module
    sys.path.remove(str(TOOLS))


@pytest.fixture
def robot(tool, tmp_path):
    """Make a robot with a small signed module, active; who may sign, and what an attacker has."""
    return tool('attacks.bench').Bench(tmp_path / 'bench')


@pytest.fixture(autouse=True)
def nobodys(tmp_path, monkeypatch):
    """Trust nobody but the package, and have nothing installed, whoever runs the tests."""
    monkeypatch.setenv('AMI_ROS_TRUST', str(tmp_path / 'trust'))
    monkeypatch.setenv('ROS_HOME', str(tmp_path / 'ros'))
