# SPDX-License-Identifier: Apache-2.0
"""The frozen protocol: how starts and goals are drawn, what counts as reached and as success.

Changing a number here makes every published figure another figure.
"""

from dataclasses import asdict, dataclass
import math

import numpy as np

from ami_ros.core.geometry import wrap
from ami_ros.robots.robot import Robot
from ami_ros.sim.furnished_room import Place
from ami_ros.sim.simulator_interface import Truth

CONTROL_STEP_S = 0.25
BUDGET = 2.5            # times the goal drive's length
REACHED_M, REACHED_RAD = 0.3, math.radians(25)
REST_S = 1.0            # inside the bounds, after the robot declared its arrival
REST_MPS = 0.02         # slower than this is rest
LEAST_M = 0.5           # between start and goal
STOP_M = 0.05           # the goal pose is clear of obstacles by this, around the footprint
PURPOSE = 0x6041        # salts the stream, so that no training or tuning stream meets it
SEGMENT_S = (0.5, 2.0)
SPEEDS = (-0.15, 0.6)   # m/s of a segment, uniform
TURNS = (-1.5, 1.5)     # rad/s of a segment, uniform


@dataclass(frozen=True)
class GoalDrive:
    """Where an episode begins and the pose at which its goal picture is taken."""

    start: np.ndarray       # (3,) x m, y m, yaw rad, room frame
    goal: np.ndarray        # (3,)
    blocks: int             # actions between them along the drive


def goal_drive(world: Place, robot: Robot, blocks: int, seed: int,
               purpose: int = PURPOSE) -> GoalDrive:
    """Draw an episode: segments of constant twist, `blocks` actions long, clear all the way."""
    rng = np.random.default_rng([world.seed, seed, blocks, purpose])
    clear = robot.radius_m + STOP_M
    for _ in range(5000):
        start = np.array([*rng.uniform(-world.half_m, world.half_m, 2),
                          rng.uniform(-math.pi, math.pi)])
        if world.distance(start[:2]) < clear:
            continue
        pose, left_s, twist = start.copy(), 0.0, (0.0, 0.0)
        for _ in range(round(blocks * CONTROL_STEP_S / 0.05)):
            if left_s <= 1e-9:
                left_s = rng.uniform(*SEGMENT_S)
                twist = rng.uniform(*SPEEDS), rng.uniform(*TURNS)
            middle = pose[2] + twist[1] * 0.025
            pose = pose + 0.05 * np.array([twist[0] * math.cos(middle),
                                           twist[0] * math.sin(middle), twist[1]])
            left_s -= 0.05
            if world.distance(pose[:2]) < clear:
                break
        else:
            if math.hypot(*(pose - start)[:2]) >= LEAST_M:
                pose[2] = wrap(pose[2])
                return GoalDrive(start, pose, blocks)
    raise RuntimeError(f'no goal drive of {blocks} actions fits into world {world.seed}')


@dataclass(frozen=True)
class Episode:
    """What came of an episode, as reports write it."""

    seed: int
    reached: bool
    success: bool
    steps: int              # actions of 0.25 s that were spent
    collisions: int
    final_distance_m: float
    final_yaw_error_rad: float
    duration_s: float
    declared: bool

    @property
    def false_arrival(self) -> bool:
        """Tell whether the robot declared its arrival and came to rest out of bounds."""
        return self.declared and not (self.final_distance_m <= REACHED_M
                                      and self.final_yaw_error_rad <= REACHED_RAD)


class Judge:
    """Watches the truth of one episode; the robot never hears of it."""

    def __init__(self, drive: GoalDrive, seed: int):
        self.drive, self.seed = drive, seed
        self.budget_s = BUDGET * drive.blocks * CONTROL_STEP_S
        self.reached, self.collisions, self.touching = False, 0, False
        self.declared_s: float | None = None
        self.rest_s, self.last_s, self.success = 0.0, 0.0, False
        self.off = (math.inf, math.inf)

    def watch(self, truth: Truth, arrived: bool, time_s: float) -> bool:
        """Take one look, at least every 0.1 s; return True when the episode is over."""
        goal = self.drive.goal
        self.off = (float(math.hypot(*(truth.pose - goal)[:2])),
                    float(abs(wrap(truth.pose[2] - goal[2]))))
        inside = self.off[0] <= REACHED_M and self.off[1] <= REACHED_RAD
        self.reached = self.reached or (inside and time_s <= self.budget_s)
        self.collisions += truth.touching and not self.touching
        self.touching = truth.touching
        if arrived and self.declared_s is None and time_s <= self.budget_s:
            self.declared_s = time_s
        elif not arrived:
            self.declared_s, self.rest_s = None, 0.0
        if self.declared_s is not None:
            resting = inside and truth.speed_mps < REST_MPS
            self.rest_s = self.rest_s + (time_s - self.last_s) if resting else 0.0
        self.last_s = time_s
        self.success = self.rest_s >= REST_S - 1e-6 and self.collisions == 0
        if self.success:
            return True
        if self.declared_s is not None:     # it stands; a little time to come to rest
            return time_s >= self.declared_s + 2 * REST_S
        return time_s >= self.budget_s

    def episode(self) -> Episode:
        """Write down what came of it."""
        return Episode(self.seed, bool(self.reached), bool(self.success),
                       math.ceil(self.last_s / CONTROL_STEP_S - 1e-9), int(self.collisions),
                       self.off[0], self.off[1], self.last_s, self.declared_s is not None)


def report(protocol: dict, episodes: list[Episode], **more) -> dict:
    """Make the report of a run of episodes."""
    n = max(1, len(episodes))
    return {
        'protocol': {'action_s': CONTROL_STEP_S, 'budget': BUDGET, 'reached_m': REACHED_M,
                     'reached_rad': REACHED_RAD, 'rest_s': REST_S, 'least_m': LEAST_M,
                     **protocol},
        'episodes': [asdict(e) for e in episodes],
        'success_rate': sum(e.success for e in episodes) / n,
        'reached_rate': sum(e.reached for e in episodes) / n,
        'false_arrival_rate': sum(e.false_arrival for e in episodes) / n,
        'collision_rate': sum(e.collisions > 0 for e in episodes) / n,
        **more,
    }
