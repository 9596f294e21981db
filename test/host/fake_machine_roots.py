# SPDX-License-Identifier: Apache-2.0
"""Machines as files: what their kernels show, cut down to what is read here.

The layouts follow public listings of such machines: an Orin Nano with L4T R36 (zones with their
trips and what is bound to them, cv zones that do not answer, hwmon soctherm_oc, nvpmodel), an AGX
Thor with R38, a Raspberry Pi 4 and an x86 board. None was taken on a machine of this project.
"""

from pathlib import Path

THROTTLERS = ['cpufreq-cpu0', 'cpufreq-cpu4', 'devfreq-17000000.gpu', 'pwm-fan',
              'cpu-throttle-alert', 'gpu-throttle-alert', 'hot-surface-alert']
NVPMODEL = """< PARAM TYPE=CLOCK NAME=CPU_A78_0 >
MAX_FREQ /sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq
< POWER_MODEL ID=0 NAME=15W >
CPU_ONLINE CORE_5 1
CPU_A78_0 MAX_FREQ 1510400
GPU MAX_FREQ 612000000
EMC MAX_FREQ 2133000000
< POWER_MODEL ID=1 NAME=25W >
CPU_A78_0 MAX_FREQ 1344000
GPU MAX_FREQ 918000000
EMC MAX_FREQ 3199000000
< POWER_MODEL ID=2 NAME=MAXN_SUPER >
CPU_A78_0 MAX_FREQ -1
GPU MAX_FREQ -1
EMC MAX_FREQ -1
< POWER_MODEL ID=3 NAME=7W >
CPU_ONLINE CORE_5 0
CPU_A78_0 MAX_FREQ 960000
GPU MAX_FREQ 408000000
EMC MAX_FREQ 2133000000
# mandatory section to configure the default mode
< PM_CONFIG DEFAULT=0 >
"""


def put(root: Path, name: str, text) -> Path:
    """Write a file below the root."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{text}\n')
    return path


def zone(root: Path, number: int, kind: str, milli, trips=(), devices=()) -> None:
    """Write a thermal zone; trips are (type, milli), devices are (trip number, device number)."""
    here = f'sys/class/thermal/thermal_zone{number}'
    put(root, f'{here}/type', kind)
    put(root, f'{here}/temp', milli)
    for index, (trip, limit) in enumerate(trips):
        put(root, f'{here}/trip_point_{index}_type', trip)
        put(root, f'{here}/trip_point_{index}_temp', limit)
    for index, (trip, device) in enumerate(devices):
        put(root, f'{here}/cdev{index}_trip_point', trip)
        (root / here / f'cdev{index}').symlink_to(f'../cooling_device{device}')


def cooling(root: Path, kinds: list[str]) -> None:
    """Write cooling devices that cool nothing."""
    for number, kind in enumerate(kinds):
        put(root, f'sys/class/thermal/cooling_device{number}/type', kind)
        put(root, f'sys/class/thermal/cooling_device{number}/cur_state', 0)


def cores(root: Path, count: int, top: int, now: int, governor: str = 'schedutil') -> None:
    """Write the clocks of the cores, in kHz."""
    for core in range(count):
        here = f'sys/devices/system/cpu/cpu{core}/cpufreq'
        put(root, f'{here}/cpuinfo_max_freq', top)
        put(root, f'{here}/scaling_max_freq', now)
        put(root, f'{here}/scaling_min_freq', 115200)
        put(root, f'{here}/scaling_governor', governor)


def common(root: Path, ubuntu: str, codename: str, memory_kb: int) -> None:
    """Write what every Linux has."""
    put(root, 'etc/os-release', f'NAME="Ubuntu"\nVERSION_ID="{ubuntu}"\n'
                                f'VERSION_CODENAME={codename}')
    put(root, 'proc/meminfo', f'MemTotal: {memory_kb} kB\nMemFree: 400000 kB\n'
                              f'MemAvailable: {memory_kb // 2} kB\nSwapTotal: 0 kB\n'
                              'SwapFree: 0 kB')
    put(root, 'proc/swaps', 'Filename Type Size Used Priority')
    put(root, 'proc/sys/vm/swappiness', 60)
    for name, value in {'rmem_max': 212992, 'rmem_default': 212992, 'wmem_max': 212992}.items():
        put(root, f'proc/sys/net/core/{name}', value)
    put(root, 'proc/sys/net/ipv4/ipfrag_time', 30)
    put(root, 'proc/sys/net/ipv4/ipfrag_high_thresh', 4194304)


def orin(root: Path) -> Path:
    """Write a Jetson Orin Nano, JetPack 6.2.1, in its 15 W mode."""
    common(root, '22.04', 'jammy', 7_800_000)
    put(root, 'proc/device-tree/model',
        'NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super\0')
    put(root, 'etc/nv_tegra_release', '# R36 (release), REVISION: 4.7, GCID: 42132812, BOARD: '
                                      'generic, EABI: aarch64, DATE: Thu Sep 18 22:54:44 UTC 2025')
    put(root, 'etc/nvpmodel.conf', NVPMODEL)
    put(root, 'var/lib/nvpmodel/status', 'pmode:0000')
    cores(root, 6, 1728000, 1510400)
    cooling(root, THROTTLERS)
    zone(root, 0, 'cpu-thermal', 51_000,
         [('passive', 99_000), ('critical', 104_500), ('passive', 70_000)],
         [(0, 0), (0, 4), (2, 6)])
    zone(root, 1, 'gpu-thermal', 49_500, [('passive', 99_000)], [(0, 2), (0, 5)])
    zone(root, 2, 'cv0-thermal', '')        # a part that is switched off does not answer
    zone(root, 8, 'tj-thermal', 51_000, [('active', 95_000)], [(0, 3)])
    for counter in (1, 2, 3):
        put(root, f'sys/class/hwmon/hwmon3/oc{counter}_event_cnt', 0)
        put(root, f'sys/class/hwmon/hwmon3/oc{counter}_throt_en', 1)
    put(root, 'proc/swaps', 'Filename Type Size Used Priority\n' + '\n'.join(
        f'/dev/zram{n} partition 650000 0 5' for n in range(6)))
    return root


def thor(root: Path) -> Path:
    """Write a Jetson AGX Thor, JetPack 7.1, unbridled."""
    common(root, '24.04', 'noble', 128_000_000)
    put(root, 'proc/device-tree/model', 'NVIDIA Jetson AGX Thor Developer Kit\0')
    put(root, 'etc/nv_tegra_release', '# R38 (release), REVISION: 4.0, GCID: 43443517, BOARD: '
                                      'generic, EABI: aarch64, DATE: Wed Dec 31 2025')
    put(root, 'etc/nvpmodel.conf', '< POWER_MODEL ID=0 NAME=MAXN >\nGPU MAX_FREQ -1\n'
                                   '< POWER_MODEL ID=1 NAME=120W >\nGPU MAX_FREQ 1386000000\n'
                                   '< PM_CONFIG DEFAULT=1 >')
    put(root, 'var/lib/nvpmodel/status', 'pmode:0000')
    cores(root, 14, 2601000, 2601000)
    cooling(root, ['cpu-throttle-alert', 'gpu-throttle-alert', 'soc012-throttle-alert',
                   'devfreq-gpu-gpc-0', 'cpufreq-cpu0', 'pwm-fan'])
    zone(root, 0, 'cpu-thermal', 44_000, [('passive', 109_000)], [(0, 0), (0, 4)])
    return root


def raspberry(root: Path) -> Path:
    """Write a Raspberry Pi 4."""
    common(root, '24.04', 'noble', 3_900_000)
    put(root, 'proc/device-tree/model', 'Raspberry Pi 4 Model B Rev 1.5\0')
    put(root, 'sys/devices/platform/soc/soc:firmware/get_throttled', '0x0')
    zone(root, 0, 'cpu-thermal', 48_000, [('critical', 110_000)])
    cores(root, 4, 1800000, 1800000, 'ondemand')
    return root


def x86(root: Path) -> Path:
    """Write a small x86 board."""
    common(root, '24.04', 'noble', 16_000_000)
    zone(root, 0, 'x86_pkg_temp', 61_000, [('passive', -274_000), ('passive', 0)])
    zone(root, 1, 'iwlwifi_1', 40_000, [('passive', -274_000)])
    cooling(root, ['Processor', 'Processor', 'Fan', 'TCC Offset', 'intel_powerclamp'])
    put(root, 'sys/class/thermal/cooling_device3/cur_state', 5)     # an offset, no slowing
    put(root, 'sys/class/thermal/cooling_device4/cur_state', -1)    # not at work
    cores(root, 4, 3600000, 3600000, 'powersave')
    for core in range(4):
        put(root, f'sys/devices/system/cpu/cpu{core}/cpufreq/scaling_driver', 'intel_pstate')
        here = f'sys/devices/system/cpu/cpu{core}/thermal_throttle'
        put(root, f'{here}/core_throttle_count', 3)
        put(root, f'{here}/package_throttle_count', 11)
    return root
