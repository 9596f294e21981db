# SPDX-License-Identifier: Apache-2.0
"""
Protocol-buffer bytes as pairs of field number and value, and back.

Forty lines in the place of two libraries: a robot's computer needs neither `onnx` nor `protobuf`
to read a network or to store it with other weights.
"""

from collections.abc import Iterator
import struct

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Value = int | bytes | memoryview


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """Read a number; return it and where the next thing begins."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError('the bytes end within a number')
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data: bytes | memoryview) -> Iterator[tuple[int, Value]]:
    """Yield (field number, value) in order; ValueError where the bytes are no message."""
    data, at = memoryview(data), 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = varint(data, at)
        else:
            size = {FIXED64: 8, FIXED32: 4}.get(kind)
            if kind == BYTES:
                size, at = varint(data, at)
            if size is None or not number:
                raise ValueError(f'field {number} has no kind {kind}')
            if at + size > len(data):
                raise ValueError(f'field {number} ends behind the last byte')
            value, at = data[at:at + size], at + size
        yield number, value


def signed(value: int) -> int:
    """Read a 64-bit number as one that may be negative."""
    return value - (1 << 64) if value >> 63 else value


def numbers(value: Value) -> list[int]:
    """Read one number, or several that were packed."""
    if isinstance(value, int):
        return [signed(value)]
    found, at = [], 0
    while at < len(value):
        one, at = varint(value, at)
        found.append(signed(one))
    return found


def text(value: Value) -> str:
    """Read a name."""
    return bytes(value).decode()


def write_varint(value: int) -> bytes:
    """Write a number, negative ones as 64 bits."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: int | float | str | bytes) -> bytes:
    """Write one field: a number, a float32, a name, or bytes."""
    if isinstance(value, float):
        return write_varint(number << 3 | FIXED32) + struct.pack('<f', value)
    if isinstance(value, int):
        return write_varint(number << 3 | VARINT) + write_varint(value)
    value = value.encode() if isinstance(value, str) else value
    return write_varint(number << 3 | BYTES) + write_varint(len(value)) + value
