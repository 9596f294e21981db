# SPDX-License-Identifier: Apache-2.0
"""
Tells what a board draws, where it measures that itself: the INA3221 of a Jetson, through hwmon.

Orin Nano, Orin NX and Xavier NX have a rail for all of the module; the AGX boards have none, and
what their rails draw is added up. What the carrier board and all else on the robot draws is not in
it. https://docs.kernel.org/hwmon/ina3221.html
"""

import math
import os
from pathlib import Path

from ami_ros.host import proc_and_sys_files
from ami_ros.host.thermal_throttling import Open, opened

CHIP = 'ina3221'
WHOLE = ('VDD_IN', 'POM_5V_IN')     # rails that all others hang on
CHANNELS = (1, 2, 3)                # beyond these are shunt voltages and their sum
MICRO = 1e6                         # mV times mA in a watt


class Wattmeter:
    """Opens once what there is; `read` then takes a few dozen microseconds and never raises."""

    def __init__(self, root: Path | str = '/'):
        self.rails: list[tuple[Open, Open]] = []        # voltage in mV, current in mA
        for chip in proc_and_sys_files.each(Path(root), 'sys/class/hwmon/hwmon*'):
            if proc_and_sys_files.text(chip / 'name') == CHIP:
                self.rails += filter(None, (rail(chip, channel) for channel in CHANNELS))
        whole = [pair for pair in self.rails if pair[0].name in WHOLE]
        for pair in self.rails if whole else ():
            if pair is not whole[0]:
                close(pair)
        self.rails = whole[:1] or self.rails

    def read(self) -> float:
        """Return W; NaN where the board does not tell, or a rail does not answer now."""
        drawn = [(mv.value(), ma.value()) for mv, ma in self.rails]
        known = [mv * ma for mv, ma in drawn if mv is not None and ma is not None]
        if not drawn or len(known) < len(drawn):
            return math.nan
        return sum(known) / MICRO

    def close(self) -> None:
        """Close the files."""
        for pair in self.rails:
            close(pair)
        self.rails = []


def rail(chip: Path, channel: int) -> tuple[Open, Open] | None:
    """Open voltage and current of a rail; None where nothing hangs on the channel."""
    label = proc_and_sys_files.text(chip / f'in{channel}_label')
    if not label or label == 'NC':
        return None
    voltage = opened(chip / f'in{channel}_input', label)
    current = opened(chip / f'curr{channel}_input', label)
    if voltage is not None and current is not None:
        return voltage, current
    close(filter(None, (voltage, current)))
    return None


def close(opened_files) -> None:
    """Close a few files."""
    for file in opened_files:
        os.close(file.fd)
