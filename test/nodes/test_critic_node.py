# SPDX-License-Identifier: Apache-2.0
"""The critic's process: answers a plan, answers silence, and leaves the robot at rest."""

import math
import time

from ami_ros.agent.robots import find
from ami_ros.agent.types import Plan
from ami_ros.nodes import convert, topics
import numpy as np
import pytest

ROVER = find('rover')
ANGLES = np.linspace(-math.pi, math.pi, 180, endpoint=False)
IN = (topics.PLAN, topics.SCAN, topics.ODOMETRY, topics.STATUS)
OUT = (topics.COMMAND, topics.VERDICT)


@pytest.fixture
def critic(bench):
    def started(**parameters):
        bench.child = bench.start('critic', **parameters)
        bench.hear(*OUT)
        bench.offer(*IN)
        bench.met(*IN, *OUT)
        return bench
    return started


def readings(bench, now):
    bench.say(topics.SCAN, convert.scan_message(now, np.full(180, 5.0), ANGLES,
                                                ROVER.lidar_range_m))
    bench.say(topics.ODOMETRY, convert.odometry_message(now, np.zeros(3), np.zeros(2)))


def mode(bench, now, name='autonomous', run='r'):
    bench.say(topics.STATUS, convert.health_message(
        convert.Health('/configurator', values={'mode': name, 'run': run}), now))


def ahead(now, v=0.1, number=None):
    return convert.plan_message(Plan(np.tile([v, 0.0], (4, 1)), 0.25, now,
                                     now if number is None else number, 'r', 1))


def verdicts(bench):
    return [convert.verdict_from(msg) for msg in bench.heard[topics.VERDICT.name]]


def commands(bench):
    return [convert.command_from(msg, 0).values.tolist() for msg in
            bench.heard[topics.COMMAND.name]]


def test_silence_is_a_stop_that_goes_on(critic):
    bench = critic()
    bench.until(lambda: len(bench.heard[topics.COMMAND.name]) > 25, '25 ticks')
    assert set(map(tuple, commands(bench))) == {(0.0, 0.0)}
    first = verdicts(bench)[0]
    assert (first.action, first.rule, first.reason) == ('stop', 'guard', 'no plan has come')


def test_answers_a_plan_at_once_and_stops_when_it_grows_old(critic):
    bench = critic()

    def moving():
        now = time.time_ns()
        readings(bench, now)
        mode(bench, now)
        bench.say(topics.PLAN, ahead(now))
        return next((v for v in verdicts(bench) if v.command.values[0] > 0), None)

    moved = bench.until(moving, 'a command to move')
    assert moved.run == 'r' and moved.goal == 1 and moved.number == moved.plan_start_ns
    stamps = [m.header.stamp for m in bench.heard[topics.COMMAND.name]]
    assert convert.time(moved.command.stamp_ns) in stamps
    bench.heard[topics.VERDICT.name].clear()
    stop = bench.until(lambda: next((v for v in verdicts(bench) if v.action == 'stop'), None),
                       'a stop after silence')
    assert stop.rule == 'fresh'
    bench.heard[topics.COMMAND.name].clear()
    bench.until(lambda: bench.heard[topics.COMMAND.name], 'the stop going on')
    assert set(map(tuple, commands(bench))) == {(0.0, 0.0)}


@pytest.mark.parametrize('spoil, rule', [
    (lambda plan: setattr(plan.points[1].velocities[0].linear, 'x', math.nan), 'finite'),
    (lambda plan: plan.joint_names.pop(), 'finite'),
])
def test_a_plan_that_is_wrong_stops(critic, spoil, rule):
    bench = critic()

    def spoilt():
        now = time.time_ns()
        readings(bench, now)
        plan = ahead(now)
        spoil(plan)
        bench.say(topics.PLAN, plan)
        return next((v for v in verdicts(bench) if v.rule == rule), None)

    assert bench.until(spoilt, f'a stop by {rule}').action == 'stop'
    assert set(map(tuple, commands(bench))) == {(0.0, 0.0)}


def test_lock_step_answers_once_when_all_of_the_frame_is_there(critic):
    bench, sent = critic(lock_step=True), []

    def frame():
        mode(bench, 5)
        bench.say(topics.PLAN, ahead(10**10))
        sent.append(readings(bench, 10**10 - 10**8 * (len(sent) < 10)))
        return verdicts(bench)

    first = bench.until(frame, 'a verdict')[0]
    assert len(sent) > 10
    assert first.number == first.command.stamp_ns == 10**10
    assert first.action in ('go', 'slow') and dict(first.ages)['scan'] == 0.0
    bench.until(lambda: frame() and len(commands(bench)) > 3, 'the same answer again')
    assert all(command == commands(bench)[0] for command in commands(bench))


def test_sigterm_sends_a_zero_first(critic):
    bench = critic(lock_step=True)              # no ticks that could be it

    def frame():
        mode(bench, 5)
        readings(bench, 10**10)
        bench.say(topics.PLAN, ahead(10**10))
        return verdicts(bench) and commands(bench)[-1][0] > 0

    bench.until(frame, 'a command to move')
    bench.child.terminate()
    bench.processes.running.clear()
    bench.until(lambda: commands(bench)[-1] == [0.0, 0.0], 'a zero')
    bench.until(lambda: verdicts(bench)[-1].rule == 'shutdown', 'the reason')
    assert bench.child.wait(5) == 0


def test_an_unstamped_command_where_the_base_wants_it(bench):
    unstamped = topics.command(False)
    bench.start('critic', enable_stamped_cmd_vel=False)
    bench.hear(unstamped)
    bench.until(lambda: bench.heard[unstamped.name], 'a Twist')
