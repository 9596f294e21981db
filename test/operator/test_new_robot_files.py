# SPDX-License-Identifier: Apache-2.0
"""The nodes take the parameter file that `ami-ros robot new` makes, each of its lines."""

import importlib

from ami_ros.critic.safety_policy import policy_loader
from ami_ros.nodes import parameters
from ami_ros.nodes.critic_node import policy
from ami_ros.operator.new_robot_files import make
from ami_ros.robots.find_robot import find
from ami_ros.validation.stack.processes import NODES
import pytest
import rclpy
from rclpy.node import Node
import yaml


@pytest.fixture
def context(ros_domain):
    context = rclpy.Context()
    rclpy.init(context=context)
    yield context
    rclpy.shutdown(context=context)


def test_every_node_takes_its_parameters(context, tmp_path):
    path = make('barge', tmp_path)
    file = path.parent / 'params.yaml'
    said = yaml.safe_load(file.read_text())
    for name in NODES:
        if name == 'sim':
            assert f'/**/{name}' not in said
            continue
        groups = importlib.import_module(f'ami_ros.nodes.{name}_node').GROUPS
        node = Node(name, context=context, namespace='robot1', **parameters.FROM_FILE,
                    cli_args=['--ros-args', '--params-file', str(file)])
        try:
            own = parameters.declare(node, groups)['']
        finally:
            node.destroy_node()
        given = said[f'/**/{name}']['ros__parameters']
        assert given and {key: getattr(own, key) for key in given} == given
        robot = find(own.robot)
        assert robot.name == 'barge' and robot.path == path
        if name == 'critic':
            assert policy_loader.build_rules(policy(own.safety_policy), robot)
            assert policy(own.safety_policy).shared.max_speed_mps == 0.15
