# SPDX-License-Identifier: Apache-2.0
"""Power mode, clocks, heat: how fast the processors may go, and whether they do."""

from dataclasses import dataclass, field
import math
import re

from ami_ros.core.findings import Finding, good, UNCHECKED, WARN
from ami_ros.host.board_and_os_version import is_jetson
from ami_ros.host.machine_interface import Host
from ami_ros.host.thermal_throttling import RASPBERRY, Thermometer

STATUS, CATALOGUE = 'var/lib/nvpmodel/status', 'etc/nvpmodel.conf'
CORES = 'sys/devices/system/cpu/cpu[0-9]*/cpufreq'
SLOW_GOVERNORS = ('powersave', 'conservative')
ACTIVE_DRIVERS = ('intel_pstate', 'amd-pstate-epp')     # there, powersave follows the load
OCCURRED = {16: 'under-voltage', 17: 'a capped clock', 18: 'throttling',
            19: 'the soft temperature limit'}


@dataclass
class PowerMode:
    """A power mode of nvpmodel; what it does not cap is infinite."""

    number: int
    name: str
    caps: dict[str, float] = field(default_factory=dict)    # 'EMC MAX_FREQ': Hz; cores as 0 or 1

    def rank(self) -> tuple[float, ...]:
        """Order modes by what they let run: memory, GPU, cores that are on, their clock.

        Names and numbers say nothing of it: an Orin Nano has 15W = 0, MAXN_SUPER = 2, 7W = 3.
        """
        def most(*names: str) -> float:
            caps = [c for k, c in self.caps.items() if k.startswith(names) and 'MAX_FREQ' in k]
            return max(caps, default=math.inf)
        off = sum(1 for k, c in self.caps.items() if k.startswith('CPU_ONLINE') and c == 0)
        return most('EMC'), most('GPU'), -off, most('CPU')


def modes(catalogue: str) -> dict[int, PowerMode]:
    """Read /etc/nvpmodel.conf; -1 says that nothing is capped."""
    found: dict[int, PowerMode] = {}
    mode = None
    for line in catalogue.splitlines():
        if head := re.match(r'<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>', line):
            mode = found[int(head[1])] = PowerMode(int(head[1]), head[2])
        elif line.startswith('<'):
            mode = None
        elif mode and (cap := re.match(r'(\S+)\s+(\S+)\s+(-?\d+)\s*$', line)):
            value = float(cap[3])
            mode.caps[f'{cap[1]} {cap[2]}'] = math.inf if value < 0 else value
    return found


def current_mode(host: Host) -> int | None:
    """Return the number of the power mode: as nvpmodel says, else as it wrote last."""
    said = re.search(r'^NV Power Mode:.*\n\s*(\d+)\s*$', host.ask('nvpmodel -q') or '', re.M)
    said = said or re.match(r'pmode:0*(\d+)', host.text(STATUS) or '')
    return int(said[1]) if said else None


def power_mode(host: Host) -> list[Finding]:
    """Check that a Jetson is in the mode that lets it run fastest."""
    if not is_jetson(host):
        return []
    what, known, now = 'power: mode', modes(host.text(CATALOGUE) or ''), current_mode(host)
    if not known or now is None:
        return [Finding(UNCHECKED, what, f'neither nvpmodel nor /{STATUS} and /{CATALOGUE} say it',
                        fix='sudo nvpmodel -q')]
    best = max(known.values(), key=PowerMode.rank)
    if now not in known:
        return [Finding(WARN, what, f'{now}, which /{CATALOGUE} does not know',
                        ', '.join(f'{m.number} {m.name}' for m in known.values()),
                        f'sudo nvpmodel -m {best.number}')]
    if known[now].rank() < best.rank():
        return [Finding(WARN, what, f'{known[now].name} ({now})', f'{best.name} ({best.number})',
                        f'sudo nvpmodel -m {best.number}, which stays after a restart; leave it '
                        'where battery or cooling ask for less, and then measure there.')]
    return [good(what, f'{known[now].name} ({now}), the fastest')]


def clocks(host: Host) -> list[Finding]:
    """Check governors and caps of the cores; on a Jetson, whether clocks are held."""
    cores = host.each(CORES)
    if not cores:
        return [Finding(UNCHECKED, 'power: clocks', 'the cores show no cpufreq',
                        fix='On a virtual machine the host decides.')]
    read = {name: [host.number(str(core.relative_to(host.root) / name)) or 0 for core in cores]
            for name in ('cpuinfo_max_freq', 'scaling_max_freq', 'scaling_min_freq')}
    governors = {host.text(str(core.relative_to(host.root) / 'scaling_governor')) or '?'
                 for core in cores}
    drivers = {host.text(str(core.relative_to(host.root) / 'scaling_driver')) or ''
               for core in cores}
    top, cap = max(read['cpuinfo_max_freq']), max(read['scaling_max_freq'])
    held = read['scaling_min_freq'] == read['scaling_max_freq']
    said = (f'{len(cores)} cores up to {cap / 1e3:.0f} of {top / 1e3:.0f} MHz, governor '
            f'{", ".join(sorted(governors))}{", held" if held else ""}')
    if not held and governors & set(SLOW_GOVERNORS) and not drivers <= set(ACTIVE_DRIVERS):
        return [Finding(WARN, 'power: clocks', said, 'schedutil or performance',
                        'sudo cpupower frequency-set -g schedutil')]
    if is_jetson(host) and not clocks_held(host, held):
        return [Finding(WARN, 'power: clocks', said, 'held at their top',
                        'sudo jetson_clocks, after each start and each change of the power mode; '
                        'else the first plan after a rest comes late.')]
    if cap < top and not is_jetson(host):
        return [Finding(WARN, 'power: clocks', said, f'{top / 1e3:.0f} MHz',
                        f'sudo cpupower frequency-set -u {top}')]
    return [good('power: clocks', said)]


def clocks_held(host: Host, cores_held: bool) -> bool:
    """Tell whether jetson_clocks holds cores and, where root asks, GPU and memory."""
    shown = host.ask('jetson_clocks --show') or ''
    gpu = re.search(r'^GPU MinFreq=(\d+) MaxFreq=(\d+)', shown, re.M)
    memory = re.search(r'^EMC .*FreqOverride=(\d)', shown, re.M)
    return (cores_held and (gpu is None or gpu[1] == gpu[2])
            and (memory is None or memory[1] == '1'))


def heat(host: Host) -> list[Finding]:
    """Check that nothing slows the processors down now, or did since the start."""
    thermometer = Thermometer(host.root)
    now = thermometer.read()
    thermometer.close()
    what = 'heat: now'
    if now.throttled:
        findings = [Finding(WARN, what, now.text, 'nothing slows the processors down',
                            'Give it air or a larger supply, or a lower power mode; a plan that '
                            'comes late stops the robot.')]
    elif math.isnan(now.hottest_c):
        findings = [Finding(UNCHECKED, what, now.text)]
    else:
        findings = [good(what, now.text)]
    return [*findings, *since_start(host)]


def since_start(host: Host) -> list[Finding]:
    """Check the counters of what slowed the processors down since the machine started."""
    what, findings = 'heat: since the start', []
    for path in host.each('sys/class/hwmon/hwmon*/oc*_event_cnt'):
        count = host.number(str(path.relative_to(host.root)))
        if count:
            findings.append(Finding(
                WARN, 'power: over-current', f'{count} events of {path.name[:3]}', '0',
                'Use a larger supply or a thicker cable, or a lower power mode: sudo nvpmodel -m '
                'N; each event slows the clocks for a moment.'))
    counts = [host.number(str(path.relative_to(host.root))) or 0 for path in
              host.each('sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count')]
    if any(counts):
        findings.append(Finding(WARN, what, f'a core was slowed down {max(counts)} times', '0',
                                'Give the processor more air.'))
    bits = host.number(RASPBERRY) or 0
    occurred = [name for bit, name in OCCURRED.items() if bits >> bit & 1]
    if occurred:
        findings.append(Finding(WARN, what, f'the firmware saw {", ".join(occurred)}', 'nothing',
                                'Use a supply of 5.1 V with enough current, and cool the chip.'))
    return findings
