# SPDX-License-Identifier: Apache-2.0
"""Every node, every transition, with an exception in it: it is told, and one can go on."""

from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.actor_node import actor_node
from ami_ros.nodes.configurator_node import configurator_node
from ami_ros.nodes.lifecycle import alive, here, Managed, started
from ami_ros.nodes.mind_node import mind_node
from ami_ros.nodes.perception_node import perception_node
from ami_ros.nodes.world_model_node import world_model_node
from fake_mind import fake_mind
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import pytest
import rclpy
from rclpy.parameter import Parameter

NODES = {'mind': lambda: mind_node(fake_mind), 'perception': lambda: perception_node(fake_mind),
         'world_model': lambda: world_model_node(fake_mind),
         'actor': lambda: actor_node(fake_mind), 'configurator': configurator_node}
UP = ('configure', 'activate')
# transition: the way to where it begins, where it leads when it fails
TRANSITIONS = {'configure': ((), 'unconfigured'), 'activate': (UP[:1], 'inactive'),
               'deactivate': (UP, 'unconfigured'), 'cleanup': (UP[:1], 'unconfigured'),
               'shutdown': (UP, 'finalized')}


@pytest.fixture(scope='module')
def ros(module_domain):
    """One participant for all: on one machine Fast DDS sees 32 of a domain, and each stays."""
    rclpy.init(domain_id=module_domain, args=[
        '--ros-args', '--log-level', 'fatal', '-p', 'configurator:autostart:=false',
        *(word for name in NODES for word in ('-p', f'{name}:robot:=rover')),
        *(word for name in NODES if name != 'configurator'
          for word in ('-p', f'{name}:autoconfigure:=false'))])
    yield
    rclpy.shutdown()


@pytest.fixture
def make(ros):
    made = []

    def making(name):
        made.append(NODES[name]())
        return made[-1]

    yield making
    for node in made:
        node.stop()
        node.destroy_node()


def go(node, *steps):
    for step in steps:
        getattr(node, f'trigger_{step}')()


def told(node):
    """What it would say of itself on diagnostics."""
    said = []
    node.diagnostics, publisher = type('', (), {'publish': lambda _, msg: said.append(msg)})(), \
        node.diagnostics
    node.beat()
    node.diagnostics = publisher
    return convert.health_from(said[0])[0]


@pytest.mark.parametrize('name', NODES)
@pytest.mark.parametrize('step', TRANSITIONS)
@pytest.mark.parametrize('when', ['before', 'after'])
def test_an_exception_in_a_transition_is_told_and_leaves_a_state_that_one_can_leave(
        make, monkeypatch, name, step, when):
    node = make(name)
    before, after = TRANSITIONS[step]
    go(node, *before)
    work = {'shutdown': 'deactivate'}.get(step, step)
    real = getattr(node.work, work)

    def fails():
        if when == 'after':
            real()
        raise RuntimeError('the disk is on fire\nand more')

    monkeypatch.setattr(node.work, work, fails)
    go(node, step)
    assert node.state == after
    monkeypatch.undo()
    if step == 'shutdown':
        assert node.done
        return
    health = told(node)
    assert health.level == 2 and health.message == f'{step} failed: the disk is on fire'
    assert health.values['state'] == after
    go(node, *{'unconfigured': UP, 'inactive': UP[1:]}[after])
    assert node.state == 'active' and told(node).values['state'] == 'active'
    assert 'failed' not in told(node).message
    subscriptions = len(list(node.subscriptions))
    go(node, 'deactivate', 'activate')
    assert len(list(node.subscriptions)) == subscriptions


@pytest.mark.parametrize('name', NODES)
def test_it_hears_and_ticks_only_while_it_is_active(make, name):
    node = make(name)
    assert isinstance(node, Managed)
    go(node, 'configure')
    asleep = [sum(1 for _ in kind) for kind in (node.subscriptions, node.timers, node.services)]
    go(node, 'activate')
    awake = [sum(1 for _ in kind) for kind in (node.subscriptions, node.timers, node.services)]
    assert awake[0] > asleep[0] and all(a >= b for a, b in zip(awake, asleep))
    for _ in range(3):
        go(node, 'deactivate', 'activate')
        assert [sum(1 for _ in kind)
                for kind in (node.subscriptions, node.timers, node.services)] == awake
    go(node, 'deactivate')
    assert [sum(1 for _ in kind)
            for kind in (node.subscriptions, node.timers, node.services)] == asleep
    publishers = sum(1 for _ in node.publishers)
    go(node, 'cleanup', 'configure')
    assert sum(1 for _ in node.publishers) == publishers


@pytest.mark.parametrize('name', NODES)
@pytest.mark.parametrize('asked', [Transition.TRANSITION_ACTIVATE, 77])
def test_a_wrong_request_is_refused_and_kills_nobody(make, name, asked):
    node = make(name)
    request = ChangeState.Request(transition=Transition(id=asked))
    response = node._service_change_state.callback(request, ChangeState.Response())
    assert not response.success and node.state == 'unconfigured'
    go(node, *UP)
    assert node.state == 'active'


def test_a_worker_that_hangs_makes_the_process_end(make):
    node = make('mind')
    go(node, *UP)
    node.work.worker.stop = lambda: False
    go(node, 'deactivate')
    assert node.done and 'worker thread is still processing an image' in node.failed


def test_a_bug_in_what_it_says_of_itself_is_told(make, monkeypatch):
    node = make('mind')
    monkeypatch.setattr(node.work, 'health', lambda: 1 / 0)
    assert 'division by zero' in told(node).message and told(node).level == 2


def test_a_module_that_cannot_be_opened_is_told(ros):
    node = mind_node()
    try:
        node.set_parameters([Parameter('module', value='/nowhere')])    # read-only: no effect
        work = node.work
        work.own = type(work.own)(robot='rover', module='/nowhere')
        work.made = {**work.made, '': work.own}
        go(node, 'configure')
        assert node.state == 'unconfigured' and '/nowhere is not a module' in told(node).message
    finally:
        node.destroy_node()


def test_a_sign_of_life_names_the_process():
    mine = alive()
    assert mine['host'] == here() and started(int(mine['pid'])) == mine['started'] != ''
    assert started(2**30) == ''
    assert topics.DIAGNOSTICS.hz == 4
