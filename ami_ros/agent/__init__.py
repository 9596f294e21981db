# SPDX-License-Identifier: Apache-2.0
"""The mind. No ROS, no torch, no PyBullet; start reading at loop.py."""
