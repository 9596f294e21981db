# SPDX-License-Identifier: Apache-2.0
"""What the user of a robot may: a real-time priority, memory that outlives a logout."""

from contextlib import suppress
import ctypes
import os
import platform
import threading

from ami_ros.core.findings import Finding, good, UNCHECKED, WARN
from ami_ros.host.machine_interface import Host

LIMITS = 'etc/security/limits.d/60-ami-ros.conf'
PRIORITY = 50           # enough for any priority below the kernel's own interrupt threads
FIX = (f'echo "$USER - rtprio {PRIORITY}" | sudo tee /{LIMITS}, and log in again; the service of '
       'config/systemd has it already.')

SHORT_NS = 100_000      # the shortest turn that the kernel lets anybody ask for
SCHED_SETATTR = {'x86_64': 314, 'aarch64': 274}     # the system call; Python has no name for it


class Scheduling(ctypes.Structure):
    """What sched_setattr(2) is given."""

    _fields_ = [('size', ctypes.c_uint32), ('policy', ctypes.c_uint32), ('flags', ctypes.c_uint64),
                ('nice', ctypes.c_int32), ('priority', ctypes.c_uint32),
                *((name, ctypes.c_uint64) for name in ('runtime_ns', 'deadline_ns', 'period_ns'))]


def take_short_turns(thread: int = 0) -> str:
    """Ask for short turns that come soon, which needs no right; return why not, or ''.

    From Linux 6.12 on an ordinary thread that asks for less at a time waits for less. Older
    kernels take the wish and do nothing. `thread`: its native id; 0 is who calls. Its nice value
    and its share of the processor stay.
    """
    number = SCHED_SETATTR.get(platform.machine())
    if number is None:
        return f'short time slices are not supported on {platform.machine()}'
    try:
        nice = os.getpriority(os.PRIO_PROCESS, thread)
    except OSError as why:      # it has ended meanwhile
        return str(why.strerror)
    wish = Scheduling(ctypes.sizeof(Scheduling), os.SCHED_OTHER, nice=nice, runtime_ns=SHORT_NS)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, thread, ctypes.byref(wish), 0):
        return os.strerror(ctypes.get_errno())
    return ''


def take_priority(priority: int = PRIORITY - 10) -> str:
    """Let nobody without one hold up the thread that calls this; return why not, or ''.

    Threads and processes that it starts later are ordinary again, until `pass_on`.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK,
                              os.sched_param(priority))
    except OSError as why:
        return f'real-time priority {priority} is not permitted: {why.strerror}; run ami-ros host'
    return ''


def pass_on(priority: int = PRIORITY - 11) -> None:
    """Give the other threads of this process a real-time priority, too, where it has one.

    Those of the middleware, which hold locks that everybody waits for, bring the messages. Where
    it has none they get short turns.
    """
    first = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
    for thread in map(int, os.listdir('/proc/self/task')):
        if thread == threading.get_native_id():
            continue
        with suppress(OSError):         # likewise
            if first:
                os.sched_setscheduler(thread, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK,
                                      os.sched_param(priority))
            elif os.sched_getscheduler(thread) == os.SCHED_OTHER:
                take_short_turns(thread)


def logout(host: Host) -> list[Finding]:
    """Check that shared memory of a service stays when its user logs out: logind.conf(5)."""
    what, wanted = 'rights: logging out', 'keeps shared memory'
    said = None
    for path in [*host.each('etc/systemd/logind.conf'),
                 *host.each('etc/systemd/logind.conf.d/*.conf')]:
        for line in (host.text(str(path.relative_to(host.root))) or '').splitlines():
            key, _, value = line.partition('=')
            said = value.strip().lower() if key.strip() == 'RemoveIPC' else said
    if said in ('no', 'false', '0', 'off'):
        return [good(what, 'RemoveIPC=no', wanted)]
    lingering = [path.name for path in host.each('var/lib/systemd/linger/*')]
    if lingering:
        return [good(what, f'{", ".join(lingering)} lingers', wanted)]
    if not host.each('etc/systemd/logind.conf') and not host.each('run/systemd/system'):
        return []               # no systemd, nobody removes anything
    return [Finding(WARN, what, 'takes the shared memory of DDS from a service of the same user',
                    wanted, 'sudo loginctl enable-linger USER, for the user of the service.')]


def granted(host: Host) -> int:
    """Return the highest rtprio that any line of limits.conf or limits.d grants to anybody."""
    most = 0
    for path in [*host.each('etc/security/limits.conf'), *host.each('etc/security/limits.d/*')]:
        for line in (host.text(str(path.relative_to(host.root))) or '').splitlines():
            words = line.split('#')[0].split()
            if len(words) == 4 and words[2] == 'rtprio':
                most = max(most, 99 if words[3] == 'unlimited' else
                           int(words[3]) if words[3].isdigit() else 0)
    return most


def real_time(host: Host) -> list[Finding]:
    """Check the limit of this process, or what the files grant."""
    what, wanted = 'rights: real-time priority', f'{PRIORITY} or more'
    on_file = granted(host)
    if host.rtprio is None:
        if on_file >= PRIORITY:
            return [good(what, f'{on_file} granted in /etc/security', wanted)]
        return [Finding(UNCHECKED, what, f'{on_file} granted in /etc/security', wanted, FIX)]
    mine = 99 if host.rtprio < 0 else host.rtprio       # -1 is without limit
    if mine >= PRIORITY:
        return [good(what, str(mine), wanted)]
    if on_file >= PRIORITY:
        return [Finding(WARN, what, f'{mine} here, though /etc/security grants {on_file}', wanted,
                        'Log out and in again, and see whose name or group the line has.')]
    return [Finding(WARN, what, str(mine), wanted, FIX)]
