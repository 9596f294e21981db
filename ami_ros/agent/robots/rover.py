# SPDX-License-Identifier: Apache-2.0
"""The simulated rover: a differential drive with a camera, a planar lidar, odometry and an IMU."""

import math

from ami_ros.agent.robots.robot import Robot

ROBOT = Robot(
    name='rover', urdf='urdf/rover.urdf',
    max_speed_mps=0.6, max_turn_radps=1.5,  # the frozen protocol's limits
    axes=('v_mps', 'w_radps'),
    actuation_lag_s=0.08,                   # by design of the simulated base
    base_timeout_s=0.25,                    # by design of the simulated base
    camera_hfov_rad=math.radians(110),      # wide, as the field's image-goal drivers use
    camera_size=(64, 64),
    lidar_beams=180, lidar_range_m=(0.08, 8.0), lidar_no_return=math.inf,
)
