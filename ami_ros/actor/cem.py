# SPDX-License-Identifier: Apache-2.0
"""Searches over knots for the future of least energy: seeded, one thread, best so far in time."""

from collections.abc import Callable

import numpy as np

from ami_ros.actor.cost_to_go import Map, Way
from ami_ros.actor.costs import energies, Future
from ami_ros.core.geometry import between, wrap
from ami_ros.core.interfaces import Imagines
from ami_ros.core.settings import ActorSettings, EnergySettings
from ami_ros.core.types import Belief, Goal, Plan

REFUSALS = 3            # ticks in a row that make a refusal
WANTED, LEFT = 0.15, 0.2    # of the limits asked for, and of that let through
LOOK_S, LOOK_SHARE = 1.2, 0.35      # looking around: time to one side, share of the turn limit
ANOTHER = 0.1           # of the limits: what begins no further off is the same motion


class Actor:
    """A cross-entropy search (Pinneri et al. 2020) with smooth noise, warm-started by time."""

    def __init__(self, dynamics: Imagines, place: Callable[[np.ndarray], np.ndarray],
                 ground: Map, limits: tuple[float, float], settings: ActorSettings,
                 weights: EnergySettings, steady_ns: Callable[[], int],
                 latent_tolerance: float = 0.0):
        # how far latents of one place under different light lie apart at most; 0: not known
        self.latent_tolerance = latent_tolerance
        self.dynamics, self.place, self.ground = dynamics, place, ground
        self.limits, self.steady_ns = np.asarray(limits), steady_ns
        self.way: Way | None = None
        self.goal: Goal | None = None
        self.arrived = False
        self.plan: Plan | None = None
        self.settling_ns: int | None = None
        self.contradicted_ns: int | None = None     # stamp of the newest view that contradicted
        self.unlike_ns: int | None = None   # since when the view at the goal is unlike its image
        self.failure = ''                   # why this goal cannot be reached
        self.refused: list[tuple[int, np.ndarray]] = []     # when, what in shares of the limits
        self.refusals = 0
        # the best of the last search that would have begun otherwise: (v, w), energies by term
        self.second: tuple[tuple[float, ...], tuple[tuple[str, float], ...]] = (), ()
        self.tune(settings, weights)

    def tune(self, settings: ActorSettings, weights: EnergySettings) -> None:
        """Search with other numbers from the next plan on; goal and plan remain."""
        self.settings, self.weights = settings, weights
        self.always = guesses(settings.horizon)[:max(0, settings.candidates // 2 - 1)]

    def set_goal(self, goal: Goal) -> None:
        """Take a new goal; the way to it is worked out once."""
        self.act_nothing()
        self.goal = goal
        self.way = Way(self.ground, goal.place, tuple(self.limits))

    def act_nothing(self) -> None:
        """Forget goal and plan."""
        self.goal, self.way, self.plan, self.arrived = None, None, None, False
        self.settling_ns, self.refused, self.refusals = None, [], 0
        self.contradicted_ns, self.unlike_ns, self.failure = None, None, ''

    def go_on_from(self, other: 'Actor') -> None:
        """Go on with the plan of another, which is made of commands; goals are each their own."""
        self.plan, self.arrived, self.settling_ns = other.plan, other.arrived, other.settling_ns
        self.refused, self.refusals = other.refused, other.refusals
        self.contradicted_ns = other.contradicted_ns

    def rest(self, belief: Belief, arrived: bool) -> Plan:
        """Plan to stand still."""
        return Plan(np.zeros((self.settings.horizon, 2)), self.settings.control_step_s,
                    belief.stamp_ns,
                    belief.number, belief.run, self.goal.number if self.goal else 0, arrived,
                    belief.surprise, disagreement=belief.disagreement,
                    out_of_distribution=belief.out_of_distribution)

    def at_goal(self, belief: Belief) -> bool:
        """Tell whether the robot takes itself to be there: close, or close enough for a while.

        Never while what it sees contradicts where it believes to be, as after it was carried.
        """
        assert self.goal is not None        # `act` set it
        off, w = between(self.goal.place, belief.place), self.weights
        if not self.confirmed(belief):
            self.settling_ns = None
            return False
        away, turn = float(np.hypot(off[0], off[1])), abs(off[2])
        if away > w.leave_m:        # somewhere else: another arrival may look right
            self.unlike_ns = None
        if self.arrived:
            return away < w.leave_m
        if not (away < w.settle_m and turn < w.settle_rad):
            self.settling_ns = None
            return False
        if self.settling_ns is None:
            self.settling_ns = belief.stamp_ns
        return bool((away < w.arrive_m and turn < w.arrive_rad)
                    or belief.stamp_ns - self.settling_ns >= w.settle_s * 1e9)

    def alike(self, seen: Belief) -> bool:
        """Tell whether the view agrees with the goal image, besides the places read from both."""
        assert self.goal is not None
        far = float(np.sqrt(np.mean((seen.z - self.goal.z) ** 2)))
        most = self.weights.arrive_latent or self.latent_tolerance
        same = not most or far <= most
        if same:
            self.unlike_ns = None
        return same

    def look_around(self, belief: Belief, seen: Belief) -> Plan:
        """Turn to and fro for other views, which may correct the belief; then give the goal up."""
        self.unlike_ns = seen.stamp_ns if self.unlike_ns is None else self.unlike_ns
        looked_s = (seen.stamp_ns - self.unlike_ns) / 1e9
        self.plan = None
        if looked_s > self.weights.look_around_s:
            self.failure = 'goal does not look like here'
        still = self.rest(belief, False)
        if self.failure:
            return still
        side = 1.0 if int(looked_s / LOOK_S + 0.5) % 2 == 0 else -1.0
        still.knots[:, 1] = side * LOOK_SHARE * self.limits[1]
        return still

    def confirmed(self, belief: Belief) -> bool:
        """Tell whether the views have agreed with the believed place for a while."""
        if not belief.contradiction <= 1.0:         # so that NaN fails too
            self.contradicted_ns = belief.stamp_ns
        elif self.contradicted_ns is not None and not (
                0 <= belief.stamp_ns - self.contradicted_ns < self.weights.confirm_s * 1e9):
            self.contradicted_ns = None
        return self.contradicted_ns is None

    def notice(self, seen: Belief, let_through: np.ndarray) -> None:
        """Remember for a while what was asked for and not let through."""
        keep_ns = round(self.weights.vetoed_s * 1e9)
        self.refused = [(ns, t) for ns, t in self.refused if 0 <= seen.stamp_ns - ns < keep_ns]
        if self.plan is None:
            self.refusals = 0
            return
        wanted = np.asarray(self.plan.at(seen.stamp_ns - 50_000_000)) / self.limits
        left = np.abs(let_through / self.limits).max()
        stopped = np.abs(wanted).max() > WANTED and left < LEFT * np.abs(wanted).max()
        self.refusals = self.refusals + 1 if stopped else 0
        if self.refusals >= REFUSALS:
            self.refused.append((seen.stamp_ns, wanted))

    def act(self, belief: Belief, seen: Belief, goal: Goal | None,
            deadline_ns: int | None = None, let_through: np.ndarray | None = None) -> Plan:
        """Plan from `belief`, which is when the plan starts; `seen` is the newest corrected one.

        `let_through` (2,) is the mean twist that the critic sent lately, where that is known.
        `deadline_ns` is steady time; without one every iteration is made.
        """
        if goal is None:
            self.act_nothing()
            return self.rest(belief, False)
        if self.goal is None or goal.number != self.goal.number:
            self.set_goal(goal)
        if self.failure:
            return self.rest(belief, False)
        there = self.at_goal(seen)
        if there and not self.arrived and not self.alike(seen):
            return self.look_around(belief, seen)
        self.arrived = there
        if self.arrived:
            self.plan = None
            return self.rest(belief, True)
        if let_through is not None:
            self.notice(seen, let_through)
        self.plan = self.search(belief, deadline_ns)
        return self.plan

    def search(self, belief: Belief, deadline_ns: int | None) -> Plan:
        """Refine a distribution over knots; return the best sequence that was imagined."""
        s = self.settings
        rng = np.random.default_rng([s.seed, belief.number])
        mean, spread = self.begin(belief), np.full((s.horizon, 2), 0.6)
        kept = np.empty((0, s.horizon, 2))
        best, iterations = None, 0
        self.second = (), ()
        origin = self.place(belief.z)
        for iteration in range(s.iterations):
            known = np.concatenate([mean[None], self.always if iteration == 0 else kept])
            noise = smooth_noise(rng, s.candidates - len(known), s.horizon)
            knots = np.clip(np.concatenate([known, mean + spread * noise]), -1, 1)
            terms, imagined = self.judge(belief, origin, knots)
            total = sum(terms.values())
            order = np.argsort(total, kind='stable')
            if best is None or total[order[0]] < best[0]:
                best = (total[order[0]], knots[order[0]],
                        tuple((n, float(e[order[0]])) for n, e in terms.items()),
                        imagined[order[0]])
                self.second = self.runner_up(knots, terms, order)
            elites = knots[order[:s.elites]]
            mean = elites.mean(0)
            spread = np.maximum(elites.std(0), s.min_std)
            kept, iterations = elites[:s.elites_kept], iteration + 1
            if deadline_ns is not None and self.steady_ns() > deadline_ns:
                break
        assert best is not None and self.goal is not None
        return Plan(best[1] * self.limits, s.control_step_s, belief.stamp_ns, belief.number,
                    belief.run,
                    self.goal.number, False, belief.surprise, best[2], best[3], iterations,
                    disagreement=belief.disagreement,
                    out_of_distribution=belief.out_of_distribution)

    def runner_up(self, knots: np.ndarray, terms: dict[str, np.ndarray], order: np.ndarray):
        """Return the best sequence that begins as another motion, for people: twist, energies."""
        first = knots[order, 0]
        others = np.flatnonzero(np.abs(first - first[0]).max(1) > ANOTHER)
        if not len(others):
            return (), ()
        index = order[others[0]]
        return (tuple((knots[index, 0] * self.limits).tolist()),
                tuple((name, float(energy[index])) for name, energy in terms.items()))

    def judge(self, belief: Belief, origin: np.ndarray, knots: np.ndarray):
        """Imagine (N, H, 2) knots in shares of the limits; return energies by term and places."""
        assert self.goal is not None and self.way is not None       # `act` set both
        twists = knots * self.limits
        imagined = self.dynamics.imagine(belief.z, belief.body, twists, self.goal.z)
        # where the model says it would move to, from where the belief says that it is
        carry(imagined.place, origin, belief.place)
        future = Future(twists, imagined, self.way, self.limits, belief.body[:2],
                        np.array([t for _, t in self.refused[-8:]]).reshape(-1, 2))
        return energies(future, self.weights), imagined.place

    def begin(self, belief: Belief) -> np.ndarray:
        """Shift the last plan by the time that passed, or begin at rest; shares of the limits."""
        h = self.settings.horizon
        if self.plan is None or self.plan.run != belief.run:
            return np.zeros((h, 2))
        passed = (belief.stamp_ns - self.plan.start_ns) / 1e9 / self.settings.control_step_s
        had = len(self.plan.knots)          # it may have been of another horizon
        at = np.clip(np.arange(h) + passed, 0, had - 1)
        return np.stack([np.interp(at, np.arange(had), self.plan.knots[:, axis])
                         for axis in range(2)], -1) / self.limits


def guesses(horizon: int) -> np.ndarray:
    """Sequences (N, horizon, 2) that are always worth a thought: straight, arcs, turns, rest."""
    steady = np.array([(1, 0), (.5, 0), (1, .4), (1, -.4), (.5, .6), (.5, -.6), (0, 1),
                       (0, -1), (0, .4), (0, -.4), (-.5, 0), (0, 0)], float)
    turn_then_go = np.tile([1.0, 0.0], (6, horizon, 1))
    for index, (side, knots) in enumerate((side, knots) for side in (-1, 1)
                                          for knots in (1, 2, 4)):
        turn_then_go[index, :knots] = (0.0, side)
    return np.concatenate([np.repeat(steady[:, None], horizon, 1), turn_then_go])


def carry(places: np.ndarray, origin: np.ndarray, to: np.ndarray) -> None:
    """Move places (..., 3), in place, as rigidly as it takes to bring `origin` to `to`."""
    turn = to[2] - origin[2]
    c, s = np.cos(turn), np.sin(turn)
    x, y = places[..., 0] - origin[0], places[..., 1] - origin[1]
    places[..., 0] = to[0] + c * x - s * y
    places[..., 1] = to[1] + s * x + c * y
    places[..., 2] = wrap(places[..., 2] + turn)


def smooth_noise(rng: np.random.Generator, count: int, horizon: int) -> np.ndarray:
    """Unit-variance noise (count, horizon, 2) whose neighbours in time are alike."""
    noise = rng.standard_normal((max(count, 0), horizon, 2))
    for k in range(1, horizon):
        noise[:, k] = 0.6 * noise[:, k - 1] + 0.8 * noise[:, k]
    return noise


