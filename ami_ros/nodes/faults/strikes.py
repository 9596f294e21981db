# SPDX-License-Identifier: Apache-2.0
"""
How faults get in and out again, by the word of the table: each strikes, and is taken back.

`prepare` is called before the rover sets off: what takes time must not slow a strike down.
`strike` returns the wall time in nanoseconds from which something is wrong.
"""

import os
import signal
import subprocess
import sys
import time

import numpy as np

from ami_ros.agent.types import Command
from ami_ros.nodes import convert, topics
from ami_ros.nodes.faults.rogue import SIGN
from ami_ros.nodes.faults.stack import Stack

BURN = 'import ctypes; ctypes.CDLL(None).prctl(1, 9)\nwhile True: pass'    # ends with its parent
STALE_S = 10.0          # a hand this old is refused, and the refusal is logged
LOGGED_S = 0.4


class Blow:
    """What all have in common."""

    def __init__(self, stack: Stack, seed: int):
        self.stack, self.observer, self.seed = stack, stack.observer, seed
        self.processes = stack.processes

    def prepare(self) -> None:
        """Make what takes time."""

    def strike(self) -> int:
        """Do harm."""
        raise NotImplementedError

    def restore(self) -> None:
        """Take the cause away."""


class Signal(Blow):
    """A process is killed, or stopped and later continued."""

    def strike(self) -> int:
        """Send the signal."""
        said = self.stack.row.strike
        self.child = self.processes.running[said['at']]
        at_ns = time.time_ns()
        os.kill(self.child.pid, getattr(signal, f'SIG{said["signal"]}'))
        return at_ns

    def restore(self) -> None:
        """Let it go on, if nobody has ended it meanwhile; the dead are started again anyway."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)


class Tampered(Blow):
    """Messages of a topic are withheld or changed."""

    def strike(self) -> int:
        """Order it; it says when the first message was not what it should be."""
        self.observer.order(self.stack.row.strike['how'], self.seed)
        return int(self.observer.tamper['struck_ns'])

    def restore(self) -> None:
        """Order nothing."""
        self.observer.order('none', 0)


class Company(Blow):
    """Somebody else commands the wheels."""

    def prepare(self) -> None:
        """Start it; it waits for a sign, and is no publisher yet."""
        if 'rogue' not in self.processes.running:
            self.processes.start('rogue', {})
            self.observer.wait(lambda: 'rogue' in self.observer.get_node_names(), 'the rogue')

    def strike(self) -> int:
        """Give the sign."""
        at_ns = time.time_ns()
        self.processes.running['rogue'].send_signal(SIGN)
        return at_ns

    def restore(self) -> None:
        """End it."""
        child = self.processes.running.pop('rogue')
        child.kill()
        child.wait()


class Busy(Blow):
    """As many processes as there are cores take all that they get."""

    def strike(self) -> int:
        """Start them."""
        at_ns = time.time_ns()
        self.stack.burning = [subprocess.Popen([sys.executable, '-c', BURN])
                              for _ in range(os.cpu_count() or 1)]
        return at_ns

    def restore(self) -> None:
        """End them."""
        self.stack.calm()


class FullDisk(Blow):
    """No log can be written, and there is something to log."""

    @property
    def pids(self) -> list[int]:
        """Return whose files cannot grow."""
        return [child.pid for child in self.processes.running.values()]

    def prepare(self) -> None:
        """Be ready to say something that is refused and logged."""
        self.hands = self.observer.create_publisher(*topics.HAND.publisher())

    def strike(self) -> int:
        """Fill it, and have the critic refuse a hand again and again, which it logs."""
        at_ns = time.time_ns()
        self.stack.disk.fill(self.pids)
        self.timer = self.observer.create_timer(LOGGED_S, self.say)
        return at_ns

    def say(self) -> None:
        """Say what the critic refuses and logs."""
        stale_ns = time.time_ns() - round(STALE_S * 1e9)
        self.hands.publish(convert.command_message(Command(np.zeros(2), stale_ns)))

    def restore(self) -> None:
        """Make room."""
        self.observer.destroy_timer(self.timer)
        self.observer.destroy_publisher(self.hands)
        self.stack.disk.empty(self.pids)


BY = {'signal': Signal, 'tamper': Tampered, 'rogue': Company, 'busy': Busy, 'disk': FullDisk}
