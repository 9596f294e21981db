# SPDX-License-Identifier: Apache-2.0
"""
Reads messages in the bytes that they came in, where opening them would hold the critic up.

rclpy makes a Python object of every part: of a plan of 10 000 knots half a second's work, of a
picture copies that nobody needs. The bytes are CDR (OMG DDS-RTPS 9.4.2.1): little or big endian
by their second byte, each number at a multiple of its size, counted from the fifth byte.
"""

from dataclasses import dataclass
import struct

from builtin_interfaces.msg import Time
from rclpy.serialization import deserialize_message
from std_msgs.msg import Header
from trajectory_msgs.msg import MultiDOFJointTrajectory

LONGEST_PLAN = 1 << 13      # bytes: 100 knots, 6 ms to open; a mind plans 8


@dataclass(frozen=True, slots=True)
class Picture:
    """Image or CompressedImage, unopened: its fields, and its data where they are."""

    header: Header
    data: memoryview
    height: int = 0
    width: int = 0
    encoding: str = ''      # or the format, where it is compressed
    is_bigendian: int = 0
    step: int | None = None     # bytes in one row; None where the picture is compressed


class Cdr:
    """Takes one value after another; ValueError where the bytes end too soon."""

    def __init__(self, raw: bytes):
        self.raw, self.at = memoryview(raw), 4
        if len(raw) < 4:
            raise ValueError(f'a message has {len(raw)} bytes, not even its first four')
        self.order = '<' if raw[1] & 1 else '>'

    def number(self, kind: str) -> int:
        """Take an integer, by its letter in struct."""
        size = struct.calcsize(kind)
        self.at += -(self.at - 4) % size
        return struct.unpack(self.order + kind, self.take(size))[0]

    def take(self, size: int) -> memoryview:
        """Take some bytes."""
        if self.at + size > len(self.raw):
            raise ValueError(f'a message ends after {len(self.raw)} bytes; it needs at least '
                             f'{self.at + size}')
        self.at += size
        return self.raw[self.at - size:self.at]

    def text(self) -> str:
        """Take a string."""
        return bytes(self.take(self.number('I'))).rstrip(b'\0').decode('utf-8', 'replace')

    def header(self) -> Header:
        """Take a std_msgs/Header."""
        seconds, fraction = self.number('i'), self.number('I')
        if seconds < 0 or fraction >= 10**9:
            raise ValueError(f'a stamp says {seconds} s and {fraction} ns; it needs a time')
        return Header(stamp=Time(sec=seconds, nanosec=fraction), frame_id=self.text())


def image(raw: bytes) -> Picture:
    """Read a serialised sensor_msgs/Image."""
    cdr = Cdr(raw)
    header, height, width = cdr.header(), cdr.number('I'), cdr.number('I')
    encoding, big, step = cdr.text(), cdr.number('B'), cdr.number('I')
    return Picture(header, cdr.take(cdr.number('I')), height, width, encoding, big, step)


def compressed(raw: bytes) -> Picture:
    """Read a serialised sensor_msgs/CompressedImage."""
    cdr = Cdr(raw)
    header, kind = cdr.header(), cdr.text()
    return Picture(header, cdr.take(cdr.number('I')), encoding=kind)


def plan(raw: bytes) -> MultiDOFJointTrajectory:
    """Open a plan, unless it is so long that opening it would hold everything up."""
    if len(raw) > LONGEST_PLAN:
        raise ValueError(f'a plan has {len(raw)} bytes; it may have {LONGEST_PLAN}')
    try:
        return deserialize_message(raw, MultiDOFJointTrajectory)
    except Exception as why:        # of the middleware, which has its own
        raise ValueError(f'a plan of {len(raw)} bytes cannot be opened: {why}') from None
