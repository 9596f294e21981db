# SPDX-License-Identifier: Apache-2.0
"""Memory, swap, disk, and what pictures pass through: shared memory, buffers of the network."""

import re

from ami_ros.core.findings import Finding, good, UNCHECKED, WARN, WRONG
from ami_ros.host.board_and_os_version import is_jetson
from ami_ros.host.machine_interface import Host

GB, MB = 1e9, 1e6
FREE_GB = (0.5, 1.0)        # memory: below the first the mind does not fit
DISK_GB = (1.0, 10.0)       # below the first logs and recordings fail
RAW_MBPS = 640 * 480 * 3 * 10 / MB      # a recording of raw 640x480 pictures at 10 Hz
SHARED_MB = 256             # /dev/shm; docker gives 64, who publishes pictures takes up to 17
BUFFER_MB = 4               # for sockets; a 640x480 rgb8 picture is 0.92 MB in 15 or more packets
SYSCTL = '/etc/sysctl.d/60-ami-ros.conf'


def meminfo(host: Host) -> dict[str, float]:
    """Return /proc/meminfo in bytes."""
    pairs = re.findall(r'^(\w+):\s+(\d+) kB', host.text('proc/meminfo') or '', re.M)
    return {key: 1024 * float(value) for key, value in pairs}


def memory(host: Host) -> list[Finding]:
    """Check that the mind fits in what is free."""
    said = meminfo(host)
    if 'MemTotal' not in said or 'MemAvailable' not in said:
        return [Finding(UNCHECKED, 'memory: free', '/proc/meminfo does not say')]
    total, free = said['MemTotal'] / GB, said['MemAvailable'] / GB
    measured, wanted = f'{free:.1f} of {total:.1f} GB', f'{FREE_GB[1]:g} GB or more'
    if free < FREE_GB[1]:
        more = ', and boot without a desktop: sudo systemctl set-default multi-user.target'
        return [Finding(WRONG if free < FREE_GB[0] else WARN, 'memory: free', measured, wanted,
                        f'End what else is running{more if is_jetson(host) else ""}.')]
    return [good('memory: free', measured, wanted)]


def swap(host: Host) -> list[Finding]:
    """Check that the mind does not wait for a disk."""
    lines = [line.split() for line in (host.text('proc/swaps') or '').splitlines()[1:]]
    devices = [(line[0], 1024 * int(line[2]), 1024 * int(line[3])) for line in lines
               if len(line) >= 4 and line[2].isdigit()]
    if not devices:
        return [good('memory: swap', 'none')]
    zram = all('zram' in name for name, _, _ in devices)
    used, size = sum(d[2] for d in devices) / GB, sum(d[1] for d in devices) / GB
    measured = (f'{used:.1f} of {size:.1f} GB in use, '
                + ('compressed memory (zram)' if zram else ', '.join(d[0] for d in devices)))
    if used > 0.1 * size:
        return [Finding(WARN, 'memory: swap', measured, 'hardly any in use',
                        'End what else is running, then sudo swapoff -a && sudo swapon -a.')]
    if not zram and any(name.startswith('/dev/mmcblk') for name, _, _ in devices):
        return [Finding(WARN, 'memory: swap', measured, 'none on a memory card',
                        'Move it to an SSD: a card stalls the planner for tenths of a second.')]
    return [good('memory: swap', measured)]


def disk(host: Host) -> list[Finding]:
    """Check that logs and recordings have room."""
    findings = []
    for where in ('', 'home', 'var/log'):
        usage = host.room(where)
        if usage is None or (where and usage == host.room('')):     # the same file system
            continue
        total, free = usage[0] / GB, usage[1] / GB
        measured = (f'{free:.0f} of {total:.0f} GB free, {free * 1e3 / RAW_MBPS / 3600:.1f} h of '
                    'raw 640x480 images at 10 Hz')
        what = f'disk: /{where}'
        if free < DISK_GB[1]:
            findings.append(Finding(
                WRONG if free < DISK_GB[0] else WARN, what, measured, f'{DISK_GB[1]:g} GB or more',
                'Delete old recordings, and cap the journal: sudo journalctl --vacuum-size=200M.'))
        else:
            findings.append(good(what, measured))
    return findings or [Finding(UNCHECKED, 'disk: /', 'no file system answers')]


def shared_memory(host: Host) -> list[Finding]:
    """Check that pictures fit in the memory that DDS shares between processes."""
    what, usage = 'network: /dev/shm', host.room('dev/shm')
    if usage is None or not (host.root / 'dev/shm').is_dir():
        return [Finding(UNCHECKED, what, 'there is none')]
    measured = f'{usage[1] / MB:.0f} of {usage[0] / MB:.0f} MB free'
    if usage[1] / MB < SHARED_MB:
        return [Finding(WARN, what, measured, f'{SHARED_MB} MB or more',
                        'In docker: --shm-size=512m, or --ipc=host so that host and container '
                        'share it; what ended nodes left there goes with fastdds shm clean.')]
    return [good(what, measured, f'{SHARED_MB} MB or more')]


def buffers(host: Host) -> list[Finding]:
    """Check that pictures from other machines survive the way through the kernel."""
    what, core = 'network: buffers', 'proc/sys/net/core/rmem_max'
    most = host.number(core)
    if most is None:
        return [Finding(UNCHECKED, what, f'/{core} does not say')]
    wait = host.number('proc/sys/net/ipv4/ipfrag_time')
    high = host.number('proc/sys/net/ipv4/ipfrag_high_thresh')
    measured, wanted = f'net.core.rmem_max = {most / MB:.1f} MB', f'{BUFFER_MB} MB or more'
    lines = ['net.core.rmem_max=16777216'] * (most < BUFFER_MB * MB)
    if wait is not None and wait > 5 and (high or 0) < 64 * MB:
        lines += ['net.ipv4.ipfrag_time=3', 'net.ipv4.ipfrag_high_thresh=134217728']
    if most < BUFFER_MB * MB:
        return [Finding(WARN, what, measured, wanted,
                        f'Where images cross a network, write {", ".join(lines)} to {SYSCTL}, '
                        'then sudo sysctl --system.')]
    return [good(what, measured, wanted)]
