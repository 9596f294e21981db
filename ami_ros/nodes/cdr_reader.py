# SPDX-License-Identifier: Apache-2.0
"""
Reads messages in the bytes that they came in, so that opening one never holds the critic up.

rclpy makes a Python object of every part: of a plan of 10 000 knots half a second's work, of a
picture copies that nobody needs. The bytes are CDR (OMG DDS-RTPS 9.4.2.1): little or big endian
by their second byte, each number at a multiple of its size, counted from the fifth byte.
"""

from dataclasses import dataclass
import struct

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import LaserScan
from std_msgs.msg import Header
from trajectory_msgs.msg import MultiDOFJointTrajectory

from ami_ros.core.errors import AmiError

LONGEST_PLAN = 1 << 13      # bytes: 100 knots, 6 ms to open; a mind plans 8
LONGEST_STATUS = 1 << 14    # bytes: the configurator says 2 kB
LONGEST_SCAN = 1 << 20      # bytes: two numbers for each of 130 000 beams; copied in one piece
LONGEST_SHORT = 1 << 12     # bytes of a message that holds some numbers and a frame
LONGEST_TEXT = 1 << 10      # characters of a frame or an encoding
MOST_FIELDS = 64            # of a point cloud


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


@dataclass(frozen=True, slots=True)
class Field:
    """PointField, unopened."""

    name: str
    offset: int
    datatype: int
    count: int


@dataclass(frozen=True, slots=True)
class Cloud:
    """PointCloud2, unopened: its fields, and its data where they are."""

    header: Header
    data: memoryview
    height: int
    width: int
    fields: list[Field]
    is_bigendian: bool
    point_step: int
    row_step: int


class Cdr:
    """Takes one value after another; ValueError where the bytes end too soon."""

    def __init__(self, raw: bytes):
        self.raw, self.at = memoryview(raw), 4
        if len(raw) < 4:
            raise AmiError(f'a message has {len(raw)} bytes, not even its first four')
        self.order = '<' if raw[1] & 1 else '>'

    def number(self, kind: str) -> int:
        """Take an integer, by its letter in struct."""
        size = struct.calcsize(kind)
        self.at += -(self.at - 4) % size
        return struct.unpack(self.order + kind, self.take(size))[0]

    def take(self, size: int) -> memoryview:
        """Take some bytes."""
        if self.at + size > len(self.raw):
            raise AmiError(f'a message ends after {len(self.raw)} bytes; it needs at least '
                           f'{self.at + size}')
        self.at += size
        return self.raw[self.at - size:self.at]

    def text(self) -> str:
        """Take a string."""
        size = self.number('I')
        if size > LONGEST_TEXT:
            raise AmiError(f'a text has {size} characters; it may have {LONGEST_TEXT}')
        return bytes(self.take(size)).rstrip(b'\0').decode('utf-8', 'replace')

    def header(self) -> Header:
        """Take a std_msgs/Header."""
        seconds, fraction = self.number('i'), self.number('I')
        if seconds < 0 or fraction >= 10**9:
            raise AmiError(f'a stamp says {seconds} s and {fraction} ns; it needs a time')
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


def cloud(raw: bytes) -> Cloud:
    """Read a serialised sensor_msgs/PointCloud2."""
    cdr = Cdr(raw)
    header, height, width = cdr.header(), cdr.number('I'), cdr.number('I')
    count = cdr.number('I')
    if count > MOST_FIELDS:
        raise AmiError(f'a cloud has {count} fields; it may have {MOST_FIELDS}')
    fields = [Field(cdr.text(), cdr.number('I'), cdr.number('B'), cdr.number('I'))
              for _ in range(count)]
    big, step, row_step = cdr.number('B'), cdr.number('I'), cdr.number('I')
    return Cloud(header, cdr.take(cdr.number('I')), height, width, fields, bool(big), step,
                 row_step)


def plan(raw: bytes) -> MultiDOFJointTrajectory:
    """Open a plan."""
    return opened(raw, MultiDOFJointTrajectory, LONGEST_PLAN, 'plan')


def status(raw: bytes) -> DiagnosticArray:
    """Open a status of the configurator, or a sign of life."""
    return opened(raw, DiagnosticArray, LONGEST_STATUS, 'status')


def scan(raw: bytes) -> LaserScan:
    """Open a scan; how many beams it may have the robot file says."""
    return opened(raw, LaserScan, LONGEST_SCAN, 'scan')


def short(message: type, raw: bytes):
    """Open a message of some numbers and a frame."""
    return opened(raw, message, LONGEST_SHORT, f'message of type {message.__name__}')


def opened(raw: bytes, message: type, longest: int, what: str):
    """Open a message, unless it is so long that opening it would hold everything up."""
    if len(raw) > longest:
        raise AmiError(f'a {what} has {len(raw)} bytes; it may have {longest}')
    try:
        msg = deserialize_message(raw, message)
    except Exception as why:        # of the middleware, which has its own
        raise AmiError(f'a {what} of {len(raw)} bytes cannot be opened: {why}') from None
    stamp = getattr(getattr(msg, 'header', None), 'stamp', None)
    if stamp is not None and (stamp.sec < 0 or stamp.nanosec >= 10**9):
        raise AmiError(f'a {what} has a stamp of {stamp.sec} s and {stamp.nanosec} ns; it needs '
                       'a time')
    return msg
