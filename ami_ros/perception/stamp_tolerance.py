# SPDX-License-Identifier: Apache-2.0
"""Stamps of a camera whose clock is a little ahead of ours are not from the future."""

from dataclasses import dataclass

from ami_ros.core.errors import AmiError


@dataclass(frozen=True)
class Ahead:
    """Takes a picture's stamp, or says why it cannot be one.

    Clocks that chrony keeps together still differ by milliseconds, and a stamp later than now
    is nothing that a belief, a plan or a rule can do with. Where time is the simulator's, stamps
    are exact and names of frames at once: they pass as they are.
    """

    tolerance_s: float      # a stamp this much ahead of the ROS clock is taken as now
    exact: bool = False     # lock-step, or simulated time

    def taken(self, stamp_ns: int, now_ns: int) -> int:
        """Return the stamp to go on with, ns of the ROS clock, not after now.

        ValueError when it is not set, or further ahead than two synchronised clocks are.
        """
        if self.exact:
            return stamp_ns
        if stamp_ns <= 0:
            raise AmiError(f'image has stamp {stamp_ns / 1e9:g}, no time at all; its driver '
                           'must say when it was taken, by the ROS clock')
        if now_ns <= 0:
            raise AmiError('the ROS clock has not begun: this node uses sim time, and no '
                           '/clock came yet')
        ahead_s = (stamp_ns - now_ns) / 1e9
        if not ahead_s <= self.tolerance_s:
            raise AmiError(f'image is stamped {ahead_s:.3g} s ahead of the clock here, '
                           f'allowed are {self.tolerance_s:g} s; are both machines synchronised '
                           '(chrony), does one of them use sim time?')
        return min(stamp_ns, now_ns)
