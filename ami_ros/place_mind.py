# SPDX-License-Identifier: Apache-2.0
"""
One tick in a place that was toured, on one page: frame > tokens > place > goal > plan.

The general model compares images; the memory says where the robot is and where the goal image was
taken; the actor searches with the body model on the ground that the tour found free. The critic
judges the plan elsewhere.
"""

from collections import deque
from dataclasses import dataclass
import math

import numpy as np

from ami_ros.actor.body_model import BodyModel
from ami_ros.actor.cem import Actor
from ami_ros.actor.cost_to_go import Map
from ami_ros.core.errors import AmiError
from ami_ros.core.geometry import between, compose, wrap
from ami_ros.core.settings import ActorSettings, EnergySettings
from ami_ros.core.types import Belief, Command, Frame, Goal, Plan, Scan
from ami_ros.memory.localization import LOCALISED, Localization
from ami_ros.memory.place_memory import PlaceMemory
from ami_ros.memory.readings import Cluster, mean_pose, PairNetworks

UNKNOWN, UNLIKE = 'unknown place', 'goal does not look like here'


@dataclass(frozen=True)
class PlaceSettings:
    """Numbers of driving by a place memory."""

    goal_weight: float = 200.0      # least weight of readings of a goal image that is known
    goal_places: int = 3            # places that a goal image is tried at, one after another
    look_share: float = 0.4         # of the turn limit, while looking around
    look_around_s: float = 9.0      # for a first or better idea of where the robot is
    near_m: float = 2.0             # to the goal: the view is compared with the goal image itself
    reading_same: float = 0.8       # least probability that view and goal image show one place
    reading_m: float = 0.25         # most expected error of a reading that corrects the goal
    step_m: float = 0.08            # a goal that moved this far is a new one to the actor
    step_rad: float = 0.12
    views: int = 8                  # of the newest readings at the goal that confirm an arrival
    confirm_same: float = 0.6       # median probability of these
    confirm_m: float = 0.25         # the goal image was taken this near, by their mean
    confirm_rad: float = 0.3
    wait_s: float = 1.5             # at rest at the goal, for readings that confirm it


class PlaceMind:
    """Tours, localises, drives to goal images."""

    def __init__(self, networks: PairNetworks, lag_s: float, limits: tuple[float, float],
                 actor: ActorSettings, energy: EnergySettings, steady_ns,
                 settings: PlaceSettings = PlaceSettings()):
        self.networks, self.settings, self.limits = networks, settings, limits
        self.memory = PlaceMemory(networks)
        self.localization = Localization(networks, self.memory.keyframes)
        self.body = BodyModel(lag_s, actor.control_step_s)
        self.actor_settings, self.energy, self.steady_ns = actor, energy, steady_ns
        self.actor: Actor | None = None
        self.failure, self.number, self.run = '', 0, ''
        self.goal_pose: np.ndarray | None = None     # (3,) frame of the memory
        self.goal_error_m = math.inf

    def tour(self, frame: Frame, scan: Scan | None) -> None:
        """Take a frame while somebody drives the robot around."""
        self.memory.see(frame.image, frame.odometry, scan)

    def finish_tour(self) -> None:
        """Optimise the memory; AmiError where the tour showed nothing."""
        self.memory.solve()
        ground = self.memory.ground
        if ground is None:
            raise AmiError('the tour had no lidar scan, so that no ground is known to be free')
        self.actor = Actor(self.body, self.body.place,
                           Map(ground.cost, ground.origin, ground.cell_m), self.limits,
                           self.actor_settings, self.energy, self.steady_ns)

    def begin(self, image: np.ndarray) -> None:
        """Take a goal image, (H, W, 3) uint8 rgb; look for it in the memory."""
        assert self.actor is not None       # after finish_tour
        self.actor.act_nothing()
        self.goal_tokens = self.networks.encode(image[None])[0]
        self.places = [place for place in self.memory.locate(
            self.goal_tokens[0], self.settings.goal_places)
            if place.weight >= self.settings.goal_weight]
        self.failure, self.goal_pose = ('' if self.places else UNKNOWN), None
        self.since_ns: int | None = None
        if self.places:
            self._try(self.places.pop(0))

    def _try(self, place: Cluster) -> None:
        """Drive to one of the places where the goal image may have been taken."""
        self.goal_pose, self.goal_error_m = place.pose, max(0.15, 2 * place.error_m)
        self.number += 1
        self.goal = Goal(self.goal_pose, self.goal_pose.copy(), self.number)
        self.seen: deque[tuple[np.ndarray, float]] = deque(maxlen=self.settings.views)
        self.waiting_ns: int | None = None

    @property
    def located(self) -> tuple[np.ndarray | None, str]:
        """The pose that is believed in, in the frame of the memory, and the state."""
        best = self.localization.best
        return (None if best is None else best.pose), self.localization.state

    def decide(self, frame: Frame, commands: tuple[Command, ...]) -> Plan:
        """Plan from a frame."""
        assert self.actor is not None
        if frame.run != self.run:           # odometry begins anew, and so may the place
            self.localization.reset()
            self.run = frame.run
        tokens, descriptors = self.networks.encode(frame.image[None])
        self.localization.update(tokens[0], descriptors[0], frame.odometry)
        pose, state = self.located
        place = np.zeros(3) if pose is None else pose
        belief = Belief(place, frame.body, place, frame.odometry, frame.stamp_ns, 1.0, 1.0,
                        frame.number, frame.run)
        if self.failure:
            return self.actor.rest(belief, False)
        if pose is None or state != LOCALISED:
            return self._look_around(belief)
        self.since_ns = None
        self._compare_with_goal(tokens, pose)
        plan = self.actor.act(belief, belief, self.goal)
        if plan.arrived:
            return self._confirmed(belief, plan)
        self.waiting_ns = None
        return plan

    def _look_around(self, belief: Belief) -> Plan:
        """Turn on the spot, so that other views tell where the robot is; at last give up."""
        assert self.actor is not None
        self.actor.plan = None
        if self.since_ns is None:
            self.since_ns = belief.stamp_ns
        looked_s = (belief.stamp_ns - self.since_ns) / 1e9
        if looked_s > 3 * self.settings.look_around_s:
            self.failure = UNKNOWN
        plan = self.actor.rest(belief, False)
        if not self.failure:
            side = 1.0 if looked_s % (2 * self.settings.look_around_s) \
                < self.settings.look_around_s else -1.0
            plan.knots[:, 1] = side * self.settings.look_share * self.limits[1]
        return plan

    def _compare_with_goal(self, tokens: np.ndarray, pose: np.ndarray) -> None:
        """Near the goal the view is compared with the goal image, which corrects the goal."""
        s = self.settings
        if math.hypot(*(pose - self.goal_pose)[:2]) > s.near_m:
            return
        got = self.networks.compare(tokens, self.goal_tokens)
        same, error_m = float(got.same[0]), float(got.error_m[0])
        self.seen.append((got.pose[0], same))
        if same < s.reading_same or error_m > s.reading_m:
            return
        off = compose(pose, got.pose[0]) - self.goal_pose
        off[2] = wrap(off[2])
        error_m = max(0.08, 1.5 * error_m)
        if math.hypot(*off[:2]) > 3 * (self.goal_error_m + error_m) + 0.3:
            return
        near = math.hypot(*got.pose[0][:2]) < 0.8
        self.goal_error_m = math.hypot(self.goal_error_m, 0.04 if near else 0.02)
        gain = self.goal_error_m ** 2 / (self.goal_error_m ** 2 + error_m ** 2)
        self.goal_pose = self.goal_pose + gain * off
        self.goal_pose[2] = wrap(self.goal_pose[2])
        self.goal_error_m *= math.sqrt(1 - gain)
        moved = between(self.goal.place, self.goal_pose)
        if math.hypot(*moved[:2]) > s.step_m or abs(moved[2]) > s.step_rad:
            self.number += 1
            self.goal = Goal(self.goal_pose.copy(), self.goal_pose.copy(), self.number)

    def _confirmed(self, belief: Belief, plan: Plan) -> Plan:
        """Declare the arrival only where the newest views agree with the goal image itself."""
        s = self.settings
        assert self.actor is not None
        if self.waiting_ns is None:
            self.waiting_ns = belief.stamp_ns
            self.seen.clear()
        waited_s = (belief.stamp_ns - self.waiting_ns) / 1e9
        if len(self.seen) == s.views:
            poses = np.array([pose for pose, _ in self.seen])
            mean = mean_pose(poses, np.ones(len(poses)))
            if np.median([same for _, same in self.seen]) >= s.confirm_same and math.hypot(
                    *mean[:2]) <= s.confirm_m and abs(mean[2]) <= s.confirm_rad:
                return plan
        if waited_s > s.wait_s:
            self.actor.arrived = False
            if self.places:
                self._try(self.places.pop(0))
            else:
                self.failure = UNLIKE
        return self.actor.rest(belief, False)
