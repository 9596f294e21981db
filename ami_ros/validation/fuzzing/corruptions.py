# SPDX-License-Identifier: Apache-2.0
"""Spoils messages and texts: bytes, fields, sizes, strings, stamps; one seed, one harm.

A spoilt message has been on the wire: what a field cannot hold does not come.
"""

import copy
import math
import re

import numpy as np
from rclpy.serialization import serialize_message

NS = 10**9
FLOATS = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, -1e308, 5e-324, 1e30, -1e30, 1e-3,
          -1e-3, 0.1, -0.1, 0.6, 1.0, -1.0, 3.0, 1e9)
AWAY_S = (0.0, 1e-9, 0.02, 0.05, 0.0500001, 0.15, 0.25, 0.2500001, 0.35, 0.3500001, 1.0, 3600.0,
          1e9)
WORDS = ('', '\0', '\0\0\0\0', 'nan', '-inf', '1e400', '-1', '0', '0x10', '1_0', '９',
         'autonomous', 'stopped', 'manual', 'idle', 'teleop', '../../etc', '{0}', '%s%n', '"', "'",
         '\n', '\u202e', '\U0001f916', 'configurator', 'odom', 'laser', 'base_link', '/',
         '//laser', 'a/laser')
LONG = (50, 1000, 20_000)
MANY = (0, 1, 2, 7, 100, 3000)
RANGE = {'int8': (-2**7, 2**7 - 1), 'uint8': (0, 2**8 - 1), 'int16': (-2**15, 2**15 - 1),
         'uint16': (0, 2**16 - 1), 'int32': (-2**31, 2**31 - 1), 'uint32': (0, 2**32 - 1),
         'int64': (-2**63, 2**63 - 1), 'uint64': (0, 2**64 - 1)}
TEXTS = ('nan', '.nan', '.inf', '-.inf', '1e400', '-1', '0', '99999999999999999999', '1e-320',
         '~', 'true', "''", '[]', '{}', '[1, 2', '{a: b}', '&a [*a]', '*nobody',
         '!!python/name:os.system', '!!binary x', '2026-01-01', '0o17', '1:30', '"\\0"',
         '"\\ud800"', '<<: {}', '? x', '- 1', '|', '>', '%TAG', '---', '...', '\t', '\0', '\ufeff',
         '\x85', 'design', '# source: design, x')


def one(rng: np.random.Generator, values):
    """Choose."""
    return values[int(rng.integers(len(values)))]


def spoilt(msg, rng: np.random.Generator, now_ns: int):
    """Return a message one to three times spoilt, as the bytes that come; None where none can."""
    msg = copy.deepcopy(msg)
    for _ in range(int(rng.integers(1, 4))):
        how = rng.random()
        if how < 0.2:
            return from_bytes(serialize_message(msg), rng)
        if how < 0.35:
            restamp(msg, rng, now_ns)
        elif how < 0.5:
            reword(msg, rng)
        else:
            at_a_leaf(msg, rng)
    try:
        return serialize_message(msg)
    except Exception:       # it cannot be sent, so nobody hears it
        return None


def from_bytes(sound: bytes, rng: np.random.Generator) -> bytes | None:
    """Change bytes on the wire."""
    data = bytearray(sound)
    for _ in range(int(rng.integers(1, 9))):
        at, how = int(rng.integers(4, len(data))), rng.random()
        if how < 0.6:
            data[at] = one(rng, (0, 127, 128, 255, int(rng.integers(256))))
        elif how < 0.7:
            del data[at:at + int(rng.integers(1, 9))]
        elif how < 0.8:
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
        elif how < 0.9:
            width = one(rng, (4, 8))
            data[at:at + width] = one(rng, (b'\xff', b'\x00', b'\x7f')) * width
        else:
            del data[at:]
        if len(data) < 9:
            return None
    return bytes(data)


def restamp(msg, rng: np.random.Generator, now_ns: int) -> None:
    """Say that it is of another time."""
    stamp = getattr(getattr(msg, 'header', None), 'stamp', None)
    if stamp is None:
        return
    if rng.random() < 0.2:
        stamp.sec, stamp.nanosec = one(rng, ((0, 0), (2**31 - 1, 2**32 - 1), (-2**31, 0), (0, 1)))
        return
    at = now_ns + round(one(rng, (-1, 1)) * one(rng, AWAY_S) * NS)
    stamp.sec, stamp.nanosec = min(max(at // NS, -2**31), 2**31 - 1), at % NS


def word(rng: np.random.Generator) -> str:
    """Return a string that somebody may stumble over."""
    said = one(rng, WORDS)
    return said * one(rng, LONG) if rng.random() < 0.1 else said


def reword(msg, rng: np.random.Generator) -> None:
    """Say another value of a key, where it holds keys and values as texts."""
    if hasattr(msg, 'joint_names') and msg.joint_names:
        names, at = list(msg.joint_names), int(rng.integers(len(msg.joint_names)))
        key, sign, _ = names[at].partition('=')
        names[at] = key + sign + (repr(one(rng, FLOATS)) if rng.random() < 0.5 else word(rng))
        msg.joint_names = names
    elif hasattr(msg, 'status') and msg.status:
        pairs = one(rng, msg.status).values
        if pairs:
            pair = one(rng, pairs)
            pair.value = word(rng)
    elif hasattr(msg, 'header'):
        msg.header.frame_id = word(rng)


def at_a_leaf(msg, rng: np.random.Generator) -> None:
    """Change one field, however deep."""
    while True:
        fields = msg.get_fields_and_field_types()
        name = one(rng, list(fields))
        kind, value = fields[name], getattr(msg, name)
        if hasattr(value, 'get_fields_and_field_types'):
            msg = value
            continue
        listed = re.fullmatch(r'sequence<(.*)>|(.*)\[\d+\]', kind)
        if listed is None:
            setattr(msg, name, scalar(kind, value, rng))
            return
        inner, fixed = listed[1] or listed[2], listed[1] is None
        if '/' in inner:        # messages
            if len(value) and rng.random() < 0.7:
                msg = one(rng, value)
                continue
            setattr(msg, name, [] if rng.random() < 0.5 or not len(value) else
                    list(value) * one(rng, MANY[1:5]))
            return
        setattr(msg, name, numbers(inner, value, rng, fixed))
        return


def scalar(kind: str, value, rng: np.random.Generator):
    """Return another value of a field."""
    if kind in RANGE:
        low, high = RANGE[kind]
        return one(rng, (low, high, 0, min(1, high), int(rng.integers(low, high, endpoint=True))
                         if kind not in ('uint64',) else high))
    if kind in ('double', 'float'):
        said = one(rng, FLOATS) if rng.random() < 0.8 else float(rng.normal(0, 2))
        with np.errstate(over='ignore'):
            return said if kind == 'double' else float(np.float32(said))
    if kind in ('boolean',):
        return not value
    if kind in ('octet', 'byte'):
        return bytes([int(rng.integers(256))])
    return word(rng)


def numbers(inner: str, value, rng: np.random.Generator, fixed: bool):
    """Return another array: some of it, all of it, or of another size."""
    if inner.startswith('string'):
        said = [word(rng) for _ in range(one(rng, MANY[:4]))]
        return said if rng.random() < 0.5 else [*value, *said]
    if inner not in ('double', 'float'):
        kept = list(value)
        return kept if fixed else kept[:one(rng, MANY)] * int(rng.integers(1, 3))
    array = np.asarray(value, float).copy()
    with np.errstate(all='ignore'):
        if array.size and (fixed or rng.random() < 0.7):
            share = rng.random(array.size) < one(rng, (0.01, 0.1, 0.5, 1.0))
            array[share] = one(rng, FLOATS)
        elif not fixed:
            array = np.resize(array if array.size else one(rng, FLOATS), one(rng, MANY))
        array = array.astype(np.float32).astype(float) if inner == 'float' else array
    return array.tolist() if not fixed else type(value)(array) if isinstance(
        value, list) else array


def spoilt_text(text: str, rng: np.random.Generator) -> str | bytes:
    """Return a file as a tired person, or a torn disk, leaves it."""
    lines = text.split('\n')
    for _ in range(int(rng.integers(1, 5))):
        at, how = int(rng.integers(len(lines))), rng.random()
        if how < 0.35 and ':' in lines[at]:
            key, _, rest = lines[at].partition(':')
            comment = rest[rest.find('#'):] if '#' in rest else ''
            lines[at] = f'{key}: {one(rng, TEXTS)}  {comment}'
        elif how < 0.45:
            lines[at:at + 1] = []
        elif how < 0.55:
            lines.insert(at, lines[int(rng.integers(len(lines)))])
        elif how < 0.65:
            lines[at] = ' ' * int(rng.integers(5)) + lines[at].strip()
        elif how < 0.75:
            lines.insert(at, one(rng, TEXTS))
        elif how < 0.85:
            middle = int(rng.integers(len(lines[at]) + 1))
            lines[at] = lines[at][:middle] + one(rng, TEXTS) + lines[at][middle:]
        elif how < 0.9:
            lines[at] = lines[at].replace('#', '', 1)
        elif how < 0.94:
            lines = lines[:at]
        elif how < 0.97:
            lines[at] = one(rng, ('[', '{a: ', '- ')) * one(rng, (10, 3000))
        else:
            data = bytearray('\n'.join(lines).encode('utf-8', 'replace'))
            for _ in range(int(rng.integers(1, 9))):
                if data:
                    data[int(rng.integers(len(data)))] = int(rng.integers(256))
            return bytes(data)
        if not lines:
            return ''
    return '\n'.join(lines)
