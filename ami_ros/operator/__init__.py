# SPDX-License-Identifier: Apache-2.0
"""What a person runs beside the robot, never part of its loop: doctor, teleop, goals."""
