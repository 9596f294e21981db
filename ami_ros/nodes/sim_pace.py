# SPDX-License-Identifier: Apache-2.0
"""Advances simulated time: by a handshake for every frame, or by the wall clock."""

from collections import deque
import time
from typing import Protocol

from ami_ros.core.types import Command, Verdict
from ami_ros.nodes.run import IDLE_S
from ami_ros.nodes.type_narrowing import present

TICK_S = 0.025          # real time: odometry, IMU and wheels are read so often, six physics steps
LOOK_S = 0.05           # the scan in real time; and the truth, always
EPISODE_NS = 10 * 10**9     # lock-step: a reset goes on at the next multiple, never back
BEHIND_S = 0.25         # real time: a machine that is later than this skips what it missed


class Sensed(Protocol):
    """What a pace asks of the node."""

    def stamp_ns(self) -> int:
        """Return the ROS time of the body."""

    def rebase(self, now_ns: int) -> None:
        """Let the body's present be this ROS time."""

    def sense(self, camera: bool, scan: bool) -> None:
        """Publish what is sensed now; a picture always comes last."""

    def again(self) -> None:
        """Publish the same once more."""

    def look(self) -> None:
        """Publish the truth."""

    def report_latency(self, frame_ns: int, seconds: float) -> None:
        """Publish how long after a picture its command came."""


class LockStep:
    """Sends a frame, waits for the verdict that names it and for its command, steps, and so on."""

    def __init__(self, node: Sensed, body, period_s: float, timeout_s: float, steady):
        self.node, self.body, self.period_s, self.timeout_s = node, body, period_s, timeout_s
        self.steady = steady            # () -> seconds
        self.held = False
        self.frame_ns: int | None = None        # the frame that is out
        self.resent = 0
        self._forget()
        node.rebase(EPISODE_NS)

    @property
    def settled(self) -> bool:
        """Tell whether nobody is at work on a frame."""
        return self.frame_ns is None or self.answered

    def _forget(self) -> None:
        self.command: Command | None = None
        self.verdict: Verdict | None = None
        self.answered = False
        self.sent_s = self.deadline_s = self.steady()

    def reset(self) -> None:
        """Go on at a later time, send the first frame, and hold there."""
        now_ns = self.node.stamp_ns() if self.frame_ns is None else self.frame_ns
        self.node.rebase((now_ns // EPISODE_NS + 1) * EPISODE_NS)
        self.held = True
        self.node.look()
        self._send()

    def _send(self) -> None:
        self._forget()
        self.frame_ns = self.node.stamp_ns()
        self.node.sense(camera=True, scan=True)
        self.sent_s = self.steady()
        self.deadline_s = self.sent_s + self.timeout_s

    def turn(self) -> float:
        """Step when the frame was answered, send again what was not; return the idle seconds."""
        if self.frame_ns is None:
            self._send()
        elif self.answered:
            if self.held:
                return IDLE_S
            self.body.command(*present(self.verdict).command.values)
            for _ in range(round(self.period_s / LOOK_S)):
                self.body.step(LOOK_S)
                self.node.look()
            self._send()
        elif self.steady() >= self.deadline_s:
            self.resent += 1
            self.deadline_s = self.steady() + self.timeout_s
            self.node.again()
        return max(0.0, self.deadline_s - self.steady())

    def on_command(self, command: Command) -> None:
        """Note a command; it counts once its verdict says what it is for."""
        if command.stamp_ns == self.frame_ns and not self.answered:
            self.command, self.command_s = command, self.steady()
            self._match()

    def on_verdict(self, verdict: Verdict) -> None:
        """Note a verdict; those of other frames are not for now."""
        if verdict.number == self.frame_ns and not self.answered:
            self.verdict = verdict
            self._match()

    def _match(self) -> None:
        if self.command is None or self.verdict is None:
            return
        if tuple(self.command.values) == tuple(self.verdict.command.values):
            self.answered = True
            self.node.report_latency(present(self.frame_ns), self.command_s - self.sent_s)


class RealTime:
    """Steps by the steady clock; whoever listens must keep up."""

    def __init__(self, node: Sensed, body, camera_hz: int, steady):
        self.node, self.body, self.steady = node, body, steady
        self.every = round(1 / TICK_S / camera_hz)      # ticks between two pictures
        self.held, self.skipped = False, 0
        self.settled = True             # nobody is waited for
        self.frame_ns: int | None = None
        self.begun_s: float | None = None
        self.sent: dict[int, float] = {}                # frame: when it went out
        self.commands: deque[tuple[int, float]] = deque(maxlen=64)      # stamp, when it came
        self.open: list[Verdict] = []                   # verdicts whose command did not come yet

    def reset(self) -> None:
        """Go on from a new place."""
        self.begun_s = None
        self.sent.clear()

    def turn(self) -> float:
        """Step when it is time; return the idle seconds."""
        now = self.steady()
        if self.held:
            self.begun_s = None
            return IDLE_S
        if self.begun_s is None:
            self.begun_s, self.ticks = now, 0
            self.node.rebase(time.time_ns())
        due = self.begun_s + (self.ticks + 1) * TICK_S
        if now < due:
            return due - now
        if now - due > BEHIND_S:
            self.skipped += 1
            self.begun_s = None
            return 0.0
        self.body.step(TICK_S)
        self.ticks += 1
        picture = self.ticks % self.every == 0
        if self.ticks % round(LOOK_S / TICK_S) == 0:
            self.node.look()
        self.node.sense(picture, scan=self.ticks % round(LOOK_S / TICK_S) == 0)
        if picture:
            self.frame_ns = self.node.stamp_ns()
            self.sent[self.frame_ns] = self.steady()
            while len(self.sent) > 40:
                self.sent.pop(next(iter(self.sent)))
        return 0.0

    def on_command(self, command: Command) -> None:
        """Obey at once."""
        self.body.command(*command.values)
        self.commands.append((command.stamp_ns, self.steady()))
        self._match()

    def on_verdict(self, verdict: Verdict) -> None:
        """Note which frame a command was for."""
        if verdict.number in self.sent:
            self.open.append(verdict)
            self._match()

    def _match(self) -> None:
        """Report the first answer to each frame; a newer command stands for one that was lost."""
        for verdict in tuple(self.open):
            came = next((at for stamp, at in self.commands
                         if stamp >= verdict.command.stamp_ns), None)
            if came is not None:
                self.open.remove(verdict)
                sent = self.sent.pop(verdict.number, None)
                if sent is not None:
                    self.node.report_latency(verdict.number, came - sent)
