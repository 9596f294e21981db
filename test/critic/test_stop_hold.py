# SPDX-License-Identifier: Apache-2.0
"""A stop stands for a moment after its cause, and a latch until somebody opens it."""

from dataclasses import replace

from ami_ros.core.types import ScanMotion
from ami_ros.critic.critic import Critic
from ami_ros.critic.rules.bumper_cliff_estop import BumperCliffEstop
from ami_ros.critic.safety_policy.policy_loader import changed
from ami_ros.critic.stop_hold import StopHold
import numpy as np
import pytest
from rule_contract import (
    CHOSEN,
    NOW,
    ns,
    odometry,
    permit,
    plan,
    ROBOT,
    scan,
    sensor,
    STEADY,
    switch,
    view,
)

WAITING = changed(CHOSEN,
                  {'rules.stop_zone.release_s': 0.3, 'rules.bumper_cliff_estop.release_s': 0.5,
                           'rules.input_timeout.release_s': 0.2})
AHEAD = np.where(np.abs(np.linspace(-np.pi, np.pi, 180, endpoint=False)) < 0.3, 0.19, np.inf)


class Bench:
    """A critic and a clock; everything is said anew at every tick."""

    def __init__(self, policy=WAITING, robot=ROBOT, **more):
        self.critic, self.late = Critic(policy, robot, **more), 0.0

    def tick(self, v=0.05, w=0.0, ranges=None, late=0.05, *, switches=(), without=(),
             mode='autonomous'):
        self.late += late
        now, steady = NOW + ns(self.late), STEADY + ns(self.late)
        when = {'stamp_ns': now, 'received_steady_ns': steady}
        if 'scan' not in without:
            self.critic.on_scan(scan(ranges, **when))
        self.critic.on_odometry(odometry(**when))
        self.critic.on_view(view(fingerprint=str(now), **when))
        self.critic.on_permit(permit(mode, **when))
        for pressed in switches:
            self.critic.on_switch(pressed)
        self.critic.on_plan(plan(v, w, start_ns=now), steady)
        return self.critic.judge(now, steady)

    def allowed(self):
        return self.critic.allowed(NOW + ns(self.late), STEADY + ns(self.late))

    def reset(self):
        return self.critic.reset(NOW + ns(self.late), STEADY + ns(self.late))


def test_it_triggers_at_once_and_waits_before_it_releases():
    bench = Bench()
    assert bench.tick().action != 'stop'
    assert bench.tick(ranges=AHEAD).rule == 'stop_zone'
    assert bench.tick(ranges=AHEAD).rule == 'stop_zone'
    for _ in range(5):
        verdict = bench.tick()
        assert (verdict.action, verdict.rule) == ('stop', 'stop_zone')
        assert 'waits for 0.30 s' in verdict.reason and not verdict.command.values.any()
        assert verdict.release == 'a moment without the cause' and not verdict.latch
    assert bench.tick().action != 'stop'
    assert bench.tick().action != 'stop'


def test_a_cause_that_comes_again_begins_anew():
    bench = Bench()
    bench.tick(ranges=AHEAD)
    for _ in range(4):
        bench.tick()
        assert bench.tick(ranges=AHEAD).rule == 'stop_zone'
    assert [bench.tick().action == 'stop' for _ in range(7)] == [True] * 5 + [False] * 2


@pytest.mark.parametrize(('v', 'w'), [(-0.05, 0.0), (0.0, 0.3), (-0.05, 0.3)])
def test_another_direction_does_not_wait(v, w):
    bench = Bench()
    bench.tick(ranges=AHEAD)
    assert bench.tick(v, w).action != 'stop'
    assert bench.tick().rule == 'stop_zone'     # and this one still does


def test_a_cause_that_is_gone_does_not_hide_one_that_is_there():
    bench = Bench()
    assert bench.tick(ranges=AHEAD).rule == 'stop_zone'
    assert bench.tick(mode='idle').rule == 'motion_enable'
    assert bench.tick().rule == 'stop_zone'     # and it still waits


def test_to_stand_is_always_allowed():
    bench = Bench()
    bench.tick(ranges=AHEAD)
    assert bench.tick(0.0).action == 'go'


def test_what_stood_for_all_directions_holds_all():
    bench = Bench()
    assert bench.tick(0.0, late=0.3, without='scan').rule == 'input_timeout'
    for v in (0.05, -0.05):
        assert bench.tick(v).rule == 'input_timeout'
    assert bench.tick(0.0, late=0.01).action == 'go'    # all but to stand
    assert bench.tick(late=0.1).action != 'stop'


def test_rules_that_do_not_wait_release_at_once():
    bench = Bench(changed(CHOSEN, {name: 0.0 for name in CHOSEN.numbers
                                   if name.endswith('.release_s')}))
    assert bench.tick(ranges=AHEAD).rule == 'stop_zone'
    assert bench.tick().action != 'stop'


def test_which_motions_are_allowed():
    bench = Bench()
    bench.tick()
    assert bench.allowed() == ('forward', 'back', 'left', 'right')
    bench.tick(ranges=AHEAD)
    assert bench.allowed() == ('back',)
    bench.tick()
    assert bench.allowed() == ('back', 'left', 'right')    # it waits
    before = dict(bench.critic.holding.held)
    bench.late += 0.5       # it has waited long enough, and only a judgement may note that
    assert bench.critic.allowed(NOW + ns(bench.late), STEADY + ns(bench.late)) == ()
    assert bench.critic.holding.held == before
    bench.tick()
    bench.tick(switches=[switch(True, side='back')])
    assert 'back' not in bench.allowed()


def test_only_a_judgement_forgets():
    holding = StopHold(Critic(WAITING, ROBOT).rules)
    holding.held['stop_zone'] = STEADY, (0.1, 0.0), 'because'
    go = Bench().tick()
    assert holding.hold(go, (0.1, 0.0), STEADY + ns(0.1), False)[0] == 'stop_zone'
    for note, left in ((False, 1), (True, 0)):
        assert holding.hold(go, (0.1, 0.0), STEADY + ns(0.3), note) is None
        assert len(holding.held) == left


def test_who_is_no_rule_or_waits_for_nothing_holds_nothing():
    holding, go = StopHold(Critic(WAITING, ROBOT).rules), Bench().tick()
    for name in ('guard', 'speed', 'motion_enable'):
        stop = replace(go, action='stop', rule=name, reason='because')
        assert holding.hold(stop, (0.1, 0.0), STEADY, True) is None
    assert holding.held == {} and holding.hold(go, (0.1, 0.0), STEADY, True) is None


def test_a_wanted_twist_that_cannot_be_read_is_stopped_and_not_held():
    bench = Bench()
    bench.tick()
    verdict = bench.critic.judge(NOW, STEADY, ('a', 'b'))
    assert (verdict.action, verdict.rule) == ('stop', 'guard')
    assert Critic(WAITING, ROBOT).judge(NOW, STEADY).reason == 'no plan has come'


def test_an_emergency_stop_latches():
    bench = Bench()
    pulled, free = (switch(on, kind='e_stop', name='button') for on in (True, False))
    verdict = bench.tick(switches=[pulled])
    assert verdict.latch and verdict.reason == 'e_stop button is active'    # as the rule says it
    assert verdict.release == BumperCliffEstop.release
    assert bench.reset() == 'bumper_cliff_estop: e_stop button is active'
    verdict = bench.tick(switches=[free])
    assert (verdict.action, verdict.rule, verdict.latch) == ('stop', 'bumper_cliff_estop', True)
    assert verdict.reason == 'e_stop button is active; latched until critic/reset'
    assert verdict.release == 'somebody calls critic/reset' and bench.allowed() == ()
    for _ in range(50):
        assert not bench.tick(-0.05, 0.3).command.values.any()
    assert bench.tick(ranges=AHEAD).rule == 'bumper_cliff_estop'
    assert bench.reset() == '' and bench.critic.latch.closed == {}
    verdict = bench.tick(late=0.6)      # to let go of a button is not to start
    assert (verdict.rule, verdict.mode) == ('motion_enable', 'reset')
    assert verdict.reason.endswith('plans are blocked until the robot is armed again')
    assert bench.tick(mode='idle').action == 'stop' and bench.tick().action != 'stop'
    assert bench.reset() == ''


def test_a_rule_that_crashes_is_not_reset():
    bench = Bench()
    bench.critic.latch.close('bumper_cliff_estop', 'x')
    bench.critic.switches = None
    bench.critic.situation = lambda *_: None
    assert bench.reset().startswith('bumper_cliff_estop: ')
    assert bench.critic.latch.closed


def test_a_wedged_robot_can_leave_each_way(tmp_path):
    """Whatever is around it: what is allowed moves it, what is not stands, and never none at all.

    Walls closer than the stop distance on three sides leave the fourth.
    """
    robot = replace(ROBOT, sensors=(*ROBOT.sensors, sensor('bumper', 'front')))
    angles = np.linspace(-np.pi, np.pi, 180, endpoint=False)
    for side, (bearing, away, free) in {
            'front': (0.0, 0.18, 'back'), 'back': (np.pi, 0.18, 'forward')}.items():
        near = np.abs(np.angle(np.exp(1j * (angles - bearing)))) < 0.5
        ranges = np.where(near, away, np.inf)
        bench = Bench(robot=robot)
        pressed = switch(True, side=side, stamp_ns=NOW + ns(0.05),
                         received_steady_ns=STEADY + ns(0.05))
        bench.tick(ranges=ranges, switches=[pressed])
        assert free in bench.allowed()
        assert len(bench.allowed()) < 4


def test_a_reset_lets_scans_and_odometry_prove_themselves_anew():
    bench = Bench()
    assert bench.tick().action != 'stop'
    motions = bench.critic.keeper.scan_motions
    motions.found['scan'] = ScanMotion('scan', True, 9, 40, 33, 'of another')
    assert bench.reset() == '' and motions.found        # nothing was latched
    assert bench.tick().rule == 'scan_odometry' and 'scan_odometry' in bench.critic.latch.closed
    assert bench.reset() == '' and not bench.critic.latch.closed and not motions.found
    bench.tick(mode='idle')                             # disarmed, and armed anew
    assert bench.tick().action != 'stop'
