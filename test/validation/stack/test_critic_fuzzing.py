# SPDX-License-Identifier: Apache-2.0
"""A short campaign of fuzzing finds nothing; with a rule missing, or a bug put in, it does."""

from dataclasses import replace
import json

from ami_ros.core.share_directory import share
from ami_ros.critic.rule_interface import Answer
from ami_ros.nodes import message_conversions as convert
import numpy as np
import pytest
import rclpy

pytestmark = pytest.mark.ros


@pytest.fixture
def fuzz(monkeypatch, ros_domain):
    from ami_ros.validation.fuzzing import critic as fuzz
    yield fuzz
    if rclpy.ok():
        rclpy.shutdown()


class Blind:
    """Stands in the place of a rule and lets everything pass."""

    def __init__(self, name):
        self.name = name

    def limit(self, command, situation):
        return Answer(command)


def spoil_every_critic(monkeypatch, fuzz, spoil):
    begin = fuzz.critic_node_harness.Desk.begin

    def begin_spoilt(desk):
        begin(desk)
        spoil(desk.node.critic)
    monkeypatch.setattr(fuzz.critic_node_harness.Desk, 'begin', begin_spoilt)


@pytest.mark.parametrize('name', ('rover', 'everything', 'foreign'))
def test_nothing_crashes_and_nothing_moves_that_may_not(fuzz, name, tmp_path):
    count = 3000 if name == 'foreign' else 500      # each pause of the made-up clock is a stop
    said = fuzz.messages(name, count, 3, tmp_path)
    assert said['sent'] >= count and said['moved'] > 0, said['by_topic']
    assert [said['crashes'], said['motions'], said['slow']] == [[], [], []]


@pytest.mark.parametrize(('name', 'kept', 'whys'), [
    ('rover', (), ('too few beams are valid', 'is not fresh', 'it gains', 'beyond')),
    ('rover', ('acceleration',), ('the robot was not armed again',)),
    ('everything', (), ('is active',))])
def test_rules_that_are_blind_are_noticed(fuzz, name, kept, whys, tmp_path, monkeypatch):
    def blind(critic):
        critic.rules = tuple(rule if rule.name in kept else Blind(rule.name)
                             for rule in critic.rules)
        critic.latch.close = lambda *_: None
        critic.holding.release_s = dict.fromkeys(critic.holding.release_s, 0.0)
    spoil_every_critic(monkeypatch, fuzz, blind)
    monkeypatch.setattr(fuzz, 'SHOWN', 2000)
    told = {one['why'] for one in fuzz.messages(name, 900, 3, tmp_path)['motions']}
    for why in whys:
        assert any(why in one for one in told), (why, told)


def test_a_crash_is_noticed(fuzz, tmp_path, monkeypatch):
    read = convert.odometry_from

    def stumbles(msg, steady_ns):
        said = read(msg, steady_ns)
        if not np.isfinite(said.pose).all():
            raise ZeroDivisionError('oh')
        return said
    monkeypatch.setattr(convert, 'odometry_from', stumbles)
    monkeypatch.setattr(fuzz, 'SHOWN', 1)
    said = fuzz.messages('rover', 3000, 3, tmp_path)
    assert 'ZeroDivisionError: oh' in said['crashes'][0]['traceback']
    assert said['crashes'][0]['after'].startswith('odom: ')


def test_files_are_refused_in_one_sentence_or_hold_what_they_must(fuzz, tmp_path, monkeypatch):
    said = fuzz.fuzz_files.run(300, 3, tmp_path)
    assert said['crashes'] == said['slow'] == [] and said['count'] == 300
    assert min(said['kinds']['policy'].values()) > 0 and set(said['kinds']['robot']) == {
        'taken', 'refused'}
    loader = fuzz.fuzz_files.policy_loader
    monkeypatch.setattr(loader, 'read', lambda path: replace(
        loader.parse(share('config/safety_policy/rover.yaml').read_text(), ''), rules={}))
    assert 'AssertionError' in fuzz.fuzz_files.run(10, 3, tmp_path)['crashes'][0]['traceback']


def test_the_same_seed_does_the_same_harm(fuzz, tmp_path):
    one, other = (fuzz.messages('rover', 100, 5, tmp_path) for _ in range(2))
    for said in (one, other):
        said.pop('took')
    assert json.dumps(one) == json.dumps(other)
