# SPDX-License-Identifier: Apache-2.0
"""The configurator takes goals at any time, hands them over, and sees whether the mind follows."""

import os
from pathlib import Path
import signal

from ami_ros.core.types import Command, Verdict
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from lifecycle_msgs.srv import ChangeState
import numpy as np
import pytest
from std_srvs.srv import Trigger


@pytest.fixture
def configurator(bench):
    """A configurator, with mind and critic that are this test's."""
    bench.start('configurator')
    bench.hear(topics.GOAL, topics.STATUS, topics.BUDGET)
    bench.offer(topics.GOAL_IMAGE, topics.DIAGNOSTICS, topics.PLAN, topics.VERDICT)
    bench.mind = Mind(bench)
    bench.met(topics.GOAL, topics.STATUS, topics.GOAL_IMAGE, topics.DIAGNOSTICS, topics.VERDICT)
    status(bench, ready='1', mode='idle')
    return bench


class Mind:
    """Plays the mind's lifecycle and the critic's sign of life, and acknowledges what it has."""

    def __init__(self, bench):
        self.bench, self.state, self.pid, self.has, self.level = bench, 'unconfigured', 1, None, 0
        self.asked, self.beating, self.deaf = [], True, False
        self.thoughts, self.late, self.slow = 0, 0, False
        bench.node.create_service(ChangeState, 'mind/change_state', self.on_change)
        bench.node.create_subscription(*topics.GOAL.subscriber(self.on_goal))
        bench.node.create_timer(0.1, self.beat)

    def on_change(self, request, response):
        self.asked.append(request.transition.label)
        self.state = {'configure': 'inactive', 'activate': 'active',
                      'deactivate': 'inactive'}[request.transition.label]
        response.success = True
        return response

    def on_goal(self, msg):
        if self.state == 'active' and not self.deaf:
            _, number, run = convert.goal_from(msg)
            self.has = run, number

    def beat(self):
        run, number = self.has or ('', 0)
        said = {'/critic': {'state': 'active', 'pid': '2'}}
        if self.beating:
            self.thoughts += 3
            self.late += 3 * self.slow
            said['/mind'] = {'state': self.state, 'pid': str(self.pid), 'run': run,
                             'goal': str(number), 'thoughts': str(self.thoughts),
                             'late': str(self.late)}
        for name, values in said.items():
            self.bench.say(topics.DIAGNOSTICS, convert.health_message(
                convert.Health(name, self.level, '', values), 0))


def call(bench, row):
    answer = bench.ask(row, Trigger.Request())
    return answer.success, answer.message


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


def arm(bench):
    assert call(bench, topics.ARM) == (True, 'mode is autonomous')
    return status(bench, mode='autonomous', acknowledged='1').values['run']


def test_it_brings_the_mind_up_and_to_what_each_mode_asks_for(configurator):
    assert configurator.mind.asked == ['configure']
    arm(configurator)
    assert configurator.mind.asked == ['configure', 'activate']
    assert call(configurator, topics.DISARM) == (True, 'mode is idle')
    configurator.until(lambda: configurator.mind.asked[2:] == ['deactivate'])
    for row, mode in ((topics.MANUAL, 'manual'), (topics.DRY_RUN, 'dry_run'),
                      (topics.STOP, 'stopped')):
        assert call(configurator, row) == (True, f'mode is {mode}')
        status(configurator, mode=mode)
    assert not call(configurator, topics.ARM)[0]
    assert call(configurator, topics.RESET) == (True, 'mode is idle')


def test_a_stop_outlives_whoever_said_it(configurator):
    kept = Path(os.environ['ROS_HOME']) / 'ami_ros' / 'stopped'
    for ending in (signal.SIGTERM, signal.SIGKILL):
        assert call(configurator, topics.STOP) == (True, 'mode is stopped')
        configurator.until(kept.exists, 'a file')
        child = configurator.processes.running['configurator']
        child.send_signal(ending)
        child.wait()
        configurator.heard[topics.STATUS.name].clear()
        configurator.processes.launch('configurator')
        status(configurator, mode='stopped', reason='stopped was requested', ready='1')
        if ending is signal.SIGTERM:        # who was killed is still asked by DDS for a while
            assert call(configurator, topics.RESET) == (True, 'mode is idle')
            configurator.until(lambda: not kept.exists(), 'no file')


def test_a_goal_is_resized_numbered_and_repeated_until_the_mind_has_it(configurator):
    run = arm(configurator)
    configurator.mind.deaf = True
    give(configurator, 128, 128)
    picture, of = goal(configurator, 1)
    assert picture.shape == (64, 64, 3) and picture.min() == picture.max() == 77 and of == run
    heard = configurator.heard[topics.GOAL.name]
    heard.clear()
    goal(configurator, 1)
    configurator.mind.has = run, 1
    assert status(configurator, goal='1', acknowledged='1').values['task'] == 'driving'


def test_a_goal_of_another_shape_is_refused_and_ends_the_one_before(configurator):
    arm(configurator)
    give(configurator, 64, 64)
    status(configurator, task='driving', goal='1')
    configurator.heard[topics.STATUS.name].clear()
    give(configurator, 96, 64)
    why = status(configurator, task='none', goal='0').values['reason']
    assert why.startswith('goal image is 96x64') and '64x64' in why
    assert goal(configurator, 0)[0] is None


def test_an_unarmed_robot_takes_no_goal(configurator):
    give(configurator, 64, 64)
    status(configurator, mode='idle', goal='0', goals='0', reason='a goal needs mode autonomous '
           'or dry_run, it is idle; call configurator/arm')


def test_cancel_and_begin(configurator):
    run = arm(configurator)
    give(configurator, 64, 64)
    goal(configurator, 1)
    assert call(configurator, topics.CANCEL) == (True, 'goal 1 is cancelled')
    assert status(configurator, reason='cancelled', goal='0').values['run'] == run
    _, began = call(configurator, topics.NEW_EPISODE)
    assert began != run
    assert status(configurator, run=began, mode='autonomous').values['goal'] == '0'


def test_a_mind_that_is_lost_disarms_and_comes_back_unarmed(configurator):
    arm(configurator)
    give(configurator, 64, 64)
    status(configurator, goal='1', acknowledged='1')
    configurator.heard[topics.STATUS.name].clear()
    configurator.mind.beating = False
    lost = status(configurator, mode='idle', goal='0', ready='0')
    assert '/mind was lost; arm again and give the goal again' in lost.values['reason']
    mind = configurator.mind
    mind.pid, mind.state, mind.has, mind.beating = 3, 'unconfigured', None, True
    configurator.heard[topics.STATUS.name].clear()
    status(configurator, mode='idle', ready='1')
    assert mind.state == 'inactive'


def test_a_mind_that_is_late_is_asked_for_less(configurator):
    arm(configurator)
    heard = configurator.heard[topics.BUDGET.name]

    def level():
        return convert.state_from(heard[-1])[0] if heard else {}

    assert level() == {'candidates': 1.0, 'horizon': 1.0, 'every': 1.0}
    configurator.mind.slow = True
    configurator.until(lambda: level()['candidates'] < 1.0, 'fewer candidates')
    configurator.until(lambda: level()['horizon'] < 1.0, 'a shorter horizon')
    configurator.until(lambda: level()['every'] > 1.0, 'fewer pictures')
    assert status(configurator, **{'budget.every': '2'}).values['mode'] == 'autonomous'


def test_a_hand_takes_over(configurator):
    arm(configurator)
    give(configurator, 64, 64)
    status(configurator, goal='1')
    verdict = Verdict(Command(np.zeros(2), 5), 'go', source='teleop')
    configurator.say(topics.VERDICT, convert.verdict_message(verdict))
    status(configurator, mode='manual', goal='0')
