# SPDX-License-Identifier: Apache-2.0
"""
Adds up the way that the twist, the pose, the commands and each gyro tell, beside one another.

Each sum is exact for itself and independent of the others, so that a rule can compare them over
any window. Commands are followed by the wheels with the first-order lag of the robot file; that
sum is the only one that no sensor can falsify. Sums never overflow: a single step counts for at
most FARTHEST.
"""

from collections import deque
from dataclasses import replace
import math

from ami_ros.core.types import Command, Odometry, Reckoned, Sent
from ami_ros.robots.robot import Robot

KEPT_S = 1.6                # nothing older is kept; longer than the longest window of a rule
SENT_S = 1.0                # commands; older than the oldest scan that is judged
EVERY_S = 0.01              # quicker odometry is kept as often as this
GAP_S = 0.5                 # after a longer gap of a sensor or of the commands the sums begin anew
FARTHEST = 10.0             # m, rad; of one step of a sum
MOST = 256                  # records


class Reckoning:
    """Notes what odometry, gyros and commands say; judges nothing."""

    def __init__(self, robot: Robot):
        self.lag_s = max(robot.actuation_lag_s, 1e-6)
        self.scale = robot.odometry_scale       # true over told: forward, turning
        self.odometry: Odometry | None = None   # the newest that is finite
        self.sums = [0.0] * 7                   # in the order of Reckoned, from twist_m on
        self.new: deque[Reckoned] = deque(maxlen=MOST)      # the commands' part is not known yet
        self.reckoned: deque[Reckoned] = deque(maxlen=MOST)
        self.sent: deque[Sent] = deque(maxlen=MOST)         # where the command changed
        self.sent_ns = 0                        # when the newest command went out
        self.gyros: dict[str, tuple[int, float, float]] = {}    # stamp ns, rad/s, rad in all

    def begin_anew(self) -> None:
        """Compare nothing across this instant."""
        self.new.clear()
        self.reckoned.clear()

    def on_odometry(self, odometry: Odometry, goes_on: bool) -> None:
        """Add a reading; not `goes_on`: the pose cannot have come there, so the sums begin anew.

        The twist is already scaled as the robot file says, the pose is not.
        """
        told = *map(float, odometry.pose), *map(float, odometry.twist)
        if not all(map(math.isfinite, told)):
            self.odometry = None
            self.begin_anew()
            return
        was, self.odometry = self.odometry, odometry
        passed = 0.0 if was is None else (odometry.stamp_ns - was.stamp_ns) / 1e9
        if was is None or not (goes_on and 0 <= passed <= GAP_S):
            self.begin_anew()
        elif passed == 0:       # the same instant again: the next reading says how far it went
            self.odometry = was
            return
        else:
            self.add(was, told, passed)
        newest = self.new or self.reckoned
        if not newest or odometry.received_steady_ns - newest[-1].steady_ns >= EVERY_S * 1e9:
            self.new.append(Reckoned(
                odometry.received_steady_ns, odometry.stamp_ns, **dict(zip(SUMS, self.sums)),
                command_m=0.0, command_rad=0.0, command_path_m=0.0, command_path_rad=0.0,
                gyros=tuple(
                    (name, turned + rate * bounded((odometry.stamp_ns - stamp_ns) / 1e9, GAP_S))
                    for name, (stamp_ns, rate, turned) in self.gyros.items())))

    def add(self, was: Odometry, told: tuple[float, ...], passed_s: float) -> None:
        """Add the step between two readings to the sums."""
        x, y, yaw, v, w = told
        was_x, was_y, was_yaw = map(float, was.pose)
        was_v, was_w = map(float, was.twist)
        turned = math.remainder(yaw - was_yaw, 2 * math.pi)
        dx, dy, middle = x - was_x, y - was_y, was_yaw + turned / 2
        c, s = math.cos(middle), math.sin(middle)
        ahead, side = (self.scale[0] * (c * dx + s * dy), self.scale[0] * (c * dy - s * dx))
        turned *= self.scale[1]
        steps = ((v + was_v) / 2 * passed_s, (w + was_w) / 2 * passed_s, ahead, side, turned,
                 abs(ahead), abs(turned))
        for index, step in enumerate(steps):
            self.sums[index] += bounded(step, FARTHEST)

    def on_imu(self, name: str, stamp_ns: int, rate_radps: float) -> None:
        """Add a rate of turn about the z axis of base_link; none that is not finite."""
        if not math.isfinite(rate_radps):
            return
        was = self.gyros.get(name)
        passed = 0.0 if was is None else (stamp_ns - was[0]) / 1e9
        if was is None or not 0 <= passed <= GAP_S:
            self.begin_anew()
            self.gyros[name] = stamp_ns, rate_radps, 0.0
            return
        turned = was[2] + bounded((was[1] + rate_radps) / 2 * passed, FARTHEST)
        self.gyros[name] = stamp_ns, rate_radps, turned

    def went_out(self, command: Command, sent_ns: int) -> None:
        """Note a command and the instant, steady time, from which on it holds."""
        if self.sent and sent_ns <= self.sent_ns:
            return
        (v, w), wheels = command.values.tolist(), (0.0, 0.0, 0.0, 0.0)
        goes_on = self.sent and sent_ns - self.sent_ns <= GAP_S * 1e9
        self.sent_ns = sent_ns
        if goes_on:
            last = self.sent[-1]
            while len(self.sent) > 1 and self.sent[1].steady_ns < sent_ns - SENT_S * 1e9:
                self.sent.popleft()
            if (v, w) == (last.v_mps, last.w_radps):    # the same goes on
                return
            wheels = follow(last, sent_ns, self.lag_s)
        else:
            self.sent.clear()
            self.begin_anew()
        self.sent.append(Sent(sent_ns, v, w, *wheels))

    def look(self, now_ns: int, steady_ns: int) -> tuple[Reckoned, ...]:
        """Return the sums at each reading, oldest first; the commands' part by the stamps."""
        offset = steady_ns - now_ns
        while self.new:
            one = self.new.popleft()
            if not self.sent:       # nothing has gone out: nothing to compare with
                continue
            at_ns = min(one.stamp_ns + offset, one.steady_ns)
            *_, m, rad = travelled(self.sent, at_ns, self.lag_s)
            was = self.reckoned[-1] if self.reckoned else None
            path_m, path_rad = (0.0, 0.0) if was is None else (
                was.command_path_m + abs(m - was.command_m),
                was.command_path_rad + abs(rad - was.command_rad))
            self.reckoned.append(replace(one, command_m=m, command_rad=rad, command_path_m=path_m,
                                         command_path_rad=path_rad))
        while self.reckoned and self.reckoned[0].steady_ns < steady_ns - KEPT_S * 1e9:
            self.reckoned.popleft()
        return tuple(self.reckoned)


SUMS = tuple(Reckoned.__dataclass_fields__)[2:9]


def bounded(value: float, most: float) -> float:
    """Return the value, or the nearest that is no further from zero than `most`."""
    return max(-most, min(most, value))


def follow(sent: Sent, at_ns: int, lag_s: float) -> tuple[float, float, float, float]:
    """Return what the wheels do at an instant after a command: m/s, rad/s, and m, rad so far.

    v(t) = u + (v0 - u) exp(-t / lag), and its integral.
    """
    passed = (at_ns - sent.steady_ns) / 1e9
    fade = math.exp(-passed / lag_s) if passed > -GAP_S else 1.0
    left = lag_s * (1 - fade)
    v, w = sent.v_mps + (sent.wheels_mps - sent.v_mps) * fade, (
        sent.w_radps + (sent.wheels_radps - sent.w_radps) * fade)
    return (v, w, sent.wheels_m + sent.v_mps * passed + (sent.wheels_mps - sent.v_mps) * left,
            sent.wheels_rad + sent.w_radps * passed + (sent.wheels_radps - sent.w_radps) * left)


def travelled(sent, at_ns: int, lag_s: float) -> tuple[float, float, float, float]:
    """Return what the wheels do at an instant, m/s, rad/s, m, rad; before the first as then."""
    for one in reversed(sent):
        if one.steady_ns <= at_ns:
            return follow(one, at_ns, lag_s)
    first = sent[0]
    return first.wheels_mps, first.wheels_radps, first.wheels_m, first.wheels_rad
