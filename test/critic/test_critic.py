# SPDX-License-Identifier: Apache-2.0
"""The guard: every rule in order, no answer is a stop; and the critic's memory."""

from dataclasses import dataclass, replace
import math
import time
from types import SimpleNamespace

from ami_ros.core.types import Command, ScanMotion
from ami_ros.critic.critic import Critic, guard
from ami_ros.critic.rule_interface import Answer, scaled, Stop
from ami_ros.critic.safety_policy.policy_loader import build_rules, changed
import numpy as np
import pytest
from rule_contract import (
    ANGLES,
    BROKEN,
    cases,
    CHOSEN,
    command,
    imu,
    level,
    NOW,
    ns,
    NUMBERS,
    odometry,
    permit,
    plan,
    ROBOT,
    scan,
    sensor,
    situation,
    STEADY,
    STRICT,
    switch,
    view,
)

RULES = build_rules(CHOSEN, ROBOT)
# nothing stands on after its cause: test_holding is about that
QUICK = changed(CHOSEN, {name: 0.0 for name in CHOSEN.numbers if name.endswith('.release_s')})
MOVING = Command(np.array([0.3, 0.0]), NOW - ns(0.1))


@dataclass
class Fake:
    """A rule that answers what it was told to."""

    answer: object = None
    name: str = 'fake'

    def limit(self, command, situation):
        self.seen = command
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(command) if callable(self.answer) else self.answer


def share(part: float, name: str) -> Fake:
    return Fake(lambda c: Answer(scaled(c, part), f'because of {name}'), name)


PASS = Fake(lambda c: Answer(c), 'pass')


def assert_stop(verdict, rule, reason):
    assert verdict.action == 'stop'
    assert verdict.command.values.tolist() == [0.0, 0.0]
    assert verdict.rule == rule
    assert reason in verdict.reason


def test_a_fine_command_goes():
    verdict = guard(situation(), (PASS,))
    assert verdict.action == 'go'
    assert (verdict.rule, verdict.reason, verdict.touched) == ('', '', ())
    assert verdict.command.values.tolist() == [0.3, 0.0]
    assert verdict.command.stamp_ns == NOW


def test_the_verdict_leads_back_to_its_inputs():
    seen = situation(plan=plan(start_ns=NOW - ns(0.1)), plan_steady_ns=STEADY - ns(0.02),
                     scan=scan(stamp_ns=NOW - ns(0.03)), odometry=None, permit=None)
    verdict = guard(seen, (PASS,))
    assert (verdict.number, verdict.plan_start_ns, verdict.goal, verdict.run) == (
        7, NOW - ns(0.1), 3, 'a')
    assert dict(verdict.ages) == {'plan': 0.1, 'plan_arrival': 0.02, 'scan': 0.03,
                                  'scan_arrival': 0.0, 'camera': 0.0, 'camera_arrival': 0.0}
    assert (verdict.source, verdict.mode) == ('mind', '')
    verdict = guard(situation(permit=permit('idle', received_steady_ns=STEADY - 10**9)), (PASS,))
    assert dict(verdict.ages)['permit_arrival'] == 1.0 and verdict.mode == 'idle'


def test_rules_run_in_order_and_the_last_objection_names_the_reason():
    first, second = share(0.5, 'first'), share(0.5, 'second')
    verdict = guard(situation(), (first, PASS, second, PASS))
    assert verdict.action == 'slow'
    assert verdict.touched == ('first', 'second')
    assert (verdict.rule, verdict.reason) == ('second', 'because of second')
    assert second.seen.values.tolist() == [0.15, 0.0]
    assert verdict.command.values.tolist() == [0.075, 0.0]


def test_a_stop_ends_it_there():
    late = Fake(lambda c: Answer(c), 'late')
    verdict = guard(situation(), (share(0.5, 'first'), Fake(Stop('why not'), 'no'), late))
    assert_stop(verdict, 'no', 'why not')
    assert verdict.touched == ('first',)
    assert not hasattr(late, 'seen')


@pytest.mark.parametrize(('part', 'action'), [(1.0, 'go'), (1 - 1e-10, 'go'), (1 + 1e-10, 'go'),
                                              (1 - 1e-8, 'slow'), (1e-9, 'slow'), (0.0, 'stop')])
def test_rounding_is_not_slow(part, action):
    assert guard(situation(), (share(part, 'x'),)).action == action


def test_weakened_to_nothing_is_a_stop_with_its_rule():
    assert_stop(guard(situation(), (share(0.0, 'x'),)), 'x', 'because of x')


def test_a_plan_that_says_stop_goes():
    verdict = guard(situation(plan=plan(-0.0, 0.0)), RULES)
    assert verdict.action == 'go'
    assert str(verdict.command.values.tolist()) == '[0.0, 0.0]'


@pytest.mark.parametrize('answer', [
    None, 7, 'yes', Answer(None), Answer(7), Answer(SimpleNamespace(values=None)),
    Answer(command(math.nan)), Answer(command(math.inf)), Answer(Command(np.zeros(3), NOW))])
def test_no_answer_is_a_stop(answer):
    assert_stop(guard(situation(), (PASS, Fake(answer))), 'fake', '')


@pytest.mark.parametrize('bug', [ZeroDivisionError('oh'), KeyError('k'), MemoryError(),
                                 RecursionError(), AssertionError()])
def test_a_crashed_rule_is_a_stop(bug):
    assert_stop(guard(situation(), (PASS, Fake(bug))), 'fake', f'crashed: {bug!r}')


@pytest.mark.parametrize(('v', 'w'), [(0.3001, 0.5), (0.3, 0.5001), (-0.3, 0.5), (0.3, -0.5),
                                      (-1e-8, 0.5), (0.6, 1.0)])
def test_a_rule_that_strengthens_is_a_stop(v, w):
    seen = situation(plan=plan(0.3, 0.5))
    assert_stop(guard(seen, (Fake(Answer(command(v, w))),)), 'fake', 'stronger')


def test_a_rule_may_not_wake_a_standing_robot():
    assert_stop(guard(situation(plan=plan(0, 0)), (Fake(Answer(command(0.1))),)), 'fake',
                'stronger')


@pytest.mark.parametrize('rules', [(), [], None])
def test_no_rules_is_a_stop(rules):
    assert_stop(guard(situation(), rules), 'guard', 'no rules')


def test_rules_that_are_none_are_a_stop():
    assert_stop(guard(situation(), (None,)), 'guard', 'crashed')
    assert_stop(guard(situation(), 7), 'guard', 'crashed')


def test_no_plan_is_a_stop():
    assert_stop(guard(situation(plan=None), RULES), 'guard', 'no plan has come')


@pytest.mark.parametrize('broken', [plan(knot_s=0.0), plan(knot_s=math.nan),
                                    plan(knots=np.zeros((4, 3))), plan(knots=None),
                                    plan(start_ns=None)])
def test_a_plan_that_cannot_be_read_is_a_stop(broken):
    verdict = guard(situation(plan=broken), RULES)
    assert verdict.action == 'stop' and not verdict.command.values.any()


@pytest.mark.parametrize('garbage', [None, 7, SimpleNamespace(), SimpleNamespace(now_ns=None)])
def test_a_situation_that_cannot_be_read_is_a_stop(garbage):
    assert_stop(guard(garbage, RULES), 'guard', 'cannot be read')


@pytest.mark.parametrize('wanted', [(math.nan, 0.0), (0.0, math.inf), (-math.inf, 0.0)])
def test_nan_is_a_stop(wanted):
    assert_stop(guard(situation(), (PASS,), wanted), 'pass', 'not finite')
    assert_stop(guard(situation(), RULES, wanted), 'input_validity', 'not finite')


def test_another_wanted_twist_is_judged_like_the_plan():
    assert guard(situation(last=MOVING), RULES, (0.1, 0.2)).command.values.tolist() == [0.1, 0.2]
    assert guard(situation(plan=None), (PASS,), (0.1, 0.2)).action == 'go'
    for wanted in ((1,), (1, 2, 3), 7, ('a', 'b')):
        assert_stop(guard(situation(), RULES, wanted), 'guard', 'crashed')


@pytest.mark.parametrize(('changes', 'rule'), [
    ({'plan': plan(math.nan)}, 'input_validity'),
    ({'scan': scan(np.full(180, math.nan))}, 'input_validity'),
    ({'odometry': odometry(math.nan)}, 'input_validity'),
    ({'plan': plan(start_ns=NOW - ns(0.4))}, 'input_timeout'),
    ({'plan_steady_ns': STEADY - ns(0.4)}, 'input_timeout'),
    ({'scan': None}, 'input_timeout'),
    ({'odometry': None}, 'input_timeout'),
    ({'scan': scan(stamp_ns=NOW + ns(0.1))}, 'input_timeout'),
    ({'permit': None}, 'motion_enable'),
    ({'permit': permit(run='b')}, 'motion_enable'),
    ({'scan': scan(np.full(180, 0.18))}, 'stop_zone')])
def test_the_policy_names_the_cause(changes, rule):
    assert_stop(guard(situation(last=MOVING, **changes), RULES), rule, '')


@pytest.mark.parametrize(('changes', 'rule'), [
    ({'plan': plan(0.6, 3.0)}, 'speed'),
    ({'plan': plan(0.6)}, 'acceleration'),
    ({'plan': plan(0.4, surprise=4.0)}, 'surprise'),
    ({'scan': scan(np.where(np.abs(ANGLES) < 0.3, 0.27, math.inf))}, 'time_to_collision')])
def test_the_policy_names_what_slows(changes, rule):
    verdict = guard(situation(last=MOVING, **changes), RULES)
    assert verdict.action == 'slow'
    assert rule in verdict.touched and verdict.reason


def test_a_stop_bypasses_the_acceleration_limit():
    seen = situation(plan=plan(0, 0), last=command(0.6, 1.5), odometry=odometry(0.6, 1.5))
    assert guard(seen, RULES).action == 'go'
    assert guard(seen, RULES).command.values.tolist() == [0, 0]


def test_the_policy_never_strengthens_and_twice_is_once():
    for v, w, seen in cases(200):
        once = guard(seen, RULES, (v, w))
        values = once.command.values
        assert (np.abs(values) <= np.abs((v, w))).all() and (values * (v, w) >= 0).all()
        again = guard(seen, RULES, tuple(values))
        assert again.command.values == pytest.approx(values, rel=1e-6, abs=1e-9)


def test_broken_numbers_anywhere_never_move_it():
    for number in BROKEN:
        for changes in ({'odometry': odometry(0.1, number)}, {'plan': plan(number)},
                        {'plan': plan(surprise=number)}, {'last': command(0.0, number)},
                        {'scan': scan(mount=(0.0, 0.0, number))}, {'now_ns': number},
                        {'now_steady_ns': number}, {'plan_steady_ns': number}):
            verdict = guard(situation(**changes), RULES)
            assert verdict.action == 'stop' and verdict.rule
            assert verdict.command.values.tolist() == [0, 0]


def test_it_is_quick():
    """A millisecond at most, by the thread's own clock: other processes do not count."""
    taken = []
    for v, w, seen in cases(400):
        begun = time.thread_time_ns()
        guard(seen, RULES, (v, w))
        taken.append((time.thread_time_ns() - begun) / 1e6)
    assert np.median(taken) < 1.0


def test_every_rule_with_a_fine_lidar_is_quick():
    """2 ms at most, by the thread's own clock; half of the time, since others have the caches."""
    robot = replace(ROBOT, sensors=(*ROBOT.sensors, sensor('Imu', 'imu_2')))
    rules, taken = build_rules(STRICT, robot), []
    angles = np.linspace(-np.pi, np.pi, 360, endpoint=False)
    for v, w, seen in cases(400):
        ranges = np.repeat(np.where(seen.scans[0].ranges > 0, seen.scans[0].ranges, 1.0), 2)
        past = replace(seen.memory, sameness=(), jumps=(), disputes=(), arrivals=(), stops=(),
                       reversals=(), leans=(level(name='imu_2'),))
        seen = replace(seen, scans=(scan(ranges, angles=angles),), memory=past,
                       imus=(imu(name='imu_2'),))
        begun = time.thread_time_ns()
        guard(seen, rules, (v, w))
        taken.append((time.thread_time_ns() - begun) / 1e6)
    assert np.percentile(taken, 50) < 2.0


def critic(*plans) -> Critic:
    made = Critic(QUICK, ROBOT)
    made.on_scan(scan())
    made.on_odometry(odometry())
    made.on_view(view())
    made.on_permit(permit())
    for p in plans:
        made.on_plan(p, STEADY)
    return made


def test_a_new_critic_stands():
    assert_stop(Critic(QUICK, ROBOT).judge(NOW, STEADY), 'guard', 'no plan')
    assert_stop(critic().judge(NOW, STEADY), 'guard', 'no plan')


def test_it_remembers_what_went_out():
    c = critic(plan(0.6))
    c.keeper.scan_motions.found['scan'] = ScanMotion('scan', True)
    speeds = []
    for tick in range(6):
        late = ns(0.05 * tick)
        speeds.append(c.judge(NOW + late, STEADY + late).command.values[0])
        assert c.last.stamp_ns == NOW + late and c.last_steady_ns == STEADY + late
        c.on_scan(scan(stamp_ns=NOW + late, received_steady_ns=STEADY + late))
    assert speeds == pytest.approx([0.15, 0.225, 0.3, 0.375, 0.45, 0.525])
    assert c.counts == {'permit': 1, 'plan': 1, 'scan': 7, 'odom': 1, 'camera': 1, 'slow': 6}


def test_a_second_answer_at_the_same_instant_replaces_the_first():
    c = critic(plan(0.6))
    c.judge(NOW, STEADY)
    later = NOW + ns(0.1)
    first = c.judge(later, STEADY)
    assert c.judge(later, STEADY).command.values == pytest.approx(first.command.values)
    assert first.command.values[0] == pytest.approx(0.3)


def test_the_newest_plan_is_judged():
    c = critic(plan(0.1, start_ns=NOW - ns(0.1)), plan(0.12))
    assert c.judge(NOW, STEADY).command.values.tolist() == [0.12, 0]


def test_an_older_plan_is_ignored():
    c = critic(plan(0.1))
    assert c.on_plan(plan(0.05, start_ns=NOW), STEADY)          # as new: the later one counts
    assert not c.on_plan(plan(0.12, start_ns=NOW - 1), STEADY)
    assert c.judge(NOW, STEADY).command.values.tolist() == [0.05, 0]
    assert c.counts['plan_older'] == 1 and c.counts['plan'] == 2


def test_a_plan_of_a_past_run_is_ignored():
    c = critic(plan(0.1))
    c.on_permit(permit(run='b'))
    assert c.on_plan(plan(0.05, run='b', start_ns=NOW - ns(0.1)), STEADY)   # it starts anew
    assert not c.on_plan(plan(0.12, start_ns=NOW + 1), STEADY)
    assert c.judge(NOW, STEADY).run == 'b'
    assert c.counts['plan_of_past_run'] == 1 and c.counts['plan'] == 2


def test_a_mind_that_has_just_come_up_and_has_no_run_yet_ends_no_run():
    c = critic(plan(0.1), plan(0.0, run='', start_ns=NOW))
    assert c.judge(NOW, STEADY).command.values.tolist() == [0, 0]       # its plan is the newest
    assert c.on_plan(plan(0.12, start_ns=NOW + 1), STEADY)              # of the same run again
    assert c.drivers.plan.run == plan(0.1).run
    assert not c.counts['plan_of_past_run']


def test_a_plan_from_the_future_does_not_stay_the_newest():
    c = critic(plan(0.1), plan(0.1, start_ns=NOW + ns(100)))
    assert_stop(c.judge(NOW, STEADY), 'input_timeout', 'future')
    assert c.counts['plan_from_the_future'] == 1
    assert c.on_plan(plan(0.1), STEADY)
    assert c.judge(NOW, STEADY).action == 'go'


def test_a_plan_that_begins_now_is_kept_while_something_else_is_missing():
    c = Critic(QUICK, ROBOT)
    c.on_plan(plan(0.1), STEADY)
    assert_stop(c.judge(NOW, STEADY), 'input_timeout', 'no camera')
    assert c.drivers.plan is not None


def test_after_the_clock_jumped_back_it_recovers():
    c = critic(plan(0.1))
    assert c.judge(NOW, STEADY).action == 'go'
    then, steady, said = NOW - ns(3), STEADY + ns(0.1), []
    assert_stop(c.judge(then, steady), 'input_timeout', 'future')
    for _ in range(5):
        then, steady = then + ns(0.1), steady + ns(0.1)
        when = {'stamp_ns': then, 'received_steady_ns': steady}
        c.on_scan(scan(**when))
        c.on_odometry(odometry(**when))
        c.on_view(view(**when))
        c.on_permit(permit(**when))
        assert c.on_plan(plan(0.1, start_ns=then), steady)
        said.append(c.judge(then, steady))
    assert [v.rule for v in said] == ['clock'] * 3 + [''] * 2
    assert 'the clock jumped by -3.100 s 0.100 s ago, limit 0.250 s' in said[0].reason


def test_a_plan_is_never_renewed_by_lateness():
    c = critic(plan(0.1))
    for tick in range(10):
        late = ns(0.04 * tick)
        when = {'stamp_ns': NOW + late, 'received_steady_ns': STEADY + late}
        c.on_scan(scan(**when))
        c.on_odometry(odometry(**when))
        c.on_view(view(**when))
        c.on_permit(permit(**when))
        c.on_plan(plan(0.1), STEADY + late)
        verdict = c.judge(NOW + late, STEADY + late)
        assert verdict.action == ('go' if tick <= 8 else 'stop')    # 0.32 s


def test_what_has_not_begun_is_kept_where_another_rule_stops():
    c = critic(plan(0.1, start_ns=NOW + ns(0.1)))
    c.on_scan(scan(np.full(180, 0.18)))
    assert_stop(c.judge(NOW, STEADY), 'stop_zone', '')
    assert c.drivers.plan is not None


def test_rules_are_hardened_against_their_own_settings():
    loose = tuple(replace(r, min_valid_beams=0.0) if hasattr(r, 'min_valid_beams') else r
                  for r in RULES)
    assert_stop(guard(situation(scan=scan(np.full(180, math.nan))), loose), 'input_validity',
                '0 of 180')


def test_which_sensors_are_silent_is_on_record():
    robot = replace(ROBOT, sensors=(
        *ROBOT.sensors, sensor('bumper', 'front'), sensor('Range', 'sonar', required=False),
        sensor('e_stop', 'button', required=False, hz=0.0), sensor('Imu', 'gyro')))
    c, everything = Critic(QUICK, robot), ('camera', 'scan', 'odom', 'front', 'sonar', 'button',
                                            'gyro')
    assert c.judge(NOW, STEADY).silent == everything
    for on, reading in ((c.on_scan, scan()), (c.on_scan, scan(name='sonar')),
                        (c.on_odometry, odometry()), (c.on_view, view()),
                        (c.on_imu, imu(name='gyro')),
                        (c.on_switch, switch()), (c.on_switch, switch(name='button'))):
        on(reading)
        everything = tuple(name for name in everything if name != reading.name)
        assert c.judge(NOW, STEADY).silent == everything
    assert everything == () and sum(c.counts[name] for name in c.sensed()) == 7
    most = ('camera', 'scan', 'odom', 'front', 'sonar', 'gyro')
    for late, silent in ((0.25, ()), (0.2500001, ('scan', 'odom', 'sonar', 'gyro')),
                         (0.3, ('scan', 'odom', 'sonar', 'gyro')),
                         (0.3000001, ('camera', 'scan', 'odom', 'sonar', 'gyro')),
                         (0.5000001, most), (-0.05, ()), (-0.0500001, most)):
        assert c.judge(NOW + ns(late), STEADY).silent == silent
        assert c.judge(NOW, STEADY + ns(late)).silent == silent


def test_what_is_forgotten_never_came_but_a_switch_keeps_its_word():
    c = critic(plan(0.1))
    c.on_switch(switch(True))
    c.on_imu(imu())
    c.forget('nobody')
    assert list(c.sensed()) == ['scan', 'odom', 'imu', 'front', 'camera']
    c.forget('scan')
    assert list(c.sensed()) == ['odom', 'imu', 'front', 'camera']
    for name in ('scan', 'odom', 'imu', 'front', 'camera', 'nobody'):
        c.forget(name)
    assert list(c.sensed()) == ['front']
    assert_stop(c.judge(NOW, STEADY), 'input_timeout', 'no camera has come')


@pytest.mark.parametrize('scale', [(1.0, 1.0), (1.1, 0.5)])
def test_how_fast_it_is_is_what_was_measured_of_its_odometry(scale):
    c = Critic(QUICK, replace(ROBOT, odometry_scale=scale))
    told = odometry(0.2, -0.4)
    c.on_odometry(told)
    assert c.odometry.twist == pytest.approx(np.multiply((0.2, -0.4), scale))
    assert told.twist.tolist() == [0.2, -0.4] and c.odometry.pose is told.pose


def test_a_switch_stops_it():
    c = critic(plan(0.1))
    assert c.judge(NOW, STEADY).action == 'go'
    c.on_switch(switch(True))
    assert_stop(c.judge(NOW, STEADY), 'bumper_cliff_estop', 'bumper front is active')
    assert 'front' in dict(c.judge(NOW, STEADY).ages)
    c.on_switch(switch(False))
    assert c.judge(NOW, STEADY).action == 'go'


def test_in_lock_step_permit_and_switches_have_just_come():
    c, frame = Critic(QUICK, replace(ROBOT, sensors=(*ROBOT.sensors,
                                                       sensor('bumper', 'front')))), NOW + ns(60)
    c.renew(frame)
    assert c.drivers.permit is None and c.sensed() == {}
    c.on_permit(permit())
    c.on_switch(switch())
    c.on_scan(scan(stamp_ns=frame, received_steady_ns=frame))
    c.on_odometry(odometry(stamp_ns=frame, received_steady_ns=frame))
    c.on_view(view(stamp_ns=frame, received_steady_ns=frame))
    c.on_plan(plan(0.1, start_ns=frame), frame)
    assert_stop(c.judge(frame, frame), 'input_timeout', 'front is')
    c.renew(frame)
    verdict = c.judge(frame, frame)
    assert (verdict.action, verdict.mode) == ('go', 'autonomous')


def test_a_plan_from_the_future_is_kept_while_a_hand_drives():
    c = critic(plan(0.1, start_ns=NOW + ns(0.3)))
    c.on_teleop(Command(np.array([0.1, 0.0]), NOW + ns(0.1)), NOW + ns(0.1), STEADY)
    c.forget('scan')
    assert_stop(c.judge(NOW + ns(0.1), STEADY), 'input_timeout', 'no scan')
    assert c.drivers.plan is not None


@pytest.mark.parametrize('still', ['scan', 'camera'])
@pytest.mark.parametrize('forgets', [False, True])
def test_a_frozen_view_is_seen_also_where_each_message_replaces_the_last(forgets, still):
    """A node forgets a sensor before it reads its next message."""
    c, said = critic(), []
    for tick in range(1, 9):
        late = {'stamp_ns': NOW + ns(0.05 * tick), 'received_steady_ns': STEADY + ns(0.05 * tick)}
        for name in ('scan', 'odom', 'camera') if forgets else ():
            c.forget(name)
        c.on_odometry(odometry(0.1, pose=np.array([0.005 * tick, 0.0, 0.0]), **late))
        c.on_scan(scan(np.full(180, 3.0 if still == 'scan' else 3 + 0.01 * tick), **late))
        c.on_view(view(fingerprint='two' if still == 'camera' else str(tick), **late))
        c.on_permit(permit(**late))
        c.on_plan(plan(0.1, start_ns=late['stamp_ns']), late['received_steady_ns'])
        said.append(c.judge(*late.values()).rule)
    assert said == [''] * 4 + ['frozen'] * 4


def test_a_latched_rule_that_only_slows_does_not_open_the_latch():
    c = critic(plan(0.6))
    c.latch.close('acceleration', 'because')
    assert_stop(c.judge(NOW, STEADY), 'acceleration', 'because; latched until critic/reset')


def test_a_refused_plan_is_named_in_the_reason():
    c = critic()
    assert c.on_plan(plan(0.1, start_ns=NOW + ns(2e8)), STEADY, NOW)
    assert_stop(c.judge(NOW, STEADY), 'input_timeout',
                'the plan is 200000000.000 s from the future')
    assert_stop(c.judge(NOW, STEADY), 'guard', 'a plan was refused: it is 200000000.000 s from')
    assert c.on_plan(plan(0.1), STEADY, NOW) and c.judge(NOW, STEADY).action == 'go'
    assert not c.on_plan(plan(0.1, run='stray'), STEADY, NOW)
    assert c.judge(NOW, STEADY).action == 'go'      # of what was taken it says nothing
    later = ns(0.5)
    for name, made in (('scan', scan), ('odom', odometry), ('camera', view)):
        said = made(stamp_ns=NOW + later, received_steady_ns=STEADY + later)
        {'scan': c.on_scan, 'odom': c.on_odometry, 'camera': c.on_view}[name](said)
    stop = c.judge(NOW + later, STEADY + later)
    assert_stop(stop, 'input_timeout', 'the plan is 0.500 s old by its stamp')
    assert stop.reason.endswith("; a plan of run 'stray' was refused: the permit names run 'a'")


def test_a_refused_permit_is_named_in_the_reason():
    c = critic(plan(0.1))
    c.on_permit(permit('stopped'), NOW)
    c.on_permit(permit('manual', stamp_ns=NOW - ns(3600)), NOW)
    c.on_teleop(Command(np.array([0.1, 0.0]), NOW), NOW, STEADY)
    assert_stop(c.judge(NOW, STEADY), 'motion_enable',
                'until configurator/reset; a motion enable was refused'
                ': its stamp is 3600.000 s before that of the newest')
    c = critic(plan(0.1))
    c.on_permit(permit(stamp_ns=NOW - 1), NOW)
    late = {'stamp_ns': NOW + ns(0.33), 'received_steady_ns': STEADY}
    c.on_scan(scan(**late))
    c.on_odometry(odometry(**late))
    c.on_view(view(**late))
    c.on_plan(plan(0.1, start_ns=late['stamp_ns']), STEADY)
    c.on_permit(permit('idle', stamp_ns=NOW - 2), late['stamp_ns'])
    assert_stop(c.judge(late['stamp_ns'], STEADY), 'motion_enable',
                'the permit is 0.330 s old by its '
                'stamp, limit 0.320 s; a motion enable was refused: its stamp is')


@pytest.mark.parametrize('more', [-ns(0.1), -1, 0, 1, ns(0.1)])
def test_after_it_was_suspended_it_waits_until_what_waited_is_old(more):
    c, wait = critic(plan(0.1)), ns(max(NUMBERS.max_plan_age_s, NUMBERS.teleop_timeout_s))
    c.suspended(3.0, STEADY - wait - more)
    verdict = c.judge(NOW, STEADY)
    if more > 0:
        assert verdict.action == 'go'
    else:
        assert_stop(verdict, 'input_timeout',
                    'the critic read no messages for 3.000 s, until ')
    assert c.counts['suspended'] == 1


def test_without_a_clock_it_says_so():
    assert_stop(critic(plan(0.1)).judge(0, STEADY), 'input_timeout', 'nobody publishes /clock')


def test_while_another_critic_commands_the_wheels_it_stops():
    c = critic(plan(0.1))
    c.stand_by('/critic (process 5)')
    stop = c.judge(NOW, STEADY)
    assert_stop(stop, 'guard', '/critic (process 5) commands the wheels too; a robot has one')
    assert stop.release == 'the other critic ends' and not c.allowed(NOW, STEADY)
    c.stand_by('')
    assert c.judge(NOW, STEADY).action == 'go'


@pytest.mark.parametrize('closed',
                         [('bumper_cliff_estop', 'lidar_displaced'),
                          ('lidar_displaced', 'bumper_cliff_estop')])
def test_reset_asks_every_rule_that_latched(closed):
    """One cause is gone, the other is not: whichever latched first, the critic stays shut."""
    c, asked = Critic(CHOSEN, ROBOT), []

    def rule(name, answer):
        return Fake(lambda command: asked.append(name) or answer(command), name)

    def lasts(command):
        raise Stop('a bumper is pressed')
    for still_true, gone in (closed, closed[::-1]):
        c.rules = (rule(gone, Answer), rule(still_true, lasts))
        for name in closed:
            c.latch.close(name, 'it was seen')
        asked.clear()
        assert c.reset(NOW, STEADY) == f'{still_true}: a bumper is pressed'
        assert set(c.latch.closed) == set(closed) and asked == [gone, still_true]
    c.rules = tuple(rule(name, Answer) for name in closed)
    assert c.reset(NOW, STEADY) == '' and not c.latch.closed


TO_AND_FRO = (scan, odometry, imu, view)


@pytest.mark.parametrize('reading', TO_AND_FRO)
def test_a_reading_that_is_older_than_the_newest_is_ignored(reading):
    """Of two publishers on one topic, or a driver with two clocks."""
    c, take = Critic(QUICK, ROBOT), {scan: 'on_scan', odometry: 'on_odometry', imu: 'on_imu',
                                     view: 'on_view'}[reading]
    name = reading().name

    def hears(stamp_s: float, came_s: float) -> bool:
        one = reading(stamp_ns=NOW + ns(stamp_s), received_steady_ns=STEADY + ns(came_s))
        getattr(c, take)(one)
        kept = c.sensed()[name]
        return (kept.stamp_ns, kept.received_steady_ns) == (one.stamp_ns, one.received_steady_ns)

    assert hears(0.0, 0.0) and hears(0.1, 0.1) and hears(0.1, 0.11)
    assert not hears(0.09, 0.12) and not hears(-1.9, 0.12) and c.counts[f'{name}_older'] == 2
    assert hears(0.101, 0.13)
    assert hears(-1.9, 0.14)        # no policy takes so old a one: it is of another clock
    assert hears(-1.8, 0.15) and not hears(-1.81, 0.15)
    assert hears(-1.82, 0.1)        # in lock-step both clocks go back
    c.judge(NOW - ns(1.9), STEADY)
    assert hears(-1.83, 0.16)       # ROS time went back, and so do the stamps
    assert c.counts[f'{name}_older'] == 3


@pytest.mark.parametrize('reading', TO_AND_FRO)
def test_one_reading_from_the_future_makes_no_other_too_old(reading):
    c, take = critic(), {scan: 'on_scan', odometry: 'on_odometry', imu: 'on_imu',
                         view: 'on_view'}[reading]
    for ahead_s, taken in ((0.05, False), (0.051, True), (1.9, True), (1e9, True)):
        getattr(c, take)(reading(stamp_ns=NOW + ns(ahead_s)))
        c.judge(NOW, STEADY)
        one = reading(stamp_ns=NOW + ns(0.01))
        getattr(c, take)(one)
        assert (c.sensed()[one.name].stamp_ns == one.stamp_ns) == taken
        c.order.newest.clear()


def test_readings_that_go_to_and_fro_are_compared_all_the_same():
    c = critic()
    for tick in range(50):
        now, steady = NOW + ns(0.02 * tick), STEADY + ns(0.02 * tick)
        late = {'stamp_ns': now - ns(0.03) * (tick % 2), 'received_steady_ns': steady}
        c.on_odometry(odometry(0.1, pose=np.array([0.002 * tick, 0.0, 0.0]), **late))
        c.on_imu(imu(**late))
        c.on_scan(scan(**late))
        c.judge(now, steady)
    memory = c.situation(now, steady).memory
    assert len(memory.reckoned) >= 20 and len(memory.sightings[0]) >= 20
