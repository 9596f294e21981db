# SPDX-License-Identifier: Apache-2.0
"""Parameters: declared once, checked as a whole, changed while the node runs or not at all."""

from dataclasses import dataclass
import itertools
import os
import subprocess
import sys
import threading
from typing import ClassVar

from ami_ros.core.settings import ActorSettings, EnergySettings, Order, setting, Settings
from ami_ros.core.share_directory import share
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.modules.module import open_module
from ami_ros.nodes import parameters
from ami_ros.nodes.sim_node import SimSettings
from ami_ros.validation.evaluate import home
import pytest
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter


@dataclass(frozen=True)
class Own(Settings):
    FIXED: ClassVar[str] = 'the wheels are built so'

    speed_mps: float = setting(0.5, 'm/s', 0.0, 1.0, 'as fast as that')
    name: str = setting('rover', 'name')
    quick: bool = setting(False, '-')


@dataclass(frozen=True)
class Tuned(Settings):
    RELATIONS: ClassVar[tuple] = (Order('low', 'high', 'low is below', alike=False),)

    low: float = setting(0.2, 'm', 0.0, 1.0, 'from here', live=True)
    high: float = setting(0.6, 'm', 0.0, 1.0, 'to there', live=True)
    count: int = setting(3, 'times', 1, 9, 'so often', live=True)
    fixed: int = setting(3, 'times', 1, 9, 'so often, always', because='it is cast in iron')


GROUPS = {'': Own, 'tuned': Tuned}


@pytest.fixture
def context(ros_domain):
    context = rclpy.Context()
    rclpy.init(context=context)
    yield context
    rclpy.shutdown(context=context)


@pytest.fixture
def make(context):
    nodes = []

    def made(groups=GROUPS, cli_args=None, **overrides):
        node = Node('own', context=context, **parameters.FROM_FILE, cli_args=cli_args,
                    parameter_overrides=[
                        Parameter(name.replace('__', '.'), value=value)
                        for name, value in overrides.items()])
        nodes.append(node)
        return node, parameters.declare(node, groups)

    yield made
    for node in nodes:
        node.destroy_node()


def several(**values):
    return [Parameter(name.replace('__', '.'), value=value) for name, value in values.items()]


def test_values_come_from_the_file_and_are_described(make):
    node, got = make({'': Own, 'actor': ActorSettings}, speed_mps=1, actor__candidates=32)
    assert got[''] == Own(speed_mps=1.0) and got['actor'] == ActorSettings(candidates=32)
    said = node.describe_parameter('speed_mps')
    assert said.read_only and said.description == 'as fast as that [0.0 to 1.0 m/s]'
    (span,) = said.floating_point_range
    assert (span.from_value, span.to_value, span.step) == (0.0, 1.0, 0.0)
    said = node.describe_parameter('actor.candidates')
    (span,) = said.integer_range
    assert not said.read_only and (span.from_value, span.to_value, span.step) == (8, 1024, 1)
    assert said.additional_constraints == 'elites at most candidates'
    assert node.get_parameter('actor.candidates').value == 32
    assert dict(got) == got.now and len(got) == 2 and 'energy' not in got


@pytest.mark.parametrize('given, sentence', [
    ({'sped_mps': 0.1}, "parameters of /own: unknown key 'sped_mps'; did you mean 'speed_mps'. "
                        '.there are: name, quick, speed_mps'),
    ({'tuned__hihg': 0.3}, "parameters of /own, tuned: unknown key 'hihg'; did you mean 'high'"),
    ({'tuend__high': 0.3}, "unknown key 'tuend.high'; did you mean 'tuned.high'"),
    ({'speed_mps': 1.5}, r'speed_mps = 1.5 is outside 0.0 to 1.0 m/s .as fast as that'),
    ({'speed_mps': float('nan')}, 'speed_mps = nan is outside'),
    ({'speed_mps': 'fast'}, "speed_mps = 'fast' is not of type float; right is 0.0 to 1.0 m/s"),
    ({'quick': 1}, 'quick = 1 is not of type bool; right is true or false'),
    ({'name': [1, 2]}, r'name = .1, 2. is not of type str; right is a name'),
    ({'tuned__low': 0.6}, 'low = 0.6 must be less than high = 0.6 .low is below'),
])
def test_what_is_wrong_at_the_start_is_one_sentence(make, given, sentence):
    with pytest.raises(ValueError, match=sentence) as wrong:
        make(**given)
    assert '\n' not in str(wrong.value)


@pytest.mark.parametrize('line, sentence', [
    ('speed_mps: .nan', 'speed_mps = nan is outside 0.0 to 1.0'),
    ('speed_mps: .inf', 'speed_mps = inf is outside 0.0 to 1.0'),
    ('speed_mps: -1', r'speed_mps = -1.0 is outside 0.0 to 1.0'),
    ('quick: 0', 'quick = 0 is not of type bool'),
    ('speed: 0.3', "unknown key 'speed'; did you mean 'speed_mps'"),
    ('tuned: {count: 3.5}', 'count = 3.5 is not of type int; right is 1 to 9 times'),
    ('tuned: {low: 0.9}', 'low = 0.9 must be less than high = 0.6'),
])
def test_so_it_is_in_a_yaml_file(make, tmp_path, line, sentence):
    file = tmp_path / 'own.yaml'
    file.write_text(f'/**/own:\n  ros__parameters:\n    {line}\n')
    with pytest.raises(ValueError, match=sentence):
        make(cli_args=['--ros-args', '--params-file', str(file)])


def test_a_change_holds_for_the_whole_or_not_at_all(make):
    node, made = make()
    before = made.now
    assert node.set_parameters(several(tuned__count=5))[0].successful
    assert made['tuned'] == Tuned(count=5) and made[''] is before['']
    assert made.now is not before and before['tuned'] == Tuned()    # whoever holds it keeps it
    before = made.now
    wrong = node.set_parameters_atomically(several(tuned__count=6, tuned__low=0.7))
    assert not wrong.successful and 'low = 0.7 must be less than high = 0.6' in wrong.reason
    assert made.now is before and node.get_parameter('tuned.count').value == 5
    assert node.set_parameters_atomically(several(tuned__low=0.7, tuned__high=0.9)).successful
    assert made['tuned'] == Tuned(low=0.7, high=0.9, count=5)


def test_several_that_are_not_set_at_once_are_set_one_by_one(make):
    node, made = make()
    first, second, third = node.set_parameters(
        several(tuned__count=7, tuned__low=0.7, tuned__high=0.9))
    assert first.successful and not second.successful and third.successful
    assert made['tuned'] == Tuned(count=7, high=0.9)


@pytest.mark.parametrize('changes, sentence', [
    (several(tuned__count=10), 'parameters of /own, tuned: count = 10 is outside 1 to 9 times'),
    (several(tuned__low='x'), "low = 'x' is not of type float; right is 0.0 to 1.0 m"),
    (several(tuned__low=float('nan')), 'low = nan is outside 0.0 to 1.0 m'),
    ([Parameter('tuned.low', Parameter.Type.NOT_SET)], 'low = None is not of type float'),
    (several(tuned__fixed=4), 'tuned.fixed is 3 for as long as the node runs (it is cast in '
                              'iron); give it at the start (1 to 9 times)'),
    (several(speed_mps=7.0), 'speed_mps is 0.5 for as long as the node runs (the wheels are '
                             'built so); give it at the start (0.0 to 1.0 m/s)'),
    (several(tuned__lwo=0.1), "unknown key 'tuned.lwo'; did you mean 'tuned.low'? (there are: "),
    (several(shown__count=2), 'shown.count is read-only: so often [1 to 9 times]'),
])
def test_what_is_wrong_while_it_runs_is_refused_with_what_is_right(make, changes, sentence):
    node, made = make()
    parameters.show(node, 'shown', Tuned())
    before, had = made.now, node.get_parameters_by_prefix('')
    for refused in (node.set_parameters_atomically(changes),
                    node.set_parameters_atomically([*several(tuned__count=5), *changes]),
                    node.set_parameters(changes)[0]):
        assert not refused.successful and sentence in refused.reason
    assert made.now is before and node.get_parameters_by_prefix('') == had


def test_a_whole_number_is_taken_for_a_float(make):
    node, made = make()
    assert node.set_parameters(several(tuned__high=1))[0].successful
    assert node.get_parameter('tuned.high').type_ == Parameter.Type.DOUBLE
    assert made['tuned'] == Tuned(high=1.0)


def test_what_is_of_rclpy_is_left_to_rclpy(make, context):
    node, made = make(use_sim_time=True, **{'qos_overrides./scan.subscription.depth': 3})
    before = made.now
    assert node.set_parameters(several(use_sim_time=True))[0].successful       # it is so already
    for other in (False, 'yes'):
        refused = node.set_parameters(several(use_sim_time=other))[0]
        assert not refused.successful and refused.reason.endswith(
            'use_sim_time is True for as long as the node runs; give it at the start')
    assert node.get_parameter('use_sim_time').value is True
    node.declare_parameter('of_somebody_else', 1)
    assert node.set_parameters(several(of_somebody_else=2))[0].successful
    assert made.now is before


def test_what_somebody_else_refuses_is_not_taken(make):
    node, made = make()
    node.add_on_set_parameters_callback(
        lambda changes: SetParametersResult(successful=False, reason='not today'))
    before = made.now
    assert node.set_parameters(several(tuned__count=5))[0].reason == 'not today'
    assert made.now is before and made['tuned'] == Tuned()


def test_it_works_where_rclpy_tells_nobody_afterwards(make, monkeypatch):
    monkeypatch.delattr(Node, 'add_post_set_parameters_callback')     # as in Humble
    node, made = make()
    assert node.set_parameters(several(tuned__count=5))[0].successful
    assert made['tuned'] == Tuned(count=5)
    assert not node.set_parameters(several(tuned__count=50))[0].successful
    assert made['tuned'] == Tuned(count=5)


def test_another_thread_sees_the_old_or_the_new_and_nothing_between(make):
    node, made = make({'tuned': Tuned, 'energy': EnergySettings})
    seen, done = set(), threading.Event()

    def look():
        while not done.is_set():
            now = made.now
            seen.add((now['tuned'].low, now['tuned'].high, now['energy'].time_to_goal))

    thread = threading.Thread(target=look)
    thread.start()
    pairs = [(0.1, 0.3, 1.0), (0.7, 0.9, 2.0)]
    for count, (low, high, way) in enumerate(itertools.cycle(pairs)):
        assert node.set_parameters_atomically(
            several(tuned__low=low, tuned__high=high, energy__time_to_goal=way)).successful
        if count >= 400 and set(pairs) <= seen or count > 40_000:
            break           # it looks when it is given time to, and must have looked at both
    done.set()
    thread.join()
    assert set(pairs) <= seen <= {*pairs, (0.2, 0.6, 1.0)}


def test_whoever_asks_from_outside_gets_the_same_words(make, context):
    node, made = make()
    asker = rclpy.create_node('asker', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    executor.add_node(asker)

    def ask(kind, name, changes):
        client = asker.create_client(kind, f'/own/{name}')
        assert client.wait_for_service(60.0)
        future = client.call_async(kind.Request(
            parameters=[change.to_parameter_msg() for change in changes]))
        executor.spin_until_future_complete(future, 60.0)
        return future.result()

    both = several(tuned__low=0.7, tuned__high=0.9)
    wrong, right = ask(SetParameters, 'set_parameters', both).results
    assert 'low = 0.7 must be less than high = 0.6' in wrong.reason and right.successful
    assert ask(SetParametersAtomically, 'set_parameters_atomically', both).result.successful
    assert made['tuned'] == Tuned(low=0.7, high=0.9)
    for changes, word in ((several(tuned__hihg=1.0), "did you mean 'tuned.high'?"),
                          (several(speed_mps=1.0), 'give it at the start (0.0 to 1.0 m/s)'),
                          (several(tuned__count='a'), 'right is 1 to 9 times')):
        (refused,) = ask(SetParameters, 'set_parameters', changes).results
        assert not refused.successful and word in refused.reason
    executor.shutdown()
    asker.destroy_node()


@pytest.mark.parametrize('name, given', [
    ('sim', 'camera_hz:=7'), ('sim', 'engine:=airship'), ('sim', 'generator:=castle'),
    ('sim', 'camera:=fog'), ('sim', 'changes:=flood'),
    ('critic', 'safety_policy:=config/safety_policy/none.yaml'),
    ('critic', 'rules.max_speed_mps:=9.0'),
    ('mind', 'actor.elites:=100'), ('configurator', 'robott:=rover'),
])
def test_a_node_ends_with_one_sentence(name, given):
    ended = subprocess.run(
        [sys.executable, '-c', f'from ami_ros.nodes.{name}_node import main; '
         'raise SystemExit(main())', '--ros-args', '--params-file',
         str(share('config/rover_node_parameters.yaml')), '-p', given], capture_output=True,
        text=True, timeout=60,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)})
    last = ended.stderr.strip().split('\n')[-1]
    assert ended.returncode == 1 and 'Traceback' not in ended.stderr
    assert any(word.split('.')[-1] in last for word in given.split(':=')), last


def test_the_default_room_is_the_one_that_the_shipped_module_knows():
    assert SimSettings().world_seed == home(open_module(''))


def test_every_number_of_a_policy_can_be_shown(make):
    """Also areas, which no parameter can hold as they are."""
    node, _ = make()
    policy = read(share('config/safety_policy/strict.yaml'))
    for group, numbers in policy.groups.items():
        parameters.show(node, group, numbers)
    assert set(policy.numbers) <= set(node.get_parameters_by_prefix(''))
    assert node.get_parameter('rules.fence.stay_in').value == (
        '[[-20.0, -20.0], [20.0, -20.0], [20.0, 20.0], [-20.0, 20.0]]')
    assert node.get_parameter('shared.max_speed_mps').value == policy.shared.max_speed_mps
