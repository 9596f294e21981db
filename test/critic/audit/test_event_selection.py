# SPDX-License-Identifier: Apache-2.0
"""What of a critic's work comes into the audit log, and that a flood of it does not fill it."""

from ami_ros.core.types import Command, Permit, Verdict
from ami_ros.critic.audit import event_selection as module
from ami_ros.critic.audit.event_selection import Auditor, BURST
import numpy as np
import pytest


class Log:
    """Remembers what it is told to note; nothing is written."""

    def __init__(self):
        self.noted, self.closed = [], False

    def note(self, kind, at_once=False, **what):
        self.noted.append((kind, at_once, what))

    def close(self):
        self.closed = True

    def kinds(self):
        return [kind for kind, _, _ in self.noted]


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, 'monotonic', lambda: now[0])
    return now


@pytest.fixture
def watch(clock):
    made = Auditor(Log())
    made.clock = clock
    made.begun({}, 'abc', 'rover.yaml', ['input_validity'])
    made.log.noted.clear()
    return made


def go(v=0.3):
    return Verdict(Command(np.array([v, 0.1]), 5), 'go', source='mind', run='r', goal=2, number=7)


def stop(rule='stop_zone', reason='0.03 m free, limit 0.05 m', latch=False):
    return Verdict(Command(np.zeros(2), 5), 'stop', rule, reason, ages=(('scan', 0.04),),
                   source='mind', run='r', latch=latch)


def permit(mode='autonomous', run='r'):
    return Permit(mode, run, 0, 0)


def test_a_start_says_by_which_policy_and_what_was_latched(clock):
    log = Log()
    Auditor(log).begun({'tilt': 'it leans'}, 'abc', 'rover.yaml',
                       ['input_validity', 'input_timeout'], robot='x')
    (start, _, about), (policy, at_once, what) = log.noted
    assert (start, policy, at_once) == ('start', 'policy', True)
    assert about['latched'] == {'tilt': 'it leans'} and about['robot'] == 'x'
    assert what == {'hash': 'abc', 'file': 'rover.yaml',
                    'rules': ['input_validity', 'input_timeout']}


def test_stops_and_releases_are_noted_once_with_rule_reason_and_numbers(watch):
    for verdict in (go(), go(), stop(), stop(), stop(), go(0.1)):
        watch.judged(verdict, {}, None)
        watch.clock[0] += 0.5
    assert watch.log.kinds() == ['stop', 'release']
    (_, _, stopped), (_, _, released) = watch.log.noted
    assert (stopped['rule'], stopped['reason']) == ('stop_zone', '0.03 m free, limit 0.05 m')
    assert (stopped['v_mps'], stopped['w_radps'], stopped['ages']) == (0.3, 0.1, {'scan': 0.04})
    assert (released['rule'], released['after_s']) == ('stop_zone', 1.5)


def test_another_rule_that_stops_it_is_noted_too(watch):
    for verdict in (stop('guard'), stop('input_timeout'), stop('input_timeout'), go()):
        watch.judged(verdict, {}, None)
    assert watch.log.kinds() == ['stop', 'stop', 'release']
    assert watch.log.noted[1][2]['instead_of'] == 'guard'


def test_modes_are_noted_with_the_one_before(watch):
    for said in (None, permit('idle'), permit(), permit(), permit('reset'), None):
        watch.judged(go(), {}, said)
    assert [(w['was'], w['mode']) for _, _, w in watch.log.noted] == [
        ('', 'idle'), ('idle', 'autonomous'), ('autonomous', 'reset'), ('reset', '')]


def test_a_latch_is_written_at_once_and_a_reset_granted_or_not(watch):
    closed = {'bumper_cliff_estop': 'e_stop button is active'}
    watch.judged(stop('bumper_cliff_estop', latch=True), closed, None)
    watch.judged(stop('bumper_cliff_estop', latch=True), closed, None)
    watch.reset(False, 'bumper_cliff_estop: e_stop button is active', 'bumper_cliff_estop')
    watch.reset(True, 'released: bumper_cliff_estop', 'bumper_cliff_estop')
    watch.judged(go(), {}, None)
    assert watch.log.kinds() == ['latch', 'stop', 'reset', 'reset', 'release']
    assert [at_once for kind, at_once, _ in watch.log.noted if kind in ('latch', 'reset')] == [
        True] * 3
    assert watch.log.noted[0][2]['reason'] == 'e_stop button is active'
    assert [w['granted'] for kind, _, w in watch.log.noted if kind == 'reset'] == [False, True]


def test_company_and_a_latch_that_cannot_be_kept_are_noted_when_they_change(watch):
    for others, wrong in (('', ''), ('/rogue', 'no room'), ('/rogue', 'no room'), ('', '')):
        watch.company(others)
        watch.unwritten(wrong)
    assert watch.log.kinds() == ['company', 'latch_file'] * 2


def test_a_flood_is_counted(watch):
    for _ in range(500):                # stop and go, ten seconds long
        watch.judged(stop(), {}, None)
        watch.judged(go(), {}, None)
        watch.clock[0] += 0.02
    noted = watch.log.noted
    assert BURST <= len(noted) <= BURST + 11
    watch.clock[0] += 5.0
    watch.judged(stop(), {}, None)
    left_out = sum(what.get('left_out', 0) for _, _, what in noted)
    assert left_out + len(noted) == 1001
    watch.judged(stop('bumper_cliff_estop', latch=True), {'bumper_cliff_estop': 'x'}, None)
    assert 'latch' in watch.log.kinds()


def test_the_end_is_noted_and_waited_for(watch):
    watch.ended('it was asked to end')
    assert watch.log.kinds() == ['end'] and watch.log.closed
