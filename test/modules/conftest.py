# SPDX-License-Identifier: Apache-2.0
"""What the tests of modules share: a small signed module, who may sign it, and the tools."""

import importlib

import pytest


@pytest.fixture(scope='session')
def tool():
    """Import a program of ami_ros.validation."""
    return lambda name: importlib.import_module(f'ami_ros.validation.{name}')


@pytest.fixture
def robot(tool, tmp_path):
    """Make a robot with a small signed module, active; who may sign, and what an attacker has."""
    return tool('module_attacks.attack_setup').Bench(tmp_path / 'bench')


@pytest.fixture(autouse=True)
def nobodys(tmp_path, monkeypatch):
    """Trust nobody but the package, and have nothing installed, whoever runs the tests."""
    monkeypatch.setenv('AMI_ROS_TRUST', str(tmp_path / 'trust'))
    monkeypatch.setenv('ROS_HOME', str(tmp_path / 'ros'))
