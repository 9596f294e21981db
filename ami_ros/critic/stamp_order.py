# SPDX-License-Identifier: Apache-2.0
"""Readings of one sensor count in the order of their stamps."""

from collections import Counter

from ami_ros.core.types import Imu, Odometry, Scan, View

# no policy lets a reading be older than this; stamps that go back farther are of another clock
LATE_NS = 2 * 10**9


class StampOrder:
    """Remembers the newest stamp of each sensor.

    Where two programs publish on one topic, stamps go back with every other message, and each
    comparison of a sensor with what it said before would begin anew each time. In lock-step both
    clocks go back together when a run begins.
    """

    def __init__(self, counts: Counter[str]):
        """`counts` gets the readings that are ignored, as NAME_older."""
        self.counts = counts
        self.newest: dict[str, tuple[int, int]] = {}    # by sensor: newest stamp, when it came

    def overtaken(self, reading: Scan | Odometry | Imu | View) -> bool:
        """Tell whether a reading is older than one of its sensor that came before; ignore it."""
        stamp_ns, came_ns = self.newest.get(reading.name, (0, 0))
        if 0 < stamp_ns - reading.stamp_ns <= LATE_NS and reading.received_steady_ns >= came_ns:
            self.counts[f'{reading.name}_older'] += 1
            return True
        self.newest[reading.name] = reading.stamp_ns, reading.received_steady_ns
        return False

    def forget_later_than(self, latest_ns: int) -> None:
        """Compare with no stamp from the future: it is wrong, or the clock jumped back."""
        self.newest = {name: said for name, said in self.newest.items() if said[0] <= latest_ns}
