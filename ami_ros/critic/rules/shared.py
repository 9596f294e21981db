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

    max_speed_mps: float = setting(None, 'm/s', 0.01, 5.0, 'forward and backward',
                                   strict='lower')
    max_turn_radps: float = setting(None, 'rad/s', 0.01, 10.0, 'either way', strict='lower')
    braking_mps2: float = setting(None, 'm/s^2', 0.05, 10.0, 'measured on this robot',
                                  strict='lower')
    reaction_s: float = setting(None, 's', 0.0, 1.0,
                                'from a command to the next one, and on to its first braking',
                                strict='higher')
    stop_distance_m: float = setting(None, 'm', 0.0, 1.0, 'kept free ahead, along the motion',
                                     strict='higher')
    side_distance_m: float = setting(None, 'm', 0.0, 1.0, 'kept free beside the motion',
                                     strict='higher')
    release_distance_m: float = setting(None, 'm', 0.0, 0.5, 'so much more must be free until a '
                                        'zone lets go of a motion', strict='higher')
    max_plan_age_s: float = setting(None, 's', 0.02, 2.0, 'older plans stop the robot',
                                    strict='lower')
    teleop_timeout_s: float = setting(None, 's', 0.02, 2.0, 'a hand silent for so long let go',
                                    strict='lower')
    max_scan_age_s: float = setting(None, 's', 0.02, 2.0, 'older lidar stops the robot',
                                    strict='lower')
    max_odometry_age_s: float = setting(None, 's', 0.02, 2.0, 'older odometry stops the robot',
                                        strict='lower')
    max_view_age_s: float = setting(None, 's', 0.02, 2.0, 'older pictures stop the robot',
                                    strict='lower')
    max_switch_age_s: float = setting(None, 's', 0.02, 2.0,
                                      'an older word of a bumper, edge or stop stops the robot',
                                      strict='lower')
    max_future_s: float = setting(None, 's', 0.0, 1.0, 'stamps further ahead stop the robot',
                                  strict='lower')
    min_valid_beams: float = setting(None, '1', 0.0, 1.0, 'share of beams that must be valid',
                                     strict='higher')
