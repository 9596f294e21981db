# SPDX-License-Identifier: Apache-2.0
"""Stops the robot before something that moves reaches it, so that it stands when that arrives."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ami_ros.core.settings import setting, Settings
from ami_ros.core.types import Command, Sighting, Situation
from ami_ros.critic.footprint_sweep import Box, pace, ROUNDING_M, seen_after
from ami_ros.critic.obstacle_points import ObstacleExtractor, sight
from ami_ros.critic.obstacle_tracking import Coming, coming
from ami_ros.critic.rule_interface import Answer, scaled, Stop, twist
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.robot import Robot

LOOKS = 9                   # instants until it stands
SHARES = (1.0, 0.5, 0.25)   # of the command that are tried


@dataclass(frozen=True)
class MovingObstacleParams(Settings):
    """Braking, reaction and the distance beside the robot are shared."""

    max_approach_mps: float = setting(
        None, 'm/s', 0.05, 3.0, 'Maximum speed assumed for a moving obstacle', strict='higher')
    release_s: float = setting(
        None, 's', 0.0, 5.0,
        'Time for which the stop persists after its cause is gone', strict='higher')


@dataclass(frozen=True)
class MovingObstacle:
    """Nothing that moves comes within side_distance_m before the robot stands.

    The robot goes on along the arc for reaction_s and then brakes; what moves goes on as it does.
    What is nearer already must not come nearer. Only what is seen to move counts here: what
    stands is the business of the other rules of the way.
    """

    box: Box
    reaction_s: float
    braking_mps2: float
    side_distance_m: float
    max_approach_mps: float
    max_speed_mps: float
    names: tuple[str, ...]      # of the sensors whose points are where they say
    sight: ObstacleExtractor
    name: str = 'moving_obstacle'
    release_s: float = 0.0      # it stands on after the cause is gone
    release: ClassVar[str] = 'what comes has passed, or stands'
    # the newest sightings and what moves in them: several ticks ask for the same
    found: dict = field(default_factory=dict, init=False, compare=False, repr=False)

    def limit(self, command: Command, situation: Situation) -> Answer:
        v, w = twist(command)
        self.sight.obstacles(situation)         # who sees nothing may not go
        if v == 0 and w == 0:
            return Answer(command)
        things = [one for seen in situation.memory.sightings if seen[0].scan.name in self.names
                  for one in self.now(seen, situation)]
        reason = ''
        for share in SHARES:
            found = [self.meets(share * v, share * w, one) for one in things]
            met = [one.speeds[who] for one, who in zip(things, found, strict=True) if who.any()]
            if not met:
                return Answer(scaled(command, share), reason) if reason else Answer(command)
            fastest = np.abs(np.concatenate(met)).max()
            reason = (f'something that moves at {fastest:.3f} m/s comes within '
                      f'{self.side_distance_m:.3f} m before the robot stands')
        raise Stop(reason)

    def now(self, seen: tuple[Sighting, ...], situation: Situation) -> list[Coming]:
        """Say what moves, seen from each place where the robot may be when a command acts."""
        scan = seen[0].scan
        known = self.found.get(scan.name)
        if known is None or known[0] is not scan:
            near = self.box.radius_m + self.side_distance_m + self.horizon(
                self.max_speed_mps) * (self.max_approach_mps + self.max_speed_mps)
            known = self.found[scan.name] = scan, coming(seen, near, self.max_approach_mps)
        thing = known[1]
        if not thing.points.size:
            return []
        late = max(0, situation.now_ns - scan.stamp_ns) / 1e9 + self.sight.lag_s
        there = thing.points + thing.speeds * late
        return [Coming(seen_after(there, m, rad), thing.speeds * np.exp(-1j * rad))
                for m, rad in self.sight.drifts(situation, scan.stamp_ns)]

    def horizon(self, speed_mps: float) -> float:
        """Return how long it takes to stand from a speed, s."""
        return self.reaction_s + speed_mps / self.braking_mps2

    def meets(self, v: float, w: float, thing: Coming) -> np.ndarray:
        """Tell which points come too near before the robot stands, (N,) bool."""
        if not thing.points.size:
            return np.zeros(0, bool)
        speed = pace(v, w, self.box)
        times = np.linspace(0.0, self.horizon(speed), LOOKS)
        braked = np.maximum(times - self.reaction_s, 0.0)
        way = times - braked**2 * self.braking_mps2 / (2 * speed)       # s at full speed
        there = thing.points[:, None] + thing.speeds[:, None] * times
        gaps = self.box.gap(seen_after(there, v * way, w * way))
        least = np.minimum(gaps[:, 0], self.side_distance_m) - ROUNDING_M
        return gaps.min(axis=1) < least


def make(own: MovingObstacleParams, shared: Shared, robot: Robot) -> MovingObstacle:
    """Make the rule of a policy."""
    names = tuple(s.name for s in robot.sensors_of('LaserScan', 'PointCloud2'))
    return MovingObstacle(Box.around(robot.body.footprint), shared.reaction_s, shared.braking_mps2,
                    shared.side_distance_m, own.max_approach_mps, shared.max_speed_mps, names,
                    sight(shared, robot), release_s=own.release_s)
