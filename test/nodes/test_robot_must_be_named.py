# SPDX-License-Identifier: Apache-2.0
"""No node guards or drives a robot that nobody named, and no parameter file is left unread."""

import importlib
import os
import subprocess
import sys

from ami_ros.core.share_directory import share
from ami_ros.nodes import parameters
from ami_ros.robots import parameter_file_nodes
from ami_ros.validation.stack.processes import NODES, RECORDER
import pytest
import rclpy
from rclpy.node import Node

GUARDS = [name for name in (*NODES, RECORDER) if name != 'sim']
KEYS = ('critic', '/**/critic', '/*/critic', '/robot1/critic', '/**', '/robot1/**', '/*', '/*/*',
        '/**/robot1/critic')


def started(name, *words):
    """Start a node as a person does, and return its exit code and what it wrote."""
    got = subprocess.run(
        [sys.executable, '-c', f'from ami_ros.nodes.{name}_node import main; '
                               'raise SystemExit(main())', '--ros-args', *words],
        env={**os.environ}, capture_output=True, text=True, timeout=120)
    return got.returncode, got.stderr.strip()


@pytest.mark.parametrize('name', GUARDS)
def test_a_node_that_was_told_no_robot_does_not_start(name, tmp_path):
    file = tmp_path / 'params.yaml'
    file.write_text(f'{name}:\n  ros__parameters:\n    robot: rover\n')
    code, said = started(name, '--params-file', str(file), '-r', '__ns:=/robot1')
    assert code == 1 and len(said.split('\n')) == 1
    assert said.startswith(f'/robot1/{name} was not given its robot')
    assert f'{file} has parameters of /{name}, none of which is /robot1/{name}' in said
    assert f'/**/{name}' in said and '-p robot:=PATH' in said


def test_the_rover_s_policy_is_nobody_s_default():
    code, said = started('critic', '-p', 'robot:=rover')
    assert code == 1 and '/critic was not given its safety_policy' in said


def test_a_file_that_means_another_node_is_refused_also_where_the_robot_is_named(tmp_path):
    file = tmp_path / 'params.yaml'
    file.write_text('/*/critic:\n  ros__parameters:\n    command_source: twist\n')
    code, said = started('critic', '--params-file', str(file), '-p', 'robot:=rover', '-p',
                         'safety_policy:=config/safety_policy/rover.yaml')
    assert code == 1
    assert f'{file} has parameters of /*/critic, but this node is /critic' in said
    assert 'write /**/critic' in said


def test_every_setting_that_must_be_given_has_no_default():
    for name in GUARDS:
        own = importlib.import_module(f'ami_ros.nodes.{name}_node').GROUPS['']
        assert 'robot' in own.NAMED
        assert all(getattr(own(), key) == '' for key in own.NAMED)


@pytest.mark.parametrize('key', KEYS)
def test_a_key_is_read_as_ros_reads_it(ros_domain, tmp_path, key):
    file = tmp_path / 'params.yaml'
    file.write_text(f'{key}:\n  ros__parameters:\n    a: 1\n')
    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        for space in ('', '/robot1', '/a/robot1'):
            node = Node('critic', namespace=space, context=context, **parameters.FROM_FILE,
                        cli_args=['--ros-args', '--params-file', str(file)])
            has = node.has_parameter('a')
            node.destroy_node()
            read, = parameter_file_nodes.parameters(file)
            assert parameter_file_nodes.matches(read, f'{space}/critic') == has
    finally:
        rclpy.shutdown(context=context)


def test_the_critic_refuses_numbers_that_do_not_fit_together(tmp_path):
    policy = tmp_path / 'safety_policy.yaml'
    shipped = share('config/safety_policy/rover.yaml').read_text()
    policy.write_text(shipped.replace('reaction_s: 0.10', 'reaction_s: 0.0'))
    code, said = started('critic', '-p', 'robot:=rover', '-p', f'safety_policy:={policy}')
    assert code == 1 and len(said.split('\n')) == 1
    assert '/critic: reaction_s = 0 s' in said and 'Write reaction_s: 0.1 in' in said
