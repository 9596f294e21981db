# SPDX-License-Identifier: Apache-2.0
"""All checks of a robot, in the order in which a person would mend it."""

from ami_ros.core.findings import Finding, grouped, WARN
from ami_ros.operator.checks import (
    camera,
    coordinate_frames,
    lidar,
    lidar_orientation,
    nothing_received,
    odometry_and_imu,
    own_nodes,
    timing,
    topic_connections,
)
from ami_ros.operator.checks.observation import Observation

CHECKS = (topic_connections.sensors, topic_connections.command, timing.sim_time,
          timing.all_sensors, coordinate_frames.all_frames,
          coordinate_frames.mounts, camera.cameras, lidar.lidars, lidar_orientation.lidars,
          odometry_and_imu.odometry,
          odometry_and_imu.imus, own_nodes.files, own_nodes.thinks_with, own_nodes.present,
          own_nodes.agreement,
          own_nodes.fit_together, own_nodes.supervisor, own_nodes.verdict,
          topic_connections.our_topics)


def diagnose(seen: Observation) -> list[Finding]:
    """Run every check; where nothing at all was heard, say why that may be."""
    if nothing_received.silent(seen):
        return nothing_received.causes(seen)
    return grouped([finding for check in CHECKS for finding in check(seen)])


def unnamed(seen: Observation) -> Finding:
    """Say that nobody named the robot, so that another one was compared."""
    return Finding(WARN, 'robot: named', f'nobody named the robot and no node says it; '
                   f'{seen.robot.name} was compared', 'the robot file of this robot',
                   'Write --robot FILE.')
