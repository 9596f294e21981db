# SPDX-License-Identifier: Apache-2.0
"""
What a person's hand asks of the robot: keys that are held, a stick that is pushed, or nothing.

A hand that asks for nothing is silent, and silence stops the robot: the critic lets a hand's twist
count for its dead man's time and no longer. All times are seconds of a clock that never jumps.

A terminal never says that a key went up. It sends the key once when it goes down, again after a
first delay (0.25 s on a console, 0.5 s and more on a desktop), and then about thirty times a
second. So a key that was sent once counts for `first_s`, long enough for its repeats to begin, and
one that repeats for `held_s` after the last: a tap is a small step, letting go is felt at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import math

from ami_ros.core.errors import AmiError
from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import STILL

Twist = tuple[float, float]     # v m/s, w rad/s

DRIVING = {     # key: share of the speed forward, share of the speed of turning to the left
    'up': (1, 0), 'w': (1, 0), 'down': (-1, 0), 's': (-1, 0),
    'left': (0, 1), 'a': (0, 1), 'right': (0, -1), 'd': (0, -1),
    'u': (1, 1), 'o': (1, -1),      # a terminal repeats one key only, so arcs have their own
    ' ': (0, 0),                    # a hand that asks for rest outranks a plan
}
STEP = 0.1                          # of the robot's limit
SCALED = 'Speed at full deflection, at most the robot limit; a negative value reverses it'


@dataclass(frozen=True)
class KeySettings(Settings):
    """How long a key counts."""

    first_s: float = setting(0.6, 's', 0.1, 1.0, 'Time for which a single key press is held')
    held_s: float = setting(
        0.25, 's', 0.05, 1.0, 'Time for which a repeating key is held after each repeat')


class Keys:
    """The keys of a terminal as a hand; never faster than the robot's limits."""

    def __init__(self, limits: Twist, speed_mps: float, turn_radps: float,
                 settings: KeySettings | None = None):
        for what, value, limit in zip(('speed', 'turn'), (speed_mps, turn_radps), limits):
            if not 0.0 < value <= limit:
                raise AmiError(f'{what} {value:g} is not above 0 and at most {limit:g}, the '
                               "robot's limit")
        self.limits, self.speeds = limits, (speed_mps, turn_radps)
        self.settings = settings or KeySettings()
        self.key = ''
        self._until = -math.inf

    def press(self, key: str, now_s: float) -> bool:
        """Take a key; return whether it is one that drives."""
        if key not in DRIVING:
            return False
        repeats = key == self.key and now_s < self._until
        self.key = key
        self._until = now_s + (self.settings.held_s if repeats else self.settings.first_s)
        return True

    def let_go(self) -> None:
        """Forget what is held."""
        self.key, self._until = '', -math.inf

    def change(self, steps: int) -> None:
        """Make it faster or slower, by tenths of the robot's limits."""
        v, w = (min(limit, max(STEP * limit, speed + steps * STEP * limit))
                for speed, limit in zip(self.speeds, self.limits))
        self.speeds = v, w

    def wanted(self, now_s: float) -> Twist | None:
        """Return the twist that is asked for, None where no key is held."""
        if not now_s < self._until:
            return None
        v, w = (share * speed for share, speed in zip(DRIVING[self.key], self.speeds))
        return v, w


@dataclass(frozen=True)
class StickSettings(Settings):
    """Which button is the dead man's, and how old a message may be; names as teleop_twist_joy."""

    require_enable_button: bool = setting(
        True, '-', reason='Require the dead-man button; must be true')
    enable_button: int = setting(2, '1', 0, 63, 'Button held to enable driving')
    enable_turbo_button: int = setting(
        5, '1', -1, 63, 'Button held to enable fast driving; -1 disables it')
    silent_s: float = setting(
        0.25, 's', 0.05, 1.0, 'Joystick timeout; an older joystick message gives no command')

    def __post_init__(self):
        """Refuse to drive without the button."""
        super().__post_init__()
        if not self.require_enable_button:
            raise AmiError('require_enable_button = False is not done here: a stick that drives '
                           "without its dead man's button drives when nobody holds it")


@dataclass(frozen=True)
class LinearAxis(Settings):
    """The axis that drives."""

    x: int = setting(
        1, '1', -1, 63, 'Axis for linear speed, left stick up and down; -1 disables it')


@dataclass(frozen=True)
class AngularAxis(Settings):
    """The axis that turns."""

    yaw: int = setting(
        0, '1', -1, 63, 'Axis for turn rate, left stick left and right; -1 disables it')


@dataclass(frozen=True)
class LinearScale(Settings):
    """Speed at full deflection."""

    x: float = setting(0.7, 'm/s', -5.0, 5.0, SCALED)


@dataclass(frozen=True)
class AngularScale(Settings):
    """Speed of turning at full deflection."""

    yaw: float = setting(0.4, 'rad/s', -10.0, 10.0, SCALED)


@dataclass(frozen=True)
class LinearTurbo(LinearScale):
    """The same with the button for fast."""

    x: float = setting(1.5, 'm/s', -5.0, 5.0, SCALED)


@dataclass(frozen=True)
class AngularTurbo(AngularScale):
    """The same with the button for fast."""

    yaw: float = setting(1.0, 'rad/s', -10.0, 10.0, SCALED)


STICK = {       # parameters of teleop_twist_joy, with its figures for an Xbox pad
    '': StickSettings, 'axis_linear': LinearAxis, 'axis_angular': AngularAxis,
    'scale_linear': LinearScale, 'scale_angular': AngularScale,
    'scale_linear_turbo': LinearTurbo, 'scale_angular_turbo': AngularTurbo,
}


class Stick:
    """A joystick as a hand: only while its button is held, its axes are numbers, and it speaks."""

    def __init__(self, limits: Twist, groups: Mapping):
        self.limits, self.settings = limits, groups['']
        self.axes = groups['axis_linear'].x, groups['axis_angular'].yaw
        self.scales = groups['scale_linear'].x, groups['scale_angular'].yaw
        self.turbo = groups['scale_linear_turbo'].x, groups['scale_angular_turbo'].yaw
        self._heard_s = -math.inf           # when it came with a stamp that it had not before
        self._stamp_ns: int | None = None
        self._repeats = False               # the newest message bears the stamp of before
        self._said: tuple[Twist | None, str] = None, ''

    def move(self, axes, buttons, now_s: float, stamp_ns: int = 0) -> None:
        """Take a message: axes from -1 to 1, buttons 0 or 1; `stamp_ns` is 0 where it has none.

        One with the stamp of before is the last one again, sent by a driver that lost its
        joystick: it counts as silence. The first of all only says which stamp is of before.
        """
        was, self._stamp_ns = self._stamp_ns, stamp_ns
        self._repeats = stamp_ns != 0 and stamp_ns == was
        if stamp_ns == 0 or was not in (None, stamp_ns):
            self._heard_s = now_s
        self._said = self._read(axes, buttons)

    def _read(self, axes, buttons) -> tuple[Twist | None, str]:
        fast, slow = self.settings.enable_turbo_button, self.settings.enable_button
        for name, index, there in (('enable_button', slow, buttons),
                                   ('axis_linear.x', self.axes[0], axes),
                                   ('axis_angular.yaw', self.axes[1], axes)):
            if index >= len(there):
                return None, (f'the joystick has {len(there)} of what {name} = {index} names, '
                              'counted from 0')
        held = 0 <= fast < len(buttons) and buttons[fast] == 1
        if not held and buttons[slow] != 1:
            return None, f'button {slow} is not held'
        pushed = [float(axes[index]) if index >= 0 else 0.0 for index in self.axes]
        if not all(map(math.isfinite, pushed)):
            return None, f'the joystick says {pushed}'
        scales = self.turbo if held else self.scales
        return tuple(max(-limit, min(limit, push * scale))
                     for push, scale, limit in zip(pushed, scales, self.limits)), ''

    def wanted(self, now_s: float) -> Twist | None:
        """Return the twist that is asked for, None where nobody holds the stick."""
        return None if now_s - self._heard_s >= self.settings.silent_s else self._said[0]

    def why(self, now_s: float) -> str:
        """Say why nobody holds it; '' where somebody does."""
        if now_s - self._heard_s >= self.settings.silent_s:
            if self._repeats:
                return ('the joystick repeats its last message with the same stamp; is it '
                        'connected?')
            return 'the joystick is silent; is joy_node running?'
        return self._said[1]


class Outlet:
    """What goes out of what is wanted: each twist, one rest once a hand lets go, then nothing."""

    def __init__(self):
        self.speaking = False

    def next(self, wanted: Twist | None) -> Twist | None:
        """Return what to send now, None for nothing."""
        if wanted is None:
            let_go, self.speaking = self.speaking, False
            return STILL if let_go else None
        self.speaking = True
        return wanted
