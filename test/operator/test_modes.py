# SPDX-License-Identifier: Apache-2.0
"""The whole stack in real time: who may move the robot in which mode, and what a loss does.

Body, critic and configurator are the real ones; the mind is one without a model.
"""

import os
import signal
import time

from ami_ros.core.types import Command
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from node_harness import STUB
import numpy as np
import pytest
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

READY_S = 5.0           # from a mind that is killed or hangs until it can be armed again
SLOW = 4.0              # a loaded machine of tests may take so many times as long


class Robot:
    """The processes, and what a person in front of them sees and does."""

    def __init__(self, bench):
        self.bench = bench
        bench.processes.programs['mind'] = [STUB]
        bench.hear(topics.STATUS, topics.TRUTH_STATE, topics.PLAN, topics.VERDICT)
        bench.offer(topics.GOAL_IMAGE, topics.HAND)
        bench.start('sim', engine='loopback')
        for name in ('critic', 'configurator', 'mind'):
            bench.start(name)
        bench.processes.respawn = {'mind', 'configurator'}
        bench.met(topics.STATUS, topics.TRUTH_STATE, topics.PLAN, topics.VERDICT,
                  topics.GOAL_IMAGE, topics.HAND)
        self.status(ready='1', mode='idle')

    @property
    def newest(self):
        said = self.bench.heard[topics.STATUS.name]
        return convert.health_from(said[-1])[0].values if said else {}

    def status(self, **values):
        return self.bench.until(
            lambda: all(self.newest.get(k) == v for k, v in values.items()) and self.newest,
            f'a status of {values}')

    def ask(self, row):
        answer = self.bench.ask(row, Trigger.Request())
        return answer.success, answer.message

    def poses(self):
        """Truth since last asked."""
        heard = self.bench.heard[topics.TRUTH_STATE.name]
        said = [convert.state_from(msg)[0] for msg in heard]
        heard.clear()
        return np.array([(s['x_m'], s['y_m'], s['yaw_rad'], s['speed_mps']) for s in said])

    def watch(self, seconds):
        """Let simulated time pass and return how it moved."""
        self.poses()
        seen = []

        def over():
            seen.extend(self.poses())
            return len(seen) >= 20 * seconds

        self.bench.until(over, f'{seconds} s of truth')
        return np.array(seen)

    def goal(self):
        before = self.newest['goals']
        self.bench.say(topics.GOAL_IMAGE, convert.image_message(
            np.full((64, 64, 3), 90, np.uint8), 0))
        self.bench.until(lambda: self.newest['goals'] != before
                         and self.newest['acknowledged'] == '1', 'a goal that the mind has')

    def push(self, v, seconds):
        """Hold the stick for a while; return how it moved."""
        self.poses()
        seen, begun = [], time.monotonic()

        def over():
            stamp = self.bench.node.get_clock().now().nanoseconds
            self.bench.say(topics.HAND, convert.command_message(Command(np.array([v, 0.0]),
                                                                        stamp)))
            seen.extend(self.poses())
            return time.monotonic() - begun > seconds and len(seen) > 10 * seconds

        self.bench.until(over, 'a push')
        return np.array(seen)


@pytest.fixture
def robot(bench):
    return Robot(bench)


def moved(seen):
    return float(np.abs(seen[:, :3] - seen[0, :3]).max()) > 0.02


def at_rest(robot):
    robot.bench.until(lambda: (seen := robot.poses()).size and seen[-1, 3] == 0.0, 'rest')


def test_each_mode_lets_move_whom_it_says(robot):
    assert not moved(robot.watch(1))
    assert robot.ask(topics.DRY_RUN)[0]
    robot.status(mode='dry_run', acknowledged='1')
    robot.goal()
    robot.bench.until(lambda: any(convert.plan_from(m).knots.any()
                                  for m in robot.bench.heard[topics.PLAN.name]), 'a plan')
    assert not moved(robot.watch(1))                    # it plans, and never moves
    assert moved(robot.push(0.3, 1.0)) and robot.newest['mode'] == 'dry_run'
    assert robot.ask(topics.ARM)[0]
    robot.status(mode='autonomous', acknowledged='1', goal='0')
    at_rest(robot)
    assert not moved(robot.watch(0.5))                  # the goal of before is not taken up
    robot.goal()
    assert moved(robot.watch(1))
    robot.push(-0.2, 0.5)
    robot.status(mode='manual', goal='0')               # the hand took over
    at_rest(robot)
    assert not moved(robot.watch(0.5))
    assert robot.ask(topics.ARM)[0]
    robot.status(mode='autonomous', acknowledged='1')   # and the hand of before is forgotten
    robot.goal()
    assert moved(robot.watch(1)) and robot.newest['mode'] == 'autonomous'
    assert robot.ask(topics.STOP)[0]
    at_rest(robot)
    assert not moved(robot.push(0.3, 0.5))              # not even a hand
    assert robot.ask(topics.RESET)[0]
    robot.status(mode='idle')
    assert moved(robot.push(0.3, 1.0))
    robot.status(mode='manual')


@pytest.mark.parametrize('how', [signal.SIGKILL, signal.SIGSTOP])
def test_a_mind_that_is_killed_or_frozen_is_ready_again_soon_and_nothing_resumes(robot, how):
    assert robot.ask(topics.ARM)[0]
    robot.status(mode='autonomous', acknowledged='1')
    robot.goal()
    assert moved(robot.watch(0.5))
    child = robot.bench.processes.running['mind']
    begun = time.monotonic()
    os.kill(child.pid, how)
    robot.status(mode='idle', goal='0')
    assert '/mind was lost' in robot.newest['reason']
    robot.status(mode='idle', ready='1')
    took_s = time.monotonic() - begun
    assert took_s < READY_S * SLOW, took_s
    at_rest(robot)
    assert not moved(robot.watch(1))
    assert robot.bench.processes.running['mind'].pid != child.pid
    assert robot.ask(topics.ARM)[0]
    robot.status(mode='autonomous', acknowledged='1')
    assert not moved(robot.watch(0.5))                  # armed, and still without a goal
    robot.goal()
    assert moved(robot.watch(1))


def test_without_its_supervisor_the_robot_rests_and_is_not_armed_by_its_return(robot):
    assert robot.ask(topics.ARM)[0]
    robot.status(mode='autonomous', acknowledged='1')
    robot.goal()
    assert moved(robot.watch(0.5))
    child = robot.bench.processes.running['configurator']
    os.kill(child.pid, signal.SIGSTOP)                  # it still is a publisher, and says nothing
    at_rest(robot)
    verdict = convert.verdict_from(robot.bench.heard[topics.VERDICT.name][-1])
    assert verdict.rule == 'motion_enable'
    assert moved(robot.push(0.3, 1.0))                  # a hand needs no supervisor
    child.kill()
    robot.bench.heard[topics.STATUS.name].clear()
    robot.bench.until(lambda: robot.newest.get('mode') in ('idle', 'manual'), 'its return')
    at_rest(robot)
    assert not moved(robot.watch(0.5))


def drives(robot):
    assert robot.ask(topics.ARM)[0]
    robot.status(mode='autonomous', acknowledged='1')
    robot.goal()
    assert moved(robot.watch(1)), convert.verdict_from(
        robot.bench.heard[topics.VERDICT.name][-1]).reason + str(robot.newest)


def test_after_an_emergency_stop_or_a_power_cut_one_reset_and_one_arming_bring_it_back(robot):
    bench = robot.bench
    bench.processes.respawn.add('critic')
    bench.offer(topics.E_STOP)
    bench.met(topics.E_STOP)
    drives(robot)
    bench.say(topics.E_STOP, Bool(data=True))
    at_rest(robot)
    robot.status(mode='idle', goal='0')
    assert 'the critic latched bumper_cliff_estop: e_stop' in robot.newest['reason']
    assert not robot.ask(topics.CRITIC_RESET)[0]        # the cause lasts
    bench.say(topics.E_STOP, Bool(data=False))
    worked, why = robot.ask(topics.ARM)
    assert not worked and 'call critic/reset' in why
    assert not moved(robot.push(0.3, 0.5))              # not even a hand
    assert robot.ask(topics.CRITIC_RESET)[0]
    assert not moved(robot.watch(1))                    # to let go is not to start
    robot.status(ready='1')
    drives(robot)

    bench.processes.running['critic'].kill()            # at full drive, as a power cut would
    robot.status(mode='idle')
    robot.bench.until(lambda: 'latched by unclean_end' in robot.newest['waits_for'], 'its return')
    at_rest(robot)
    assert not moved(robot.push(0.3, 0.5)) and not robot.ask(topics.ARM)[0]
    assert robot.ask(topics.CRITIC_RESET) == (True, 'released: unclean_end')
    robot.status(ready='1')
    drives(robot)
