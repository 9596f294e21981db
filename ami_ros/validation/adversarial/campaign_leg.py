# SPDX-License-Identifier: Apache-2.0
"""One leg: a rover in a room of its own, a planner that means ill, the critic, and the truth.

A leg hangs on its seed, kind and length alone; so a campaign may end and go on between two.

All times are whole steps of 5 ms. As on the robot: the critic ticks at 50 Hz and judges a plan
when it comes; scans at 20 Hz and odometry at 40 Hz arrive a little later than they are stamped; a
plan is made of a frame and comes within the robot's latency after it.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
import heapq
import math
from typing import cast

import numpy as np

from ami_ros.core.types import Odometry, Permit, Plan, Scan, Verdict, View
from ami_ros.critic.critic import Critic, still
from ami_ros.critic.footprint_sweep import Box
from ami_ros.critic.safety_policy.policy_loader import Policy
from ami_ros.robots.robot import Robot
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.sensors import DeadReckoning, Noise
from ami_ros.validation.adversarial.ground_truth_guard import (
    kept,
    Margin,
    obeying,
    PerfectGuard,
    STEPS_A_TICK,
)
from ami_ros.validation.adversarial.moving_pieces import set_moving
from ami_ros.validation.adversarial.planners import KINDS, PlannerView, Replayer
from ami_ros.validation.adversarial.room_geometry import Ground
from ami_ros.validation.adversarial.vehicle import places, STEP_NS, STEP_S, Vehicle, VehicleState

BEGIN_NS = 10**9            # no stamp is zero
SCAN_STEPS, ODOMETRY_STEPS, FRAME_STEPS = 10, 5, 20     # 20, 40 and 10 Hz
LATE_STEPS = (1, 3)         # scans and odometry come 5 to 15 ms after their stamps
PLAN_STEPS = 11             # a plan comes 55 ms after its frame
WINDOW_S = 10.0             # the rover of the perfect guard is put beside the real one so often
TOUCH_M = 0.0005            # nearer than this it touches
MOVED_MPS = 0.02            # a touch at less is none of the rover's doing
VISIBLE_S = 0.5             # what was in sight for less cannot be stopped for
FREE_M = 0.3                # around a rover that is put somewhere
WEDGED_M, FREE_WAY_M = 0.02, 0.5    # in a window: the rover moved less, another would have more


@dataclass(frozen=True)
class LegSpec:
    """What leg to drive."""

    seed: int               # of the campaign
    index: int              # of the leg
    kind: str               # of the planner
    moving: bool
    seconds: float

    @property
    def world_seed(self) -> int:
        """Return which room it is; no two legs of any two campaigns share one."""
        return self.seed * 100_000 + self.index


@dataclass
class Touch:
    """A touch, whosever fault it was."""

    leg: int
    kind: str
    time_s: float
    what: str
    moves_mps: float        # how fast what was touched moves
    pace_mps: float         # of the rover's fastest part
    visible_s: float        # for how long it had been in sight
    collision: bool
    rule: str               # what the critic said last
    twist: tuple[float, float]


@dataclass
class Tally:
    """What came of a leg; sums."""

    kind: str
    world_seed: int
    hours: float = 0.0
    ticks: int = 0
    moving_ticks: int = 0           # on which the plan moves, and may be obeyed by its age
    stopped_ticks: int = 0          # of these, nothing went out
    false_stops: Counter = field(default_factory=Counter)       # of these, by rule
    crawling_ticks: int = 0         # of the moving ones, slower than 0.02 m/s though not stopped
    expired_ticks: int = 0          # on which the plan moves, but is too old to be obeyed
    expired_false_stops: int = 0    # stops on those that would count but for that
    expired_obeyed: int = 0         # and motions
    slow_rules: Counter = field(default_factory=Counter)        # who slowed, by rule
    way_m: float = 0.0
    perfect_way_m: float = 0.0
    turned_rad: float = 0.0
    perfect_turned_rad: float = 0.0
    nearest_m: float = math.inf     # clearance while it moved by itself, in a room that stands
    wedged: list = field(default_factory=list)      # s, windows
    touches: list = field(default_factory=list)
    verdicts: int = 0

    def plain(self) -> dict:
        """Return it as JSON writes it."""
        return {**asdict(self), 'false_stops': dict(self.false_stops),
                'slow_rules': dict(self.slow_rules),
                'nearest_m': self.nearest_m if math.isfinite(self.nearest_m) else None}


class AdversarialLeg:
    """Drives one leg."""

    def __init__(self, ask: LegSpec, policy: Policy, robot: Robot, noise: Noise | None = None):
        self.ask, self.policy, self.robot = ask, policy, robot
        self.noise = Noise() if noise is None else noise
        world = worlds.draw(ask.world_seed)
        paths: dict = {}
        self.rng, of_room, of_planner = (np.random.default_rng(
            [ask.seed, ask.index, list(KINDS).index(ask.kind), ask.moving, salt])
            for salt in (1, 2, 3))
        if ask.moving:
            world, paths = set_moving(world, of_room, ask.seconds)
        self.ground = Ground(world, Box.around(robot.body.footprint), paths)
        self.planner = KINDS[ask.kind](robot, of_planner)
        shared = policy.shared
        self.margin = Margin(shared.side_distance_m, shared.stop_distance_m)
        self.tally = Tally(ask.kind, ask.world_seed)
        angles = -math.pi + 2 * math.pi * np.arange(robot.lidar_beams) / robot.lidar_beams
        self.angles, mount = angles, robot.body.mount(robot.lidar.link)
        self.mount = mount[0], mount[1], mount[5]
        self.step = 0
        self.place()
        self.perfect = PerfectGuard(self.ground, Vehicle(robot, self.car.state),
                                    self.critic.rules, self.margin)
        self.window()

    # ---- beginnings
    def place(self) -> None:
        """Put the rover somewhere free, at rest, with a critic that knows nothing yet."""
        half = self.ground.half_m
        while True:
            x, y = self.rng.uniform(-half, half, 2)
            yaw = self.rng.uniform(-math.pi, math.pi)
            gaps = self.ground.clearance(np.array([complex(x, y)]), np.array([yaw]),
                                         np.array([self.time_s]))
            if gaps.min() > FREE_M:
                break
        self.car = Vehicle(self.robot, VehicleState(float(x), float(y), float(yaw)))
        body = self.robot.body
        self.reckoning = DeadReckoning(body.wheel_radius_m, body.track_m, self.noise, self.rng)
        self.reckoning.update(0.0, 0.0, 0.0)
        self.critic = Critic(self.policy, self.robot)
        self.critic.on_plan(Plan(np.zeros((1, 2)), 0.25, self.now_ns, run=Replayer.PAST_RUN),
                            self.now_ns)
        self.coming: list[tuple[int, int, str, tuple]] = []    # (step, order, method, what)
        self.order, self.told = 0, (0.0, 0.0)
        self.verdict: Verdict | None = None
        self.safe_steps = 0         # for so long it can touch nothing
        self.answered: tuple[object, bool] = (None, False)
        self.unseen_step = np.full(len(self.ground.names), self.step)

    def window(self) -> None:
        """Put the rover of the perfect guard beside the real one."""
        self.perfect.begin(self.car, self.critic.last, self.critic.keeper.last
                           if self.verdict is not None else still(0))
        self.window_step, self.began = self.step, (self.car.way_m, self.perfect.car.way_m)

    @property
    def time_s(self) -> float:
        """Return the time since the leg began."""
        return self.step * STEP_S

    @property
    def now_ns(self) -> int:
        """Return what both clocks say."""
        return BEGIN_NS + self.step * STEP_NS

    # ---- what comes
    def send(self, late: int, method: str, *what) -> None:
        """Let the critic hear something so many steps later."""
        self.order += 1
        heapq.heappush(self.coming, (self.step + late, self.order, method, what))

    def sense(self) -> None:
        """Take what is due of scan, odometry and frame."""
        at, s = self.step, self.car.state
        if at % ODOMETRY_STEPS == 0:
            radius = self.robot.body.wheel_radius_m
            if at:
                self.reckoning.update(self.car.rims[0] / radius, self.car.rims[1] / radius,
                                      ODOMETRY_STEPS * STEP_S)
            late = int(self.rng.integers(*LATE_STEPS, endpoint=True))
            self.send(late, 'on_odometry', Odometry(
                self.reckoning.pose.copy(), self.reckoning.twist.copy(), self.now_ns,
                self.now_ns + late * STEP_NS, self.robot.odometry.name))
        if at % SCAN_STEPS == 0:
            late = int(self.rng.integers(*LATE_STEPS, endpoint=True))
            self.send(late, 'on_scan', self.scan(late))
        if at % FRAME_STEPS == 0:
            plan = self.planner.decide(PlannerView(
                self.ground, s, self.time_s,
                self.now_ns + round(self.robot.latency_s * 1e9), at // FRAME_STEPS + 1))
            self.send(PLAN_STEPS // 2, 'on_view', self.view())
            self.send(0, 'on_permit', Permit('autonomous', '', self.now_ns, self.now_ns))
            self.send(PLAN_STEPS, 'on_plan', plan, self.now_ns + PLAN_STEPS * STEP_NS)

    def scan(self, late: int) -> Scan:
        """Sweep the lidar, as the critic hears it; note what is in sight."""
        x, y, yaw = self.mount
        s = self.car.state
        origin = complex(s.x, s.y) + complex(x, y) * complex(math.cos(s.yaw), math.sin(s.yaw))
        true, who = self.ground.rays(origin, self.angles + yaw + s.yaw, self.time_s)
        low, high = self.robot.lidar_range_m
        seen = np.zeros(len(self.ground.names), bool)
        seen[who[true <= high]] = True
        self.unseen_step[~seen] = self.step
        ranges = np.maximum(true + self.rng.normal(0, self.noise.lidar_m, true.size), low)
        return Scan(np.where(true > high, np.inf, ranges), self.angles, self.mount, self.now_ns,
                    self.now_ns + late * STEP_NS, self.robot.lidar.name)

    def view(self) -> View:
        """Take a picture: nobody draws any here, but each is another one, and none is empty."""
        late = PLAN_STEPS // 2
        return View(self.robot.camera.name, self.now_ns, self.now_ns + late * STEP_NS,
                    self.robot.camera_size[::-1], str(self.step), 60.0)

    def hear(self) -> bool:
        """Give the critic what has come; return whether a plan was taken."""
        taken = False
        while self.coming and self.coming[0][0] <= self.step:
            *_, method, what = heapq.heappop(self.coming)
            answer = getattr(self.critic, method)(*what)
            taken = taken or (method == 'on_plan' and answer)
        return taken

    # ---- driving
    def drive(self) -> Tally:
        """Drive it all; return what came of it."""
        steps = round(self.ask.seconds / STEP_S)
        while self.step < steps:
            self.sense()
            taken, tick = self.hear(), self.step % STEPS_A_TICK == 0
            if taken or tick:
                plan = self.critic.drivers.plan
                self.verdict = self.critic.judge(self.now_ns, self.now_ns)
                self.tally.verdicts += 1
                self.told = tuple(self.verdict.command.values.tolist())
                if tick:
                    self.note(plan)
            if self.go():
                self.close_window()
                self.place()
                self.window()
            elif (self.perfect.touched      # something ran into it; it cannot go on from there
                  or (self.step - self.window_step) * STEP_S >= WINDOW_S):
                self.close_window()
                self.window()
        self.close_window()
        self.tally.hours = self.ask.seconds / 3600
        return self.tally

    def go(self) -> bool:
        """Let 5 ms pass; return whether something was touched."""
        before = self.car.way_m, self.car.turned_rad
        self.car.drive(self.told, 1)
        self.step += 1
        self.tally.way_m += self.car.way_m - before[0]
        self.tally.turned_rad += self.car.turned_rad - before[1]
        self.safe_steps -= 1
        if self.safe_steps > 0:
            return False
        s = self.car.state
        gaps = self.ground.clearance(np.array([complex(s.x, s.y)]), np.array([s.yaw]),
                                     np.array([self.time_s]))[0]
        who = int(gaps.argmin())
        fastest = (self.car.limits[0] + self.car.radius_m * self.car.limits[1]
                   + self.ground.fastest_mps)
        self.safe_steps = int(gaps[who] / fastest / STEP_S)
        if self.car.pace > MOVED_MPS and not self.ask.moving:
            self.tally.nearest_m = min(self.tally.nearest_m, float(gaps[who]))
        if gaps[who] > TOUCH_M:
            return False
        visible = (self.step - int(self.unseen_step[who])) * STEP_S
        pace = self.car.pace
        self.tally.touches.append(asdict(Touch(
            self.ask.index, self.ask.kind, round(self.time_s, 3), self.ground.names[who],
            round(float(self.ground.speeds(self.time_s)[who]), 4), round(pace, 4),
            round(visible, 3), bool(pace > MOVED_MPS and visible >= VISIBLE_S),
            self.verdict.rule if self.verdict else '',
            (round(self.car.twist[0], 4), round(self.car.twist[1], 4)))))
        return True

    def note(self, plan: Plan | None) -> None:
        """Judge the critic's answer of this tick by the truth; let the perfect guard drive."""
        tally, now = self.tally, self.now_ns
        v, w = (0.0, 0.0) if plan is None else map(float, plan.at(now))
        tally.ticks += 1
        self.perfect.tick((v, w), now, self.time_s)
        if plan is None or not (v or w):
            return
        age = (now - plan.start_ns) / 1e9
        expired = age > self.policy.shared.max_plan_age_s
        stopped = not any(self.told)
        false = stopped and self.would_keep(plan)
        if expired:
            tally.expired_ticks += 1
            tally.expired_false_stops += false
            tally.expired_obeyed += not stopped
            return
        tally.moving_ticks += 1
        tally.stopped_ticks += stopped
        verdict = cast(Verdict, self.verdict)
        rule = verdict.rule
        if false:
            tally.false_stops[rule] += 1
        if verdict.action == 'slow':
            tally.slow_rules[rule] += 1
            v, w = self.told
            tally.crawling_ticks += max(abs(v), abs(w) * self.car.radius_m) < MOVED_MPS

    def would_keep(self, plan: Plan) -> bool:
        """Tell whether obeying 0.3 s more and then braking would have kept the margin."""
        told, car = obeying(plan, self.now_ns), self.car
        asked = None
        if not self.ask.moving and car.pace < 1e-4:     # it stands: the same, the same answer
            asked = tuple(told), *(round(value, 5) for value in car.state[:3])
            if asked == self.answered[0]:
                return self.answered[1]
        answer = kept(self.ground, car, told, self.time_s, self.margin, self.nearest())
        self.answered = asked, answer
        return answer

    def nearest(self) -> float:
        """Return the clearance now."""
        return float(self.ground.clearance(*places([self.car.state]),
                                           np.array([self.time_s])).min())

    def close_window(self) -> None:
        """Add what the perfect guard drove; note where the rover could not leave."""
        car, tally = self.perfect.car, self.tally
        tally.perfect_way_m += car.way_m
        tally.perfect_turned_rad += car.turned_rad
        own = self.car.way_m - self.began[0]
        whole = (self.step - self.window_step) * STEP_S >= WINDOW_S
        if whole and own < WEDGED_M and car.way_m > FREE_WAY_M:
            tally.wedged.append(round(self.time_s, 1))
        car.way_m = car.turned_rad = 0.0
        self.began = self.car.way_m, 0.0
