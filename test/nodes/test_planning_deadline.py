# SPDX-License-Identifier: Apache-2.0
"""Which plans are called late: those of too much work, not those that began late."""

from types import SimpleNamespace

from ami_ros.core.settings import ActorSettings
from ami_ros.nodes import planning
from ami_ros.nodes.planning import PlanPublisher
from ami_ros.nodes.sensor_inputs import Troubles
from ami_ros.nodes.worker_node import Episode
import pytest

ROUND_S = 0.010         # of the search
SEEN_S = 0.005          # from the picture's turn until the search


class Clock:
    """Time goes on only where somebody works."""

    def __init__(self):
        self.now_s = 100.0

    def monotonic(self):
        return self.now_s


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(planning.time, 'monotonic', made.monotonic)
    return made


def node(clock, *, waited_s, rounds=3, deadline_s=0.05, slower=1.0, arrived=False):
    """Return a planner whose picture waited so long, and that picture."""
    arrived_ns = round((clock.now_s - waited_s) * 1e9)
    begun_s = clock.now_s
    clock.now_s += slower * SEEN_S

    def plan(belief, commands, target, deadline_ns):
        done = 0
        while done < rounds and (done == 0 or clock.now_s * 1e9 + slower * ROUND_S * 1e9
                                 <= deadline_ns):
            clock.now_s += slower * ROUND_S
            done += 1
        return SimpleNamespace(iterations=done, arrived=arrived)

    actor = ActorSettings(deadline_s=deadline_s, iterations=rounds)
    own = SimpleNamespace(lock_step=False)
    worker = SimpleNamespace(
        own=own, tuned={'actor': actor}, episode=Episode(goal=object()),
        health_of=SimpleNamespace(busy_s=begun_s, cut=0, late=0), troubles=Troubles(print),
        mind=SimpleNamespace(plan=plan, actor=SimpleNamespace(failure='')))
    return SimpleNamespace(worker=worker), SimpleNamespace(steady_ns=arrived_ns, period_ns=0)


@pytest.mark.parametrize(('how', 'cut', 'late'), [
    ({'waited_s': 0.0}, 0, 0),
    ({'waited_s': 0.03}, 1, 0),                     # it began late; less work is no help
    ({'waited_s': 0.0, 'slower': 2.0}, 1, 1),       # too much for this machine
    ({'waited_s': 0.03, 'slower': 2.0}, 1, 1),
    ({'waited_s': 0.0, 'slower': 2.0, 'arrived': True}, 0, 0),
])
def test_late_is_what_was_too_much_work(clock, how, cut, late):
    made, item = node(clock, **how)
    PlanPublisher.plan_from(made, None, (), item)
    health = made.worker.health_of
    assert (health.cut, health.late) == (cut, late)


def test_the_next_picture_counts_as_a_deadline_too(clock):
    made, item = node(clock, waited_s=0.0)
    item.period_ns = round(0.05 * 1e9)              # 0.6 of it: 30 ms, for 35 ms of work
    PlanPublisher.plan_from(made, None, (), item)
    health = made.worker.health_of
    assert (health.cut, health.late) == (1, 1)


def test_without_a_goal_nothing_is_late(clock):
    made, item = node(clock, waited_s=0.0, slower=5.0)
    made.worker.episode.goal = None
    PlanPublisher.plan_from(made, None, (), item)
    health = made.worker.health_of
    assert (health.cut, health.late) == (0, 0)


def test_a_goal_that_does_not_look_like_here_is_told_until_it_is_gone():
    actor = SimpleNamespace(failure='goal does not look like here')
    worker = SimpleNamespace(mind=SimpleNamespace(actor=actor), troubles=Troubles(print))
    planning.tell_failure(worker)
    assert worker.troubles.now == {'arrival': 'goal does not look like here'}
    actor.failure = ''
    planning.tell_failure(worker)
    assert worker.troubles.now == {}
