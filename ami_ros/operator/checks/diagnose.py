# SPDX-License-Identifier: Apache-2.0
"""All checks of a robot, in the order in which a person would mend it."""

from ami_ros.core.findings import Finding, grouped, WARN
from ami_ros.operator.checks import (
    bearing,
    camera,
    frames,
    lidar,
    motion,
    nodes,
    silence,
    timing,
    wiring,
)
from ami_ros.operator.checks.observed import Observation

CHECKS = (wiring.sensors, wiring.command, timing.sim_time, timing.all_sensors, frames.all_frames,
          frames.mounts, camera.cameras, lidar.lidars, bearing.lidars, motion.odometry,
          motion.imus, nodes.files, nodes.thinks_with, nodes.present, nodes.agreement,
          nodes.fit_together, nodes.supervisor, nodes.verdict, wiring.our_topics)


def diagnose(seen: Observation) -> list[Finding]:
    """Run every check; where nothing at all was heard, say why that may be."""
    if silence.silent(seen):
        return silence.causes(seen)
    return grouped([finding for check in CHECKS for finding in check(seen)])


def unnamed(seen: Observation) -> Finding:
    """Say that nobody named the robot, so that another one was compared."""
    return Finding(WARN, 'robot: named', f'nobody named the robot and no node says it; '
                   f'{seen.robot.name} was compared', 'the robot file of this robot',
                   'Write --robot FILE.')
