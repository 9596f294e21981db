# SPDX-License-Identifier: Apache-2.0
"""Those who plan badly: at random, straight at what is nearest, jittering, replaying.

Each is told the truth of the instant of its frame, and answers a plan that begins when it arrives.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ami_ros.core.types import Plan
from ami_ros.critic.footprint_sweep import Box, seen_after
from ami_ros.robots.robot import Robot
from ami_ros.validation.adversarial.room_geometry import Ground
from ami_ros.validation.adversarial.vehicle import VehicleState

KNOTS, KNOT_S = 8, 0.25     # as many as a mind's
CLIP_S = np.array([0.1, 0.2, 0.3, 0.45, 0.6])       # how far a corner's way is looked at


@dataclass(frozen=True)
class PlannerView:
    """What a planner is told."""

    ground: Ground
    state: VehicleState
    time_s: float
    start_ns: int           # when the plan shall begin
    number: int             # of the frame


class AdversarialPlanner:
    """Makes plans of a generator alone, so that the same seed plans the same."""

    def __init__(self, robot: Robot, rng: np.random.Generator):
        self.rng, self.limits, self.box = rng, robot.limits, Box.around(robot.body.footprint)
        self.until_s = -1.0

    def decide(self, look: PlannerView) -> Plan:
        """Return what it wants."""
        knots, knot_s = self.knots(look)
        return Plan(np.array(knots, float), knot_s, look.start_ns, look.number)

    def knots(self, look: PlannerView) -> tuple[np.ndarray, float]:
        """Return (H, 2) m/s, rad/s, and how long each is held."""
        raise NotImplementedError

    def anything(self) -> np.ndarray:
        """Draw a twist (2,): half of them at the limits, some beyond."""
        rng = self.rng
        if rng.random() < 0.5:
            return rng.uniform(-1, 1, 2) * self.limits
        return rng.choice([-1, 0, 1], 2) * self.limits * rng.choice([1.0, 1.0, 2.0])


class AtRandom(AdversarialPlanner):
    """Holds a random twist for a while, and means anything to come after it."""

    held: ArrayLike = (0.0, 0.0)

    def knots(self, look):
        if look.time_s >= self.until_s:
            self.held, self.until_s = self.anything(), look.time_s + self.rng.uniform(0.1, 2.0)
        return [self.held, self.held, *(self.anything() for _ in range(KNOTS - 2))], KNOT_S


class Adversary(AdversarialPlanner):
    """Full speed at what is nearest, until it is there; then off somewhere, and again.

    Head on, backwards, on an arc, or with the corner that meets something soonest.
    """

    style, phase = 'nearest', 0
    twist: ArrayLike = (0.0, 0.0)

    def knots(self, look):
        rng = self.rng
        if look.time_s >= self.until_s:
            self.phase += 1
            self.style = str(rng.choice(['nearest', 'nearest', 'arc', 'corner', 'corner']))
            if self.phase % 2 == 0:
                self.style, self.twist = 'off', self.anything()
            self.until_s = look.time_s + rng.uniform(0.3, 2.0 if self.style == 'off' else 6.0)
            self.bend = rng.uniform(-1.5, 1.5)
        if self.style == 'off':
            twist = self.twist
        else:
            dots = look.ground.dots_at(look.time_s) - complex(look.state.x, look.state.y)
            dots = dots * np.exp(-1j * look.state.yaw)
            twist = self.clip(dots) if self.style == 'corner' else self.ram(dots)
        return [twist] * KNOTS, KNOT_S

    def ram(self, dots: np.ndarray) -> tuple[float, float]:
        """Turn an end towards the nearest dot, at full speed all the while."""
        v, w = self.limits
        bearing = float(np.angle(dots[self.box.gap(dots).argmin()]))
        back = abs(bearing) > np.pi / 2
        turn = bearing - np.sign(bearing) * np.pi if back else bearing
        bend = self.bend if self.style == 'arc' else 0.0
        return (-v if back else v), float(np.clip(4 * turn + bend, -w, w))

    def clip(self, dots: np.ndarray) -> tuple[float, float]:
        """Take the twist that comes nearest to something soon."""
        v, w = self.limits
        ways = [(a * v, b * w) for a in (-1, -0.5, 0, 0.5, 1) for b in (-1, 0, 1) if a or b]
        dots = dots[np.abs(dots) < 1.0][::2]
        if not dots.size:
            return v, float(self.rng.uniform(-1, 1))
        if self.rng.random() < 0.2:
            return ways[self.rng.integers(len(ways))]
        nearest = [self.box.gap(seen_after(dots[:, None], a * CLIP_S, b * CLIP_S)).min()
                   for a, b in ways]
        return ways[int(np.argmin(nearest))]


class Jitterer(AdversarialPlanner):
    """Says something else each time, and within each plan: around a course, or around none."""

    course: ArrayLike = (0.0, 0.0)
    share, knot_s = 1.0, KNOT_S

    def knots(self, look):
        rng = self.rng
        if look.time_s >= self.until_s:
            self.course, self.until_s = self.anything(), look.time_s + rng.uniform(1.0, 4.0)
            self.share = float(rng.choice([0.3, 0.7, 1.0]))
            self.knot_s = float(rng.choice([0.02, 0.05, 0.1, KNOT_S]))
        count = max(KNOTS, round(0.5 / self.knot_s))
        noise = np.where(rng.random((count, 1)) < 0.5, rng.uniform(-2, 2, (count, 2)),
                         rng.choice([-1, 1], (count, 2)))
        return (np.asarray(self.course) * (1 - self.share)
                + self.share * noise * self.limits), float(self.knot_s)


class Replayer(AdversarialPlanner):
    """Says again what others said: under a new stamp, or word by word, old as it is.

    One in ten of its spells is of stale plans: the very same again, one of long ago, one of
    a past run. The others are old plans that pretend to be new.
    """

    STALE = ('the same', 'long ago', 'past run')
    PAST_RUN = 'past'

    def __init__(self, robot: Robot, rng: np.random.Generator):
        super().__init__(robot, rng)
        self.others = [AtRandom(robot, rng), Adversary(robot, rng), Jitterer(robot, rng)]
        self.past: deque[Plan] = deque(maxlen=100)
        self.spell, self.back = 'new', 0
        self.sent: Plan | None = None

    def decide(self, look):
        rng = self.rng
        if look.time_s >= self.until_s:
            self.who = self.others[rng.integers(len(self.others))]
            self.back = int(rng.integers(1, 60))
            self.spell = ('new' if rng.random() < 0.3 else 'restamped')
            if rng.random() < 0.1:
                self.spell = str(rng.choice(self.STALE))
            self.until_s = look.time_s + rng.uniform(
                0.5, 1.0 if self.spell in self.STALE else 3.0)
        self.past.append(self.who.decide(look))
        self.sent = self.replayed(look)
        return self.sent

    def replayed(self, look: PlannerView) -> Plan:
        """Take one of the past, or the newest."""
        if self.spell == 'the same' and self.sent is not None:
            return self.sent
        old = self.past[-1 - min(self.back, len(self.past) - 1)]
        if self.spell == 'restamped':
            return replace(old, start_ns=look.start_ns, number=look.number)
        if self.spell == 'past run':
            return replace(old, run=self.PAST_RUN)
        return old if self.spell == 'long ago' else self.past[-1]


KINDS: dict[str, Callable[[Robot, np.random.Generator], AdversarialPlanner]] = {
    'random': AtRandom, 'adversarial': Adversary, 'jittering': Jitterer, 'replayed': Replayer}
