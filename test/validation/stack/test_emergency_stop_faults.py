# SPDX-License-Identifier: Apache-2.0
"""What people do while an emergency stop is pressed, and what is held against the robot then."""

from types import SimpleNamespace

from ami_ros.nodes import topics
from ami_ros.validation.fault_injection import injectors
from ami_ros.validation.fault_injection.fault_definitions import QOS, Row, STRIKES
import pytest
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy


class Button:
    def __init__(self):
        self.said = []

    def publish(self, msg):
        self.said.append(getattr(msg, 'data', msg))

    def get_subscription_count(self):
        return 2


class Observer:
    """Answers at once; `granted` is what critic/reset says."""

    def __init__(self, granted=False):
        self.granted, self.asked, self.buttons = granted, [], []
        self.log = SimpleNamespace(critic={'pid': '1', 'latched': 'bumper_cliff_estop'})

    def create_publisher(self, _, name, qos, **more):
        if name == topics.E_STOP.name:
            self.buttons.append((name, qos))
        return Button()

    def watch(self, seconds):
        pass

    def wait(self, happened, what, patience_s=0.0):
        assert happened(), what

    def ask(self, service, _):
        self.asked.append(service)
        return SimpleNamespace(success=self.granted)

    def destroy_publisher(self, one):
        pass


def blow(by, observer, **more):
    stack = SimpleNamespace(row=Row('r', 'stop', 'so', 0, {'by': by, **more}), buttons={},
                            observer=observer, processes=SimpleNamespace(running={}))
    made = injectors.BY[by](stack, 0)
    made.prepare()
    return made


def test_every_word_of_the_table_strikes():
    assert set(injectors.BY) == set(STRIKES) and set(injectors.BUTTONS) == set(QOS)


@pytest.mark.parametrize('qos', QOS)
def test_a_button_says_it_once_and_lets_go_once(qos):
    observer = Observer()
    one = blow('e_stop', observer, qos=qos)
    one.prepare()                               # a second repeat has the same button
    assert one.strike() > 0
    one.restore()
    assert one.button.said == [True, False] and one.why_not() == []
    (name, offered), = observer.buttons
    assert name == topics.E_STOP.name
    best_effort = offered.reliability == ReliabilityPolicy.BEST_EFFORT
    kept = offered.durability == DurabilityPolicy.TRANSIENT_LOCAL
    assert (best_effort, kept) == (qos == QOS[0], qos == QOS[1])


@pytest.mark.parametrize('granted', [False, True])
def test_a_reset_that_is_granted_while_it_is_pressed_is_told(granted):
    observer = Observer(granted)
    one = blow('reset', observer)
    one.strike()
    one.meanwhile()
    assert one.button.said == [True]
    assert observer.asked.count(topics.CRITIC_RESET) == injectors.RESETS == observer.asked.count(
        topics.ARM)
    assert len(one.why_not()) == granted


@pytest.mark.parametrize('after, granted, held_against', [
    ({'latched': 'bumper_cliff_estop', 'count.teleop': '9'}, False, 0),
    ({'latched': '', 'count.teleop': '9'}, False, 1),
    ({'latched': 'bumper_cliff_estop'}, False, 1),
    ({'latched': 'bumper_cliff_estop', 'count.teleop': '9'}, True, 1), ({}, True, 3)])
def test_after_a_power_cut_a_stick_is_pushed(monkeypatch, after, granted, held_against):
    observer, killed = Observer(granted), []
    one = blow('power_cut', observer)
    one.processes.running['critic'] = SimpleNamespace(pid=7)

    def kill(pid, number):
        killed.append((pid, number, list(one.button.said)))
        observer.log.critic = {'pid': '2', **after}

    monkeypatch.setattr(injectors.os, 'kill', kill)
    monkeypatch.setattr(injectors, 'GONE_S', 0.01)
    one.strike()
    one.meanwhile()
    pushed = [msg.twist.linear.x for msg in one.hands.said]
    one.restore()
    assert killed == [(7, injectors.signal.SIGKILL, [True, False])]       # let go before it
    assert one.button.said == [True, False] and observer.asked == [topics.ARM]
    assert set(pushed) == {injectors.PUSH_MPS}
    assert len(pushed) == 20 or 'count.teleop' not in after
    assert len(one.why_not()) == held_against
