# SPDX-License-Identifier: Apache-2.0
"""Parameters: declared once, checked as a whole, and config/rover.yaml says what they are."""

from dataclasses import dataclass
import importlib
import importlib.util
import os
import subprocess
import sys

from ami_ros.agent.settings import ActorSettings, setting, Settings
from ami_ros.modules.module import open_module
from ami_ros.nodes import parameters
from ami_ros.nodes.processes import NODES
from ami_ros.trials.evaluate import home
import pytest
import rclpy
from rclpy.node import Node
import yaml

GOLDEN = 'config/rover.yaml'
HEAD = """# SPDX-License-Identifier: Apache-2.0
# Everything that can be tuned on the simulated rover, each with its default. In brackets: range
# and unit; what is `live` may change while the robot drives, the rest is read at the start. What
# is unknown or out of range is refused, with what is right. The critic's numbers stand in its
# policy file alone.

"""
GROUPS = {name: importlib.import_module(f'ami_ros.nodes.{name}_node').GROUPS for name in NODES
          if importlib.util.find_spec(f'ami_ros.nodes.{name}_node')}


@dataclass(frozen=True)
class Own(Settings):
    speed_mps: float = setting(0.5, 'm/s', 0.0, 1.0, 'as fast as that')
    name: str = setting('rover', 'name')
    quick: bool = setting(False, '-')


@pytest.fixture
def make(ros_domain):
    context = rclpy.Context()
    rclpy.init(context=context)
    nodes = []

    def made(groups, **overrides):
        node = Node('own', context=context, **parameters.FROM_FILE, parameter_overrides=[
            rclpy.Parameter(name.replace('__', '.'), value=value)
            for name, value in overrides.items()])
        nodes.append(node)
        return node, parameters.declare(node, groups)

    yield made
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


def test_values_come_from_the_file_and_are_described(make):
    node, got = make({'': Own, 'actor': ActorSettings}, speed_mps=1, actor__candidates=32)
    assert got[''] == Own(speed_mps=1.0) and got['actor'] == ActorSettings(candidates=32)
    said = node.describe_parameter('speed_mps')
    assert said.read_only and said.description == 'as fast as that [0.0 to 1.0 m/s]'
    assert (said.floating_point_range[0].from_value, said.floating_point_range[0].to_value) == (
        0.0, 1.0)
    assert node.describe_parameter('actor.candidates').integer_range[0].to_value == 1024
    assert node.get_parameter('actor.candidates').value == 32
    assert not node.set_parameters([rclpy.Parameter('speed_mps', value=0.1)])[0].successful


@pytest.mark.parametrize('given, sentence', [
    ({'sped_mps': 0.1}, "parameters of /own: unknown key 'sped_mps'; did you mean 'speed_mps'. "
                        '.there are: name, quick, speed_mps'),
    ({'actor__candidats': 32}, "parameters of /own, actor: unknown key 'candidats'; did you mean "
                               "'candidates'"),
    ({'acter__candidates': 32}, "unknown key 'acter.candidates'; did you mean "
                                "'actor.candidates'"),
    ({'speed_mps': 1.5}, r'speed_mps = 1.5 is outside 0.0 to 1.0 m/s .as fast as that'),
    ({'speed_mps': float('nan')}, 'speed_mps = nan is outside'),
    ({'speed_mps': 'fast'}, "speed_mps = 'fast' is not of type float"),
    ({'quick': 1}, 'quick = 1 is not of type bool'),
    ({'name': [1, 2]}, 'is not of type str'),
])
def test_what_is_wrong_is_one_sentence(make, given, sentence):
    with pytest.raises(ValueError, match=sentence) as wrong:
        make({'': Own, 'actor': ActorSettings}, **given)
    assert '\n' not in str(wrong.value)


def test_live_fields_may_be_set_within_their_range(make):
    node, made = make({'': Own, 'actor': ActorSettings})
    before = made.now
    assert node.set_parameters([rclpy.Parameter('actor.keep', value=2)])[0].successful
    assert made['actor'] == ActorSettings(keep=2) and made.now is not before
    before = made.now
    assert not node.set_parameters([rclpy.Parameter('actor.keep', value=65)])[0].successful
    assert made.now is before and node.get_parameter('actor.keep').value == 2


@pytest.mark.parametrize('name, given', [
    ('sim', 'camera_hz:=7'), ('sim', 'body:=airship'), ('sim', 'image_width:=4'),
    ('critic', 'policy:=config/policy/none.yaml'), ('critic', 'policy.max_speed_mps:=9.0'),
    ('configurator', 'robot:=submarine'),
])
def test_a_node_ends_with_one_sentence(name, given):
    ended = subprocess.run(
        [sys.executable, '-c', f'from ami_ros.nodes.{name}_node import main; '
         'raise SystemExit(main())', '--ros-args', '-p', given], capture_output=True, text=True,
        timeout=30, env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)})
    last = ended.stderr.strip().split('\n')[-1]
    assert ended.returncode == 1 and 'Traceback' not in ended.stderr
    assert any(word in last for word in given.replace(':=', ' ').split()), last


def test_the_file_says_every_default(root):
    path = root / GOLDEN
    right = HEAD + '\n'.join(parameters.block(name, groups) for name, groups in GROUPS.items())
    if os.environ.get('UPDATE_GOLDEN'):
        path.write_text(right)
    assert path.read_text() == right, (
        f'{GOLDEN} differs from what the nodes declare. Meant to? UPDATE_GOLDEN=1 pytest '
        f'{__file__} and say why in the commit.')
    for name, groups in GROUPS.items():
        said = yaml.safe_load(right)[f'/**/{name}']['ros__parameters']
        for prefix, kind in groups.items():
            values = said[prefix] if prefix else {
                key: value for key, value in said.items() if not isinstance(value, dict)}
            assert kind(**values) == kind()


def test_the_default_room_is_the_one_that_the_shipped_module_knows():
    assert GROUPS['sim']['']().world_seed == home(open_module(''))
