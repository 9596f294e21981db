# SPDX-License-Identifier: Apache-2.0
"""The checks of a machine: each with what is well and with what is not, on fake roots."""

import ctypes
from dataclasses import replace
import json
import os
import platform
import threading

from ami_ros.cli import main as cli
from ami_ros.core.findings import OK, status, UNCHECKED, WARN, WRONG
from ami_ros.host import (
    board_and_os_version,
    clock_sync,
    memory_and_disk,
    power,
    realtime_priority,
)
from ami_ros.host.all_checks import CHECKS, inspect
from ami_ros.host.machine_interface import Host, host
from fake_machine_roots import orin, put, raspberry, thor, x86
import pytest

LOCKED = """SOC family:tegra234  Machine:NVIDIA Jetson Orin Nano
Online CPUs: 0-5
cpu0: Online=1 Governor=schedutil MinFreq=1728000 MaxFreq=1728000 CurrentFreq=1728000
GPU MinFreq=1020000000 MaxFreq=1020000000 CurrentFreq=1020000000
EMC MinFreq=204000000 MaxFreq=3199000000 CurrentFreq=3199000000 FreqOverride=1
NV Power Mode: MAXN_SUPER
"""
TRACKING = """Reference ID    : CB00710F (ntp1.example.net)
Stratum         : 3
Ref time (UTC)  : Thu Nov 05 10:11:12 2026
System time     : 0.000012345 seconds slow of NTP time
Last offset     : -0.000004321 seconds
Leap status     : Normal
"""
UNSYNCED = TRACKING.replace('Stratum         : 3', 'Stratum         : 0').replace(
    'Normal', 'Not synchronised')


def live(root, **answers) -> Host:
    """Let a folder answer commands as well, by their first word."""
    return Host(root, ask=lambda command: answers.get(command.split()[0]),
                python=(3, 12), rtprio=0, package={'onnxruntime': '1.31.1', 'opencv': '4.6',
                                                   'rclpy': '7.1.5'}.get)


def levels(findings):
    return [f.level for f in findings]


@pytest.mark.parametrize('make, wrong', [(orin, 0), (thor, 0), (raspberry, 0), (x86, 0)])
def test_every_check_looks_at_every_machine(tmp_path, make, wrong):
    found = inspect(host(make(tmp_path)))
    assert status(found) == wrong
    assert all(f.fix for f in found if f.level in (WARN, WRONG))
    assert len({f.what for f in found}) == len(found) >= 10


def test_an_empty_folder_answers_nothing_and_a_missing_one_is_refused(tmp_path):
    found = inspect(host(tmp_path))
    assert not {WARN, WRONG} & set(levels(found)), found
    with pytest.raises(ValueError, match='is not a folder; --root wants'):
        host(tmp_path / 'none')


def test_this_very_machine_is_looked_at_without_a_crash():
    here = host('/')
    assert here.answers and here.python and here.rtprio is not None
    assert {f.what.split(':')[0] for f in inspect(here)} >= {'memory', 'disk', 'software'}
    assert len(CHECKS) == 15


def test_the_verb_prints_a_page_writes_a_report_and_leaves_with_a_status(tmp_path, capsys):
    report = tmp_path / 'report.json'
    assert cli.main(['host', '--root', str(orin(tmp_path)), '--json', str(report)]) == 0
    page = capsys.readouterr().out
    assert page.startswith('NVIDIA Jetson Orin Nano')
    assert 'L4T R36.4.7 (JetPack 6)' in ' '.join(page.split())
    assert '\nFirst: sudo nvpmodel -m 2' in page
    said = json.loads(report.read_text())
    assert said['good'] and said['host'].startswith('NVIDIA Jetson Orin Nano')
    put(tmp_path, board_and_os_version.RELEASE, '# R32 (release), REVISION: 7.1, GCID: 1')
    assert cli.main(['host', '--root', str(tmp_path)]) == 1
    assert cli.main(['host', '--root', str(tmp_path / 'none')]) == 1
    assert capsys.readouterr().err.startswith('ami-ros host: ')


@pytest.mark.parametrize('release, level, said', [
    ('# R36 (release), REVISION: 4.7, GCID: 1', OK, 'L4T R36.4.7 = JetPack 6, Ubuntu 22.04'),
    ('# R38 (release), REVISION: 2.0, GCID: 1', OK, 'L4T R38.2.0 = JetPack 7, Ubuntu 24.04'),
    ('# R39 (release), REVISION: 2.0, GCID: 1', OK, 'L4T R39.2.0 = JetPack 7, Ubuntu 24.04'),
    ('# R35 (release), REVISION: 5.0, GCID: 1', WRONG, 'Python 3.8'),
    ('# R32 (release), REVISION: 7.1, GCID: 1', WRONG, 'unknown here'),
    ('# R41 (release), REVISION: 0.0, GCID: 1', WARN, 'unknown here'),
    ('gibberish', UNCHECKED, 'not there or not readable')])
def test_the_jetpack_is_read_from_the_release(tmp_path, release, level, said):
    put(tmp_path, board_and_os_version.RELEASE, release)
    found = board_and_os_version.jetpack(Host(tmp_path))[0]
    assert found.level == level and said in found.measured


def test_a_container_of_another_ubuntu_is_named(tmp_path):
    put(thor(tmp_path), 'etc/os-release', 'VERSION_ID="22.04"')
    assert [f.what for f in board_and_os_version.jetpack(Host(tmp_path))
            if f.level == WARN] == ['board: Ubuntu']
    assert board_and_os_version.jetpack(Host(x86(tmp_path / 'pc'))) == []


def test_power_modes_are_ranked_by_what_they_let_run(tmp_path):
    found, = power.power_mode(Host(orin(tmp_path)))
    assert (found.level, found.measured, found.wanted) == (WARN, '15W (0)', 'MAXN_SUPER (2)')
    assert 'sudo nvpmodel -m 2' in found.fix
    modes = power.modes((tmp_path / power.CATALOGUE).read_text())
    assert [m.name for m in sorted(modes.values(), key=power.PowerMode.rank)] == [
        '7W', '15W', '25W', 'MAXN_SUPER']
    put(tmp_path, power.STATUS, 'pmode:0002')
    assert levels(power.power_mode(Host(tmp_path))) == [OK]
    put(tmp_path, power.STATUS, 'pmode:0007')
    assert 'does not know' in power.power_mode(Host(tmp_path))[0].measured


def test_nvpmodel_is_believed_over_what_it_wrote(tmp_path):
    said = 'NVPM WARN: fan mode is not set!\nNV Power Mode: MAXN_SUPER\n2\n'
    assert levels(power.power_mode(live(orin(tmp_path), nvpmodel=said))) == [OK]
    assert power.power_mode(live(x86(tmp_path / 'pc'))) == []


@pytest.mark.parametrize('make, change, level', [
    (orin, {}, WARN),                                               # they follow the load
    (orin, {'scaling_min_freq': 1510400}, OK),
    (x86, {}, OK),                                                  # intel_pstate follows, too
    (x86, {'scaling_driver': 'acpi-cpufreq'}, WARN),
    (x86, {'scaling_max_freq': 1200000}, WARN),
    (raspberry, {}, OK),
    (raspberry, {'scaling_governor': 'powersave'}, WARN)])
def test_clocks(tmp_path, make, change, level):
    make(tmp_path)
    for name, value in change.items():
        for core in tmp_path.glob(power.CORES):
            (core / name).write_text(f'{value}\n')
    found, = power.clocks(Host(tmp_path))
    assert found.level == level, found


@pytest.mark.parametrize('shown, level', [
    (LOCKED, OK), (LOCKED.replace('GPU MinFreq=102', 'GPU MinFreq=3'), WARN),
    (LOCKED.replace('FreqOverride=1', 'FreqOverride=0'), WARN)])
def test_gpu_and_memory_count_where_root_asks(tmp_path, shown, level):
    for core in orin(tmp_path).glob(power.CORES):
        (core / 'scaling_min_freq').write_text('1510400\n')
    assert levels(power.clocks(live(tmp_path, jetson_clocks=shown))) == [level]


def test_heat_now_and_since_the_start(tmp_path):
    assert levels(power.heat(Host(orin(tmp_path)))) == [OK]
    put(tmp_path, 'sys/class/thermal/cooling_device4/cur_state', 1)
    put(tmp_path, 'sys/class/hwmon/hwmon3/oc3_event_cnt', 37)
    now, current = power.heat(Host(tmp_path))
    assert now.level == WARN and 'cpu-throttle-alert' in now.measured
    assert current.measured == '37 events of oc3'
    counted = power.heat(Host(x86(tmp_path / 'pc')))[1]
    assert counted.level == WARN and '3 times' in counted.measured
    put(raspberry(tmp_path / 'pi'), 'sys/devices/platform/soc/soc:firmware/get_throttled',
        '0x50000')
    assert power.heat(Host(tmp_path / 'pi'))[1].measured == (
        'the firmware saw under-voltage, throttling')


@pytest.mark.parametrize('free_kb, level', [(2_000_000, OK), (700_000, WARN), (300_000, WRONG)])
def test_memory(tmp_path, free_kb, level):
    put(tmp_path, 'proc/meminfo', f'MemTotal: 4000000 kB\nMemAvailable: {free_kb} kB')
    assert levels(memory_and_disk.memory(Host(tmp_path))) == [level]


@pytest.mark.parametrize('lines, level', [
    ('', OK), ('/dev/zram0 partition 600000 1000 5', OK),
    ('/dev/zram0 partition 600000 300000 5', WARN),
    ('/dev/nvme0n1p2 partition 8000000 0 -2', OK),
    ('/dev/mmcblk0p3 partition 8000000 0 -2', WARN)])
def test_swap(tmp_path, lines, level):
    put(tmp_path, 'proc/swaps', f'Filename Type Size Used Priority\n{lines}')
    assert levels(memory_and_disk.swap(Host(tmp_path))) == [level]


@pytest.mark.parametrize('free_gb, level', [(200, OK), (5, WARN), (0.5, WRONG)])
def test_disk_says_how_long_a_recording_may_be(free_gb, level):
    found, = memory_and_disk.disk(Host(room=lambda where: (256e9, 1e9 * free_gb) if not where
                                       else None))
    assert found.level == level
    assert f'{free_gb * 1e9 / (640 * 480 * 30) / 3600:.1f} h' in found.measured


def test_disk_names_each_file_system_once():
    sizes = {'': (2e11, 1e11), 'home': (1e12, 4e9), 'var/log': (2e11, 1e11)}
    assert [f.what for f in memory_and_disk.disk(Host(room=sizes.get))] == ['disk: /',
                                                                            'disk: /home']


@pytest.mark.parametrize('free, level', [(1e9, OK), (60e6, WARN)])
def test_shared_memory(tmp_path, free, level):
    (tmp_path / 'dev/shm').mkdir(parents=True)
    assert levels(memory_and_disk.shared_memory(Host(tmp_path,
                                                     room=lambda _: (2e9, free)))) == [level]


def test_buffers_of_the_network(tmp_path):
    found, = memory_and_disk.buffers(Host(orin(tmp_path)))
    assert found.level == WARN and 'net.ipv4.ipfrag_time=3' in found.fix
    put(tmp_path, 'proc/sys/net/core/rmem_max', 16777216)
    assert levels(memory_and_disk.buffers(Host(tmp_path))) == [OK]


def test_chrony_is_read():
    seen = clock_sync.tracking(TRACKING)
    assert (seen.reference, seen.stratum) == ('ntp1.example.net', 3) and seen.synchronised
    assert seen.offset_s == pytest.approx(-12.345e-6)
    assert clock_sync.tracking(TRACKING.replace('slow',
                                                'fast')).offset_s == pytest.approx(12.345e-6)
    assert not clock_sync.tracking(UNSYNCED).synchronised
    itself = TRACKING.replace('CB00710F (ntp1.example.net)', '7F7F0101 ()')
    assert not clock_sync.tracking(itself).synchronised
    assert clock_sync.tracking('506 Cannot talk to daemon\n') is None


@pytest.mark.parametrize('answers, level, said', [
    ({'chronyc': TRACKING}, OK, '-0.012 ms (chrony, ntp1.example.net, stratum 3)'),
    ({'chronyc': TRACKING.replace('0.000012345', '0.512')}, WARN, '-512'),
    ({'chronyc': UNSYNCED}, WARN, 'no: chrony'),
    ({'timedatectl': 'NTP=yes\nNTPSynchronized=yes\n'}, OK, 'yes, says timedatectl'),
    ({'timedatectl': 'NTP=yes\nNTPSynchronized=no\n'}, WARN, 'no, says timedatectl'),
    ({}, WARN, 'nobody keeps this clock')])
def test_the_clock(tmp_path, answers, level, said):
    found, = clock_sync.clock(live(tmp_path, **answers))
    assert found.level == level and said in found.measured


def test_the_clock_of_a_folder_is_judged_by_its_files(tmp_path):
    assert levels(clock_sync.clock(Host(tmp_path))) == [UNCHECKED]
    put(tmp_path, clock_sync.SYNCHRONIZED, '')
    assert levels(clock_sync.clock(Host(tmp_path))) == [OK]


@pytest.mark.parametrize('line, mine, level', [
    ('', 0, WARN), ('', 49, WARN), ('', 50, OK), ('', -1, OK), ('', None, UNCHECKED),
    ('@ami - rtprio 98', None, OK), ('robot - rtprio unlimited', None, OK),
    ('# robot - rtprio 98', None, UNCHECKED), ('robot - rtprio 98', 0, WARN)])
def test_the_right_to_a_real_time_priority(tmp_path, line, mine, level):
    put(tmp_path, realtime_priority.LIMITS, line)
    assert levels(realtime_priority.real_time(Host(tmp_path, rtprio=mine))) == [level]


def test_a_priority_is_taken_or_the_reason_is_said(monkeypatch):
    asked = []
    monkeypatch.setattr('os.sched_setscheduler', lambda *said: asked.append(said))
    assert realtime_priority.take_priority(40) == ''
    who, policy, parameters = asked[0]
    assert (who, parameters.sched_priority) == (0, 40)
    assert policy == os.SCHED_FIFO | os.SCHED_RESET_ON_FORK

    def refuse(*_):
        raise PermissionError(1, 'Operation not permitted')
    monkeypatch.setattr('os.sched_setscheduler', refuse)
    assert 'Operation not permitted; run ami-ros host' in realtime_priority.take_priority()


def test_a_priority_is_passed_on_to_the_threads_that_came_later(monkeypatch):
    """Else one of them holds a lock, is held up, and holds up who has the priority."""
    given, ended = {}, threading.Event()
    thread = threading.Thread(target=ended.wait, daemon=True)
    thread.start()
    monkeypatch.setattr(os, 'sched_setscheduler', lambda of, kind, param: given.update(
        {of: (kind, param.sched_priority)}))
    realtime_priority.pass_on()
    assert given == {}                          # it has none itself
    monkeypatch.setattr(os, 'sched_getscheduler',
                        lambda of: os.SCHED_FIFO | os.SCHED_RESET_ON_FORK)
    realtime_priority.pass_on()
    ended.set()
    assert given[thread.native_id] == (os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, 39)
    assert threading.get_native_id() not in given


def slice_ns(thread):
    """Ask the kernel: sched_getattr(2)."""
    number = {'x86_64': 315, 'aarch64': 275}[platform.machine()]
    said = realtime_priority.Scheduling()
    size = ctypes.sizeof(said)
    assert ctypes.CDLL(None, use_errno=True).syscall(
        number, thread, ctypes.byref(said), size, 0) == 0
    return said.policy, said.nice, said.runtime_ns


@pytest.mark.skipif(platform.machine() not in realtime_priority.SCHED_SETATTR,
                    reason='not known here')
def test_short_turns_need_no_right_and_leave_the_rest_as_it_was():
    ended = threading.Event()
    threads = [threading.Thread(target=ended.wait, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    one, other = (slice_ns(thread.native_id) for thread in threads)
    assert realtime_priority.take_short_turns(threads[0].native_id) == ''
    known = slice_ns(threads[0].native_id)
    assert known[:2] == one[:2] and slice_ns(threads[1].native_id) == other
    if tuple(map(int, platform.release().split('.')[:2])) >= (6, 12):
        assert known[2] == realtime_priority.SHORT_NS != other[2]
    realtime_priority.pass_on()                        # who has no priority passes on short turns
    assert slice_ns(threads[1].native_id) == known
    ended.set()
    assert 'No such process' in realtime_priority.take_short_turns(2**22 + 1)


def test_on_another_processor_it_is_said(monkeypatch):
    monkeypatch.setattr(platform, 'machine', lambda: 'riscv64')
    assert realtime_priority.take_short_turns() == 'short time slices are not supported on riscv64'


def test_logging_out_must_not_take_shared_memory(tmp_path):
    assert realtime_priority.logout(Host(tmp_path)) == []
    put(tmp_path, 'etc/systemd/logind.conf', '[Login]\n#RemoveIPC=no')
    assert levels(realtime_priority.logout(Host(tmp_path))) == [WARN]
    lingers = put(tmp_path, 'var/lib/systemd/linger/robot', '')
    assert levels(realtime_priority.logout(Host(tmp_path))) == [OK]
    lingers.unlink()
    put(tmp_path, 'etc/systemd/logind.conf.d/ipc.conf', '[Login]\nRemoveIPC=no')
    assert levels(realtime_priority.logout(Host(tmp_path))) == [OK]


@pytest.mark.parametrize('distro, ubuntu, level', [
    ('jazzy', '24.04', OK), ('kilted', '24.04', OK), ('humble', '22.04', WARN),
    ('jazzy', '22.04', WARN), ('humble', '24.04', WARN)])
def test_the_ros_fits_the_ubuntu(tmp_path, distro, ubuntu, level):
    put(tmp_path, 'etc/os-release', f'VERSION_ID="{ubuntu}"')
    here = replace(live(tmp_path), environment={'ROS_DISTRO': distro})
    assert levels(board_and_os_version.ros(here)) == [level]


def test_a_ros_that_is_not_there_or_not_sourced(tmp_path):
    put(tmp_path, 'etc/os-release', 'VERSION_ID="24.04"')
    here = replace(live(tmp_path), package=lambda _: None)
    found, = board_and_os_version.ros(here)
    assert found.level == WRONG and found.fix == 'sudo apt install ros-jazzy-ros-base'
    put(tmp_path, 'opt/ros/jazzy/setup.bash', '')
    found, = board_and_os_version.ros(here)
    assert found.level == WARN and found.fix == 'source /opt/ros/jazzy/setup.bash'


def test_python_and_what_drives_on_it(tmp_path):
    here = live(tmp_path)
    assert levels([*board_and_os_version.python(here),
                   *board_and_os_version.packages(here)]) == [OK] * 4
    bare = replace(here, python=(3, 8), package=lambda _: None)
    assert levels([*board_and_os_version.python(bare),
                   *board_and_os_version.packages(bare)]) == [WRONG, WRONG, WRONG, OK]
