# SPDX-License-Identifier: Apache-2.0
"""All checks of a machine, in the order in which a person reads them."""

from ami_ros.core.findings import Finding
from ami_ros.host import board, clock, memory, power, privileges
from ami_ros.host.host import Host

CHECKS = (board.jetpack, power.power_mode, power.clocks, power.heat, memory.memory, memory.swap,
          memory.disk, clock.clock, privileges.real_time, privileges.logout,
          memory.shared_memory, memory.buffers,
          board.python, board.ros, board.packages)


def inspect(host: Host) -> list[Finding]:
    """Run every check."""
    return [finding for check in CHECKS for finding in check(host)]
