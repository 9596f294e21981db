# SPDX-License-Identifier: Apache-2.0
"""The numbers that several rules, or the critic besides, go by; each stands once in a policy."""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.core.settings import Order, setting, Settings


@dataclass(frozen=True)
class Shared(Settings):
    """How fast, how near and how old; nothing here has a default."""

    RELATIONS: ClassVar[tuple[Order, ...]] = (
        Order('side_distance_m', 'stop_distance_m',
              'beside the robot no more is kept free than ahead'),)

    max_speed_mps: float = setting(
        None, 'm/s', 0.01, 5.0, 'Maximum linear speed, forward and backward', strict='lower')
    max_turn_radps: float = setting(
        None, 'rad/s', 0.01, 10.0, 'Maximum turn rate in either direction', strict='lower')
    braking_mps2: float = setting(
        None, 'm/s^2', 0.05, 10.0, 'Braking deceleration measured on this robot', strict='lower')
    reaction_s: float = setting(
        None, 's', 0.0, 1.0,
        'Time until the next command is sent and the robot starts to brake', strict='higher')
    stop_distance_m: float = setting(
        None, 'm', 0.0, 1.0, 'Distance kept free ahead, along the motion', strict='higher')
    side_distance_m: float = setting(
        None, 'm', 0.0, 1.0, 'Distance kept free beside the motion', strict='higher')
    release_distance_m: float = setting(
        None, 'm', 0.0, 0.5,
        'Additional free distance required before a zone releases a motion', strict='higher')
    max_plan_age_s: float = setting(
        None, 's', 0.02, 2.0, 'Stop the robot if the plan is older than this', strict='lower')
    teleop_timeout_s: float = setting(
        None, 's', 0.02, 2.0,
        'Teleop command timeout; an older command is ignored', strict='lower')
    max_scan_age_s: float = setting(
        None, 's', 0.02, 2.0, 'Stop the robot if a lidar scan is older than this', strict='lower')
    max_odometry_age_s: float = setting(
        None, 's', 0.02, 2.0, 'Stop the robot if odometry is older than this', strict='lower')
    max_view_age_s: float = setting(
        None, 's', 0.02, 2.0,
        'Stop the robot if the camera frame is older than this', strict='lower')
    max_switch_age_s: float = setting(
        None, 's', 0.02, 2.0,
        'Stop the robot if a bumper, cliff or emergency stop message is older '
        'than this', strict='lower')
    max_future_s: float = setting(
        None, 's', 0.0, 1.0,
        'Stop the robot if a stamp is further in the future than this', strict='lower')
    min_valid_beams: float = setting(
        None, '1', 0.0, 1.0, 'Minimum share of the beams that must be valid', strict='higher')
