# SPDX-License-Identifier: Apache-2.0
"""A stop stands for a moment after its cause, and a latch until somebody opens it."""

from dataclasses import replace
import json
import os
import subprocess
import sys

from ami_ros.agent.critic import Critic
from ami_ros.agent.holding import FILE, Holding, Latch
from ami_ros.agent.policies.policy import changed
from hypothesis import given, settings
from hypothesis import strategies as st
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
)

WAITING = changed(CHOSEN, {'rules.stop_zone.release_s': 0.3, 'rules.touched.release_s': 0.5,
                           'rules.fresh.release_s': 0.2})
AHEAD = np.where(np.abs(np.linspace(-np.pi, np.pi, 180, endpoint=False)) < 0.3, 0.19, np.inf)


class Bench:
    """A critic and a clock; everything is said anew at every tick."""

    def __init__(self, policy=WAITING, robot=ROBOT, **more):
        self.critic, self.late = Critic(policy, robot, **more), 0.0

    def tick(self, v=0.05, w=0.0, ranges=None, late=0.05, *, switches=(), without=()):
        self.late += late
        now, steady = NOW + ns(self.late), STEADY + ns(self.late)
        when = {'stamp_ns': now, 'received_steady_ns': steady}
        if 'scan' not in without:
            self.critic.on_scan(scan(ranges, **when))
        self.critic.on_odometry(odometry(**when))
        self.critic.on_permit(permit(**when))
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


def test_to_stand_is_always_allowed():
    bench = Bench()
    bench.tick(ranges=AHEAD)
    assert bench.tick(0.0).action == 'go'


def test_what_stood_for_all_directions_holds_all():
    bench = Bench()
    assert bench.tick(0.0, late=0.3, without='scan').rule == 'fresh'
    for v in (0.05, -0.05):
        assert bench.tick(v).rule == 'fresh'
    assert bench.tick(late=0.11).action != 'stop'


def test_rules_that_do_not_wait_release_at_once():
    bench = Bench(CHOSEN)
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
    holding = Holding(Critic(WAITING, ROBOT).rules)
    holding.held['stop_zone'] = STEADY, (0.1, 0.0), 'because'
    go = Bench().tick()
    assert holding.hold(go, (0.1, 0.0), STEADY + ns(0.1), False)[0] == 'stop_zone'
    for note, left in ((False, 1), (True, 0)):
        assert holding.hold(go, (0.1, 0.0), STEADY + ns(0.3), note) is None
        assert len(holding.held) == left


def test_a_wanted_twist_that_cannot_be_read_is_stopped_and_not_held():
    bench = Bench()
    bench.tick()
    verdict = bench.critic.judge(NOW, STEADY, ('a', 'b'))
    assert (verdict.action, verdict.rule) == ('stop', 'guard')
    assert Critic(WAITING, ROBOT).judge(NOW, STEADY).reason == 'no plan has come'


def test_an_emergency_stop_latches():
    bench = Bench()
    pulled, free = (switch(on, kind='e_stop', name='button') for on in (True, False))
    assert bench.tick(switches=[pulled]).latch
    assert bench.reset() == 'touched: e_stop button is active'
    verdict = bench.tick(switches=[free])
    assert (verdict.action, verdict.rule, verdict.latch) == ('stop', 'touched', True)
    assert verdict.reason == 'e_stop button is active; latched until critic/reset'
    assert verdict.release == 'somebody calls critic/reset' and bench.allowed() == ()
    for _ in range(50):
        assert not bench.tick(-0.05, 0.3).command.values.any()
    assert bench.tick(ranges=AHEAD).rule == 'touched'
    assert bench.reset() == '' and bench.critic.latch.closed == {}
    assert bench.tick(late=0.6).action != 'stop'
    assert bench.reset() == ''


def test_a_rule_that_crashes_is_not_reset():
    bench = Bench()
    bench.critic.latch.close('touched', 'x')
    bench.critic.switches = None
    bench.critic.situation = lambda *_: None
    assert bench.reset().startswith('touched: ')
    assert bench.critic.latch.closed


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    latch = Latch()
    latch.close('a', 'b')
    latch.end()
    assert os.listdir(tmp_path) == [] and latch.closed == {'a': 'b'}


def test_a_latch_outlives_its_process(tmp_path):
    folder = tmp_path / 'own' / 'state'
    first = Latch(folder)
    assert first.closed == {} and json.loads((folder / FILE).read_text())['running'] is True
    first.close('touched', 'pulled')
    first.close('touched', 'again')
    first.end()
    second = Latch(folder)
    assert second.closed == {'touched': 'pulled'}
    second.open()
    second.end()
    assert Latch(folder).closed == {}
    assert os.listdir(folder) == [FILE]


def test_after_an_unclean_end_it_comes_up_stopped(tmp_path):
    code = ('import os, sys; from pathlib import Path; from ami_ros.agent.holding import Latch; '
            'Latch(Path(sys.argv[1])).close("tilt", "it leans"); os.kill(os.getpid(), 9)')
    assert subprocess.run([sys.executable, '-c', code, tmp_path]).returncode == -9
    bench = Bench(latch=Latch(tmp_path))
    assert set(bench.critic.latch.closed) == {'tilt', 'unclean_end'}
    assert bench.tick().reason == 'it leans; latched until critic/reset'
    assert bench.reset() == '' and bench.tick().action != 'stop'
    assert 'unclean_end' in Latch(tmp_path).closed      # it did not end yet


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.sampled_from([
    b'{}', b'[]', b'null', b'{"running": false}', b'{"running": 0, "closed": {}}',
    b'{"running": false, "closed": []}', b'{"running": "no", "closed": {}}'])))
def test_what_cannot_be_read_comes_up_stopped(tmp_path_factory, said):
    folder = tmp_path_factory.mktemp('state')
    (folder / FILE).write_bytes(said)
    assert 'unclean_end' in Latch(folder).closed


def test_a_disk_that_cannot_be_written_stops_nothing_and_is_told(tmp_path, monkeypatch):
    latch = Latch(tmp_path)

    def full(*_):
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr(os, 'replace', full)
    latch.close('tilt', 'it leans')
    assert latch.closed and 'cannot be written to' in latch.wrong and 'No space' in latch.wrong
    assert json.loads((tmp_path / FILE).read_text())['closed'] == {}
    monkeypatch.undo()
    latch.end()
    assert latch.wrong == '' and Latch(tmp_path).closed == {'tilt': 'it leans'}
    (tmp_path / 'file').write_text('')
    assert 'cannot be' in Latch(tmp_path / 'file').closed.get('unclean_end', '')


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
