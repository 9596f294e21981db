# SPDX-License-Identifier: Apache-2.0
"""What is evaluated: a planner that is toured through a scene and then driven to goal pictures."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ami_ros.core.geometry import between
from ami_ros.core.types import Command, Frame, Plan, Scan
from ami_ros.sim.scenes.scene import Scene
from ami_ros.sim.simulator import Simulator

LOCALISED, UNSURE, LOST = 'localised', 'unsure', 'lost'


class TouredPlanner(Protocol):
    """Builds a memory while the robot is toured, then decides what to do next.

    It may also have `goal_place`: the pose (3,) at which it believes that the goal picture was
    taken, in the frame of its memory, or None. The report then has the error of it.
    """

    @property
    def located(self) -> tuple[np.ndarray | None, str]:
        """Believed pose (3,) at the last frame, and LOCALISED, UNSURE or LOST.

        x m, y m, yaw rad in the frame of the memory, whose origin is the pose at the first frame
        of the tour; None where there is no belief.
        """

    @property
    def failure(self) -> str:
        """Why the goal cannot be reached; '' while it may be."""

    def tour(self, frame: Frame, scan: Scan) -> None:
        """Take a look while somebody else drives."""

    def finish_tour(self) -> None:
        """Work out what the tour showed; how long this takes is reported."""

    def begin(self, seed: int, picture: np.ndarray) -> None:
        """Start towards a goal picture. The memory stays; the robot may be anywhere."""

    def decide(self, frame: Frame, commands: tuple[Command, ...]) -> Plan:
        """Plan from a frame and from the commands that went out so far."""


@dataclass
class Truth:
    """What the harness knows and a planner may not; only the oracle is given it."""

    scene: Scene                                # as it stands now
    sim: Simulator | None = None                # that the robot drives in now
    origin: np.ndarray = field(default_factory=lambda: np.zeros(3))     # of the memory's frame
    goal: np.ndarray | None = None              # pose (3,) of the goal picture

    def pose(self) -> np.ndarray:
        """Return the pose (3,) of the robot in the scene."""
        assert self.sim is not None
        return self.sim.truth_pose()

    def remembered(self, pose: np.ndarray) -> np.ndarray:
        """Return a pose of the scene in the frame of the memory."""
        return between(self.origin, np.asarray(pose, float))
