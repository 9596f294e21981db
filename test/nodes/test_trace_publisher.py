# SPDX-License-Identifier: Apache-2.0
"""Whoever begins to listen is told the state first, and nothing before it."""

import json
from types import SimpleNamespace

from ami_ros.nodes import trace_publisher
import pytest

pytestmark = pytest.mark.ros


class Publisher:
    def __init__(self):
        self.listeners, self.sent = 0, []

    def get_subscription_count(self):
        return self.listeners

    def publish(self, msg):
        self.sent.append(msg.data)


class Node:
    def __init__(self):
        self.publishers = {}

    def create_publisher(self, kind, name, qos):
        return self.publishers.setdefault(name, Publisher())

    def get_fully_qualified_name(self):
        return '/one'


@pytest.fixture
def clock(monkeypatch):
    time = SimpleNamespace(now=100.0)
    monkeypatch.setattr(trace_publisher, 'time', SimpleNamespace(
        monotonic=lambda: time.now, process_time=lambda: 0.0))
    return time


def told_at(made, clock, until):
    """Turn ten times a second; when the state was put on record."""
    exact, times = made.exact, []
    while clock.now < until:
        before = len(exact.sent)
        made.turn(1.0)
        if len(exact.sent) > before:
            times.append(round(clock.now, 1))
        clock.now += 0.1
    return times


def test_whoever_begins_to_listen_is_told_the_state_first(clock):
    made = trace_publisher.TracePublisher(Node(), lambda: ['all of it'])
    assert told_at(made, clock, 101.0) == []            # nobody listens
    made.trace.listeners = 1                            # people's words come up before the record
    assert told_at(made, clock, 102.0) == []
    made.exact.listeners = 1
    times = told_at(made, clock, 180.0)
    assert times[0] <= 102.4 and len(times) == 3
    assert all(0 <= b - a - trace_publisher.AGAIN_S <= 0.4 for a, b in zip(times, times[1:]))
    made.exact.listeners = 0
    assert told_at(made, clock, 190.0) == []
    made.exact.listeners = 1                            # another one, who knows nothing yet
    assert len(told_at(made, clock, 195.0)) == 1


def test_the_numbers_have_no_holes(clock):
    made = trace_publisher.TracePublisher(Node(), lambda: ['state'])
    made.exact.listeners = 1
    told_at(made, clock, 140.0)
    lines = [json.loads(line) for text in made.exact.sent for line in text.split('\n')[1:]]
    assert [number for number, _ in lines] == list(range(1, len(lines) + 1)) and len(lines) == 2
