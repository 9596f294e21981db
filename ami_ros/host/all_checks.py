# SPDX-License-Identifier: Apache-2.0
"""All checks of a machine, in the order in which a person reads them."""

from ami_ros.core.findings import Finding
from ami_ros.host import (
    board_and_os_version,
    clock_sync,
    memory_and_disk,
    power,
    realtime_priority,
)
from ami_ros.host.machine_interface import Host

CHECKS = (board_and_os_version.jetpack, power.power_mode, power.clocks, power.heat,
          memory_and_disk.memory, memory_and_disk.swap,
          memory_and_disk.disk, clock_sync.clock, realtime_priority.real_time,
          realtime_priority.logout,
          memory_and_disk.shared_memory, memory_and_disk.buffers,
          board_and_os_version.python, board_and_os_version.ros, board_and_os_version.packages)


def inspect(host: Host) -> list[Finding]:
    """Run every check."""
    return [finding for check in CHECKS for finding in check(host)]
