# SPDX-License-Identifier: Apache-2.0
"""Judges one reading of odometry before anything computes with it: finite, a real rotation.

The mind, the critic and training ask the same question here, so that they refuse the same.
"""

from collections.abc import Iterable
import math

UNIT_OFF = 0.1              # by so much the length of a quaternion may differ from 1


def orientation_fault(x: float, y: float, z: float, w: float) -> str:
    """Say what is wrong with a quaternion; '' where it is a rotation, or not finite at all.

    All zeros is what a driver sends that never sets it: no rotation, and any yaw computed of it
    is an invention. What is not finite is for `not_finite` to name.
    """
    length = math.sqrt(x * x + y * y + z * z + w * w)
    if math.isfinite(length) and not abs(length - 1.0) <= UNIT_OFF:
        return (f'the orientation has length {length:g} instead of 1; let the driver fill it '
                '(w = 1 is no turn at all)')
    return ''


def not_finite(numbers: Iterable[float]) -> str:
    """Say which numbers are not finite; '' where all are."""
    said = [float(number) for number in numbers]
    return '' if all(map(math.isfinite, said)) else f'it is not finite: {said}'
