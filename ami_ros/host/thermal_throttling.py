# SPDX-License-Identifier: Apache-2.0
"""
Tells whether heat or power slows the processors down right now.

Everybody is asked who would know: cooling devices that lower clocks, temperatures at a trip point,
the throttle counters of x86, the over-current counters of Jetson, the firmware of a Raspberry Pi.
Files stay open and are read again from their start: that is what makes a reading cheap.
"""

from dataclasses import dataclass
import math
import os
from pathlib import Path

from ami_ros.host import proc_and_sys_files

THERMAL = 'sys/class/thermal'
# What lowers clocks, by the first or last part of its name. Fans cool without slowing anything,
# and Jetson's hot-surface-alert only warns a hand at 70 degrees.
SLOWING = ('cpufreq', 'devfreq', 'thermal-cpufreq', 'thermal-devfreq', 'processor',
           'intel_powerclamp', 'cpu-', 'gpu-')
ALERT = '-throttle-alert'       # Jetson has one for each part of the chip
TRIPS = ('passive', 'hot', 'critical')
COUNTERS = {    # pattern: who counts; growth since the last reading means slower clocks
    'sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count': 'the processor',
    'sys/devices/system/cpu/cpu*/thermal_throttle/package_throttle_count': 'the processor',
    'sys/class/hwmon/hwmon*/oc*_event_cnt': 'over-current'}
RASPBERRY = 'sys/devices/platform/soc/soc:firmware/get_throttled'
BITS = {0: 'under-voltage', 1: 'clock capped', 2: 'throttled', 3: 'soft temperature limit'}


@dataclass(frozen=True)
class Heat:
    """One reading."""

    throttled: bool         # something slows the processors down now
    hottest_c: float        # degrees Celsius; NaN where nothing can be read
    text: str               # one sentence: what slows them, or how warm it is


@dataclass
class Open:
    """A file that stays open."""

    name: str               # what a person calls it
    fd: int
    limit: float = math.inf         # degrees Celsius from which clocks go down
    before: int | None = None       # of a counter

    def value(self) -> int | None:
        """Read the number in it; None where the part that answers is switched off."""
        try:
            return int(os.pread(self.fd, 32, 0).strip(b'\0\n '), 0)
        except (OSError, ValueError):
            return None


class Thermometer:
    """Opens once what there is; `read` then takes a few dozen microseconds and never raises."""

    def __init__(self, root: Path | str = '/'):
        root = Path(root)
        self.zones = [made for zone in proc_and_sys_files.each(root, f'{THERMAL}/thermal_zone*')
                      if (made := opened(zone / 'temp', proc_and_sys_files.text(zone / 'type')
                                         or zone.name,
                                         limit_c(zone)))]
        devices = proc_and_sys_files.each(root, f'{THERMAL}/cooling_device*')
        self.slowers = [made for device in devices
                        if slows(name := proc_and_sys_files.text(device / 'type') or '')
                        and (made := opened(device / 'cur_state', name))]
        self.counters = [made for pattern, who in COUNTERS.items()
                         for path in proc_and_sys_files.each(root, pattern)
                         if counts(path) and (made := opened(path, who))]
        for counter in self.counters:
            counter.before = counter.value()
        self.raspberry = opened(root / RASPBERRY, 'the firmware')

    def read(self) -> Heat:
        """Read everything once."""
        why = [f'{s.name} is at {state}' for s in self.slowers if (state := s.value() or 0) > 0]
        hottest, where = math.nan, ''
        for zone in self.zones:
            milli = zone.value()
            if milli is None or not -40_000 < milli < 200_000:      # switched off, or no sensor
                continue
            if not milli / 1e3 <= hottest:
                hottest, where = milli / 1e3, zone.name
            if milli / 1e3 >= zone.limit:
                why.append(f'{zone.name} is at {milli / 1e3:.0f} of {zone.limit:.0f} degrees C')
        for counter in self.counters:
            now = counter.value()
            if now is not None and counter.before is not None and now > counter.before:
                why.append(f'{counter.name} counted {now - counter.before} more')
            counter.before = now
        if self.raspberry and (bits := self.raspberry.value() or 0) & 0xf:
            said = ', '.join(name for bit, name in BITS.items() if bits >> bit & 1)
            why.append(f'the firmware says {said}')
        warm = (f'{where} is the hottest with {hottest:.0f} degrees C' if where
                else 'no temperature can be read here')
        return Heat(bool(why), hottest, f'slowed down: {"; ".join(why)} ({warm})' if why else warm)

    def close(self) -> None:
        """Close the files."""
        known = [*self.zones, *self.slowers, *self.counters, *filter(None, [self.raspberry])]
        for file in known:
            os.close(file.fd)
        self.zones, self.slowers, self.counters, self.raspberry = [], [], [], None


def thermal(root: Path | str = '/') -> Heat:
    """Read once; counters that would have to grow are not heard this way."""
    thermometer = Thermometer(root)
    try:
        return thermometer.read()
    finally:
        thermometer.close()


def opened(path: Path, name: str, limit: float = math.inf) -> Open | None:
    """Open a file to be read again and again; None where there is none."""
    try:
        return Open(name, os.open(path, os.O_RDONLY | os.O_CLOEXEC), limit)
    except OSError:
        return None


def slows(name: str) -> bool:
    """Tell whether a cooling device of this type lowers clocks."""
    return name.endswith(ALERT) or name.lower().startswith(SLOWING)


def counts(path: Path) -> bool:
    """Tell whether a counter means slower clocks; Jetson says so beside its own."""
    enabled = path.with_name(path.name.replace('event_cnt', 'throt_en'))
    return proc_and_sys_files.number(enabled) != 0


def limit_c(zone: Path) -> float:
    """Return the lowest trip point, in degrees C, at which clocks go down; inf without one.

    A passive trip slows what is bound to it: Jetson's warning of a hot surface slows nothing.
    A disabled trip says -274.
    """
    mine, limits = bound(zone), []
    for path in proc_and_sys_files.each(zone, 'trip_point_*_type'):
        index = path.name.split('_')[2]
        milli = proc_and_sys_files.number(zone / f'trip_point_{index}_temp')
        if proc_and_sys_files.text(path) not in TRIPS or milli is None or milli <= 0:
            continue
        if proc_and_sys_files.text(path) != 'passive' or any(map(slows, mine.get(index, ()))):
            limits.append(milli / 1e3)
    return min(limits, default=math.inf)


def bound(zone: Path) -> dict[str, list[str]]:
    """Return the types of the cooling devices of each trip point, by its number as written."""
    out: dict[str, list[str]] = {}
    for path in proc_and_sys_files.each(zone, 'cdev*_trip_point'):
        device = zone / path.name.removesuffix('_trip_point')
        out.setdefault(proc_and_sys_files.text(path) or '',
                       []).append(proc_and_sys_files.text(device / 'type') or '')
    return out
