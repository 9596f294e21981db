# SPDX-License-Identifier: Apache-2.0
"""
Every number of every message that the critic hears, at every value that nobody should send.

The messages go to the callbacks of a real node at a made-up time. None may take long, and after
each of them sound messages must bring the robot back: no single one silences a source for good.
"""

import copy
import math
from pathlib import Path
import re
import time

from ami_ros.core.types import Plan
from ami_ros.nodes import message_conversions as convert
import numpy as np
import pytest
import rclpy
from rclpy.serialization import serialize_message
from std_msgs.msg import Bool

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
LONGEST_S = 0.020               # of the thread's own time, callback or tick
AGAIN_TICKS = 150               # 3 s: longer than any rule holds a stop
FLOATS = (0.0, 1e-12, 1e-300, 1e300, -1.0, math.nan, math.inf, -math.inf)
FEW = 2                         # of an array of messages so many are tried
DESKS = ('everything', 'foreign')


@pytest.fixture
def desk(monkeypatch, ros_domain, tmp_path):
    monkeypatch.syspath_prepend(str(TOOLS))
    from ami_ros.validation.fuzzing import critic_node_harness
    made = []

    def begin(name):
        made.append(critic_node_harness.Desk(name, 1, tmp_path))
        made[-1].room.ranges = lambda *_: 5.0 + 0.05 * made[-1].rng.random(180)
        return made[-1]
    yield begin
    for one in made:
        one.end()
    if rclpy.ok():
        rclpy.shutdown()


def numbers(msg, way=()):
    """Yield the path of each number of a message and its type in the IDL."""
    for name, kind in msg.get_fields_and_field_types().items():
        yield from of_field(getattr(msg, name), kind, (*way, name))


def of_field(value, kind, way):
    if hasattr(value, 'get_fields_and_field_types'):
        yield from numbers(value, way)
        return
    listed = re.fullmatch(r'sequence<(.*)>|(.*)\[\d+\]', kind)
    inner = (listed[1] or listed[2]) if listed else kind
    if not listed and not kind.startswith(('string', 'boolean')):
        yield way, kind
    elif listed and '/' in inner:
        for index in range(min(FEW, len(value))):
            yield from numbers(value[index], (*way, index))
    elif listed and len(value) and not inner.startswith('string'):
        yield (*way, 0), inner
        yield (*way, slice(None)), inner        # all of them


def hostile(kind, value):
    """Return the values that are tried in the place of one."""
    if kind in ('double', 'float'):
        tried = (*FLOATS, value + 1.0, value - 1.0)
        with np.errstate(over='ignore'):
            return tried if kind == 'double' else [float(np.float32(one)) for one in tried]
    if kind in ('byte', 'octet'):
        return [bytes([one]) for one in (0, 127, 255)]
    bits = int(re.search(r'\d+', kind)[0])
    low, high = (0, 2**bits - 1) if kind.startswith('u') else (-2**(bits - 1), 2**(bits - 1) - 1)
    tried = (0, 1, -1, low, high, high - 1, high // 2, value + 1, value - 1)
    return sorted({one for one in tried if low <= one <= high})


def put(msg, way, value):
    """Set one number of a message, or all of an array."""
    *path, last = way
    for step in path[:-1] if isinstance(last, (int, slice)) else path:
        msg = msg[step] if isinstance(step, int) else getattr(msg, step)
    if not isinstance(last, (int, slice)):
        setattr(msg, last, value)
        return
    values = getattr(msg, path[-1])
    where = range(len(values)) if isinstance(last, slice) else (last,)
    for index in where:
        values[index] = value


def get(msg, way):
    for step in way:
        msg = msg[0] if isinstance(step, slice) else msg[step] if isinstance(step, int) else (
            getattr(msg, step))
    return msg


def sound(desk):
    """Let 20 ms pass in which all that should speak does."""
    desk.clock.steady += 20_000_000
    desk.clock.ros += 20_000_000
    desk.ticks += 1
    v, w = desk.oracle.last         # where the wheels brought it, far from all walls
    desk.pose = desk.pose + 0.02 * np.array([v, 0.0, w])
    for topic in desk.heard:
        if topic not in ('cmd_vel_manual', 'e_stop', 'button', 'diagnostics'):
            desk.tell(topic, desk.good(topic))
    desk.node.tick_if_due()


def moves_again(desk):
    """Send what is sound until the robot moves; how many ticks that takes, None for never.

    A minute passes first: what rules count of each minute is not asked for here.
    """
    desk.clock.steady += 61 * 10**9
    desk.clock.ros += 61 * 10**9
    desk.mode, desk.wish = 'autonomous', (0.05, 0.0)
    for topic, (kind, _) in desk.heard.items():
        if kind is Bool:
            desk.tell(topic, Bool(data=topic == 'cliff'))
    for ticks in range(AGAIN_TICKS):
        if desk.node.critic.latch.closed:
            desk.release()
        if desk.node.critic.drivers.permit and desk.node.critic.drivers.permit.mode in (
                'teleop', 'reset'):
            desk.arm()
        sound(desk)
        if desk.node.verdict.command.values[0] > 0:
            return ticks
    return None


def cost_s(desk, topic, raw):
    """Hand bytes to the node and let it tick; what the slower of both took of the thread's time.

    Where it seems long it is done again: a machine that is busy makes it longer, never shorter.
    """
    least = math.inf
    for _ in range(3):
        begun = time.thread_time()
        for listener, _ in desk.heard[topic][1]:
            listener(raw)
        heard = time.thread_time()
        desk.node.due_ns = 0
        desk.node.tick_if_due()
        least = min(least, max(heard - begun, time.thread_time() - heard))
        if least < LONGEST_S:
            break
    return least


def try_all(desk, topic, messages):
    """Send hostile messages of one kind; return what is wrong with the answer to them."""
    wrong = []
    for what, raw in messages:
        try:
            took = cost_s(desk, topic, raw)
        except Exception as bug:        # of whatever kind: it would end the critic
            wrong.append(f'{topic} {what}: {bug!r}')
            continue
        if took >= LONGEST_S:
            wrong.append(f'{topic} {what}: {1e3 * took:.1f} ms')
    if moves_again(desk) is None:
        wrong.append(f'{topic} {messages[0][0]} and on: it does not move again: '
                     f'{desk.node.verdict.rule}: {desk.node.verdict.reason}')
        desk.begin()
    return wrong


def spoilt(desk, topic, way, kind):
    """Make the messages with each hostile value in one place."""
    out = []
    for value in hostile(kind, get(desk.good(topic), way)):
        msg = copy.deepcopy(desk.good(topic))
        put(msg, way, value)
        out.append((f'{way} = {value!r}', serialize_message(msg)))
    return out


@pytest.mark.slow
@pytest.mark.parametrize('name', DESKS)
def test_no_number_of_any_message_takes_long_or_silences_its_source(desk, name):
    made, wrong, tried = desk(name), [], 0
    assert moves_again(made) is not None
    for topic in [one for one in made.heard if one != 'diagnostics']:
        for way, kind in list(numbers(made.good(topic))):
            messages = spoilt(made, topic, way, kind)
            tried += len(messages)
            wrong += try_all(made, topic, messages)
    assert not wrong, '\n'.join(wrong)
    assert tried > 500


def texts(name):
    """Messages whose numbers are texts, and texts and arrays without end."""
    def plan(**changes):
        msg = convert.plan_message(Plan(np.tile([0.05, 0.0], (4, 1)), 0.25, 10**18, 1, 'r', 1))
        for key, value in changes.items():
            msg.joint_names = [f'{key}={value}' if one.startswith(f'{key}=') else one
                               for one in msg.joint_names]
        return msg
    if name == 'actor/plan':
        for key in ('knot_s', 'frame', 'goal', 'run', 'surprise', 'iterations', 'disagreement'):
            yield [plan(**{key: value}) for value in (
                *FLOATS, '', '9' * 5000, '-1', 'nan', '1e400', '0x7f', 2**63)]
        yield [convert.plan_message(Plan(np.tile([0.1, 0.0], (count, 1)), 0.25, 10**18, 1, 'r', 1))
               for count in (100, 1000, 20_000)]
    if name == 'configurator/status':
        yield [convert.health_message(convert.Health('/configurator', values={
            'mode': 'autonomous', 'run': 'r' * 10_000_000}), 10**18)]
        many = convert.health_message(convert.Health('/configurator', values={
            str(n): 'v' for n in range(50_000)}), 10**18)
        yield [many]
        one = convert.health_message(convert.Health('x'), 10**18)
        one.status = one.status * 50_000
        yield [one]


def long_ones(desk, topic):
    """Yield messages in which every text, and every array of numbers, is very long."""
    msg = desk.good(topic)
    for name, kind in msg.get_fields_and_field_types().items():
        value = getattr(msg, name)
        if name == 'header':
            one = copy.deepcopy(msg)
            one.header.frame_id = 'x' * 10_000_000
            yield f'{name} of 10 MB', serialize_message(one)
        elif kind.startswith('sequence<') and len(value):
            one = copy.deepcopy(msg)
            setattr(one, name, (value * (2_000_000 // len(value) + 1)) if '/' not in kind
                    else list(value) * 20_000)
            yield f'{name} of {len(getattr(one, name))}', serialize_message(one)
        elif kind == 'string':
            one = copy.deepcopy(msg)
            setattr(one, name, 'x' * 10_000_000)
            yield f'{name} of 10 MB', serialize_message(one)


@pytest.mark.parametrize('name', DESKS)
def test_no_text_and_no_array_takes_long_or_silences_its_source(desk, name):
    made, wrong = desk(name), []
    assert moves_again(made) is not None
    for topic in [one for one in made.heard if one != 'diagnostics']:
        for messages in texts(topic):
            wrong += try_all(made, topic, [(str(msg)[:200], serialize_message(msg))
                                           for msg in messages])
        for what, raw in long_ones(made, topic):
            wrong += try_all(made, topic, [(what, raw)])
        for size in (0, 3, 5, 9):
            wrong += try_all(made, topic, [(f'{size} bytes', b'\0\1\0\0' + b'\xff' * size)])
    assert not wrong, '\n'.join(wrong)


def test_a_life_sign_without_end_holds_nobody_up(desk):
    made = desk('foreign')
    long = serialize_message(convert.health_message(convert.Health('/critic', values={
        'commands': '1', **{str(n): 'v' for n in range(50_000)}}), 10**18))
    assert cost_s(made, 'diagnostics', long) < LONGEST_S
    broken = serialize_message(convert.health_message(convert.Health('/critic', values={
        'commands': '1', 'born_ns': '-1', 'pid': '9' * 5000}), 10**18))
    assert cost_s(made, 'diagnostics', broken) < LONGEST_S
    assert cost_s(made, 'diagnostics', broken[:-3]) < LONGEST_S
