# SPDX-License-Identifier: Apache-2.0
"""What a person runs beside the robot, and never part of its loop: doctor, stick, recorder."""
