# SPDX-License-Identifier: Apache-2.0
"""
How faults get in and out again, by the word of the table: each strikes, and is taken back.

`prepare` is called before the rover sets off: what takes time must not slow a strike down.
`strike` returns the wall time in nanoseconds from which something is wrong.
"""

from dataclasses import replace
import os
import signal
import subprocess
import sys
import time

import numpy as np
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from ami_ros.core.types import Command
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.validation.fault_injection.faulty_stack import FaultyStack
from ami_ros.validation.fault_injection.rogue_publisher import SIGN

try:
    from rclpy.event_handler import PublisherEventCallbacks
except ImportError:     # Humble
    from rclpy.qos_event import PublisherEventCallbacks

BURN = 'import ctypes; ctypes.CDLL(None).prctl(1, 9)\nwhile True: pass'    # ends with its parent
GONE_S = 30.0           # until who ended is forgotten, also where it did not take its leave
STALE_S = 10.0          # a hand this old is refused, and the refusal is logged
LOGGED_S = 0.4
BUTTONS = {             # how an emergency stop may publish, and by how many it is heard
    'best_effort_volatile': QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT),
    'reliable_transient_local': topics.LATCHED}
SILENT = PublisherEventCallbacks(use_default_callbacks=False)
# by how many subscriptions of the critic it is heard
HEARD = {'best_effort_volatile': 1, 'reliable_transient_local': 2}
RESETS, RESETS_EVERY_S = 4, 0.4
SETTLED_S = 0.4         # between two things that a person does
PUSH_MPS, PUSH_S, PUSHED_S = 0.3, 0.05, 1.0     # of a stick: how fast, how often, for how long


class Injector:
    """What all have in common."""

    def __init__(self, stack: FaultyStack, seed: int):
        self.stack, self.observer, self.seed = stack, stack.observer, seed
        self.processes = stack.processes

    def prepare(self) -> None:
        """Make what takes time."""

    def strike(self) -> int:
        """Do harm."""
        raise NotImplementedError

    def meanwhile(self) -> None:
        """Do what people do while the fault lasts."""

    def restore(self) -> None:
        """Take the cause away."""

    def why_not(self) -> list[str]:
        """Say what only the one who struck knows not to be as expected."""
        return []


class Signal(Injector):
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


class Tampered(Injector):
    """Messages of a topic are withheld or changed."""

    def strike(self) -> int:
        """Order it; it says when the first message was not what it should be."""
        self.observer.order(self.stack.row.strike['how'], self.seed)
        return int(self.observer.log.tamper['struck_ns'])

    def restore(self) -> None:
        """Order nothing."""
        self.observer.order('none', 0)


class Company(Injector):
    """Somebody else commands the wheels."""

    def prepare(self) -> None:
        """Start it; it waits for a sign, and is no publisher yet. The last one is forgotten."""
        if 'rogue' not in self.processes.running:
            self.processes.start('rogue', {})
            self.observer.wait(lambda: 'rogue' in self.observer.get_node_names(), 'the rogue',
                               GONE_S)
        self.observer.wait(lambda: self.observer.log.critic.get('others') == '',
                           'that the critic is alone', GONE_S)

    def strike(self) -> int:
        """Give the sign."""
        at_ns = time.time_ns()
        self.processes.running['rogue'].send_signal(SIGN)
        return at_ns

    def restore(self) -> None:
        """End it, so that it takes its leave."""
        child = self.processes.running.pop('rogue')
        child.terminate()
        child.wait(GONE_S)


class Busy(Injector):
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


class FullDisk(Injector):
    """Nothing can be written, and there is something to write."""

    @property
    def pids(self) -> list[int]:
        """Return whose files cannot grow."""
        return [child.pid for child in self.processes.running.values()]

    def prepare(self) -> None:
        """Be ready to say something that is refused and logged."""
        self.hands = self.observer.create_publisher(*topics.HAND.publisher())

    def strike(self) -> int:
        """Fill it; have the critic refuse hands, which it logs, and a reset, which it audits."""
        at_ns = time.time_ns()
        assert self.stack.disk is not None
        self.stack.disk.fill(self.pids)
        self.observer.askable[topics.CRITIC_RESET].call_async(Trigger.Request())
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
        assert self.stack.disk is not None
        self.stack.disk.empty(self.pids)


class Press(Injector):
    """An emergency stop is pressed, and said once; let go at the end."""

    @property
    def qos(self) -> str:
        """Return how the button publishes."""
        return self.stack.row.strike.get('qos', 'best_effort_volatile')

    def prepare(self) -> None:
        """Have one button that the critic knows, for all repeats.

        A button of another row goes: a press would count until it has let go as well.
        """
        for other in [qos for qos in self.stack.buttons if qos != self.qos]:
            self.observer.destroy_publisher(self.stack.buttons.pop(other))
        if self.qos not in self.stack.buttons:
            row = replace(topics.E_STOP, qos=BUTTONS[self.qos])
            self.stack.buttons[self.qos] = self.observer.create_publisher(
                *row.publisher(), event_callbacks=SILENT)   # of two subscriptions one may not fit
        self.button = self.stack.buttons[self.qos]
        self.observer.wait(lambda: self.button.get_subscription_count() >= HEARD[self.qos],
                           'a critic that hears e_stop', GONE_S)

    def strike(self) -> int:
        """Press it."""
        at_ns = time.time_ns()
        self.button.publish(Bool(data=True))
        return at_ns

    def restore(self) -> None:
        """Let it go."""
        self.button.publish(Bool(data=False))


class ResetInVain(Press):
    """Somebody resets, and arms, again and again while the button is pressed."""

    def meanwhile(self) -> None:
        """Try it a few times."""
        self.granted = 0
        for _ in range(RESETS):
            self.observer.watch(RESETS_EVERY_S)
            self.granted += self.observer.ask(topics.CRITIC_RESET, Trigger.Request()).success
            self.observer.ask(topics.RESET, Trigger.Request())
            self.observer.ask(topics.ARM, Trigger.Request())

    def why_not(self) -> list[str]:
        """Tell of a reset that was granted."""
        return ['a reset was granted while the cause lasted'] if self.granted else []


class PowerCut(Press):
    """Pressed and let go; then the critic is killed, comes up, and a person wants to drive on."""

    def prepare(self) -> None:
        """Have a button, and a stick."""
        super().prepare()
        self.hands = self.observer.create_publisher(*topics.HAND.publisher())

    def meanwhile(self) -> None:
        """Cut the power; then arm it, and push the stick, without a reset."""
        observer = self.observer
        observer.watch(SETTLED_S)
        super().restore()
        observer.watch(SETTLED_S)
        was = observer.log.critic.get('pid')
        os.kill(self.processes.running['critic'].pid, signal.SIGKILL)
        observer.wait(lambda: observer.log.critic.get('pid') != was, 'another critic', GONE_S)
        heard_s, end_s = 0.0, time.monotonic() + GONE_S
        while heard_s < PUSHED_S and time.monotonic() < end_s:  # they meet by and by
            self.hands.publish(convert.command_message(
                Command(np.array([PUSH_MPS, 0.0]), time.time_ns())))
            observer.watch(PUSH_S)
            heard_s += PUSH_S * (observer.log.critic.get('count.teleop', '0') != '0')
        self.armed = observer.ask(topics.ARM, Trigger.Request()).success
        observer.watch(SETTLED_S)       # it says how it stands more often than that

    def restore(self) -> None:
        """Let everything be: the latch is what is left, and is no cause."""
        self.observer.destroy_publisher(self.hands)

    def why_not(self) -> list[str]:
        """Tell where nothing had to be held, or it was not."""
        critic = self.observer.log.critic
        wrong = {'the critic came up without a latch': not critic.get('latched'),
                 'the stick was not heard': critic.get('count.teleop', '0') == '0',
                 'it was armed without a reset': self.armed}
        return [sentence for sentence, so in wrong.items() if so]


BY = {'signal': Signal, 'tamper': Tampered, 'rogue': Company, 'busy': Busy, 'disk': FullDisk,
      'e_stop': Press, 'reset': ResetInVain, 'power_cut': PowerCut}
