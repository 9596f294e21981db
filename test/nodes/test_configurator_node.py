# SPDX-License-Identifier: Apache-2.0
"""The configurator takes goals at any time, hands them over, and sees whether the mind follows."""

from ami_ros.nodes import convert, topics
import numpy as np
import pytest
from std_srvs.srv import Trigger


@pytest.fixture
def configurator(bench):
    bench.start('configurator')
    bench.hear(topics.GOAL, topics.STATUS)
    bench.offer(topics.GOAL_IMAGE, topics.DIAGNOSTICS, topics.PLAN)
    bench.met(topics.GOAL, topics.STATUS, topics.GOAL_IMAGE, topics.DIAGNOSTICS)
    return bench


def give(bench, width, height):
    bench.say(topics.GOAL_IMAGE, convert.image_message(
        np.full((height, width, 3), 77, np.uint8), 0))


def status(bench, **values):
    """Wait for a status with these values."""
    def said():
        for msg in bench.heard[topics.STATUS.name]:
            health = convert.health_from(msg)[0]
            if all(health.values[key] == value for key, value in values.items()):
                return health
    return bench.until(said, f'a status of {values}')


def goal(bench, number):
    """Wait for a goal with this number."""
    def said():
        for msg in bench.heard[topics.GOAL.name]:
            picture, got, run = convert.goal_from(msg)
            if got == number:
                return picture, run
    return bench.until(said, f'goal {number}')


def acknowledge(bench, run, number):
    bench.say(topics.DIAGNOSTICS, convert.health_message(
        convert.Health('mind', values={'run': run, 'goal': str(number)}), 0))


def test_a_goal_is_resized_numbered_and_repeated_until_the_mind_has_it(configurator):
    give(configurator, 128, 128)
    picture, run = goal(configurator, 1)
    assert picture.shape == (64, 64, 3) and picture.min() == picture.max() == 77
    heard = configurator.heard[topics.GOAL.name]
    heard.clear()
    goal(configurator, 1)
    acknowledge(configurator, run, 1)
    assert status(configurator, acknowledged='1').values['mode'] == 'driving'
    heard.clear()
    give(configurator, 64, 64)
    assert goal(configurator, 2)[1] == run


def test_a_goal_of_another_shape_is_refused_and_ends_the_one_before(configurator):
    give(configurator, 64, 64)
    status(configurator, mode='driving', goal='1')
    give(configurator, 96, 64)
    refused = status(configurator, mode='idle', goal='0',
                     reason='goal picture is 96x64; it needs the shape of 64x64, as the camera '
                            'has it')
    assert refused.message == refused.values['reason'] or 'mind says nothing' in refused.message
    assert goal(configurator, 0)[0] is None


def test_cancel_and_begin(configurator):
    give(configurator, 64, 64)
    _, run = goal(configurator, 1)
    assert configurator.ask(topics.CANCEL, Trigger.Request()).message == 'goal 1 is cancelled'
    assert status(configurator, reason='cancelled', goal='0').values['run'] == run
    began = configurator.ask(topics.BEGIN, Trigger.Request()).message
    assert began != run
    assert status(configurator, run=began).values['goal'] == '0'


def test_a_mind_that_restarts_gets_no_goal_unasked(configurator):
    give(configurator, 64, 64)
    _, run = goal(configurator, 1)
    acknowledge(configurator, run, 1)
    status(configurator, acknowledged='1')
    acknowledge(configurator, '', 0)
    status(configurator, mode='idle', goal='0',
           reason='the mind restarted and knows no goal; give it again')
