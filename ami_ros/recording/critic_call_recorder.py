# SPDX-License-Identifier: Apache-2.0
"""
Notes all that a critic is told and asked, in order, so that it can be asked the same again.

A critic's answer depends on what it was told, when, and on nothing else; with each call on record
every Situation that it judged can be made again exactly, at a fraction of what they would weigh.
"""

from collections import Counter, deque
from dataclasses import replace
from functools import wraps
from operator import attrgetter
from time import perf_counter_ns
from typing import Any, cast

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.types import Plan
from ami_ros.critic.critic import Critic
from ami_ros.critic.history import LastReading
from ami_ros.recording.trace_records import Told, Tracer

QUESTIONS = ('judge', 'allowed', 'reset')
TOLD = ('forget', 'forget_permit', 'renew', 'suspended', 'stand_by')    # besides on_...
# what a critic is made with: it comes from the policy and the robot file
MADE = ('policy', 'robot', 'rules', 'needs', 'shared', 'counts', 'limits', 'filter_s', 'turns',
        'release_s', 'path', 'limits_s', 'lag_s', 'scale', 'names')
PARTS = ('keeper', 'keeper.sightings', 'keeper.scan_motions', 'keeper.reckoning', 'drivers',
         'holding', 'order', 'latch')
OF_PARTS = ('keeper', 'sightings', 'scan_motions', 'reckoning', 'drivers', 'holding', 'order',
            'latch')
OF_LATCH = ('closed',)                      # the rest of it is about its file


def calls(critic: Critic) -> list[str]:
    """Name the methods by which a critic learns something."""
    return [name for name in dir(critic) if callable(getattr(critic, name))
            and (name.startswith('on_') or name in TOLD + QUESTIONS)]


def watch(critic: Critic, tracer: Tracer) -> None:
    """Put every call of a critic on record from now on, while somebody wants it."""
    for name in calls(critic):
        setattr(critic, name, noted(critic, name, tracer))


def noted(critic: Critic, name: str, tracer: Tracer):
    """Make a method put its calls on record."""
    method = getattr(critic, name)
    if name not in QUESTIONS:
        @wraps(method)
        def told(*given):
            if tracer.on:
                tracer.note(Told(name, given))
            return method(*given)
        return told

    @wraps(method)
    def asked(*given):
        if not tracer.on:
            return method(*given)
        plan = critic.drivers.pick(*given[:2])[0] if name == 'judge' else None
        begun = perf_counter_ns()
        answer = method(*given)
        tracer.note(Told(name, given, answer, perf_counter_ns() - begun, asks(plan, given)))
        return answer
    return asked


def asks(plan: Plan | None, given: tuple) -> tuple[float, float] | None:
    """Return the (v, w) that is judged; None where nobody asks for anything that can be read."""
    try:
        v, w = given[2] if len(given) > 2 or plan is None else plan.at(given[0])
        return float(v), float(w)
    except Exception:       # whatever it is, the critic stops for it and says so
        return None


def state(critic: Critic) -> list[Told]:
    """Copy what a critic remembers, in pieces that are each quickly written."""
    out = [Told('state', ('', name, copied(value))) for name, value in own(critic)]
    for part in PARTS:
        out += [Told('state', (part, name, copied(value)))
                for name, value in own(attrgetter(part)(critic))
                if part != 'latch' or name in OF_LATCH]
    return [Told('state_begins', ()), *out, Told('state_ends', ())]


def own(part) -> list[tuple[str, object]]:
    """Return the attributes of a part of a critic that are not made with it."""
    return [(name, value) for name, value in vars(part).items()
            if name not in MADE + OF_PARTS and not callable(value)]


def copied(value):
    """Copy what may change while it waits to be written."""
    if isinstance(value, (dict, Counter)):
        return {key: copied(one) for key, one in value.items()}
    if isinstance(value, (deque, list)):
        return list(value)
    if isinstance(value, LastReading):
        hexadecimals: Any = value.content.hex()
        return replace(value, content=hexadecimals)
    return value.copy() if isinstance(value, np.ndarray) else value


def restore(critic: Critic, said: list[Told]) -> None:
    """Give a critic the memory of another: what `state` copied of it."""
    for part, name, value in (told.given for told in said if told.call == 'state'):
        whole = attrgetter(part)(critic) if part else critic
        if not hasattr(whole, name):
            raise AmiError(f'a critic of this version has no {part}.{name}; replay it with the '
                           'version that recorded it')
        setattr(whole, name, alike(value, getattr(whole, name)))


def alike(value, now):
    """Make a value of the kind that stands there now: a deque, a list, a dict of mutable parts."""
    if isinstance(now, deque):
        return deque(value, now.maxlen)
    if isinstance(now, list):
        return list(value)
    if isinstance(value, dict):
        kept = next((one for one in now.values() if isinstance(one, deque)), None)
        return {key: replace(one, content=bytes.fromhex(cast(str, one.content)))
                if isinstance(one, LastReading)
                else one if kept is None else deque(one, kept.maxlen)
                for key, one in value.items()}
    return value.copy() if isinstance(value, np.ndarray) else value


def again(critic: Critic, told: Told):
    """Make a call once more; return what the critic answers now."""
    known = calls(critic)
    if told.call not in known:
        raise AmiError(f'a critic of this version has no {told.call}; it has: '
                       f'{", ".join(known)}; replay it with the version that recorded it')
    return getattr(critic, told.call)(*told.given)
