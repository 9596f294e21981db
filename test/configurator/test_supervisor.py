# SPDX-License-Identifier: Apache-2.0
"""Nodes come up in order, come back by themselves, and those that hang are ended."""

from ami_ros.configurator.supervisor import (
    AGAIN_S,
    CHANGING_S,
    number,
    REPAIR_S,
    Supervisor,
    Transition,
)
import pytest

NAMES = ('/perception', '/world_model', '/actor')
PATH = {'configure': ('unconfigured', 'inactive'), 'activate': ('inactive', 'active'),
        'deactivate': ('active', 'inactive')}


class Nodes:
    """Processes that obey; what was asked of them is in `asked`."""

    def __init__(self, names=NAMES, heartbeat_timeout_s=1.0, processing_timeout_s=2.0):
        self.now_s, self.asked, self.deaf = 0.0, [], set()
        self.states, self.lives = dict.fromkeys(names, 'unconfigured'), dict.fromkeys(names, 1)
        self.busy_s = dict.fromkeys(names, 0.0)
        self.supervisor = Supervisor(names, heartbeat_timeout_s, processing_timeout_s)

    def beat(self, name, **values):
        said = {'state': self.states[name], 'pid': str(self.lives[name]), 'host': 'h',
                'started': '7', 'busy_s': str(self.busy_s[name]), **values}
        self.supervisor.on_beat(name, 0, '', said, self.now_s)

    def run(self, wanted, seconds=3.0, fail=()):
        """Let time pass; transitions named in `fail` fail."""
        for _ in range(round(seconds / 0.1)):
            self.now_s += 0.1
            for name in self.states:
                if name not in self.deaf:
                    self.beat(name)
            for act in self.supervisor.tick(wanted, self.now_s):
                self.asked.append((act.what, act.name))
                if act.what == 'end' or act.name in self.deaf:
                    continue
                before, after = PATH[act.what]
                assert self.states[act.name] == before
                worked = (act.what, act.name) not in fail
                if worked:
                    self.states[act.name] = after
                self.supervisor.on_answer(act.name, worked, self.now_s)

    def restart(self, name):
        self.deaf.discard(name)
        self.states[name] = 'unconfigured'
        self.lives[name] += 1


def test_all_are_configured_in_order_and_then_activated_in_order():
    nodes = Nodes()
    assert not nodes.supervisor.ready()
    assert nodes.supervisor.missing().count('gives no sign of life') == 3
    nodes.run('inactive')
    assert nodes.asked == [('configure', name) for name in NAMES]
    assert nodes.supervisor.ready() and nodes.supervisor.missing() == ''
    nodes.run('active')
    assert nodes.asked[3:] == [('activate', name) for name in NAMES]
    assert nodes.supervisor.all('active')
    nodes.run('inactive')
    assert nodes.asked[6:] == [('deactivate', name) for name in reversed(NAMES)]
    assert nodes.supervisor.fallen == []


def test_nobody_is_activated_before_all_are_configured():
    nodes = Nodes()
    nodes.run('active', fail=[('configure', '/actor')])
    assert {what for what, _ in nodes.asked} == {'configure'}
    assert '/actor is unconfigured' in nodes.supervisor.missing()


def test_nothing_is_asked_while_a_transition_is_not_answered():
    nodes = Nodes()
    nodes.beat('/perception')
    assert nodes.supervisor.tick('inactive', 0.0) == [
        Transition('configure', '/perception', ('1', 'h', '7'))]
    nodes.beat('/perception')
    assert nodes.supervisor.tick('inactive', 0.1) == []


def test_a_failed_transition_is_asked_again_later_and_later():
    nodes, asked = Nodes(('/mind',)), []
    while len(asked) < 6:
        count = len(nodes.asked)
        nodes.run('inactive', 0.1, fail=[('configure', '/mind')])
        if len(nodes.asked) > count:
            asked.append(nodes.now_s)
    waits = [later - before for before, later in zip(asked, asked[1:])]
    wanted = [*AGAIN_S, AGAIN_S[-1]]
    assert all(w <= got <= w + 0.11 for got, w in zip(waits, wanted))
    assert 'transition configure of /mind failed 6 times in a row' in nodes.supervisor.news
    nodes.run('inactive', 6.0)
    assert nodes.supervisor.ready()


def test_one_that_is_killed_is_missed_and_comes_back_to_the_wanted_state():
    nodes = Nodes()
    nodes.run('active')
    nodes.deaf.add('/world_model')
    nodes.run('active', 0.9)
    assert nodes.supervisor.fallen == []
    nodes.run('active', 0.3)
    assert nodes.supervisor.fallen == ['/world_model']
    assert nodes.asked[-1] == ('end', '/world_model') and nodes.asked.count(nodes.asked[-1]) == 1
    assert 'sent no heartbeat for 1.' in nodes.supervisor.news[-1]
    nodes.restart('/world_model')
    nodes.run('active', 1.0)
    assert nodes.supervisor.all('active')
    assert '/world_model sends heartbeats again' in nodes.supervisor.news
    assert nodes.asked[-2:] == [('configure', '/world_model'), ('activate', '/world_model')]


def test_one_that_is_started_again_before_it_is_missed_has_fallen_all_the_same():
    nodes = Nodes()
    nodes.run('active')
    nodes.restart('/actor')
    nodes.run('active', 0.2)
    assert nodes.supervisor.fallen == ['/actor']
    nodes.run('active', 1.0)
    assert nodes.supervisor.all('active')


def test_one_that_was_told_to_end_is_not_believed_any_more():
    nodes = Nodes(('/mind',))
    nodes.run('active')
    nodes.deaf.add('/mind')
    nodes.run('active', 1.5)
    nodes.beat('/mind')                     # its last words come late
    assert not nodes.supervisor.ready()


@pytest.mark.parametrize('busy_s, ended', [(1.9, False), (2.1, True)])
def test_one_that_hangs_at_a_picture_is_ended(busy_s, ended):
    nodes = Nodes(('/mind',))
    nodes.run('active')
    nodes.busy_s['/mind'] = busy_s
    nodes.run('active', 0.5)
    assert (('end', '/mind') in nodes.asked) == ended


def watched(nodes, state, seconds):
    """Let it be silent in a state; return whether it was told to end."""
    nodes.beat('/mind', state=state)
    ended = []
    for _ in range(round(seconds * 10)):
        nodes.now_s += 0.1
        ended += [act.what for act in nodes.supervisor.tick('active', nodes.now_s)]
    return 'end' in ended


@pytest.mark.parametrize('state, patience_s', [
    ('configuring', 20.0), ('activating', CHANGING_S), ('deactivating', CHANGING_S),
    ('errorprocessing', CHANGING_S), ('active', 1.0)])
def test_who_is_in_a_transition_is_waited_for(state, patience_s):
    assert not watched(Nodes(('/mind',)), state, patience_s - 0.2)
    assert watched(Nodes(('/mind',)), state, patience_s + 0.3)


def test_who_slept_itself_listens_before_it_judges():
    nodes = Nodes(('/mind',))
    nodes.run('active')
    nodes.now_s += 30.0                     # it was frozen, or the machine was
    assert nodes.supervisor.tick('active', nodes.now_s) == []
    nodes.run('active', 0.5)
    assert nodes.supervisor.fallen == [] and nodes.supervisor.all('active')
    nodes.now_s += 30.0
    nodes.supervisor.tick('active', nodes.now_s)
    nodes.deaf.add('/mind')                 # this one did not outlive it
    nodes.run('active', REPAIR_S - 0.2)     # or what it said was lost, and is on its way again
    assert nodes.supervisor.fallen == []
    nodes.run('active', 0.5)
    assert nodes.supervisor.fallen == ['/mind']


def test_after_a_short_nap_nobody_is_waited_for_longer():
    nodes = Nodes(('/mind',))
    nodes.run('active')
    nodes.now_s += 0.9
    nodes.deaf.add('/mind')
    nodes.run('active', 1.3)
    assert nodes.supervisor.fallen == ['/mind']


def test_gaps_in_what_is_heard_after_a_sleep_are_borne():
    nodes = Nodes(('/mind',))
    nodes.run('active')
    nodes.now_s += 2.0
    nodes.run('active', 0.3)                # some of it came at once
    nodes.deaf.add('/mind')
    nodes.run('active', 2.0)
    nodes.deaf.discard('/mind')
    nodes.run('active', 5.0)
    assert nodes.supervisor.fallen == []


def test_signs_of_life_of_others_and_numbers_that_are_none_do_no_harm():
    nodes = Nodes(('/mind',))
    nodes.supervisor.on_beat('/robot2/mind', 0, '', {'state': 'active'}, 0.0)
    nodes.run('active', 1.0)
    for said in ('soon', 'inf', '-inf', 'nan', '1e400'):
        nodes.beat('/mind', busy_s=said)
        nodes.supervisor.tick('active', nodes.now_s)
    assert list(nodes.supervisor.wards) == ['/mind'] and nodes.supervisor.fallen == []


def test_why_one_is_not_ready_is_said():
    nodes = Nodes(('/mind',))
    nodes.supervisor.on_beat('/mind', 2, 'configure failed: no module', {
        'state': 'unconfigured', 'pid': '1'}, 0.0)
    assert nodes.supervisor.missing() == '/mind is unconfigured (configure failed: no module)'


@pytest.mark.parametrize(('text', 'value'), [
    ('2.5', 2.5), ('-1', -1.0), ('', 0.0), (None, 0.0), ('soon', 0.0), ('inf', 0.0),
    ('-inf', 0.0), ('nan', 0.0), ('1e400', 0.0)])
def test_a_number_is_finite(text, value):
    assert number(text) == value
