# SPDX-License-Identifier: Apache-2.0
"""The mind in one process: goals, lock-step, real time, and what it does with bad input."""

import os
import subprocess
import sys
import time

from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from fake_mind_peers import Minded, NS, PERIOD_NS, picture, same_plan
import numpy as np
import pytest
import rclpy
from std_msgs.msg import Float32

GOAL = picture(1000)


def test_it_rests_until_it_has_a_goal_and_after_a_cancel(bench):
    mind = Minded(bench, lock_step=True)
    mind.order(None, 0)
    plan = mind.drive(1)[0]
    assert not plan.knots.any() and (plan.goal, plan.run) == (0, 'a')
    mind.order(GOAL, 1)
    plan = mind.drive(2, begin=11 * NS)[-1]
    assert plan.knots.any() and (plan.goal, plan.run) == (1, 'a') and plan.iterations == 3
    assert plan.start_ns == plan.number
    mind.order(None, 0)
    plan = mind.drive(1, begin=12 * NS)[0]
    assert not plan.knots.any() and plan.goal == 0


def test_in_lock_step_a_frame_waits_for_all_that_belongs_to_it(bench):
    mind = Minded(bench, lock_step=True)
    mind.order(GOAL, 1)
    first, second = 10 * NS, 10 * NS + PERIOD_NS
    mind.sense(first, what=['camera', 'odom'])
    mind.sense(first - 1, what=['imu'])                 # of another instant
    mind.sense(first, what=['imu'])
    made = mind.plan(first)
    mind.sense(first)                                   # the answer got lost: the same again
    assert bench.until(lambda: mind.plans(first)[1:])[0].knots.tobytes() == made.knots.tobytes()
    mind.sense(second)
    mind.command(first - 1, [0.1, 0.0])                 # of another frame
    told = len(bench.heard[topics.DIAGNOSTICS.name])
    bench.until(lambda: len(bench.heard[topics.DIAGNOSTICS.name]) > told + 1)
    assert not mind.plans(second)
    mind.command(first, made.knots[0])
    mind.plan(second)
    third = second + PERIOD_NS
    mind.sense(third)                                   # the command got lost, but the body asks
    told = len(bench.heard[topics.DIAGNOSTICS.name])    # again, not at once: a queue holds one
    bench.until(lambda: len(bench.heard[topics.DIAGNOSTICS.name]) > told + 1)
    mind.sense(third)                                   # it goes on without
    mind.plan(third)


def test_a_new_run_forgets_all(bench):
    mind = Minded(bench, lock_step=True)
    runs = []
    for number, run in ((1, 'a'), (2, 'b')):
        mind.order(None, 0, run)
        bench.heard[topics.PLAN.name].clear()
        rest = mind.drive(1)
        mind.order(GOAL, number, run)
        runs.append(rest + mind.drive(4, begin=11 * NS))
    assert all(map(same_plan, *runs)) and runs[0][-1].knots.any()
    assert {plan.run for plan in runs[1]} == {'b'}


def test_in_real_time_it_says_what_is_wrong_and_rests(bench):
    mind = Minded(bench)
    mind.order(GOAL, 1)
    now = 1000 * NS
    mind.sense(now, what=['camera'])
    assert not mind.plan(now).knots.any()
    bench.until(lambda: mind.health().level == 2)
    assert mind.health().message == 'no odom has come; at most 0.15 s is right'
    mind.sense(now + PERIOD_NS)
    plan = mind.plan(now + PERIOD_NS)
    assert plan.knots.any() and plan.start_ns == plan.number + 60_000_000
    mind.sense(now + 2 * PERIOD_NS, np.zeros((48, 64, 3), np.uint8))
    plan = mind.plan(now + 2 * PERIOD_NS)
    assert not plan.knots.any() and plan.goal == 1
    bench.until(lambda: mind.health().level == 2)
    assert mind.health().message.startswith('image is 64x48; this module sees 64x64')
    mind.sense(now + 3 * PERIOD_NS, np.kron(picture(3), np.ones((2, 2, 1))).astype(np.uint8))
    assert mind.plan(now + 3 * PERIOD_NS).knots.any()
    mind.sense(now + 3 * PERIOD_NS)                     # a camera that hangs: no new plan
    mind.sense(now + 6 * PERIOD_NS, what=['camera'])
    assert not mind.plan(now + 6 * PERIOD_NS).knots.any()
    bench.until(lambda: '0.300 s older' in mind.health().message)
    assert len(mind.plans(now + 3 * PERIOD_NS)) == 1


def test_it_says_what_it_waits_for_and_what_is_of_another_type(bench):
    mind = Minded(bench)
    mind.order(GOAL, 1)
    bench.until(lambda: mind.health().message == 'waiting for camera/image_raw')
    other = rclpy.Context()
    rclpy.init(context=other, domain_id=bench.domain)
    camera = rclpy.create_node('odd_camera', context=other)
    camera.create_publisher(Float32, topics.CAMERA.name, 1)
    bench.until(lambda: mind.health().message == (
        'camera/image_raw comes from odd_camera as std_msgs/msg/Float32; it needs '
        'sensor_msgs/msg/Image'))
    assert mind.health().level == 2
    camera.destroy_node()
    rclpy.shutdown(context=other)


def test_a_cancel_does_not_wait_for_the_next_picture(bench):
    mind = Minded(bench)
    mind.order(GOAL, 1)
    mind.sense(1000 * NS)
    driving = mind.plan(1000 * NS)
    mind.order(None, 0)
    rest = bench.until(lambda: mind.plans(1000 * NS)[1:])[0]
    assert driving.knots.any() and not rest.knots.any() and rest.start_ns == driving.start_ns


def test_it_says_rest_when_it_is_ended(bench):
    mind = Minded(bench)
    mind.order(GOAL, 1)
    mind.sense(1000 * NS)
    assert mind.plan(1000 * NS).knots.any()
    bench.processes.running.pop('mind').terminate()
    assert not bench.until(lambda: mind.plans(1000 * NS)[1:])[0].knots.any()


def test_what_it_tells_about_a_frame(bench):
    mind = Minded(bench, lock_step=True)
    mind.order(GOAL, 1)
    stamp = mind.drive(1)[0].number
    state, of, run = convert.state_from(
        bench.until(lambda: bench.heard[topics.ACTOR_STATE.name])[0])
    assert (of, run) == (stamp, 'a')
    assert state['encode_plan_ms'] >= state['encode_ms'] + state['plan_ms'] > 0
    assert {'iterations', 'energy.time_to_goal'} < set(state)
    latent = bench.until(lambda: bench.heard[topics.LATENT.name])[0]
    assert convert.vector_from(latent)[1:] == (stamp, 'a')
    belief = bench.until(lambda: bench.heard[topics.BELIEF_STATE.name])[0]
    assert convert.state_from(belief)[1:] == (stamp, 'a')


def test_a_smaller_budget_makes_shorter_plans_of_fewer_pictures_until_it_is_whole_again(bench):
    bench.offer(topics.BUDGET)
    mind = Minded(bench)
    mind.order(GOAL, 1)
    bench.until(bench.publishers[topics.BUDGET.name].get_subscription_count)
    stamp = [10 * NS]

    def plans():
        stamp[0] += PERIOD_NS
        mind.sense(stamp[0])
        told = len(bench.heard[topics.PLAN.name])
        end = time.monotonic() + 0.05
        bench.until(lambda: len(bench.heard[topics.PLAN.name]) > told or time.monotonic() > end)
        return [convert.plan_from(msg) for msg in bench.heard[topics.PLAN.name]]

    for horizon, every in ((0.5, 1), (0.5, 3), (1.0, 1)):
        bench.say(topics.BUDGET, convert.state_message(
            {'candidates': 0.5, 'horizon': horizon, 'every': float(every)}, 0))

        def as_asked(horizon=horizon, every=every):
            made = plans()[-3:]
            apart = {b.number - a.number for a, b in zip(made, made[1:])}
            return len(made) == 3 and apart == {every * PERIOD_NS} and all(
                len(plan.knots) == round(8 * horizon) for plan in made)

        bench.until(as_asked, f'plans of {horizon} of every {every}')


@pytest.mark.parametrize('given, words', [
    ('module:=/nowhere/at/all', ('/nowhere/at/all is not a module',)),
    ('robot:=submarine', ('submarine', 'rover')),
    ('actor.candidats:=64', ("'candidats'", "'candidates'")),
    ('actor.candidates:=1', ('candidates = 1 is outside 8 to 1024',)),
])
def test_it_ends_with_one_sentence(given, words):
    ended = subprocess.run(
        [sys.executable, '-c', 'from ami_ros.nodes.mind_node import main; '
         'raise SystemExit(main())', '--ros-args', '-p', 'autostart:=true', '-p', 'robot:=rover',
         '-p', given],
        capture_output=True, text=True, timeout=60,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)})
    last = ended.stderr.strip().split('\n')[-1]
    assert ended.returncode == 1 and 'Traceback' not in ended.stderr
    assert all(word in last for word in words), last
