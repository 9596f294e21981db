# SPDX-License-Identifier: Apache-2.0
"""How the robot is moved for each quantity, slow ones first, and the room that it takes."""

from dataclasses import dataclass
import math

ROOM_M = 0.3            # kept besides, ahead and behind
AROUND_M = 0.15         # kept where it only turns on the spot
REACTION_S = 0.2        # from a reason to stop until the stop is commanded, at most
LATE_M, LATE_RAD, LATE = 0.15, 0.5, 1.25    # a leg is off bounds so far beyond what it was meant
REST_S = 1.0            # at rest before a motion and after it
WAIT_S = 0.6            # besides, for each second of lag five more
GAIN_S = 0.4            # in which the rules let speed grow
BACK = 0.25             # of the speed, for a way that is not measured
BACK_M, BACK_RAD = 0.03, 0.05       # a smaller way or turn is not undone
ROUND = 2 * math.pi


@dataclass(frozen=True)
class Base:
    """What of a robot a motion depends on."""

    speed_mps: float        # the fastest that it goes here
    turn_radps: float
    lag_s: float            # as the robot file has it until it is measured
    braking_mps2: float
    radius_m: float         # of the circle about base_link that holds it
    gain_s: float = GAIN_S  # in which the rules let it gain these speeds

    @property
    def settle_s(self) -> float:
        """Return how long a base takes to reach a speed, or to lose it."""
        return WAIT_S + 5 * self.lag_s

    def stop_m(self, v_mps: float) -> float:
        """Return the way from a reason to stop to standstill."""
        return abs(v_mps) * (REACTION_S + self.lag_s) + v_mps**2 / (2 * self.braking_mps2)


@dataclass(frozen=True)
class MotionSegment:
    """One twist, held for a time, or until odometry has gone so far along its axis."""

    v_mps: float
    w_radps: float
    seconds: float              # at most, where there is a target
    until: float | None = None  # m or rad, signed, since the motion began

    @property
    def axis(self) -> str:
        """Return 'v', or 'w' where it turns in place."""
        return 'w' if self.w_radps and not self.v_mps else 'v'

    @property
    def reach(self) -> float:
        """Return how far it leads at most, m or rad, if the base obeys."""
        return (self.v_mps if self.axis == 'v' else self.w_radps) * self.seconds


@dataclass(frozen=True)
class Motion:
    """Legs one after another from rest to rest, and what they are for."""

    says: str                   # in plain words, for the person beside it
    legs: tuple[MotionSegment, ...]

    def ends(self, axis: str) -> list[float]:
        """Return where along an axis each leg ends, m or rad from where the motion begins."""
        at, out = 0.0, []
        for leg in self.legs:
            if leg.axis == axis:
                at = leg.until if leg.until is not None else at + leg.reach
            out.append(at)
        return out

    def bounds(self, base: Base) -> tuple[float, float, float, float]:
        """Return how far it may get from where it begins: ahead, behind m, to the left, right rad.

        What is outside is no motion that was asked for: the hand is taken off.
        """
        low, high = ({axis: least(0.0, *self.ends(axis)) for axis in ('v', 'w')}
                     for least in (min, max))
        stop = max((base.stop_m(leg.v_mps) for leg in self.legs), default=0.0)
        spin = max((abs(leg.w_radps) for leg in self.legs), default=0.0) * (
            REACTION_S + base.lag_s)
        return (LATE * high['v'] + stop + LATE_M, -LATE * low['v'] + stop + LATE_M,
                LATE * high['w'] + spin + LATE_RAD, -LATE * low['w'] + spin + LATE_RAD)


def room(motions: list[Motion], base: Base) -> tuple[float, float]:
    """Return the free room that motions, one after another, need before and behind the robot.

    In m from its outline, as it stands before the first of them.
    """
    at, ahead, behind = 0.0, 0.0, 0.0
    for motion in motions:
        if any(leg.v_mps for leg in motion.legs):
            front, back, _, _ = motion.bounds(base)
            ahead, behind = max(ahead, at + front - LATE_M), max(behind, back - at - LATE_M)
            at += motion.ends('v')[-1]
    return ahead + ROOM_M, behind + ROOM_M


def dashes(base: Base, share: float) -> tuple[Motion, Motion]:
    """Drive ahead at a share of the speed and stop; and come back slowly."""
    v, slow, hold = share * base.speed_mps, BACK * base.speed_mps, base.settle_s + base.gain_s
    way = v * hold
    return (Motion(f'drives ahead at {v:.2f} m/s for {hold:.1f} s, and stops',
                   (MotionSegment(v, 0.0, hold), MotionSegment(0.0, 0.0, base.settle_s + REST_S))),
            Motion('comes back slowly',
                   (MotionSegment(-slow, 0.0, LATE * way / slow + 1.0, until=-way),
                    MotionSegment(0.0, 0.0, base.settle_s))))


def back(base: Base, ahead_m: float, left_rad: float) -> list[Motion]:
    """Undo a way and a turn, slowly: first the turn, then the way; [] where there is none."""
    out, rest = [], MotionSegment(0.0, 0.0, base.settle_s)
    for far, least, w, v in ((left_rad, BACK_RAD, BACK * base.turn_radps, 0.0),
                             (ahead_m, BACK_M, 0.0, BACK * base.speed_mps)):
        if abs(far) < least:
            continue
        sign, most = -math.copysign(1.0, far), LATE * abs(far) / (v or w) + base.settle_s + 1.0
        out.append(Motion('goes back to where it began',
                          (MotionSegment(sign * v, sign * w, most, until=-far), rest)))
    return out


def steps(base: Base) -> list[Motion]:
    """Step along v and w, both ways, at two speeds."""
    out, hold, rest = [], base.settle_s + base.gain_s, MotionSegment(0.0, 0.0, base.settle_s + 0.4)
    for share in (0.25, 0.5):
        v, w = share * base.speed_mps, share * base.turn_radps
        out.append(Motion(f'drives ahead and back at {v:.2f} m/s, {hold:.1f} s each',
                          (MotionSegment(v, 0.0, hold), rest, MotionSegment(-v, 0.0, hold), rest)))
        out.append(Motion(f'turns left and right on the spot at {w:.2f} rad/s, {hold:.1f} s each',
                          (MotionSegment(0.0, w, hold), rest, MotionSegment(0.0, -w, hold), rest)))
    return out


def there_and_back(base: Base, distance_m: float) -> list[Motion]:
    """Drive a distance by odometry, and the same back: two motions, each at rest at its ends."""
    v = min(0.5 * base.speed_mps, 0.3)
    most = LATE * distance_m / v + base.settle_s
    return [Motion(f'drives {sign * distance_m:+.2f} m at {v:.2f} m/s',
                   (MotionSegment(sign * v, 0.0, most, until=sign * distance_m),
                    MotionSegment(0.0, 0.0, base.settle_s))) for sign in (1.0, -1.0)]


def turns(base: Base, rounds: int) -> list[Motion]:
    """Turn so many times to the left, and as many to the right."""
    w = 0.5 * base.turn_radps
    most = LATE * rounds * ROUND / w + base.settle_s
    return [Motion(f'turns {rounds} time{"s" * (rounds > 1)} to the {side} on the spot, '
                   f'{rounds * ROUND / w:.0f} s',
                   (MotionSegment(0.0, sign * w, most, until=sign * rounds * ROUND),
                    MotionSegment(0.0, 0.0, base.settle_s))) for side,
                    sign in (('left', 1), ('right', -1))]


def glances(base: Base, times: int = 4) -> list[Motion]:
    """Look left and right several times, at odd intervals, so that pictures fall anywhere."""
    w, legs = 0.5 * base.turn_radps, []
    for i in range(times):
        for sign in (1.0, -1.0):
            legs += [MotionSegment(0.0, sign * w, 0.75),
                     MotionSegment(0.0, 0.0, 0.6 + 0.037 * (i + (sign < 0)))]
    return [Motion(f'looks left and right {times} times, on the spot', tuple(legs))]


def quarter(base: Base) -> Motion:
    """Turn away from what it sees."""
    w = 0.5 * base.turn_radps
    return Motion('turns a quarter to the left, away from what it sees',
                  (MotionSegment(0.0, w, LATE * ROUND / 4 / w + base.settle_s, until=ROUND / 4),
                   MotionSegment(0.0, 0.0, base.settle_s)))
