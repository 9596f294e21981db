# SPDX-License-Identifier: Apache-2.0
"""A critic that is told the same again answers the same, from the start and from the middle."""

from dataclasses import replace
from functools import cache

from ami_ros.critic.critic import Critic
from ami_ros.critic.safety_policy.policy_loader import chosen
from ami_ros.critic.stop_latch import Latch
from ami_ros.recording import critic_call_recorder, lossless_json
from ami_ros.recording.trace_records import Told, Tracer
from closed_loop import at_random, at_the_nearest, drive, room, World
import numpy as np
import pytest
from rule_contract import ROBOT, STRICT

RULES = {name: vars(own) for name, own in STRICT.rules.items() if name != 'tilt'}
POLICY = chosen({'shared': vars(STRICT.shared), 'rules': RULES}, 'strict')  # no IMU in that world


@cache
def watched(driver, seconds=4.0):
    """Drive with a witness; return what it wrote, read again, and where it can be begun."""
    critic, tracer = Critic(POLICY, ROBOT), Tracer(10**6)
    critic_call_recorder.watch(critic, tracer)
    tracer.switch(True)
    rng = np.random.default_rng(3)
    world = World(room(rng), noise_m=0.01, rng=rng, yaw=1.0)
    drive(world, critic, driver(rng), seconds / 2, 20)
    middle = tracer.number
    for one in critic_call_recorder.state(critic):
        tracer.note(one)
    critic.on_odometry(world.odometry())
    drive(world, critic, driver(rng), seconds / 2, 20)
    critic.allowed(world.now_ns, world.now_ns)
    critic.forget('scan')
    critic.forget_permit()
    critic.judge(world.now_ns + 10**7, world.now_ns + 10**7, (0.1, 0.0))
    notes = []
    while (taken := tracer.take()) is not None:
        notes.append((taken[0], lossless_json.read(lossless_json.text(taken[1]))))
    return notes, middle


def answers(critic, notes):
    """Make the calls again; return each question's answer then and now, as text."""
    out = []
    for _, told in notes:
        if told.call.startswith('state'):
            continue
        now = critic_call_recorder.again(critic, told)
        if told.call in critic_call_recorder.QUESTIONS:
            out.append((lossless_json.text(told.answer), lossless_json.text(now)))
    return out


@pytest.mark.parametrize('driver', [at_the_nearest, at_random])
def test_the_same_again(driver):
    notes, middle = watched(driver)
    assert [number for number, _ in notes] == list(range(1, len(notes) + 1))
    whole = answers(Critic(POLICY, ROBOT), notes)
    assert len(whole) > 75 and all(then == now for then, now in whole)
    assert len({lossless_json.read(then).rule for then, _ in whole if '"Verdict"' in then}) >= 4

    critic, rest = Critic(POLICY, ROBOT), [n for n in notes if n[0] > middle]
    end = next(i for i, (_, told) in enumerate(rest) if told.call == 'state_ends')
    critic_call_recorder.restore(critic, [told for _, told in rest[:end]])
    half = answers(critic, rest[end:])
    assert len(half) > 35 and all(then == now for then, now in half)
    unaware = answers(Critic(POLICY, ROBOT), rest[end:])    # without the state it is another
    assert any(then != now for then, now in unaware)


def test_what_is_asked_for_is_noted():
    notes, _ = watched(at_random, 1.0)
    judged = [told for _, told in notes if told.call == 'judge']
    assert all(told.took_ns > 0 and len(told.wanted) == 2 for told in judged)
    assert judged[-1].wanted == (0.1, 0.0)


def test_nobody_who_is_not_asked_takes_notes_and_a_full_queue_tells():
    critic, tracer = Critic(POLICY, ROBOT), Tracer(3)
    critic_call_recorder.watch(critic, tracer)
    critic.judge(1, 1)
    assert len(tracer) == tracer.number == 0
    assert tracer.switch(True) and not tracer.switch(True)
    for at in range(1, 6):
        critic.judge(at, at)
    assert [tracer.take()[0] for _ in range(3)] == [3, 4, 5] and tracer.dropped == 2
    assert tracer.take() is None
    assert not tracer.switch(False) and len(tracer) == 0


def test_a_call_that_no_critic_knows_is_named():
    with pytest.raises(ValueError, match='no on_dragon; it has: allowed, forget, .*on_scan'):
        critic_call_recorder.again(Critic(POLICY, ROBOT), Told('on_dragon', ()))
    with pytest.raises(ValueError, match='no keeper.wings'):
        critic_call_recorder.restore(Critic(POLICY, ROBOT),
                                     [Told('state', ('keeper', 'wings', 1))])


def test_a_policy_that_is_looser_answers_otherwise():
    notes, _ = watched(at_the_nearest)
    numbers = {**vars(POLICY.shared), 'stop_distance_m': POLICY.shared.stop_distance_m + 0.1}
    other = replace(POLICY, shared=type(POLICY.shared)(**numbers))
    assert any(then != now for then, now in answers(Critic(other, ROBOT), notes))


def test_what_is_latched_is_part_of_the_state(tmp_path):
    critic = Critic(POLICY, ROBOT, Latch(tmp_path))
    critic.latch.close('bumper_cliff_estop', 'bumped')
    said = [lossless_json.read(lossless_json.text(told))
            for told in critic_call_recorder.state(critic)]
    other = Critic(POLICY, ROBOT)
    critic_call_recorder.restore(other, said)
    assert other.latch.closed == {'bumper_cliff_estop': 'bumped'}
    critic.latch.end()
