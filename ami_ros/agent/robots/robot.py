# SPDX-License-Identifier: Apache-2.0
"""What a robot file says: axes, units, limits with their source, sensors, URDF."""

from dataclasses import dataclass
from functools import cached_property
import math

from ami_ros.agent.robots import urdf
from ami_ros.share import share


@dataclass(frozen=True)
class Robot:
    """One robot. Limits are of the hardware; the policy may be stricter, never looser."""

    name: str
    urdf: str                   # relative to the shared files
    max_speed_mps: float
    max_turn_radps: float
    axes: tuple[str, ...]       # of a command, in order
    actuation_lag_s: float      # first-order, command to wheel speed
    base_timeout_s: float       # the base stops by itself after so long without a command
    camera_hfov_rad: float      # horizontal field of view after preprocessing
    camera_size: tuple[int, int]    # width, height in pixels of the network input
    lidar_beams: int
    lidar_range_m: tuple[float, float]  # below the first is invalid, above the second no return
    lidar_no_return: float      # what this lidar says then (REP-117: +inf; some say 0.0)

    @cached_property
    def body(self) -> urdf.Body:
        """Geometry, from the URDF alone."""
        return urdf.read(share(self.urdf))

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Largest |v| m/s and |w| rad/s."""
        return self.max_speed_mps, self.max_turn_radps

    @cached_property
    def radius_m(self) -> float:
        """Radius of the circle around base_link that holds the footprint."""
        return max(math.hypot(x, y) for x, y in self.body.footprint)
